"""The policies to beat: simple, well-known, behind the same contract."""

from router_models.baselines.policies import EpsilonGreedy, Fixed, KMeans, LinTS, LinUCB, Random

__all__ = ["EpsilonGreedy", "Fixed", "KMeans", "LinTS", "LinUCB", "Random"]
