"""Versions of what was learned: kept, compared, returned to, carried elsewhere."""
