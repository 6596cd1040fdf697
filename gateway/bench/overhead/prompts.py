"""Prompts that no cache has seen: natural English, all different, each 64 MiniLM tokens with its two markers."""

from __future__ import annotations

import re

WORDS = {
    "adjective": """
        ancient bitter bright broken calm careful cheap clean clever cold common complex crowded curious dark
        deep distant dry early elegant empty famous fast flat foreign fragile fresh gentle global golden hidden
        heavy honest huge hungry large lazy local lonely modern narrow noisy northern old painted patient plain
        poor private proud public quiet rare rough rural sharp silent simple small soft strange strong tiny warm
    """,
    "noun": """
        actor airport apple army bakery bank beach bicycle bridge camera castle cathedral church city clock
        cloud coast coffee contract desert doctor engine farm festival field forest garden glacier guitar harbor
        hospital hotel island kitchen lake language library machine market medicine mountain museum novel ocean
        orchestra painting park planet poem railway recipe river rocket school ship soldier storm student
        teacher temple theatre tower valley village
    """,
    "verb": """
        absorb admire analyze arrange attack avoid balance borrow build carry celebrate change clean collect
        compare connect copy cross defend deliver describe design destroy discover divide draw escape examine
        explain explore fill find follow forget gather guard guide hide improve inspect join measure move
        observe open organize paint photograph preserve protect record reduce remember repair replace restore
        sell share study support teach track translate visit
    """,
}
"""What fills the slots: 64 words of each kind, each a single token."""

TEMPLATE = (
    "I would like to {verb} the {adjective} {noun} near the {adjective} {noun} next week, but my friend says that we "
    "should first {verb} the {noun} and only then {verb} the {adjective} {noun}. Please tell me in plain words which "
    "plan is better, what could go wrong, and how long each part of it will take us both."
)

_BITS = 6  # 64 words fill a slot
_STRIDE = 0x9E3779B97F4A7C15  # odd, so that multiplying is a bijection; consecutive prompts differ in every word


class Prompts:
    """A reproducible sequence of distinct prompts, addressed by index, for a given seed."""

    def __init__(self, *, seed: int = 0) -> None:
        *parts, self._tail = re.split(r"\{(\w+)\}", TEMPLATE)
        fixed, kinds = parts[::2], parts[1::2]
        self._seed = seed
        self._mask = (1 << _BITS * len(kinds)) - 1
        self._slots = [
            (_BITS * place, [text + word for word in WORDS[kind].split()])
            for place, (text, kind) in enumerate(zip(fixed, kinds, strict=True))
        ]

    def text(self, index: int) -> str:
        """The prompt with this index: ASCII, without characters that JSON escapes."""
        code = (index + self._seed + 1) * _STRIDE & self._mask
        return "".join([table[code >> shift & 63] for shift, table in self._slots]) + self._tail
