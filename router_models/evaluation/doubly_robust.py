"""The direct method, and estimators that correct it by importance weighting.

All take ``predicted`` (n, K), rewards predicted for each decision without looking at it; left out, they are
cross-fitted. Computing them once serves every target of a log.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from router_models.evaluation.decisions import Decisions, Estimate, Matrix, Z, estimate
from router_models.evaluation.rewards import Fitted, cross_fitted, fitted
from router_models.evaluation.weighting import left_out, second_moment

MODEL_ERROR: Final = 0.25
"""Where weights are reduced, intervals allow for predictions that are this wrong on average."""

SHRINKAGES: Final = 4.0 ** np.arange(0, 13)


def direct_method(decisions: Decisions, *, model: Fitted | None = None) -> Estimate:
    """What the reward model says, and how unsure it is by its own account: right only if the model is.

    ``model`` is one that :func:`fitted` gave for this log, which serves all targets.
    """
    value, error = (fitted(decisions) if model is None else model).value(decisions.target)
    return estimate(decisions, value=float(np.clip(value, 0.0, 1.0)), error=error)


def doubly_robust(decisions: Decisions, *, predicted: Matrix | None = None) -> Estimate:
    """The direct method plus weighted residuals (Dudik, Langford and Li 2011), cross-fitted: unbiased."""
    predicted = cross_fitted(decisions) if predicted is None else predicted
    return _corrected(decisions, predicted, decisions.ratios)


def switch_dr(decisions: Decisions, *, predicted: Matrix | None = None, limit: float | None = None) -> Estimate:
    """Doubly robust where weights are at most ``limit``, by default the root of n; elsewhere the model alone.

    Wang, Agarwal and Dudik (2017).
    """
    limit = float(np.sqrt(len(decisions))) if limit is None else limit
    predicted = cross_fitted(decisions) if predicted is None else predicted
    return _corrected(decisions, predicted, np.where(decisions.ratios <= limit, decisions.ratios, 0.0))


def shrunk_dr(decisions: Decisions, *, predicted: Matrix | None = None) -> Estimate:
    """Doubly robust with optimistic shrinkage (Su et al. 2020): weights ``w`` become ``s w / (w^2 + s)``.

    Of the shrinkages s, the one that gives the shortest interval, bias included.
    """
    predicted = cross_fitted(decisions) if predicted is None else predicted
    ratios = decisions.ratios
    shrunk = [ratios * (shrinkage / (ratios**2 + shrinkage)) for shrinkage in SHRINKAGES]
    margins = [Z * _error(decisions, predicted, each) + MODEL_ERROR * left_out(decisions, each) for each in shrunk]
    return _corrected(decisions, predicted, shrunk[int(np.argmin(margins))])


def _error(decisions: Decisions, predicted: Matrix, ratios: Matrix) -> float:
    residuals = decisions.rewards - decisions.at_chosen(predicted)
    expected = (decisions.target * predicted).sum(axis=1)
    variance = second_moment(decisions, ratios, residuals) + float(expected.var())
    return float(np.sqrt(variance / len(decisions)))


def _corrected(decisions: Decisions, predicted: Matrix, ratios: Matrix) -> Estimate:
    residuals = decisions.rewards - decisions.at_chosen(predicted)
    expected = (decisions.target * predicted).sum(axis=1)
    value = float((expected + decisions.at_chosen(ratios) * residuals).mean())
    bias = MODEL_ERROR * left_out(decisions, ratios)
    return estimate(decisions, value=value, error=_error(decisions, predicted, ratios), above=bias, below=bias)
