"""How a deadline was reckoned, in the words of who reads: the record has it as it was reckoned, in English."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from babel.dates import get_timezone_name

from web.desk.sentences import in_words, spoken
from web.rendering import LOCALES
from web.visit import Visit


def reckoned(visit: Visit, how: str) -> str:
    """*how* a deadline was found, as `domain.clocks.deadlines.Deadline` has it, in the visitor's language."""
    if visit.language == "en":
        return how
    return "；".join(_part(visit, part) for part in _BETWEEN.split(how))


_WEEK: Final = dict(zip(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), "一二三四五六日", strict=True))
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_BETWEEN: Final = re.compile("; (?=extended |stood still |provisional: |rung )")
_MONTH: Final = f"(?P<month>{'|'.join(_MONTHS)})"
_MOMENT: Final = re.compile(
    rf"(?P<week>{'|'.join(_WEEK)}) (?P<day>\d\d) {_MONTH} (?P<year>\d{{4}})(?: (?P<time>\d\d:\d\d:\d\d))?"
)
_DAY: Final = re.compile(rf"(?P<day>\d\d?)(?:–(?P<to>\d\d?))? {_MONTH}(?: (?P<year>\d{{4}}))?")
_NEXT: Final = re.compile(rf", (?=\d\d?(?:–\d\d?)? (?:{'|'.join(_MONTHS)})|working )")
_CLOSED: Final = re.compile(rf"{_DAY.pattern}(?:–{_DAY.pattern.replace('?P<', '?P<last_')})? (?P<why>\D.*)")
_START: Final = re.compile(
    r"(?P<at>.+?) (?P<zone>[A-Z]\S+?)(?:, which counts as (?P<as>.+?))?(?P<first>, the first .+)?"
)


@cache
def _table(name: str) -> Mapping[str, str]:
    table: dict[str, dict[str, str]] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return table[name]


@cache
def _parts() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple(
        (re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", re.escape(text))), said)
        for text, said in _table("parts").items()
    )


def _part(visit: Visit, part: str) -> str:
    for known, said in _parts():
        if found := known.fullmatch(part):
            return said.format(**{name: _SPOKEN[name](visit, text) for name, text in found.groupdict().items()})
    return part


def _moment(_visit: Visit, text: str) -> str:
    """Thu 24 Dec 2026 23:59:59."""
    return _MOMENT.sub(lambda one: f"{one['year']}年{_day_of(one)}（周{_WEEK[one['week']]}）{one['time'] or ''}", text)


def _start(visit: Visit, text: str) -> str:
    """Thu 24 Dec 2026 23:59:59 Europe/London, which counts as Tue 29 Dec 2026, the first day counting."""
    if not (found := _START.fullmatch(text)):
        return text
    counts = f"，计为 {_moment(visit, found['as'])}" if found["as"] else ""
    zone = found["zone"]
    named = zone if zone == "UTC" else get_timezone_name(zone, locale=LOCALES[visit.language])
    return f"{_moment(visit, found['at'])} {named}{counts}{'，首日计入' if found['first'] else ''}"


def _days(_visit: Visit, text: str) -> str:
    """24 Dec, 29 Dec (25 Dec Christmas Day, 26–27 Dec weekend), …, 4 Jan 2027."""
    told = []
    for one in _listed(text):
        day, bracket, remarks = one.partition(" (")
        passed = f"（{_remarks(remarks.removesuffix(')'))}）" if bracket else ""
        told.append(_DAY.sub(_named, day) + passed)
    return "、".join(told)


def _listed(text: str) -> Iterator[str]:
    """What stands between commas, but those in brackets."""
    depth, begun = 0, 0
    for place, letter in enumerate(text):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth == 0 and text.startswith(", ", place):
            yield text[begun:place]
            begun = place + 2
    yield text[begun:]


def _remarks(text: str) -> str:
    """Why days were passed over, or worked."""
    return "、".join(_remark(one) for one in _NEXT.split(text))


def _remark(text: str) -> str:
    found = _CLOSED.fullmatch(text)
    if not found:
        return closed_in_chinese(text)
    until = f"–{found['last_month']}" if found["last_month"] else ""
    days = text.removesuffix(f" {found['why']}")
    return f"{_DAY.sub(_named, days) if until else _named(found)} {closed_in_chinese(found['why'])}"


def closed_in_chinese(why: str) -> str:
    """What a day is called that is not worked, or is although others are not; what no table has, as it came."""
    known = _table("closed")
    if why in known:
        return known[why]
    for text, said in known.items():
        before, fact, after = text.partition("{}")
        if fact and why.startswith(before) and why.endswith(after):
            return said.replace("{}", closed_in_chinese(why[len(before) : len(why) - len(after)]))
    return why


def _named(one: re.Match[str]) -> str:
    year = f"{one['year']}年" if one["year"] else ""
    return year + _day_of(one) if not one["to"] else f"{year}{_number(one['month'])}月{one['day']}–{one['to']}日"


def _day_of(one: re.Match[str]) -> str:
    return f"{_number(one['month'])}月{int(one['day'])}日"


def _number(month: str) -> int:
    return _MONTHS.index(month) + 1


_SPOKEN: Final[Mapping[str, Callable[[Visit, str], Any]]] = {
    "end": _moment,
    "start": _start,
    "days": _days,
    "length": lambda visit, text: in_words(visit, text, fact=True),
    "event": lambda visit, text: spoken(visit, text.replace(" ", "_"), "CaseEvent"),
    "extension": lambda visit, text: spoken(visit, text, "Extension"),
    "rung": lambda visit, text: spoken(visit, text, "Rung"),
    "day": lambda _, text: text,
    "time": lambda _, text: text,
}
