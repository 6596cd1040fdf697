"""The overview's rows about serving: traffic, tokens and cost, the models' health, the process."""

from __future__ import annotations

from typing import Final

from dashboards.panels import Figure, Graph, Query
from dashboards.queries import largest, quantile, rate, select, share, total

_REQUESTS: Final = total(rate("requests_total"))
_ERRORS: Final = total(rate("requests_total", 'status=~"5.."'))

TRAFFIC: Final = (
    Figure("Requests", "Finished requests a second.", Query(_REQUESTS, ""), unit="reqps"),
    Figure(
        "Errors",
        "Share of requests that ended with a status of 500 or above.",
        Query(share(_ERRORS, _REQUESTS), ""),
        unit="percentunit",
    ),
    Figure(
        "Duration, p95",
        "From request to finished answer; most of it is the models'.",
        Query(quantile(0.95, "request_duration_seconds"), ""),
        unit="s",
    ),
    Figure("Overhead, p95", "The gateway's own part.", Query(quantile(0.95, "overhead_seconds"), ""), unit="s"),
    Figure("Cost", "USD an hour.", Query(f"3600 * {total(rate('cost_usd_total'))}", ""), unit="currencyUSD"),
    Figure(
        "Models in use",
        "Effective number of models over the last routed requests.",
        Query(f"min({select('effective_models')})", ""),
    ),
    Graph(
        "Requests by status",
        "Finished requests a second, and of them those turned away because too many were under way.",
        (
            Query(total(rate("requests_total"), "status"), "{{status}}"),
            Query(total(rate("shed_total")), "turned away"),
        ),
        unit="reqps",
        stacked=True,
    ),
    Graph(
        "Requests by endpoint",
        "Finished requests a second; `unread` could not be read.",
        (Query(total(rate("requests_total"), "endpoint"), "{{endpoint}}"),),
        unit="reqps",
        stacked=True,
    ),
    Graph(
        "Duration and overhead",
        "From request to finished answer, and the gateway's own part of it.",
        (
            Query(quantile(0.5, "request_duration_seconds"), "duration p50"),
            Query(quantile(0.99, "request_duration_seconds"), "duration p99"),
            Query(quantile(0.5, "overhead_seconds"), "overhead p50"),
            Query(quantile(0.99, "overhead_seconds"), "overhead p99"),
        ),
        unit="s",
    ),
)

MONEY: Final = (
    Graph(
        "Tokens by direction",
        "Tokens a second, as upstreams counted them.",
        (Query(total(rate("tokens_total"), "direction"), "{{direction}}"),),
        unit="ops",
        stacked=True,
    ),
    Graph(
        "Tokens by model",
        "Tokens a second, in and out.",
        (Query(total(rate("tokens_total"), "model"), "{{model}}"),),
        unit="ops",
        stacked=True,
    ),
    Graph(
        "Cost by model",
        "USD an hour.",
        (Query(f"3600 * {total(rate('cost_usd_total'), 'model')}", "{{model}}"),),
        unit="currencyUSD",
        stacked=True,
    ),
    Graph(
        "Refused by limits",
        "Requests a second that a limit of their key or tenant refused.",
        (Query(total(rate("limit_refusals_total"), "limit"), "{{limit}}"),),
        unit="ops",
        stacked=True,
    ),
    Graph(
        "Budgets at a stop",
        "Budgets that came to their soft or hard stop since the start; the audit log says whose.",
        (Query(total(select("budget_stops_total"), "stage", "span"), "{{stage}} stop, {{span}}"),),
    ),
)

MODELS: Final = (
    Graph(
        "First byte by model, p95",
        "From asking a model to its answer's begin.",
        (Query(quantile(0.95, "upstream_first_byte_seconds", "model"), "{{model}}"),),
        unit="s",
    ),
    Graph(
        "Failures by model",
        "Failed calls a second, by kind.",
        (Query(total(rate("upstream_failures_total"), "model", "kind"), "{{model}}: {{kind}}"),),
        unit="ops",
        stacked=True,
    ),
    Graph(
        "Fallbacks by model",
        "Answers a second that a model gave in a failed one's place.",
        (Query(total(rate("fallbacks_total"), "model"), "{{model}}"),),
        unit="ops",
        stacked=True,
    ),
)

PROCESS: Final = (
    Figure("Version", "What runs.", Query(total(select("build_info"), "version"), "{{version}}"), width=8),
    Figure(
        "Up since",
        "When the youngest process started.",
        Query(f"1000 * {largest(select('process_start_time_seconds'))}", ""),
        unit="dateTimeFromNow",
    ),
    Figure("Log", "1 while every gateway can write its event log.", Query(f"min({select('log_healthy')})", "")),
    Figure(
        "Events lost",
        "Lost since the start, because the disk was away.",
        Query(total(select("log_dropped_events")), ""),
    ),
    Figure(
        "Undurable answers",
        "Finished since the start before their decision was on disk.",
        Query(total(select("undurable_responses_total")), ""),
    ),
    Graph(
        "Processor",
        "Seconds of processor time a second.",
        (Query(rate("process_cpu_seconds_total"), "{{instance}}"),),
    ),
    Graph(
        "Memory",
        "Resident memory, and all that is mapped.",
        (
            Query(select("process_resident_memory_bytes"), "resident, {{instance}}"),
            Query(select("process_virtual_memory_bytes"), "mapped, {{instance}}"),
        ),
        unit="bytes",
    ),
    Graph(
        "Disk",
        "What the data directory takes, and the most that it may, 0 without a limit.",
        (
            Query(select("disk_bytes"), "taken, {{instance}}"),
            Query(select("disk_limit_bytes"), "limit, {{instance}}"),
        ),
        unit="bytes",
    ),
    Graph(
        "Dropped for the disk's limit",
        "Old events since the start; what was learned of them stays.",
        (Query(select("disk_dropped_events"), "{{instance}}"),),
    ),
    Graph(
        "File descriptors",
        "Open ones, and how many there may be.",
        (
            Query(select("process_open_fds"), "open, {{instance}}"),
            Query(select("process_max_fds"), "limit, {{instance}}"),
        ),
    ),
    Graph(
        "Under way",
        "Tasks of the event loop, open connections to upstreams. Neither grows for long while the traffic does not.",
        (
            Query(select("tasks"), "tasks, {{instance}}"),
            Query(select("upstream_connections"), "connections, {{instance}}"),
        ),
    ),
    Graph(
        "Waiting",
        "Events waiting for the disk, prompts waiting for their embedding.",
        (
            Query(total(select("log_pending_events"), "instance"), "events, {{instance}}"),
            Query(total(select("embedding_queue"), "instance"), "prompts, {{instance}}"),
        ),
    ),
    Graph(
        "Embedding",
        "Time to embed one prompt that was not in the cache.",
        (
            Query(quantile(0.5, "embedding_duration_seconds"), "p50"),
            Query(quantile(0.99, "embedding_duration_seconds"), "p99"),
        ),
        unit="s",
    ),
)
