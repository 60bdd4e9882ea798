"""Cancelled trades, on rows few enough to compute by hand."""

from decimal import Decimal
from typing import Any, Final

import pytest

from domain.checks.findings import Check, Finding, Verdict
from domain.ground.words import Confidence
from domain.log.firm_records import (
    Cancellation,
)
from tests.checks.checking import DAY, check
from tests.checks.rows import ACCOUNT, AT, after


class TestCancelledTrades:
    FULL: Final[dict[str, Any]] = {
        "clause": "14.3",
        "evidence": "report 77",
        "decided_by": "dealer:d-2",
        "reason": "latency arbitrage",
        "recorded_at": after(60),
    }

    def cancelled(self, **more: Any) -> Finding:
        values: dict[str, Any] = {
            "cancellation": "C1",
            "account": ACCOUNT,
            "at": AT,
            "amount": Decimal("2500.50"),
            "currency": "USD",
        }
        return check(Check.CANCELLED_TRADE, "C1", cancellations=(Cancellation(**(values | more)),))

    def test_without_reasons_on_record_what_was_taken_is_given_back(self) -> None:
        found = self.cancelled()
        assert (found.verdict, found.confidence) == (Verdict.FIRM_FAULT, Confidence.CERTAIN)
        assert str(found.harm) == "USD 2,500.50"
        assert found.numbers["not_recorded"] == "clause, evidence, decided_by, reason"

    @pytest.mark.parametrize("field", ["clause", "evidence", "decided_by", "reason"])
    def test_each_of_them_is_needed(self, field: str) -> None:
        assert self.cancelled(**(self.FULL | {field: None})).verdict is Verdict.FIRM_FAULT

    def test_reasons_written_down_afterwards_and_complete_ones_are_both_judged_by_a_person(self) -> None:
        assert self.cancelled(**(self.FULL | {"recorded_at": AT + 2 * DAY})).missing == (
            "reasons recorded at the time of the decision",
        )
        assert self.cancelled(**self.FULL).missing == (
            "a person's judgement whether the evidence shows what the clause asks for",
        )
