"""``polyculture audit``: what was done to this gateway, and whether that record is what it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from gateway.database import FILE, HEAD, connect, revision
from gateway.governance.audit import AuditHead, entries, newest
from gateway.governance.identity import names
from gateway.governance.inspection import Fault, Report, inspect
from gateway.governance.installation import Installation, fingerprint
from gateway.governance.receipt import SignedReceipt
from gateway.settings import Settings

#: Most faults that are printed one by one.
SHOWN = 20


@click.group()
def audit() -> None:
    """Read and check the audit log, in the data directory."""


@audit.command()
@click.option(
    "--head",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A head that `polyculture audit head` printed earlier: finds out an older database put back, too.",
)
def verify(file: Path | None) -> None:
    """Check every entry of the audit log, their order, and that none is missing; exits 1 on any fault."""
    installation = Installation(data_dir=Settings().data_dir)
    held = _read(file) if file is not None else None
    with _opened() as connection:
        if not installation.known and held is None:
            if not newest(connection) and not entries(connection, limit=1):
                click.echo("nothing was recorded yet")
                return
            raise click.ClickException("the installation's key is not there: give a head that was exported, --head")
        trusted = _public(installation) if installation.known else held.public if held is not None else ""
        report = inspect(connection, trusted=trusted, held=held)
    _tell(report, trusted)
    if report.faults:
        raise click.ClickException(f"the audit log was tampered with, at entry {report.faults[0].seq} first")


def _tell(report: Report, trusted: str) -> None:
    click.echo(f"entries    {report.entries}")
    if report.head is not None:
        click.echo(f"head       {report.head.seq} {report.head.hash}")
    click.echo(f"signed by  {fingerprint(trusted)}")
    for seq, key in report.foreign:
        click.echo(
            f"           entries to {seq} were signed by {key}, another installation: compare with a head of its"
        )
    for fault in report.faults[:SHOWN]:
        click.echo(_line(fault))
    if len(report.faults) > SHOWN:
        click.echo(f"... and {len(report.faults) - SHOWN} more")


def _line(fault: Fault) -> str:
    return f"entry {fault.seq}: {fault.what}"


@audit.command(name="list")
@click.option("--after", default=0, help="Only entries past this one.")
@click.option("--limit", default=100, show_default=True, help="Most entries to print.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, as it is stored.")
def list_(after: int, limit: int, as_json: bool) -> None:
    """Print entries, oldest first, with names where they can still be told."""
    with _opened() as connection:
        known = {} if as_json else names(connection)
        for entry in entries(connection, after=after, limit=limit):
            if as_json:
                click.echo(msgspec.json.encode(entry))
                continue
            about = " ".join(filter(None, (known.get(entry.subject, entry.subject), entry.detail.replace("{}", ""))))
            click.echo(f"{entry.seq:6} {_time(entry.at)} {known.get(entry.actor, entry.actor)}: {entry.action} {about}")


@audit.command()
def head() -> None:
    """Print the signed end of the audit log, to be kept elsewhere and given to `verify --head` later."""
    with _opened() as connection:
        found = newest(connection)
    if found is None:
        raise click.ClickException("nothing was recorded yet")
    click.echo(msgspec.json.encode(found))


@audit.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", help="The installation's public key, where it is known from elsewhere.")
def receipt(file: Path, key: str | None) -> None:
    """Check the receipt of an erasure; that needs neither a gateway nor its data. Exits 1 if it is not sound."""
    try:
        found = msgspec.json.decode(file.read_bytes(), type=SignedReceipt)
    except msgspec.MsgspecError as error:
        raise click.ClickException(f"{file} is not a receipt: {error}") from error
    if not found.sound():
        raise click.ClickException("the receipt was changed: its signature does not fit it")
    if key is not None and key != found.public:
        raise click.ClickException("another installation signed this receipt")
    told = found.receipt
    if found.opening is not None:
        click.echo(f"erased     {found.opening.whose}")
    click.echo(f"subject    {told.subject}")
    click.echo(f"from, to   {_time(told.begun)}, {_time(told.finished)}")
    for name, count in msgspec.structs.asdict(told.removed).items():
        click.echo(f"{name:10} {count}")
    click.echo(f"state      {told.state_before} before")
    click.echo(f"           {told.state_after} after, at event {told.position}")
    click.echo(f"signed by  {fingerprint(found.public)}, public key {found.public}")


def _public(installation: Installation) -> str:
    try:
        return installation.public
    except OSError as error:
        raise click.ClickException(str(error)) from error


def _time(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds / 1e6, UTC).isoformat(timespec="seconds")


def _read(file: Path) -> AuditHead:
    try:
        return msgspec.json.decode(file.read_bytes(), type=AuditHead)
    except msgspec.MsgspecError as error:
        raise click.ClickException(f"{file} is not a head of an audit log: {error}") from error


@contextmanager
def _opened() -> Iterator[sa.Connection]:
    data_dir = Settings().data_dir
    if not (data_dir / FILE).exists():
        raise click.ClickException(f"there is no database in {data_dir}")
    with connect(data_dir).connect() as connection:
        if revision(connection) != HEAD:
            raise click.ClickException("another version wrote this database; start this version's gateway once")
        try:
            yield connection
        except DatabaseError as error:
            raise click.ClickException(f"the audit log cannot be read: {error.orig}") from error
