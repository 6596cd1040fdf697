"""The overview: traffic, tokens and cost, routing, learning, the models' health, the process."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard, DatasourceVariable, QueryVariable, Row
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, VariableOption, VariableRefresh, VariableSort

from dashboards import learning, serving
from dashboards.panels import SOURCE, Figure, Graph

NAME: Final = "overview.json"

ROWS: Final[dict[str, tuple[Figure | Graph, ...]]] = {
    "Traffic": serving.TRAFFIC,
    "Tokens and cost": serving.MONEY,
    "Routing and model distribution": learning.ROUTING,
    "Learning": learning.LEARNING,
    "Model health": serving.MODELS,
    "Process": serving.PROCESS,
}

#: The variables' queries, by name: each is Grafana's ``label_values(metric, label)``.
VARIABLES: Final = {
    "job": "label_values(polyculture_build_info, job)",
    "instance": 'label_values(polyculture_build_info{job=~"$job"}, instance)',
}


def dashboard() -> Dashboard:
    """The overview for Grafana."""
    found = (
        Dashboard("Polyculture")
        .uid("polyculture-overview")
        .description("One gateway before many models: what it serves, what it costs, what it learns.")
        .tags(["polyculture"])
        .time("now-6h", "now")
        .refresh("30s")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(DatasourceVariable("datasource").label("Data source").type("prometheus"))
    )
    for name, query in VARIABLES.items():
        found.with_variable(_variable(name, query))
    for title, panels in ROWS.items():
        found.with_row(Row(title))
        for panel in panels:
            found.with_panel(panel.build())
    return found


def rendered() -> str:
    """The file's text; panels are numbered in their order, so that links to them stay."""
    built = dashboard().build()
    for number, panel in enumerate(built.panels or [], start=1):
        panel.id_val = number
    return JSONEncoder(sort_keys=True, indent=2).encode(built) + "\n"


def _variable(name: str, query: str) -> QueryVariable:
    everything = VariableOption(selected=True, text="All", value="$__all")
    return (
        QueryVariable(name)
        .label(name.capitalize())
        .datasource(SOURCE)
        .query(query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".+")
        .current(everything)
    )
