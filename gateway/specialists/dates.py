"""Questions about dates: the weekday, the days between two, what lies so many days from one."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Callable

from dateutil import parser
from dateutil.relativedelta import relativedelta
from text_to_num import alpha2digit

MAX_DATE_CHARACTERS = 40
MAX_SPAN = 100_000

_UNIT = "(?:day|week|month|year)"
_SPAN = rf"(\d{{1,6}}) ({_UNIT})s?"
_WHICH_DAY = r"(?:what|which) (?:week)?day(?: of the week)?"
_WRITTEN = re.compile(r"\d.*[-/.]\s*\d|[a-z]{3}.*\d|\d.*[a-z]{3}")
_FEASTS = {"christmas": "25 december", "new year": "1 january", "new year's eve": "31 december"}
_MONTHS = "|".join(name.lower() for name in calendar.month_name[1:])


class Dates:
    """Answers what it understands. ``today`` gives the present date."""

    def __init__(self, *, today: Callable[[], dt.date]) -> None:
        self._today = today
        forms: list[tuple[str, Callable[..., str]]] = [
            (rf"({_UNIT}s)\b.*?\b(?:between|from) (.+?) (?:and|to|until|till) (.+?)$", self._between),
            (rf"how many ({_UNIT}s)\b.*?\b(?:until|till|to|since|before) (.+?)$", self._until),
            (rf"{_WHICH_DAY} (?:is|was|will) (.+?)(?: be| on| fall on)*$", self._weekday),
            (rf"{_WHICH_DAY} (?:does|did|will) (.+?) fall(?: on)?$", self._weekday),
            (r"\b(?:week)?day of the week (?:of|for|was|is) (.+?)$", self._weekday),
            (rf"\b{_SPAN} (after|from|before) (.+?)$", self._shifted),
            (rf"\b(add|subtract) {_SPAN} (?:to|from) (.+?)$", self._moved),
            (rf"^(?:what (?:date )?is )?(.+?) (plus|minus|\+|-) {_SPAN}$", self._sum),
            (r"\b(?:today's date|(?:the )?date (?:is it )?today)$", self._present),
            (r"\b(?:is|was|will) (?:the year )?(\d{4}) (?:be )?a leap year$", self._leap),
            (rf"how many days (?:are |does )?(?:there )?(?:in |has )?({_MONTHS}),? (\d{{4}})(?: have)?$", self._length),
        ]
        self._questions = [(re.compile(form, re.IGNORECASE), answer) for form, answer in forms]

    def answer(self, text: str) -> str | None:
        """The answer to ``text``, one line without its closing mark; ``None`` for anything else."""
        text = alpha2digit(text, "en", 0)
        for pattern, answer in self._questions:
            match = pattern.search(text)
            if match:
                try:
                    return answer(*match.groups())
                except (parser.ParserError, ValueError, OverflowError):
                    continue
        return None

    def _date(self, text: str) -> dt.date:
        """A written date. Raises :class:`ValueError` for what is none."""
        text = re.sub(r"^(?:the|on|a)\s+", "", text.strip().lower())
        today = self._today()
        named = {"today": 0, "now": 0, "tomorrow": 1, "yesterday": -1}
        if text in named:
            return today + dt.timedelta(days=named[text])
        text = _FEASTS.get(text, text)
        if len(text) > MAX_DATE_CHARACTERS or not _WRITTEN.search(text):
            raise ValueError(text)
        written: dt.datetime = parser.parse(text, default=dt.datetime(today.year, 1, 1))
        return written.date()

    def _present(self) -> str:
        return self._today().isoformat()

    def _between(self, unit: str, first: str, second: str) -> str:
        return _span(unit.lower(), *sorted((self._date(first), self._date(second))))

    def _until(self, unit: str, target: str) -> str:
        today, date = self._today(), self._date(target)
        if date < today and not re.search(r"\d{4}", target):
            date = date + relativedelta(years=1)
        return _span(unit.lower(), *sorted((today, date)))

    def _weekday(self, date: str) -> str:
        return self._date(date).strftime("%A")

    def _shifted(self, count: str, unit: str, direction: str, date: str) -> str:
        return self._told(date, int(count) * (-1 if direction.lower() == "before" else 1), unit)

    def _moved(self, verb: str, count: str, unit: str, date: str) -> str:
        return self._told(date, int(count) * (1 if verb.lower() == "add" else -1), unit)

    def _sum(self, date: str, sign: str, count: str, unit: str) -> str:
        return self._told(date, int(count) * (1 if sign in ("plus", "+") else -1), unit)

    def _told(self, date: str, count: int, unit: str) -> str:
        if abs(count) > MAX_SPAN:
            raise ValueError(count)
        days = {"day": 1, "week": 7}.get(unit.lower())
        step = dt.timedelta(days=days * count) if days else relativedelta(**{f"{unit.lower()}s": count})
        return f"{self._date(date) + step:%Y-%m-%d}"

    def _leap(self, year: str) -> str:
        return f"Yes, {year} is a leap year." if calendar.isleap(int(year)) else f"No, {year} is not a leap year."

    def _length(self, month: str, year: str) -> str:
        number = [name.lower() for name in calendar.month_name].index(month.lower())
        return f"{calendar.monthrange(int(year), number)[1]} days"


def _span(unit: str, early: dt.date, late: dt.date) -> str:
    """The whole units from ``early`` to ``late``."""
    days = (late - early).days
    apart = relativedelta(late, early)
    counts = {
        "days": str(days),
        "weeks": f"{days / 7:.4g}",
        "months": str(apart.years * 12 + apart.months),
        "years": str(apart.years),
    }
    return f"{counts[unit]} {unit}"
