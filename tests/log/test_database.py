"""The database: made by migrations, the same as the schema says, and held by one gateway at a time."""

from __future__ import annotations

import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import IntegrityError, OperationalError

import gateway.migrations
from gateway.database import (
    FILE,
    HEAD,
    DataDirectoryBusy,
    NewerDatabase,
    begin,
    connect,
    exclusive,
    migrate,
    revision,
    send,
)
from gateway.schema import events, metadata

SCRIPTS = ScriptDirectory(str(Path(gateway.migrations.__file__).parent))


def differences(connection: sa.Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, metadata))


def test_migrations_lead_to_the_schema(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        assert differences(connection) == []
        assert revision(connection) == HEAD


def test_head_is_the_newest_migration() -> None:
    assert SCRIPTS.get_heads() == [HEAD]


def test_every_migration_says_what_it_does_and_how_it_is_undone() -> None:
    for script in SCRIPTS.walk_revisions():
        assert script.doc, script.revision
        assert script.module.upgrade.__doc__, script.revision
        assert script.module.downgrade.__doc__, script.revision
        assert re.match(rf"{script.revision}_\w+\.py", Path(script.path).name)


def test_migrations_can_be_undone_and_done_again(engine: sa.Engine) -> None:
    config = Config()
    config.set_main_option("script_location", SCRIPTS.dir)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        with begin(connection):
            command.downgrade(config, "base")
        assert sa.inspect(connection).get_table_names() == ["alembic_version"]
        with begin(connection):
            command.upgrade(config, "head")
        assert differences(connection) == []


def test_migrating_what_is_there_already_changes_nothing_and_needs_no_alembic(tmp_path: Path) -> None:
    migrate(connect(tmp_path))
    script = """if True:
        import sys
        from pathlib import Path
        from gateway.database import connect, migrate
        migrate(connect(Path(sys.argv[1])))
        print("alembic" in sys.modules)
    """
    done = subprocess.run([sys.executable, "-c", script, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_database_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    engine = connect(tmp_path)
    migrate(engine)
    with engine.connect() as connection, begin(connection):
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerDatabase, match="schema 9999: upgrade to that version"):
        migrate(engine)
    with engine.connect() as connection:
        assert revision(connection) == "9999"


def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "50% of a?b#c d"
    migrate(connect(folder))
    with closing(sqlite3.connect(folder / FILE)) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchone() == (HEAD,)


def test_what_fails_within_a_transaction_is_undone(engine: sa.Engine) -> None:
    row = {"seq": 1, "at": 1, "kind": "decision", "tenant": "", "payload": b""}
    with engine.connect() as connection:
        with suppress(ZeroDivisionError), begin(connection):
            connection.execute(events.insert(), row)
            raise ZeroDivisionError
        assert connection.execute(sa.select(sa.func.count()).select_from(events)).scalar() == 0
        with begin(connection):
            connection.execute(events.insert(), row)
        assert connection.execute(sa.select(sa.func.count()).select_from(events)).scalar() == 1


def test_errors_do_not_tell_what_was_said(engine: sa.Engine) -> None:
    with engine.connect() as connection, pytest.raises(OperationalError) as raised:
        connection.exec_driver_sql("INSERT INTO nothing VALUES (?)", ("a private comment",))
    assert "private" not in str(raised.value)


def test_what_is_sent_fails_as_anything_else_does(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        with pytest.raises(OperationalError, match="no such table: nowhere") as raised:
            send(connection, "INSERT INTO nowhere VALUES (?)", ("a private comment",))
        assert "private" not in str(raised.value)
        send(connection, "CREATE TABLE something (x INTEGER UNIQUE)", ())
        send(connection, "INSERT INTO something VALUES (?), (?)", (1, 2))
        with pytest.raises(IntegrityError):
            send(connection, "INSERT INTO something VALUES (?)", (2,))
        assert connection.exec_driver_sql("SELECT x FROM something").scalars().all() == [1, 2]


def test_a_data_directory_has_one_gateway(tmp_path: Path) -> None:
    with exclusive(tmp_path / "data"):
        with (
            pytest.raises(DataDirectoryBusy, match=r"another gateway is using .*data; stop it, or set"),
            exclusive(tmp_path / "data"),
        ):
            raise AssertionError("two gateways on one directory")
        with exclusive(tmp_path / "other"):
            pass
    with exclusive(tmp_path / "data"):
        pass


def test_a_killed_gateway_holds_nothing(tmp_path: Path) -> None:
    script = """if True:
        import sys, time
        from pathlib import Path
        from gateway.database import exclusive
        with exclusive(Path(sys.argv[1])):
            print("held", flush=True)
            time.sleep(60)
    """
    with subprocess.Popen([sys.executable, "-c", script, tmp_path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(DataDirectoryBusy), exclusive(tmp_path):
            raise AssertionError("two gateways on one directory")
        process.send_signal(signal.SIGKILL)
        process.wait()
        with exclusive(tmp_path):
            pass
