"""PromQL over the gateway's metrics: the few shapes that every panel is made of."""

from __future__ import annotations

from typing import Final

#: What the dashboard's variables choose.
CHOSEN: Final = 'job=~"$job",instance=~"$instance"'


def select(metric: str, matchers: str = "") -> str:
    """The metric's series on the chosen gateways; ``matchers`` are PromQL's, ``status=~"5.."`` for one."""
    return f"polyculture_{metric}{{{CHOSEN}{',' + matchers if matchers else ''}}}"


def rate(metric: str, matchers: str = "") -> str:
    """A counter's increase a second."""
    return f"rate({select(metric, matchers)}[$__rate_interval])"


def total(expression: str, *by: str) -> str:
    """The sum over all but the labels given."""
    return f"sum by ({', '.join(by)}) ({expression})" if by else f"sum({expression})"


def largest(expression: str, *by: str) -> str:
    """The largest over all but the labels given."""
    return f"max by ({', '.join(by)}) ({expression})" if by else f"max({expression})"


def quantile(q: float, metric: str, *by: str) -> str:
    """A quantile of a histogram."""
    return f"histogram_quantile({q}, {total(rate(f'{metric}_bucket'), 'le', *by)})"


def share(part: str, whole: str) -> str:
    """A part of a whole, between 0 and 1; 0 where there is no part at all."""
    return f"({part} or vector(0)) / {whole}"


def since_start(metric: str, *by: str) -> str:
    """What a counter of rare events holds; 0 where there was none yet."""
    return f"{total(select(metric), *by)} or vector(0)"
