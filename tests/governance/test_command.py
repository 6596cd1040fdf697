"""``polyculture audit`` and ``/admin/v1/audit``, on a gateway that has been run."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.database import FILE, connect, migrate
from gateway.governance.installation import FILE as KEY_FILE
from tests.conftest import Start
from tests.support.cards import card
from tests.support.gateway import ADMIN_KEY, KEY, Gateway, launched
from tests.support.upstream import Upstream

ADMIN = {"authorization": f"Bearer {ADMIN_KEY}"}


def polyculture(data_dir: Path, *arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)], env={"POLYCULTURE_DATA_DIR": str(data_dir)})


@pytest.fixture(scope="module")
def gateway(shared_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One that was frozen and unfrozen."""
    models = [card("one", shared_upstream.url), card("two", shared_upstream.url)]
    with launched(tmp_path_factory.mktemp("audited"), {"models": models}) as running:
        assert running.admin("freeze").status_code == 200
        assert running.admin("unfreeze").status_code == 200
        yield running


@pytest.fixture
def data(gateway: Gateway, tmp_path: Path) -> Path:
    """A copy of its data, to do what one likes with."""
    (tmp_path / "data").mkdir()
    with (
        closing(sqlite3.connect(gateway.data_dir / FILE)) as there,
        closing(sqlite3.connect(tmp_path / "data" / FILE)) as here,
    ):
        there.backup(here)
    shutil.copy(gateway.data_dir / KEY_FILE, tmp_path / "data")
    return tmp_path / "data"


def test_what_was_done_is_recorded_and_read_page_by_page(gateway: Gateway) -> None:
    page = gateway.client.get("/admin/v1/audit", params={"limit": 3}, headers=ADMIN).json()
    rest = gateway.client.get("/admin/v1/audit", params={"after": 3}, headers=ADMIN).json()
    assert (page["has_more"], rest["has_more"]) == (True, False)
    told = [*page["data"], *rest["data"]]
    assert [entry["seq"] for entry in told] == list(range(1, 7))
    actions = ["audit.signing_key", "key.add", "key.add", "configuration.change", "router.freeze", "router.unfreeze"]
    assert [entry["action"] for entry in told] == actions
    assert rest["names"][told[-1]["actor"]] == "key admin"
    assert json.loads(told[3]["detail"])["models_set"] == ["one", "two"]
    head = gateway.client.get("/admin/v1/audit/head", headers=ADMIN).json()
    assert (head["seq"], head["hash"]) == (6, told[-1]["hash"])


@pytest.mark.parametrize("path", ["/admin/v1/audit", "/admin/v1/audit/head"])
def test_only_admins_read_it(gateway: Gateway, path: str) -> None:
    assert gateway.client.get(path).status_code == 403
    assert gateway.client.get(path, headers={"authorization": "Bearer no"}).status_code == 401
    refused = gateway.client.get("/admin/v1/audit", params={"limit": "0"}, headers=ADMIN)
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "limit")


def test_a_start_that_changes_nothing_records_nothing(start: Start, upstream: Upstream) -> None:
    configuration = {"models": [card("one", upstream.url)]}
    first = start(configuration)
    before = first.client.get("/admin/v1/audit/head", headers=ADMIN).json()
    first.stop()
    again = start(configuration)
    assert again.client.get("/admin/v1/audit/head", headers=ADMIN).json() == before


def test_the_command_lists_and_verifies(data: Path, tmp_path: Path) -> None:
    listed = polyculture(data, "audit", "list", "--after", "4")
    assert listed.exit_code == 0, listed.output
    assert [line.split()[2:] for line in listed.output.splitlines()] == [
        ["key", "admin:", "router.freeze"],
        ["key", "admin:", "router.unfreeze"],
    ]
    as_json = polyculture(data, "audit", "list", "--json", "--limit", "1").output
    assert json.loads(as_json)["action"] == "audit.signing_key"
    verified = polyculture(data, "audit", "verify")
    assert verified.exit_code == 0, verified.output
    assert verified.output.startswith("entries    6\n")
    head = tmp_path / "head.json"
    head.write_text(polyculture(data, "audit", "head").output)
    assert polyculture(data, "audit", "verify", "--head", head).exit_code == 0
    for secret in (KEY, ADMIN_KEY):
        assert secret not in polyculture(data, "audit", "list", "--json").output

    with closing(sqlite3.connect(data / FILE)) as database:
        database.execute("UPDATE audit SET action = 'router.unfreeze' WHERE seq = 5")
        database.commit()
    tampered = polyculture(data, "audit", "verify")
    assert tampered.exit_code == 1
    assert "entry 5: was changed" in tampered.output
    assert "at entry 5 first" in tampered.output


def test_without_the_key_a_head_that_was_exported_tells(data: Path, tmp_path: Path) -> None:
    head = tmp_path / "head.json"
    head.write_text(polyculture(data, "audit", "head").output)
    (data / KEY_FILE).unlink()
    refused = polyculture(data, "audit", "verify")
    assert refused.exit_code == 1
    assert "give a head that was exported" in refused.output
    assert polyculture(data, "audit", "verify", "--head", head).exit_code == 0
    (data / KEY_FILE).write_text("nothing")
    damaged = polyculture(data, "audit", "verify", "--head", head)
    assert damaged.exit_code == 1
    assert "put the right file back" in damaged.output
    head.write_text("{}")
    garbage = polyculture(data, "audit", "verify", "--head", head)
    assert garbage.exit_code == 1
    assert "is not a head of an audit log" in garbage.output


def test_a_table_that_is_gone_is_told(data: Path) -> None:
    with closing(sqlite3.connect(data / FILE)) as database:
        database.execute("DROP TABLE audit_head")
    verified = polyculture(data, "audit", "verify")
    assert verified.exit_code == 1
    assert "entry 6: the head is missing" in verified.output
    assert "tampered with, at entry 6 first" in verified.output
    (data / KEY_FILE).unlink()
    for command in ("verify", "head"):
        assert "Error: the audit log cannot be read: no such table" in polyculture(data, "audit", command).output


def test_an_empty_log_is_told_as_such(tmp_path: Path) -> None:
    for command in ("verify", "list", "head"):
        nothing = polyculture(tmp_path / "none", "audit", command)
        assert nothing.exit_code == 1
        assert "there is no database in" in nothing.output
    migrate(connect(tmp_path))
    assert polyculture(tmp_path, "audit", "verify").output == "nothing was recorded yet\n"
    assert polyculture(tmp_path, "audit", "list").output == ""
    assert polyculture(tmp_path, "audit", "head").exit_code == 1
