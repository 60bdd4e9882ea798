"""The compensation ledger: every award once, every posting balanced, every currency by itself."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from temporalio.exceptions import ApplicationError

from activities.money.compensation import Compensation
from domain.case.requests import CompensationRecorded, RecordCompensation
from domain.ground.words import CaseEvent, Stage
from domain.money.amounts import Money, minor_digits
from starter.reading.ledger import check_ledger
from tests.case.dying import die_in
from tests.case.support import (
    OPENED_AT,
    after,
    all_rows,
    at_once,
    awarding,
    count,
    keeping,
    occurred,
    opened,
    summary,
    update,
    usd,
)

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]


@pytest.fixture
def compensation(pool: "Pool") -> Compensation:
    return Compensation(pool, keeping(pool), lambda: after(30))


async def entries(pool: "Pool") -> list[tuple[Any, ...]]:
    return [
        tuple(row)
        for row in await pool.fetch(
            "SELECT account, amount, currency FROM casefile.ledger_entries ORDER BY amount DESC"
        )
    ]


# -- one award ---------------------------------------------------------------------------------------------------------


async def test_an_award_is_an_expense_of_the_firm_and_a_debt_to_the_customer(
    pool: "Pool", compensation: Compensation
) -> None:
    reference = await opened(keeping(pool))
    answer = await compensation.record_compensation(awarding(reference, usd("812.50")))
    assert answer.at == after(30)
    assert await entries(pool) == [
        ("expense:redress", Decimal("812.50"), "USD"),
        (f"liability:customer:{reference}", Decimal("-812.50"), "USD"),
    ]


async def test_the_posting_takes_the_case_along(pool: "Pool", compensation: Compensation) -> None:
    reference = await opened(keeping(pool))
    answer = await compensation.record_compensation(awarding(reference, usd("812.50")))
    assert {f"{d.clock}:{d.number}" for d in answer.recorded.planned} == {"feedback:7", "follow-up:7"}
    case = await pool.fetchrow("SELECT stage, compensation_amount, compensation_currency FROM casefile.cases")
    assert case is not None
    assert tuple(case) == ("following_up", Decimal("812.50"), "USD")
    keys = {row["key"] for row in await pool.fetch("SELECT key FROM casefile.timeline")}
    assert {"settling", "following-up"} <= keys
    assert await pool.fetchval("SELECT at FROM casefile.events WHERE event = 'settled'") == after(30)


async def test_an_award_is_rounded_once_to_what_can_be_paid(pool: "Pool", compensation: Compensation) -> None:
    dollars, yens = await opened(keeping(pool), "1"), await opened(keeping(pool), "2")
    await compensation.record_compensation(awarding(dollars, usd("10.005"), 7))
    yen = Money(amount=Decimal("1999.5"), currency="JPY")
    await compensation.record_compensation(awarding(yens, yen, 8))
    assert [(str(amount), currency) for _, amount, currency in await entries(pool) if amount > 0] == [
        ("2000", "JPY"),
        ("10.01", "USD"),
    ]


@pytest.mark.parametrize("amount", ["0", "-1", "0.004"])
async def test_nothing_is_not_an_award(pool: "Pool", compensation: Compensation, amount: str) -> None:
    reference = await opened(keeping(pool))
    assert await refusal(compensation, awarding(reference, usd(amount)), match="award") == "InvalidCompensation"
    assert await count(pool, "postings") == 0


# -- once --------------------------------------------------------------------------------------------------------------


async def test_the_same_award_again_is_answered_as_the_first_time(pool: "Pool", compensation: Compensation) -> None:
    request = awarding(await opened(keeping(pool)), usd("812.50"))
    first = await compensation.record_compensation(request)
    rows = await all_rows(pool)
    later = Compensation(pool, keeping(pool), lambda: after(99))
    assert await later.record_compensation(request) == first
    assert await all_rows(pool) == rows


async def test_the_same_award_eight_times_at_once_is_posted_once(pool: "Pool", compensation: Compensation) -> None:
    request = awarding(await opened(keeping(pool)), usd("812.50"))
    answers = await at_once(pool, (compensation.record_compensation(request) for _ in range(8)))
    assert answers == [answers[0]] * 8
    assert (await count(pool, "postings"), await count(pool, "ledger_entries")) == (1, 2)


@pytest.mark.parametrize(("moment", "left"), [("before", 0), ("after", 1)])
async def test_a_crash_around_the_commit_leaves_one_posting_after_the_repetition(
    pool: "Pool", database_url: str, compensation: Compensation, moment: str, left: int
) -> None:
    request = awarding(await opened(keeping(pool)), usd("812.50"))
    await die_in("RecordCompensation", moment, database_url, request)
    assert await count(pool, "postings") == await pool.fetchval("SELECT sum(revision) / 2 FROM casefile.cases") == left
    after_the_crash = await all_rows(pool)
    answer = await compensation.record_compensation(request)
    assert answer.at == (after(30) if moment == "before" else OPENED_AT)
    assert (await count(pool, "postings"), await count(pool, "ledger_entries")) == (1, 2)
    assert moment == "before" or await all_rows(pool) == after_the_crash


@pytest.mark.parametrize(
    "other",
    [usd("812.51"), usd("1625"), Money(amount=Decimal("812.50"), currency="EUR")],
    ids=["a cent more", "double", "another currency"],
)
async def test_another_award_under_the_same_key_is_refused(
    pool: "Pool", compensation: Compensation, other: Money
) -> None:
    reference = await opened(keeping(pool))
    await compensation.record_compensation(awarding(reference, usd("812.50")))
    rows = await all_rows(pool)
    refused = await refusal(compensation, awarding(reference, other), match="the ledger has USD 812.50")
    assert refused == "CompensationConflict"
    assert await all_rows(pool) == rows


async def test_the_key_of_another_case_is_refused(pool: "Pool", compensation: Compensation) -> None:
    first, second = await opened(keeping(pool), "1"), await opened(keeping(pool), "2")
    posted = awarding(first, usd("5"))
    await compensation.record_compensation(posted)
    assert await refusal(compensation, awarding(second, usd("5"), key=posted.key)) == "NotApproved"


async def test_the_same_award_under_another_key_is_refused(pool: "Pool", compensation: Compensation) -> None:
    reference = await opened(keeping(pool))
    await compensation.record_compensation(awarding(reference, usd("5"), 7))
    again = awarding(reference, usd("5"), 7, key=f"{reference}:compensation:again")
    assert await refusal(compensation, again) == "NotApproved"


async def test_what_goes_wrong_with_the_case_file_takes_the_posting_back(
    pool: "Pool", compensation: Compensation
) -> None:
    reference = await opened(keeping(pool))
    other = update("RD-2222-2222-22222")
    refused = await refusal(compensation, awarding(reference, usd("5"), then=other), match="in the turn of")
    assert refused == "OtherCase"
    assert (await count(pool, "postings"), await count(pool, "ledger_entries")) == (0, 0)


async def test_postings_and_updates_of_one_case_at_once_do_not_block_each_other(
    pool: "Pool", compensation: Compensation
) -> None:
    case_file = keeping(pool)
    reference = await opened(case_file)
    awards = [awarding(reference, usd("5"), number) for number in range(10, 14)]
    updates = [update(reference, n, events=(occurred(CaseEvent.CONTACTED, n),)) for n in range(20, 24)]
    doings = [*map(compensation.record_compensation, awards), *map(case_file.record, updates)]
    await at_once(pool, doings)
    assert (await count(pool, "postings"), await count(pool, "ledger_entries")) == (4, 8)
    assert (await check_ledger(pool)).balanced


# -- balance, by the database itself -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [("expense:redress", "10", "USD")],
        [("expense:redress", "10", "USD"), ("liability:customer:x", "-9.99", "USD")],
        [("expense:redress", "11", "USD"), ("liability:customer:x", "-11", "USD")],
        [("expense:redress", "10", "USD"), ("liability:customer:x", "-10", "EUR")],
        [("expense:redress", "10", "EUR"), ("liability:customer:x", "-10", "EUR")],
        [("expense:redress", "10", "USD"), ("liability:customer:x", "-10", "USD"), ("expense:other", "1", "USD")],
    ],
    ids=["nothing", "one side", "a cent short", "more than awarded", "two currencies", "another currency", "a third"],
)
async def test_an_unbalanced_posting_is_refused_at_commit(pool: "Pool", lines: list[tuple[str, str, str]]) -> None:
    reference = await opened(keeping(pool))
    with pytest.raises(asyncpg.CheckViolationError, match="posting k does not balance"):
        await post(pool, reference, lines)
    assert await count(pool, "postings") == 0


async def test_a_posting_is_not_added_to_later_even_in_balance(pool: "Pool") -> None:
    reference = await opened(keeping(pool))
    await post(pool, reference, [("expense:redress", "10", "USD"), ("liability:customer:x", "-10", "USD")])
    with pytest.raises(asyncpg.CheckViolationError, match="posting k does not balance"):
        await pool.execute(
            "INSERT INTO casefile.ledger_entries"
            " VALUES ('k', 'expense:more', 1, 'USD'), ('k', 'liability:more', -1, 'USD')"
        )


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "Infinity"])
async def test_an_award_is_a_positive_number(pool: "Pool", amount: str) -> None:
    reference = await opened(keeping(pool))
    with pytest.raises(asyncpg.CheckViolationError, match="postings_amount_check"):
        await post(pool, reference, [], amount=amount)


async def post(pool: "Pool", reference: str, lines: list[tuple[str, str, str]], amount: str = "10") -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "INSERT INTO casefile.postings VALUES ('k', $1, 1, $2, 'USD', now())", reference, Decimal(amount)
        )
        for account, signed, currency in lines:
            await connection.execute(
                "INSERT INTO casefile.ledger_entries VALUES ('k', $1, $2, $3)", account, Decimal(signed), currency
            )


# -- any set of awards -------------------------------------------------------------------------------------------------

AWARDS = st.lists(
    st.builds(
        lambda currency, units: Money(amount=Decimal(units).scaleb(-minor_digits(currency)), currency=currency),
        st.sampled_from(["USD", "EUR", "HKD", "JPY", "KWD"]),
        st.integers(1, 10**12),
    ),
    max_size=6,
)


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(awards=AWARDS, twice=st.booleans())
async def test_any_set_of_awards_balances_in_every_currency(pool: "Pool", awards: list[Money], twice: bool) -> None:
    compensation = Compensation(pool, keeping(pool))
    before = {total.currency: total for total in (await check_ledger(pool)).totals}
    first = await count(pool, "cases")
    cases = [await opened(keeping(pool), f"case {first + number}") for number in range(len(awards))]
    for reference, award in [*zip(cases, awards, strict=True)] * (2 if twice else 1):
        await compensation.record_compensation(awarding(reference, award))
    report = await check_ledger(pool)
    assert report.balanced
    for total in report.totals:
        earlier = before.get(total.currency)
        new = [award.amount for award in awards if award.currency == total.currency]
        assert total.debits == total.credits == total.awarded == sum(new, earlier.awarded if earlier else Decimal(0))
        assert total.postings == len(new) + (earlier.postings if earlier else 0)


# -- `redress ledger check` --------------------------------------------------------------------------------------------


async def test_the_check_of_an_empty_ledger_finds_nothing(pool: "Pool") -> None:
    report = await check_ledger(pool)
    assert report.model_dump(mode="json") == {"totals": [], "faults": [], "workflows_compared": False, "balanced": True}


async def test_the_check_finds_a_posting_that_was_tampered_with(pool: "Pool", compensation: Compensation) -> None:
    reference = await opened(keeping(pool))
    await compensation.record_compensation(awarding(reference, usd("10")))
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")  # past the triggers
        await connection.execute("UPDATE casefile.ledger_entries SET amount = 11 WHERE amount > 0")
    report = await check_ledger(pool)
    assert not report.balanced
    [fault] = report.faults
    assert fault.reference == reference
    assert "does not balance: its entries are " in fault.problem
    assert "USD 11" in fault.problem


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        (usd("25"), "closed with USD 25 awarded, but the ledger has USD 10.00, USD 5.00"),
        (None, "closed with nothing awarded, but the ledger has USD 10.00, USD 5.00"),
        (usd("15"), None),
    ],
)
async def test_a_closed_case_was_awarded_what_the_ledger_has(
    pool: "Pool", compensation: Compensation, told: Money | None, problem: str | None
) -> None:
    case_file = keeping(pool)
    reference = await opened(case_file)
    await compensation.record_compensation(awarding(reference, usd("10"), 7))
    await compensation.record_compensation(awarding(reference, usd("5"), 8))
    assert (await check_ledger(pool)).balanced
    closed = summary(9, stage=Stage.CLOSED, compensation=told, closed_at=after(60))
    await case_file.record(update(reference, summary=closed))
    report = await check_ledger(pool)
    assert [fault.problem for fault in report.faults] == ([problem] if problem else [])


async def test_a_case_closed_with_an_award_that_was_never_posted_is_found(pool: "Pool") -> None:
    case_file = keeping(pool)
    closed = summary(9, stage=Stage.CLOSED, compensation=usd("10"), closed_at=after(60))
    await case_file.record(update(await opened(case_file), summary=closed))
    assert [fault.problem for fault in (await check_ledger(pool)).faults] == [
        "closed with USD 10 awarded, but the ledger has nothing"
    ]


async def refusal(
    compensation: Compensation, request: RecordCompensation, match: str | None = None, *, for_good: bool = True
) -> str | None:
    """The type of the error with which an award is refused, for good or until it is tried again."""
    with pytest.raises(ApplicationError, match=match) as refused:
        _: CompensationRecorded = await compensation.record_compensation(request)
    assert refused.value.non_retryable == for_good
    return refused.value.type


async def test_an_award_that_the_file_of_an_open_case_tells_of_and_the_ledger_lost_is_named(pool: "Pool") -> None:
    reference = await opened(keeping(pool))
    await pool.execute(
        "UPDATE casefile.cases SET compensation_amount = 40, compensation_currency = 'USD', revision = revision + 1"
    )
    (fault,) = (await check_ledger(pool)).faults
    assert (fault.reference, fault.problem) == (
        reference,
        "its file tells of USD 40 awarded, but the ledger has nothing",
    )
