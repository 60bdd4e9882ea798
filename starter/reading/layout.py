"""How what people see is laid out: lines, tables, times and lengths of time. Times are UTC."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
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
