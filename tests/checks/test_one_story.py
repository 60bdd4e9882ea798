"""The checks on one order tell one story: what one found is not denied by another."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, event, given, settings

from domain.checks.execution.finding import check_execution
from domain.checks.facts import Given, LogFacts
from domain.checks.findings import Check, Finding, Verdict
from domain.checks.market import utc
from domain.checks.moments import AT_ONCE, Execution, FeedMedian
from domain.checks.tolerances import Tolerances
from domain.log.trade_log import Fill, Order, OrderType, Quote, Side
from tests.checks.contradictions import contradictions
from tests.checks.liquidated import METAL, closing, liquidation, second
from tests.checks.rows import AT, GOLD, execution, fill, order, run
from tests.checks.test_execution_properties import Scene, scenes

BASIS = Given(tolerances=Tolerances(), as_of=AT + timedelta(days=1))
CHECKS = (Check.SLIPPAGE, Check.OFF_MARKET, Check.TRIGGER)


def findings(scene: Scene) -> list[Finding]:
    """What all checks on the price and the trigger find of the same rows."""
    order = scene.execution.order
    assert order is not None
    facts = LogFacts(
        orders=(order,),
        fills=scene.execution.fills,
        instruments=(GOLD,),
        quotes=tuple(scene.quotes),
        feed_medians=tuple(scene.medians),
    )
    return [scene.check(), *(run(check, order.order, facts, BASIS) for check in CHECKS)]


@settings(max_examples=80)
@given(scenes())
def test_no_check_of_an_order_denies_what_another_found(scene: Scene) -> None:
    assume(scene.execution.order is not None)
    found = findings(scene)
    for finding in found:
        event(f"{finding.check.value}: {finding.verdict.value}")
    assert contradictions(found) == []


@pytest.mark.parametrize("kind", sorted(AT_ONCE))
def test_what_a_late_fill_cost_is_no_ordinary_slippage(kind: OrderType) -> None:
    """Bought in two parts, the second after 5 s at the price that stood there by then."""
    fills = tuple(
        fill(price, fill=name, side=Side.BUY, at=AT + timedelta(seconds=late), volume=Decimal("0.01"))
        for name, price, late in (("F0", "1999.60", 0), ("F1", "1999.90", 5))
    )
    asked = order(type=kind, side=Side.BUY, price=Decimal("1999.60"), received_at=AT)
    quotes = [
        Quote(symbol=GOLD.symbol, source=source, at=AT + timedelta(seconds=at), bid=Decimal(price), ask=Decimal(price))
        for source in ("LP-A", "LP-B")
        for at, price in enumerate(["1999.60"] * 4 + ["1999.90"] * 4)
    ]
    found = findings(Scene(execution(*fills, of=asked), quotes, []))
    assert "we answer for this execution delay" in found[0].reason.en
    assert contradictions(found) == []


class TestAStopThatWasFilledLateAtABetterPrice:
    """All sources fell to 1989 at second 30 and were back at 1993 two seconds later; the stop at 1990 came at 36."""

    def quotes(self) -> list[Quote]:
        rows = []
        for at in range(60):
            price = "1995.00" if at < 30 else "1989.00" if at < 32 else "1993.00"
            for source, apart in (("LP-A", "0"), ("LP-B", "0.02"), ("LP-C", "-0.02")):
                bid = Decimal(price) + Decimal(apart)
                ask = bid + Decimal("0.30")
                rows.append(Quote(symbol=METAL.symbol, source=source, at=second(at), bid=bid, ask=ask))
        return rows

    def found(self) -> tuple[Finding, Finding]:
        stop = liquidation("S", "P", "1", -600, type=OrderType.STOP_LOSS, price=Decimal("1990.00"))
        filled = closing("F", "S", "1", "1993.00", 36)
        facts = LogFacts(orders=(stop,), fills=(filled,), instruments=(METAL,), quotes=tuple(self.quotes()))
        execution = Execution(id="S", order=stop, fills=(filled,), instrument=METAL)
        return (
            check_execution(execution, facts.quotes, tolerances=BASIS.tolerances),
            run(Check.TRIGGER, "S", facts, BASIS),
        )

    def test_both_say_when_it_was_reached_and_that_nothing_was_lost(self) -> None:
        execution, trigger = self.found()
        for finding in (execution, trigger):
            assert (finding.verdict, str(finding.harm)) == (Verdict.MARKET, "USD 0.00")
            assert finding.numbers["reached_at"] == second(30).isoformat()
        assert "6000 ms after that, at a price no worse for you" in trigger.reason.en
        assert "No valid price" not in execution.reason.en
        assert contradictions([execution, trigger]) == []


def test_an_order_that_was_filled_in_parts_is_set_off_once_by_the_first() -> None:
    """Clocks differ: it was received two seconds after its parts were filled, when the prices had left it by 0.31."""

    def later(milliseconds: int) -> datetime:
        return AT + timedelta(milliseconds=milliseconds)

    price = Decimal("1999.60")
    stop = Order(
        order="S", account="A", symbol=GOLD.symbol, side=Side.SELL, type=OrderType.STOP, volume=Decimal(2), price=price,
        received_at=later(2_200),
    )  # fmt: skip
    parts = tuple(
        Fill(fill=name, order="S", account="A", symbol=GOLD.symbol, side=Side.SELL, volume=Decimal(1), price=price,
             at=later(at), source="LP-A")
        for name, at in (("F1", 0), ("F2", 300))
    )  # fmt: skip
    quotes = [
        Quote(symbol=GOLD.symbol, source="LP-A", at=later(at), bid=bid, ask=bid)
        for at, bid in ((0, price), (100, price), (2_100, price + Decimal("0.31")))
    ]
    medians = [
        FeedMedian(symbol=GOLD.symbol, source="LP-A", at=part.at, bid=price, ask=price, spread=Decimal(0), quotes=600)
        for part in parts
    ]
    execution = Execution(id="S", order=stop, fills=parts, instrument=GOLD)
    found = {each.check: each for each in findings(Scene(execution=execution, quotes=quotes, medians=medians))}
    for check in (Check.EXECUTION, Check.TRIGGER):
        assert (found[check].verdict, str(found[check].harm)) == (Verdict.MARKET, "USD 0.00")
    assert contradictions(found.values()) == []


def test_of_an_order_in_parts_one_part_can_be_the_providers_and_another_the_firms() -> None:
    sold = Order(order="S", account="A", symbol=GOLD.symbol, side=Side.SELL, type=OrderType.MARKET, volume=Decimal(2))
    parts = tuple(
        Fill(fill=name, order="S", account="A", symbol=GOLD.symbol, side=Side.SELL, volume=Decimal(1),
             price=Decimal(price), at=AT, source="LP-C")
        for name, price in (("F1", "1980.00"), ("F2", "1990.00"))
    )  # fmt: skip
    quotes = [
        Quote(symbol=GOLD.symbol, source=source, at=AT - timedelta(seconds=1), bid=Decimal(bid), ask=Decimal(bid))
        for source, bid in (("LP-A", "1999.60"), ("LP-B", "1999.60"), ("LP-C", "1980.00"))
    ]
    execution = Execution(id="S", order=sold, fills=parts, instrument=GOLD)
    found = {each.check: each for each in findings(Scene(execution=execution, quotes=quotes, medians=[]))}
    for check in (Check.EXECUTION, Check.OFF_MARKET):
        assert (found[check].verdict, str(found[check].harm)) == (Verdict.FIRM_FAULT, "USD 2,920.00")
    assert "Part of it came from a wrong quote of one of our price providers" in found[Check.OFF_MARKET].reason.en
    assert contradictions(found.values()) == []


@pytest.mark.parametrize("in_parts", [True, False])
def test_what_came_late_is_no_ordinary_slippage(in_parts: bool) -> None:
    """The price fell five seconds after the order came in; all of it, or all but a tenth of a lot, was filled then."""
    sold = order(price=Decimal(2000), received_at=AT - timedelta(seconds=5.2))
    early = fill("2000", fill="F1", at=AT - timedelta(seconds=5), volume=Decimal("0.1"))
    late = fill("1990", fill="F2", volume=Decimal("0.9") if in_parts else Decimal(1))
    parts = [early, late] if in_parts else [late]
    quotes = [
        Quote(symbol=GOLD.symbol, source=source, at=AT + timedelta(seconds=at), bid=Decimal(bid), ask=Decimal(bid) + 1)
        for at, bid in ((-6, "2000"), (-5, "2000"), (-4.5, "2000"), (-0.5, "1990"), (0.5, "1990"))
        for source in ("LP-B", "LP-C")
    ]
    scene = Scene(execution=execution(*parts, of=sold), quotes=quotes, medians=[])
    facts = LogFacts(orders=(sold,), fills=tuple(parts), instruments=(GOLD,), quotes=tuple(quotes))
    found = [*findings(scene), run(Check.EXECUTION_DELAY, sold.order, facts, BASIS)]
    assert {each.check for each in found if each.verdict is Verdict.FIRM_FAULT} == {
        Check.EXECUTION,
        Check.EXECUTION_DELAY,
    }
    assert contradictions(found) == []


def test_two_instants_that_differ_are_told_apart() -> None:
    told = [utc(AT + timedelta(microseconds=each)) for each in (0, 250_000, 250, 251)]
    assert [each[19:-4] for each in told] == ["", ".250", ".000250", ".000251"]
