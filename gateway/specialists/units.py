"""Converting units (pint) and reckoning with dates (dateutil)."""

from __future__ import annotations

import datetime as dt
import functools
import math
import operator
import re
from collections.abc import Callable, Sequence
from typing import Any

import pint
from text_to_num import alpha2digit

from gateway.specialists.dates import Dates
from gateway.specialists.protocol import Message, Parameters, prompt_of

REFUSAL = "I only convert units and reckon with dates, and I found neither here."
MAX_CHARACTERS = 500

# What people write, where pint reads something else or nothing.
_WRITTEN = {
    "f": "degF", "fahrenheit": "degF", "c": "degC", "celsius": "degC", "centigrade": "degC", "k": "kelvin",
    "lbs": "pound", "kph": "km/hour", "mph": "mile/hour", "kmh": "km/hour", "kb": "kilobyte", "mb": "megabyte",
    "gb": "gigabyte", "tb": "terabyte", "kilo": "kilogram", "kilos": "kilogram", "m": "meter",
    "'": "foot", '"': "inch", "in": "inch", "hr": "hour", "hrs": "hour", "min": "minute", "mins": "minute",
    "sec": "second", "secs": "second", "g": "gram", "l": "liter", "litre": "liter", "litres": "liter",
    "metre": "meter", "metres": "meter", "cal": "calorie",
}  # fmt: skip

_NUMBER = r"-?\d+(?:\.\d+)?(?:e-?\d{1,2})?"
_UNIT = r"[a-z°'\"µμ][a-z°'\"µμ/ ^²³23]{0,40}?"
_POLITE = re.compile(r"^(?:hi|hello|hey)\b[ ,.!]*|[ ,]*\b(?:please|thanks|thank you)$", re.IGNORECASE)
_PART = re.compile(r"(?:(square|cubic|sq) )?([a-z'\"µμ]+(?: [a-z]+)?)(?:\^?([23²³]))?", re.IGNORECASE)
_EXPONENTS = {"": 1, "square": 2, "sq": 2, "2": 2, "²": 2, "cubic": 3, "3": 3, "³": 3}
_FILLER = r"(?:please |can you |could you |what(?:'s| is| are) |how much is |convert |change |express |turn |equals? )*"
_PATTERNS = [
    re.compile(
        rf"^{_FILLER}({_NUMBER})\s*(?:degrees? )?({_UNIT})(?:[ ,]+(?:and )?({_NUMBER})\s*({_UNIT}))?"
        rf"\s+(?:to|in|into|as|is how many|equals how many|->)\s+(?:degrees? )?({_UNIT})$",
        re.IGNORECASE,
    ),
    re.compile(
        rf"^(?:in )?how (?:many|much) (?P<target>{_UNIT})\s+(?:are|is|in|make(?: up)?|equals?|=)(?: there)?(?: in)?\s+"
        rf"(?:an? )?(?P<amount>{_NUMBER})?\s*(?P<source>{_UNIT})$",
        re.IGNORECASE,
    ),
]


def load() -> Units:
    """Read pint's definitions, which lie in its package; today is the machine's local date."""
    return Units(registry=pint.UnitRegistry(), today=dt.date.today)


class Units:
    """Answers with the converted quantity or the date alone."""

    parallel = 1

    def __init__(self, *, registry: pint.UnitRegistry[float], today: Callable[[], dt.date]) -> None:
        self._registry = registry
        self._dates = Dates(today=today)

    def answer(self, messages: Sequence[Message], parameters: Parameters) -> str:
        """The result, or a refusal."""
        prompt = prompt_of(messages)
        if len(prompt) > MAX_CHARACTERS:
            return REFUSAL
        text = _POLITE.sub("", " ".join(prompt.replace("\u2019", "'").split()).strip(" .?!"))
        return self._dates.answer(text) or self.converted(text) or REFUSAL

    def converted(self, text: str) -> str | None:
        """The quantity that a question about units asks for; ``None`` when it is no such question."""
        text = alpha2digit(re.sub(r"(?<=\d),(?=\d{3}\b)", "", text), "en", 0)
        direct, reverse = (pattern.match(text) for pattern in _PATTERNS)
        try:
            if direct:
                amount, unit, more, smaller, target = direct.groups()
                total = self._quantity(amount, unit)
                return self._told(total + self._quantity(more, smaller) if more else total, target)
            if reverse:
                return self._told(self._quantity(reverse["amount"] or "1", reverse["source"]), reverse["target"])
        except pint.DimensionalityError as error:
            return f"Those do not convert into each other: {error}."
        except (pint.PintError, ArithmeticError, AttributeError, TypeError, ValueError):
            return None
        return None

    def _quantity(self, amount: str, unit: str) -> pint.Quantity[float]:
        return self._registry.Quantity(float(amount), self._unit(unit))

    def _unit(self, words: str) -> Any:
        """Only words, ``/`` and a square or cube reach pint's reader: nothing there can grow large."""
        parts = [self._part(part) for part in re.split(r"\s*/\s*|\s+per\s+", words.strip())]
        return functools.reduce(operator.truediv, parts)

    def _part(self, words: str) -> Any:
        match = _PART.fullmatch(words.replace("°", "").strip())
        if match is None:
            raise ValueError(words)
        prefix, name, power = match.groups()
        return self._named(name.replace(" ", "_")) ** _EXPONENTS[(prefix or power or "").lower()]

    def _named(self, name: str) -> Any:
        """Case tells milli from mega; where it only shouts, it is dropped."""
        usual = _WRITTEN.get(name.lower(), name)
        try:
            return self._registry.parse_units(usual)
        except pint.UndefinedUnitError:
            return self._registry.parse_units(usual.lower())

    def _told(self, quantity: pint.Quantity[float], target: str) -> str:
        magnitude = quantity.to(self._unit(target)).magnitude
        if not math.isfinite(magnitude):
            raise OverflowError(magnitude)
        return f"{magnitude:.8g} {target.strip()}"
