"""What is before an outside body has a life: the case stays open until it has ended and is carried out."""

from datetime import timedelta
from typing import Any

import pytest

from domain.ground.people import Actor
from domain.ground.reference import reference_for
from domain.ground.words import Outcome, ReferralStep, Role, Stage
from domain.money.amounts import Money
from starter.client.complaints import CaseClosed
from starter.client.conversation import Refused
from starter.reading.ledger import check_ledger
from starter.reading.referrals import get_referrals
from tests.reasons import a_no
from tests.workflows.house import APPROVER, CUSTOMER, HANDLER, House
from tests.workflows.rules import OMBUDSMAN, own

ANOTHER = Actor(id="h-18", role=Role.HANDLER)
OFFICER = Actor(id="c-1", role=Role.COMPLIANCE_OFFICER)
AWARD = {"amount": "250.00", "currency": "USD"}
DECIDED: dict[str, Any] = {
    "what": "The firm should have told its customer of the outage.",
    "outcome": "partly_upheld",
    "award": AWARD,
    "remedies": ("correction",),
}


async def before_the_ombudsman(house: House) -> tuple[str, int]:
    """A case that was not upheld, and that the customer has brought before the ombudsman."""
    policy = own(house, routes=[OMBUDSMAN], letters=[])
    reference = await house.submit(policy=policy, description="Something is wrong.", trades=())
    await house.at(reference, Stage.DECIDING)
    await house.complaints.propose_resolution(reference, by=HANDLER, outcome="not_upheld", reasons=a_no())
    await house.complaints.approve(reference, by=APPROVER)
    await house.responded(reference)
    now = await house.env.get_current_time()
    await house.complaints.record_referral(reference, "ombudsman", now, by=HANDLER, outside_reference="F-1")
    (referral,) = await house.eventually(lambda: get_referrals(house.pool, reference=reference))
    return reference, referral.number


async def says(house: House, reference: str, number: int, step: ReferralStep, **more: Any) -> None:
    now = await house.env.get_current_time()
    await house.complaints.report_referral(reference, number, step, now, by=ANOTHER, **more)


async def test_what_binds_is_carried_out_once_and_a_case_before_an_outside_body_is_never_closed(house: House) -> None:
    reference, number = await before_the_ombudsman(house)
    now = await house.env.get_current_time()
    with pytest.raises(Refused, match="to ombudsman is open; report how it goes on"):
        await house.complaints.record_referral(reference, "ombudsman", now, by=HANDLER)
    with pytest.raises(Refused, match="the file was not asked for"):
        await says(house, reference, number, ReferralStep.FILE_HANDED_OVER, what="The whole file.")
    with pytest.raises(Refused, match="withdraw it there"):
        await house.complaints.withdraw(reference, by=CUSTOMER)
    await says(house, reference, number, ReferralStep.FILE_REQUESTED, until=now + timedelta(days=10))

    await house.env.sleep(timedelta(days=40))
    case = await house.at(reference, Stage.RESPONDED)
    assert case["breached"], "the file was not handed over in time"
    await says(
        house, reference, number, ReferralStep.FILE_HANDED_OVER, what="Evidence pack and correspondence, by post."
    )
    await says(house, reference, number, ReferralStep.DECIDED, **DECIDED)
    await says(house, reference, number, ReferralStep.ACCEPTED)

    await house.drafted(reference)
    with pytest.raises(Refused, match=r"USD 250\.00 is owed by what was decided outside"):
        await house.complaints.propose_resolution(
            reference, by=ANOTHER, outcome="partly_upheld", compensation=AWARD | {"amount": "249"}, reasons=a_no()
        )
    await house.complaints.propose_draft(reference, by=ANOTHER)
    await house.complaints.approve(reference, by=OFFICER)
    await house.at(reference, Stage.SETTLING)
    letters = await house.accepted_letters(reference)
    assert letters[-1] == "outside_decision"
    assert letters.count("final_response") == 1
    said = " ".join(" ".join(mail.get_content().split()) for mail in house.mail())
    assert "we carry it out. It takes the place of our final response of " in said
    await house.complaints.reply(reference, by=CUSTOMER, intent="dispute", text="I want more.")
    remedy = await house.pool.fetchval(_OWED, reference)
    await house.complaints.confirm_remedy(reference, remedy, "Corrected, change 4711.", by=ANOTHER)
    await house.complaints.record_cause(reference, "charges/wrong_charge", by=ANOTHER)
    closed = await house.closed(reference)
    assert (closed.outcome, closed.compensation) == (Outcome.PARTLY_UPHELD, Money.of(Money(**AWARD).amount, "USD"))
    assert not (await check_ledger(house.pool)).faults
    (referral,) = await get_referrals(house.pool, reference=reference)
    assert (referral.state, referral.ended) == ("ended", "its decision is carried out")


_OWED = "select number from casefile.events where reference = $1 and event = 'remedy_owed'"


async def test_a_referral_that_ends_without_a_decision_leaves_the_response_as_it_was(house: House) -> None:
    reference, number = await before_the_ombudsman(house)
    await house.env.sleep(timedelta(days=60))
    await house.at(reference, Stage.RESPONDED)
    await says(house, reference, number, ReferralStep.ENDED, what="Withdrawn there.")
    closed = await house.closed(reference)
    assert (closed.outcome, closed.compensation) == (Outcome.NOT_UPHELD, None)


async def test_what_binds_while_the_firm_still_looks_takes_the_place_of_its_own_decision(house: House) -> None:
    policy = own(house, routes=[OMBUDSMAN], letters=[])
    reference = await house.submit(policy=policy, description="Something is wrong.", trades=())
    await house.at(reference, Stage.DECIDING)
    await house.complaints.propose_resolution(reference, by=HANDLER, outcome="not_upheld", reasons=a_no())
    now = await house.env.get_current_time()
    await house.complaints.record_referral(reference, "ombudsman", now, by=HANDLER)
    (referral,) = await house.eventually(lambda: get_referrals(house.pool, reference=reference))
    more = {**DECIDED, "remedies": ()}
    await says(house, reference, referral.number, ReferralStep.AGREED, **more)
    await house.drafted(reference)
    await house.complaints.propose_draft(reference, by=ANOTHER)
    await house.complaints.approve(reference, by=OFFICER)
    await house.at(reference, Stage.FOLLOWING_UP)
    assert "final_response" not in await house.accepted_letters(reference)
    said = " ".join(" ".join(mail.get_content().split()) for mail in house.mail())
    assert "you and we agreed how your complaint is settled: Example Ombudsman" in said


async def test_a_closed_case_goes_on_for_an_outside_body_and_is_closed_again(house: House) -> None:
    policy = own(house, routes=[OMBUDSMAN], letters=[])
    reference = await house.submit(policy=policy, description="Something is wrong.", trades=())
    await house.at(reference, Stage.DECIDING)
    await house.complaints.withdraw(reference, by=CUSTOMER)
    await house.closed(reference)
    before = await house.accepted_letters(reference)
    now = await house.env.get_current_time()
    with pytest.raises(CaseClosed):
        await house.complaints.reopen(reference, "They changed their mind.", by=HANDLER)
    with pytest.raises(Refused, match="the policy pack has no court"):
        await house.complaints.record_referral(reference, "court", now, by=HANDLER)
    with pytest.raises(Refused, match="the case is closed"):
        await house.complaints.reopen(reference, "They changed their mind.", by=HANDLER)

    await house.complaints.record_referral(reference, "ombudsman", now, by=HANDLER)
    await house.at(reference, Stage.FOLLOWING_UP)
    (referral,) = await get_referrals(house.pool, reference=reference)
    until = now + timedelta(days=10)
    await says(house, reference, referral.number, ReferralStep.FILE_REQUESTED, until=until)
    await house.env.sleep(timedelta(days=20))
    assert (await house.at(reference, Stage.FOLLOWING_UP))["breached"], "the file was not handed over in time"
    await says(house, reference, referral.number, ReferralStep.DECIDED, **DECIDED | {"remedies": ()}, accepted=True)
    await house.drafted(reference)
    await house.complaints.propose_draft(reference, by=ANOTHER)
    await house.complaints.approve(reference, by=OFFICER)
    await house.at(reference, Stage.FOLLOWING_UP)
    await house.complaints.record_cause(reference, "charges/wrong_charge", by=ANOTHER)
    closed = await house.closed(reference)
    assert (closed.outcome, closed.compensation) == (Outcome.PARTLY_UPHELD, Money(**AWARD))
    assert not (await check_ledger(house.pool)).faults
    assert (await house.accepted_letters(reference))[len(before) :] == ["outside_decision"]


async def test_there_is_nothing_to_take_up_where_no_case_is_closed(house: House) -> None:
    reference = reference_for("test", "nobody")
    now = await house.env.get_current_time()
    with pytest.raises(Refused, match=r"^there is no case RD-"):
        await house.complaints.record_referral(reference, "ombudsman", now, by=HANDLER)
