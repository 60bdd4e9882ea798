"""A machine may say yes; only people say no: over cases, findings, claims and packs of every sort."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.case.by_rule import drafted, propose_by_rule
from domain.case.case import Case
from domain.case.drafts import WHY, WhyPeople, because
from domain.case.messages.deciding import DecideResolution, ProposeResolution
from domain.case.resolution import propose
from domain.case.two_persons import check_decision, needs_second_person, second_person_because
from domain.checks.findings import Check, InKind, Verdict
from domain.ground.messages import NotAllowed
from domain.ground.people import SYSTEM, Actor
from domain.ground.timeline import Entry
from domain.ground.words import Confidence, Outcome, Priority, Remedy, Role, Severity
from domain.money.amounts import Money
from domain.people.matching import Identity, IdentityState
from domain.people.signs import Care
from domain.rules.deciding import BY_DEFAULT, EVERYWHERE, ByRule, Decision, Occasion, Signature
from runtime.policies import find_pack
from starter.reading.dossier import last_draft
from tests.case.test_resolution import AT, FAULT, MARKET, case, finding
from tests.reasons import a_no

SIGNATURE = Signature(by="A. Head, Complaints", on=date(2026, 1, 1))
RELEASED = finding(Verdict.FIRM_FAULT, "12", check=Check.WITHDRAWAL_DELAY, subject="w-1")
UNRELEASED = RELEASED.model_copy(update={"owes": (InKind(kind=Remedy.RELEASE, subject="w-1"),)})

findings = st.lists(
    st.builds(
        finding,
        st.sampled_from(Verdict),
        st.sampled_from(["0", "15", "100", "250", None]),
        subject=st.sampled_from(["O1", "O2"]),
        confidence=st.sampled_from(Confidence),
        missing=st.sampled_from([(), ("a rate",)]),
    )
    | st.sampled_from([FAULT, UNRELEASED, RELEASED]),
    max_size=3,
)
cares = st.builds(Care, skilled=st.booleans(), second_person=st.booleans(), by_people=st.booleans())
decisions = st.builds(
    lambda by_rule, second: find_pack("platform-default", date(2026, 3, 2)).decision.model_copy(
        update={"by_rule": by_rule, "signed": SIGNATURE, "second_person": second}
    ),
    st.sampled_from(ByRule),
    st.lists(st.sampled_from(Occasion), unique=True).map(tuple) | st.just(BY_DEFAULT),
)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    of = case(
        *draw(findings),
        claimed=draw(st.sampled_from([None, "15", "100", "1000"])),
        remedy_sought=draw(st.sampled_from([None, *Remedy])),
    )
    assert of.policy
    assert of.assessment
    of.policy = of.policy.model_copy(update={"decision": draw(decisions)})
    of.assessment = of.assessment.model_copy(
        update={
            "priority": draw(st.sampled_from(Priority)),
            "severity": draw(st.sampled_from(Severity)),
            "in_scope": draw(st.sampled_from([True, True, True, False])),
        }
    )
    of.care = draw(st.just(Care()) | cares)
    of.identity = Identity(state=draw(st.sampled_from([*IdentityState][:1] * 3 + [*IdentityState])))
    of.rounds = draw(st.sampled_from([1, 1, 1, 2]))
    of.proposers = draw(st.sampled_from([[], [], ["h-17"]]))
    if of.investigation:
        dollars, euros = (Money(amount=Decimal(120), currency=currency) for currency in ("USD", "EUR"))
        lately = draw(st.sampled_from([(), (), (dollars,), (dollars, dollars), (euros, euros)]))
        of.investigation = of.investigation.model_copy(update={"lately": lately})
    return of


def wholly_in_favour(of: Case, outcome: Outcome, compensation: Money | None) -> bool:
    """The rule of the house, written anew: from the complaint and its findings alone."""
    claimed, found = of.complaint.amount_claimed, of.investigation.findings if of.investigation else ()
    sure = [
        one
        for one in found
        if one.confidence is not Confidence.DOUBTFUL and one.verdict is not Verdict.INCONCLUSIVE and not one.missing
    ]
    at_fault = [one for one in sure if one.verdict in {Verdict.FIRM_FAULT, Verdict.PROVIDER_FAULT}]
    lost = sum((one.harm.amount for one in at_fault if one.harm), Decimal(0))
    return (
        outcome is Outcome.UPHELD
        and len(sure) == len(found) > 0
        and (lost >= claimed.amount if claimed else {one.subject for one in at_fault} == {one.subject for one in sure})
        and (compensation.amount if compensation else Decimal(0)) == lost <= 200
        and not any(one.owes for one in found)
        and (lost > 0 or of.complaint.remedy_sought not in {Remedy.COMPENSATION, Remedy.REFUND})
        and of.complaint.remedy_sought in {None, Remedy.APOLOGY, Remedy.EXPLANATION, Remedy.COMPENSATION, Remedy.REFUND}
    )


@given(cases())
def test_nothing_that_is_not_wholly_in_the_customers_favour_is_decided_without_a_person(of: Case) -> None:
    decision, proposal, draft = of.pack.decision, propose_by_rule(of, AT), drafted(of)
    assert draft.by_rule is (proposal is not None)
    assert proposal or draft.why, "what is left to people says why"
    if proposal is None:
        return
    assert proposal.proposed_by == SYSTEM
    assert decision.by_rule is not ByRule.NEVER
    assert of.identity.state is IdentityState.VERIFIED
    assert of.rounds == 1
    assert not of.proposers
    assert of.assessment
    assert of.assessment.in_scope
    assert of.assessment.severity is not Severity.CRITICAL
    assert not of.care.by_people
    assert not of.care.second_person
    lately = [one.amount for one in (of.investigation.lately if of.investigation else ()) if one.currency == "USD"]
    assert proposal.compensation is None or proposal.compensation.amount + sum(lately) <= 200
    waived = {Occasion.REJECTION, Occasion.PARTLY_UPHELD} if decision.by_rule is ByRule.ALWAYS else set()
    assert not {one for one in second_person_because(of, proposal) if one not in waived}
    if decision.by_rule is ByRule.IN_FAVOUR:
        assert wholly_in_favour(of, proposal.outcome, proposal.compensation)


def gives_less(of: Case, outcome: Outcome, amount: str | None) -> bool:
    """Whether an apology and that many dollars are less than what the complaint asks, under the name of upheld."""
    claimed, sought = of.complaint.amount_claimed, of.complaint.remedy_sought
    if outcome is not Outcome.UPHELD:
        return False
    if claimed:
        return Decimal(amount or 0) < claimed.amount
    money = {Remedy.COMPENSATION, Remedy.REFUND}
    said = {None, Remedy.APOLOGY, Remedy.EXPLANATION, Remedy.OTHER}
    return amount is None if sought in money else sought not in said


def test_what_gives_less_than_was_claimed_is_no_less_partial_for_being_called_upheld() -> None:
    for claimed, given_, currency, second in (
        ("5000", "0.01", "USD", True),
        ("5000", None, "USD", True),
        ("100", "100", "EUR", True),
        ("100", "100", "USD", False),
        (None, "15", "USD", False),
    ):
        of = case(claimed=claimed)
        said = {"compensation": {"amount": given_, "currency": currency}} if given_ else {"remedies": ["apology"]}
        message = ProposeResolution.model_validate(
            {"message_id": "m", "actor": {"id": "h-17", "role": "handler"}, "outcome": "upheld", "reasons": "So it is."}
            | said
        )
        assert needs_second_person(of, propose(of, message, AT)) is second


@given(cases(), st.sampled_from([*Outcome][:3]), st.sampled_from([None, "15", "100", "250"]), st.booleans())
def test_nothing_that_needs_a_second_person_is_sent_by_one(
    of: Case, outcome: Outcome, amount: str | None, in_pack: bool
) -> None:
    if in_pack:  # as it is shipped
        of.policy = find_pack("platform-default", date(2026, 3, 2))
    said: dict[str, Any] = {"compensation": {"amount": amount, "currency": "USD"}} if amount else {}
    message = ProposeResolution.model_validate(
        {
            "message_id": "m-1",
            "actor": {"id": "h-17", "role": "handler"},
            "outcome": outcome,
            "remedies": ["apology"],
            "reasons": a_no("As it was found."),
            **said,
        }
    )
    of.proposal = proposal = propose(of, message, AT)
    asked = set(of.pack.decision.second_person) | set(EVERYWHERE)
    assert of.assessment
    so = {
        Occasion.REJECTION: outcome is Outcome.NOT_UPHELD,
        Occasion.PARTLY_UPHELD: outcome is Outcome.PARTLY_UPHELD or gives_less(of, outcome, amount),
        Occasion.P1: of.assessment.priority is Priority.P1,
        Occasion.VULNERABILITY: of.care.skilled,
        Occasion.SIGN: of.care.second_person,
        Occasion.ABOVE_LIMIT: amount == "250",
        Occasion.NO_LIMIT: False,
        Occasion.ANOTHER_ROUND: of.rounds > 1,
    }
    because = {one for one, is_so in so.items() if is_so and one in asked}
    told = {Occasion.SIGN if one is Occasion.VULNERABILITY else one for one in because}
    assert set(second_person_because(of, proposal)) == told
    assert needs_second_person(of, proposal) is bool(second_person_because(of, proposal))
    for who in ("h-17", "H-17"):
        actor = Actor(id=who, role=Role.EXECUTIVE)
        approving = DecideResolution(message_id="m-2", actor=actor, decision="approve", proposal=proposal.digest)
        with pytest.raises(NotAllowed, match="never by its proposer"):
            check_decision(of, approving)


def test_a_withdrawal_that_is_still_owed_is_not_made_good_by_its_interest() -> None:
    assert propose_by_rule(case(RELEASED), AT)
    assert drafted(case(UNRELEASED)).why == (WhyPeople.STILL_OWED,)


def test_a_pack_may_leave_all_to_people_and_a_machine_says_no_only_where_somebody_signed_for_it() -> None:
    of = case(MARKET)
    assert of.policy
    rules = of.policy.decision.model_dump()
    with pytest.raises(ValueError, match=r'signed: by_rule = "always" lets a machine say no; name who answers for it'):
        Decision.model_validate(rules | {"by_rule": "always"})
    for by_rule, findings_, outcome in (
        (ByRule.IN_FAVOUR, MARKET, None),
        (ByRule.ALWAYS, MARKET, Outcome.NOT_UPHELD),
        (ByRule.ALWAYS, FAULT, Outcome.UPHELD),
        (ByRule.NEVER, FAULT, None),
    ):
        of = case(findings_)
        assert of.policy
        decision = Decision.model_validate(rules | {"by_rule": by_rule, "signed": SIGNATURE})
        of.policy = of.policy.model_copy(update={"decision": decision})
        proposal = propose_by_rule(of, AT)
        assert (proposal.outcome if proposal else None) is outcome


def test_of_a_currency_without_a_limit_it_is_said_that_none_is_set_and_not_that_it_is_exceeded() -> None:
    for currency, amount, occasion, en, zh in (
        ("JPY", "767", Occasion.NO_LIMIT, "no limit is set in JPY", "未就 JPY 设定限额"),
        ("USD", "9999999", Occasion.ABOVE_LIMIT, "the sum is above the limit", "超出规则限额"),
    ):
        of = case(FAULT.model_copy(update={"harm": Money(amount=Decimal(amount), currency=currency)}))
        draft = drafted(of)
        assert draft.second_person == (occasion,)
        assert WhyPeople(occasion) in draft.why
        told = because(draft.why, draft.compensation)
        assert en in told.en
        assert zh in told.zh
        assert ("above the limit" in told.en) is (occasion is Occasion.ABOVE_LIMIT)
        noted = draft.model_dump(mode="json") | {"digest": draft.digest, "approvers": ["executive"]}
        read = last_draft([Entry(key="1", at=AT, kind="draft", actor="system:redress", text="upheld", data=noted)])
        assert read
        assert en in (read.second_person or "")


def test_every_reason_is_told_in_both_languages() -> None:
    assert set(WHY) == set(WhyPeople)
    # which sign it is nobody is told by a draft
    assert {one.value for one in Occasion} - {one.value for one in WhyPeople} == {"vulnerability"}
