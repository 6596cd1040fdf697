"""Panels as data, and what Grafana makes of them."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from grafana_foundation_sdk.builders import common, prometheus, stat, timeseries
from grafana_foundation_sdk.models.common import (
    BigValueGraphMode,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import DataSourceRef

#: The data source that the dashboard's variable chooses.
SOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")

#: A panel's height, in Grafana's grid units; a row is 24 wide.
HEIGHT: Final = 7

Unit = Literal["short", "percentunit", "s", "bytes", "reqps", "ops", "currencyUSD", "dateTimeFromNow"]


class Query(NamedTuple):
    """One line of a panel, or several by their labels."""

    expression: str
    legend: str


class Graph(NamedTuple):
    """Figures over time."""

    title: str
    description: str
    queries: tuple[Query, ...]
    unit: Unit = "short"
    stacked: bool = False
    width: int = 8

    def build(self) -> timeseries.Panel:
        """The panel for Grafana."""
        stacking = StackingMode.NORMAL if self.stacked else StackingMode.NONE
        legend = common.VizLegendOptions().show_legend(True)
        tooltip = common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING)
        panel = (
            timeseries.Panel()
            .title(self.title)
            .description(self.description)
            .unit(self.unit)
            .min(0)
            .span(self.width)
            .height(HEIGHT)
            .datasource(SOURCE)
            .stacking(common.StackingConfig().mode(stacking))
            .fill_opacity(30 if self.stacked else 0)
            .legend(legend.display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM))
            .tooltip(tooltip)
        )
        return panel.targets([_target(number, query) for number, query in enumerate(self.queries)])


class Figure(NamedTuple):
    """One figure, large, as it is now."""

    title: str
    description: str
    query: Query
    unit: Unit = "short"
    width: int = 4

    @property
    def queries(self) -> tuple[Query, ...]:
        """Its one query, as a graph has several."""
        return (self.query,)

    def build(self) -> stat.Panel:
        """The panel for Grafana."""
        return (
            stat.Panel()
            .title(self.title)
            .description(self.description)
            .unit(self.unit)
            .span(self.width)
            .height(HEIGHT // 2 + 1)
            .datasource(SOURCE)
            .graph_mode(BigValueGraphMode.AREA)
            .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
            .targets([_target(0, self.query)])
        )


def _target(number: int, query: Query) -> prometheus.Dataquery:
    found = prometheus.Dataquery().expr(query.expression).legend_format(query.legend)
    return found.range().ref_id(chr(ord("A") + number)).datasource(SOURCE)
