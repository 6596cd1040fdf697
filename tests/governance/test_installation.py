"""The installation's key: its own, once, and checked by whoever holds the public half."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.governance.installation import FILE, Installation, UnusableKey, fingerprint, signed


def test_what_is_signed_is_found_good_and_nothing_else(tmp_path: Path) -> None:
    one = Installation(data_dir=tmp_path)
    signature = one.sign("receipt", "that")
    assert signed(one.public, "receipt", "that", signature)
    assert not signed(one.public, "receipt", "this", signature)
    assert not signed(one.public, "audit head", "that", signature)
    (tmp_path / "other").mkdir()
    other = Installation(data_dir=tmp_path / "other")
    assert not signed(other.public, "receipt", "that", signature)
    assert fingerprint(other.public) != fingerprint(one.public)
    for bad in ("", "00", "zz", signature[:-2] + "ff"):
        assert not signed(one.public, "receipt", "that", bad)
        assert not signed(bad, "receipt", "that", signature)


def test_the_key_is_made_once_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    first = Installation(data_dir=tmp_path)
    assert not first.known
    public = first.public
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    again = Installation(data_dir=tmp_path)
    assert again.known
    assert again.public == public


def test_what_a_crash_left_half_written_is_written_anew(tmp_path: Path) -> None:
    (tmp_path / f"{FILE}.partial").write_text("half")
    made = Installation(data_dir=tmp_path)
    assert signed(made.public, "receipt", "that", made.sign("receipt", "that"))


def test_a_file_that_holds_another_kind_of_key_is_refused(tmp_path: Path) -> None:
    other = X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for content, told in ((b"not a key", "holds no key"), (other, "another kind of key")):
        (tmp_path / FILE).write_bytes(content)
        with pytest.raises(UnusableKey, match=told):
            _ = Installation(data_dir=tmp_path).public
