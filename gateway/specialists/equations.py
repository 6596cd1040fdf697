"""Solving equations and systems of equations with sympy."""

from __future__ import annotations

import re
from typing import Any

import sympy

from gateway.specialists.notation import NotNotation, read
from gateway.specialists.phrases import notation
from gateway.specialists.result import NO_CLOSED_FORM, written

MAX_EQUATIONS = 4

_UNKNOWN = re.compile(
    r"\b(?:for|find|what is|values? of|calculate)\s+([a-z])\b(?!\s*[-+*/^(=])|\A([a-z]) (?=if|when|given|where|in\b)"
)
_WORDS = re.compile(
    r"\b(?:solve|the|equations?|system|simultaneous|following|of|for|find|if|what|is|values?|makes?|when|that|given"
    r"|where|satisf(?:y|ies)|solutions?|to|roots?|linear|quadratic|cubic|in|then|true|does|have|will)\b|[:?]"
)
_SEPARATOR = re.compile(r"\s*(?:,|;|\band\b)\s*")


def solved(text: str) -> str | None:
    """The solutions of the equations in a plain text. Raises :class:`NotNotation` where there is none to read."""
    unknown = _UNKNOWN.search(text)
    pieces = _SEPARATOR.split(_WORDS.sub(" ", _UNKNOWN.sub(" ", text)))
    equations = [_sides(piece) for piece in pieces if piece.strip() and not re.fullmatch(r"\s*[a-z]\s*", piece)]
    if not 1 <= len(equations) <= MAX_EQUATIONS:
        raise NotNotation(text)
    symbols = sorted({symbol for sides in equations for side in sides for symbol in side.free_symbols}, key=str)
    if not symbols:
        return "Yes, that is true." if all(left == right for left, right in equations) else "No, that is false."
    wanted = [symbol for symbol in symbols if unknown and symbol.name in unknown.groups()] or symbols
    if len(equations) == 1:
        wanted = [symbol for symbol in wanted if symbol.name in "xyz"][:1] or wanted[:1]
    zeros = [left - right for left, right in equations]
    try:
        solutions = sympy.solve(zeros[0] if len(zeros) == 1 else zeros, wanted, dict=True)
    except RuntimeError:  # sympy's word for having no method
        return NO_CLOSED_FORM
    return _listed(solutions, equations)


def _sides(piece: str) -> tuple[Any, Any]:
    """Both sides of an equation; an expression alone is asked to be zero."""
    left, equals, right = notation(piece).partition("=")
    return read(left), read(right.lstrip("=")) if equals else sympy.Integer(0)


def _listed(solutions: list[dict[Any, Any]], equations: list[tuple[Any, Any]]) -> str:
    if not solutions:
        always = all(sympy.simplify(left - right) == 0 for left, right in equations)
        return "Every value solves that." if always else "That has no solution."
    return " or ".join(
        ", ".join(f"{symbol} = {_simplified(value)}" for symbol, value in solution.items()) for solution in solutions
    )


def _simplified(value: Any) -> str:
    return written(value if value.has(sympy.CRootOf) else sympy.simplify(value))
