"""Finding what was done to an audit log: entries changed, removed, put in, moved, or cut off its end.

Nothing here writes, and nothing raises whatever the tables hold: an attacker wrote them, for all that is known.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from gateway.governance.audit import ENTRY, HEAD, SIGNING, AuditEntry, AuditHead, newest
from gateway.governance.installation import fingerprint, signed
from gateway.schema import audit


class Fault(NamedTuple):
    """Something that is not as it was written, at an entry."""

    seq: int
    what: str


class Report(NamedTuple):
    """What an inspection found. ``foreign`` are the last entries and keys of other installations before this one."""

    entries: int
    head: AuditHead | None
    faults: list[Fault]
    foreign: list[tuple[int, str]]


def inspect(connection: sa.Connection, *, trusted: str, held: AuditHead | None = None) -> Report:
    """Check every entry, the links between them, and the end.

    ``trusted`` is the public key that must have signed the end; ``held`` a head that was exported before.
    """
    walk = _Walk(trusted=trusted, held=held)
    _lenient(connection)
    walk.go(connection)
    head = _head(connection)
    walk.faults += walk.check_end(head)
    return Report(walk.count, head, walk.faults, walk.foreign)


def _head(connection: sa.Connection) -> AuditHead | None:
    """The head; ``None`` where there is none to be read."""
    with suppress(DatabaseError):
        return newest(connection)
    return None


def _lenient(connection: sa.Connection) -> None:
    """Read texts that are not UTF-8 as well: only tampering can have put them there."""
    connection.connection.dbapi_connection.text_factory = partial(str, encoding="utf-8", errors="replace")  # type: ignore[union-attr]


class _Walk:
    """Goes through the entries in order, and remembers the last one."""

    def __init__(self, *, trusted: str, held: AuditHead | None) -> None:
        self._trusted = trusted
        self._held = held
        self._public, self._since = trusted, 1
        self._seq = 0
        self._hash = ""
        self.count = 0
        self.faults: list[Fault] = []
        self.foreign: list[tuple[int, str]] = []

    def go(self, connection: sa.Connection) -> None:
        """Check all entries, as far as they can be read."""
        query = sa.select(audit).order_by(audit.c.seq).execution_options(yield_per=1000)
        try:
            for row in connection.execute(query):
                self.faults += self.check(AuditEntry(*row))
        except DatabaseError as error:
            self.faults.append(Fault(self._seq + 1, f"cannot be read: {error.orig}"))

    def check(self, entry: AuditEntry) -> Iterator[Fault]:
        """What is wrong with the next entry."""
        self.count += 1
        seq, expected = entry.seq, self._seq + 1
        if seq < 1:
            yield Fault(seq, "out of place: the first entry is 1")
            return
        if seq > expected:
            yield Fault(expected, f"missing: the next one there is {seq}")
        elif entry.previous != self._hash:
            yield Fault(seq, "does not follow the entry before it: one of the two was put in, replaced or moved")
        self._adopt(entry)
        if entry.digest() != entry.hash:
            yield Fault(seq, "was changed: its hash is not that of its content")
        elif not signed(self._public, ENTRY, entry.hash, entry.signature):
            yield Fault(seq, "was not written by this installation: its signature is not good")
        if self._held is not None and self._held.seq == seq and self._held.hash != entry.hash:
            yield Fault(seq, "is not the one that the given head names: what was recorded up to it was rewritten")
        self._seq, self._hash = seq, entry.hash

    def _adopt(self, entry: AuditEntry) -> None:
        """From this entry on another key signs, where it says so."""
        if entry.action == SIGNING:
            with suppress(ValueError, TypeError, KeyError, RecursionError):
                public = json.loads(entry.detail)["public"]
                if self._seq and self._public != public:
                    self.foreign.append((self._seq, fingerprint(self._public)))
                self._public, self._since = public, entry.seq

    def check_end(self, head: AuditHead | None) -> Iterator[Fault]:
        """What is wrong with the end."""
        if self._held is not None:
            if not signed(self._held.public, HEAD, self._held.message(), self._held.signature):
                yield Fault(self._held.seq, "the given head is not a good one: its signature does not fit it")
            if self._held.seq > self._seq:
                yield Fault(self._seq + 1, f"cut off: the given head says that there were {self._held.seq} entries")
        if head is None:
            yield Fault(self._seq, "the head is missing, so the end may have been cut off")
        elif head.public != self._trusted or not signed(self._trusted, HEAD, head.message(), head.signature):
            yield Fault(self._seq, "the head was not signed by this installation, so the end may have been cut off")
        elif head.seq > self._seq:
            yield Fault(self._seq + 1, f"cut off: the head says that there were {head.seq} entries")
        elif head.seq < self._seq:
            yield Fault(head.seq + 1, "added by somebody else: the head does not know it")
        elif head.hash != self._hash:
            yield Fault(self._seq, "is not the one that the head names")
        if self._seq and self._public != self._trusted:
            yield Fault(self._since, "another installation's key signs from here on")
