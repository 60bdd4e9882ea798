"""A promised sum is the sum that is paid: of two cases about one loss one promises it, the other says where."""

import asyncio
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.ground.words import LetterKind, Outcome, Stage
from starter.client.conversation import Refused
from tests.around import Carry
from tests.incidents.minute import bad_minute
from tests.workflows.house import APPROVER, CUSTOMER, HANDLER, House
from tests.workflows.rules import own
from tests.workflows.test_findings_decide import EIGHT, HIDDEN_FEE, fee
from tests.workflows.test_incidents import complain, letter, paid

OTHER_HANDLER = HANDLER.model_copy(update={"id": "h-18"})
OTHER_APPROVER = APPROVER.model_copy(update={"id": "a-4"})


async def test_of_two_cases_that_promise_one_loss_at_the_same_moment_one_does_and_the_other_is_answered_from_it(
    house: House,
) -> None:
    await bad_minute(house.pool)
    cases = [await complain(house), await complain(house)]
    async with house.holding("PromiseAward"):
        for case, handler, approver in zip(cases, (HANDLER, OTHER_HANDLER), (APPROVER, OTHER_APPROVER), strict=True):
            await house.at(case, Stage.DECIDING)
            await house.complaints.propose_resolution(
                case, by=handler, outcome="upheld", as_found=True, reasons="Our fault."
            )
            await house.complaints.approve(case, by=approver)

    async def put_aside() -> str | None:
        return next(iter([case for case in cases if await house.timeline(case, "set_aside")]), None)

    second = await house.eventually(put_aside)
    (first,) = set(cases) - {second}
    handler = OTHER_HANDLER if second == cases[1] else HANDLER
    await house.responded(first)
    assert [tuple(row) for row in await house.fetch("select reference, round from casefile.promises")] == [(first, 1)]
    assert await house.timeline(second, "set_aside") == [
        f"set_aside: before the response: {first} promises or has paid it"
    ]
    await house.drafted(second)
    with pytest.raises(Refused, match=f"compensation: {first} promises or has paid the rest of the loss; USD 0.00 is"):
        await house.complaints.propose_resolution(
            second,
            by=handler,
            outcome="upheld",
            compensation={"amount": "1643", "currency": "USD"},
            reasons="Our fault.",
        )
    await house.complaints.reply(first, by=CUSTOMER, intent="dispute")
    await house.row(first, lambda row: bool(row["stage"] != Stage.RESPONDED))
    assert not await house.fetchval("select count(*) from casefile.standing_promises")
    await house.complaints.propose_draft(second, by=handler)

    async def offered_again() -> bool:
        return any("USD 1,643.00" in line for line in (await house.timeline(second, "draft"))[1:])

    await house.eventually(offered_again)
    assert (await house.timeline(second, "set_aside"))[1:] == [
        "set_aside: before the response: what was left to others is given there no more"
    ]


async def test_a_proposal_is_refused_where_another_case_promised_the_loss_since_and_the_case_is_answered_from_that(
    house: House,
) -> None:
    await bad_minute(house.pool)
    first, second = await complain(house), await complain(house)
    for case in (first, second):
        await house.drafted(case)
    await house.complaints.propose_draft(first, by=HANDLER)
    await house.complaints.approve(first, by=APPROVER)
    await house.responded(first)
    with pytest.raises(Refused, match=f"{first} promises or has paid it; the case is being looked at anew"):
        await house.complaints.propose_resolution(
            second, by=OTHER_HANDLER, outcome="upheld", as_found=True, reasons="Our fault."
        )

    await house.responded(second)
    response = await letter(house, second, LetterKind.FINAL_RESPONSE)
    assert f"is made good under your other complaint {first}, as our response of" in response
    for case in (first, second):
        await house.complaints.reply(case, by=CUSTOMER, intent="accept")
    await house.complaints.record_cause(first, "pricing/provider_quote", by=HANDLER)
    assert [(await house.closed(case)).outcome for case in (first, second)] == [Outcome.UPHELD] * 2
    assert await paid(house) == {first: "1643.00"}


async def test_nobody_is_told_of_an_award_that_the_ledger_would_refuse(house: House) -> None:
    reference = await house.submit(description="Something is wrong.", trades=[])
    await house.at(reference, Stage.DECIDING)
    # What the workflow has not heard of: she had decided in a case that is linked with this one.
    await house.pool.execute(
        "insert into casefile.recusals (reference, person, why, about, since, at)"
        " values ($1, $2, 'decided', 'elsewhere', now() - interval '1 year', now())",
        reference,
        HANDLER.person,
    )
    award = {"outcome": "upheld", "compensation": {"amount": "300", "currency": "USD"}, "reasons": "It was our fault."}
    await house.complaints.propose_resolution(reference, by=HANDLER, **award)
    await house.complaints.approve(reference, by=APPROVER)
    (why,) = await house.eventually(lambda: house.timeline(reference, "set_aside"))
    assert "handler:h-17 is kept out of the case (decided: elsewhere)" in why
    await house.at(reference, Stage.DECIDING)
    assert LetterKind.FINAL_RESPONSE not in await house.accepted_letters(reference)
    await house.complaints.assign(reference, OTHER_HANDLER.id, by=OTHER_HANDLER)
    await house.complaints.propose_resolution(reference, by=OTHER_HANDLER, **award)
    await house.complaints.approve(reference, by=APPROVER)
    await house.responded(reference)


async def test_who_reads_a_response_in_the_file_before_its_workflow_knows_of_it_can_dispute_it(
    house: House,
) -> None:
    reference = await house.submit(description="Something is wrong.", trades=[])
    await house.at(reference, Stage.DECIDING)
    award = {"outcome": "upheld", "compensation": {"amount": "300", "currency": "USD"}, "reasons": "It was our fault."}
    heard = asyncio.Event()

    async def answered_late(_request: Any, promise: Carry) -> Any:
        promised = await promise()
        await heard.wait()
        return promised

    house.effects["PromiseAward"] = answered_late
    await house.complaints.propose_resolution(reference, by=HANDLER, **award)
    await house.complaints.approve(reference, by=APPROVER)
    await house.row(reference, lambda row: bool(row["stage"] == Stage.RESPONDED))
    await house.complaints.reply(reference, by=CUSTOMER, intent="dispute", text="That is too little.")
    await house.eventually(lambda: house.timeline(reference, "customer_reply"))
    heard.set()
    await house.sent(reference, LetterKind.FINAL_RESPONSE)
    await house.row(reference, lambda row: bool(row["stage"] == Stage.DECIDING))


async def test_what_the_record_does_not_bear_is_decided_by_rule_no_more_but_left_to_people(house: House) -> None:
    await house.late_withdrawal()

    async def unmarked(_request: Any, investigate: Carry) -> Any:
        return (await investigate()).model_copy(update={"mark": None})

    house.effects["Investigate"] = unmarked
    reference = await house.submit()
    await house.drafted(reference)
    (why,) = await house.timeline(reference, "set_aside")
    assert "no worker of ours found this" in why
    (draft,) = await house.timeline(reference, "draft")
    assert "the record did not bear what was decided by rule" in draft


GOODWILL = {"kind": "goodwill", "amount": {"amount": "50", "currency": "USD"}, "reason": "for waiting"}


@pytest.mark.parametrize(
    ("given", "disputed"),
    [
        ({"compensation": {"amount": "1500", "currency": "USD"}}, False),
        ({"compensation": {"amount": "500", "currency": "USD"}}, False),
        ({"compensation": {"amount": "500", "currency": "USD"}}, True),
        ({"as_found": True, "awards": [GOODWILL]}, False),
    ],
)
async def test_what_the_last_letter_promised_with_each_day_since_is_what_is_paid(
    house: House, given: dict[str, Any], disputed: bool
) -> None:
    await fee(house, "1000", days_ago=73)
    reference = await house.submit(description=HIDDEN_FEE, trades=["e-1"], policy=own(house, interest=[EIGHT]))
    await house.drafted(reference)
    proposal = {"outcome": "upheld", "reasons": "It was never told."}
    await house.complaints.propose_resolution(reference, by=HANDLER, **proposal, **given)
    await house.complaints.approve(reference, by=APPROVER)
    await house.responded(reference)
    if disputed:
        await house.sleep(timedelta(days=5))
        await house.complaints.reply(reference, by=CUSTOMER, intent="dispute", text="The interest is missing.")
        await house.at(reference, Stage.DECIDING)
        await house.complaints.propose_resolution(reference, by=OTHER_HANDLER, **proposal, as_found=True)
        await house.complaints.approve(reference, by=OTHER_APPROVER.model_copy(update={"role": "executive"}))

    async def answered() -> bool:
        return (await house.accepted_letters(reference)).count("final_response") == 1 + disputed

    await house.eventually(answered)
    promised = house.mail()[-1].get_content()
    await house.sleep(timedelta(days=6))
    await house.complaints.reply(reference, by=CUSTOMER, intent="accept")
    await house.at(reference, Stage.FOLLOWING_UP)
    await house.complaints.record_cause(reference, "charges/wrong_charge", by=OTHER_HANDLER if disputed else HANDLER)
    paid_ = (await house.closed(reference)).compensation
    [award] = re.findall(r"Compensation: \$([\d,]+\.\d\d)", promised)
    daily = re.findall(r"interest runs on at USD (\d+\.\d{4}) for each day from (.*?),", promised)
    days = 11 if disputed else 6
    owed = Decimal(award.replace(",", "")) + sum(Decimal(each) * days for each, _ in daily)
    assert bool(daily) is (disputed or given.get("compensation", {}).get("amount") != "500")
    assert paid_
    assert abs(paid_.amount - owed) < Decimal("0.02")
