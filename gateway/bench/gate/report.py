"""What a run found: ``results.json``, and a table for people."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

import msgspec
from rich import box
from rich.console import Group
from rich.table import Table

from gateway.bench.gate.plan import Found, Plan
from gateway.bench.gate.quiet import WHATS, Run

METHOD = (
    "forced: a gateway with default settings learns over HTTP; its export, with the models permuted so that none stays "
    "what it is and at least .15 of reward would be lost, is offered to it and then forced on it; outcomes are counted "
    "from then on until the version is taken back. "
    "returned: rollbacks over HTTP while 64 clients ask without a pause, in milliseconds; worst and median are the "
    "client's, from the order sent to its answer come. quiet: the gateway's own gate and policy in simulation, without "
    "log and HTTP; requests grow harder and easier, an upstream has a bad day, outcomes come late, and nothing is "
    "wrong with the version. worse is what it would have earned less than the trusted one, had nothing befallen."
)


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """Something promised: what was found, what it is held to, and whether it is met."""

    name: str
    found: str
    bar: str
    met: bool


def document(plan: Plan, found: Found) -> dict[str, Any]:
    """The whole of ``results.json``."""
    return {"plan": plan, "method": METHOD, "bars": bars(found), "found": found}


def bars(found: Found) -> list[Bar]:
    """What the gate promises."""
    tried, back = found.tried, [each.outcomes for each in found.tried if each.outcomes is not None]
    told = all(each.audited and each.counted and each.returned for each in tried if each.outcomes is not None)
    answered = [each.answered_ms for each in found.returned]
    fallen = [each for each in found.quiet if each.taken_back is not None]
    share = len(fallen) / max(len(found.quiet), 1)
    return [
        _bar("bad versions refused", f"{sum(each.refused for each in tried)} of {len(tried)}", "all", _all(tried)),
        _bar("forced, taken back", f"{len(back)} of {len(tried)}", "all", len(back) == len(tried)),
        _bar("outcomes until then", _spread(back, "g"), "at most 300", max(back, default=0) <= 300),
        _bar("each audited, counted, and gone", "yes" if told else "no", "yes", told),
        _bar("export brought in elsewhere", _same(found), "the same", _same(found) == "the same"),
        _bar("rollback under load, ms", _spread(answered, ".0f"), "below 100", max(answered, default=0.0) < 100.0),
        _bar("requests after it go by it", _obeyed(found), "all", all(each.next_obeyed for each in found.returned)),
        _bar("quiet runs taken back", f"{len(fallen)} of {len(found.quiet)}", "at most 1 %", share <= 0.01),
    ]


def tables(found: Found) -> Group:
    """The bars, the bad versions one by one, and the quiet runs by what was tried in them."""
    bad = _table("A bad version forced live", "outcomes", "to lose", "before", "live", "control")
    for each in found.tried:
        outcomes = "never" if each.outcomes is None else f"{each.outcomes}"
        earned = (each.lose, each.earned_before, each.earned_live, each.earned_control)
        bad.add_row(f"seed {each.seed}", outcomes, *(f"{value:.2f}" for value in earned))
    quiet = _table("Quiet runs", "runs", "doubted", "taken back", "of them worse")
    for what in WHATS:
        quiet.add_row(what, *_counted([run for run in found.quiet if run.what == what]))
    promised = _table("What the gate promises", "found", "bar", "met")
    for bar in bars(found):
        promised.add_row(bar.name, bar.found, bar.bar, "[green]yes[/]" if bar.met else "[red]no[/]")
    return Group(bad, quiet, promised)


def _counted(runs: Sequence[Run]) -> list[str]:
    fallen = [run for run in runs if run.taken_back is not None]
    worse = [run for run in fallen if run.worse is not None and run.worse > 0.0]
    return [str(len(each)) for each in (runs, [run for run in runs if run.doubted], fallen, worse)]


def _bar(name: str, found: str, bar: str, met: bool) -> Bar:
    return Bar(name=name, found=found, bar=bar, met=met)


def _all(tried: Sequence[Any]) -> bool:
    return all(each.refused for each in tried)


def _obeyed(found: Found) -> str:
    return f"{sum(each.next_obeyed for each in found.returned)} of {len(found.returned)} times"


def _same(found: Found) -> str:
    return "the same" if found.carried.same_file and found.carried.same_probabilities else "another"


def _spread(values: Sequence[float], form: str) -> str:
    return f"{median(values):{form}}, at most {max(values):{form}}" if values else "none"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", no_wrap=True)
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    return table
