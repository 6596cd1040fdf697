"""The gate: what a candidate must show before it goes live, and afterwards.

evidence    each arm's last outcomes
validation  whether a candidate is sound, and sane beside a trusted version
comparison  whether it would have earned as much as the live one, on recent logged decisions
trial       whether, once live, it does earn as much as the trusted version beside it
forecasts   whether one that was doubted does predict outcomes as well
"""

from router_models.gate.comparison import Comparison, Verdict, compare
from router_models.gate.evidence import Evidence, Outcomes
from router_models.gate.forecasts import Forecasts
from router_models.gate.trial import MOST, Trial
from router_models.gate.validation import Examination, Finding, examine

__all__ = [
    "MOST",
    "Comparison",
    "Evidence",
    "Examination",
    "Finding",
    "Forecasts",
    "Outcomes",
    "Trial",
    "Verdict",
    "compare",
    "examine",
]
