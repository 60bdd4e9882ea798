"""Orders that a price triggers, on rows few enough to compute by hand."""

from decimal import Decimal
from typing import Any

import pytest

from domain.checks.facts import LogFacts
from domain.checks.findings import Check, Finding, Verdict
from domain.checks.profit import ReferenceRule
from domain.ground.words import Confidence
from domain.log.trade_log import OrderType, Quote, Side
from tests.checks.checking import check
from tests.checks.rows import AT, after, fill, middle, order, position, quote


class TestTriggers:
    def stop(
        self, *quotes: Quote, price: str, trigger: str = "1935.00", kind: OrderType = OrderType.STOP_LOSS, **more: Any
    ) -> Finding:
        placed = order(kind, price=Decimal(trigger), received_at=after(-60), **more)
        return check(Check.TRIGGER, orders=(placed,), fills=(fill(price),), quotes=quotes)

    def feed(self, *ticks: tuple[float, str]) -> list[Quote]:
        return [quote(source, second, bid) for source in ("LP-B", "LP-C") for second, bid in ticks]

    def test_the_first_valid_price_through_it_on_time_is_the_market(self) -> None:
        found = self.stop(*self.feed((-5, "1936.00"), (-0.1, "1934.90")), price="1934.90")
        assert found.verdict is Verdict.MARKET
        assert (found.numbers["side"], found.numbers["gap"]) == ("bid", "0.1")

    def test_a_gap_is_told_and_is_the_market(self) -> None:
        found = self.stop(*self.feed((-5, "1936.00"), (-0.1, "1925.00")), price="1925.00")
        assert found.verdict is Verdict.MARKET
        assert found.numbers["gap"] == "10"
        assert "gap of the market" in found.reason.en

    def test_filled_late_and_worse_than_the_first_price_through_it_is_the_firms(self) -> None:
        found = self.stop(*self.feed((-5, "1936.00"), (-4, "1934.90"), (-0.1, "1930.00")), price="1930.00")
        assert found.verdict is Verdict.FIRM_FAULT
        assert found.numbers["lag_ms"] == "4000"
        assert str(found.harm) == "USD 490.00"  # (1934.90 - 1930.00) * 100

    @pytest.mark.parametrize(
        ("side", "en", "zh"),
        [
            (Side.SELL, "set off by the bid.", "以客户卖出价（Bid）触发"),
            (Side.BUY, "set off by the ask.", "以客户买入价（Ask）触发"),
        ],
    )
    def test_both_languages_say_which_side_sets_an_order_off(self, side: Side, en: str, zh: str) -> None:
        placed = order(OrderType.STOP_LOSS, side, price=Decimal("1935.00"), received_at=after(-60))
        reason = check(Check.TRIGGER, orders=(placed,), quotes=self.feed((-5, "1936.00"))).reason
        assert en in reason.en
        assert zh in reason.zh

    def test_a_short_waits_for_the_ask(self) -> None:
        # the ask of 1935.20 is the bid of 1934.90 plus 0.30: reached by the ask, not yet by the bid
        quotes = self.feed((-5, "1934.00"), (-0.1, "1934.90"))
        placed = order(OrderType.STOP_LOSS, Side.BUY, price=Decimal("1935.00"))
        found = check(Check.TRIGGER, orders=(placed,), fills=(fill("1935.20", Side.BUY),), quotes=quotes)
        assert (found.verdict, found.numbers["side"]) == (Verdict.MARKET, "ask")

    def test_a_price_that_no_valid_source_reached_should_not_have_set_it_off(self) -> None:
        own = quote("LP-A", -0.1, "1934.90")
        found = self.stop(*self.feed((-5, "1936.00"), (-0.1, "1936.00")), own, price="1934.90")
        assert found.verdict is Verdict.PROVIDER_FAULT
        assert str(found.harm) == "USD 110.00"  # (1936.00 - 1934.90) * 100
        without = self.stop(*self.feed((-5, "1936.00"), (-0.1, "1936.00")), price="1934.90")
        assert without.verdict is Verdict.FIRM_FAULT

    def test_a_limit_is_filled_at_its_price_or_better(self) -> None:
        found = self.stop(
            *self.feed((-5, "1939.00"), (-0.1, "1940.00")),
            price="1939.50",
            trigger="1940.00",
            kind=OrderType.TAKE_PROFIT,
        )
        assert (found.verdict, str(found.harm)) == (Verdict.FIRM_FAULT, "USD 50.00")
        assert found.confidence is Confidence.CERTAIN
        assert found.reference_rule is ReferenceRule.LIMIT_PRICE

    def test_a_target_that_was_passed_and_not_filled_is_paid_at_its_price(self) -> None:
        target = order(OrderType.TAKE_PROFIT, price=Decimal("1940.00"), position="P1")
        held = position(close_price=Decimal("1930.00"), closed_at=AT)
        found = check(
            Check.TRIGGER,
            orders=(target,),
            positions=(held,),
            quotes=self.feed((-5, "1940.50"), (-0.1, "1930.00")),
        )
        assert (found.verdict, str(found.harm)) == (Verdict.FIRM_FAULT, "USD 1,000.00")

    def test_a_gap_over_a_limit_is_the_customers_gain_as_one_over_a_stop_is_their_loss(self) -> None:
        ticks = ((-5, "1939.00"), (-0.1, "1946.00"))
        limit: dict[str, Any] = {"price": "1940.00", "trigger": "1940.00", "kind": OrderType.TAKE_PROFIT}
        found = self.stop(*self.feed(*ticks), **limit)
        assert (found.verdict, str(found.harm)) == (Verdict.FIRM_FAULT, "USD 600.00")
        one = self.stop(*(row for row in self.feed(*ticks) if row.source == "LP-B"), **limit)
        assert one.missing == (f"quotes of a second source for XAUUSD around {after(-0.1).isoformat()}",)

    def test_a_target_that_was_only_touched_may_stay_unfilled(self) -> None:
        target = order(OrderType.TAKE_PROFIT, price=Decimal("1940.00"), position="P1")
        found = check(Check.TRIGGER, orders=(target,), quotes=self.feed((-5, "1940.00")))
        assert found.verdict is Verdict.NO_FAULT

    @pytest.mark.parametrize(
        ("rule", "harm"),
        [
            ("valid-price-at-that-instant", "USD 110.00"),
            ("customers-own-stop-or-target", "USD 1,510.00"),  # its target, 1950.00, was reached
            ("price-when-the-customer-could-act", "USD 1,010.00"),  # 1945.00 an hour later
            ("reinstate", "USD 0.00"),
        ],
    )
    def test_the_pack_declares_what_a_wrongly_closed_position_is_measured_by(self, rule: str, harm: str) -> None:
        later = self.feed((-5, "1936.00"), (-0.1, "1936.00"), (5, "1936.00"), (3600, "1945.00"), (7200, "1951.00"))
        placed = order(OrderType.STOP_LOSS, price=Decimal("1935.00"), position="P1")
        held = position(stop=Decimal("1900.00"), target=Decimal("1950.00"))
        found = check(
            Check.TRIGGER,
            orders=(placed,),
            fills=(fill("1934.90"),),
            positions=(held,),
            quotes=later,
            tolerances={"reference": rule},
        )
        assert str(found.harm) == harm

    def test_an_order_that_waits_for_nothing_has_no_trigger(self) -> None:
        assert check(Check.TRIGGER, orders=(order(),)).verdict is Verdict.NO_FAULT


def test_a_feed_median_is_evidence_like_any_row() -> None:
    facts = LogFacts(feed_medians=(middle("1937.40"),))
    assert LogFacts.of(facts.evidence()) == facts
