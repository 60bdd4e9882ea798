"""JSON is read exactly, or refused by the name of the field."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ground.json_text import MOST_DIGITS, read_json

NUMBERS = st.one_of(
    st.integers(-(10**MOST_DIGITS) + 1, 10**MOST_DIGITS - 1),
    st.decimals(-(10**12), 10**12, allow_nan=False, allow_infinity=False, places=10),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.text(), NUMBERS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(), inner, max_size=4)),
)


def written(value: Any) -> str:
    """*value* as JSON, a ``Decimal`` with every digit it has."""
    match value:
        case Decimal():
            return f"{value:f}" if value.as_tuple().exponent else f"{value:f}.0"
        case dict():
            return "{" + ", ".join(f"{json.dumps(key)}: {written(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(written, value)) + "]"
        case _:
            return json.dumps(value)


@given(VALUES)
def test_what_was_written_is_read_to_the_last_digit(value: Any) -> None:
    assert read_json(written(value)) == value


@pytest.mark.parametrize(
    "number",
    [
        "9" * 41,
        "-" + "9" * 10_000,
        "0." + "1" * 10_000,
        "1" * 10_000 + ".5",
        "1e400",
        "-1E+41",
        "1e-400",
        "1e99999999999999999999",
        "NaN",
        "Infinity",
        "-Infinity",
    ],
    ids=lambda number: number[:12],
)
def test_a_number_that_no_field_can_take_is_refused_with_its_field_and_the_way_out(number: str) -> None:
    text = f'{{"compensation": {{"parts": ["1", {{"amount": {number}}}]}}, "level": 2}}'
    with pytest.raises(ValueError, match=r"^compensation\.parts\.1\.amount: .*; send ") as refused:
        read_json(text)
    assert len(str(refused.value)) < 120
    with pytest.raises(ValueError, match=r"^input: "):
        read_json(number)


@pytest.mark.parametrize("number", ["9" * 40, "1e40", "-0", "0.0000000001", "1E-10"])
def test_other_numbers_are_taken(number: str) -> None:
    assert read_json(f"[{number}]") == [Decimal(number)]


def test_a_number_that_is_replaced_in_its_own_object_counts_for_nothing() -> None:
    assert read_json('{"level": 1e400, "level": 2}') == {"level": 2}
