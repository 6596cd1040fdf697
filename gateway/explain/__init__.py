"""A decision explained: who could answer, how likely, who did and why, what came of it, and whether it replays."""
