"""Numbered, append-only changes of the schema."""
