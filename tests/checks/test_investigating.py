"""Investigations on a trade log in PostgreSQL."""

import math
import random
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from activities.checks.investigating import Investigating
from activities.log.trade_log import DECIDING_QUOTES, MEDIANS, TradeLog
from domain.checks.examination import feeds_to_measure
from domain.checks.execution.finding import check_execution
from domain.checks.findings import Check, Finding, Investigation, InvestigationRequest, Verdict
from domain.checks.gathering.asked import MOST_FILLS, MOST_WITHDRAWALS
from domain.checks.moments import FEED, STALE, Execution, FeedMedian
from domain.checks.table import CHECKS
from domain.checks.tolerances import Tolerances
from domain.log.trade_log import AccountEntry, EntryKind, OrderType, Quote, Side
from tests.checks.rows import ACCOUNT, AT, after, execution, fill, order, position, quote, steady, store

OTHER_ACCOUNT = "70099999"
DAY = timedelta(days=1)

# the incident: one bad provider, two good ones, a long position stopped out, its take-profit never reached
QUOTES = (
    *steady("LP-B", "1937.36"),
    *steady("LP-C", "1937.42"),
    *(quote("LP-A", second, "1920.96" if second == 0 else "1937.40") for second in range(-10, 11)),
)
INCIDENT = (
    *QUOTES,
    position(
        volume=Decimal("0.8"),
        close_price=Decimal("1920.96"),
        closed_at=AT,
        close_reason="stop_out",
        margin_level=Decimal("18.4"),
        stop_out_level=Decimal(20),
    ),
    order(OrderType.STOP_OUT, position="P1", volume=Decimal("0.8")),
    order(OrderType.TAKE_PROFIT, order="O2", position="P1", volume=Decimal("0.8"), price=Decimal("1960.00")),
    order(order="X1", account=OTHER_ACCOUNT),
    fill("1920.96", volume=Decimal("0.8")),
    fill("1920.96", fill="XF1", order="X1", account=OTHER_ACCOUNT),
)


@pytest.fixture
def investigating(pool: "asyncpg.Pool[asyncpg.Record]") -> Investigating:
    return Investigating(TradeLog(pool))


def request(*trades: str, checks: tuple[Check, ...] = (Check.EXECUTION,), **more: Any) -> InvestigationRequest:
    values = {"checks": checks, "account": ACCOUNT, "trades": trades, "as_of": after(30 * 86_400)}
    return InvestigationRequest(**(values | more))


def withdrawals(*trades: str, **more: Any) -> InvestigationRequest:
    return request(*trades, checks=(Check.WITHDRAWAL_DELAY,), **more)


def withdrawal(entry: str = "W1", **more: Any) -> AccountEntry:
    values = {
        "entry": entry,
        "account": ACCOUNT,
        "kind": EntryKind.WITHDRAWAL,
        "amount": Decimal(-36_500),
        "currency": "USD",
        "requested_at": AT,
    }
    return AccountEntry(**(values | more))


def subjects(investigation: Investigation) -> list[str]:
    return [finding.subject for finding in investigation.findings]


class TestTheOrdersMeant:
    @pytest.mark.parametrize("trades", [("O1",), ("F1",), ("P1",), ("P1", "O1", "F1", "O1")])
    async def test_an_order_is_found_by_its_own_its_fills_and_its_positions_number_and_examined_once(
        self, investigating: Investigating, pool: "asyncpg.Pool[asyncpg.Record]", trades: tuple[str, ...]
    ) -> None:
        await store(pool, *INCIDENT)
        (finding,) = (await investigating.investigate(request(*trades))).findings
        assert finding.subject == "O1"
        assert finding.verdict is Verdict.PROVIDER_FAULT
        assert str(finding.harm) == "USD 1,314.40"

    async def test_a_position_not_closed_yet_means_the_order_that_opened_it(
        self, investigating: Investigating, pool: "asyncpg.Pool[asyncpg.Record]"
    ) -> None:
        await store(
            pool,
            *QUOTES,
            position(open_price=Decimal("1937.70"), opened_at=AT),
            order(side=Side.BUY),
            order(OrderType.TAKE_PROFIT, order="O2", position="P1", price=Decimal("1960.00")),
            fill("1937.70", Side.BUY),
        )
        investigation = await investigating.investigate(request("P1"))
        assert subjects(investigation) == ["O1"]
        assert investigation.findings[0].formula.startswith("bad-entry/")

    async def test_a_position_without_orders_names_what_is_missing(
        self, investigating: Investigating, pool: "asyncpg.Pool[asyncpg.Record]"
    ) -> None:
        await store(pool, position())
        investigation = await investigating.investigate(request("P1"))
        assert investigation.missing == ("orders and fills of position P1",)

    async def test_an_order_that_was_never_filled_names_what_is_missing(
        self, investigating: Investigating, pool: "asyncpg.Pool[asyncpg.Record]"
    ) -> None:
        await store(pool, *INCIDENT)
        assert (await investigating.investigate(request("O2"))).missing == ("fills of order O2",)

    async def test_without_a_number_the_time_will_do(
        self, investigating: Investigating, pool: "asyncpg.Pool[asyncpg.Record]"
    ) -> None:
        await store(pool, *INCIDENT)
        for start, end in ((after(-300), None), (None, after(300)), (after(-3600), after(-299))):
            found = await investigating.investigate(request(occurred_from=start, occurred_until=end))
            assert subjects(found) == ["O1"]
        late = await investigating.investigate(request(occurred_from=after(301)))
        assert late.missing == ("number of the order or position, or the exact time of the trade",)

    async def test_without_number_and_time_the_customer_has_to_be_asked(
        self, investigating: Investigating, pool: "asyncpg.Pool[asyncpg.Record]"
    ) -> None:
        await store(pool, *INCIDENT)
        investigation = await investigating.investigate(request())
        assert investigation.missing == ("number of the order or position, or the exact time of the trade",)

    async def test_all_fills_of_an_order_count(
        self, investigating: Investigating, pool: "asyncpg.Pool[asyncpg.Record]"
    ) -> None:
        parts = [fill("1920.96", fill=f"F{number}", volume=Decimal("0.4")) for number in (1, 2)]
        await store(pool, *QUOTES, order(OrderType.STOP_OUT, position="P1"), *parts)
        (finding,) = (await investigating.investigate(request("F2"))).findings
        assert str(finding.harm) == "USD 1,314.40"

    async def test_orders_come_in_the_order_of_their_fills(
        self, investigating: Investigating, pool: "asyncpg.Pool[asyncpg.Record]"
    ) -> None:
        rows = [
            row
            for name, second in (("A", 5), ("B", -5), ("C", 0))
            for row in (order(order=name), fill("1937.40", order=name, fill=f"F{name}", at=after(second)))
        ]
        await store(pool, *QUOTES, *sorted(rows, key=lambda row: type(row).__name__))
        assert subjects(await investigating.investigate(request("A", "B", "C"))) == ["B", "C", "A"]

    async def test_too_many_fills_are_not_examined_at_once(
        self, investigating: Investigating, pool: "asyncpg.Pool[asyncpg.Record]"
    ) -> None:
        orders = [order(order=f"O{number}") for number in range(MOST_FILLS + 1)]
        fills = [fill("1937.40", fill=f"F{number}", order=f"O{number}") for number in range(MOST_FILLS + 1)]
        await store(pool, *QUOTES, *orders, *fills)
        assert (await investigating.investigate(request(occurred_from=AT))).missing == ("a smaller choice of trades",)
        named = await investigating.investigate(request(*(f"O{number}" for number in range(MOST_FILLS))))
        assert len(named.findings) == MOST_FILLS
        assert named.conclusive
        # what an activity may answer
        assert len(named.model_dump_json()) < 1_500_000


class TestWhatTheLogDoesNotHold:
    async def test_an_unknown_account_is_told_for_every_check(self, investigating: Investigating) -> None:
        investigation = await investigating.investigate(request("O1", checks=tuple(Check), occurred_from=AT))
        assert [finding.check for finding in investigation.findings] == list(Check)
        assert investigation.missing == ("account",)
        assert not investigation.conclusive

    async def test_a_trade_of_another_account_reads_like_one_that_does_not_exist(
        self, investigating: Investigating, pool: "asyncpg.Pool[asyncpg.Record]"
    ) -> None:
        await store(pool, *INCIDENT, withdrawal("XW1", account=OTHER_ACCOUNT))
        for trade in ("X1", "XF1", "XW1"):
            for check in Check:
                theirs = await investigating.investigate(request(trade, checks=(check,)))
                none = await investigating.investigate(request("NONE", checks=(check,)))
                assert theirs.model_dump_json().replace(trade, "NONE") == none.model_dump_json()
                assert theirs.missing == (f"trade {trade}",) or CHECKS[check].of_the_account

    async def test_rows_of_another_account_never_appear_even_when_they_share_a_number(
        self, investigating: Investigating, pool: "asyncpg.Pool[asyncpg.Record]"
    ) -> None:
        # the log of a second platform numbers its fills by our order
        await store(
            pool,
            *QUOTES,
            order(),
            fill("1937.40"),
            fill("1920.96", fill="XF1", account=OTHER_ACCOUNT),
            fill("1937.40", fill="F9", order="X1"),
            order(order="X1", account=OTHER_ACCOUNT, position="P9"),
            position(position="P9", account=OTHER_ACCOUNT),
        )
        investigation = await investigating.investigate(request("O1", "F9"))
        assert OTHER_ACCOUNT not in investigation.model_dump_json()
        mine, orphan = investigation.findings
        assert mine.verdict is Verdict.MARKET
        assert orphan.missing == ("order X1",)

    async def test_an_unknown_trade_is_named_beside_the_findings_on_the_known_one(
        self, investigating: Investigating, pool: "asyncpg.Pool[asyncpg.Record]"
    ) -> None:
        await store(pool, *INCIDENT)
        investigation = await investigating.investigate(request("O1", "O404"))
        assert set(subjects(investigation)) == {"O1", "O404"}
        assert investigation.missing == ("trade O404",)

    async def test_a_row_nobody_can_read_is_a_finding_and_not_an_endless_retry(
        self, investigating: Investigating, pool: "asyncpg.Pool[asyncpg.Record]"
    ) -> None:
        await store(pool, *INCIDENT, withdrawal(booked_at=after(3600)))
        await pool.execute(
            'insert into tradelog.fills (fill, "order", account, symbol, side, volume, price, at) '
            "values ('F2', 'O1', $1, 'XAUUSD', 'sell', 0.00000001, 1920.96, $2)",
            ACCOUNT,
            AT,
        )
        both = (Check.EXECUTION, Check.WITHDRAWAL_DELAY)
        damaged, delay = (await investigating.investigate(request("O1", "W1", checks=both))).findings
        assert damaged.verdict is Verdict.INCONCLUSIVE
        assert damaged.missing == ("tradelog.fills: unreadable volume",)
        assert delay.verdict is Verdict.NO_FAULT


class TestWithdrawals:
    LATE = withdrawal("W1", booked_at=AT + 12 * DAY)
    IN_TIME = withdrawal("W2", requested_at=AT + 20 * DAY, booked_at=AT + 21 * DAY)
    PENDING = withdrawal("W3", requested_at=AT + 5 * DAY)
    DEPOSIT = withdrawal("D1", kind=EntryKind.DEPOSIT, amount=Decimal(100), booked_at=AT)

    @pytest.fixture(autouse=True)
    async def rows(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        await store(pool, *INCIDENT, self.LATE, self.IN_TIME, self.PENDING, self.DEPOSIT)

    async def test_one_named_is_examined_alone(self, investigating: Investigating) -> None:
        (finding,) = (await investigating.investigate(withdrawals("W1", "O1"))).findings
        assert finding.subject == "W1"
        # 8 a day for 10 days
        assert str(finding.harm) == "USD 80.00"

    async def test_the_time_finds_those_under_way_then(self, investigating: Investigating) -> None:
        found = await investigating.investigate(withdrawals(occurred_from=AT + 2 * DAY, occurred_until=AT + 3 * DAY))
        assert subjects(found) == ["W1"]
        found = await investigating.investigate(withdrawals(occurred_from=AT + 20 * DAY))
        assert subjects(found) == ["W2", "W3"]

    async def test_otherwise_the_latest_and_all_pending_ones(self, investigating: Investigating) -> None:
        assert subjects(await investigating.investigate(withdrawals())) == ["W2", "W3"]
        assert subjects(await investigating.investigate(withdrawals("O1"))) == ["W2", "W3"]
        assert subjects(await investigating.investigate(withdrawals("D1"))) == ["W2", "W3"]  # a deposit is none
        # at that time W1 was pending too
        assert subjects(await investigating.investigate(withdrawals(as_of=AT + 11 * DAY))) == ["W2", "W3", "W1"]

    async def test_both_checks_take_what_is_theirs_in_the_order_asked_for(self, investigating: Investigating) -> None:
        both = (Check.WITHDRAWAL_DELAY, Check.EXECUTION, Check.WITHDRAWAL_DELAY)
        investigation = await investigating.investigate(request("O1", "W1", checks=both))
        assert subjects(investigation) == ["W1", "O1"]

    async def test_an_entry_alone_names_no_trade(self, investigating: Investigating) -> None:
        investigation = await investigating.investigate(request("W1"))
        assert investigation.missing == ("number of the order or position, or the exact time of the trade",)

    async def test_an_account_without_any(self, investigating: Investigating) -> None:
        investigation = await investigating.investigate(withdrawals(account=OTHER_ACCOUNT))
        assert investigation.missing == ("withdrawal",)

    async def test_too_many_are_not_examined_at_once(
        self, investigating: Investigating, pool: "asyncpg.Pool[asyncpg.Record]"
    ) -> None:
        await store(pool, *(withdrawal(f"M{number}") for number in range(MOST_WITHDRAWALS)))
        assert (await investigating.investigate(withdrawals())).missing == ("a smaller choice of trades",)


class TestTheSameAgain:
    async def test_the_same_log_and_request_give_the_same_findings_and_hashes(
        self, investigating: Investigating, pool: "asyncpg.Pool[asyncpg.Record]"
    ) -> None:
        await store(pool, *INCIDENT, withdrawal())
        # One tells whatever fees and withdrawals there are.
        asked = request("P1", "W1", checks=tuple(set(Check) - {Check.ENTRIES}))
        first = await investigating.investigate(asked)
        # what is imported later and elsewhere changes nothing
        await store(
            pool,
            *(quote("LP-D", second, "1900.00") for second in (3600, 3601)),
            order(order="O7"),
            fill("1900.00", fill="F7", order="O7", at=after(3600)),
            withdrawal("W7"),
        )
        again = await investigating.investigate(asked)
        assert again == first
        assert [finding.hash for finding in again.findings] == [finding.hash for finding in first.findings]
        assert again.model_dump_json() == first.model_dump_json()

    async def test_a_snapshot_does_not_see_what_is_imported_meanwhile(
        self, pool: "asyncpg.Pool[asyncpg.Record]"
    ) -> None:
        async with TradeLog(pool).snapshot() as snapshot:
            assert not await snapshot.knows(ACCOUNT)
            await store(pool, withdrawal())
            assert not await snapshot.knows(ACCOUNT)
        async with TradeLog(pool).snapshot() as snapshot:
            assert await snapshot.knows(ACCOUNT)

    async def test_an_investigation_can_write_nothing(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        async with TradeLog(pool).snapshot() as snapshot:
            assert await snapshot._connection.fetchval("show transaction_read_only") == "on"


class TestTheFewQuotesFetched:
    async def test_they_decide_like_all_of_them(
        self, investigating: Investigating, pool: "asyncpg.Pool[asyncpg.Record]"
    ) -> None:
        """On random trades among quotes that come irregularly and are sometimes wrong."""
        quotes, trades = _random_log(random.Random(7))  # noqa: S311
        await store(pool, *quotes, *(trade.order for trade in trades if trade.order))
        await store(pool, *(row for trade in trades for row in trade.fills))
        verdicts = set()
        prices = {"XAUUSD": "0.3"}
        for tolerances in (Tolerances(prices=prices), Tolerances(prices=prices, quote_window_seconds=30)):
            found: dict[str, Finding] = {}
            for first in range(0, len(trades), 20):
                some = [trade.id for trade in trades[first : first + 20]]
                investigation = await investigating.investigate(request(*some, tolerances=tolerances))
                executed = (each for each in investigation.findings if each.check is Check.EXECUTION)
                found |= {finding.subject: finding for finding in executed}
            for trade in trades:
                medians = _medians(trade, quotes, tolerances)
                expected = check_execution(trade, quotes, medians, tolerances=tolerances)
                assert found[trade.id] == expected
                verdicts.add(expected.verdict)
        assert verdicts == {Verdict.FIRM_FAULT, Verdict.PROVIDER_FAULT, Verdict.MARKET, Verdict.INCONCLUSIVE}

    async def test_they_are_read_from_the_index_however_long_the_log_is(
        self, pool: "asyncpg.Pool[asyncpg.Record]"
    ) -> None:
        await pool.execute(
            "insert into tradelog.quotes "
            "select 'XAUUSD', 'LP-' || source, $1::timestamptz + second * interval '1 second', 2000, 2000.3 "
            "from generate_series(1, 4) as source, generate_series(1, 50000) as second",
            AT,
        )
        await pool.execute("analyze tradelog.quotes")
        at = after(25_000)
        for query, values in (
            (DECIDING_QUOTES, (["XAUUSD"], [at], [1], [Decimal(2000)], timedelta(seconds=2), STALE)),
            (MEDIANS, (["XAUUSD"], ["LP-1"], [at], FEED)),
        ):
            plan = "\n".join(row[0] for row in await pool.fetch(f"explain (analyze, buffers) {query}", *values))
            assert "Seq Scan" not in plan
            assert "quotes_pkey" in plan
            touched = max(int(line.split("hit=")[1].split()[0]) for line in plan.splitlines() if "shared hit=" in line)
            assert touched < 500  # of some 2,000 pages


def _random_log(rng: random.Random) -> tuple[list[Quote], list[Execution]]:
    rows: dict[tuple[str, float], Quote] = {}
    for source, pace in (("LP-A", 0.8), ("LP-B", 1.5), ("LP-C", 25.0)):
        second = 0.0
        while second < 1200:
            second = round(second + rng.expovariate(1 / pace), 3)
            if source != "LP-A" and 600 < second < 900:
                continue  # LP-A alone
            wrong = Decimal(-8) if source == "LP-A" and rng.random() < 0.02 else Decimal(0)
            bid = round(Decimal(1937 + 3 * math.sin(second / 300) + rng.random() / 4), 2) + wrong
            rows[source, second] = quote(source, second, str(bid))
    quotes = list(rows.values())
    trades = []
    for number in range(60):
        side = rng.choice(list(Side))
        shown = rng.choice([row for row in quotes if row.source == "LP-A"])
        price = shown.ask if side is Side.BUY else shown.bid
        at = shown.at + timedelta(milliseconds=rng.randrange(400))
        if rng.random() < 0.2:
            price += rng.choice([-3, 3])
        filled = fill(
            str(price), side, fill=f"F{number}", order=f"O{number}", at=at, source=rng.choice(["LP-A"] * 4 + [None])
        )
        placed = order(
            rng.choice([kind for kind in OrderType if kind is not OrderType.CLOSE_BY]),
            side,
            order=f"O{number}",
            price=price + Decimal(rng.randrange(-100, 100)) / 100,
            received_at=at - timedelta(seconds=rng.choice([0.1, 3])),
        )
        trades.append(execution(filled, of=placed, id=f"O{number}"))
    return quotes, trades


def _medians(trade: Execution, quotes: Sequence[Quote], tolerances: Tolerances) -> list[FeedMedian]:
    found = []
    for feed in feeds_to_measure(trade, quotes, tolerances=tolerances):
        near = [row for row in quotes if row.source == feed.source and abs(row.at - feed.at) <= FEED]
        bids, asks, spreads = (
            sorted(values) for values in ((q.bid for q in near), (q.ask for q in near), (q.ask - q.bid for q in near))
        )
        middle = len(near) // 2
        found.append(
            FeedMedian(
                **feed._asdict(),
                bid=(bids[middle] + bids[-middle - 1]) / 2,
                ask=(asks[middle] + asks[-middle - 1]) / 2,
                spread=(spreads[middle] + spreads[-middle - 1]) / 2,
                quotes=len(near),
            )
        )
    return found
