"""The audit log: who did what to the gateway, append-only, each entry chained to the one before it and signed.

An entry's hash is SHA-256, in hex, over eight texts: ``polyculture audit entry``, the previous entry's hash (empty for
the first), seq, at, actor, action, subject, detail; of each its length in bytes (4 bytes, big-endian), then the text
in UTF-8, numbers in decimal. Its signature is of that hash. Entries name people, keys and tenants by pseudonyms
(:mod:`gateway.governance.identity`).

The head, the newest entry's seq and hash, is signed and kept apart from the entries, so that an end cut off is
missed. Who puts back an older database whole is found out by a head that was exported before.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping

import msgspec
import sqlalchemy as sa
from msgspec.structs import asdict, replace

from gateway.governance.identity import Identity, pseudonym
from gateway.governance.installation import Installation
from gateway.schema import audit, audit_head
from gateway.transaction import Transaction

#: The actor of what the gateway does by itself.
GATEWAY = "gateway"

#: The action with which an installation's key begins to sign; its detail holds the public half.
SIGNING = "audit.signing_key"

#: What signatures are for.
ENTRY, HEAD = "audit entry", "audit head"


class AuditEntry(msgspec.Struct, frozen=True):
    """One row: ``at`` in microseconds since the epoch, ``detail`` JSON."""

    seq: int
    at: int
    actor: str
    action: str
    subject: str
    detail: str
    previous: str
    hash: str
    signature: str

    def digest(self) -> str:
        """What ``hash`` must be."""
        told = (self.previous, self.seq, self.at, self.actor, self.action, self.subject, self.detail)
        texts = [str(each).encode() for each in (f"polyculture {ENTRY}", *told)]
        return hashlib.sha256(b"".join(struct.pack(">I", len(text)) + text for text in texts)).hexdigest()


class AuditHead(msgspec.Struct, frozen=True):
    """The chain's end as the installation with this ``public`` key signed it; an auditor can hold it outside."""

    seq: int
    hash: str
    public: str
    signature: str

    def message(self) -> str:
        """What is signed."""
        return f"{self.seq} {self.hash}"


class Audit:
    """Writes entries."""

    def __init__(self, *, installation: Installation) -> None:
        self.installation = installation

    def record(
        self,
        transaction: Transaction,
        *,
        actor: Identity | str,
        action: str,
        subject: Identity | str = "",
        detail: Mapping[str, object] | None = None,
    ) -> AuditEntry:
        """Add an entry, in the transaction of what it tells: both are kept, or neither.

        ``action`` is ``<noun>.<verb>``. ``detail`` is anything that JSON can say; every :class:`Identity` in it is
        written as its pseudonym, as in ``actor`` and ``subject``. Prompts, secrets and names of people do not belong
        there: nothing is ever taken out of this log.
        """
        connection, public = transaction.connection, self.installation.public
        head = newest(connection)
        if head is None or head.public != public:
            self._append(transaction, GATEWAY, SIGNING, "", {"public": public})
        by, about = (who if isinstance(who, str) else pseudonym(connection, who) for who in (actor, subject))
        return self._append(transaction, by, action, about, detail or {})

    def _append(
        self, transaction: Transaction, actor: str, action: str, subject: str, detail: Mapping[str, object]
    ) -> AuditEntry:
        connection, sign = transaction.connection, self.installation.sign
        last = newest(connection) or _headless(connection)

        def named(each: object) -> str:
            if isinstance(each, Identity):
                return pseudonym(connection, each)
            raise TypeError(f"an audit entry cannot hold a {type(each).__name__}")

        told = json.dumps(detail, default=named, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        entry = AuditEntry(last.seq + 1, transaction.at, actor, action, subject, told, last.hash, "", "")
        entry = replace(entry, hash=entry.digest())
        entry = replace(entry, signature=sign(ENTRY, entry.hash))
        head = AuditHead(entry.seq, entry.hash, self.installation.public, "")
        head = replace(head, signature=sign(HEAD, head.message()))
        connection.execute(audit.insert(), asdict(entry))
        connection.execute(audit_head.delete())
        connection.execute(audit_head.insert(), asdict(head))
        return entry


def newest(connection: sa.Connection) -> AuditHead | None:
    """The head; ``None`` where nothing was recorded yet."""
    row = connection.execute(sa.select(audit_head)).first()
    return None if row is None else AuditHead(*row)


def entries(connection: sa.Connection, *, after: int = 0, limit: int | None = None) -> list[AuditEntry]:
    """Entries past ``after``, oldest first."""
    query = sa.select(audit).where(audit.c.seq > after).order_by(audit.c.seq).limit(limit)
    return [AuditEntry(*row) for row in connection.execute(query)]


def _headless(connection: sa.Connection) -> AuditHead:
    """Where to go on without a head: a new chain behind whatever there is, so that a head removed is seen."""
    return AuditHead(connection.execute(sa.select(sa.func.max(audit.c.seq))).scalar() or 0, "", "", "")
