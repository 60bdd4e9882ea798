"""Whoever writes into the record what nobody signed is paid nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.case.approval import CaseRecord, NotApproved, NotYetRecorded, approved_award
from domain.case.approved_payments import check_paid_again, payee_of
from domain.case.case import Case
from domain.case.complaint import Complaint
from domain.case.messages.table import UPDATES
from domain.ground.people import Actor
from domain.ground.timeline import Entry
from domain.people.actors import Person
from runtime.identity.issuing import TokenIssuer
from runtime.identity.verifying import Verifier
from runtime.policies import find_pack
from runtime.settings import load_settings
from tests.case import test_approvals
from tests.case.support import RECEIVED_AT, complaint, usd
from tests.case.test_approvals import BIG, money, noted, proposal
from tests.signing import the_issuer

KINDS = {kind.name: kind for kind in UPDATES}
REFERENCE = complaint().reference


def signed(entry: Entry, reference: str = REFERENCE, at: timedelta = timedelta(0), **changes: Any) -> Entry:
    """*entry* with a token, as its actor would have it for a message of its own, or for one with these *changes*."""
    said = {name: value for name, value in entry.data.items() if name != "round"}
    actor = Actor.named(entry.actor)
    message = KINDS[entry.kind].model_validate({"message_id": entry.key, **said, "actor": actor, **changes})
    now: Callable[[], datetime] = lambda: datetime.now(RECEIVED_AT.tzinfo) + at  # noqa: E731
    issuer = TokenIssuer(the_issuer().key, clock=now)
    token = issuer.token(Person.of(message.actor), reference, message)
    return entry.model_copy(update={"token": token, "data": {"message_id": entry.key, **entry.data}})


def approval(actor: str = "executive:e-1", **said: Any) -> Entry:
    """Of the proposal under the id that its key gives it."""
    return test_approvals.approval(actor, of=proposal(message_id="propose_resolution:10"), **said)


def record(*entries: Entry) -> CaseRecord:
    given = complaint(account="70012345")
    case = Case.received(REFERENCE, Complaint.model_validate(given), RECEIVED_AT)
    case.policy = find_pack("platform-default", RECEIVED_AT.date())
    return CaseRecord(case, entries, {}, proofs=Verifier.of(load_settings()))


def of_round(entry: Entry, round_: int, key: str) -> Entry:
    return entry.model_copy(update={"key": key, "data": {**entry.data, "round": round_}})


def test_an_award_stands_that_two_persons_signed() -> None:
    proposed, approved = signed(proposal()), signed(approval())
    assert approved_award(record(proposed, approved), 1).compensation == BIG


FORGED: dict[str, tuple[Callable[[], tuple[Entry, ...]], str]] = {
    "neither is signed": (lambda: (proposal(), approval()), "no token"),
    "the approval is not signed": (lambda: (signed(proposal()), approval()), "no token"),
    "the approval is of another case": (
        lambda: (signed(proposal()), signed(approval(), reference="RD-C6SS-7HAV-35VTA")),
        "another case",
    ),
    "the sum was changed afterwards": (
        lambda: (
            (one := signed(proposal())).model_copy(update={"data": one.data | {"compensation": money(usd("9000"))}}),
            signed(approval()),
        ),
        "another content",
    ),
    "somebody else is named as who approved": (
        lambda: (signed(proposal()), signed(approval()).model_copy(update={"actor": "executive:e-2"})),
        "somebody else",
    ),
    "a role is named that was not signed": (
        lambda: (
            signed(proposal()),
            signed(approval("team_lead:e-1")).model_copy(update={"actor": "executive:e-1"}),
        ),
        "does not say that the actor is executive",
    ),
    "what was said in round 1 is said again in round 2": (
        lambda: (
            *(first := (signed(proposal()), signed(approval()))),
            of_round(first[0], 2, "propose_resolution:30"),
            of_round(first[1], 2, "decide_resolution:31"),
        ),
        "decided in an earlier round",
    ),
    "an approval from before the proposal": (
        lambda: (signed(proposal()), signed(approval(), at=-timedelta(hours=1))),
        "signed before the proposal",
    ),
}


@pytest.mark.parametrize("what", FORGED)
def test_a_decision_that_was_not_signed_as_it_stands_carries_no_award(what: str) -> None:
    forge, reason = FORGED[what]
    entries = forge()
    with pytest.raises(NotApproved, match=reason):
        approved_award(record(*entries), max(entry.data["round"] for entry in entries))


def test_the_account_that_is_paid_to_and_another_payment_are_signed_as_well() -> None:
    corrected = noted("add_evidence:3", "handler:h-17", None, note="The right one.", account="70099999")
    payee = noted("retry_payment:40", "approver:a-3", reason="It moved.", payee="70099999")
    for entry in (corrected, payee):
        with pytest.raises(NotApproved, match="no token"):
            payee_of(record(entry))
        assert payee_of(record(signed(proposal("handler:h-9")), signed(entry))) == "70099999"
    with pytest.raises(NotApproved, match="no token"):
        check_paid_again(record(payee), "rail:bank")
    for said in (
        noted("reclassify:4", "handler:h-17", None, reason="It is small.", severity="low"),
        noted("verify_complainant:5", "handler:h-17", None, result="verified", how="Called back."),
    ):
        with pytest.raises(NotApproved, match="no token"):
            record(said).as_of(1)
    once = signed(payee)
    with pytest.raises(NotApproved, match="said once, in another round"):
        check_paid_again(record(once, of_round(once, 2, "retry_payment:50")), "rail:bank")


def believed(*entries: Entry) -> CaseRecord:
    """A record whose entries need no token."""
    return replace(record(*entries), proofs=None)


def test_a_payment_that_came_back_waits_for_whoever_has_it_paid_again_and_counts_nobody_from_before() -> None:
    earlier = noted("retry_payment:40", "handler:h-17", reason="The bank was closed.")
    reversal = noted("report_payment:50", "handler:h-17", state="reversed", bank_reference="B-1")
    again = noted("retry_payment:60", "handler:h-9", reason="The account was right.")
    with pytest.raises(NotYetRecorded, match="nobody has had it paid again"):
        check_paid_again(believed(earlier, reversal), "handler:h-17")
    check_paid_again(believed(earlier, reversal, again), "handler:h-17")
    with pytest.raises(NotApproved, match="who reported what became of the payment had it paid again"):
        check_paid_again(believed(reversal, earlier), "handler:h-17")
    check_paid_again(believed(earlier), "rail:bank")


def test_of_two_lives_that_both_stand_in_the_record_the_later_decides_by_the_proposal_that_its_approval_names() -> None:
    first, second = proposal(), proposal("handler:h-9", usd("40"))
    again = second.model_copy(update={"key": f"{first.key}~0123456789ab"})
    seen, seen_again = test_approvals.approval(of=first), test_approvals.approval(number=21, of=second)
    assert approved_award(believed(first, again, seen, seen_again), 1).compensation == usd("40")
    assert approved_award(believed(first, again, seen), 1).compensation == BIG
    assert approved_award(believed(first, seen, again), 1).compensation == BIG
