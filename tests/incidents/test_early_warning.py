"""Several complaints in a short time that point to the same thing propose an incident."""

from datetime import timedelta
from typing import Any

import pytest

from activities.case.case_file import CaseFile
from domain.ground.words import Category
from domain.incidents.incident import topics_of
from tests.case.support import RECEIVED_AT, keeping, opening
from tests.incidents.minute import SOLD, STOPPED, Pool, bad_minute, new
from tests.incidents.test_cohort import AS_OF, Desk

GOLD = ("XAUUSD",)


@pytest.mark.parametrize(
    ("texts", "topics"),
    [
        (["XAUUSD was closed at a wrong price"], ("symbol:XAUUSD",)),
        (["my xauusd, order"], ("symbol:XAUUSD",)),
        (["The gold price jumped"], ("symbol:XAUUSD",)),
        (["我的黄金多单被强平"], ("symbol:XAUUSD",)),
        (["a golden opportunity, missed"], ("service:execution",)),
        (["XAUUSDm is another instrument"], ("service:execution",)),
        (["EURUSD and silver"], ("symbol:EURUSD", "symbol:XAGUSD")),
        (["It was EUR/USD."], ("symbol:EURUSD",)),
        (["I closed EURUSD."], ("symbol:EURUSD",)),
        (["it is not my fault"], ("service:execution",)),
    ],
)
def test_a_complaint_points_to_the_instruments_it_names_or_to_the_service(
    texts: list[str], topics: tuple[str, ...]
) -> None:
    assert topics_of(Category.EXECUTION, texts, (), ("XAUUSD", "XAGUSD", "EURUSD", "IT")) == topics


def test_the_trades_it_names_tell_the_instrument_too() -> None:
    assert topics_of(Category.EXECUTION, ["my order"], ("USOIL",), GOLD) == ("symbol:USOIL",)


async def complain(case_file: CaseFile, number: int, **changes: Any) -> tuple[str, ...] | None:
    """Open a case that says nothing of an instrument; the complaints it warned of, if it did."""
    opened = await case_file.open_case(opening(str(number), description="My order was filled badly.", **changes))
    return opened.warning.complaints if opened.warning else None


async def test_the_third_complaint_of_a_day_about_one_instrument_warns_and_no_further_one_does(pool: Pool) -> None:
    await bad_minute(pool)
    case_file = keeping(pool)
    accounts = [{"account": STOPPED, "trades": ["P-1"]}, {"account": SOLD, "trades": [f"O-{SOLD}"]}]
    assert await complain(case_file, 1, **accounts[0]) is None
    assert await complain(case_file, 2, product="Gold, XAUUSD") is None
    assert await complain(case_file, 22, product="XAUUSD again") is None  # of the same account
    warned = await complain(case_file, 3, **accounts[1])
    assert warned
    assert len(warned) == 3
    assert await complain(case_file, 3, **accounts[1]) == warned  # asked again, it answers the same
    assert await complain(case_file, 4, **accounts[1]) is None
    assert await pool.fetchval("select count(*) from casefile.incident_warnings") == 1


async def test_complaints_about_a_service_point_to_it(pool: Pool) -> None:
    case_file = keeping(pool)
    for number in (1, 2):
        down = "The platform was down, I could not log in."
        await case_file.open_case(opening(str(number), description=down, account=f"7000000{number}"))
    again = "Platform outage again, I could not log in."
    opened = await case_file.open_case(opening("3", description=again, account="70000003"))
    assert opened.warning
    assert opened.warning.topic == "service:platform"


async def test_complaints_about_somebody_else_point_to_nothing_of_ours(pool: Pool) -> None:
    case_file = keeping(pool)
    for number in (1, 2, 3):
        other = {"about": "Another Broker Ltd", "policy": "demo", "product": "XAUUSD", "account": f"7000000{number}"}
        assert await complain(case_file, number, **other) is None
    assert await pool.fetchval("select count(*) from casefile.case_topics") == 0


async def test_complaints_far_apart_warn_of_nothing(pool: Pool) -> None:
    case_file = keeping(pool)
    for number in (1, 2, 3):
        at = RECEIVED_AT - timedelta(hours=13 * (3 - number))
        assert await complain(case_file, number, product="XAUUSD", received_at=at) is None


async def test_an_incident_that_is_known_is_not_warned_of(pool: Pool) -> None:
    await bad_minute(pool)
    await Desk(pool).open(new())
    case_file = keeping(pool)
    for number in (1, 2, 3):
        at = AS_OF + timedelta(minutes=number)
        assert await complain(case_file, number, account=SOLD, trades=[f"O-{SOLD}"], received_at=at) is None
    assert await pool.fetchval("select count(*) from casefile.case_topics") == 3
