"""Quotes off the market, on rows few enough to compute by hand."""

from decimal import Decimal

from domain.checks.findings import Check, Finding, Verdict
from domain.ground.words import Confidence
from domain.log.trade_log import Quote
from tests.checks.checking import BAD, VALID, check
from tests.checks.rows import AT, after, fill, order, quote, steady


class TestOffMarketQuotes:
    def filled(self, price: str, *quotes: Quote) -> Finding:
        return check(Check.OFF_MARKET, orders=(order(),), fills=(fill(price),), quotes=quotes)

    def test_a_spike_of_one_provider_is_its_fault_with_length_and_reversal_told(self) -> None:
        found = self.filled("1920.96", *VALID, *BAD)
        assert (found.verdict, found.confidence) == (Verdict.PROVIDER_FAULT, Confidence.WELL_SUPPORTED)
        assert str(found.harm) == "USD 1,643.00"
        assert (found.numbers["off_ms"], found.numbers["reverted"]) == ("1000", "yes")
        assert found.numbers["deviation.LP-B"] == "16.4"

    def test_a_move_that_all_sources_made_is_the_market(self) -> None:
        everywhere = [quote(source, second, "1920.96") for source in ("LP-A", "LP-B", "LP-C") for second in (0, 1)]
        assert self.filled("1920.96", *everywhere).verdict is Verdict.MARKET

    def test_one_against_one_proves_nothing(self) -> None:
        found = self.filled("1920.96", *steady("LP-B", "1937.36"), *BAD)
        assert found.missing == (f"quotes of a second reference source for XAUUSD around {AT.isoformat()}",)

    def test_a_price_that_its_own_source_never_quoted_is_the_firms(self) -> None:
        found = self.filled("1920.96", *VALID, *steady("LP-A", "1937.40"))
        assert found.verdict is Verdict.FIRM_FAULT

    def test_where_the_price_of_another_part_is_not_known_the_loss_may_be_more_and_a_person_looks(self) -> None:
        later = fill("1937.40", fill="F2", at=after(400))
        both = order(volume=Decimal(2))
        found = check(Check.OFF_MARKET, orders=(both,), fills=(fill("1920.96"), later), quotes=(*VALID, *BAD))
        assert (found.verdict, str(found.harm)) == (Verdict.PROVIDER_FAULT, "USD 1,643.00")
        assert found.missing == (f"closer quotes of XAUUSD around {after(400).isoformat()}",)
        assert found.open

    def test_a_spread_far_beyond_the_usual_is_told(self) -> None:
        wide = [quote("LP-A", second, "1937.30") for second in (-3, -2, -1)] + [quote("LP-A", 0, "1937.20", "1945.00")]
        found = self.filled("1937.20", *VALID, *wide)
        assert found.verdict is Verdict.MARKET
        assert (found.numbers["spread"], found.numbers["usual_spread"]) == ("7.8", "0.3")
        assert "10 times the usual" in found.reason.en
