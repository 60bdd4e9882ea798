"""Real fills through the checks. The data may not be copied here; the tests are skipped where it is not there."""

from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from activities.checks.evidence_queries import EvidenceSnapshot
from activities.log.trade_log import TradeLog
from domain.checks.execution.finding import check_execution
from domain.checks.facts import Given, LogFacts
from domain.checks.findings import Check, Finding, Verdict
from domain.checks.recompute import recompute
from domain.checks.tolerances import Tolerances
from domain.log.trade_log import Fill, Order, OrderType, Quote, Side
from tests.checks.rows import GOLD, execution, fill, order, run, store
from tests.importing.test_real_data import real

ACCOUNT = "70012345"
TYPES = {
    "sl": OrderType.STOP_LOSS,
    "tp": OrderType.TAKE_PROFIT,
    "buy stop": OrderType.STOP,
    "sell stop": OrderType.STOP,
}


def rows_of_the_tester() -> list[tuple[Order, Fill, Decimal]]:
    """Each fill of the tester with its order, and the slippage that the file states."""
    rows = []
    for row in real("mt5_tester_fills_v1.csv"):
        name, side = f"T{row['deal']}", Side(row["type"])
        placed = Order(
            order=name,
            account=ACCOUNT,
            symbol="XAUUSD",
            side=side,
            type=TYPES[row["close_reason"] or row["order_type"]],
            volume=Decimal(row["volume"]),
            price=Decimal(row["requested_price"]),
        )
        filled = Fill(
            fill=name,
            order=name,
            account=ACCOUNT,
            symbol="XAUUSD",
            side=side,
            volume=Decimal(row["volume"]),
            price=Decimal(row["fill_price"]),
            at=datetime.fromisoformat(row["fill_time_utc"]),
        )
        rows.append((placed, filled, Decimal(row["adverse_slippage"])))
    return rows


def test_every_slippage_of_the_tester_is_computed_as_the_file_states_it() -> None:
    rows = rows_of_the_tester()
    given = Given(tolerances=Tolerances(), as_of=rows[-1][1].at)
    verdicts: Counter[Verdict] = Counter()
    for placed, filled, stated in rows:
        facts = LogFacts(orders=(placed,), fills=(filled,), instruments=(GOLD,))
        finding = run(Check.SLIPPAGE, placed.order, facts, given)
        assert Decimal(finding.numbers["slippage"]) == stated, placed.order
        # without quotes only what was not against the customer can be judged
        assert (finding.verdict is Verdict.INCONCLUSIVE) is (stated > 0)
        verdicts[finding.verdict] += 1
    assert len(rows) == 2790
    assert verdicts[Verdict.NO_FAULT] == sum(1 for _, _, stated in rows if stated <= 0)


async def test_the_database_counts_the_testers_slippage_as_the_file_has_it(pool: Any) -> None:
    rows = rows_of_the_tester()
    await store(pool, *(placed for placed, _, _ in rows), *(filled for _, filled, _ in rows))
    at = [filled.at for _, filled, _ in rows]
    async with TradeLog(pool).snapshot(EvidenceSnapshot) as log:
        for kind in set(TYPES.values()):
            shares = await log.slippage_shares("XAUUSD", kind, min(at), max(at))
            stated = [slipped for placed, _, slipped in rows if placed.type is kind]
            worse, better = [s for s in stated if s > 0], [s for s in stated if s < 0]
            assert (shares.better, shares.same, shares.worse) == (
                len(better),
                len([s for s in stated if s == 0]),
                len(worse),
            )
            # every one is of one fill, so the mean by volume is the mean
            assert shares.mean_worse == (round(sum(worse) / len(worse), 8) if worse else None)
            assert shares.mean_better == (round(-sum(better) / len(better), 8) if better else None)


class TestTheMondayGap:
    """Three positions of a statement opened and closed in one second of Monday 13 April 2026, 01:01 server time.

    Another broker's first bid of that minute was 4670.37. The sells were filled far above it, to the customer's gain;
    the targets were bought back far above its ask, at their own price.
    """

    AT = datetime.fromisoformat("2026-04-12T22:01:00+00:00")
    TICKETS = ("46780803", "46780808", "46802148")

    def trades(self) -> list[dict[str, str]]:
        rows = [row for row in real("mt4_statement_2026_startrader.csv") if row["ticket"] in self.TICKETS]
        assert {row["open_time"] for row in rows} == {"2026-04-13 01:01:00"}
        return rows

    def quotes(self) -> list[Quote]:
        """The other broker's bids around it; its ask was not recorded then and is taken 0.30 above."""
        near = [
            (datetime.fromisoformat(row["time_utc"]), Decimal(row["price"]))
            for row in real("xauusd_tick_points_202601_202605.csv")
            if row["quote"] == "bid"
        ]
        rows = [
            Quote(symbol="XAUUSD", source="OTHER", at=at, bid=bid, ask=bid + Decimal("0.30"))
            for at, bid in near
            if abs(at - self.AT) <= timedelta(hours=3)
        ]
        assert rows
        return rows

    def executed(self, kind: OrderType, side: Side, price: str, asked: str | None) -> Finding:
        finding = check_execution(
            execution(
                fill(price, side, at=self.AT, source=None),
                of=order(kind, side, price=asked and Decimal(asked)),
            ),
            self.quotes(),
            tolerances=Tolerances(),
        )
        assert recompute([finding], [finding.hash]) == ()
        return finding

    def test_the_entries_were_better_than_the_market_and_nobodys_fault(self) -> None:
        for row in self.trades():
            finding = self.executed(OrderType.MARKET, Side.SELL, row["open_price"], None)
            assert finding.verdict is not Verdict.FIRM_FAULT, row["ticket"]
            assert finding.harm is None or finding.harm.amount == 0

    def test_the_exits_are_not_proved_wrong_by_one_sparse_source(self) -> None:
        for row in self.trades():
            finding = self.executed(OrderType.TAKE_PROFIT, Side.BUY, row["close_price"], row["tp"])
            assert finding.verdict is Verdict.INCONCLUSIVE, row["ticket"]
            assert Decimal(finding.numbers["deviation"]) > 14
            assert finding.missing

    def test_that_the_gap_was_kept_from_the_customer_takes_a_second_source_to_prove(self) -> None:
        given = Given(tolerances=Tolerances(), as_of=self.AT)
        first = self.quotes()
        second = [row.model_copy(update={"source": "THIRD"}) for row in first]
        for row in self.trades():
            target = order(OrderType.TAKE_PROFIT, Side.BUY, price=Decimal(row["tp"]))
            facts = LogFacts(
                orders=(target,),
                fills=(fill(row["close_price"], Side.BUY, at=self.AT, source=None),),
                instruments=(GOLD,),
                quotes=tuple(first),
            )
            alone = run(Check.TRIGGER, "O1", facts, given)
            assert "quotes of a second source" in alone.missing[0]
            both = run(Check.TRIGGER, "O1", facts.model_copy(update={"quotes": (*first, *second)}), given)
            assert both.verdict is Verdict.FIRM_FAULT
            assert both.harm is not None
            assert both.harm.amount == (Decimal(row["tp"]) - Decimal("4670.67")) * 100
