"""Of the approvals of one list the first that counts is the one it rests on; one on its way is waited for."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from domain.case.approval import NotApproved, NotYetRecorded
from domain.case.approved_lists import approved_list
from domain.ground.timeline import Entry
from domain.money.amounts import Money
from domain.people.recusal import Recusal, Why
from runtime.policies import find_pack

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
HASH = "585aeea48f41"
KEPT_OUT = Recusal(person="a-3", why=Why.DECLARED, about="70010001")
VOID, VALID = "approver:a-3", "executive:e-1"


def approval(number: int, actor: str) -> Entry:
    said = {"decision": "approve", "cohort": HASH}
    return Entry(key=f"decide_incident:{number}", at=AT, kind="decide_incident", actor=actor, text="", data=said)


def rests_on(*actors: str, by: str | None) -> str:
    entries = [approval(number, actor) for number, actor in enumerate(actors, 1)]
    decision = find_pack("platform-default", date(2026, 3, 2)).decision
    harm = [Money.of(Decimal(1200), "USD")]
    return approved_list("handler:h-17", decision, HASH + "0" * 52, harm, entries, by=by, recusals=[KEPT_OUT])


@pytest.mark.parametrize("by", [None, VOID, VALID])
def test_it_rests_on_the_one_that_counts_whichever_came_first(by: str | None) -> None:
    assert rests_on(VOID, VALID, by=by) == "decide_incident:2"
    assert rests_on(VALID, VOID, by=by) == "decide_incident:1"


def test_one_that_does_not_count_hides_none_that_is_on_its_way() -> None:
    with pytest.raises(NotYetRecorded):
        rests_on(VOID, by=VALID)


@pytest.mark.parametrize("by", [None, VOID])
def test_where_nothing_is_on_its_way_it_is_refused_for_good(by: str | None) -> None:
    with pytest.raises(NotApproved, match="kept out") as refused:
        rests_on(VOID, by=by)
    assert not isinstance(refused.value, NotYetRecorded)


@pytest.mark.parametrize("by", [None, VALID])
def test_what_nobody_has_approved_yet_is_waited_for(by: str | None) -> None:
    with pytest.raises(NotYetRecorded):
        rests_on(by=by)
