"""Prompts of seven kinds, each with the score that its right answer implies.

Every maker draws from the generator it is given and from nothing else.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Final

from gateway.bench.demo import scores
from gateway.bench.demo.material import material
from gateway.bench.demo.sums import sum_question

Score = Callable[[str], float]

LABELS: Final = ("positive", "negative")
_MISSPELT = re.compile(r"(\w+)\|(\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One prompt. ``max_tokens`` is ample for a good answer of its kind, for whoever gives it."""

    kind: str
    prompt: str
    max_tokens: int
    score: Score


def arithmetic(random: Random) -> Task:
    """A sum, a percentage or the like, in words or in notation."""
    question, value = sum_question(random)
    score = partial(scores.number, right=value, prompt=question)
    return Task(kind="sums", prompt=question, max_tokens=24, score=score)


def review(random: Random) -> Task:
    """A review to be called positive or negative."""
    source = material().reviews
    subject, right = random.choice(source.subjects), random.choice(LABELS)
    said = random.sample(subject.positive if right == "positive" else subject.negative, random.randint(2, 3))
    if random.random() < 0.3:
        said.insert(random.randrange(2), random.choice(source.asides))
    text = " ".join(said).replace("{thing}", random.choice(subject.things))
    prompt = random.choice(source.questions).replace("{review}", text)
    wrong = [each for each in LABELS if each != right]
    return Task(kind="reviews", prompt=prompt, max_tokens=24, score=partial(scores.label, right=right, wrong=wrong))


def text(random: Random) -> Task:
    """A news story to be summarised."""
    source = material().texts
    story = random.choice(source.subjects)
    first, *rest = story.sentences
    places = sorted(random.sample(range(len(rest)), random.randint(4, len(rest))))
    filled = " ".join([first, *(rest[place] for place in places)])
    for slot in re.findall(r"\{\w+\}", filled):
        filled = filled.replace(slot, _slot(random, slot), 1)
    prompt = random.choice(source.questions).replace("{text}", filled)
    return Task(kind="texts", prompt=prompt, max_tokens=72, score=partial(scores.summary, text=filled, keys=story.keys))


def _slot(random: Random, slot: str) -> str:
    return {
        "{town}": random.choice(material().texts.towns),
        "{day}": random.choice(list(calendar.day_name)),
        "{month}": random.choice(list(calendar.month_name)[1:]),
        "{number}": str(random.randint(3, 40)),
    }[slot]


def misspelling(random: Random) -> Task:
    """A sentence, or two, with misspelt words."""
    source = material().misspellings
    chosen = " ".join(random.sample(source.sentences, random.choice((1, 1, 2))))
    pairs = _MISSPELT.findall(chosen)
    prompt = random.choice(source.questions).replace("{text}", _MISSPELT.sub(r"\2", chosen))
    score = partial(scores.correction, right=[good for good, _ in pairs], wrong=[bad for _, bad in pairs])
    return Task(kind="spelling", prompt=prompt, max_tokens=40, score=score)


def snippet(random: Random) -> Task:
    """Code whose language is asked for."""
    source = material().snippets
    language = random.choice(sorted(source.languages))
    code = random.choice(source.languages[language])
    code = code.replace("NAME", random.choice(source.names)).replace("WORD", random.choice(source.words))
    prompt = random.choice(source.questions).replace("{code}", code)
    names = source.aliases.get(language, [language])
    return Task(kind="code", prompt=prompt, max_tokens=24, score=partial(scores.name, names=names))


def measure(random: Random) -> Task:
    """A conversion, or a question about a date."""
    make = random.choice((_conversion, _conversion, _temperature, _weekday, _days_between, _leap_year))
    prompt, score = make(random)
    return Task(kind="units", prompt=prompt, max_tokens=24, score=score)


def _conversion(random: Random) -> tuple[str, Score]:
    source, target, factor = random.choice(material().conversions)
    amount = random.choice((random.randint(2, 60), random.randint(5, 900) / 10))
    form = random.choice(
        (
            "Convert {amount} {source} to {target}.",
            "How many {target} are {amount} {source}?",
            "What is {amount} {source} in {target}?",
            "Please convert {amount} {source} into {target}.",
        )
    )
    prompt = form.format(amount=f"{amount:g}", source=source, target=target)
    return prompt, partial(scores.number, right=amount * factor, prompt=prompt, tolerance=0.01)


def _temperature(random: Random) -> tuple[str, Score]:
    degrees = random.randint(-4, 22) * 5
    if random.random() < 0.5:
        prompt, right = f"What is {degrees} degrees Fahrenheit in Celsius?", (degrees - 32) / 1.8
    else:
        prompt, right = f"Convert {degrees} degrees Celsius to Fahrenheit.", degrees * 1.8 + 32
    return prompt, partial(scores.number, right=right, prompt=prompt, tolerance=0.01)


def _weekday(random: Random) -> tuple[str, Score]:
    date = _date(random)
    form = random.choice(("What day of the week was {date}?", "Which day of the week was {date}?"))
    return form.format(date=_written(date)), partial(scores.name, names=[f"{date:%A}"])


def _days_between(random: Random) -> tuple[str, Score]:
    first = _date(random)
    last = first + dt.timedelta(days=random.randint(8, 300))
    prompt = f"How many days are there between {_written(first)} and {_written(last)}?"
    return prompt, partial(scores.number, right=(last - first).days, prompt=prompt)


def _leap_year(random: Random) -> tuple[str, Score]:
    year = random.randint(1950, 2060)
    leap = calendar.isleap(year)
    forms = ("Is {year} a leap year?", "Was the year {year} a leap year?")
    score = partial(scores.label, right="yes" if leap else "no", wrong=["no" if leap else "yes"])
    return random.choice(forms).format(year=year), score


def _date(random: Random) -> dt.date:
    return dt.date(1960, 1, 1) + dt.timedelta(days=random.randrange(24_000))


def _written(date: dt.date) -> str:
    return f"{date:%B} {date.day}, {date.year}"


def chat(random: Random) -> Task:
    """A question of fact, or an open request."""
    source = material().chat
    if random.random() < 0.5:
        question, right = random.choice(source.facts)
        prompt = random.choice(source.openers).format(question=question)
        return Task(kind="chat", prompt=prompt, max_tokens=32, score=partial(scores.name, names=[right]))
    topic = random.choice(source.topics)
    prompt = random.choice(source.requests).format(topic=topic)
    return Task(kind="chat", prompt=prompt, max_tokens=48, score=partial(scores.fluent, topic=topic))


MAKERS: Final = {
    "sums": arithmetic,
    "reviews": review,
    "texts": text,
    "chat": chat,
    "spelling": misspelling,
    "code": snippet,
    "units": measure,
}
"""A maker of tasks for each kind."""
