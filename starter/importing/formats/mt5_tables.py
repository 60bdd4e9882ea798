"""The tables of an MT5 report, told from their headings: which one it is, and what stands in which column.

A heading is known by its words, in any of the languages of `starter.importing.formats.mt5_words`. Where a word is not
known, the column is read by its place: the terminal writes each table in the same order in every language. That is told
to whoever imports the report, and the first row of data must fit it: types, directions and states are English always.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from starter.importing.formats.mt5_words import WORDS, meanings, plain
from starter.importing.formats.source import Unreadable

ORDERS: Final = "orders"
DEALS: Final = "deals"
POSITIONS: Final = "positions"
OPEN_POSITIONS: Final = "open positions"

_POSITION = ("time", "position", "symbol", "type", "volume", "price", "s / l", "t / p")
_ORDER = ("time", "order", "symbol", "type", "volume", "price", "s / l", "t / p")
_DEAL = ("time", "deal", "symbol", "type", "direction", "volume", "price", "order", "commission")
_CLOSED = (*_POSITION, "time 2", "price 2", "commission")
_LAYOUTS: Final[Sequence[tuple[str, tuple[str, ...]]]] = (
    (POSITIONS, (*_CLOSED, "swap", "profit")),
    (POSITIONS, (*_CLOSED, "fee", "swap", "profit")),
    (POSITIONS, (*_CLOSED, "swap", "profit", "comment")),
    (OPEN_POSITIONS, (*_POSITION, "price 2", "swap", "profit", "comment")),
    (OPEN_POSITIONS, (*_POSITION, "price 2", "swap", "profit")),
    (ORDERS, (*_ORDER, "time 2", "state", "comment")),
    (ORDERS, (*_ORDER, "price 2", "state", "comment")),
    (ORDERS, (*_ORDER, "time 2", "state")),
    (DEALS, (*_DEAL, "fee", "swap", "profit", "balance", "comment")),
    (DEALS, (*_DEAL, "swap", "profit", "balance", "comment")),
)
"""Every table as the terminal writes it. The second time and price of a table have ``2`` added."""

_COLUMNS: Final = frozenset(name for _, names in _LAYOUTS for name in names) | {"open time", "market price"}
_MEANS: Final = {"open time": "time", "market price": "price 2"}
_ESSENTIAL: Final = frozenset({"time", "symbol", "type", "volume", "price"})

DIRECTIONS: Final[Mapping[str, str]] = {"in": "open", "out": "close", "out by": "close", "in/out": "reverse"}
STATES: Final = frozenset(
    {
        *("filled", "partial", "canceled", "cancelled", "expired", "rejected", "started", "placed"),
        *("request_add", "request_modify", "request_cancel"),
    }
)

_TIME = re.compile(r"\d{4}[.\-/]\d\d[.\-/]\d\d[ T]\d\d:\d\d(?::\d\d)?(?:\.\d+)?").fullmatch
_NUMBER = re.compile(r"[+\-−]?[\d.,\s]+").fullmatch
_TICKET = re.compile(r"\d{1,20}(?:\.0)?").fullmatch
_SHAPES: Final[Mapping[str, Callable[[str], bool]]] = {
    **dict.fromkeys(("time", "time 2"), lambda text: bool(_TIME(text))),
    **dict.fromkeys(("order", "deal", "position"), lambda text: bool(_TICKET(text))),
    **dict.fromkeys(("commission", "fee", "swap", "profit", "balance"), lambda text: bool(_NUMBER(text))),
    "direction": lambda text: text.lower() in DIRECTIONS,
    "state": lambda text: text.lower() in STATES,
}


def text(cell: object) -> str:
    """The text of a cell of a workbook or page."""
    if isinstance(cell, datetime):
        return cell.strftime("%Y.%m.%d %H:%M:%S") + (f".{cell.microsecond:06}" if cell.microsecond else "")
    return "" if cell is None else str(cell).strip()


@dataclass(frozen=True)
class Table:
    """``places`` are those of its columns among the cells of a row; ``by_place`` its headings of unknown words."""

    section: str
    places: Mapping[str, int]
    by_place: tuple[str, ...] = ()

    def row(self, cells: Sequence[object]) -> dict[str, object]:
        return {name: cells[place] for name, place in self.places.items() if place < len(cells)}

    def fits(self, cells: Sequence[object]) -> bool:
        """Whether what stands in the columns can be what they are read as; an empty cell says nothing."""
        row = self.row(cells)
        return all(not (given := text(row.get(name))) or shape(given) for name, shape in _SHAPES.items() if name in row)


def tables(cells: Sequence[object]) -> list[Table]:
    """The tables that a row of headings may begin, the likeliest first; none if it is no such row.

    More than one only where words are unknown: the first row of data decides.
    """
    headings = [(place, text(cell)) for place, cell in enumerate(cells) if text(cell)]
    if len(headings) < len(_ESSENTIAL) or not all(any(map(str.isalpha, heading)) for _, heading in headings):
        return []
    language = _language([heading for _, heading in headings])
    meant = [_meant(heading, language) for _, heading in headings]
    places = [place for place, _ in headings]
    found: list[tuple[int, Table]] = []
    for section, names in _LAYOUTS:
        if len(names) != len(headings):
            continue
        known = [bool(means & _alike(name)) for means, name in zip(meant, names, strict=True)]
        if all(ours or not means for ours, means in zip(known, meant, strict=True)):
            unknown = tuple(heading for ours, (_, heading) in zip(known, headings, strict=True) if not ours)
            found.append((len(unknown), Table(section, dict(zip(names, places, strict=True)), unknown)))
    if found:
        return [table for _, table in sorted(found, key=lambda each: each[0])]
    return _by_words(meant, places)


def missing(cells: Sequence[object]) -> list[str]:
    """The columns that a row of headings lacks for any table of a report."""
    given = {_MEANS.get(name, name) for cell in cells for name in meanings(text(cell))}
    return sorted(_ESSENTIAL - given)


def _alike(name: str) -> frozenset[str]:
    """The headings that a column may have."""
    return {
        "time": frozenset({"time", "open time"}),
        "time 2": frozenset({"time"}),
        "price 2": frozenset({"price", "market price"}),
    }.get(name, frozenset({name}))


def _language(headings: Sequence[str]) -> str:
    """The language that knows most of the words."""
    words = [plain(heading) for heading in headings]
    return max(WORDS, key=lambda name: sum(word in WORDS[name] for word in words))


def _meant(heading: str, language: str) -> frozenset[str]:
    """The columns that a heading may mean: in its language, else in any."""
    return (WORDS[language].get(plain(heading), frozenset()) & _COLUMNS) or (meanings(heading) & _COLUMNS)


def _by_words(meant: Sequence[frozenset[str]], places: Sequence[int]) -> list[Table]:
    """A table with other columns than the terminal writes, where every word that counts is known."""
    names: dict[str, int] = {}
    for means, place in zip(meant, places, strict=True):
        if len(means) == 1:
            name = _MEANS.get(next(iter(means)), next(iter(means)))
            names.setdefault(name if name not in names else f"{name} 2", place)
    if not names.keys() >= _ESSENTIAL:
        return []
    section = (
        DEALS
        if {"deal", "direction"} <= names.keys()
        else ORDERS
        if {"order", "state"} <= names.keys()
        else POSITIONS
        if {"position", "time 2", "price 2"} <= names.keys()
        else OPEN_POSITIONS
        if "position" in names
        else ""
    )
    return [Table(section, names)] if section else []


def chosen(candidates: Sequence[Table], cells: Sequence[object], line: int) -> Table:
    """Which of the *candidates* has this first row of data. Raises :class:`Unreadable`."""
    fitting = [table for table in candidates if table.fits(cells)]
    if not fitting:
        if len(candidates) == 1 and not candidates[0].by_place:
            return candidates[0]  # the row is a bad one, and will be told so
        unknown = ", ".join(candidates[0].by_place)
        raise Unreadable(f"row {line}: the headings {unknown} are in no language known here: {WAY_OUT}")
    best = [table for table in fitting if len(table.by_place) == len(fitting[0].by_place)]
    if len({table.section for table in best}) > 1:
        raise Unreadable(f"row {line}: the headings do not tell which table begins there: {WAY_OUT}")
    return best[0]


WAY_OUT: Final = "choose English under View, Languages in the terminal and save the report again"
