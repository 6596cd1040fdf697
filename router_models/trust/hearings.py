"""Hearings: the latest answers that were rated, so that everyone who rated one is measured by the others."""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import Final

import numpy as np

from router_models.checks import restored
from router_models.policy import Arrays
from router_models.trust.names import read, written

LIMIT: Final = 2048
"""Answers that are remembered, the latest ones."""

VOICES: Final = 64
"""Voices on one answer that are remembered, the latest ones."""

WORD: Final = math.log(0.85 / 0.15)
"""What a trusted source's word is worth, as log odds that an answer was good: it is right 85 times of 100."""

TRUTH: Final = math.log(0.99 / 0.01)
"""What an audit is worth."""

UNLIKELY: Final = 0.03
"""Nothing is expected with less probability, nor with more than the rest of it."""


class Voice:
    """What a source said of an answer: ``reward``, worth ``strength`` (1 for a trusted source), of which so much
    counts as was ``granted``, against what was ``expected`` of it at last; that is ``nan`` where nobody judges it.
    """

    __slots__ = ("expected", "granted", "reward", "strength")

    def __init__(self, *, reward: float, strength: float, granted: float = 0.0, expected: float = math.nan) -> None:
        self.reward, self.strength, self.granted, self.expected = reward, strength, granted, expected

    @property
    def said(self) -> float:
        """What it makes of the log odds that the answer was good."""
        return WORD * self.strength * (2.0 * self.reward - 1.0)


class Hearing:
    """One answer: the ``arm`` that gave it, the log ``odds`` that it is good by the policy, what it is worth in
    ``truth``, in [0, 1], and all voices.

    ``odds`` are ``nan`` until somebody who is judged speaks, ``truth`` until there is an audit.
    """

    __slots__ = ("arm", "odds", "truth", "voices")

    def __init__(self, *, arm: int, odds: float = math.nan, truth: float = math.nan) -> None:
        self.arm, self.odds, self.truth = arm, odds, truth
        self.voices: dict[str, Voice] = {}

    def hear(self, source: str, voice: Voice) -> None:
        """Take in what a source says, in place of what it said before."""
        self.voices[source] = voice
        if len(self.voices) > VOICES:
            del self.voices[next(iter(self.voices))]

    def predicted(self, expected: float) -> None:
        """What the policy expects of the answer, unless that is known."""
        if math.isnan(self.odds):
            likely = min(max(expected, UNLIKELY), 1.0 - UNLIKELY)
            self.odds = math.log(likely / (1.0 - likely))

    def said(self) -> float:
        """The log odds that the answer was good, by everybody."""
        known = 0.0 if math.isnan(self.odds) else self.odds
        proven = 0.0 if math.isnan(self.truth) else TRUTH * (2.0 * self.truth - 1.0)
        return known + proven + sum(voice.said for voice in self.voices.values())


def chance(odds: float) -> float:
    """The chance that an answer was good, by the log odds of it."""
    return min(max(0.5 + 0.5 * math.tanh(0.5 * odds), UNLIKELY), 1.0 - UNLIKELY)


class Hearings:
    """Hearings by the answer's 16 bytes, oldest first."""

    def __init__(self) -> None:
        self._found: OrderedDict[bytes, Hearing] = OrderedDict()

    def of(self, answer: bytes) -> Hearing | None:
        """An answer's hearing, if it is remembered."""
        return self._found.get(answer)

    def open(self) -> list[tuple[bytes, Hearing]]:
        """Those without an audit, oldest first; safe beside a thread that hears."""
        return [each for each in list(self._found.items()) if math.isnan(each[1].truth)]

    def opened(self, answer: bytes, *, arm: int) -> Hearing:
        """An answer's hearing, new if there is none."""
        found = self._found.get(answer)
        if found is None:
            found = self._found[answer] = Hearing(arm=arm)
            if len(self._found) > LIMIT:
                self._found.popitem(last=False)
        return found

    def arrays(self) -> Arrays:
        """Everything, as named arrays."""
        voices = [
            (place, source, (voice.reward, voice.strength, voice.granted, voice.expected))
            for place, hearing in enumerate(self._found.values())
            for source, voice in hearing.voices.items()
        ]
        heard = [(hearing.arm, hearing.odds, hearing.truth) for hearing in self._found.values()]
        return {
            "answers": np.frombuffer(b"".join(self._found), np.uint8).reshape(-1, 16).copy(),
            "heard": np.array(heard, dtype=np.float64).reshape(-1, 3),
            "places": np.array([place for place, _, _ in voices], dtype=np.int64),
            "voices": written(source for _, source, _ in voices),
            "said": np.array([said for _, _, said in voices], dtype=np.float64).reshape(-1, 4),
        }

    def restore(self, arrays: Arrays, arms: int) -> None:
        """Take over what :meth:`arrays` gave, for this many arms. Raises ``KeyError`` or ``ValueError``."""
        answers, heard, places, said = arrays["answers"], arrays["heard"], arrays["places"], arrays["said"]
        if answers.dtype != np.uint8 or answers.shape != (len(heard), 16) or heard.shape[1:] != (3,):
            raise ValueError("the answers and their hearings do not fit together")
        if said.shape != (len(places), 4) or not np.isin(places, range(len(heard))).all():
            raise ValueError("the voices do not fit the hearings")
        if not np.isin(heard[:, 0], range(arms)).all():
            raise ValueError("hearings are of known arms")
        restored({"said": said[:, :3]}, "said", (len(places), 3))
        found = [Hearing(arm=int(arm), odds=odds, truth=truth) for arm, odds, truth in heard.tolist()]
        told = zip(places.tolist(), read(arrays["voices"]), said.tolist(), strict=True)
        for place, source, (reward, strength, granted, expected) in told:
            voice = Voice(reward=reward, strength=strength, granted=granted, expected=expected)
            found[place].voices[source] = voice
        self._found = OrderedDict(zip((answer.tobytes() for answer in answers), found, strict=True))
