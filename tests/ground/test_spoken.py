"""What is put into sentences: lists, durations and lengths of time, as each language writes them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.clocks.clock import Length
from domain.ground.spoken import in_units, lasting, listed, said, topic
from domain.ground.words import Category
from tests.speech import identifiers

UNITS = tuple(Length.model_fields)


@pytest.mark.parametrize(
    ("names", "en", "zh"),
    [
        ([], "", ""),
        (["a"], "a", "a"),
        (["a", "b"], "a and b", "a和b"),
        (["a", "b", "c"], "a, b and c", "a、b和c"),
    ],
)
def test_a_list_reads_as_each_language_writes_it(names: list[str], en: str, zh: str) -> None:
    assert listed(said(name, name) for name in names) == said(en, zh)


@pytest.mark.parametrize(
    ("duration", "most", "en", "zh"),
    [
        (timedelta(days=5, hours=1, minutes=20), 4, "5 days 1 hour 20 minutes", "5天1小时20分钟"),
        (timedelta(days=5, hours=1, minutes=20), 2, "5 days 1 hour", "5天1小时"),
        (timedelta(seconds=1, microseconds=999_999), 4, "1 second", "1秒"),
        (timedelta(days=1, seconds=2), 4, "1 day 2 seconds", "1天2秒"),
        (timedelta(microseconds=1), 4, "less than a second", "不足1秒"),
    ],
)
def test_a_duration_is_told_in_its_largest_units(duration: timedelta, most: int, en: str, zh: str) -> None:
    assert lasting(duration, most=most) == said(en, zh)


@pytest.mark.parametrize("unit", UNITS)
@given(count=st.integers(0, 999))
def test_every_unit_of_a_policy_pack_has_words_in_both_languages(unit: str, count: int) -> None:
    told = in_units(count, unit)
    assert told.en.startswith(f"{count} ")
    assert told.en.endswith("s") == (count != 1)
    assert told.zh.startswith(str(count))
    assert not set(told.zh.lower()) & set("abcdefghijklmnopqrstuvwxyz_")


@pytest.mark.parametrize("category", Category)
def test_what_complaints_together_point_to_is_said_in_words(category: Category) -> None:
    told = topic(f"service:{category}")
    assert not identifiers(told.en, "en")
    assert not identifiers(told.zh, "zh-CN")
    assert topic("symbol:XAUUSD") == said("XAUUSD", "XAUUSD")
