"""Understanding a question about mathematics and working it out with sympy.

Each kind of question is one pattern and one function; the first pattern that matches decides. A question that no
pattern matches must be an expression as it stands, every word of it: anything else is not mathematics.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import sympy

from gateway.specialists.equations import solved
from gateway.specialists.notation import NotNotation, TooLarge, quotient, read
from gateway.specialists.phrases import MAX_CHARACTERS, notation, plain
from gateway.specialists.result import NO_CLOSED_FORM, UNDEFINED, written

TOO_LARGE = "That number is too large to work out here."
DIVISION_BY_ZERO = f"That is {UNDEFINED}: it divides by zero."

_FRACTION = re.compile(r"(?<=\d) = -?\d+/\d+\b")
_SEPARATOR = re.compile(r"\s*(?:,\s*and\b|,|\band\b|\bor\b|&)\s*")
_ARITHMETIC = re.compile(r"(?=[^a-z]*\d)(?:[-+(]\s*)*[\d.][\d\s.+\-*/^()!%]*[-+*/^][\d\s.+\-*/^()!%]*[\d)!%]")
_ASKED = re.compile(
    r"\b(what(?:'s| is| are| do| does)|how much|calculate|compute|evaluate|work out|solve|sum|equals?"
    r"|answer|result|math\w*|arithmetic)\b"
)


def reply(prompt: str) -> str | None:
    """The answer to a question about mathematics; ``None`` for anything else."""
    if len(prompt) > MAX_CHARACTERS:
        return None
    text = plain(prompt)
    try:
        answer = _understood(text) or _expression(text) or _embedded(text, prompt)
    except (TooLarge, MemoryError, OverflowError, RecursionError):
        return TOO_LARGE
    except ZeroDivisionError:
        return DIVISION_BY_ZERO
    return _FRACTION.sub("", answer) if answer and re.search(r"\d\.\d", text) else answer


def _understood(text: str) -> str | None:
    for pattern, answer in _QUESTIONS:
        match = pattern.search(text)
        if match:
            try:
                return answer(**match.groupdict()) if match.groupdict() else answer(*match.groups())
            except TooLarge:
                raise
            except (ValueError, TypeError, AttributeError):  # not notation, or without sense to sympy
                return None
            except RuntimeError:  # sympy's word for having no method
                return NO_CLOSED_FORM
    return None


def _expression(text: str) -> str | None:
    """A plain expression. A lone number or name is no question."""
    formula = notation(text)
    if len(re.findall(r"[\d.]+|[a-z]+|[^\s\w.]", formula)) < 2:
        return None
    try:
        value = read(formula)
    except NotNotation:
        return None
    return written(sympy.simplify(value) if value.free_symbols else value)


def _embedded(text: str, prompt: str) -> str | None:
    """The longest piece of arithmetic within a question that has other words around it."""
    formulas = [match.group() for match in _ARITHMETIC.finditer(notation(text))]
    if not formulas or not _ASKED.search(prompt.lower()):
        return None
    try:
        return written(read(max(formulas, key=len)))
    except NotNotation:
        return None


def _value(text: str) -> Any:
    return read(notation(text))


def _items(text: str) -> list[Any]:
    items = [_value(item) for item in _SEPARATOR.split(text) if item.strip()]
    if not items:
        raise NotNotation(text)
    return items


def _variable(value: Any, name: str | None) -> Any:
    if name:
        return sympy.Symbol(name)
    return min(
        value.free_symbols,
        key=lambda symbol: (symbol.name not in "xtyz", symbol.name),
        default=sympy.Symbol("x"),
    )


def _derivative(order: str | None, body: str, name: str | None, at: str | None) -> str:
    value = _value(body)
    variable = _variable(value, name)
    result = sympy.simplify(sympy.diff(value, variable, int(order or 1)))
    return written(result.subs(variable, _value(at)) if at else result)


def _integral(body: str, low: str | None, high: str | None, name: str | None) -> str:
    value = _value(re.sub(r"\s*\bd([a-z])$", "", body))
    variable = _variable(value, name)
    bounds = (variable, _value(low), _value(high)) if low and high else variable
    result = sympy.integrate(value, bounds)
    if not result.has(sympy.Integral):
        return written(sympy.simplify(result)) + ("" if low and high else " + C")
    return f"about {sympy.N(result, 10)}" if low and high else NO_CLOSED_FORM


def _limit(body: str, name: str, target: str) -> str:
    return written(sympy.limit(_value(body), sympy.Symbol(name), _value(target)))


def _rewritten(verb: str, body: str) -> str:
    value = _value(body)
    if verb.startswith("factor") and value.is_Integer:
        return _prime_factors(body)
    change = {"fa": sympy.factor, "ex": sympy.expand, "si": sympy.simplify}[verb[:2]]
    return written(change(value))


def _prime_factors(body: str) -> str:
    number = _whole(body)
    powers = sympy.factorint(number)
    return " * ".join(f"{p}^{k}" if k > 1 else str(p) for p, k in sorted(powers.items())) or str(number)


def _is_prime(body: str) -> str:
    number = _whole(body)
    return f"Yes, {number} is prime." if sympy.isprime(number) else f"No, {number} is not prime."


def _whole(body: str) -> int:
    value = _value(body)
    if not value.is_Integer:
        raise NotNotation(body)
    if abs(value) > 10**30:
        raise TooLarge(body)
    return int(value)


def _total(name: str, body: str) -> str:
    items = _items(body)
    count = len(items)
    if count < 2:
        raise NotNotation(body)
    ordered = sorted(items) if name == "median" else items
    middle = (ordered[(count - 1) // 2] + ordered[count // 2]) / 2
    results: dict[str, Callable[[], Any]] = {
        "sum": lambda: sympy.Add(*items), "total": lambda: sympy.Add(*items), "product": lambda: sympy.Mul(*items),
        "average": lambda: sympy.Add(*items) / count, "mean": lambda: sympy.Add(*items) / count,
        "median": lambda: middle, "difference": lambda: sympy.Abs(items[0] - items[1]),
        "quotient": lambda: quotient(items[0], items[1]),
        "gcd": lambda: sympy.gcd_list(items), "lcm": lambda: sympy.lcm_list(items),
        "largest": lambda: sympy.Max(*items), "smallest": lambda: sympy.Min(*items),
    }  # fmt: skip
    return written(results[_ALIASES.get(name, name)]())


_ALIASES = {
    "greatest common divisor": "gcd", "greatest common factor": "gcd", "highest common factor": "gcd", "hcf": "gcd",
    "gcf": "gcd", "least common multiple": "lcm", "lowest common multiple": "lcm", "maximum": "largest",
    "max": "largest", "biggest": "largest", "greatest": "largest", "larger": "largest", "bigger": "largest",
    "greater": "largest", "minimum": "smallest", "min": "smallest", "least": "smallest", "smaller": "smallest",
}  # fmt: skip
_TOTALS = "|".join(sorted({*_ALIASES, "sum", "product", "average", "mean", "median", "difference", "quotient",
                           "gcd", "lcm", "largest", "smallest", "total"}, key=len, reverse=True))  # fmt: skip


def _verb(verb: str, first: str, second: str) -> str:
    one, other = _value(first), _value(second)
    results: dict[str, Callable[[], Any]] = {
        "add": lambda: one + other,
        "subtract": lambda: other - one,
        "multiply": lambda: one * other,
        "divide": lambda: quotient(one, other),
    }
    return written(results[verb]())


def _compared(first: str, relation: str, second: str) -> str:
    one, other = _value(first), _value(second)
    holds = one > other if relation in ("greater", "larger", "bigger", "more") else one < other
    return "Yes." if bool(holds) else "No."


def _remainder(value: str, divisor: str) -> str:
    return written(quotient(_value(value), _value(divisor), remainder=True))


def _share(*, part: str, whole: str) -> str:
    return f"{written(quotient(_value(part) * 100, _value(whole)))} %"


def _changed(*, verb: str, amount: str, percent: str) -> str:
    sign = 1 if verb in ("increase", "raise") else -1
    return written(_value(amount) * (1 + sign * _value(percent) / 100))


def _change(start: str, end: str) -> str:
    before = _value(start)
    return f"{written(quotient((_value(end) - before) * 100, before))} %"


_BOUNDS = r"(?: (?:from|between) (.+?) (?:to|and) (.+?))?"
_AT = r"(?: at (?:[a-z] ?= ?)?(\S+))?"
_PERCENT = r"\s*(?:%|per ?cent)"
_ABOUT = r"(?: (?:with respect to|w\.?r\.?t\.?) ([a-z]))?"
_FORMS: list[tuple[str, Callable[..., str | None]]] = [
    (rf"^(?:(\d)[snrt][tdh] )?(?:derivative of|differentiate|d/dx(?: of)?)\s*(.+?){_ABOUT}{_AT}$", _derivative),
    (rf"^(?:(?:in)?definite )?(?:integral of|antiderivative of|integrate)\s*(.+?){_BOUNDS}{_ABOUT}$", _integral),
    (r"^limit of (.+?) as ([a-z]) (?:approaches|goes to|tends to|->) (.+)$", _limit),
    (r"^(factor(?:i[sz]e)?|expand|simplify) (.+)$", _rewritten),
    (r"^(?:prime factors|prime factori[sz]ation) of (.+)$", _prime_factors),
    (r"^is (.+?) (?:a )?prime(?: number)?$", _is_prime),
    (r"^remainder (?:of|when) (.+?) (?:is )?divided by (.+)$", _remainder),
    (rf"^({_TOTALS})(?: (?:of|between))? (.+)$", _total),
    (r"^which (?:number )?is (larger|bigger|greater|smaller)[:,]? (.+? or .+)$", _total),
    (r"^add(?: up)?(?: the numbers)? (.+, ?.+)$", partial(_total, "sum")),
    (r"^(add) (.+?) (?:to|and|with) (.+)$", _verb),
    (r"^(\d+ and \d+)$", partial(_total, "sum")),
    (r"^(subtract) (.+?) from (.+)$", _verb),
    (r"^(multiply) (.+?) (?:by|and|with|times) (.+)$", _verb),
    (r"^(divide) (.+?) by (.+)$", _verb),
    (r"^is (.+?) (greater|larger|bigger|more|less|smaller) than (.+)$", _compared),
    (rf"^(?P<part>.+?) is what{_PERCENT}(?:age)? of (?P<whole>.+)$", _share),
    (rf"^(?:what )?{_PERCENT}(?:age)? of (?P<whole>.+?) is (?P<part>.+)$", _share),
    (rf"^(?P<percent>.+?){_PERCENT} (?P<verb>off) (?:of )?(?P<amount>.+)$", _changed),
    (rf"^(?P<verb>increase|raise|decrease|reduce) (?P<amount>.+?) by (?P<percent>.+?){_PERCENT}$", _changed),
    (rf"^{_PERCENT}(?:age)? (?:change|increase|decrease) from (.+?) to (.+)$", _change),
    (r"(.*=.*)", solved),
    (r"^(?:solve|(?:roots|zeros) of) (.+)$", solved),
]
_QUESTIONS = [(re.compile(form), answer) for form, answer in _FORMS]
