"""A gateway in a process of its own, to be starved and killed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from tests.support.cards import card
from tests.support.gateway import ADMIN_KEY, KEY, Gateway


def environment(home: Path) -> dict[str, str]:
    """What a gateway, or another command, on the data in ``home`` is told."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("POLYCULTURE_")}
    return {
        **clean,
        "POLYCULTURE_CONFIG": str(home / "polyculture.yaml"),
        "POLYCULTURE_DATA_DIR": str(home / "data"),
        "POLYCULTURE_API_KEY": KEY,
        "POLYCULTURE_ADMIN_KEY": ADMIN_KEY,
        "POLYCULTURE_EMBEDDER": "static",
        "POLYCULTURE_SNAPSHOT_EVERY": "200",
    }


@contextmanager
def serving(home: Path, *, upstream: str) -> Iterator[Gateway]:
    """A gateway before four models at ``upstream``; killed on the way out, if it still runs."""
    home.mkdir(exist_ok=True)
    models = [
        card(name, upstream, description=f"Knows all about {name}.", price={"input": 1, "output": 2})
        for name in ("ants", "bees", "cats", "dogs")
    ]
    (home / "polyculture.yaml").write_text(yaml.safe_dump({"models": models}), encoding="utf-8")
    with (
        (home / "log").open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-m", "gateway", "serve", "--port", "0"],
            cwd=home,
            env=environment(home),
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            gateway = Gateway(process=process, log=home / "log", data_dir=home / "data")
            with gateway.client:
                yield gateway
        finally:
            process.kill()
