"""What benchmarks speak to: a gateway, and a server that answers as any model, each in a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from gateway.bench.process import Process, free_port, running

KEY: Final = "pc-benchmark"
ADMIN_KEY: Final = "pca-benchmark"


class Serving(NamedTuple):
    """A gateway's process, and its port."""

    process: Process
    port: int

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def gateway(folder: Path, configuration: Mapping[str, Any], **settings: str) -> Iterator[Serving]:
    """A gateway of this configuration, until the block ends; it may not answer yet. Its files are in ``folder``.

    ``settings`` are of its environment, by their names there.
    """
    port = free_port()
    command, environment = launch(folder, configuration, port=port, **settings)
    with running(command, extra=environment, log=folder / "gateway.log") as process:
        yield Serving(process, port)


def launch(
    folder: Path, configuration: Mapping[str, Any], *, port: int, **settings: str
) -> tuple[tuple[str, ...], dict[str, str]]:
    """The command that starts such a gateway at a port, and its environment; the configuration is in its file then."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "polyculture.yaml"
    file.write_text(yaml.safe_dump(dict(configuration)), encoding="utf-8")
    given = {
        "POLYCULTURE_CONFIG": str(file),
        "POLYCULTURE_DATA_DIR": str(folder / "data"),
        "POLYCULTURE_API_KEY": KEY,
        "POLYCULTURE_ADMIN_KEY": ADMIN_KEY,
    }
    return (sys.executable, "-m", "gateway", "serve", "--port", str(port)), {**given, **settings}


@contextmanager
def upstream(folder: Path) -> Iterator[int]:
    """A server that answers as any model, at this port, until the block ends."""
    port = free_port()
    command = [sys.executable, "-m", "gateway.bench.overhead.mock", str(port)]
    with running(command, extra={}, log=folder / "upstream.log") as process:
        process.first_answer_s(port=port, key="none", model="mock")
        yield port
