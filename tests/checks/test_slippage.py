"""Slippage, of one fill and of all customers, on rows few enough to compute by hand."""

from decimal import Decimal
from typing import Any

from domain.checks.findings import ALL_CUSTOMERS, Check, Finding, Verdict
from domain.checks.profit import ReferenceRule
from domain.ground.words import Confidence
from domain.log.firm_records import (
    SlippageShares,
)
from domain.log.trade_log import OrderType, Quote
from tests.checks.checking import VALID, check
from tests.checks.rows import AT, after, fill, order, steady


class TestSlippage:
    def slipped(self, price: str, asked: str | None, quotes: tuple[Quote, ...] = VALID, **more: Any) -> Finding:
        placed = order(price=Decimal(asked) if asked else None)
        return check(Check.SLIPPAGE, orders=(placed,), fills=(fill(price, **more),), quotes=quotes)

    def test_the_market_had_moved_there(self) -> None:
        found = self.slipped("1937.39", "1938.00")
        assert found.verdict is Verdict.MARKET
        assert found.confidence is Confidence.WELL_SUPPORTED
        assert found.numbers["slippage"] == "0.61"
        assert str(found.harm) == "USD 0.00"

    def test_what_goes_beyond_the_market_is_the_firms(self) -> None:
        found = self.slipped("1935.39", "1938.00", volume=Decimal("0.5"))
        assert found.verdict is Verdict.FIRM_FAULT
        assert str(found.harm) == "USD 100.00"  # (1937.39 - 1935.39) * 100 * 0.5
        assert found.reference_rule is ReferenceRule.AT_THAT_INSTANT

    def test_up_to_the_tolerance_beyond_the_market_is_the_market(self) -> None:
        assert self.slipped("1937.06", "1938.00").verdict is Verdict.MARKET  # 0.30 below the worst, 1937.36
        assert self.slipped("1937.05", "1938.00").verdict is Verdict.FIRM_FAULT

    def test_one_source_alone_leaves_doubt(self) -> None:
        assert self.slipped("1937.39", "1938.00", tuple(steady("LP-B", "1937.39"))).confidence is Confidence.DOUBTFUL

    def test_a_better_price_is_no_slippage_against_the_customer(self) -> None:
        found = self.slipped("1938.40", "1938.00")
        assert (found.verdict, found.numbers["slippage"]) == (Verdict.NO_FAULT, "-0.4")

    def test_what_is_missing_is_named(self) -> None:
        assert self.slipped("1937.39", None).missing == ("price asked for of order O1",)
        assert self.slipped("1937.39", "1938", ()).missing == (f"quotes of XAUUSD around {AT.isoformat()}",)


class TestSlippageOfAllCustomers:
    def shares(self, better: int, worse: int, same: int = 0, kind: OrderType = OrderType.MARKET) -> Finding:
        counted = SlippageShares(
            symbol="XAUUSD",
            type=kind,
            since=after(-3600),
            until=after(3600),
            better=better,
            same=same,
            worse=worse,
            mean_better=Decimal("0.1"),
            mean_worse=Decimal("0.4"),
        )
        return check(
            Check.SLIPPAGE,
            f"{ALL_CUSTOMERS}XAUUSD {kind.value}",
            slippage_shares=(counted,),
            orders=(order(price=Decimal("1938.00")),),
            fills=(fill("1937.50"),),
        )

    def test_gains_and_losses_alike_are_no_fault(self) -> None:
        found = self.shares(48, 52)
        assert found.verdict is Verdict.NO_FAULT
        assert (found.numbers["share_better"], found.numbers["share_worse"]) == ("0.4800", "0.5200")

    def test_losses_only_are_the_firms_and_the_disputed_order_is_put_to_the_price_asked_for(self) -> None:
        found = self.shares(2, 60, same=38)
        assert found.verdict is Verdict.FIRM_FAULT
        assert found.confidence is Confidence.WELL_SUPPORTED
        assert found.numbers["z"] == "7.24"  # (60 - 2 - 1) / sqrt(62)
        assert str(found.harm) == "USD 50.00"
        assert found.reference_rule is ReferenceRule.PRICE_ASKED

    def test_a_difference_that_chance_explains_is_none(self) -> None:
        assert self.shares(6, 15).verdict is Verdict.NO_FAULT  # z = 1.7

    def test_stops_slip_against_their_owner_by_nature(self) -> None:
        assert self.shares(0, 90, kind=OrderType.STOP_LOSS).verdict is Verdict.MARKET

    def test_too_few_orders_say_nothing(self) -> None:
        assert self.shares(0, 19).missing == ("at least 20 orders of this kind around that time",)
