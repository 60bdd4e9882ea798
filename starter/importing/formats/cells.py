"""The cells of a CSV file: how each is read, why it cannot be, and how it is written."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import Any, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AwareDatetime, ValidationError

from domain.ground.base import Record
from domain.ground.shapes import SHAPES
from starter.importing.formats.date_order import DateOrder, unclear, year_first
from starter.importing.formats.server_clock import ServerClock

Cells = tuple[str | None, ...]
"""A row in the order of ``Kind.columns``, ``None`` where a value is absent. Both
:meth:`~starter.importing.formats.trade_log_csv.Layout.parse` and PostgreSQL read these texts as the same values:
decimals as they were written, instants with their offset."""


class BadCell(ValueError):
    """A cell that cannot be read, with the reason and the way out."""


_DECIMAL = re.compile(r"[+-]?[0-9]{1,24}(\.[0-9]{1,24})?").fullmatch
_WHOLE = re.compile(r"[0-9]{1,9}").fullmatch
PRICE = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,8})?").fullmatch
SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/#-]{0,99}").fullmatch
PLAIN_UTC = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z").fullmatch
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?").fullmatch
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
).fullmatch


def _decimal(cell: str) -> Decimal:
    if _DECIMAL(cell) is None:
        raise BadCell("must be a decimal number with a point and no thousands separators, such as 1935.25")
    return Decimal(cell)


def _whole(cell: str) -> int:
    if _WHOLE(cell) is None:
        raise BadCell("must be a whole number")
    return int(cell)


def _instant(cell: str, clock: ServerClock | None, dates: DateOrder | None) -> datetime:
    shape = _INSTANT(cell) or _INSTANT(cell := year_first(cell, dates))
    if shape is None:
        raise BadCell(f"must be an ISO 8601 instant such as 2023-11-12T23:30:00.250Z{unclear(cell)}")
    if shape[1] is None and clock is None:
        raise BadCell("has no UTC offset: end it with Z if it is in UTC, else with its offset such as +02:00")
    try:
        read = datetime.fromisoformat(cell)
        if shape[1] is not None or clock is None:
            return read.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadCell("is not a moment of the calendar and clock") from None
    readings = clock.readings(read)
    if len(readings) != 1:
        raise BadCell(f"the clock {clock.name} showed this time {'twice' if readings else 'never'}: give its offset")
    return readings[0]


def _day(cell: str, dates: DateOrder | None) -> date:
    try:
        if _DAY(cell := year_first(cell, dates)) is not None:
            return date.fromisoformat(cell)
    except ValueError:
        raise BadCell("is not a day of the calendar") from None
    raise BadCell(f"must be a day such as 2023-11-12{unclear(cell)}")


def _time(cell: str) -> time:
    try:
        if _TIME(cell) is not None:
            return time.fromisoformat(cell)
    except ValueError:
        raise BadCell("is not a time of the day") from None
    raise BadCell("must be a time of the day such as 17:00, without an offset")


def _zone(cell: str) -> str:
    # The model cannot ask: it is used in workflows, which open no file.
    try:
        ZoneInfo(cell)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadCell("is not a known time zone: give its name, such as America/New_York or Asia/Hong_Kong") from None
    return cell


def reader_of(
    name: str, annotation: Any, clock: ServerClock | None, dates: DateOrder | None = None
) -> Callable[[str], object]:
    """How a cell of a field of this name and annotation is read, before the model judges the value."""
    if name == "zone":
        return _zone
    readers = (
        (Decimal, _decimal),
        (AwareDatetime, partial(_instant, clock=clock, dates=dates)),
        (date, partial(_day, dates=dates)),
        (time, _time),
        (int, _whole),
        (StrEnum, str.lower),
    )
    for type_, read in readers:
        if _mentions(annotation, type_):
            return read
    return str


def is_dated(annotation: Any) -> bool:
    """Whether a field of this annotation holds an instant or a day."""
    return _mentions(annotation, AwareDatetime) or _mentions(annotation, date)


def _mentions(annotation: Any, type_: Any) -> bool:
    if isinstance(annotation, type) and type_ is StrEnum:
        return issubclass(annotation, StrEnum)
    return annotation is type_ or any(_mentions(part, type_) for part in get_args(annotation))


# What pydantic calls the mistake -> what is wrong and the way out. `{name}` comes from the error's context.
_REASONS: Mapping[str, str] = {
    "enum": "must be one of {expected}",
    "literal_error": "must be one of {expected}",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
    "decimal_max_digits": "has more than {max_digits} digits",
    "decimal_max_places": "has more than {decimal_places} digits after the point",
    "decimal_whole_digits": "has more than {whole_digits} digits before the point",
    "string_too_long": "is longer than {max_length} characters",
    "value_error": "{error}",
}


_EMAIL_REASON = "must be an e-mail address such as name@example.com"


def reason_of(error: ValidationError) -> tuple[str | None, str]:
    """The field that a row was refused for, if it is one, and why, without repeating what the row says."""
    first = error.errors(include_url=False)[0]
    field = str(first["loc"][0]) if first["loc"] else None
    about = first.get("ctx", {})
    if first["type"] == "string_pattern_mismatch":
        return field, SHAPES[about["pattern"]]
    if first["type"] == "value_error" and "error" not in about:
        return field, _EMAIL_REASON  # what the library says of an address may repeat parts of it
    template = _REASONS.get(first["type"])
    return field, first["msg"] if template is None else template.format(**about)


def to_cells(record: Record) -> Cells:
    """*record* as a row of its kind."""
    return tuple(_to_cell(getattr(record, name)) for name in type(record).model_fields)


def _to_cell(value: str | Decimal | date | time | int | None) -> str | None:
    match value:
        case None:
            return None
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case Decimal():
            return format(value, "f")  # never 1E+3
        case _:
            return str(value)
