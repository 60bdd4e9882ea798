"""Dates and times not written year first and by 24 hours: ``13/04/2026 1:05:00 PM``, ``2026/4/13 下午 1:05:00``.

Of ``03/04/2026`` nothing tells the day from the month but a day beyond the twelfth in the same file. Where there is
none, whoever brings the file has to say.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Final


class DateOrder(StrEnum):
    """Which of the first two numbers of a date is the day."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"

    @property
    def other(self) -> "DateOrder":
        return DateOrder.MONTH_FIRST if self is DateOrder.DAY_FIRST else DateOrder.DAY_FIRST


_YEAR_LAST: Final = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?!\d)(.*)").fullmatch
_YEAR_FIRST: Final = re.compile(r"(\d{4})([./-])(\d{1,2})\2(\d{1,2})(?!\d)(.*)").fullmatch
_TIME: Final = re.compile(
    r"[\sT]*(上午|下午)?\s*(\d{1,2})(:[0-5]\d(?::[0-5]\d(?:[.,:]\d{1,9})?)?)\s*(?:([AP])\.?M\.?)?(.*)", re.IGNORECASE
).fullmatch
_BEFORE_NOON: Final = frozenset({"上午", "A"})
_NOON: Final = 12
_LAST_DAY: Final = 31


def unclear(text: str) -> str:
    """What to say of a date that is not read, where it is one whose year is last; else nothing."""
    return "; --dates says whether its day or its month comes first" if _YEAR_LAST(text) else ""


def year_first(text: str, order: DateOrder | None) -> str:
    """*text* as ``2026-04-13 13:05:00`` with what follows the time, or as it stands where it is no such time.

    Without *order* a date whose year is last is left as it stands.
    """
    if shape := _YEAR_FIRST(text):
        year, _, month, day, time = shape.groups()
    elif (shape := _YEAR_LAST(text)) and order:
        first, _, second, year, time = shape.groups()
        day, month = (first, second) if order is DateOrder.DAY_FIRST else (second, first)
    else:
        return text
    if (clock := _TIME(time)) is None:
        return f"{year}-{month:0>2}-{day:0>2}{time}"
    before, hour, rest, after, zone = clock.groups()
    if (shown := _of_24(int(hour), (before or after or "").upper())) is None:
        return text
    return f"{year}-{month:0>2}-{day:0>2} {shown:02}{rest}{zone}"


def _of_24(hour: int, half: str) -> int | None:
    """The hour of 24 that *hour* is before or after noon; ``None`` if there is none."""
    if not half:
        return hour
    if half in _BEFORE_NOON:
        return hour % _NOON if hour <= _NOON else None
    return hour % _NOON + _NOON if hour < 2 * _NOON else None


class Contradiction(ValueError):
    """The dates of a file, or what was said of them, do not agree; the text says how, and what to do."""


def order_of(dates: Iterable[str], stated: DateOrder | None) -> DateOrder | None:
    """How the *dates* of a file are written, ``None`` where their year comes first. Raises :class:`Contradiction`.

    What was *stated* decides, unless the file proves it wrong or has no such date. Where nothing was, and the first
    date has its year first, so have the others.
    """
    proofs: dict[DateOrder, str] = {}
    doubtful = ""
    found = False
    for date in dates:
        if not (shape := _YEAR_LAST(date)):
            if not (found or stated):
                return None
            continue
        found = True
        first, second = int(shape[1]), int(shape[3])
        if _NOON < first <= _LAST_DAY:
            proofs.setdefault(DateOrder.DAY_FIRST, date)
        elif _NOON < second <= _LAST_DAY:
            proofs.setdefault(DateOrder.MONTH_FIRST, date)
        elif first != second:
            doubtful = doubtful or date
    if stated and not found:
        raise Contradiction(f"its dates have the year first: --dates {stated} does not concern them. Leave it out")
    if len(proofs) > 1:
        raise Contradiction(
            f"in one of its dates the day comes first and in another the month: {', '.join(proofs.values())}"
        )
    proven = next(iter(proofs), None)
    if stated and proven not in (None, stated):
        raise Contradiction(f"--dates says {stated}, and {proofs[stated.other]} has no such month")
    if doubtful and not (stated or proven):
        raise Contradiction(
            f"its dates, such as {doubtful[:10]}, do not tell the day from the month: say --dates day-first or"
            " --dates month-first"
        )
    return (stated or proven or DateOrder.MONTH_FIRST) if found else None
