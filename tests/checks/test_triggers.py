"""Orders that a price triggers, on rows few enough to compute by hand."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.checks.facts import LogFacts
from domain.checks.findings import Check, Finding, Verdict
from domain.checks.market import WAITS_FOR_BETTER
from domain.checks.profit import ReferenceRule
from domain.ground.words import Confidence
from domain.log.trade_log import OrderState, OrderType, Quote, Side
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

    def test_an_order_that_was_rejected_never_waited(self) -> None:
        target = order(OrderType.TAKE_PROFIT, price=Decimal("1940.00"), position="P1", state=OrderState.REJECTED)
        held = position(close_price=Decimal("1930.00"), closed_at=AT)
        ticks = self.feed((-5, "1940.50"), (-0.1, "1930.00"))
        found = check(Check.TRIGGER, orders=(target,), positions=(held,), quotes=ticks)
        assert found.missing == ("why order O1 was rejected",)
        assert "the fault is ours" not in found.reason.en

    def test_an_order_that_waits_for_nothing_has_no_trigger(self) -> None:
        assert check(Check.TRIGGER, orders=(order(),)).verdict is Verdict.NO_FAULT


class TestOrdersInParts:
    """A position of two lots that a take-profit at 1945.00 or a stop-loss at 1935.00 was to close."""

    def feed(self, *moves: tuple[float, str]) -> tuple[Quote, ...]:
        """What two sources quoted once a second, from each of *moves* on."""
        rows = []
        for second in range(-70, 100):
            bid = next((price for at, price in reversed(moves) if second >= at), "1940.00")
            rows += [quote(source, second, bid) for source in ("LP-B", "LP-C")]
        return tuple(rows)

    def found(
        self, kind: OrderType, filled: list[tuple[float, str, str]], later: str | None, *moves: tuple[float, str],
        state: OrderState | None = OrderState.CANCELLED, closes: bool = True,
    ) -> Finding:  # fmt: skip
        """*filled*: when, at which price, how many lots; the rest was closed at *later* by another order."""
        price = Decimal("1945.00" if kind in WAITS_FOR_BETTER else "1935.00")
        of: dict[str, Any] = {"position": "P1"} if closes else {}
        ended = after(60) if state is OrderState.CANCELLED else None
        placed = order(kind, price=price, received_at=after(-60), volume=Decimal(2), state=state, ended_at=ended, **of)
        fills = [
            fill(each, fill=f"F{number}", at=after(at), volume=Decimal(much), **of)
            for number, (at, each, much) in enumerate(filled)
        ]
        left = Decimal(2) - sum((each.volume for each in fills), Decimal(0))
        if later is not None:
            fills.append(fill(later, fill="FM", order="M1", at=after(90), volume=left, **of))
        end: dict[str, Any] = {"closed_at": after(90), "close_price": Decimal(later)} if later else {}
        held = (position(volume=Decimal(2), **end),) if closes else ()
        orders = (placed, order(order="M1", volume=left or Decimal(1), **of))
        return check(Check.TRIGGER, orders=orders, fills=tuple(fills), positions=held, quotes=self.feed(*moves))

    def test_what_of_a_take_profit_was_not_filled_was_due_when_prices_passed_it(self) -> None:
        part = [(0.3, "1945.00", "0.5")]
        found = self.found(OrderType.TAKE_PROFIT, part, "1935.00", (0, "1945.00"), (1, "1945.60"), (10, "1935.00"))
        assert (found.verdict, str(found.harm)) == (Verdict.FIRM_FAULT, "USD 1,500.00")
        assert [each.key for each in found.parts] == ["price/FM"]
        assert "The rest, 1.5 lots, was not filled, although valid prices passed it" in found.reason.en
        assert "(1945.00 − 1935.00) × 100 × 1.5 = USD 1,500.00" in found.reason.en
        touched = self.found(OrderType.TAKE_PROFIT, part, "1935.00", (0, "1945.00"), (10, "1935.00"))
        assert (touched.verdict, str(touched.harm)) == (Verdict.MARKET, "USD 0.00")
        assert "no valid price passed it" in touched.reason.en

    def test_its_own_later_fill_is_not_what_closed_the_rest(self) -> None:
        parts = [(0.3, "1945.00", "0.5"), (2.5, "1945.00", "0.5")]
        found = self.found(OrderType.TAKE_PROFIT, parts, "1935.00", (0, "1945.00"), (1, "1945.60"), (10, "1935.00"))
        assert [str(each.amount) for each in found.parts if each.key == "price/FM"] == ["1000"]

    def test_what_of_a_stop_was_not_filled_was_due_at_the_first_price_through_it(self) -> None:
        found = self.found(OrderType.STOP_LOSS, [(0.3, "1934.90", "0.5")], "1920.00", (0, "1934.90"), (5, "1920.00"))
        assert (found.verdict, str(found.harm)) == (Verdict.FIRM_FAULT, "USD 2,235.00")  # 14.90 * 100 * 1.5

    @pytest.mark.parametrize(
        ("state", "closes", "later", "missing"),
        [
            (OrderState.FILLED, True, None, "fills of the rest of order O1: 1.5 lots"),
            (OrderState.CANCELLED, False, None, "the position that order O1 was to close"),
            (OrderState.WORKING, True, None, "the closing of the position that order O1 was to close"),
        ],
    )
    def test_what_cannot_be_told_of_the_rest_is_for_a_person(
        self, state: OrderState, closes: bool, later: str | None, missing: str
    ) -> None:
        part, moves = [(0.3, "1945.00", "0.5")], ((0, "1945.00"), (1, "1945.60"), (10, "1935.00"))
        found = self.found(OrderType.TAKE_PROFIT, part, later, *moves, state=state, closes=closes)
        assert found.missing == (missing,)

    @pytest.mark.parametrize("wrong", ["1930.00", "1934.90"])
    def test_where_the_price_of_one_part_is_not_known_the_sum_of_another_is_for_a_person(self, wrong: str) -> None:
        """Its first part was filled at a price that nobody quoted, or at the valid one; when its second was, nobody
        had quoted for long.
        """
        parts = [(0.3, wrong, "1"), (90, "1934.90", "1")]
        silent = [each for each in self.feed((0, "1934.90")) if each.at < after(5)]
        placed = order(OrderType.STOP_LOSS, price=Decimal("1935.00"), received_at=after(-60), volume=Decimal(2))
        fills = tuple(
            fill(each, fill=f"F{number}", at=after(at), volume=Decimal(much))
            for number, (at, each, much) in enumerate(parts)
        )
        found = check(Check.TRIGGER, orders=(placed,), fills=fills, quotes=tuple(silent))
        assert found.open
        assert [name.partition(" around ")[0] for name in found.missing] == ["closer quotes of XAUUSD"]
        assert "cannot be told from our records" in found.reason.en
        if wrong == "1930.00":
            assert (found.verdict, str(found.harm)) == (Verdict.FIRM_FAULT, "USD 490.00")
        else:
            assert found.verdict is Verdict.INCONCLUSIVE

    @pytest.mark.parametrize("early", ["0.1", "1"])
    def test_a_part_in_time_excuses_no_other_that_came_late(self, early: str) -> None:
        parts = [(0.3, "1934.90", early), (30, "1925.00", str(2 - Decimal(early)))]
        found = self.found(OrderType.STOP_LOSS, parts, None, (0, "1934.90"), (5, "1925.00"))
        assert found.verdict is Verdict.FIRM_FAULT
        assert found.harm is not None
        assert found.harm.amount == Decimal("9.90") * 100 * (2 - Decimal(early))
        assert "lots of it were filled 30000 ms after that" in found.reason.en or early == "1"

    def test_what_is_said_of_parts_is_said_of_those_it_is_true_of(self) -> None:
        parts = [(0.3, "1934.90", "0.1"), (30, "1936.00", "1.9")]
        better = self.found(OrderType.STOP_LOSS, parts, None, (0, "1934.90"), (5, "1936.00"))
        assert (better.verdict, str(better.harm)) == (Verdict.MARKET, "USD 0.00")
        assert "The last part of it was filled 30000 ms after that, at a price no worse for you" in better.reason.en
        parts = [(0.3, "1946.00", "1.9"), (0.4, "1945.00", "0.1")]
        kept = self.found(OrderType.TAKE_PROFIT, parts, None, (0, "1946.00"))
        assert str(kept.harm) == "USD 10.00"
        assert "A price 1.00 better for you was there" in kept.reason.en

    @given(st.lists(st.tuples(st.integers(0, 50), st.sampled_from(["0", "-0.2", "-3"])), min_size=4, max_size=4))
    def test_each_fill_of_a_stop_is_judged_as_if_it_were_the_only_one(self, cut: list[tuple[int, str]]) -> None:
        """Each at the price of its moment, or worse; the price fell by a dollar a second."""
        moves = [(float(at), str(Decimal("1934.90") - at)) for at in range(60)]
        size = Decimal(2) / 4
        parts = [(at + 0.3, str(Decimal("1934.90") - at + Decimal(off)), str(size)) for at, off in cut]
        whole = self.found(OrderType.STOP_LOSS, parts, None, *moves, state=None, closes=False)
        alone = [
            check(
                Check.TRIGGER,
                orders=(order(OrderType.STOP_LOSS, price=Decimal("1935.00"), received_at=after(-60), volume=size),),
                fills=(fill(price, at=after(at), volume=size),),
                quotes=self.feed(*moves),
            )
            for at, price, _ in parts
        ]
        assert whole.harm is not None
        assert whole.harm.amount == sum(each.harm.amount for each in alone if each.harm)


def test_a_feed_median_is_evidence_like_any_row() -> None:
    facts = LogFacts(feed_medians=(middle("1937.40"),))
    assert LogFacts.of(facts.evidence()) == facts
