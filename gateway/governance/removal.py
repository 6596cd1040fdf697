"""An erasure's steps on disk, each in one transaction: what it removes and how far that brings it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec.structs import replace

from gateway.controls import control
from gateway.events import Erased, FeedbackExcluded
from gateway.governance import belongings, remnants
from gateway.governance.audit import GATEWAY, Audit
from gateway.governance.identity import Identity, pseudonym, salt, shred
from gateway.governance.progress import Progress, State, load, unfinished
from gateway.governance.receipt import Opening, Receipt, Removed, SignedReceipt
from gateway.governance.remnants import Renewed
from gateway.keys import retire
from gateway.ledger import disown
from gateway.transaction import Transaction


def begin(
    erasure: str, whose: Identity, by: Identity, audit: Audit, transaction: Transaction
) -> tuple[Progress, Opening]:
    """Record that it has begun, and retire a tenant's keys; or find the one that is under way already."""
    connection = transaction.connection
    subject = pseudonym(connection, whose)
    opening = Opening(whose.kind, whose.tenant, whose.name, salt(connection, whose).hex())
    for progress in unfinished(connection):
        if progress.step == "begun" and progress.whose == whose:
            return progress, opening
    audit.record(transaction, actor=by, action=f"{whose.kind}.erase", subject=whose, detail={"erasure": erasure})
    keys = retire(connection, whose.tenant) if whose.kind == "tenant" else []
    begun = Progress(
        id=erasure,
        at=transaction.at,
        subject=subject,
        kind="user" if whose.kind == "user" else "tenant",
        tenant=whose.tenant,
        name=whose.name,
        keys=keys,
        removed=Removed(keys=len(keys)),
    )
    return begun.store(connection), opening


def survey(erasure: str, extent: tuple[int, int], before: State, transaction: Transaction) -> Progress:
    """Note where a tenant's events begin, where the log ends, and what was known."""
    progress = _now(transaction, erasure)
    first, last = extent
    noted = replace(progress, first=first if progress.kind == "tenant" else 0, last=last, state_before=before.checksum)
    return noted.store(transaction.connection)


def sweep(erasure: str, after: int, upto: int, transaction: Transaction) -> Progress:
    """Remove a piece of a tenant's events."""
    progress = _now(transaction, erasure)
    removed = belongings.sweep(transaction, progress.tenant, after=after, upto=upto)
    return progress.further(removed).store(transaction.connection)


def remove_tenant(erasure: str, versions: Mapping[int, Renewed], transaction: Transaction) -> Progress:
    """Remove all that is left of a tenant, its name too, and tell the fold; ``versions`` are those without it."""
    progress = _now(transaction, erasure)
    if progress.step != "begun":
        return progress
    connection, tenant = transaction.connection, progress.tenant
    removed = belongings.sweep(transaction, tenant, after=progress.last, upto=transaction.position)
    others = belongings.others(transaction, tenant)
    progress = progress.further(removed.plus(Removed(others=others, pseudonyms=shred(connection, progress.whose))))
    disown(connection, tenant)
    remnants.keep(versions, transaction)
    if progress.removed.events:
        control(transaction, Erased(first=max(progress.first, 1), token=erasure))
    _reread(transaction, belongings.unname(transaction, tenant, progress.keys))
    return progress.nameless().store(connection)


def withdraw(erasure: str, subjects: Sequence[bytes], transaction: Transaction) -> Progress:
    """Remove what an end user said of some decisions, and what else is theirs there."""
    progress = _now(transaction, erasure)
    removed, first = belongings.withdraw(transaction, progress.tenant, progress.name, subjects)
    return progress.further(removed, first=first).store(transaction.connection)


def remove_user(erasure: str, transaction: Transaction) -> Progress:
    """Remove all that is left of an end user, the name too, and have the tenant's state folded anew."""
    progress = _now(transaction, erasure)
    if progress.step != "begun":
        return progress
    connection, tenant, source = transaction.connection, progress.tenant, progress.name
    late = belongings.decisions(connection, tenant=tenant, source=source, after=progress.last)
    removed, first = belongings.withdraw(transaction, tenant, source, late)
    changed = belongings.unname(transaction, tenant, [source])
    others = belongings.others(transaction, tenant, source)
    removed = removed.plus(Removed(others=others, pseudonyms=shred(connection, progress.whose)))
    disguised = belongings.disguise(transaction, tenant, source, f"erased/{erasure}")
    progress = progress.further(removed, first=first).further(Removed(), first=disguised)
    if progress.first:
        changed.add(tenant)
    _reread(transaction, changed, first=progress.first)
    return progress.nameless().store(connection)


def _reread(transaction: Transaction, tenants: Collection[str], *, first: int = 0) -> None:
    """Have the past of these folded anew from ``first`` on: this excludes nothing, and says that something has gone."""
    last = transaction.position
    for tenant in tenants:
        gone = FeedbackExcluded(first=first or last, last=last, reason="erased", sources=[])
        control(transaction, gone, tenant=tenant)


def conclude(erasure: str, after: State, audit: Audit, transaction: Transaction) -> Progress:
    """Tell the audit log that it is done, and sign the receipt."""
    progress = _now(transaction, erasure)
    if progress.step == "finished":
        return progress
    detail = {"erasure": erasure, "state_before": progress.state_before, "state_after": after.checksum}
    entry = audit.record(
        transaction, actor=GATEWAY, action=f"{progress.kind}.erased", subject=progress.subject, detail=detail
    )
    receipt = Receipt(
        erasure=erasure,
        subject=progress.subject,
        begun=progress.at,
        finished=transaction.at,
        removed=progress.removed,
        state_before=progress.state_before,
        state_after=after.checksum,
        position=after.position,
        audit=entry.hash,
    )
    done = replace(progress, step="finished", receipt=SignedReceipt.of(receipt, audit.installation))
    return done.store(transaction.connection)


def _now(transaction: Transaction, erasure: str) -> Progress:
    """How far it is: what was refused may have been written all the same."""
    progress = load(transaction.connection, erasure)
    if progress is None:
        raise LookupError(f"there is no erasure {erasure}")
    return progress
