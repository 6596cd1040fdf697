"""Whose feedback counts: what is withheld and why, and what an admin can do about it."""
