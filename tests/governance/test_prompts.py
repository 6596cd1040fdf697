"""Prompts are kept for tenants that want it, and for nobody else."""

from __future__ import annotations

from gateway.database import connect
from gateway.governance.prompts import prompt
from tests.conftest import Start
from tests.support.cards import card
from tests.support.gateway import KEY, eventually
from tests.support.upstream import Upstream


def test_only_those_who_want_it_have_their_prompts_kept(start: Start, upstream: Upstream) -> None:
    tenants = [{"id": "acme", "key_env": "ACME_KEY", "store_prompts": True}]
    gateway = start({"models": [card("one", upstream.url)], "tenants": tenants}, ACME_KEY="pc-acme")
    asked = {
        key: gateway.chat(f"a secret of {key}", headers={"authorization": f"Bearer {key}"}) for key in (KEY, "pc-acme")
    }
    decided = {key: bytes.fromhex(answer.headers["x-polyculture-decision-id"]) for key, answer in asked.items()}
    with connect(gateway.data_dir).connect() as connection:
        assert eventually(lambda: prompt(connection, decided["pc-acme"])) == "a secret of pc-acme"
        assert prompt(connection, decided[KEY]) is None
    gateway.stop()
    files = b"".join(path.read_bytes() for path in gateway.data_dir.iterdir())
    assert b"a secret of pc-acme" in files
    assert f"a secret of {KEY}".encode() not in files
