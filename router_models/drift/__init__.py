"""Drift: what is asked, what a model costs, how long it takes. What a model's answers are worth is in ``change.py``.

prompts  the shares of neighbourhoods among recent requests
level    one number's level: a price, a latency
"""

from router_models.drift.level import Change, Level
from router_models.drift.prompts import Prompts

__all__ = ["Change", "Level", "Prompts"]
