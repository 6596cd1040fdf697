"""A database of its own for each test, and the loop that the gateway runs on."""

from tests.log.conftest import engine, logged, other, run

__all__ = ["engine", "logged", "other", "run"]
