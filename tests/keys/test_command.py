"""``polyculture keys``: the API's twins."""

from __future__ import annotations

from tests.keys.conftest import Desk
from tests.support.command import answered, run
from tests.support.gateway import Gateway


def test_keys_by_command(gateway: Gateway, desk: Desk) -> None:
    made = answered(
        gateway, "keys", "create", "by-hand", "--tenant", "acme", "--model", "math", "--scope", "inference",
        "--preference", "auto", "--expires", "2999-01-01T00:00:00Z", "--no-explore",
    )  # fmt: skip
    assert made["terms"]["models"] == ["math"]
    assert (made["terms"]["scopes"], made["terms"]["explore"]) == (["inference"], False)
    assert desk.chat(made["secret"]).headers["x-polyculture-model"] == "math"
    shown = answered(gateway, "keys", "show", made["id"])
    assert shown == {**made, "secret": None, "use": shown["use"]}
    turned = answered(gateway, "keys", "rotate", made["id"], "--overlap-hours", "0")
    assert desk.chat(made["secret"]).status_code == 401
    listed = run(gateway, "keys", "list", "--tenant", "acme", "--state", "active").output
    assert "by-hand" in listed
    assert turned["secrets"][0]["hint"] in listed
    assert "pc-a" not in listed.replace("pc-...", "")
    assert run(gateway, "keys", "revoke", made["id"]).exit_code == 0
    assert desk.chat(turned["secret"]).status_code == 401


def test_people_see_the_secret_once(gateway: Gateway) -> None:
    made = run(gateway, "keys", "create", "seen")
    assert made.exit_code == 0
    (secret,) = (word for word in made.output.split() if word.startswith("pc-") and not word.startswith("pc-..."))
    assert secret not in run(gateway, "keys", "list").output
    taken = run(gateway, "keys", "create", "seen")
    assert taken.exit_code == 1
    assert "There is a key 'seen' of 'default' already." in taken.output
