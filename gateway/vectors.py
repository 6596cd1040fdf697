"""Which model makes a tenant's vectors: vectors of different models do not mix, so the first choice stays.

It is an event of the log, read again at every start, and no request unsettles it: where its model cannot answer now,
nobody answers for it. Only where that model is disabled or gone is another one chosen, and that is an event, too.
"""

from __future__ import annotations

import numpy as np
import sqlalchemy as sa
import structlog

from gateway.conversations import Held
from gateway.eligibility import Eligibility, refusal
from gateway.events import VectorsSettled
from gateway.log import Log
from gateway.schema import RARE, events
from gateway.transaction import read
from router_models.policy import Mask

_logger = structlog.get_logger("polyculture.vectors")


class Vectors:
    """Each tenant's model by the policy that was asked for, "" for plain ``auto``."""

    def __init__(self, *, engine: sa.Engine, log: Log) -> None:
        self._log = log
        self._models: dict[tuple[str, str], str] = {}
        with engine.connect() as connection:
            for record in read(connection, RARE, events.c.kind == VectorsSettled.kind):
                assert isinstance(record.event, VectorsSettled)
                self._models[record.tenant, record.event.preference] = record.event.model

    def held(self, tenant: str, preference: str) -> Held | None:
        """The model that makes these vectors, as if it held a conversation: one that is draining goes on with it."""
        model = self._models.get((tenant, preference))
        return None if model is None else Held(model, 1, 1, 0.0)

    def only(self, tenant: str, preference: str, mask: Mask, excluded: dict[str, str], among: Eligibility) -> Mask:
        """Leave of the eligible arms (K,) the one that makes this tenant's vectors; settle it with the first request.

        Raises what :func:`gateway.eligibility.refusal` tells where that one cannot answer now.
        """
        settled = self._models.get((tenant, preference), "")
        place = among.places.get(settled, -1)
        model = among.models[place] if place >= 0 else None
        if model is None or model.standing.state == "disabled":
            able = np.flatnonzero(mask).tolist()
            place = min(able, key=lambda each: (among.canary(each), each))
            self._settle(tenant, preference, among.arms[place], before=settled)
        elif not mask[place]:
            raise refusal(excluded[settled], who=f"The model {settled!r}, which makes this tenant's vectors,")
        for other in np.flatnonzero(mask):
            if other != place:
                excluded[among.arms[other]] = f"vectors of different models do not mix: {among.arms[place]} makes them"
        found = np.zeros_like(mask)
        found[place] = True
        return found

    def _settle(self, tenant: str, preference: str, model: str, *, before: str) -> None:
        if before:
            _logger.warning("vectors_moved", tenant=tenant, before=before, model=model, hint="index anew")
        self._models[tenant, preference] = model
        self._log.append(VectorsSettled(preference=preference, model=model), tenant=tenant)
