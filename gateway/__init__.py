"""Polyculture's gateway: the request's way, from HTTP in to the finished answer. See README.md beside this file."""

__version__ = "0.1.0"
