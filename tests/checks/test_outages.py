"""Outages, on rows few enough to compute by hand."""

from decimal import Decimal
from typing import Any

import pytest

from domain.checks.findings import Check, Finding, Verdict
from domain.ground.words import Confidence
from domain.log.firm_records import (
    Happened,
    Outage,
)
from domain.log.trade_log import OrderType, Side
from tests.checks.checking import VALID, check
from tests.checks.rows import after, fill, happened, position, quote


class TestOutages:
    """Ten minutes after the attempt the service is back; the position is long from 1940.00, the valid price 1937.39."""

    DOWN = Outage(outage="OUT-1", service="trade-server", since=after(-60), until=after(600))
    BACK = (*VALID, *(quote(source, 590, "1932.39") for source in ("LP-B", "LP-C")))

    def attempted(
        self,
        *fills: Any,
        outages: tuple[Outage, ...] = (DOWN,),
        quotes: Any = BACK,
        lots: str | None = None,
        **more: Any,
    ) -> Finding:
        volume = Decimal(lots) if lots else None
        attempt = happened(Happened.FAILED, 0, event="E1", order=None, position="P1", volume=volume)
        rows: dict[str, Any] = {"order_events": (attempt,), "positions": (position(),)} | more
        return check(Check.OUTAGE, "E1", outages=outages, fills=fills, quotes=quotes, **rows)

    def closed(self, price: str, seconds: float = 700, **more: Any) -> Any:
        values: dict[str, Any] = {"at": after(seconds), "position": "P1"}
        return fill(price, **(values | more))

    def test_what_waiting_cost_is_measured_by_the_valid_price_at_the_attempt(self) -> None:
        found = self.attempted(self.closed("1930.39"))
        assert (found.verdict, str(found.harm)) == (Verdict.FIRM_FAULT, "USD 700.00")
        assert found.confidence is Confidence.WELL_SUPPORTED
        assert "(1937.39 − 1930.39) × 100 × 1 = USD 700.00" in found.reason.en

    def test_waiting_that_cost_nothing_is_the_firms_fault_all_the_same(self) -> None:
        found = self.attempted(self.closed("1940.00"))
        assert (found.verdict, str(found.harm)) == (Verdict.FIRM_FAULT, "USD 0.00")

    def test_only_the_attempted_volume_of_the_named_position_counts(self) -> None:
        another = fill("1900.00", fill="F0", at=after(650), volume=Decimal(2), position="P9", effect="open")
        found = self.attempted(another, self.closed("1930.39"), lots="0.4")
        assert (str(found.harm), found.numbers["lots"]) == ("USD 280.00", "0.4")

    def test_a_closing_in_parts_is_worth_the_same_as_in_one(self) -> None:
        parts = [
            self.closed("1930.39", 700 + place, fill=f"F{place}", order=f"O{place}", volume=Decimal(lots))
            for place, lots in enumerate(("0.2", "0.5", "0.3"))
        ]
        assert str(self.attempted(*parts).harm) == "USD 700.00"
        assert str(self.attempted(*parts, lots="0.6").harm) == "USD 420.00"

    def test_what_is_still_open_is_measured_when_the_service_was_back_and_leaves_doubt(self) -> None:
        for fills in ((), (self.closed("1900.00", 600 + 3601),)):
            found = self.attempted(*fills, lots="0.1")
            assert (str(found.harm), found.confidence) == ("USD 50.00", Confidence.DOUBTFUL)
        half = self.attempted(self.closed("1930.39", volume=Decimal("0.5")))
        assert str(half.harm) == "USD 600.00"  # 7.00 on half a lot, 5.00 on the other
        assert self.attempted(quotes=VALID).missing == ("quotes of XAUUSD when the service was back",)

    def test_an_attempt_that_was_to_close_nothing_known_is_for_a_person(self) -> None:
        missing = ("the position that the attempt E1 was to close",)
        assert self.attempted(self.closed("1930.39"), positions=()).missing == missing
        short = position(side=Side.SELL)
        assert self.attempted(self.closed("1930.39"), positions=(short,)).missing == missing

    def test_the_first_of_several_attempts_counts(self) -> None:
        tries = [
            happened(Happened.FAILED, seconds, event=name, order=None, position="P1")
            for name, seconds in (("E0", -30), ("E1", 0))
        ]
        earlier = [quote(source, -31, "1939.39") for source in ("LP-B", "LP-C")]
        found = self.attempted(self.closed("1930.39"), order_events=tuple(tries), quotes=(*earlier, *VALID))
        assert str(found.harm) == "USD 900.00"

    def test_an_attempt_outside_every_outage_is_not_explained(self) -> None:
        assert self.attempted(outages=()).missing[0].startswith("why the attempt E1 failed")
        over = self.DOWN.model_copy(update={"until": after(-1)})
        assert self.attempted(outages=(over,)).missing[0].startswith("why the attempt E1 failed")
        elsewhere = self.DOWN.model_copy(update={"symbol": "EURUSD"})
        assert self.attempted(outages=(elsewhere,)).missing[0].startswith("why the attempt E1 failed")

    def test_an_outage_without_an_attempt_asks_what_the_customer_tried(self) -> None:
        found = check(Check.OUTAGE, "account", outages=(self.DOWN,))
        assert found.missing == ("attempted orders during the outage",)

    @pytest.mark.parametrize(
        ("kind", "price", "waits"),
        [
            (OrderType.TAKE_PROFIT, "1950.00", True),
            (OrderType.TAKE_PROFIT, "1937.00", False),
            (OrderType.STOP_LOSS, "1930.00", True),
            (OrderType.STOP_LOSS, "1938.00", False),
            (OrderType.STOP_LIMIT, "1938.00", True),
            (OrderType.LIMIT, None, True),
            (OrderType.MARKET, "1950.00", False),
        ],
    )
    def test_what_was_to_wait_for_a_price_is_not_measured_by_that_of_the_attempt(
        self, kind: OrderType, price: str | None, waits: bool
    ) -> None:
        asked: dict[str, Any] = {"type": kind, "price": Decimal(price) if price else None}
        attempt = happened(Happened.FAILED, 0, event="E1", order=None, position="P1", **asked)
        found = self.attempted(self.closed("1930.39"), order_events=(attempt,))
        assert (found.verdict is Verdict.INCONCLUSIVE) is waits
        triggered = attempt.model_copy(update={"order": "S1"})  # it stood, and was set off in vain
        assert str(self.attempted(self.closed("1930.39"), order_events=(triggered,)).harm) == "USD 700.00"

    @pytest.mark.parametrize("other", [(-60, 300), (-120, 0), (550, 600), (0, 20)])
    @pytest.mark.parametrize("turned", [False, True])
    def test_outages_that_overlap_are_one(self, other: tuple[float, float], turned: bool) -> None:
        since, until = other
        short = self.DOWN.model_copy(update={"outage": "OUT-2", "since": after(since), "until": after(until)})
        first = self.DOWN.model_copy(update={"until": after(560)})
        both = (first, short.model_copy(update={"until": after(max(until, 600))}))
        found = self.attempted(self.closed("1930.39", 600 + 3599), outages=both[::-1] if turned else both)
        assert (str(found.harm), found.confidence) == ("USD 700.00", Confidence.WELL_SUPPORTED)
        assert found.numbers["until"] == after(600).isoformat()
