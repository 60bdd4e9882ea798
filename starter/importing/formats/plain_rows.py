"""Rows of the trade log's CSV in plain form: text that PostgreSQL may read as it stands.

Rows come in tens of millions, and a model for each makes reading them thirty times as slow. A plain row is written as
nearly every export writes it: no quotes, no spaces around values, instants in UTC with ``Z``. Its shape is told from
the annotations of its model, and what a shape cannot tell (that the day exists, that the bid is not above the ask) is
checked by the table, whose checks are those of the model. So a plain row which its table takes is one that the model
takes, to the same values: a property test holds the two together. Every other row is for the model to judge.
"""

import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from enum import StrEnum
from os.path import commonprefix
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

from domain.ground.base import Identifier, Instant, Line
from domain.log.trade_log import Lots, Price
from domain.money.amounts import Amount
from starter.importing.formats.kinds import Kind
from starter.importing.formats.trade_log_csv import Layout

_KINDS: Final = frozenset({Kind.QUOTES, Kind.BARS, Kind.ORDERS, Kind.FILLS, Kind.POSITIONS})
"""What comes in masses, and whose tables have every check of the model."""

# Possessive throughout (`}+`, `?+`): nothing is ever tried in a second way, which makes it twice as fast.
_SHAPES: Final[Mapping[Any, str]] = {
    Identifier: r"[A-Za-z0-9][A-Za-z0-9._:@/#-]{0,99}+",
    Instant: (
        r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
        r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6}+)?+Z"
    ),
    Price: r"[0-9]{1,10}+(?:\.[0-9]{1,8}+)?+",
    Lots: r"[0-9]{1,8}+(?:\.[0-9]{1,6}+)?+",
    Amount: r"[+-]?+[0-9]{1,14}+(?:\.[0-9]{1,10}+)?+",
    Decimal: r"[+-]?+[0-9]{1,24}+(?:\.[0-9]{1,24}+)?+",
    int: r"[0-9]{1,9}+",
    # printable ASCII without comma and quote, no space at either end
    Line: r"[!#-+\--~](?:[ !#-+\--~]{0,198}[!#-+\--~])?",
}


def plain_rows(layout: Layout, symbols: Collection[str], *, line_end: str, most: int) -> re.Pattern[str] | None:
    """Matches up to *most* plain rows, each with *line_end*; ``None`` where no row of *layout* can be plain.

    *symbols* are the known instruments. The columns of the rows are those of the layout, an empty value is an absent
    one, and what the layout leaves out is absent.
    """
    kind = layout.kind
    if kind not in _KINDS or layout.width is not None or layout.told_beside or not symbols:
        return None
    fields, hints = kind.model.model_fields, get_type_hints(kind.model, include_extras=True)
    if any(not field.is_required() and field.default is not None and name not in layout.columns
           for name, field in fields.items()):  # fmt: skip
        return None  # the database would have to know the default
    cells = []
    for name in layout.columns:
        field = fields[name]
        shape = _any_of(symbols) if name == "symbol" else _shape(hints[name])
        cells.append(f"(?:{shape})?+" if not field.is_required() and field.default is None else shape)
    return re.compile(f"(?:{','.join(cells)}{re.escape(line_end)}){{1,{most}}}+")


def _shape(annotation: Any) -> str:
    if annotation in _SHAPES:
        return _SHAPES[annotation]
    if get_origin(annotation) is Literal:
        return _any_of(get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return _any_of([member.value for member in annotation])
    return next(filter(None, map(_shape, get_args(annotation))), "")


def _any_of(words: Collection[str]) -> str:
    """Matches one of *words*, of which there may be thousands: each letter is decided once."""
    start = commonprefix(list(words))  # noqa: RUF071 (of text, no path)
    rest: dict[str, set[str]] = {}
    for word in words:
        rest.setdefault(word[len(start) : len(start) + 1], set()).add(word[len(start) :])
    if len(rest) == 1:
        return re.escape(start)
    return f"{re.escape(start)}(?:{'|'.join(_any_of(rest[first]) for first in sorted(rest, reverse=True))})"
