"""Who complains in the life of a case: a stranger is told nothing, and a person says who it is."""

import asyncio

import pytest

from domain.ground.words import LetterKind, SignKind, SignStep, Stage
from domain.people.matching import IdentityState
from domain.people.signs import Sign
from starter.client.conversation import Refused
from tests.reasons import a_no
from tests.workflows.house import ACCOUNT, APPROVER, CUSTOMER, HANDLER, House
from trial.parts import sealed_for

STRANGER = {"name": "The Customer", "email": "thief@example.com"}
HOLDER = "insert into casefile.customers (account, name, email, language) values ($1, $2, $3, 'en')"
WHO = sealed_for(ACCOUNT, "The Customer", "customer@example.com")


async def test_a_stranger_is_asked_for_proof_and_decided_by_rule_once_a_person_knows_who_it_is(house: House) -> None:
    await house.late_withdrawal("12000", days_late=7)
    await house.pool.execute(HOLDER, ACCOUNT, *WHO)
    reference = await house.submit(complainant=STRANGER)
    await house.at(reference, Stage.DECIDING)
    await house.sent(reference, LetterKind.ACKNOWLEDGEMENT)
    assert await house.accepted_letters(reference) == ["acknowledgement"]
    [acknowledgement] = [mail for mail in house.mail() if mail["To"] == STRANGER["email"]]
    said = acknowledgement.get_content()
    assert "show us who you are" in said
    assert not [known for known in ("w-1", "12,000", "12000", ACCOUNT) if known in said]
    signs = await house.fetch("select sign ->> 'kind' as kind from casefile.signs")
    assert [row["kind"] for row in signs] == ["impersonation"]
    no = {"outcome": "not_upheld", "reasons": a_no("Position 100234 was closed at 1920.96.")}
    with pytest.raises(Refused, match=r"no letter may tell what the complaint did not say itself; leave out 100234"):
        await house.complaints.propose_resolution(reference, by=HANDLER, **no)
    with pytest.raises(Refused, match=r"questions: .* leave out 4711"):
        await house.complaints.request_information(reference, "Is 4711 your withdrawal?", by=HANDLER)
    sign = Sign(kind=SignKind.IMPERSONATION, rests_on=("a new address",))
    await house.complaints.note_sign(reference, SignStep.WITHDRAWN, sign, by=HANDLER, reason="He moved.")
    verified = IdentityState.VERIFIED
    await house.complaints.verify_complainant(reference, verified, "Called on the number on file.", by=HANDLER)
    await house.responded(reference)

    # Where it goes from now on is nobody's word but the customer's own until it is proven.
    await house.complaints.correct_contact(reference, by=CUSTOMER, email="elsewhere@example.com")
    told = await house.timeline(reference, "identified")
    assert told[-1].endswith("the address was changed by somebody who is not staff")

    async def answered_twice() -> bool:
        return (await house.accepted_letters(reference)).count("final_response") == 2

    # Meanwhile nothing is proposed that no letter may tell of.
    await house.complaints.reply(reference, by=CUSTOMER, intent="dispute")
    await house.at(reference, Stage.DECIDING)
    proposal = {"outcome": "upheld", "compensation": {"amount": "15.00", "currency": "USD"}, "reasons": "Paid late."}
    with pytest.raises(Refused, match=f"who complains is not verified: .* redress customer verify {reference} first"):
        await house.complaints.propose_resolution(reference, by=HANDLER, **proposal)
    await house.complaints.verify_complainant(reference, verified, "Called on the number on file.", by=HANDLER)

    # What is on its way when the address changes reaches nobody, and at once whoever is known.
    house.outbox.closed = True
    await house.complaints.propose_resolution(reference, by=HANDLER, **proposal)
    await house.complaints.approve(reference, by=APPROVER)
    await house.complaints.correct_contact(reference, by=CUSTOMER, email="another@example.com")
    house.outbox.closed = False
    await house.eventually(lambda: house.timeline(reference, "fault"))
    assert (await house.accepted_letters(reference)).count("final_response") == 1
    await house.complaints.verify_complainant(reference, verified, "Called on the number on file.", by=HANDLER)
    await house.eventually(answered_twice)  # and not only after the hour that a fault waits for


async def test_a_decision_by_rule_rests_on_what_is_on_its_way_to_the_file_as_well(house: House) -> None:
    await house.late_withdrawal("12000", days_late=7)
    await house.pool.execute(HOLDER, ACCOUNT, *WHO)
    reference = await house.submit(complainant=STRANGER)
    await house.at(reference, Stage.DECIDING)
    sign = Sign(kind=SignKind.IMPERSONATION, rests_on=("a new address",))
    await house.complaints.note_sign(reference, SignStep.WITHDRAWN, sign, by=HANDLER, reason="He moved.")
    verify = house.complaints.verify_complainant
    async with asyncio.TaskGroup() as sending, house.holding("Record"):
        sending.create_task(verify(reference, IdentityState.VERIFIED, "Called on the number on file.", by=HANDLER))
        await house.sent(reference, LetterKind.FINAL_RESPONSE)
    assert await house.timeline(reference, "set_aside") == []
