"""JSON as anybody sends it, read exactly: a number that Python would change or choke on is refused by name."""

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from domain.ground.base import clean

MOST_DIGITS: Final = 40
"""Digits of a number, and places before or after its point. No field takes more; sums take 24."""
_NAME_TOLD: Final = 40


class _Unusable:
    """Stands where a number was that is refused, until it is known in which field."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


def read_json(text: str) -> Any:
    """The value of a JSON *text*; numbers with a point are ``Decimal``.

    Raises ``json.JSONDecodeError``, ``RecursionError`` where it is nested too deeply, and ``ValueError`` naming the
    field of a number that no field can take.
    """
    value = json.loads(text, parse_int=_whole, parse_float=_with_a_point, parse_constant=_constant)
    if found := _unusable(value):
        location, reason = found
        raise ValueError(f"{field_name(location)}: {reason}")
    return value


def _whole(digits: str) -> int | _Unusable:
    return int(digits) if len(digits.lstrip("-")) <= MOST_DIGITS else _TOO_LONG


def _with_a_point(digits: str) -> Decimal | _Unusable:
    try:
        number = Decimal(digits)
    except ArithmeticError:  # an exponent of twenty digits
        return _TOO_LONG
    return number if max(len(number.as_tuple().digits), abs(number.adjusted())) <= MOST_DIGITS else _TOO_LONG


def _constant(name: str) -> _Unusable:
    return _Unusable(f"{name} is no number; send a number, or leave it out")


_TOO_LONG: Final = _Unusable(f"the number is too long or too large; send at most {MOST_DIGITS} digits")


def field_name(location: Iterable[int | str]) -> str:
    """Where in a message something is, as ``compensation.amount``; ``input`` for the message itself."""
    # The name of a field that does not exist is input too: it may hold anything and be of any length.
    return ".".join(" ".join(clean(str(part)).split())[:_NAME_TOLD] for part in location) or "input"


def _unusable(value: Any) -> tuple[tuple[int | str, ...], str] | None:
    """Where the first number is that is refused, and why."""
    if isinstance(value, _Unusable):
        return (), value.reason
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        if isinstance(item, _Unusable | dict | list) and (found := _unusable(item)):
            location, reason = found
            return (key, *location), reason
    return None
