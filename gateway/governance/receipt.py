"""The receipt of an erasure: what is gone, and what the state was before and after, signed by the installation."""

from __future__ import annotations

from typing import Literal

import msgspec

from gateway.governance.identity import Identity
from gateway.governance.installation import Installation, signed

#: What its signature is for.
PURPOSE = "receipt"


class Removed(msgspec.Struct, frozen=True):
    """How many rows were removed, and how many ``redacted``: decisions that still count, of which nothing else is left.

    ``spent`` is in millionths of a USD: it stays spent, and no budget gets it back.
    """

    events: int = 0
    redacted: int = 0
    others: int = 0
    keys: int = 0
    pseudonyms: int = 0
    spent: int = 0

    def plus(self, other: Removed) -> Removed:
        """Both together."""
        one, two = msgspec.structs.astuple(self), msgspec.structs.astuple(other)
        return Removed(*(a + b for a, b in zip(one, two, strict=True)))


class Receipt(msgspec.Struct, frozen=True):
    """What the installation says; times in microseconds since the epoch, states as SHA-256 of the saved state.

    ``subject`` is the pseudonym under which the audit log speaks of who was erased, ``audit`` the hash of the entry
    that tells of it, and ``position`` the log's end by then.
    """

    erasure: str
    subject: str
    begun: int
    finished: int
    removed: Removed
    state_before: str
    state_after: str
    position: int
    audit: str

    def message(self) -> str:
        """What is signed: its fields in the order of their names, as JSON without blanks."""
        return msgspec.json.encode(self, order="sorted").decode()


class Opening(msgspec.Struct, frozen=True):
    """Who the subject was, and the salt that shows it. The installation keeps neither; whoever holds this can tell."""

    kind: Literal["tenant", "user", "key"]
    tenant: str
    name: str
    salt: str

    @property
    def whose(self) -> Identity:
        """Who that was."""
        return Identity(kind=self.kind, tenant=self.tenant, name=self.name)


class SignedReceipt(msgspec.Struct, frozen=True):
    """A receipt with its signature, and the public key that checks it."""

    receipt: Receipt
    public: str
    signature: str
    opening: Opening | None = None

    @classmethod
    def of(cls, receipt: Receipt, installation: Installation) -> SignedReceipt:
        """Sign a receipt."""
        return cls(receipt, installation.public, installation.sign(PURPOSE, receipt.message()))

    def sound(self) -> bool:
        """Whether it was signed as it stands, by the key that it names, and is of whom its opening names."""
        return self._opened() and signed(self.public, PURPOSE, self.receipt.message(), self.signature)

    def _opened(self) -> bool:
        if self.opening is None:
            return True
        try:
            return self.opening.whose.pseudonym(bytes.fromhex(self.opening.salt)) == self.receipt.subject
        except ValueError:
            return False
