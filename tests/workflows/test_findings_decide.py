"""From the choice of checks to what is paid: words, a handler's own checks, interest, and what people award."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.checks.findings import Check
from domain.ground.words import Outcome, Stage
from starter.client.conversation import Refused
from tests.checks.rows import after, fill, order, position, quote, store
from tests.workflows.house import ACCOUNT, APPROVER, CUSTOMER, HANDLER, House
from tests.workflows.rules import OMBUDSMAN, own

TEAM_LEAD = HANDLER.model_copy(update={"id": "t-1", "role": "team_lead"})
MENTIONS_AN_OUTAGE = "My withdrawal was paid far too late. Nobody answered, and your server was down all the time."
HIDDEN_FEE = "A hidden fee was charged to my account. I was never told of it and want it refunded."
EIGHT = {
    "name": "firm",
    "trigger": "received",
    "percent": 8,
    "source": "Made for the test",
    "confirmed": True,
}


async def fee(house: House, amount: str, *, days_ago: int) -> None:
    """A fee of *amount* USD that nobody told of."""
    await house.pool.execute(
        "INSERT INTO tradelog.account_entries (entry, account, kind, amount, currency, booked_at, note)"
        " VALUES ('e-1', $1, 'fee', -$2::text::numeric, 'USD', $3, 'Inactivity fee')",
        ACCOUNT,
        amount,
        await house.env.get_current_time() - timedelta(days=days_ago),
    )


async def found(house: House, reference: str) -> list[str]:
    return [entry.removeprefix("finding: ") for entry in await house.timeline(reference, "finding")]


async def test_words_add_checks_and_what_these_leave_open_is_left_to_a_person_without_asking_the_customer(
    house: House,
) -> None:
    await house.late_withdrawal()
    reference = await house.submit(description=MENTIONS_AN_OUTAGE)
    await house.drafted(reference)
    assert await found(house, reference) == ["withdrawal_delay: firm_fault", "outage: inconclusive"]
    await house.eventually(lambda: house.timeline(reference, "draft"))
    status = await house.complaints.status(reference)
    assert (status.waiting_for, status.proposal) == ("a proposal", "upheld, USD 18.41")
    assert await house.accepted_letters(reference) == ["acknowledgement"]


async def test_what_is_sure_and_reaches_the_claim_is_drafted_and_alone_told(house: House) -> None:
    await house.late_withdrawal()
    claimed = {"amount": "18.41", "currency": "USD"}
    reference = await house.submit(description=MENTIONS_AN_OUTAGE, amount_claimed=claimed)
    await house.eventually(lambda: house.timeline(reference, "draft"))
    await house.complaints.propose_draft(reference, by=HANDLER)
    await house.responded(reference)
    response = house.mail()[-1].get_content()
    assert "we need the number of the order" not in response
    assert "18.41" in response
    await house.complaints.reply(reference, by=CUSTOMER, intent="accept")
    await house.complaints.record_cause(reference, "payments/own_delay", by=HANDLER)
    assert (await house.closed(reference)).outcome is Outcome.UPHELD


async def test_a_category_without_checks_of_its_own_is_investigated_where_its_words_point_to_some(
    house: House,
) -> None:
    await fee(house, "100", days_ago=73)
    reference = await house.submit(description=HIDDEN_FEE, trades=["e-1"])
    await house.responded(reference)
    assert await found(house, reference) == ["fees: firm_fault"]
    assert await house.timeline(reference, "proposed") == ["proposed: upheld, USD 100.00"]


async def test_a_frozen_account_and_a_promise_in_a_chat_are_found_and_left_to_a_person(house: House) -> None:
    now = await house.env.get_current_time()
    await house.pool.execute(
        "insert into tradelog.account_log (event, account, at, kind, reason)"
        " values ('a-1', $1, $2, 'frozen', 'suspected of layering')",
        ACCOUNT,
        now - timedelta(days=3),
    )
    await house.pool.execute(
        "insert into tradelog.messages (message, account, at, direction, text)"
        " values ('m-1', $1, $2, 'to_customer', '放心，保证收益。')",
        ACCOUNT,
        now - timedelta(days=9),
    )
    reference = await house.submit(
        description="我的帳戶被凍結，什麼都不能做。當初你們的客服答應保證收益。", language="zh-CN"
    )
    await house.at(reference, Stage.DECIDING)
    assert {"frozen_account: inconclusive", "promise: inconclusive"} <= set(await found(house, reference))
    assert not await house.timeline(reference, "proposed")
    assert "layering" not in "".join(letter.get_content() for letter in house.mail())
    quoted = (
        "select count(*) from casefile.timeline where data::text like '%' || $1 || '%' or text like '%' || $1 || '%'"
    )
    for said in ("layering", "放心，保证收益。"):
        assert not await house.fetchval(quoted, said), "what was said on the platform is sealed where it is quoted"
    data = await house.fetch("select data from casefile.timeline where kind = 'finding'")
    assert any("放心，保证收益。" in row["data"]["reason"]["zh"] for row in data)


async def test_the_words_of_a_reply_go_with_the_next_investigation_and_set_none_off(house: House) -> None:
    await house.late_withdrawal("3000000")
    reference = await house.submit()
    await house.at(reference, Stage.DECIDING)
    await house.complaints.reply(reference, by=CUSTOMER, text="And they cancelled my profit on top of it.")
    await house.eventually(lambda: house.timeline(reference, "customer_reply"))
    assert await found(house, reference) == ["withdrawal_delay: firm_fault"]
    await house.complaints.investigate(reference, Check.WITHDRAWAL_DELAY, by=HANDLER)

    async def again() -> bool:
        return len(await found(house, reference)) == 3

    await house.eventually(again)
    assert (await found(house, reference))[1:] == ["withdrawal_delay: firm_fault", "cancelled_trade: inconclusive"]


async def test_a_handler_may_run_any_check_on_top_and_a_proposal_made_before_is_set_aside(house: House) -> None:
    await house.late_withdrawal("3000000")
    await fee(house, "100", days_ago=10)
    reference = await house.submit()
    await house.at(reference, Stage.DECIDING)
    with pytest.raises(Refused, match="role customer may not send investigate"):
        await house.complaints.investigate(reference, Check.FEES, by=CUSTOMER)
    await house.complaints.propose_resolution(
        reference, by=HANDLER, outcome="upheld", as_found=True, reasons="Paid late."
    )
    receipt = await house.complaints.investigate(
        reference, Check.FEES, Check.CANCELLED_TRADE, by=HANDLER, trades=("e-1",), message_id="i-1"
    )
    assert receipt.noted == "fees, cancelled_trade"
    again = await house.complaints.investigate(
        reference, Check.FEES, Check.CANCELLED_TRADE, by=HANDLER, trades=("e-1",), message_id="i-1"
    )
    assert again == receipt

    async def all_of_them() -> bool:
        return (await found(house, reference))[1:] == [
            "withdrawal_delay: firm_fault",
            "fees: firm_fault",
            "cancelled_trade: inconclusive",
        ]

    await house.eventually(all_of_them)
    await house.at(reference, Stage.DECIDING)
    with pytest.raises(Refused, match="no proposal waits"):
        await house.complaints.approve(reference, by=APPROVER)
    assert (await house.timeline(reference, "stage"))[-2:] == ["stage: investigating", "stage: deciding"]
    await house.complaints.propose_resolution(
        reference, by=HANDLER, outcome="upheld", as_found=True, reasons="Paid late, and a fee nobody told of."
    )
    status = await house.complaints.status(reference)
    assert status.proposal == "upheld, USD 4,702.74"  # 3,000,000 x 8 % x 7/365 = 4,602.74, and the fee


async def test_nothing_is_investigated_once_the_response_is_out(house: House) -> None:
    await house.late_withdrawal()
    reference = await house.submit()
    await house.responded(reference)
    with pytest.raises(Refused, match="investigate: the case is at stage responded; this is possible at"):
        await house.complaints.investigate(reference, Check.SLIPPAGE, by=HANDLER)
    await house.complaints.reply(reference, by=CUSTOMER, intent="accept")
    await house.at(reference, Stage.FOLLOWING_UP)
    with pytest.raises(Refused, match="investigate: the case is at stage following_up"):
        await house.complaints.investigate(reference, Check.SLIPPAGE, by=HANDLER)


async def test_there_is_nothing_to_look_at_without_an_account(house: House) -> None:
    reference = await house.submit(account=None, trades=[], description="Something is wrong.")
    await house.at(reference, Stage.DECIDING)
    with pytest.raises(Refused, match="no trading account to look at; add_evidence names it"):
        await house.complaints.investigate(reference, Check.SLIPPAGE, by=HANDLER)
    assert not await found(house, reference)


async def test_interest_by_the_pack_is_found_told_and_paid(house: House) -> None:
    await fee(house, "100", days_ago=73)
    reference = await house.submit(description=HIDDEN_FEE, trades=["e-1"], policy=own(house, interest=[EIGHT]))
    await house.responded(reference)
    response = " ".join(house.mail()[-1].get_content().split())
    assert "USD 100.00 × (8% × 73 days) ÷ 365 = 1.6000. With interest it comes to USD 101.60." in response
    assert "Compensation: $101.60" in response
    await house.complaints.reply(reference, by=CUSTOMER, intent="accept")
    await house.row(reference, lambda case: bool(case["stage"] == Stage.FOLLOWING_UP))
    assert str((await house.closed(reference)).compensation) == "USD 101.60"


async def test_a_base_rate_that_is_not_recorded_leaves_the_decision_to_a_person(house: House) -> None:
    await fee(house, "100", days_ago=73)
    over_base = {**EIGHT, "percent": 1, "base": "bank_of_england"}
    reference = await house.submit(description=HIDDEN_FEE, trades=["e-1"], policy=own(house, interest=[over_base]))
    await house.at(reference, Stage.DECIDING)
    assert await found(house, reference) == ["fees: firm_fault"]
    assert not await house.timeline(reference, "proposed")
    missing = await house.fetchval("SELECT data -> 'missing' FROM casefile.timeline WHERE kind = 'finding'")
    assert missing[0].startswith("base rate bank_of_england on ")


async def test_a_referral_may_bring_interest_that_was_not_owed_before(house: House) -> None:
    await fee(house, "1000", days_ago=73)  # above what is decided by rule
    referred = {**EIGHT, "trigger": "referred"}
    policy = own(house, interest=[referred], routes=[OMBUDSMAN], letters=[])
    reference = await house.submit(description=HIDDEN_FEE, trades=["e-1"], policy=policy)
    await house.drafted(reference)
    assert (await house.complaints.status(reference)).proposal == "upheld, USD 1,000.00"
    await house.complaints.record_referral(reference, "ombudsman", await house.env.get_current_time(), by=HANDLER)

    async def with_interest() -> bool:
        return (await house.complaints.status(reference)).proposal == "upheld, USD 1,016.00"

    await house.eventually(with_interest)


async def test_what_people_award_is_told_apart_needs_the_limits_of_the_whole_and_is_paid_with_it(house: House) -> None:
    await house.late_withdrawal("300000", days_late=30)  # 300,000 x 8 % x 30/365 = 1,972.60
    reference = await house.submit()
    await house.at(reference, Stage.DECIDING)
    awards: list[dict[str, Any]] = [
        {
            "kind": "distress",
            "amount": {"amount": "8000", "currency": "USD"},
            "reason": "a house purchase fell through",
        },
        {"kind": "goodwill", "amount": {"amount": "27.40", "currency": "USD"}, "reason": "for your patience"},
    ]
    receipt = await house.complaints.propose_resolution(
        reference, by=HANDLER, outcome="upheld", as_found=True, awards=awards[:1], reasons="Paid late."
    )
    assert receipt.noted == "upheld, USD 9,972.60 (with USD 8,000.00 distress)"
    await house.complaints.return_proposal(reference, "Add a gesture.", by=APPROVER)
    await house.complaints.propose_resolution(
        reference, by=HANDLER, outcome="upheld", as_found=True, awards=awards, reasons="Paid late."
    )
    with pytest.raises(Refused, match=r"role team_lead may not approve USD 10,000\.00; roles that may: approver"):
        await house.complaints.approve(reference, by=TEAM_LEAD)
    await house.complaints.approve(reference, by=APPROVER)
    await house.responded(reference)
    response = house.mail()[-1].get_content()
    assert "Compensation: $10,000.00, which is made up of" in response
    assert "- $1,972.60 for what it cost you (the loss we established)" in response
    assert "- $8,000.00 for the distress and inconvenience: a house purchase fell through" in response
    assert "- $27.40 as a gesture of goodwill: for your patience" in response
    await house.complaints.reply(reference, by=CUSTOMER, intent="accept")
    await house.complaints.record_cause(reference, "payments/own_delay", by=HANDLER)
    assert str((await house.closed(reference)).compensation) == "USD 10,000.00"


async def test_an_order_of_the_same_position_that_was_in_order_leaves_the_other_ones_sum_to_the_rule(
    house: House,
) -> None:
    held: dict[str, Any] = {"account": ACCOUNT, "position": "P1"}
    half: dict[str, Any] = {"volume": Decimal("0.05"), **held}
    wrong = [quote("LP-A", second, "1920.96" if 0 <= second <= 2 else "1937.40") for second in range(-10, 31)]
    await store(
        house.pool,
        *(
            quote(source, at, bid)
            for source, bid in (("LP-B", "1937.36"), ("LP-C", "1937.41"))
            for at in range(-10, 31)
        ),
        *wrong,
        position(account=ACCOUNT, volume=Decimal("0.10"), close_price=Decimal("1937.40"), closed_at=after(20)),
        order(received_at=after(0.4), **half),
        order(order="O2", received_at=after(19.9), **half),
        fill("1920.96", at=after(0.5), **half),
        fill("1937.40", fill="F2", order="O2", at=after(20), **half),
    )
    reference = await house.submit(trades=["P1"], description="My position was closed at a wrong price.")
    await house.responded(reference)
    # (1937.385 - 1920.96) x 100 x 0.05, and nothing of the other half
    assert await house.timeline(reference, "proposed") == ["proposed: upheld, USD 82.13"]
    assert {"execution: provider_fault", "execution: market"} <= set(await found(house, reference))
    await house.complaints.reply(reference, by=CUSTOMER, intent="accept")
    await house.row(reference, lambda case: bool(case["stage"] == Stage.FOLLOWING_UP))
    assert await house.fetchval("select sum(amount)::text from casefile.postings") == "82.13"
