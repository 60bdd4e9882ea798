"""How what people see is laid out: lines, tables, times and lengths of time. Times are UTC."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Final

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

NONE: Final = "–"


def line(text: str, style: str = "") -> Text:
    """A line of text as it is, whatever marks are in it."""
    return Text(text, style=style)


def whole(text: str, style: str = "") -> Text:
    """A line to be copied from, such as a path: never broken."""
    return Text(text, style=style, no_wrap=True)


def when(instant: datetime) -> str:
    """``2026-03-02 09:15``, UTC."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M}"


def exactly(instant: datetime) -> str:
    """``2026-03-02 09:15:07``, UTC."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def span(length: timedelta, units: int = 2) -> str:
    """A length of time in its largest units, such as ``3 d 4 h``; its sign is left out."""
    seconds = abs(int(length.total_seconds()))
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, seconds = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")]
    while len(parts) > 1 and not parts[0][0]:
        parts.pop(0)
    return " ".join(f"{count} {unit}" for count, unit in parts[:units] if count or len(parts) == 1)


def from_now(instant: datetime, now: datetime, units: int = 2) -> str:
    """``in 3 d 4 h`` or ``2 h ago``."""
    return f"in {span(instant - now, units)}" if instant > now else f"{span(now - instant, units)} ago"


def spoken(word: str) -> str:
    """A word of the field as people write it."""
    return word.replace("_", " ")


def plainly(text: str) -> str:
    """What the service wrote, with its words of the field as people write them: names and numbers stay as they are."""
    return _words_of_the_field().sub(lambda found: spoken(found[0]), text)


@cache
def _words_of_the_field() -> re.Pattern[str]:
    import domain.checks.findings
    import domain.money.parts
    import domain.people.matching
    import domain.rules.deciding
    import domain.rules.routes  # noqa: F401 (each has words)

    words = {one.value for kind in _kinds(StrEnum) for one in kind if "_" in one.value}
    longest_first = sorted(words, key=lambda one: (-len(one), one))
    return re.compile(rf"(?<![\w./:-])(?:{'|'.join(map(re.escape, longest_first))})(?![\w/-])")


def _kinds(root: type[StrEnum]) -> Iterator[type[StrEnum]]:
    """The vocabularies of the domain that are loaded."""
    for kind in root.__subclasses__():
        if kind.__module__.startswith("domain."):
            yield kind
        yield from _kinds(kind)


def table(*columns: str, right: Iterable[str] = (), unbroken: Iterable[str] = ()) -> Table:
    """An empty table. Nothing in it is cut off, and columns *unbroken* are not broken into lines either."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for name in columns:
        made.add_column(name, overflow="fold", no_wrap=name in unbroken, justify="right" if name in right else "left")
    return made


def facts(pairs: Mapping[str, RenderableType | None]) -> Table:
    """Names and values under each other; what is ``None`` is left out."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True, min_width=13)
    grid.add_column(overflow="fold")
    for name, value in pairs.items():
        if value is not None:
            grid.add_row(name, line(value) if isinstance(value, str) else value)
    return grid
