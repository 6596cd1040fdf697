"""Whom to believe: how far each source's outcomes agree with what else is known of the same answers.

sources    who has said what of which arm: a row of figures for each source
mixture    how likely it is that each means ill, and what those who do are up to
audits     what the truth about an answer says of those who rated it, and whose truth would say most
hearings   the latest answers that were rated: what others said of the same one
influence  the part of an arm's recent evidence that each source holds
trust      the judge of one tenant's outcomes
names      names in an array
"""

from router_models.trust.audits import Doubt
from router_models.trust.trust import Band, Claim, Trust, Verdict

__all__ = ["Band", "Claim", "Doubt", "Trust", "Verdict"]
