"""The overview's rows about choosing and learning."""

from __future__ import annotations

from typing import Final

from dashboards.panels import Graph, Query
from dashboards.queries import largest, rate, select, since_start, total

ROUTING: Final = (
    Graph(
        "Share by model",
        "Of the last routed requests.",
        (Query(largest(select("routed_share"), "model"), "{{model}}"),),
        unit="percentunit",
        stacked=True,
    ),
    Graph(
        "Concentration",
        "How many models really share the work, and the largest share. One model taking all of it is a monoculture.",
        (
            Query(select("effective_models"), "effective models, {{instance}}"),
            Query(select("largest_share"), "largest share, {{instance}}"),
        ),
    ),
    Graph(
        "Routed by reason",
        "Choices a second: by the policy, or by the prior when the embedding was not there in time.",
        (Query(total(rate("routed_total"), "reason"), "{{reason}}"),),
        unit="ops",
        stacked=True,
    ),
)

LEARNING: Final = (
    Graph(
        "Feedback",
        "Items a second by what became of them.",
        (Query(total(rate("feedback_total"), "status"), "{{status}}"),),
        unit="ops",
        stacked=True,
    ),
    Graph(
        "Sources of feedback",
        "End users by how far they are believed, and outcomes that are withheld until an admin decides.",
        (
            Query(total(select("feedback_sources"), "band"), "{{band}}"),
            Query(total(select("quarantined_feedback")), "outcomes withheld"),
        ),
    ),
    Graph(
        "Faults seen in answers",
        "Implicit outcomes a second by their form.",
        (Query(total(rate("implicit_outcomes_total"), "kind"), "{{kind}}"),),
        unit="ops",
        stacked=True,
    ),
    Graph(
        "Lessons",
        "Outcomes folded into the live state a second, and the log's events.",
        (
            Query(f"deriv({select('learner_lessons')}[$__rate_interval])", "lessons, {{instance}}"),
            Query(f"deriv({select('router_version')}[$__rate_interval])", "events, {{instance}}"),
        ),
        unit="ops",
    ),
    Graph(
        "Learner's lag",
        "Committed events that are not folded yet.",
        (Query(select("learner_lag_events"), "{{instance}}"),),
    ),
    Graph(
        "Learner's failures",
        "Events or snapshots that it could not use, a second.",
        (Query(total(rate("learner_failures_total"), "instance"), "{{instance}}"),),
        unit="ops",
    ),
    Graph("Frozen", "1 while learning is frozen.", (Query(select("learning_frozen"), "{{instance}}"),)),
    Graph(
        "Gate",
        "Since the start: versions refused by check, taken back by how they had come, candidates promoted.",
        (
            Query(since_start("gate_refusals_total", "check"), "refused: {{check}}"),
            Query(since_start("gate_rollbacks_total", "cause"), "taken back: {{cause}}"),
            Query(since_start("gate_promotions_total"), "promoted"),
        ),
    ),
    Graph(
        "Beside the live version",
        "Requests a second that a trusted control or a canary got.",
        (Query(total(rate("beside_requests_total"), "group"), "{{group}}"),),
        unit="ops",
        stacked=True,
    ),
    Graph(
        "Drift",
        "Alarms since the start: what is asked, or what a model's answers are worth, cost, or take.",
        (Query(since_start("drift_alarms_total", "kind", "model"), "{{kind}} {{model}}"),),
    ),
)
