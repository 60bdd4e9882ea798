"""Payments in a living case: what was awarded is paid once, whatever the rail and the bank make of it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import asyncpg
import pytest

from domain.ground.people import Actor
from domain.ground.words import LetterKind, Outcome, Role, Stage
from domain.people.matching import IdentityState
from runtime.payment_rail import HttpRail
from starter.client.conversation import Refused
from starter.reading.ledger import check_ledger
from tests.money.rail import Rail, declining, open_rail, paid, partly, pending
from tests.reasons import a_no
from tests.workflows.conftest import open_house
from tests.workflows.house import APPROVER, CUSTOMER, HANDLER, House
from tests.workflows.rules import own, statutory

OFFICER = Actor(id="c-1", role=Role.COMPLIANCE_OFFICER)
BANK = Actor(id="bank-link", role=Role.SERVICE)
AWARD = Decimal("18.41")  # 12,000 x 8 % x 7/365


@pytest.fixture
async def rail() -> AsyncIterator[Rail]:
    async with open_rail() as rail:
        yield rail


@pytest.fixture
async def paying(
    pool: "asyncpg.Pool[asyncpg.Record]", tmp_path: Path, request: pytest.FixtureRequest, rail: Rail
) -> AsyncIterator[House]:
    """A house that pays through the rail."""
    async with open_house(pool, tmp_path, request, HttpRail(rail.settings(payment_timeout=2))) as house:
        yield house


async def accepted(house: House, **changes: object) -> str:
    """A case whose final response awards :data:`AWARD` and was accepted."""
    await house.late_withdrawal()
    reference = await house.submit(**changes)
    await house.responded(reference)
    await house.complaints.reply(reference, by=CUSTOMER, intent="accept")
    return reference


async def held(house: House, reference: str, why: str) -> str:
    """Wait (in real time) until no payment is tried before a person says so."""

    async def is_held() -> str | None:
        payment = (await house.complaints.status(reference)).payment
        return payment if payment and f"held: {why}" in payment else None

    return str(await house.eventually(is_held))


async def exact(house: House, rail: Rail, reference: str, amount: Decimal = AWARD) -> None:
    """The case is closed, the customer has *amount*, and the ledger says so."""
    closed = await house.closed(reference)
    assert closed.compensation is not None
    assert closed.compensation.amount == amount
    report = await check_ledger(house.pool)
    assert report.balanced
    (total,) = report.totals
    assert (total.awarded, total.paid) == (amount, amount)


async def test_an_award_is_paid_through_the_rail_before_the_case_is_settled(paying: House, rail: Rail) -> None:
    reference = await accepted(paying)
    await paying.at(reference, Stage.FOLLOWING_UP)
    (payment,) = rail.payments.values()
    assert payment.body == {"amount": "18.41", "currency": "USD", "payee": "70012345", "reference": reference}
    settled = await paying.pool.fetchval("SELECT at FROM casefile.events WHERE event = 'settled'")
    assert settled >= await paying.pool.fetchval("SELECT at FROM payments.outcomes")
    assert (await paying.complaints.status(reference)).payment == "USD 18.41 paid"
    await exact(paying, rail, reference)
    assert rail.keys == [f"{reference}:payment:1:1"]
    assert await paying.events(reference) <= 110


@pytest.mark.parametrize("fault", ["lost", "500"])
async def test_a_payment_of_unknown_outcome_is_asked_for_and_made_once(paying: House, rail: Rail, fault: str) -> None:
    rail.script = [fault]
    reference = await accepted(paying)
    await paying.row(reference, lambda case: bool(case["stage"] == Stage.SETTLING))
    await paying.env.sleep(timedelta(minutes=2))
    await paying.at(reference, Stage.FOLLOWING_UP)
    assert [line.split()[0] for line in rail.asked][:2] == ["PUT", "GET"]
    assert rail.money() == AWARD
    await exact(paying, rail, reference)


async def test_a_payment_stuck_too_long_is_loud_and_costs_no_history_while_it_waits(paying: House, rail: Rail) -> None:
    rail.pays = pending
    rungs = [
        {"name": "late", "after_start": {"hours": 6}, "actions": ["warn", "escalate"], "level": 1},
        {"name": "due", "actions": ["escalate"], "level": 2},
    ]
    clock = statutory(
        "payment", 0, kind="internal", trigger="payment_due", length={"hours": 9}, satisfied_by=["settled"], rungs=rungs
    )
    reference = await accepted(paying, policy=own(paying, clock))
    await paying.eventually(lambda: _asked(rail))
    before = await paying.events(reference)
    await paying.env.sleep(timedelta(hours=5))
    assert len(rail.asked) > 10
    assert await paying.events(reference) == before
    status = await paying.complaints.status(reference)
    assert status.waiting_for == f"{HttpRail(rail.settings()).name} to pay USD 18.41 ({reference}:payment:1:1)"
    await paying.env.sleep(timedelta(hours=5))
    case = await paying.row(reference, lambda case: bool(case["escalation_level"] == 2))
    assert case["stage"] == Stage.SETTLING
    assert [line for line in await paying.timeline(reference, "escalation") if "deadline payment passed" in line]
    (payment,) = rail.payments.values()
    payment.answer = paid(payment.body)
    await paying.env.sleep(timedelta(hours=1))
    await exact(paying, rail, reference)
    assert not (await paying.complaints.result(reference)).breached


async def _asked(rail: Rail) -> bool:
    return bool(rail.asked)


async def test_a_declined_payment_waits_for_a_person_and_is_paid_once_the_account_is_right(
    paying: House, rail: Rail
) -> None:
    rail.pays = declining("account_closed")
    reference = await accepted(paying)
    told = await held(paying, reference, "the payment was declined (account closed)")
    assert told.startswith(f"USD 18.41 through {HttpRail(rail.settings()).name}, held")
    await paying.sent(reference, LetterKind.PAYMENT_DECLINED)
    (letter,) = (mail for mail in paying.mail() if "We could not pay" in mail["Subject"])
    assert "ending in 345" in letter.get_content()
    case = await paying.row(reference, lambda case: bool(case["escalation_level"] == 1))
    assert case["stage"] == Stage.SETTLING

    with pytest.raises(Refused, match=r"role handler may not choose another account .*roles that may: team_lead"):
        await paying.complaints.retry_payment(reference, "Another account.", by=HANDLER, payee="70054321")
    with pytest.raises(Refused, match="role customer may not send retry_payment"):
        await paying.complaints.retry_payment(reference, "Please.", by=CUSTOMER)
    rail.pays = paid
    await paying.complaints.retry_payment(reference, "Given by the customer.", by=APPROVER, payee="70054321")
    await paying.at(reference, Stage.FOLLOWING_UP)
    with pytest.raises(Refused, match="possible at settling"):
        await paying.complaints.retry_payment(reference, "Again.", by=APPROVER)
    assert rail.keys == [f"{reference}:payment:1:1", f"{reference}:payment:1:2"]
    assert rail.payments[f"{reference}:payment:1:2"].body["payee"] == "70054321"
    await exact(paying, rail, reference)


async def test_of_a_partial_payment_the_customer_is_told_and_the_rest_is_paid(paying: House, rail: Rail) -> None:
    rail.pays = partly("10.00")
    reference = await accepted(paying)
    await paying.at(reference, Stage.FOLLOWING_UP)
    await paying.sent(reference, LetterKind.PAYMENT_PARTIAL)
    (letter,) = (mail for mail in paying.mail() if "A part of" in mail["Subject"])
    assert "$10.00" in letter.get_content()
    assert "$8.41" in letter.get_content()
    assert [one.body["amount"] for one in rail.payments.values()] == ["18.41", "8.41"]
    await exact(paying, rail, reference)


async def test_a_rail_that_pays_in_parts_only_is_looked_at_by_a_person(paying: House, rail: Rail) -> None:
    rail.pays = partly("1.00")
    reference = await accepted(paying)
    await held(paying, reference, "the rail paid in parts only, 3 times")
    assert len(rail.keys) == 3
    rail.pays = paid
    await paying.complaints.retry_payment(reference, "The bank has lifted its limit.", by=HANDLER)
    await exact(paying, rail, reference)


async def test_what_was_paid_outside_is_reported_by_a_second_person_with_the_limit_for_it(
    paying: House, rail: Rail
) -> None:
    rail.pays = declining()
    reference = await accepted(paying)
    await held(paying, reference, "the payment was declined")
    with pytest.raises(Refused, match=r"role handler may not report a payment as paid where USD 18\.41 was awarded"):
        await paying.complaints.report_payment(reference, by=HANDLER, state="paid", bank_reference="B-7")
    with pytest.raises(ValueError, match="bank_reference"):
        await paying.complaints.report_payment(reference, by=APPROVER, state="paid")
    with pytest.raises(Refused, match="no payment is in hand that could have been declined"):
        await paying.complaints.report_payment(reference, by=APPROVER, state="declined", reason="The bank says so.")
    receipt = await paying.complaints.report_payment(
        reference, by=APPROVER, state="paid", bank_reference="B-7", message_id="m-1"
    )
    assert receipt.noted == f"USD 18.41 paid, {reference}:payment:1:2"
    again = await paying.complaints.report_payment(
        reference, by=APPROVER, state="paid", bank_reference="B-7", message_id="m-1"
    )
    assert again == receipt
    await exact(paying, rail, reference)
    assert rail.money() == 0
    accounts = await paying.pool.fetch("SELECT account FROM casefile.ledger_entries WHERE account LIKE 'cash:%'")
    assert [row["account"] for row in accounts] == ["cash:hand"]


async def test_a_payment_in_conflict_at_the_rail_is_led_out_by_two_people(paying: House, rail: Rail) -> None:
    rail.script = ["409"]
    reference = await accepted(paying)
    await held(paying, reference, "what became of the payment is not known")
    await paying.eventually(lambda: paying.timeline(reference, "fault"))
    with pytest.raises(Refused, match="may have been paid to the old account"):
        await paying.complaints.retry_payment(reference, "Try there.", by=APPROVER, payee="70054321")
    await paying.complaints.report_payment(reference, by=OFFICER, state="declined", reason="Their ledger has nothing.")
    await held(paying, reference, "the payment was declined")
    with pytest.raises(Refused, match="who reported what became of the payment does not have it paid again"):
        await paying.complaints.retry_payment(reference, "Now.", by=OFFICER)
    await paying.complaints.retry_payment(reference, "Now.", by=APPROVER)
    await exact(paying, rail, reference)
    assert list(rail.payments) == [f"{reference}:payment:1:2"]


async def test_a_persons_word_ends_the_wait_for_a_rail_that_never_answers(paying: House, rail: Rail) -> None:
    rail.pays = pending
    reference = await accepted(paying)
    await paying.eventually(lambda: _asked(rail))
    await paying.complaints.report_payment(reference, by=APPROVER, state="paid", bank_reference="B-8")
    await paying.at(reference, Stage.FOLLOWING_UP)
    await exact(paying, rail, reference)
    assert rail.keys == [f"{reference}:payment:1:1"]


async def test_money_that_came_back_is_owed_again_and_paid_again(paying: House, rail: Rail) -> None:
    reference = await accepted(paying)
    await paying.at(reference, Stage.FOLLOWING_UP)
    await paying.env.sleep(timedelta(days=5))
    with pytest.raises(Refused, match="role handler may not report a reversal"):
        await paying.complaints.report_payment(reference, by=HANDLER, state="reversed", bank_reference="B-9")
    with pytest.raises(Refused, match=f"those made are: {reference}:payment:1:1"):
        await paying.complaints.report_payment(
            reference, by=BANK, state="reversed", bank_reference="B-9", payment="another"
        )
    await paying.complaints.report_payment(
        reference, by=BANK, state="reversed", bank_reference="B-9", cause="account_closed"
    )
    await held(paying, reference, "the payment came back (account closed)")
    await paying.at(reference, Stage.SETTLING)
    await paying.sent(reference, LetterKind.PAYMENT_REVERSED)
    clocks = await paying.pool.fetch(
        "SELECT clock, satisfied_by FROM casefile.deadline_ledger WHERE clock IN ('follow-up', 'payment')"
        " AND rung = 'due' ORDER BY number"
    )
    assert [tuple(row) for row in clocks] == [
        ("payment", "settled"),
        ("follow-up", "payment_returned"),
        ("payment", None),
    ]
    await paying.env.sleep(timedelta(days=40))
    assert (await paying.at(reference, Stage.SETTLING))["escalation_level"] >= 2
    await paying.complaints.retry_payment(reference, "A new account.", by=APPROVER, payee="70054321")
    await paying.at(reference, Stage.FOLLOWING_UP)
    await exact(paying, rail, reference)
    assert (await paying.accepted_letters(reference)).count("feedback_request") == 1
    assert rail.money() == 2 * AWARD  # the first came back


async def test_what_is_owed_is_paid_though_the_customer_withdraws_meanwhile(paying: House, rail: Rail) -> None:
    rail.pays = declining()
    reference = await accepted(paying)
    await held(paying, reference, "the payment was declined")
    await paying.complaints.withdraw(reference, by=CUSTOMER)
    rail.pays = paid
    await paying.complaints.retry_payment(reference, "The account is open again.", by=HANDLER)
    await exact(paying, rail, reference)
    assert (await paying.complaints.result(reference)).outcome is Outcome.UPHELD


async def test_without_an_account_nothing_is_ordered_before_somebody_names_one(paying: House, rail: Rail) -> None:
    reference = await paying.submit(account=None, trades=[], description="Something is wrong.")
    await paying.at(reference, Stage.DECIDING)
    await paying.complaints.verify_complainant(reference, IdentityState.VERIFIED, "Called back.", by=HANDLER)
    award = {"amount": "50", "currency": "USD"}
    await paying.complaints.propose_resolution(
        reference, by=HANDLER, outcome="upheld", compensation=award, reasons="It was."
    )
    await paying.responded(reference)
    await paying.complaints.reply(reference, by=CUSTOMER, intent="accept")
    await held(paying, reference, "the payment was declined (no account to pay to)")
    assert rail.asked == []
    with pytest.raises(Refused, match="the case has no account to pay to; give one"):
        await paying.complaints.retry_payment(reference, "Go on.", by=APPROVER)
    proposer = HANDLER.model_copy(update={"role": Role.APPROVER})
    with pytest.raises(Refused, match="who proposed the award may not choose another account"):
        await paying.complaints.retry_payment(reference, "To mine.", by=proposer, payee="70066666")
    await paying.complaints.retry_payment(reference, "Told by telephone.", by=APPROVER, payee="70054321")
    await paying.complaints.record_cause(reference, "charges/not_told", by=HANDLER)
    await exact(paying, rail, reference, Decimal(50))


# -- an award that the ledger refuses ----------------------------------------------------------------------------------


async def test_an_award_that_the_ledger_never_takes_is_led_out_by_a_reopening(house: House) -> None:
    await house.late_withdrawal()
    reference = await house.submit()
    await house.responded(reference)
    await _post_in_its_place(house, reference)
    await house.complaints.reply(reference, by=CUSTOMER, intent="accept")
    await house.eventually(lambda: house.timeline(reference, "fault"))
    case = await house.row(reference, lambda case: bool(case["escalation_level"] == 1))
    assert case["stage"] == Stage.SETTLING
    await house.complaints.reopen(reference, "The ledger has another award under that key.", by=HANDLER)
    await house.at(reference, Stage.DECIDING)
    await house.complaints.propose_resolution(
        reference,
        by=HANDLER,
        outcome="upheld",
        compensation={"amount": "18.41", "currency": "USD"},
        reasons="As decided before.",
    )
    await house.complaints.approve(reference, by=APPROVER)
    await house.responded(reference)
    await house.complaints.reply(reference, by=CUSTOMER, intent="accept")
    await house.at(reference, Stage.FOLLOWING_UP)
    keys = await house.fetch("SELECT key FROM casefile.postings WHERE reference = $1 ORDER BY number", reference)
    assert f"{reference}:compensation:2" in [row["key"] for row in keys]


async def _post_in_its_place(house: House, reference: str) -> None:
    """Something else in the ledger, under the key that the award is to have."""
    async with house.pool.acquire() as connection, connection.transaction():
        key = f"{reference}:compensation:1"
        await connection.execute(
            "INSERT INTO casefile.postings (key, reference, number, amount, currency, posted_at)"
            " VALUES ($1, $2, 9999, 1, 'USD', now())",
            key,
            reference,
        )
        for account, amount in (("expense:redress", 1), (f"liability:customer:{reference}", -1)):
            await connection.execute(
                "INSERT INTO casefile.ledger_entries VALUES ($1, $2, $3, 'USD')", key, account, amount
            )


async def round_two(house: House, reference: str) -> None:
    """The customer, who was paid, disputes after all; and then the bank sends the money back."""
    await house.at(reference, Stage.FOLLOWING_UP)
    await house.complaints.reply(reference, by=CUSTOMER, intent="dispute")
    await house.at(reference, Stage.DECIDING)
    await house.complaints.report_payment(reference, by=BANK, state="reversed", bank_reference="B-9")
    await held(house, reference, "the payment came back")


async def test_nobody_turns_an_award_to_another_account_by_way_of_evidence(paying: House, rail: Rail) -> None:
    rail.pays = declining("account_closed")
    reference = await accepted(paying)
    await held(paying, reference, "the payment was declined")
    for by in (CUSTOMER, HANDLER):
        with pytest.raises(Refused, match="account: a resolution was approved"):
            await paying.complaints.add_evidence(reference, "another account", by=by, account="66600666")
    rail.pays = paid
    await paying.complaints.retry_payment(reference, "It is open again.", by=HANDLER)
    await exact(paying, rail, reference)
    assert {payment.body["payee"] for payment in rail.payments.values()} == {"70012345"}


async def test_a_customer_may_name_an_account_but_not_change_it(house: House) -> None:
    await house.late_withdrawal("300000", days_late=30)
    reference = await house.submit()
    await house.at(reference, Stage.DECIDING)
    with pytest.raises(Refused, match="role customer may not change the case's account; staff may"):
        await house.complaints.add_evidence(reference, "mine too", by=CUSTOMER, account="66600666")
    await house.complaints.add_evidence(reference, "a slip of the pen", by=HANDLER, account="70099999")


async def test_what_the_case_itself_made_good_is_not_found_again_in_another_round(house: House) -> None:
    await house.late_withdrawal()
    reference = await house.submit()
    await house.responded(reference)
    await house.complaints.reply(reference, by=CUSTOMER, intent="accept")
    await house.at(reference, Stage.FOLLOWING_UP)
    await house.complaints.reply(reference, by=CUSTOMER, intent="dispute")
    await house.at(reference, Stage.DECIDING)
    with pytest.raises(Refused, match="the findings come to no sum"):
        await house.complaints.propose_resolution(
            reference, by=HANDLER, outcome="upheld", as_found=True, reasons="It was our fault."
        )


async def test_money_that_came_back_is_paid_before_a_withdrawn_case_ends(paying: House, rail: Rail) -> None:
    reference = await accepted(paying)
    await round_two(paying, reference)
    await paying.complaints.withdraw(reference, by=CUSTOMER)
    await paying.at(reference, Stage.SETTLING)
    await paying.complaints.retry_payment(reference, "The bank's slip.", by=APPROVER)
    await exact(paying, rail, reference)
    assert rail.money() == 2 * AWARD  # of which one came back


async def test_a_sum_proposed_as_found_is_set_aside_when_something_else_is_found(house: House) -> None:
    await house.late_withdrawal("300000", days_late=14)
    reference = await house.submit()
    await house.at(reference, Stage.DECIDING)
    await house.complaints.propose_resolution(
        reference, by=HANDLER, outcome="upheld", as_found=True, reasons="It was our fault."
    )
    await house.late_withdrawal("300000", days_late=27, entry="w-2")
    await house.complaints.add_evidence(reference, "another one", by=CUSTOMER, trades=["w-2"])

    async def set_aside() -> bool:
        return any(line.startswith("set_aside: ") for line in await house.timeline(reference))

    await house.eventually(set_aside)
    await house.at(reference, Stage.DECIDING)
    with pytest.raises(Refused, match="no proposal waits for approval"):
        await house.complaints.approve(reference, by=OFFICER)


async def test_who_proposed_in_any_round_does_not_redirect_the_money(paying: House, rail: Rail) -> None:
    await paying.late_withdrawal("300000", days_late=30)
    reference = await paying.submit()
    await paying.at(reference, Stage.DECIDING)
    lead = Actor(id="t-1", role=Role.APPROVER)
    await paying.complaints.propose_resolution(
        reference, by=lead, outcome="upheld", as_found=True, reasons="It was our fault."
    )
    await paying.complaints.approve(reference, by=APPROVER)
    await paying.responded(reference)
    await paying.complaints.reply(reference, by=CUSTOMER, intent="accept")
    await round_two(paying, reference)
    await paying.complaints.propose_resolution(
        reference, by=HANDLER, outcome="not_upheld", remedies=["explanation"], reasons=a_no("Nothing more is owed.")
    )
    await paying.complaints.approve(reference, by=Actor(id="e-2", role=Role.EXECUTIVE))
    await paying.responded(reference)
    await paying.complaints.reply(reference, by=CUSTOMER, intent="accept")
    await paying.at(reference, Stage.SETTLING)
    with pytest.raises(Refused, match="approver:t-1 is kept out of this case"):
        await paying.complaints.retry_payment(reference, "There.", by=lead, payee="66600666")
