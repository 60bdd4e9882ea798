"""How a deadline was reckoned: the record has it in English, and the desk says all of it in Chinese."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.clocks.business_days import closed_because, spell_business_days
from domain.clocks.calendar import Calendar
from domain.clocks.deadlines import Occurred
from domain.ground.scope import Facts
from domain.ground.words import CaseEvent, Category
from domain.rules.policy import PolicyPack
from runtime.policies import load_packs
from starter.reading.foretelling import extensions_of, foretell, happening
from web.desk.reckoning import closed_in_chinese, reckoned
from web.words import words

VISIT: Final[Any] = SimpleNamespace(language="zh-CN", t=lambda key, **facts: words(key, "zh-CN", **facts))
ENGLISH: Final = re.compile(r"\b(?!UTC\b)[A-Za-z]+")


def pausing(pack: PolicyPack) -> PolicyPack:
    """As *pack*, but what the firm set itself stands still while the customer is asked, which no shipped pack has."""
    clocks = [one.model_copy(update={"pauses": one.kind == "internal"}) for one in pack.clocks]
    return pack.model_copy(update={"id": "pausing", "clocks": tuple(clocks)})


SHIPPED: Final = [pack for versions in load_packs().values() for pack in versions if not pack.demands]
PACKS: Final = [*SHIPPED, pausing(next(one for one in SHIPPED if one.id == "platform-default"))]
CALENDARS: Final = {str(pack.calendar.id): pack.calendar for pack in PACKS}
RECEIVED: Final = datetime(2026, 12, 23, 16, 30, tzinfo=UTC)


def happened(pack: PolicyPack) -> Iterator[Occurred]:
    """All that can be told of a complaint under *pack*, a day apart each; the customer is asked and answers."""
    facts = Facts(category=Category.EXECUTION)
    yield Occurred(event=CaseEvent.RECEIVED, at=RECEIVED, number=1, facts=facts)
    extended = [f"extended:{one}" for one in extensions_of(pack)]
    told = ["information_requested", "customer_replied", *extended, "responded", "disputed", "task_given"]
    for number, what in enumerate(told, 1):
        try:
            yield happening(what, RECEIVED + timedelta(days=number), pack, facts)
        except ValueError:
            continue  # these rules have no such thing


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: f"{pack.id}-{pack.version}")
def test_of_every_rule_it_is_said_in_chinese_how_its_deadlines_were_reckoned(pack: PolicyPack) -> None:
    told = [one.how for one in foretell(pack, happened(pack))]
    assert told
    for how in told:
        assert not ENGLISH.search(reckoned(VISIT, how)), how
        assert reckoned(SimpleNamespace(language="en"), how) == how  # type: ignore[arg-type]


def test_every_kind_of_step_of_a_reckoning_is_met() -> None:
    """Else the test above says nothing of it."""
    all_of_it = "\n".join(one.how for pack in PACKS for one in foretell(pack, happened(pack)))
    for step in (
        "; extended ",
        "; stood still ",
        "; provisional: ",
        " → ",
        " before",
        " after the start",
    ):
        assert step in all_of_it, step


@given(st.sampled_from(list(CALENDARS)), st.dates(date(2026, 1, 1), date(2027, 12, 31)), st.integers(1, 60))
def test_the_days_that_were_counted_and_passed_over_are_said_in_chinese(name: str, start: date, count: int) -> None:
    days = spell_business_days(CALENDARS[name], start, count)
    how = f"{count} business days from received at Mon 30 Nov 2026 19:46:33 Asia/Hong_Kong: {days} → "
    said = reckoned(VISIT, f"{how}Fri 01 Jan 2027 23:59:59; rung warning 4 hours before")
    assert not ENGLISH.search(said), days
    assert sorted(map(int, re.findall(r"\d+(?=[–日])", said))) == sorted(
        [30, 1, *(int(day) for one in re.findall(r"(\d+)(?:–(\d+))? (?=[A-Z])", days) for day in one if day)]
    )


@pytest.mark.parametrize("calendar", CALENDARS.values(), ids=lambda one: str(one.id))
def test_every_day_that_is_not_worked_has_a_name_in_chinese(calendar: Calendar) -> None:
    days = [date(2025, 1, 1) + timedelta(days=number) for number in range(8 * 365)]
    called = {why for day in days if (why := closed_because(calendar, day))}
    assert len(called) > 5
    assert [why for why in called if re.search("[A-Za-z]", closed_in_chinese(why))] == []


def test_a_day_of_the_firms_own_stands_as_it_wrote_it() -> None:
    how = "1 business day from received at Mon 30 Nov 2026 19:46:33 Asia/Hong_Kong: 2 Dec (1 Dec Move (IT), 3 floors)"
    said = reckoned(VISIT, f"{how} → Wed 02 Dec 2026 23:59:59")
    assert "12月2日（12月1日 Move (IT), 3 floors） → " in said
