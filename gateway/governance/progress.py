"""How far an erasure is, on disk: whatever interrupts it, it goes on from here."""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace

from gateway.governance.identity import Identity
from gateway.governance.receipt import Removed, SignedReceipt
from gateway.schema import erasures

Step = Literal["begun", "removed", "finished"]


class State(NamedTuple):
    """What was known at a position of the log, by its checksum."""

    position: int
    checksum: str


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """One erasure: ``at`` in microseconds since the epoch.

    ``tenant``, ``name`` and the names of a tenant's ``keys`` are known until all rows are gone. ``first`` and ``last``
    are positions of the log: of what is removed, and of its end when that was looked for.
    """

    id: str
    at: int
    subject: str
    kind: Literal["tenant", "user"]
    tenant: str
    name: str = ""
    keys: list[str] = []
    step: Step = "begun"
    first: int = 0
    last: int = 0
    state_before: str = ""
    removed: Removed = Removed()
    receipt: SignedReceipt | None = None

    @property
    def whose(self) -> Identity:
        """Who is erased."""
        return Identity(kind=self.kind, tenant=self.tenant, name=self.name)

    def further(self, removed: Removed, *, first: int = 0) -> Progress:
        """The same with more removed."""
        earliest = min(filter(None, (self.first, first)), default=0)
        return replace(self, removed=self.removed.plus(removed), first=earliest)

    def nameless(self) -> Progress:
        """All rows are gone, and with them whose they were."""
        return replace(self, step="removed", tenant="", name="", keys=[])

    def store(self, connection: sa.Connection) -> Progress:
        """Write it down, within the caller's transaction."""
        connection.execute(erasures.delete().where(erasures.c.id == self.id))
        row = {"id": self.id, "at": self.at, "step": self.step, "document": msgspec.json.encode(self)}
        connection.execute(erasures.insert(), row)
        return self


def load(connection: sa.Connection, erasure: str) -> Progress | None:
    """An erasure by its id."""
    document = connection.execute(sa.select(erasures.c.document).where(erasures.c.id == erasure)).scalar()
    return None if document is None else msgspec.json.decode(document, type=Progress)


def unfinished(connection: sa.Connection) -> list[Progress]:
    """Those that have not come to their end, oldest first."""
    query = sa.select(erasures.c.document).where(erasures.c.step != "finished").order_by(erasures.c.at)
    return [msgspec.json.decode(document, type=Progress) for document in connection.execute(query).scalars()]
