"""Questions of arithmetic with their results."""

from __future__ import annotations

from random import Random
from typing import Final

SMALL: Final = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen
"""
TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety"

ADDING: Final = (
    "What is {a} + {b}?",
    "{a} + {b} = ?",
    "Add {a} to {b}.",
    "What is the sum of {a} and {b}?",
    "How much is {a} plus {b}?",
    "Calculate {a} + {b}",
)
SUBTRACTING: Final = (
    "What is {a} - {b}?",
    "What is {a} minus {b}?",
    "Subtract {b} from {a}.",
    "Compute {a} - {b}.",
    "How much is {a} minus {b}?",
)
MULTIPLYING: Final = (
    "What is {a} * {b}?",
    "What is {a} times {b}?",
    "Multiply {a} by {b}.",
    "Calculate {a} x {b}.",
    "What is the product of {a} and {b}?",
    "How much is {a} times {b}?",
)
DIVIDING: Final = (
    "What is {a} / {b}?",
    "What is {a} divided by {b}?",
    "Divide {a} by {b}.",
    "How much is {a} divided by {b}?",
)
PERCENT: Final = (
    "What is {b}% of {a}?",
    "How much is {b} percent of {a}?",
    "Calculate {b}% of {a}.",
    "What is {b} per cent of {a}?",
)
LONGER: Final = ("What is {a} * {b} + {c}?", "Work out ({c} + {a}) * {b}.", "Calculate {a} + {b} * {c}.")


def spelled(number: int) -> str:
    """A whole number from 0 to 999 in English words."""
    if number < 20:
        return SMALL.split()[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return TENS.split()[tens - 2] + (f"-{spelled(ones)}" if ones else "")
    hundreds, rest = divmod(number, 100)
    return f"{spelled(hundreds)} hundred" + (f" and {spelled(rest)}" if rest else "")


def sum_question(random: Random) -> tuple[str, float]:
    """A question and its result; one in four has its numbers in words."""
    a, b, c = random.randint(2, 99), random.randint(2, 99), random.randint(2, 99)
    forms, one, other, result = random.choice(
        [
            (ADDING, a, b, a + b),
            (ADDING, 10 * a + b, 10 * b + c, 11 * b + 10 * a + c),
            (SUBTRACTING, a + b, b, a),
            (MULTIPLYING, a, b, a * b),
            (DIVIDING, a * b, b, a),
            (PERCENT, 20 * a, 5 * (b % 19 + 1), a * (b % 19 + 1)),
            (LONGER, a, b, None),
        ]
    )
    form = random.choice(forms)
    if result is None:
        result = (a * b + c, (c + a) * b, a + b * c)[LONGER.index(form)]
    elif random.random() < 0.25 and one < 1000 and "%" not in form and "=" not in form:
        return _in_words(form).format(a=spelled(one), b=spelled(other)), result
    return form.format(a=one, b=other, c=c), result


def _in_words(form: str) -> str:
    """The form with its signs read out."""
    signs = {"+": "plus", "-": "minus", "*": "times", " x ": " times ", "/": "divided by"}
    for sign, word in signs.items():
        form = form.replace(sign, word)
    return form
