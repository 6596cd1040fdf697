"""Importance weighting: unbiased where weights are known exactly, as the log's are, and noisy where they are large.

Standard errors never rest on the sample alone: a heavy weight that happens not to have been drawn would not show in
it. The weights' second moment is therefore taken from the logged distributions, which are known for every arm.
"""

from __future__ import annotations

import numpy as np

from router_models.evaluation.decisions import Decisions, Estimate, Matrix, estimate
from router_models.policy import Vector


def second_moment(decisions: Decisions, ratios: Matrix, residuals: Vector) -> float:
    """Of weight times residual: what the sample shows, or what the ``ratios`` (n, K) let expect, if that is more.

    The expectation takes ``residuals`` (n,) at their mean square, plain or weighted, whichever is larger.
    """
    weights, squares = decisions.at_chosen(ratios), residuals**2
    level = float(squares.mean())
    if weights.sum() > 0.0:
        level = max(level, float(weights @ squares / weights.sum()))
    expected = float((decisions.propensities * ratios**2).sum(axis=1).mean()) * level
    return max(expected, float((weights**2 * squares).mean()))


def ips(decisions: Decisions) -> Estimate:
    """Inverse propensity scoring (Horvitz and Thompson 1952): unbiased."""
    value = float((decisions.weights * decisions.rewards).mean())
    variance = second_moment(decisions, decisions.ratios, decisions.rewards) - value**2
    return estimate(decisions, value=value, error=float(np.sqrt(max(variance, 0.0) / len(decisions))))


def clipped_ips(decisions: Decisions, *, limit: float | None = None) -> Estimate:
    """IPS with weights clipped at ``limit``, by default the root of n (Ionides 2008).

    What clipping leaves out can only add to the value, by at most the target's mass that it left out, which is known:
    the interval reaches up by that much.
    """
    limit = float(np.sqrt(len(decisions))) if limit is None else limit
    if not limit > 0.0:
        raise ValueError("limit is positive")
    clipped = np.minimum(decisions.ratios, limit)
    value = float((decisions.at_chosen(clipped) * decisions.rewards).mean())
    variance = max(second_moment(decisions, clipped, decisions.rewards) - value**2, 0.0)
    error = float(np.sqrt(variance / len(decisions)))
    return estimate(decisions, value=value, error=error, above=left_out(decisions, clipped))


def snips(decisions: Decisions) -> Estimate:
    """Self-normalised IPS (Swaminathan and Joachims 2015): the weighted mean; the plain one if all weights are zero."""
    weights, rewards = decisions.weights, decisions.rewards
    total = float(weights.sum())
    value = float(weights @ rewards) / total if total > 0.0 else float(rewards.mean())
    variance = second_moment(decisions, decisions.ratios, rewards - value)
    return estimate(decisions, value=value, error=float(np.sqrt(variance / len(decisions))))


def left_out(decisions: Decisions, ratios: Matrix) -> float:
    """The share of the target's choices that reduced ``ratios`` (n, K) leave out."""
    return float((decisions.propensities * (decisions.ratios - ratios)).sum(axis=1).mean())
