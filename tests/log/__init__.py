"""The event log and all that is folded from it: written, stored, read back, killed, moved."""
