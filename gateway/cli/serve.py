"""``polyculture serve``: run the gateway."""

from __future__ import annotations

import asyncio
import gc
import logging
import resource
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO, cast

import click
import structlog

from gateway import heap
from gateway.config import Configuration, ConfigurationError, load
from gateway.settings import Settings


@click.command()
@click.option("--host", help="The address to listen on (POLYCULTURE_HOST).")
@click.option("--port", type=click.IntRange(0, 65535), help="The port to listen on (POLYCULTURE_PORT).")
@click.option("--config", type=click.Path(path_type=Path), help="The configuration file (POLYCULTURE_CONFIG).")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Where state is kept (POLYCULTURE_DATA_DIR).")
def serve(**given: Any) -> None:
    """Run the gateway; without a configuration file, with the built-in demo specialists."""
    from pydantic import ValidationError
    from sqlalchemy.exc import SQLAlchemyError

    from gateway.database import DataDirectoryBusy
    from gateway.writer import LogUnavailable

    early: list[int] = []
    signal.signal(signal.SIGHUP, lambda number, _: early.append(number))
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
        configuration = load(settings.config) if settings.config else Configuration(specialists=True)
        configure_logging(settings)
        _run(settings, configuration, early)
    except ValidationError as error:
        faults = "; ".join(f"POLYCULTURE_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        raise click.ClickException(faults) from error
    except (ConfigurationError, DataDirectoryBusy, OSError, LookupError) as error:
        raise click.ClickException(str(error)) from error
    except (LogUnavailable, SQLAlchemyError) as error:
        raise click.ClickException(f"the database cannot be used: {getattr(error, 'orig', error)}") from error


def _run(settings: Settings, configuration: Configuration, early: Sequence[int]) -> None:
    """Listen first, so that a taken port is told before anything starts; ``early`` are the hangups heard so far."""
    if sys.platform == "win32":
        loop_factory = None
    else:
        from uvloop import new_event_loop as loop_factory

    _open_files()
    heap.tame(heap.EMBEDDED if settings.embedder == "minilm" else heap.LARGE)
    with _listen(settings) as listener, asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(_serve(settings, configuration, listener, early))


def _open_files() -> None:
    """Let there be as many connections as the system allows: shells and service managers often begin with 1,024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        raise click.ClickException(
            f"cannot listen on {settings.host}:{settings.port}: {error.strerror}; choose another port with PORT="
        ) from error


async def _serve(
    settings: Settings, configuration: Configuration, listener: socket.socket, early: Sequence[int]
) -> None:
    import uvicorn

    from gateway.app import Application
    from gateway.banner import banner
    from gateway.inbound import Inbound
    from gateway.reload.reloader import Reloader
    from gateway.service import running

    class Connection(Inbound):
        """A client's, with as much patience as is configured."""

        patience_s = settings.arrival_s

    class Server(uvicorn.Server):
        """Ends serving at a signal, and no more: closing what stands behind it is ours."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            for each in (signal.SIGINT, signal.SIGTERM):
                signal.signal(each, self.handle_exit)
            yield

    async with running(settings, configuration) as service:
        config = uvicorn.Config(
            Application(service=service),
            http=Connection,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            date_header=False,
            timeout_graceful_shutdown=settings.drain_s,
        )
        gc.collect()
        gc.freeze()  # what was loaded stays: the collector need not look at it again
        gc.set_threshold(20_000, 20, 50)  # a request makes hundreds of objects and hardly a cycle
        reloader = Reloader(service=service)
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reloader.hear)
        if early:
            reloader.hear()  # the file may have changed since it was read
        click.echo(banner(service, port=listener.getsockname()[1]), err=True)
        await Server(config).serve(sockets=[listener])


class _Lossy:
    """A stream for log lines: those that cannot be written, on a full disk say, are lost, and nothing fails for it."""

    def __init__(self, *, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


def configure_logging(settings: Settings) -> None:
    """Log lines to standard error, by structlog; other libraries' warnings beside them."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    shared: list[Any] = [structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso")]
    plain = structlog.dev.plain_traceback  # local variables may hold prompts and keys: they are never logged
    last: list[Any] = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    if settings.log_format == "json":
        tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        last = [structlog.processors.ExceptionRenderer(tracebacks), structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Lossy(stream=sys.stderr))),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=max(level, logging.WARNING), format="%(levelname)s %(name)s: %(message)s")
