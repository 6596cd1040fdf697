"""Off-policy evaluation: what another policy would have earned, from the log of the one that served.

decisions      logged decisions with their exact propensities, and what an estimate is
weighting      IPS, clipped IPS, SNIPS
mixed          a mixed linear model with variances from the data
rewards        the reward model made of it
doubly_robust  the direct method, DR, switch-DR, DR with optimistic shrinkage
penalised      the recommended estimator
sequences      confidence sequences of a mean, of an off-policy value, and of the difference of two streams
"""

from router_models.evaluation.decisions import Decisions, Estimate, Estimator, NotComparable
from router_models.evaluation.doubly_robust import direct_method, doubly_robust, shrunk_dr, switch_dr
from router_models.evaluation.penalised import penalised as recommended
from router_models.evaluation.rewards import cross_fitted, fitted
from router_models.evaluation.sequences import ConfidenceSequence, Difference, Interval
from router_models.evaluation.weighting import clipped_ips, ips, snips

__all__ = [
    "ConfidenceSequence",
    "Decisions",
    "Difference",
    "Estimate",
    "Estimator",
    "Interval",
    "NotComparable",
    "clipped_ips",
    "cross_fitted",
    "direct_method",
    "doubly_robust",
    "fitted",
    "ips",
    "recommended",
    "shrunk_dr",
    "snips",
    "switch_dr",
]
