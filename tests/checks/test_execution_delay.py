"""How long an order took, on rows few enough to compute by hand."""

from decimal import Decimal
from typing import Any

from domain.checks.findings import Check, Finding, Verdict
from domain.checks.profit import ReferenceRule
from domain.ground.words import Confidence
from domain.log.firm_records import (
    Happened,
)
from domain.log.trade_log import Quote
from tests.checks.checking import check
from tests.checks.rows import after, fill, happened, order, quote, steady


class TestExecutionDelay:
    QUOTES = (*steady("LP-B", "1940.00"), *steady("LP-C", "1940.00"))

    def delayed(self, *events: Any, quotes: tuple[Quote, ...] | None = None, **placed: Any) -> Finding:
        at_receipt = [quote(source, second, "1940.50") for source in ("LP-B", "LP-C") for second in (-6, -5.5)]
        return check(
            Check.EXECUTION_DELAY,
            orders=(order(**placed),),
            fills=(fill("1940.00"),),
            quotes=(*self.QUOTES, *at_receipt) if quotes is None else quotes,
            order_events=events,
        )

    def steps(self, received: float, forwarded: float, answered: float) -> tuple[Any, ...]:
        return (
            happened(Happened.SENT, received - 0.2),
            happened(Happened.RECEIVED, received),
            happened(Happened.FORWARDED, forwarded),
            happened(Happened.ANSWERED, answered),
        )

    def test_the_providers_leg_is_the_providers_fault(self) -> None:
        found = self.delayed(*self.steps(-5.4, -5.3, -0.1))
        assert (found.verdict, found.numbers["cause"]) == (Verdict.PROVIDER_FAULT, "provider")
        assert found.numbers["provider_ms"] == "5200"
        assert found.numbers["network_ms"] == "200"
        assert str(found.harm) == "USD 50.00"
        assert found.reference_rule is ReferenceRule.AT_RECEIPT

    def test_the_servers_leg_is_the_firms(self) -> None:
        found = self.delayed(*self.steps(-5.4, -0.3, -0.1))
        assert (found.verdict, found.numbers["cause"]) == (Verdict.FIRM_FAULT, "server")

    def test_a_slow_way_to_the_server_is_not_the_firms(self) -> None:
        found = self.delayed(happened(Happened.SENT, -8), happened(Happened.RECEIVED, -0.2))
        assert (found.verdict, found.numbers["cause"]) == (Verdict.NO_FAULT, "network")
        assert found.confidence is Confidence.DOUBTFUL  # the terminal's clock is not ours

    def test_a_terminal_whose_clock_runs_ahead_is_not_believed(self) -> None:
        found = self.delayed(happened(Happened.SENT, 3), received_at=after(-0.2))
        assert "network_ms" not in found.numbers
        assert found.verdict is Verdict.NO_FAULT

    def test_a_delay_that_cost_nothing_is_told_and_not_paid(self) -> None:
        found = self.delayed(received_at=after(-5.4), quotes=self.QUOTES)
        assert found.verdict is Verdict.NO_FAULT
        assert found.numbers["received_to_filled_ms"] == "5400"

    def test_without_a_time_of_receipt_nothing_is_measured(self) -> None:
        assert self.delayed().missing == ("time at which the server received order O1",)

    def test_a_part_in_time_excuses_no_other_that_came_late(self) -> None:
        early, late = (
            fill("1940.00", fill=name, at=after(at), volume=Decimal(lots))
            for name, at, lots in (("F1", -5.2, "0.1"), ("F2", 0, "1.9"))
        )
        at_receipt = [quote(source, second, "1940.50") for source in ("LP-B", "LP-C") for second in (-6, -5.5)]
        rows: dict[str, Any] = {"orders": (order(received_at=after(-5.4)),), "quotes": (*self.QUOTES, *at_receipt)}
        found = check(Check.EXECUTION_DELAY, fills=(early, late), **rows)
        assert (found.verdict, str(found.harm)) == (Verdict.FIRM_FAULT, "USD 95.00")
        assert "The last part of it was filled 5400 ms after our server received it" in found.reason.en
        assert "(1940.50 − 1940.00) × 100 × 1.9 = USD 95.00" in found.reason.en
        for each in (early, late):
            alone = check(Check.EXECUTION_DELAY, fills=(each,), **rows)
            assert [part.key for part in alone.parts] == (["price/F2"] if each is late else [])
