"""Writing a sympy result for people: exact first, and about how much where that helps."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import sympy

from gateway.specialists.notation import MAX_BITS, TooLarge

UNDEFINED = "undefined"
NO_CLOSED_FORM = "I find no closed form of that."
MAX_CHARACTERS = 3_000
MAX_DECIMALS = 10
SIGNIFICANT = 10


def written(value: Any) -> str:
    """``value`` in one line. Raises :class:`TooLarge` for what would not fit."""
    if value.has(sympy.zoo, sympy.nan):
        return UNDEFINED
    if value.is_Rational:
        return _rational(value)
    if value in (sympy.oo, -sympy.oo):
        return "infinity" if value == sympy.oo else "-infinity"
    if value.has(sympy.CRootOf):
        return f"about {sympy.N(value, SIGNIFICANT)}"
    text = str(value).replace("**", "^")
    if len(text) > MAX_CHARACTERS:
        raise TooLarge("the result is too long")
    if value.is_number and value.is_real:
        return f"{text} (about {_decimal(value)})"
    return text


def _rational(value: Any) -> str:
    if max(abs(value.p), value.q).bit_length() > MAX_BITS:
        raise TooLarge("the result has too many digits")
    if value.q == 1:
        return str(value.p)
    if 10**MAX_DECIMALS % value.q == 0:
        return f"{Decimal(value.p) / Decimal(value.q):f} = {value.p}/{value.q}"
    return f"{value.p}/{value.q} (about {_decimal(value)})"


def _decimal(value: Any) -> str:
    text = str(sympy.N(value, SIGNIFICANT))
    return text if "e" in text or "." not in text else text.rstrip("0").rstrip(".")
