"""The alert rules, a group for each topic. What to do about each stands in RUNBOOK.md under its name."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

import yaml

NAME: Final = "alerts.yaml"

#: Where people find the runbook; the chart puts an address of yours in its place.
RUNBOOK: Final = "dashboards/RUNBOOK.md"

Severity = Literal["critical", "warning", "info"]


class Alert(NamedTuple):
    """One rule: what must hold for how long, and what to tell people then."""

    name: str
    expression: str
    lasting: str
    severity: Severity
    summary: str
    description: str

    def rule(self) -> dict[str, Any]:
        """The rule as Prometheus reads it."""
        return {
            "alert": self.name,
            "expr": self.expression,
            "for": self.lasting,
            "labels": {"severity": self.severity},
            "annotations": {
                "summary": self.summary,
                "description": self.description,
                "runbook_url": f"{RUNBOOK}#{self.name.lower()}",
            },
        }


def happened(metric: str, lately: str) -> str:
    """Whether a counter of rare events went up, its first appearance included: no increase is seen of a new series."""
    return f"increase({metric}[{lately}]) > 0 or ({metric} > 0 unless {metric} offset {lately})"


SERVING: Final = (
    Alert(
        "PolycultureAbsent",
        "absent(polyculture_build_info)",
        "5m",
        "critical",
        "No gateway is scraped.",
        "Prometheus has seen no Polyculture gateway for five minutes.",
    ),
    Alert(
        "PolycultureRestarting",
        "changes(polyculture_process_start_time_seconds[30m]) > 2",
        "0m",
        "critical",
        "{{ $labels.instance }} keeps restarting.",
        "It was started {{ $value }} times within half an hour.",
    ),
    Alert(
        "PolycultureErrors",
        'sum by (job, instance) (rate(polyculture_requests_total{status=~"5.."}[5m]))'
        " / sum by (job, instance) (rate(polyculture_requests_total[5m])) > 0.05",
        "5m",
        "critical",
        "{{ $labels.instance }} fails requests.",
        "{{ $value | humanizePercentage }} of its requests end with a status of 500 or above.",
    ),
    Alert(
        "PolycultureShedding",
        "sum by (job, instance) (rate(polyculture_shed_total[5m]))"
        " / sum by (job, instance) (rate(polyculture_requests_total[5m])) > 0.01",
        "5m",
        "warning",
        "{{ $labels.instance }} turns requests away.",
        "{{ $value | humanizePercentage }} of its requests find no room, and are told to come back.",
    ),
    Alert(
        "PolycultureSlow",
        "histogram_quantile(0.95, sum by (job, instance, le) (rate(polyculture_request_duration_seconds_bucket[10m])))"
        " > 30",
        "15m",
        "warning",
        "{{ $labels.instance }} answers slowly.",
        "One answer in twenty takes longer than {{ $value | humanizeDuration }}.",
    ),
    Alert(
        "PolycultureOverhead",
        "histogram_quantile(0.95, sum by (job, instance, le) (rate(polyculture_overhead_seconds_bucket[10m]))) > 0.1",
        "10m",
        "warning",
        "{{ $labels.instance }} itself takes long.",
        "For one request in twenty the gateway's own part is above {{ $value | humanizeDuration }}.",
    ),
    Alert(
        "PolycultureEmbeddingOverload",
        'sum by (job, instance) (rate(polyculture_routed_total{reason="prior"}[5m]))'
        " / sum by (job, instance) (rate(polyculture_routed_total[5m])) > 0.2",
        "10m",
        "warning",
        "{{ $labels.instance }} cannot embed every prompt in time.",
        "{{ $value | humanizePercentage }} of the routed requests are routed by the prior alone.",
    ),
)

LOG: Final = (
    Alert(
        "PolycultureLogUnavailable",
        "polyculture_log_healthy == 0",
        "1m",
        "critical",
        "{{ $labels.instance }} cannot write its event log.",
        "Answers go on, but nothing is learned, and feedback is refused.",
    ),
    Alert(
        "PolycultureEventsLost",
        "increase(polyculture_log_dropped_events[15m]) > 0",
        "0m",
        "critical",
        "{{ $labels.instance }} has lost events.",
        "The disk was away for so long that about {{ $value | humanize }} events were dropped.",
    ),
    Alert(
        "PolycultureDiskLimitMissed",
        "polyculture_disk_bytes > (polyculture_disk_limit_bytes > 0)",
        "10m",
        "warning",
        "{{ $labels.instance }} takes more disk than it may.",
        "Dropping old events does not make enough room: the data directory takes {{ $value | humanize1024 }}B.",
    ),
    Alert(
        "PolycultureUndurableAnswers",
        "increase(polyculture_undurable_responses_total[15m]) > 0",
        "0m",
        "warning",
        "{{ $labels.instance }} answers before its decisions are on disk.",
        "About {{ $value | humanize }} answers of the last quarter of an hour did not wait for the disk any longer.",
    ),
)

LEARNER: Final = (
    Alert(
        "PolycultureLearnerFailing",
        "increase(polyculture_learner_failures_total[15m]) > 0",
        "0m",
        "critical",
        "{{ $labels.instance }} cannot learn from some events.",
        "Requests are served by the last good state; {{ $value | humanize }} events or snapshots failed.",
    ),
    Alert(
        "PolycultureLearnerLagging",
        "polyculture_learner_lag_events > 5000",
        "10m",
        "warning",
        "{{ $labels.instance }} learns late.",
        "{{ $value | humanize }} committed events are not folded yet.",
    ),
    Alert(
        "PolycultureLearningFrozen",
        "polyculture_learning_frozen == 1",
        "1d",
        "info",
        "{{ $labels.instance }} has been frozen for a day.",
        "It serves what it knows and learns nothing. Was it meant to stay so?",
    ),
)

_FAILED: Final = "sum by (job, instance, model) (rate(polyculture_upstream_failures_total[5m]))"
_OPENED: Final = "sum by (job, instance, model) (rate(polyculture_upstream_first_byte_seconds_count[5m]))"

MODELS: Final = (
    Alert(
        "PolycultureModelFailing",
        f"{_FAILED} / ({_FAILED} + ({_OPENED} or 0 * {_FAILED})) > 0.2",
        "5m",
        "warning",
        "{{ $labels.model }} fails at {{ $labels.instance }}.",
        "{{ $value | humanizePercentage }} of its calls fail; other models answer in its place where they can.",
    ),
    Alert(
        "PolycultureManyFallbacks",
        "sum by (job, instance) (rate(polyculture_fallbacks_total[10m]))"
        " / sum by (job, instance) (rate(polyculture_routed_total[10m])) > 0.1",
        "10m",
        "warning",
        "{{ $labels.instance }} often answers by other models than those it chose.",
        "{{ $value | humanizePercentage }} of the routed requests were answered by a fallback.",
    ),
)

GATE: Final = (
    Alert(
        "PolycultureRolledBack",
        happened("polyculture_gate_rollbacks_total", "30m"),
        "0m",
        "warning",
        "{{ $labels.instance }} has taken a version back.",
        "What came by {{ $labels.cause }} earned less than the last trusted version, which serves again.",
    ),
    Alert(
        "PolycultureCandidateRefused",
        happened("polyculture_gate_refusals_total", "30m"),
        "0m",
        "warning",
        "{{ $labels.instance }} has refused a candidate.",
        "It failed the check `{{ $labels.check }}`; the live version goes on serving.",
    ),
    Alert(
        "PolycultureDrift",
        happened("polyculture_drift_alarms_total", "30m"),
        "0m",
        "info",
        "{{ $labels.instance }} sees a change of {{ $labels.kind }}.",
        "What it learned is forgotten faster where it no longer holds. Model: {{ $labels.model }}.",
    ),
)

FEEDBACK: Final = (
    Alert(
        "PolycultureFeedbackQuarantined",
        'sum by (job, instance) (rate(polyculture_feedback_total{status="quarantined"}[10m]))'
        " / sum by (job, instance) (rate(polyculture_feedback_total[10m])) > 0.2",
        "10m",
        "warning",
        "{{ $labels.instance }} distrusts much of its feedback.",
        "{{ $value | humanizePercentage }} of the feedback items are withheld from learning.",
    ),
    Alert(
        "PolycultureFeedbackRefused",
        'sum by (job, instance) (rate(polyculture_feedback_total{status="refused"}[10m]))'
        " / sum by (job, instance) (rate(polyculture_feedback_total[10m])) > 0.5",
        "10m",
        "warning",
        "{{ $labels.instance }} refuses most of its feedback.",
        "{{ $value | humanizePercentage }} of the feedback items are not taken.",
    ),
)

DIVERSITY: Final = (
    Alert(
        "PolycultureMonoculture",
        "polyculture_largest_share > 0.9"
        " and on (job, instance) count by (job, instance) (polyculture_routed_share) > 1",
        "1h",
        "warning",
        "{{ $labels.instance }} gives nearly everything to one model.",
        "One model takes {{ $value | humanizePercentage }} of the routed requests.",
    ),
    Alert(
        "PolycultureFewModels",
        "polyculture_effective_models < 1.5"
        " and on (job, instance) count by (job, instance) (polyculture_routed_share) > 2",
        "1h",
        "warning",
        "{{ $labels.instance }} hardly uses its other models.",
        "The routed requests are spread as if there were {{ $value | humanize }} models.",
    ),
)

GROUPS: Final[dict[str, tuple[Alert, ...]]] = {
    "polyculture-serving": SERVING,
    "polyculture-log": LOG,
    "polyculture-learner": LEARNER,
    "polyculture-gate": GATE,
    "polyculture-feedback": FEEDBACK,
    "polyculture-models": MODELS,
    "polyculture-diversity": DIVERSITY,
}


def rendered() -> str:
    """The file's text."""
    groups = [{"name": name, "rules": [alert.rule() for alert in alerts]} for name, alerts in GROUPS.items()]
    return yaml.safe_dump({"groups": groups}, sort_keys=False, width=120)
