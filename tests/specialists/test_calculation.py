"""Mathematics in plain language and in notation, worked out in this process."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.specialists.calculation import DIVISION_BY_ZERO, TOO_LARGE, reply
from gateway.specialists.result import NO_CLOSED_FORM

QUESTIONS = {
    "what is 12 * 7 + 5?": "89",
    "What is twenty-one times three?": "63",
    "What is one hundred and twenty three plus four hundred and fifty six": "579",
    "What do you get if you add 19 and 23?": "42",
    "Hi! Can you tell me what 12*7+5 equals? Thanks": "89",
    "Can you tell me what 12 multiplied by 9 is?": "108",
    "If you add 4 and 5, what do you get?": "9",
    "Add the numbers 5, 6 and 7": "18",
    "What is the total of 12, 15 and 30?": "57",
    "How much do 12 and 9 make?": "21",
    "Double 45 is what?": "90",
    "what is -5 + 3": "-2",
    "1,000 + 2,500": "3500",
    "$15.50 + $4.25": "19.75",
    "12 x 5": "60",
    "2+2=?": "4",
    "What's 15% of 200?": "30",
    "20 is what percent of 80": "25 %",
    "20% off 50": "40",
    "increase 50 by 10%": "55",
    "what is the percentage change from 40 to 50": "25 %",
    "What is 3/4 + 1/3?": "13/12 (about 1.083333333)",
    "10 / 4": "2.5 = 5/2",
    "What is 0.1 + 0.2?": "0.3",
    "what is half of fifty": "25",
    "three quarters of eighty": "60",
    "Calculate the sum of 17 and 25": "42",
    "subtract 5 from 12": "7",
    "what is the average of 3, 4 and 8?": "5",
    "gcd of 12 and 18": "6",
    "remainder when 17 is divided by 5": "2",
    "is 97 a prime number?": "Yes, 97 is prime.",
    "is 91 prime?": "No, 91 is not prime.",
    "which is larger, 9.11 or 9.9?": "9.9",
    "is 3/4 greater than 2/3?": "Yes.",
    "factorise 360": "2^3 * 3^2 * 5",
    "what is the square root of 144": "12",
    "cube root of -8": "-2",
    "square root of 2": "sqrt(2) (about 1.414213562)",
    "2 to the power of 10": "1024",
    "-2^2": "-4",
    "what is 10 factorial?": "3628800",
    "log base 2 of 8": "3",
    "sin(30 degrees)": "0.5 = 1/2",
    "e^(i pi)": "-1",
    "sqrt(-4)": "2*I",
    "Solve 2x + 3 = 11": "x = 4",
    "solve x^2 - 5x + 6 = 0 for x": "x = 2 or x = 3",
    "If 2x + 3 = 11, what is x?": "x = 4",
    "find x if 3x = 12": "x = 4",
    "solve x + y = 10 and x - y = 2": "x = 6, y = 4",
    "solve 2x = 2x + 1": "That has no solution.",
    "solve 2x = 2x": "Every value solves that.",
    "2 + 2 = 5": "No, that is false.",
    "differentiate x^3 with respect to x": "3*x^2",
    "second derivative of x^4": "12*x^2",
    "derivative of x^2 at 3": "6",
    "integrate x^2": "x^3/3 + C",
    "integral of sin x from 0 to pi": "2",
    "limit of sin(x)/x as x approaches 0": "1",
    "factor x^2 - 9": "(x - 3)*(x + 3)",
    "expand (x+1)^3": "x^3 + 3*x^2 + 3*x + 1",
    "simplify (x^2 - 1)/(x - 1)": "x + 1",
    r"\frac{1}{2} + \frac{1}{3}": "5/6 (about 0.8333333333)",
    "1/0": DIVISION_BY_ZERO,
    "0^-1": DIVISION_BY_ZERO,
    "integrate sin(sin(sin(x)))": NO_CLOSED_FORM,
}

NOT_MATHEMATICS = [
    "",
    "5",
    "x",
    "hello",
    "= = =",
    "What is the capital of France?",
    "What happened in 1939-1945?",
    "I was born on 1990-05-12",
    "Write a python function to add two numbers",
    "the sum of all fears",
    "difference between cats and dogs",
    "convert 5 miles to km",
    "__import__('os').system('id')",
    "().__class__.__bases__[0].__subclasses__()",
    "exec('print(1)')",
    "lambda: 1",
    "sympify('x')",
    "1 2 3",
    "(" * 100 + "1" + ")" * 100,
    "-" * 500 + "1",
    "1 + " * 2000 + "1",
]

TOO_MUCH = [
    "9**9**9**9",
    "9^9^9",
    "2^(3^(4^5))",
    "(9^9)^(9^9)",
    "123456789 ^ 900",
    "(1/3)^99999",
    "100000!",
    "(x+1)^1000",
    "9" * 500 + " + 1",
    "factorise 123456789012345678901234567890123",
    " * ".join(["9^2000"] * 5),
]


@pytest.mark.parametrize(("question", "answer"), QUESTIONS.items(), ids=list(QUESTIONS))
def test_it_works_out(question: str, answer: str) -> None:
    assert reply(question) == answer


@pytest.mark.parametrize("text", NOT_MATHEMATICS)
def test_it_leaves_alone_what_is_no_mathematics(text: str) -> None:
    assert reply(text) is None


@pytest.mark.parametrize("question", TOO_MUCH)
def test_it_refuses_at_once_what_is_too_large(question: str) -> None:
    assert reply(question) == TOO_LARGE


numbers = st.integers(-(10**6), 10**6)


@given(numbers, numbers, st.sampled_from("+-*"))
def test_integers_are_exact(left: int, right: int, sign: str) -> None:
    expected = {"+": left + right, "-": left - right, "*": left * right}[sign]
    assert reply(f"What is ({left}) {sign} ({right})?") == str(expected)


@given(numbers, numbers.filter(bool))
def test_fractions_are_exact(top: int, bottom: int) -> None:
    fraction = Fraction(top, bottom)
    shown = reply(f"({top}) / ({bottom})") or ""
    written = str(fraction)
    assert shown == written or shown.endswith(f"= {written}") or shown.startswith(f"{written} (about ")


WORDS = (
    "what is the sum product average median gcd lcm largest of and from to by as over with respect derivative"
    " integral limit approaches solve factor expand simplify prime remainder when divided add subtract multiply"
    " divide greater than percent off increase mod log base sqrt sin cbrt abs infinity pi e i x y 0 1 2 7 1/2 3.5"
    " -4 = + - * / ^ ! % ( ) , at"
)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="0123456789xyz+-*/^!%().,= sincolgqrtfad\n\\${}", max_size=25))
def test_no_signs_make_it_fail(text: str) -> None:
    answer = reply(text)
    assert answer is None or answer


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS.split()), max_size=9))
def test_no_phrase_makes_it_fail(words: list[str]) -> None:
    answer = reply(" ".join(words))
    assert answer is None or answer


@pytest.mark.parametrize("question", ["is x greater than 3", "largest of i and 2", "median of x, i"])
def test_a_question_without_sense_is_left_alone(question: str) -> None:
    assert reply(question) is None
