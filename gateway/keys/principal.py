"""An authenticated caller."""

from __future__ import annotations

from typing import Literal, NamedTuple

from gateway.keys.terms import Power, Terms

KeyScope = Literal["data", "admin"]

#: The tenant of the first key, and of installations with only one.
DEFAULT_TENANT = "default"

_DATA: frozenset[Power] = frozenset({"inference", "feedback"})


class Principal(NamedTuple):
    """Who holds a key.

    Those that the environment or the configuration gives have no ``terms``: a data key asks models and rates answers,
    an admin key may do anything. ``key`` is its id, ``until`` when the secret that was shown ends, in seconds since the
    epoch.
    """

    name: str
    tenant: str
    scope: KeyScope
    terms: Terms | None = None
    key: str = ""
    until: float | None = None

    def may(self, power: Power) -> bool:
        """Whether the key was given for this."""
        if self.terms is None:
            return self.scope == "admin" or power in _DATA
        return power in self.terms.scopes or (power == "admin:read" and "admin" in self.terms.scopes)

    @property
    def models(self) -> tuple[str, ...] | None:
        """The only models that the key may use, of its tenant's."""
        return None if self.terms is None else self.terms.models

    @property
    def preferences(self) -> tuple[str, ...] | None:
        """The only ways of choosing that the key may ask for, of its tenant's."""
        return None if self.terms is None else self.terms.preferences

    @property
    def explores(self) -> bool:
        """Whether its requests may be explored with."""
        return self.terms is None or self.terms.explore
