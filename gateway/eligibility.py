"""Who may answer: hard conditions first, so that the policy never draws a model that cannot do the job."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from gateway.config import Tenant
from gateway.conversations import Held
from gateway.errors import ContextTooLong, GatewayError, NoEligibleModel, Unavailable
from gateway.registry import Registry
from gateway.request import Reading
from router_models.policy import Mask

#: Why the policy may not choose a model that stands so.
APART = {"disabled": "disabled", "shadow": "a shadow, asked by its name alone"}


class Eligibility:
    """The registry's conditions as arrays (K,) in a snapshot's order of arms."""

    def __init__(self, *, registry: Registry, arms: Sequence[str]) -> None:
        self.registry = registry
        self.revision = registry.revision
        self.arms = tuple(arms)
        self.models = [registry.get(name) for name in arms]
        cards = [model.card if model is not None else None for model in self.models]
        self._windows = np.array([card.context_window if card else 0 for card in cards])
        self._least_window = min(self._windows, default=0)
        self._tools = _where([bool(card and card.tools) for card in cards])
        self._json = _where([bool(card and card.json_mode) for card in cards])
        self._images = _where([bool(card and "image" in card.modalities) for card in cards])
        self._audio = _where([bool(card and "audio" in card.modalities) for card in cards])
        states = [model.standing.state if model is not None else "disabled" for model in self.models]
        apart = [(why, _where([each != state for each in states])) for state, why in APART.items()]
        self._standing = {
            name: _telling(
                [*apart, (f"does not serve {name}", _where([bool(c and c.endpoint == name) for c in cards]))]
            )
            for name in ("chat", "embeddings")
        }
        self._shares = np.array([model.standing.share if model is not None else 1.0 for model in self.models])
        self._private = ("not private, as the request is", _where([bool(card and card.private) for card in cards]))
        self._draining = _where([each == "draining" for each in states])
        self._any_draining = self._draining.any()
        self._steady = _where([each != "canary" for each in states])
        self.canaries = not self._steady.all()
        self._breakers = [model.breaker for model in self.models if model is not None]
        self._bounded = [model for model in self.models if model is not None and model.card.upstream.concurrency]
        self._everyone = np.ones(len(cards), bool)
        self._everyone.flags.writeable = False
        self.prices = np.array([[c.price.input, c.price.output] if c else [0.0, 0.0] for c in cards]) / 1e6
        self.savings = np.array([card.price.saving if card else 0.0 for card in cards]) / 1e6
        self.places = {name: place for place, name in enumerate(self.arms)}

    def conditions(
        self,
        reading: Reading,
        *,
        tenant: Tenant | None = None,
        models: Collection[str] | None = None,
        tags: frozenset[str] = frozenset(),
        lot: float = 1.0,
        held: Held | None = None,
        private: bool = False,
    ) -> list[tuple[str, Mask]]:
        """The conditions that this request sets, each with who meets it, hardest first.

        A canary stands open to requests whose ``lot``, uniform in [0, 1), is below its share. The lot knows nothing of
        the request, so the probabilities among the candidates stay what they are logged as. A draining model stands
        open to the conversations that it ``held`` before.
        """
        found = [*self._standing[reading.endpoint], *self._able(reading)]
        if private:
            found.append(self._private)
        if self.canaries:
            found.append(("a canary, open to its share of the requests", self._steady | (self._shares > lot)))
        if self._any_draining:
            begun = _where([began(held, name) for name in self.arms])
            found.append(("draining", ~self._draining | begun))
        found += self._allowed(("tenant", None if tenant is None else tenant.models), ("key", models))
        if tags:
            found.append((f"lacks the tags {', '.join(sorted(tags))}", _where(self._tagged(tags))))
        return [*found, *self._fit()]

    def canary(self, place: int) -> bool:
        """Whether the model at this place is drawn by lot."""
        return not self._steady[place]

    def _able(self, reading: Reading) -> list[tuple[str, Mask]]:
        """Who can do what the request is."""
        found = []
        if reading.tokens > self._least_window:
            found.append((f"context window below {reading.tokens} tokens", self._windows >= reading.tokens))
        if reading.tools:
            found.append(("takes no tools", self._tools))
        if reading.json_mode:
            found.append(("has no JSON mode", self._json))
        if reading.images:
            found.append(("takes no images", self._images))
        if reading.audio:
            found.append(("takes no audio", self._audio))
        return found

    def _fit(self) -> list[tuple[str, Mask]]:
        """Who is well, and has room for more."""
        found = []
        if any(breaker.open for breaker in self._breakers):
            resting = _where([model is None or model.breaker.closed for model in self.models])
            found += _telling([("resting after failures", resting)])
        if any(model.full for model in self._bounded):
            found.append(("at its concurrency limit", _where([m is None or not m.full for m in self.models])))
        return found

    def _allowed(self, *lists: tuple[str, Collection[str] | None]) -> list[tuple[str, Mask]]:
        return [
            (f"not allowed for this {whose}", _where([name in allowed for name in self.arms]))
            for whose, allowed in lists
            if allowed is not None
        ]

    def _tagged(self, tags: frozenset[str]) -> list[bool]:
        return [model is not None and tags <= model.card.tags for model in self.models]

    def judge(self, conditions: list[tuple[str, Mask]]) -> tuple[Mask, dict[str, str]]:
        """The eligible arms (K,), and for each other one the first condition that it fails."""
        if not conditions:
            return self._everyone, {}
        mask = self._everyone
        for _, meets in conditions:
            mask = mask & meets
        excluded: dict[str, str] = {}
        for place in np.flatnonzero(~mask):
            if self.models[place] is not None:
                excluded[self.arms[place]] = next(why for why, meets in conditions if not meets[place])
        return mask, excluded


def began(held: Held | None, name: str) -> bool:
    """Whether this model has answered in the conversation that is held."""
    return held is not None and held.model == name and held.tokens > 0


def _telling(conditions: list[tuple[str, Mask]]) -> list[tuple[str, Mask]]:
    """Those conditions that rule someone out."""
    return [(why, meets) for why, meets in conditions if not meets.all()]


def _where(values: list[bool]) -> Mask:
    return np.array(values, bool)


def nobody(conditions: list[tuple[str, Mask]]) -> GatewayError:
    """Why no model is eligible, by the condition that ruled out the last ones."""
    left = np.cumprod([meets for _, meets in conditions], axis=0).any(axis=1)
    return refusal(conditions[int(np.argmin(left))][0])


def refusal(why: str, *, who: str = "Every model that could answer") -> GatewayError:
    """The error that tells of the condition which nobody met, or somebody did not."""
    if why.startswith("context window"):
        return ContextTooLong(f"{who} has a {why}, and this request does not fit.")
    if why.startswith("resting"):
        return Unavailable(f"{who} is resting after failures.", retry_after_s=2)
    if why.startswith("at its"):
        return Unavailable(f"{who} is at its concurrency limit.", retry_after_s=1)
    return NoEligibleModel(f"{who} is left out: {why}.")
