"""What is owed beside money: owed once, waited for, confirmed by whom it may be, each by a clock of its own."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.case.answers import Proposal
from domain.case.case import Case
from domain.case.messages.putting_right import ConfirmRemedy, GrantRelief
from domain.case.obligations import Proof
from domain.case.remedies import (
    MONEY,
    SAID_BY_LETTER,
    check_confirmation,
    check_relief,
    confirm,
    end_relief,
    grant_relief,
    in_kind,
    outstanding,
    owe,
    promised,
    running_relief,
)
from domain.checks.findings import InKind, Investigation
from domain.checks.tolerances import Tolerances
from domain.checks.withdrawal_delay.finding import check_withdrawal_delay
from domain.clocks.deadlines import Occurred
from domain.clocks.planning import replay
from domain.ground.messages import NotAllowed
from domain.ground.people import SYSTEM, Actor
from domain.ground.words import CaseEvent, Outcome, Remedy, Role
from domain.log.trade_log import AccountEntry, EntryKind
from domain.money.amounts import Money
from runtime.policies import find_pack
from tests.case.support import complaint

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
HANDLER = Actor(id="h-17", role=Role.HANDLER)
LEAD = Actor(id="t-2", role=Role.TEAM_LEAD)


def a_case(**changes: Any) -> Case:
    case = Case.received("RD-1", complaint(), NOW)
    case.policy = find_pack("platform-default", NOW.date())
    return case.model_copy(update=changes)


def withdrawal(**changes: Any) -> AccountEntry:
    whole = {
        "entry": "w-1",
        "account": "70012345",
        "kind": EntryKind.WITHDRAWAL,
        "amount": "-500",
        "currency": "USD",
        "requested_at": NOW - timedelta(days=9),
    }
    return AccountEntry.model_validate(whole | changes)


def proposal(*remedies: Remedy, compensation: Money | None = None) -> Proposal:
    return Proposal(
        outcome=Outcome.UPHELD, compensation=compensation, remedies=remedies, reasons="x", proposed_by=SYSTEM, at=NOW
    )


def looked_at(entry: AccountEntry) -> Case:
    finding = check_withdrawal_delay(entry, as_of=NOW, tolerances=Tolerances())
    return a_case(investigation=Investigation(findings=(finding,), version=2))


@pytest.mark.parametrize(
    ("changes", "owed"),
    [
        ({}, True),  # late
        ({"requested_at": NOW - timedelta(hours=1)}, True),  # not late yet, and not paid either
        ({"requested_at": None}, True),  # nobody knows since when
        ({"booked_at": NOW + timedelta(hours=1)}, True),  # it had not left when we looked
        ({"booked_at": NOW - timedelta(hours=1)}, False),
        ({"note": "Cancelled by customer", "booked_at": NOW - timedelta(days=8)}, False),
        ({"note": "cancelled by customer"}, False),
    ],
)
def test_a_withdrawal_that_has_not_left_is_owed_whatever_the_verdict(changes: dict[str, Any], owed: bool) -> None:
    case = looked_at(withdrawal(**changes))
    assert [(one.kind, one.subject) for one in in_kind(case)] == ([(Remedy.RELEASE, "w-1")] if owed else [])
    owe(case, in_kind(case), NOW)
    owe(case, in_kind(case), NOW)
    assert len(outstanding(case)) == owed


@given(st.sets(st.sampled_from(list(Remedy))), st.booleans())
def test_whatever_a_proposal_gives_is_owed_unless_the_letter_says_it_or_the_ledger_pays_it(
    kinds: set[Remedy], with_a_sum: bool
) -> None:
    case = a_case()
    given_ = proposal(*sorted(kinds), compensation=Money(amount="5", currency="USD") if with_a_sum else None)
    owed = {one.kind for one in promised(case, given_)}
    assert owed == kinds - SAID_BY_LETTER - (MONEY if with_a_sum else set())
    owe(case, promised(case, given_), NOW)
    for one in outstanding(case):
        confirm(case, one.number, Proof(by=str(HANDLER), at=NOW, how="seen"))
    assert not outstanding(case)
    assert all(one.proof for one in case.remedies)


def test_a_remedy_is_owed_again_in_another_round_but_a_released_withdrawal_is_not() -> None:
    case = looked_at(withdrawal())
    owe(case, (*in_kind(case), *promised(case, proposal(Remedy.CORRECTION))), NOW)
    for one in outstanding(case):
        confirm(case, one.number, Proof(by="trade_log", at=NOW, how="seen"))
    case.rounds = 2
    owe(case, (*in_kind(case), *promised(case, proposal(Remedy.CORRECTION))), NOW)
    assert [one.kind for one in outstanding(case)] == [Remedy.CORRECTION]


def test_each_remedy_has_a_clock_of_its_own_and_its_confirmation_ends_no_other() -> None:
    case = a_case()
    owe(case, promised(case, proposal(Remedy.CORRECTION, Remedy.SERVICE)), NOW)
    first, second = outstanding(case)
    confirm(case, second.number, Proof(by=str(HANDLER), at=NOW + timedelta(days=1), how="seen"))
    # a new assessment moves none of them: what ends a round names the event that began it
    case.happened(CaseEvent.RECLASSIFIED, NOW + timedelta(days=2))
    received = Occurred(event=CaseEvent.RECEIVED, at=NOW, number=1)
    rounds = {one.number: one for one in replay(case.pack, [received, *case.events]) if one.clock == "remedy"}
    assert set(rounds) == {first.number, second.number}
    assert rounds[first.number].ended is None
    assert rounds[second.number].ended is not None
    assert rounds[first.number].clock_due.date() == datetime(2026, 3, 9, tzinfo=UTC).date()  # five business days


def test_relief_ends_when_it_was_said_to_and_holds_nothing_up() -> None:
    case = a_case()
    until = NOW + timedelta(days=10)
    body = {"message_id": "m-1", "actor": LEAD, "what": "The fee is not collected.", "until": until}
    message = GrantRelief.model_validate(body)
    check_relief(case, message, NOW)
    with pytest.raises(NotAllowed, match="until: it has passed"):
        check_relief(case, message, until)
    relief = grant_relief(case, message, NOW)
    clocks = {one.clock: one for one in replay(case.pack, case.events)}
    assert clocks["relief"].clock_due == until
    assert clocks["remedy"].ended is None
    assert not outstanding(case), "it is no reason not to settle"
    assert running_relief(case) == (relief,)
    end_relief(case, relief.number, "its time is over", until)
    assert end_relief(case, relief.number, "again", until) is None
    assert not running_relief(case)
    assert all(one.ended for one in replay(case.pack, case.events))


def test_what_the_firms_records_do_not_show_is_said_to_be_done_by_a_second_person() -> None:
    case = a_case()
    case.handler, case.proposers = "h-1", ["h-2"]
    (owed,) = owe(case, [InKind(kind=Remedy.RELEASE, subject="w-1")], NOW)
    for who, role, alone in (("h-1", "handler", True), ("H-2", "executive", True), ("h-3", "handler", False)):
        body = {"message_id": "m", "actor": {"id": who, "role": role}, "remedy": owed.number, "proof": "It was seen."}
        message = ConfirmRemedy.model_validate(body)
        if alone:
            with pytest.raises(NotAllowed, match="the firm's records do not show w-1 as done"):
                check_confirmation(case, message)
        else:
            check_confirmation(case, message)
    system = Actor(id="h-1", role=Role.SERVICE)
    check_confirmation(case, message.model_copy(update={"actor": system, "proof": "4711"}))
    with pytest.raises(ValidationError, match="one word shows nothing"):
        ConfirmRemedy.model_validate({**body, "proof": "done"})


@pytest.mark.parametrize(
    ("role", "lapsed", "told"),
    [
        (Role.HANDLER, False, None),
        (Role.SERVICE, False, None),
        (Role.CUSTOMER, False, "role customer may not confirm"),
        (Role.HANDLER, True, "only team_lead"),
        (Role.SERVICE, True, "only team_lead"),
        (Role.TEAM_LEAD, True, None),
        (Role.EXECUTIVE, True, "a second person does"),
    ],
)
def test_who_may_say_that_a_remedy_was_carried_out(role: Role, lapsed: bool, told: str | None) -> None:
    case = a_case()
    (owed,) = owe(case, promised(case, proposal(Remedy.CORRECTION)), NOW)
    case.proposers = ["a-2"]
    who = "a-2" if role is Role.EXECUTIVE else "a-1"
    body = {"message_id": "m-1", "actor": Actor(id=who, role=role), "proof": "It was seen.", "lapsed": lapsed}
    message = ConfirmRemedy.model_validate(body | {"remedy": owed.number})
    if told:
        with pytest.raises(NotAllowed, match=told):
            check_confirmation(case, message)
    else:
        check_confirmation(case, message)
    with pytest.raises(NotAllowed, match=f"kind: remedy {owed.number} is correction, not unfreeze"):
        check_confirmation(case, message.model_copy(update={"kind": Remedy.UNFREEZE}))
    with pytest.raises(NotAllowed, match=f"99 is not owed; owed are: {owed.number} "):
        check_confirmation(case, message.model_copy(update={"remedy": 99}))
