"""Who may answer: hard conditions first, so that the policy never draws a model that cannot do the job."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gateway.config import Tenant
from gateway.registry import Registry
from gateway.request import Reading
from router_models.policy import Mask


class Eligibility:
    """The registry's conditions as arrays (K,) in a snapshot's order of arms."""

    def __init__(self, *, registry: Registry, arms: Sequence[str]) -> None:
        self.registry = registry
        self.revision = registry.revision
        self.arms = tuple(arms)
        self.models = [registry.get(name) for name in arms]
        cards = [model.card if model is not None else None for model in self.models]
        self._present = np.array([card is not None and card.enabled for card in cards], bool)
        self._windows = np.array([card.context_window if card else 0 for card in cards])
        self._tools = np.array([bool(card and card.tools) for card in cards], bool)
        self._json = np.array([bool(card and card.json_mode) for card in cards], bool)
        self._images = np.array([bool(card and "image" in card.modalities) for card in cards], bool)
        self._audio = np.array([bool(card and "audio" in card.modalities) for card in cards], bool)
        self._endpoint = {
            name: np.array([bool(card and card.endpoint == name) for card in cards], bool)
            for name in ("chat", "embeddings")
        }
        self.prices = np.array([[c.price.input, c.price.output] if c else [0.0, 0.0] for c in cards]) / 1e6

    def conditions(
        self, reading: Reading, *, tenant: Tenant | None = None, tags: frozenset[str] = frozenset()
    ) -> list[tuple[str, Mask]]:
        """The conditions that this request sets, each with who meets it, hardest first."""
        found: list[tuple[str, Mask]] = [
            ("disabled", self._present),
            (f"does not serve {reading.endpoint}", self._endpoint[reading.endpoint]),
            (f"context window below {reading.tokens} tokens", self._windows >= reading.tokens),
        ]
        if reading.tools:
            found.append(("takes no tools", self._tools))
        if reading.json_mode:
            found.append(("has no JSON mode", self._json))
        if reading.images:
            found.append(("takes no images", self._images))
        if reading.audio:
            found.append(("takes no audio", self._audio))
        if tenant is not None and tenant.models is not None:
            found.append(("not allowed for this tenant", self._where([name in tenant.models for name in self.arms])))
        if tags:
            found.append((f"lacks the tags {', '.join(sorted(tags))}", self._where(self._tagged(tags))))
        resting = [model is None or model.breaker.closed for model in self.models]
        if not all(resting):
            found.append(("resting after failures", self._where(resting)))
        return found

    def _where(self, values: list[bool]) -> npt.NDArray[np.bool_]:
        return np.array(values, bool)

    def _tagged(self, tags: frozenset[str]) -> list[bool]:
        return [model is not None and tags <= model.card.tags for model in self.models]

    def judge(self, conditions: list[tuple[str, Mask]]) -> tuple[Mask, dict[str, str]]:
        """The eligible arms (K,), and for each other one the first condition that it fails."""
        mask = conditions[0][1]
        for _, meets in conditions[1:]:
            mask = mask & meets
        if mask.all():
            return mask, {}
        excluded: dict[str, str] = {}
        for place in np.flatnonzero(~mask):
            if self.models[place] is not None:
                excluded[self.arms[place]] = next(why for why, meets in conditions if not meets[place])
        return mask, excluded


def first_only(mask: Mask, excluded: dict[str, str], arms: Sequence[str]) -> Mask:
    """Leave only the first eligible arm, for answers that may not mix between models."""
    places = np.flatnonzero(mask)
    for place in places[1:]:
        excluded[arms[place]] = "vectors of different models do not mix: the first declared model serves auto"
    only = np.zeros_like(mask)
    only[places[:1]] = True
    return only
