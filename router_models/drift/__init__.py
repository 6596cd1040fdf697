"""Drift: what is asked, what a model costs, how long it takes. What a model's answers are worth is in ``change.py``.

prompts  the shares of neighbourhoods among recent requests
level    one number's level: a price, a latency
drift    the detectors of one state together
"""

from router_models.drift.drift import Drift
from router_models.drift.level import Change, Level
from router_models.drift.prompts import Prompts

__all__ = ["Change", "Drift", "Level", "Prompts"]
