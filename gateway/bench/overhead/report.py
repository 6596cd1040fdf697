"""What a run found: ``results.json``, and tables for people."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path
from statistics import median
from tempfile import TemporaryFile
from time import perf_counter
from typing import Any

import psutil
from rich import box
from rich.console import Group
from rich.table import Table

from gateway.bench.overhead import peer
from gateway.bench.overhead.bars import LIMITS, RATIOS, judge, values
from gateway.bench.overhead.measure import Medians, Plan
from gateway.bench.overhead.session import LEVELS, Values

LIBRARIES = ("polyculture", "starlette", "uvicorn", "uvloop", "httptools", "aiohttp", "onnxruntime", "numpy")
METHOD = (
    "All on loopback, one worker for each gateway, twenty models on one upstream that answers at once. Clients are "
    "closed loops over keep-alive connections; every prompt is new and 64 tokens long, unless a figure says cached. "
    "Every gateway is started afresh in every round, and every figure is the median over the rounds. rss_mb is "
    "resident memory after the load, start_s is from the spawn to the first answered chat completion, cpu_ms is "
    "processor time for each request, all with child processes. direct is the upstream itself in a gateway's place. "
    "No process is kept to a core of its own. held_up is the latency of cached and forced requests while new prompts "
    "from 16 connections keep the embedder busy; embedder_rps is the embedder alone, one thread, nothing else running."
)


ONCE = ("ttft_ms", "rss_mb", "start_s")


def _round(figures: Values) -> Values:
    return {name: round(value, 4) for name, value in figures.items()}


def _main(figures: Values) -> dict[str, Any]:
    """What is measured of every gateway, by level where it depends on the load."""
    levels = {
        f"c{n}": {name.partition(".")[2]: figures[name] for name in figures if name.startswith(f"c{n}.")}
        for n in LEVELS
    }
    return {name: _round(level) for name, level in levels.items()} | _round({name: figures[name] for name in ONCE})


def _details(figures: Values) -> Values:
    """What is measured of some gateways only."""
    return _round({name: value for name, value in figures.items() if "." not in name and name not in ONCE})


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def fsync_ms(folder: Path) -> float:
    """Median time that the disk takes to make 4 KB durable: what a durable log cannot be quicker than."""
    took = []
    with TemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(25):
            file.write(bytes(4096))
            started = perf_counter()
            os.fsync(file.fileno())
            took.append(perf_counter() - started)
    return median(took) * 1e3


def machine(folder: Path) -> dict[str, Any]:
    """What the run ran on; ``load_average`` tells whether it had the machine to itself."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": platform.platform(terse=True),
        "fsync_ms": round(fsync_ms(folder), 3),
        "load_average": [round(load, 2) for load in psutil.getloadavg()],
    }


def _version(library: str) -> str | None:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None


def versions(plan: Plan) -> dict[str, str | None]:
    """Of Python, of the libraries that carry requests, and of LiteLLM where it was measured."""
    found = {"python": platform.python_version()} | {library: _version(library) for library in LIBRARIES}
    return found | ({"litellm": peer.installed(plan.litellm_home)} if "litellm" in plan.gateways else {})


def document(*, plan: Plan, medians: Medians, machine: dict[str, Any]) -> dict[str, Any]:
    """The whole of ``results.json``."""
    return {
        "gateways": {gateway: _main(medians[gateway]) for gateway in plan.gateways},
        "ratios": _round(values(RATIOS, medians)),
        "bars": judge(medians),
        "details": {gateway: found for gateway in plan.gateways if (found := _details(medians[gateway]))},
        "method": METHOD,
        "rounds": plan.rounds,
        "seconds": plan.seconds,
        "machine": machine,
        "versions": versions(plan),
    }


def tables(results: dict[str, Any]) -> Group:
    """Every gateway's figures, every bar that could be judged, and a warning where others used the machine."""
    parts: list[Table | str] = [_figures(results["gateways"])]
    if results["bars"]:
        parts.append(_bars(results["bars"]))
    load, cores = results["machine"]["load_average"][0], results["machine"]["cores"]
    if load > cores / 2:
        parts.append(f"[yellow]The machine was busy before the run (load {load} on {cores} cores): do not trust this.")
    return Group(*parts)


def _short(value: float) -> str:
    return f"{value:,.{2 if value < 10 else 1 if value < 100 else 0}f}"


def _figures(gateways: dict[str, dict[str, Any]]) -> Table:
    title = "Gateways by connections: latency and processor time in ms, memory in MB, start in s"
    table = Table(title=title, box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("", no_wrap=True)
    for name in ("", "req/s", "p50", "p99", "CPU", "TTFT", "RSS", "start"):
        table.add_column(name, justify="right", no_wrap=True)
    for gateway, figures in gateways.items():
        once = [_short(figures[name]) for name in ONCE]
        for connections in LEVELS:
            level = figures[f"c{connections}"]
            cells = [_short(level[name]) for name in ("rps", "p50_ms", "p99_ms", "cpu_ms")]
            first = connections == LEVELS[0]
            table.add_row(gateway if first else "", str(connections), *cells, *(once if first else []))
    return table


def _bars(bars: dict[str, dict[str, float | bool]]) -> Table:
    table = Table(title="What is asked", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", no_wrap=True)
    for name in ("measured", "asked", "met"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, judged in bars.items():
        sign = "≥" if (RATIOS | LIMITS)[name].at_least is not None else "≤"
        met = "[green]yes[/]" if judged["met"] else "[red]no[/]"
        table.add_row(name, _short(judged["value"]), f"{sign} {judged['bar']:g}", met)
    return table
