"""The installation's own key: Ed25519, so that whoever holds the public half can check what it signed.

A shared secret (HMAC) would ask auditors to hold what they could forge with; a signature does not. The key is a file
of mode 0600 beside the database and not in it: who can write the database alone cannot sign.
"""

from __future__ import annotations

import hashlib
import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FILE = "installation.key"

_REMEDY = "put the right file back, or remove it to have a new key sign from here on"


class UnusableKey(OSError):
    """The key's file holds something else; the message says what to do."""


class Installation:
    """Signs for the gateway whose data directory this is. The key is read, or made, when it is first needed."""

    def __init__(self, *, data_dir: Path) -> None:
        self._path = data_dir / FILE

    @property
    def known(self) -> bool:
        """Whether a key has been made here."""
        return self._path.exists()

    @cached_property
    def public(self) -> str:
        """The public half, 32 bytes in hex. Raises :class:`OSError`."""
        return self._key.public_key().public_bytes_raw().hex()

    def sign(self, purpose: str, message: str) -> str:
        """A signature, 64 bytes in hex, of ``polyculture <purpose>``, a line feed, and the message."""
        return self._key.sign(_bytes(purpose, message)).hex()

    @cached_property
    def _key(self) -> Ed25519PrivateKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        if not self._path.exists():
            self._make()
        try:
            key = load_pem_private_key(self._path.read_bytes(), password=None)
        except (ValueError, TypeError) as error:
            raise UnusableKey(f"{self._path} holds no key; {_REMEDY}") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise UnusableKey(f"{self._path} holds another kind of key than Ed25519; {_REMEDY}")
        return key

    def _make(self) -> None:
        """Write a new key; never half of one, and never readable by others."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        made = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        partial = self._path.with_name(f"{FILE}.partial")
        partial.unlink(missing_ok=True)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(made)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._path)


def signed(public: str, purpose: str, message: str, signature: str) -> bool:
    """Whether the installation with this public key signed the message (RFC 8032); never raises."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        key.verify(bytes.fromhex(signature), _bytes(purpose, message))
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def fingerprint(public: str) -> str:
    """A public key's short name, for people to compare."""
    return hashlib.sha256(bytes.fromhex(public)).hexdigest()[:16]


def _bytes(purpose: str, message: str) -> bytes:
    return f"polyculture {purpose}\n{message}".encode()
