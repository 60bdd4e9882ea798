"""Requotes, on rows few enough to compute by hand."""

from decimal import Decimal
from typing import Any

import pytest

from domain.checks.findings import ALL_CUSTOMERS, Check, Finding, Verdict
from domain.ground.words import Confidence
from domain.log.firm_records import (
    Happened,
    RequoteShares,
)
from domain.log.trade_log import Side
from tests.checks.checking import VALID, check
from tests.checks.rows import after, fill, happened


class TestRequotes:
    def requoted(self, *fills: Any, asked: str = "1937.40", kind: Happened = Happened.REQUOTED, **more: Any) -> Finding:
        return check(
            Check.REQUOTE,
            order_events=(
                happened(Happened.RECEIVED, 0, price=Decimal(asked)),
                happened(kind, 1, price=Decimal("1936.00"), **more),
            ),
            quotes=VALID,
            fills=fills,
        )

    def test_a_price_that_was_there_should_have_been_given(self) -> None:
        found = self.requoted(fill("1936.39", order="O2", at=after(30)))
        assert found.verdict is Verdict.FIRM_FAULT
        assert str(found.harm) == "USD 100.00"  # 1937.39 - 1936.39
        assert found.parts[0].key == "price/F1"
        assert "(1937.39 − 1936.39) × 100 × 1 = USD 100.00" in found.reason.en

    @pytest.mark.parametrize("parts", [("0.4",), ("0.1", "0.3"), ("0.1", "0.1", "0.9")])
    def test_only_the_lots_that_were_refused_count_however_the_trade_instead_was_divided(self, parts: Any) -> None:
        fills = [
            fill("1936.39", fill=f"F{number}", order="O2", at=after(30 + number), volume=Decimal(lots))
            for number, lots in enumerate(parts)
        ]
        assert str(self.requoted(*fills, volume=Decimal("0.4")).harm) == "USD 40.00"
        whole = self.requoted(*fills)
        assert whole.harm is not None
        assert whole.harm.amount == 100 * sum(map(Decimal, parts))

    def test_of_what_was_not_traded_instead_nothing_is_guessed_and_that_leaves_doubt(self) -> None:
        found = self.requoted(fill("1936.39", order="O2", at=after(30)), volume=Decimal(3))
        assert (str(found.harm), found.confidence) == ("USD 100.00", Confidence.DOUBTFUL)
        assert "Instead of 2 lots of it you did not trade" in found.reason.en

    @pytest.mark.parametrize("other", [{"position": "P9"}, {"effect": "open"}])
    def test_a_trade_in_another_position_is_none_instead_of_a_refused_closing(self, other: dict[str, Any]) -> None:
        unrelated = fill("1930.39", fill="F0", order="O2", at=after(20), **other)
        assert self.requoted(unrelated, position="P1").missing
        own = fill("1936.39", order="O3", at=after(30), position="P1", effect="close")
        assert str(self.requoted(unrelated, own, position="P1").harm) == "USD 100.00"

    def test_a_price_that_was_gone_is_the_markets_doing(self) -> None:
        assert self.requoted(asked="1938.00").verdict is Verdict.MARKET

    def test_without_a_trade_instead_the_loss_is_not_guessed(self) -> None:
        assert self.requoted(kind=Happened.REJECTED).missing == (
            "a fill that order O1 was replaced by within 5 minutes",
        )
        assert self.requoted(fill("1936.39", order="O2", at=after(302))).missing

    def directions(self, worse: int, better: int) -> Finding:
        rows = tuple(
            RequoteShares(
                symbol="XAUUSD",
                side=side,
                since=after(-3600),
                until=after(3600),
                received=50,
                requoted_better=better,
                requoted_worse=worse,
                rejected=1,
            )
            for side in Side
        )
        return check(Check.REQUOTE, f"{ALL_CUSTOMERS}XAUUSD", requote_shares=rows)

    def test_requotes_that_come_only_when_the_price_turned_against_the_firm_are_its_fault(self) -> None:
        found = self.directions(20, 1)
        assert found.verdict is Verdict.FIRM_FAULT
        assert (found.numbers["requoted_worse"], found.numbers["requoted_better"]) == ("40", "2")
        assert found.numbers["buy.rate"] == "0.4400"
        assert self.directions(20, 18).verdict is Verdict.NO_FAULT
