"""Commands that speak to a running gateway: its address, the key, and how answers are shown."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import click

from gateway.settings import Settings

if TYPE_CHECKING:
    import httpx
    from rich.console import RenderableType

#: Longest wait for an answer, in seconds: what refolds a long log takes its time.
PATIENCE_S = 900.0


class Finite(click.FloatRange):
    """A number within bounds: ``nan`` is within none, and JSON has no infinity."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number. Raises ``BadParameter``."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{number} is not in the range {self._describe_range()}.", param, ctx)
        return number


class Page(NamedTuple):
    """An answer: as it came, and as people read it."""

    document: Any
    shown: Sequence[RenderableType]


class Remote:
    """A running gateway, asked with one key. Whatever goes wrong ends the command with a line that says so."""

    def __init__(self, *, url: str, key: str) -> None:
        self.url = url.rstrip("/")
        self._headers = {"authorization": f"Bearer {key}"}

    @classmethod
    def found(cls, url: str | None) -> Remote:
        """The gateway at ``url``, or else where the settings say. Raises ``ClickException`` without a key."""
        settings = Settings()
        key = settings.admin_key or settings.api_key
        if key is None:
            raise click.ClickException("set POLYCULTURE_ADMIN_KEY to the gateway's admin key")
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
        here = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
        return cls(url=url or settings.url or here, key=key.get_secret_value())

    def get(self, path: str, **query: Any) -> Any:
        """The document there; a query's values of ``None`` are left out."""
        return self.ask("GET", path, params={n: v for n, v in query.items() if v is not None}).json()

    def post(self, path: str, document: Mapping[str, Any] | None = None) -> Any:
        """What became of an order."""
        return self.ask("POST", path, json=document).json()

    def ask(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **details: Any
    ) -> httpx.Response:
        """One request, answered with success. Raises ``ClickException``."""
        import httpx

        sent = {**self._headers, **(headers or {})}
        try:
            answer = httpx.request(
                method, self.url + path, headers=sent, timeout=PATIENCE_S, trust_env=False, **details
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise click.ClickException(f"no gateway answers at {self.url}: {error}") from error
        except ValueError as error:
            raise click.ClickException(f"this cannot be asked for: {error}") from error
        if not answer.is_success:
            raise click.ClickException(_complaint(answer))
        return answer


def remote(function: Callable[..., Page]) -> Callable[..., None]:
    """A command whose first argument is the gateway that ``--url`` names; ``--json`` shows its answer as it came."""

    @click.option("--url", help="Where the gateway is (POLYCULTURE_URL); this machine's when left out.")
    @click.option("--json", "plain", is_flag=True, help="Print the answer as JSON.")
    @functools.wraps(function)
    def command(*, url: str | None, plain: bool, **given: Any) -> None:
        show(function(Remote.found(url), **given), plain=plain)

    return command


def _complaint(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, LookupError, TypeError):
        return f"the gateway answered with status {answer.status_code}"


def show(page: Page, *, plain: bool) -> None:
    """Print an answer."""
    if plain:
        click.echo(json.dumps(page.document, indent=2))
        return
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 160
    for each in page.shown:
        console.print(each)


def quoted(name: str) -> str:
    """A name as one segment of a path, also where it is nothing but dots, by which clients go up."""
    segment = quote(name, safe="")
    return segment.replace(".", "%2E") if segment in {".", ".."} else segment


def facts(document: Mapping[str, Any]) -> RenderableType:
    """Names and values, a line each; what is not known is left out."""
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    for name, value in document.items():
        if value not in (None, "", [], {}):
            table.add_row(name.replace("_", " "), text(value))
    return table


def rows(documents: Iterable[Mapping[str, Any]], *columns: str) -> RenderableType:
    """A table with a line for each document."""
    from rich.table import Table

    table = Table(*(name.replace("_", " ") for name in columns), box=None, pad_edge=False, header_style="bold")
    for document in documents:
        table.add_row(*(text(document.get(name)) for name in columns))
    return table


def text(value: Any) -> str:
    """A value as people read it; without what could steer a terminal or style a line."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {text(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(text, value))
    from rich.markup import escape

    return escape("".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in str(value)))
