"""Where two persons are needed, no two spellings of one id pass as two."""

import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.case import two_persons
from domain.case.case import Case
from domain.case.complaint import Complaint
from domain.case.messages.deciding import DecideResolution, ProposeResolution
from domain.case.messages.paying import ReportPayment, RetryPayment
from domain.case.paying import check_report, check_retry
from domain.case.resolution import propose
from domain.ground.base import person_of
from domain.ground.bilingual import Bilingual
from domain.ground.messages import NotAllowed
from domain.ground.people import Actor
from domain.ground.words import IncidentStage, PaymentState, Role, Stage
from domain.incidents.cohort import summarise
from domain.incidents.incident import Fault, FaultKind, NewIncident
from domain.incidents.messages import DecideIncident
from domain.incidents.state import Incident, check_decision
from domain.money.amounts import Money
from domain.money.payment import Payment
from runtime.policies import find_pack

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
AWARD = Money(amount=Decimal("900"), currency="USD")
IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:/#-]{0,20}", fullmatch=True)
_WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


@st.composite
def spellings(draw: st.DrawFn) -> tuple[str, str]:
    """An id, and another spelling of it that is an id as well."""
    name = draw(IDS)
    upper = draw(st.lists(st.booleans(), min_size=len(name), max_size=len(name)))
    pairs = zip(name, upper, strict=True)
    other = "".join(letter.upper() if up else letter.lower() for letter, up in pairs)
    return name, draw(st.sampled_from(["", " ", "\t"])) + other + draw(st.sampled_from(["", " "]))


def case(proposer: str, **more: Any) -> Case:
    """A case that awarded, was told by somebody that its payment was declined, and owes the award."""
    complaint = Complaint.model_validate(
        {
            "source": "tests",
            "idempotency_key": "1",
            "received_at": AT,
            "channel": "web",
            "language": "en",
            "complainant": {"name": "A Customer", "email": "customer@example.com"},
            "account": "70012345",
            "description": "My stop loss was filled at the wrong price.",
        }
    )
    held = Case.received(complaint.reference, complaint, AT)
    held.policy = find_pack("platform-default", date(2026, 3, 2))
    message = ProposeResolution.model_validate(
        {
            "message_id": "m-1",
            "actor": {"id": proposer, "role": "handler"},
            "outcome": "upheld",
            "compensation": AWARD.model_dump(),
            "reasons": "So it is.",
        }
    )
    held.proposal = propose(held, message, AT)
    return held.model_copy(update=more)


def owing(proposer: str, reporter: str | None = None, state: PaymentState = PaymentState.DECLINED) -> Case:
    payment = Payment(
        key="k", number=3, amount=AWARD, payee="70012345", rail="bank", state=state, paid=AWARD, reported_by=reporter
    )
    return case(
        proposer,
        approved=True,
        proposal=None,
        proposers=[proposer],
        awarded=AWARD,
        unpaid=AWARD,
        rail="bank",
        stage=Stage.SETTLING,
        payments=[payment],
        payment_held="it was declined",
        payee="70012345",
    )


def _approves_the_proposal(one: str, other: str) -> None:
    approver = Actor(id=other, role=Role.EXECUTIVE)
    held = case(one)
    assert held.proposal
    seen = held.proposal.digest
    decision = DecideResolution(message_id="m-2", actor=approver, decision="approve", proposal=seen)
    two_persons.check_decision(held, decision)


def _approves_the_list(one: str, other: str) -> None:
    fault = Fault(kind=FaultKind.OUTAGE, since=AT, until=AT.replace(hour=10))
    title = Bilingual(en="It was down.", zh="服务中断。")
    new = NewIncident(fault=fault, title=title, opened_by=Actor(id=one, role=Role.HANDLER))
    cohort = summarise(1, AT, [])
    incident = Incident(
        reference=new.reference, new=new, opened_at=AT, stage=IncidentStage.APPROVAL, cohort=cohort, lists=1
    )
    incident.decision = find_pack("platform-default", date(2026, 3, 2)).decision
    approver = Actor(id=other, role=Role.EXECUTIVE)
    check_decision(incident, DecideIncident(message_id="m-2", actor=approver, decision="approve", cohort=cohort.hash))


def _pays_again_what_was_reported(one: str, other: str) -> None:
    message = RetryPayment(message_id="m-2", actor=Actor(id=other, role=Role.EXECUTIVE), reason="It is right now.")
    check_retry(owing("somebody-else", reporter=one), message)


def _chooses_another_account(one: str, other: str) -> None:
    actor = Actor(id=other, role=Role.EXECUTIVE)
    check_retry(owing(one), RetryPayment(message_id="m-2", actor=actor, reason="It moved.", payee="70054321"))


def _reports_a_payment(one: str, other: str) -> None:
    actor = Actor(id=other, role=Role.EXECUTIVE)
    check_report(
        owing(one), ReportPayment(message_id="m-2", actor=actor, state=PaymentState.PAID, bank_reference="B-1")
    )


def _reports_a_reversal(one: str, other: str) -> None:
    actor = Actor(id=other, role=Role.EXECUTIVE)
    check_report(
        owing(one, state=PaymentState.PAID),
        ReportPayment(message_id="m-2", actor=actor, state=PaymentState.REVERSED, bank_reference="B-1"),
    )


RULES: list[Callable[[str, str], None]] = [
    _approves_the_proposal,
    _approves_the_list,
    _pays_again_what_was_reported,
    _chooses_another_account,
    _reports_a_payment,
    _reports_a_reversal,
]


@pytest.mark.parametrize("rule", RULES, ids=[rule.__name__.strip("_") for rule in RULES])
@given(spelt=spellings())
def test_no_two_spellings_of_one_id_pass_as_two_persons(
    rule: Callable[[str, str], None], spelt: tuple[str, str]
) -> None:
    with pytest.raises(NotAllowed, match=r"actor: .*second person"):
        rule(*spelt)


@pytest.mark.parametrize("rule", RULES, ids=[rule.__name__.strip("_") for rule in RULES])
def test_two_persons_are_two_persons(rule: Callable[[str, str], None]) -> None:
    rule("h-17", "a-3")


@given(st.text(max_size=20))
def test_case_width_compatibility_forms_and_surrounding_spaces_make_no_other_person(name: str) -> None:
    person = person_of(name)
    wide = name.translate(_WIDE)
    forms = [unicodedata.normalize(form, name) for form in ("NFC", "NFD", "NFKC", "NFKD")]
    for spelling in (person, name.casefold(), f" {name}\u3000", wide, *forms):
        assert person_of(spelling) == person


def test_what_was_typed_is_kept_for_the_record() -> None:
    actor = Actor(id="H-17", role=Role.HANDLER)
    assert (str(actor), actor.person) == ("handler:H-17", "h-17")
    assert Actor.named(str(actor)) == actor


def test_who_proposes_has_the_case_where_somebody_named_has_it() -> None:
    one, other = Actor(id="H-17", role=Role.HANDLER), Actor(id="h-18", role=Role.TEAM_LEAD)
    for handler in (None, "team_lead", "h-17"):
        held = case("h-17", handler=handler)
        two_persons.check_has_the_case(held, one)
        if handler != "h-17":
            two_persons.check_has_the_case(held, other)
    with pytest.raises(NotAllowed, match="h-17 has the case, and who proposes must have it; assign gives it to h-18"):
        two_persons.check_has_the_case(held, other)


def test_what_was_decided_before_is_reviewed_by_a_superior_or_by_the_last_of_the_ladder() -> None:
    ladder = [step.role for step in find_pack("platform-default", AT.date()).decision.approval]
    for before in ladder:
        again = case("h-1", rounds=2, approved_by={1: before})
        assert again.proposal
        above = ladder[ladder.index(before) + 1 :] or ladder[-1:]
        assert two_persons.approvers(again, again.proposal) == above
        for role in ladder:
            by, seen = Actor(id="z-9", role=role), again.proposal.digest
            decided = DecideResolution(message_id="d", actor=by, decision="approve", proposal=seen)
            if role in above:
                two_persons.check_decision(again, decided)
                two_persons.check_decision(again.model_copy(update={"had": {"z-9": 2}}), decided)
                with pytest.raises(NotAllowed, match="z-9 had the case when it was decided before"):
                    two_persons.check_decision(again.model_copy(update={"had": {"z-9": 1}}), decided)
            else:
                with pytest.raises(NotAllowed, match="a superior of who decided before reviews it"):
                    two_persons.check_decision(again, decided)
