"""Payments and what is recorded of them: once a key, whatever the rail and the workers do."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from temporalio.exceptions import ApplicationError

from activities.incidents.incident_payments import IncidentPayments
from activities.money.compensation import Compensation
from activities.money.ledger import Posting, post
from activities.money.payments import FIRST_WAIT, LONGEST_WAIT, Payments
from domain.case.requests import BookPayment, PayCompensation, PaymentRecorded
from domain.ground.people import Actor
from domain.ground.timeline import Entry
from domain.ground.words import PaymentReason, PaymentState, Role, Stage
from domain.incidents.requests import PayMember
from domain.money.amounts import PositiveMoney
from domain.money.payment import PaymentOrder, PaymentOutcome
from runtime.payment_rail import HttpRail
from starter.reading.ledger import check_ledger
from starter.reading.payments import get_payments, get_unsettled
from tests.case.support import after, awarding, keeping, opened, summary, update, usd
from tests.money.rail import Rail, declining, open_rail, paid, partly, pending

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]

APPROVER = Actor(id="a-3", role=Role.APPROVER)


def paying(pool: "Pool", rail: Rail | None, **changes: Any) -> Payments:
    return Payments(pool, keeping(pool), HttpRail(rail.settings(**changes)) if rail else None, lambda: after(40))


def order(reference: str, amount: str = "812.50", attempt: int = 1) -> PaymentOrder:
    money = PositiveMoney(amount=Decimal(amount), currency="USD")
    return PaymentOrder(key=f"{reference}:payment:1:{attempt}", reference=reference, payee="70012345", amount=money)


def request(reference: str, amount: str = "812.50", attempt: int = 1) -> PayCompensation:
    return PayCompensation(number=20 + attempt, order=order(reference, amount, attempt), update=update(reference, 3))


async def owing(pool: "Pool", key: str = "1") -> str:
    """The reference of a case that owes USD 812.50, to be paid through a rail."""
    reference = await opened(keeping(pool), key)
    ledger = Compensation(pool, keeping(pool), lambda: after(30), rail="127.0.0.1")
    await ledger.record_compensation(awarding(reference, usd("812.50")))
    return reference


def report(reference: str, state: PaymentState, attempt: int = 1, **changes: Any) -> BookPayment:
    fields: dict[str, Any] = {
        "number": 20 + attempt,
        "key": f"{reference}:payment:1:{attempt}",
        "state": state,
        "payee": "70012345",
        "amount": usd("812.50"),
        "bank_reference": "BANK-9",
        "cause": None,
        "actor": APPROVER,
        "update": update(reference, 4, entries=(_reported(state),)),
        **changes,
    }
    return BookPayment.model_validate(fields)


def _reported(state: PaymentState) -> Entry:
    """What the timeline has of the report."""
    said = {"round": 7, "state": state.value, "bank_reference": "BANK-9"}
    return Entry(
        key=f"report_payment:{90 + len(state)}",
        at=after(39),
        kind="report_payment",
        actor=str(APPROVER),
        text=state.value,
        data=said,
    )


async def in_the_end(pay: Callable[[], Awaitable[PaymentRecorded]], tries: int = 30) -> PaymentRecorded:
    """What an activity that is tried again and again comes to."""
    for _ in range(tries):
        try:
            return await pay()
        except ApplicationError as error:
            if error.non_retryable or error.next_retry_delay is None:
                raise
    pytest.fail("it never ended")


async def refusal(doing: Awaitable[object], match: str | None = None) -> ApplicationError:
    with pytest.raises(ApplicationError, match=match) as refused:
        await doing
    return refused.value


async def entries(pool: "Pool") -> list[tuple[str, Decimal]]:
    rows = await pool.fetch(
        "SELECT e.account, e.amount FROM casefile.ledger_entries e JOIN casefile.postings ON key = posting_key"
        " WHERE kind <> 'award' ORDER BY posted_at, number, e.amount DESC"
    )
    return [(row["account"], row["amount"]) for row in rows]


async def exchanges(pool: "Pool") -> list[str]:
    rows = await pool.fetch("SELECT asked, answer FROM payments.exchanges ORDER BY id")
    return [f"{row['asked']}: {row['answer']}" for row in rows]


# -- paid --------------------------------------------------------------------------------------------------------------


async def test_a_payment_pays_the_debt_that_the_award_made(pool: "Pool", rail: Rail) -> None:
    reference = await opened(keeping(pool))
    payments = paying(pool, rail)
    compensation = Compensation(pool, keeping(pool), lambda: after(30), rail=payments.rail)
    posted = await compensation.record_compensation(awarding(reference, usd("812.50")))
    assert posted.rail == payments.rail
    assert {deadline.clock for deadline in posted.recorded.planned} == {"payment"}
    assert await pool.fetchval("SELECT stage FROM casefile.cases") != Stage.FOLLOWING_UP
    recorded = await payments.pay_compensation(request(reference))
    assert (recorded.outcome.state, recorded.outcome.paid) == (PaymentState.PAID, usd("812.50"))
    debt = f"liability:customer:{reference}"
    assert await entries(pool) == [
        (debt, Decimal("812.50")),
        (f"cash:{payments.rail}", Decimal("-812.50")),
    ]
    told = await pool.fetchrow("SELECT actor, text FROM casefile.timeline WHERE kind = 'payment'")
    assert told is not None
    assert tuple(told) == ("system:redress", f"USD 812.50 paid, {payments.rail}, reference B-1")
    (total,) = (await check_ledger(pool)).totals
    assert (total.awarded, total.paid) == (Decimal("812.50"), Decimal("812.50"))


async def test_the_same_payment_again_is_answered_as_the_first_time(pool: "Pool", rail: Rail) -> None:
    reference = await owing(pool)
    first = await paying(pool, rail).pay_compensation(request(reference))
    assert await paying(pool, rail).pay_compensation(request(reference)) == first
    assert rail.asked == [f"PUT {first.outcome.key}"]
    assert len(await entries(pool)) == 2


async def test_the_intent_is_written_before_the_rail_hears_of_it(pool: "Pool", rail: Rail) -> None:
    reference = await owing(pool)
    rail.script = ["unheard"]
    error = await refusal(paying(pool, rail).pay_compensation(request(reference)))
    assert error.type == "PaymentUnknown"
    (known,) = await get_payments(pool, reference)
    assert (known.state, known.answer, known.exchanges) == (PaymentState.ORDERED, "failed", 1)
    (unsettled,) = await get_unsettled(pool, after(100))
    assert (unsettled.owed, unsettled.age) == (Decimal("812.50"), timedelta(minutes=70))


@pytest.mark.parametrize(
    ("fault", "asked"),
    [("lost", ["PUT", "GET"]), ("unheard", ["PUT", "GET", "PUT"]), ("garbled", ["PUT", "GET"]), ("500", None)],
)
async def test_an_unknown_outcome_is_asked_for_and_never_paid_blind(
    pool: "Pool", rail: Rail, fault: str, asked: list[str] | None
) -> None:
    reference = await owing(pool)
    rail.script = [fault]
    recorded = await in_the_end(lambda: paying(pool, rail).pay_compensation(request(reference)))
    assert recorded.outcome.state is PaymentState.PAID
    assert [line.split()[0] for line in rail.asked] == (asked or ["PUT", "GET", "PUT"])
    assert (rail.money(), rail.keys) == (Decimal("812.50"), [recorded.outcome.key])


async def test_a_worker_that_dies_after_the_rail_has_paid_learns_of_it_by_asking(pool: "Pool", rail: Rail) -> None:
    async def die(connection: object, outcome: PaymentOutcome) -> None:
        raise RuntimeError("killed before the commit")

    payments = paying(pool, rail)
    reference = await owing(pool)
    with pytest.raises(RuntimeError):
        await payments.settle(order(reference), die)
    assert (await get_payments(pool, reference))[0].state is PaymentState.ORDERED
    await payments.pay_compensation(request(reference))
    assert await exchanges(pool) == ["pay: paid", "ask: paid"]
    assert rail.money() == Decimal("812.50")


async def test_the_same_payment_eight_times_at_once_reaches_the_rail_once(pool: "Pool", rail: Rail) -> None:
    reference = await owing(pool)
    payments = [paying(pool, rail) for _ in range(8)]
    answers = await asyncio.gather(*(one.pay_compensation(request(reference)) for one in payments))
    assert answers == [answers[0]] * 8
    assert len(rail.asked) == 1
    assert len(await entries(pool)) == 2


async def test_a_pending_payment_is_asked_for_less_and_less_often(pool: "Pool", rail: Rail) -> None:
    reference = await owing(pool)
    payments = paying(pool, rail)
    rail.pays = pending
    waits = []
    for _ in range(10):
        error = await refusal(payments.pay_compensation(request(reference)))
        assert error.type == "PaymentPending"
        waits.append(error.next_retry_delay)
    assert waits[:4] == [FIRST_WAIT, 2 * FIRST_WAIT, 4 * FIRST_WAIT, 8 * FIRST_WAIT]
    assert waits[-1] == LONGEST_WAIT
    assert [line.split()[0] for line in rail.asked] == ["PUT"] + ["GET"] * 9
    (one,) = rail.payments.values()
    one.answer = paid(one.body)
    assert (await payments.pay_compensation(request(reference))).outcome.state is PaymentState.PAID


# -- not paid ----------------------------------------------------------------------------------------------------------


async def test_a_declined_payment_posts_nothing_and_says_why(pool: "Pool", rail: Rail) -> None:
    reference = await owing(pool)
    rail.pays = declining("name_mismatch")
    recorded = await paying(pool, rail).pay_compensation(request(reference))
    assert (recorded.outcome.state, recorded.outcome.reason) == (PaymentState.DECLINED, PaymentReason.NAME_MISMATCH)
    assert await entries(pool) == []


async def test_what_came_back_before_anybody_asked_was_never_paid(pool: "Pool", rail: Rail) -> None:
    reference = await owing(pool)
    rail.pays = lambda body: {"state": "reversed", "reason": "account_unknown"}
    recorded = await paying(pool, rail).pay_compensation(request(reference))
    assert (recorded.outcome.state, recorded.outcome.paid) == (PaymentState.REVERSED, usd("0"))
    assert recorded.outcome.reason is PaymentReason.ACCOUNT_UNKNOWN
    assert await entries(pool) == []


async def test_of_a_partial_payment_that_part_is_posted(pool: "Pool", rail: Rail) -> None:
    reference = await owing(pool)
    rail.pays = partly("600")
    recorded = await paying(pool, rail).pay_compensation(request(reference))
    assert (recorded.outcome.state, recorded.outcome.paid) == (PaymentState.PARTIAL, usd("600"))
    assert [amount for _, amount in await entries(pool)] == [Decimal(600), Decimal(-600)]


async def test_a_rail_that_pays_another_amount_is_in_conflict_and_not_asked_again(pool: "Pool", rail: Rail) -> None:
    reference = await owing(pool)
    rail.pays = lambda body: {"state": "paid", "amount": "912.50", "currency": "USD"}
    error = await refusal(paying(pool, rail).pay_compensation(request(reference)), match=r"paid USD 912\.50 of USD 812")
    assert (error.type, error.non_retryable) == ("PaymentConflict", True)
    assert await entries(pool) == []


async def test_a_key_of_something_else_is_a_conflict_here_and_at_the_rail(pool: "Pool", rail: Rail) -> None:
    reference = await owing(pool)
    payments = paying(pool, rail)
    await payments.pay_compensation(request(reference, "800"))
    error = await refusal(payments.pay_compensation(request(reference, "800.01")), match="belongs to another payment")
    assert (error.type, error.non_retryable) == ("PaymentConflict", True)
    await HttpRail(rail.settings()).pay(order(reference, "5", attempt=2))
    error = await refusal(payments.pay_compensation(request(reference, "6", attempt=2)), match="for another payment")
    assert (error.type, error.non_retryable) == ("PaymentConflict", True)
    assert await exchanges(pool) == ["pay: paid", "pay: conflict"]


async def test_without_a_rail_nothing_is_ordered(pool: "Pool") -> None:
    reference = await owing(pool)
    error = await refusal(paying(pool, None).pay_compensation(request(reference)), match="REDRESS_PAYMENT_URL")
    assert (error.type, error.non_retryable) == ("PaymentRailMissing", False)
    assert await get_payments(pool, reference) == []


async def test_a_payment_ordered_from_one_rail_is_never_paid_by_another(pool: "Pool", rail: Rail) -> None:
    reference = await owing(pool)
    rail.script = ["lost"]
    await refusal(paying(pool, rail).pay_compensation(request(reference)))
    async with open_rail() as other:
        # another host; another port of the same host, as of a sandbox beside the live rail; another path of it
        for changed, url in (
            (other, other.url.replace("127.0.0.1", "localhost")),
            (other, other.url),
            (rail, f"{rail.url}/live"),
        ):
            asked = list(changed.asked)
            payments = paying(pool, changed, payment_url=url)
            error = await refusal(payments.pay_compensation(request(reference)), match="ordered from rail 127.0.0.1#")
            assert (error.type, error.non_retryable) == ("PaymentRailChanged", False)
            assert changed.asked == asked


# -- what people say ---------------------------------------------------------------------------------------------------


async def test_what_was_paid_outside_is_posted_as_paid_by_hand(pool: "Pool") -> None:
    reference = await owing(pool)
    recorded = await paying(pool, None).book_payment(report(reference, PaymentState.PAID))
    assert (recorded.outcome.rail, recorded.outcome.by) == ("hand", "approver:a-3")
    assert [account for account, _ in await entries(pool)] == [f"liability:customer:{reference}", "cash:hand"]
    assert await paying(pool, None).book_payment(report(reference, PaymentState.PAID)) == recorded
    assert len(await entries(pool)) == 2


async def test_a_persons_word_on_a_payment_in_hand_ends_it_and_the_rail_is_not_asked_again(
    pool: "Pool", rail: Rail
) -> None:
    reference = await owing(pool)
    rail.script = ["lost"]
    await refusal(paying(pool, rail).pay_compensation(request(reference)))
    booked = await paying(pool, rail).book_payment(report(reference, PaymentState.PAID))
    assert booked.outcome.rail == paying(pool, rail).rail
    recorded = await paying(pool, rail).pay_compensation(request(reference))
    assert recorded.outcome == booked.outcome
    assert len(rail.asked) == 1
    assert len(await entries(pool)) == 2


async def test_what_the_rail_said_first_stands(pool: "Pool", rail: Rail) -> None:
    reference = await owing(pool)
    await paying(pool, rail).pay_compensation(request(reference))
    booked = await paying(pool, rail).book_payment(report(reference, PaymentState.DECLINED))
    assert (booked.outcome.state, booked.outcome.by) == (PaymentState.PAID, f"rail:{paying(pool, rail).rail}")


async def test_a_reversal_posts_the_opposite_once(pool: "Pool", rail: Rail) -> None:
    reference = await owing(pool)
    payments = paying(pool, rail)
    back = report(reference, PaymentState.REVERSED, number=30, cause=PaymentReason.ACCOUNT_CLOSED)
    error = await refusal(payments.book_payment(back), match="was not paid")
    assert (error.type, error.non_retryable) == ("NotPaid", True)
    await payments.pay_compensation(request(reference))
    first = await payments.book_payment(back)
    assert await payments.book_payment(back) == first
    assert (first.outcome.state, first.outcome.paid) == (PaymentState.REVERSED, usd("812.50"))
    assert [amount for account, amount in await entries(pool) if account.startswith("cash:")] == [
        Decimal("-812.50"),
        Decimal("812.50"),
    ]
    (one,) = await get_payments(pool, reference)
    assert (one.state, one.reason, one.said_by) == (
        PaymentState.REVERSED,
        PaymentReason.ACCOUNT_CLOSED,
        "approver:a-3",
    )
    (total,) = (await check_ledger(pool)).totals
    assert total.paid == 0


# -- without a case ----------------------------------------------------------------------------------------------------


async def test_people_without_a_case_are_paid_in_the_same_way(pool: "Pool", rail: Rail) -> None:
    booked: list[PaymentOutcome] = []

    async def book(connection: object, outcome: PaymentOutcome) -> str:
        booked.append(outcome)
        return "booked"

    money = PositiveMoney(amount=Decimal("12.34"), currency="EUR")
    for_account = PaymentOrder(key="IN-1:payment:70099999:1", reference="IN-1", payee="70099999", amount=money)
    rail.script = ["lost"]
    payments = paying(pool, rail)
    await refusal(payments.settle(for_account, book))
    assert (await get_unsettled(pool, after(60)))[0].reference == "IN-1"
    assert await payments.settle(for_account, book) == await payments.settle(for_account, book) == "booked"
    assert booked == [booked[0]] * 2
    assert rail.money() == Decimal("12.34")
    assert await get_unsettled(pool, after(60)) == []


async def test_accounts_of_an_incident_stay_listed_until_the_rest_of_a_declined_or_partial_payment_is_paid(
    pool: "Pool", rail: Rail
) -> None:
    await opened(keeping(pool))  # pins a pack
    await pool.execute(
        "INSERT INTO casefile.incidents (reference, opened_at, opened_by, kind, since, until, opened, policy_hash,"
        " stage) SELECT 'IN-2', $1, 'dealer:d-1', 'outage', $1, $2, '{}', hash, 'compensating'"
        " FROM casefile.policy_packs",
        after(0),
        after(5),
    )
    payments = paying(pool, rail)
    accounts = ("70010001", "70010002", "70010003")
    for number, account in enumerate(accounts, 1):
        async with pool.acquire() as connection, connection.transaction():
            award = Posting(
                key=f"IN-2:{number}",
                kind="award",
                reference=None,
                number=1,
                amount=usd("100.00"),
                debit="expense:redress",
                credit=f"liability:customer:IN-2:{account}",
                rail=payments.rail,
                incident="IN-2",
                account=account,
            )
            await post(connection, award, after(number))

    async def attempt(account: str, number: int, pays: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        rail.pays = pays
        await IncidentPayments(pool, payments).pay_member(PayMember(reference="IN-2", account=account, attempt=number))

    async def owed() -> list[tuple[str | None, str, PaymentState | None]]:
        found = await get_unsettled(pool, after(60))
        assert {one.reference for one in found} <= {"IN-2"}
        return [(one.account, str(one.owed), one.payment.state if one.payment else None) for one in found]

    await attempt(accounts[0], 1, partly("60"))
    await attempt(accounts[1], 1, declining("account_closed"))
    assert await owed() == [
        (accounts[0], "40.00", PaymentState.PARTIAL),
        (accounts[1], "100.00", PaymentState.DECLINED),
        (accounts[2], "100.00", None),
    ]
    for account, number in zip(accounts, (2, 2, 1), strict=True):
        assert account in [one for one, _, _ in await owed()]
        await attempt(account, number, paid)
    assert await owed() == []


async def test_an_account_that_an_ended_incident_left_unpaid_is_listed_and_paid_incidents_are_not_looked_at(
    pool: "Pool", rail: Rail
) -> None:
    await opened(keeping(pool))
    for name, left in (("IN-3", 1), ("IN-4", 0)):
        await pool.execute(
            "INSERT INTO casefile.incidents (reference, opened_at, opened_by, kind, since, until, opened, policy_hash,"
            " stage, progress) SELECT $3, $1, 'dealer:d-1', 'outage', $1, $2, '{}', hash, 'closed', $4"
            " FROM casefile.policy_packs",
            after(0),
            after(5),
            name,
            {"left": left},
        )
        await pool.execute(
            "WITH posting AS (INSERT INTO casefile.postings (key, number, amount, currency, posted_at, kind, rail,"
            " incident, account) VALUES ($1, 1, 5, 'USD', $2, 'award', 'pay.example.com#1b2c3d4e', $1, '70010001')"
            " RETURNING key) INSERT INTO casefile.ledger_entries (posting_key, account, amount, currency)"
            " SELECT key, side, amount, 'USD' FROM posting, (VALUES ('expense:redress', 5),"
            " ('liability:customer:' || $1 || ':70010001', -5)) AS entry (side, amount)",
            name,
            after(6),
        )
    (one,) = await get_unsettled(pool, after(60))
    assert (one.reference, one.account, one.owed) == ("IN-3", "70010001", Decimal(5))


# -- whatever happens --------------------------------------------------------------------------------------------------

FAULTS = ["lost", "unheard", "garbled", "unsigned", "500", "401", "404", "crash", "pending", "well"]


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(faults=st.lists(st.sampled_from(FAULTS), max_size=5), parts=st.booleans())
async def test_whatever_goes_wrong_the_rail_sees_one_key_and_pays_once(
    pool: "Pool", faults: list[str], parts: bool
) -> None:
    async with open_rail() as rail:
        reference = await owing(pool, str(uuid.uuid4()))
        ends = partly("600") if parts else paid
        rail.pays = pending if "pending" in faults else ends
        for fault in faults:
            rail.script = [fault] if fault not in {"crash", "pending", "well"} else []
            payments = paying(pool, rail)
            if fault == "crash":
                with pytest.raises((RuntimeError, ApplicationError)):
                    await payments.settle(order(reference), _killed)
            else:
                try:
                    await payments.pay_compensation(request(reference))
                except ApplicationError as error:
                    assert not error.non_retryable  # noqa: PT017
            assert len(rail.keys) <= 1
        for one in rail.payments.values():
            one.answer = ends(one.body)
        rail.script, rail.pays = [], ends
        recorded = await in_the_end(lambda: paying(pool, rail).pay_compensation(request(reference)), tries=2)
        assert recorded.outcome.paid == usd("600" if parts else "812.50")
        assert rail.money() == recorded.outcome.paid.amount
        assert rail.keys == [recorded.outcome.key]
        posted = await pool.fetchval(
            "SELECT sum(amount) FROM casefile.postings WHERE reference = $1 AND kind = 'payment'", reference
        )
        assert posted == recorded.outcome.paid.amount


async def _killed(connection: object, outcome: PaymentOutcome) -> None:
    raise RuntimeError("killed before the commit")


# -- what does not stand in the record ---------------------------------------------------------------------------------


def told(key: str, actor: str, **said: Any) -> Entry:
    kind = key.partition(":")[0]
    return Entry(key=key, at=after(39), kind=kind, actor=actor, text=kind, data={"round": 7, **said})


def ordered(case: str, *entries: Entry, amount: str = "812.50", attempt: int = 1, **of: Any) -> PayCompensation:
    money = PositiveMoney(amount=Decimal(amount), currency="USD")
    fields = {"key": f"{case}:payment:1:{attempt}", "reference": case, "payee": "70012345", "amount": money}
    asked = PaymentOrder.model_validate(fields | of)
    return PayCompensation(number=20 + attempt, order=asked, update=update(case, 5, entries=entries))


@pytest.mark.parametrize(
    ("forged", "match"),
    [
        ({"amount": "812.51"}, "more than is owed"),
        ({"payee": "70099999"}, "names another account"),
        ({"reference": "RD-2222-2222-22222"}, "not a payment of the case"),
        ({"key": "RD-2222-2222-22222:payment:1:1"}, "not a payment of the case"),
    ],
)
async def test_a_payment_that_the_record_does_not_bear_is_refused_and_no_rail_hears_of_it(
    pool: "Pool", rail: Rail, forged: dict[str, Any], match: str
) -> None:
    reference = await owing(pool)
    error = await refusal(paying(pool, rail).pay_compensation(ordered(reference, **forged)), match=match)
    assert (error.type, error.non_retryable) == ("NotApproved", True)
    assert rail.asked == []
    assert await get_payments(pool, reference) == []


async def test_what_may_be_paid_already_is_not_ordered_under_another_key(pool: "Pool", rail: Rail) -> None:
    reference = await owing(pool)
    rail.pays = pending
    await refusal(paying(pool, rail).pay_compensation(request(reference)))
    error = await refusal(paying(pool, rail).pay_compensation(ordered(reference, attempt=2)), match="more than is owed")
    assert error.non_retryable
    assert len(rail.keys) == 1


@pytest.mark.parametrize(
    ("actor", "refused"),
    [
        ("approver:a-3", None),
        ("handler:a-3", "role handler may not choose another account"),
        ("executive:H-17", "who proposed the award may not choose another account"),
    ],
)
async def test_another_payee_stands_in_the_record_by_a_second_person(
    pool: "Pool", rail: Rail, actor: str, refused: str | None
) -> None:
    reference = await owing(pool)
    chosen = told("retry_payment:40", actor, payee="70099999", reason="It moved.")
    paid_there = paying(pool, rail).pay_compensation(ordered(reference, chosen, payee="70099999"))
    if refused:
        assert (await refusal(paid_there, match=refused)).type == "NotApproved"
        assert rail.asked == []
    else:
        assert (await paid_there).outcome.state is PaymentState.PAID


@pytest.mark.parametrize(
    ("again", "refused"),
    [(None, "nobody has had it paid again"), ("executive:A-3", "had it paid again"), ("handler:h-18", None)],
)
async def test_who_reported_that_a_payment_did_not_happen_does_not_have_it_paid_again(
    pool: "Pool", rail: Rail, again: str | None, refused: str | None
) -> None:
    reference = await owing(pool)
    await paying(pool, rail).book_payment(report(reference, PaymentState.DECLINED))
    entries = [told("retry_payment:99", again, reason="It is right now.")] if again else []
    second = paying(pool, rail).pay_compensation(ordered(reference, *entries, attempt=2))
    if refused:
        assert (await refusal(second, match=refused)).type == "NotApproved"
        assert rail.asked == []
    else:
        assert (await second).outcome.state is PaymentState.PAID


@pytest.mark.parametrize(
    ("actor", "said", "match"),
    [
        (APPROVER, {"update": None}, "no report"),
        (APPROVER, {"bank_reference": "BANK-8"}, "no report"),
        (Actor(id="A-4", role=Role.APPROVER), {}, "no report"),
        (APPROVER, {"amount": usd("900")}, "more than is owed"),
    ],
)
async def test_a_report_that_nobody_made_moves_no_money(
    pool: "Pool", actor: Actor, said: dict[str, Any], match: str
) -> None:
    reference = await owing(pool)
    if "update" in said:
        said = {"update": update(reference, 4)}
    forged = report(reference, PaymentState.PAID, actor=actor, **said)
    error = await refusal(paying(pool, None).book_payment(forged), match=match)
    assert (error.type, error.non_retryable) == ("NotApproved", True)
    assert await entries(pool) == []


@pytest.mark.parametrize(
    ("actor", "match"),
    [("handler:h-18", "role handler may not report"), ("executive:h-17", "who proposed the award may not report")],
)
async def test_a_report_by_somebody_who_may_not_moves_no_money(pool: "Pool", actor: str, match: str) -> None:
    reference = await owing(pool)
    said = told("report_payment:50", actor, state="paid", bank_reference="BANK-9")
    forged = report(
        reference, PaymentState.PAID, actor=Actor.named(actor), update=update(reference, 4, entries=(said,))
    )
    assert (await refusal(paying(pool, None).book_payment(forged), match=match)).type == "NotApproved"
    assert await entries(pool) == []


# -- for ever ----------------------------------------------------------------------------------------------------------


async def test_what_is_known_of_payments_stays(pool: "Pool") -> None:
    for table in ("orders", "exchanges", "outcomes", "reversals"):
        for change in ("UPDATE payments.{} SET key = 'x'", "DELETE FROM payments.{}", "TRUNCATE payments.{} CASCADE"):
            with pytest.raises(asyncpg.RestrictViolationError, match="is refused"):
                await pool.execute(change.format(table))


async def test_a_case_that_was_closed_over_an_unpaid_award_is_found(pool: "Pool", rail: Rail) -> None:
    reference = await opened(keeping(pool))
    compensation = Compensation(pool, keeping(pool), lambda: after(30), rail="127.0.0.1")
    await compensation.record_compensation(awarding(reference, usd("812.50")))
    closed = summary(9, stage=Stage.CLOSED, compensation=usd("812.50"), closed_at=after(60))
    await keeping(pool).record(update(reference, summary=closed))
    assert await get_unsettled(pool, after(100)) == []
    (fault,) = (await check_ledger(pool)).faults
    assert fault.problem == "closed, but USD 812.50 of what a rail was to pay is not paid"
    await paying(pool, rail).pay_compensation(request(reference))
    assert (await check_ledger(pool)).balanced
