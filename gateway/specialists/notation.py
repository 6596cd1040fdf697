"""Reading mathematical notation into sympy expressions, without ever evaluating text as code.

A tokeniser that knows every permitted word, and a recursive descent parser::

    sum     = term (("+" | "-") term)*
    term    = factor (("*" | "/" | "mod" | nothing) factor)*
    factor  = ("+" | "-") factor | power
    power   = postfix ("^" factor)?
    postfix = atom ("!" | "%" | "deg")*
    atom    = number | variable | constant | "(" sum ")" | function ("^" atom)? arguments

Numbers are exact. Sizes are checked before sympy computes anything, so that ``9^9^9^9`` is refused at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import sympy

MAX_TOKENS = 300
MAX_DEPTH = 40
MAX_DIGITS = 400
MAX_BITS = 8_000
MAX_FACTORIAL = 700
MAX_SYMBOLIC_POWER = 60

_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d*)?|\.\d+)|([a-z]+)|(\*\*|[-+*/^!%(),]))")
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sqrt": sympy.sqrt,
    "cbrt": lambda x: sympy.Rational(-1) * sympy.cbrt(-x) if x.is_negative else sympy.cbrt(x),
    "abs": sympy.Abs,
    "exp": sympy.exp,
    "ln": sympy.log,
    "log": lambda x, base=10: sympy.log(x, base),
    "sin": sympy.sin,
    "cos": sympy.cos,
    "tan": sympy.tan,
    "asin": sympy.asin,
    "acos": sympy.acos,
    "atan": sympy.atan,
    "arcsin": sympy.asin,
    "arccos": sympy.acos,
    "arctan": sympy.atan,
    "sinh": sympy.sinh,
    "cosh": sympy.cosh,
    "tanh": sympy.tanh,
}
_ARGUMENTS = {"log": (1, 2)}
_CONSTANTS: dict[str, Any] = {
    "pi": sympy.pi,
    "e": sympy.E,
    "i": sympy.I,
    "infinity": sympy.oo,
    "inf": sympy.oo,
}
_WORDS = {*_FUNCTIONS, *_CONSTANTS, "mod", "deg"}
_VARIABLES = re.compile(r"[a-z]|[xyz]{2,3}")


class NotNotation(ValueError):
    """The text is not the notation that is read here."""


class TooLarge(ValueError):
    """The text is notation, but what it stands for is too large to work out."""


def read(text: str) -> Any:
    """The sympy expression that ``text`` writes. Raises :class:`NotNotation` or :class:`TooLarge`."""
    return _Parser(tokenise(text)).whole()


def tokenise(text: str) -> list[str]:
    """The tokens of ``text``. Raises :class:`NotNotation` at the first unknown word or sign."""
    text = text.strip()
    tokens: list[str] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or len(tokens) >= MAX_TOKENS:
            raise NotNotation(text[at : at + 20])
        number, word, sign = match.groups()
        if number and len(number) > MAX_DIGITS:
            raise TooLarge("a number has too many digits")
        if word and not (word in _WORDS or _VARIABLES.fullmatch(word)):
            raise NotNotation(word)
        tokens.append("^" if sign == "**" else match.group().strip())
        at = match.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def whole(self) -> Any:
        value = self._sum()
        if self._at < len(self._tokens):
            raise NotNotation(self._tokens[self._at])
        return value

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self, *wanted: str) -> str:
        token = self._peek()
        if not token or token not in wanted:
            return ""
        self._at += 1
        return token

    def _expect(self, token: str) -> None:
        if not self._take(token):
            raise NotNotation(f"{token} is missing")

    def _sum(self) -> Any:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise NotNotation("nested too deeply")
        value = self._term()
        while sign := self._take("+", "-"):
            value = value + self._term() if sign == "+" else value - self._term()
        self._depth -= 1
        return value

    def _term(self) -> Any:
        value = self._factor()
        while True:
            if sign := self._take("*", "/", "mod"):
                other = self._factor()
                value = value * other if sign == "*" else quotient(value, other, remainder=sign == "mod")
            elif self._multiplies_silently():
                value = value * self._factor()
            else:
                return value

    def _multiplies_silently(self) -> bool:
        """Whether a factor follows without a sign: ``2x`` and ``3(x + 1)``, but never two numbers in a row."""
        token = self._peek()
        return token == "(" or (token.isalpha() and token not in ("mod", "deg"))

    def _factor(self) -> Any:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise NotNotation("nested too deeply")
        sign = self._take("+", "-")
        value = (-self._factor() if sign == "-" else self._factor()) if sign else self._power()
        self._depth -= 1
        return value

    def _power(self) -> Any:
        base = self._postfix()
        return power(base, self._factor()) if self._take("^") else base

    def _postfix(self) -> Any:
        value = self._atom()
        while sign := self._take(*_POSTFIXES):
            value = _POSTFIXES[sign](value)
        return value

    def _atom(self) -> Any:
        token = self._peek()
        if self._take("("):
            value = self._sum()
            self._expect(")")
            return value
        if not token or not (token[0].isalnum() or token[0] == "."):
            raise NotNotation(token or "something is missing")
        self._at += 1
        if not token.isalpha():
            return sympy.Rational(token)
        if token in _FUNCTIONS:
            return self._function(token)
        if token in _CONSTANTS:
            return _CONSTANTS[token]
        if token in ("mod", "deg"):
            raise NotNotation(token)
        return sympy.Mul(*(sympy.Symbol(letter) for letter in token))

    def _function(self, name: str) -> Any:
        exponent = self._atom() if self._take("^") else None
        value = _FUNCTIONS[name](*self._arguments(name))
        return value if exponent is None else power(value, exponent)

    def _arguments(self, name: str) -> list[Any]:
        if not self._take("("):
            return [self._bare_argument()]
        arguments = [self._sum()]
        while self._take(","):
            arguments.append(self._sum())
        self._expect(")")
        if len(arguments) not in _ARGUMENTS.get(name, (1,)):
            raise NotNotation(f"{name} takes another number of arguments")
        return arguments

    def _bare_argument(self) -> Any:
        """``sin 2x^2`` means ``sin(2x^2)``, and ``sin x cos x`` means ``sin(x) cos(x)``."""
        value = self._factor()
        while self._peek().isalpha() and self._peek() not in _FUNCTIONS and self._multiplies_silently():
            value = value * self._power()
        return value


def power(base: Any, exponent: Any) -> Any:
    """``base ** exponent``. Raises :class:`TooLarge` before computing it, and :class:`ZeroDivisionError`."""
    if base == 0 and exponent.is_negative:
        raise ZeroDivisionError
    if exponent.is_Rational:
        bits = max(abs(base.p), base.q).bit_length() if base.is_Rational else 0
        if bits > 1 and abs(exponent) * bits > MAX_BITS:
            raise TooLarge("the power is too large")
        if not base.is_Rational and not base.is_Symbol and abs(exponent) > MAX_SYMBOLIC_POWER:
            raise TooLarge("the power is too large")
    return base**exponent


def factorial(number: Any) -> Any:
    """``number!``. Raises :class:`NotNotation` for what is no natural number, :class:`TooLarge` for large ones."""
    if not (number.is_Integer and number >= 0):
        raise NotNotation("a factorial needs a natural number")
    if number > MAX_FACTORIAL:
        raise TooLarge("the factorial is too large")
    return sympy.factorial(number)


def quotient(value: Any, divisor: Any, *, remainder: bool = False) -> Any:
    """``value / divisor``, or what remains of it. Raises :class:`ZeroDivisionError`."""
    if divisor == 0:
        raise ZeroDivisionError
    return sympy.Mod(value, divisor) if remainder else value / divisor


_POSTFIXES: dict[str, Callable[[Any], Any]] = {
    "!": factorial,
    "%": lambda value: value / 100,
    "deg": lambda value: value * sympy.pi / 180,
}
