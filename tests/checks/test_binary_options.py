"""Binary options, on rows few enough to compute by hand."""

from decimal import Decimal
from typing import Any

import pytest

from domain.checks.findings import Check, Finding, Verdict
from domain.log.firm_records import (
    BinaryOption,
)
from domain.log.trade_log import Quote
from tests.checks.checking import check
from tests.checks.rows import ACCOUNT, AT, after, quote


class TestBinaryOptions:
    def option(self, **more: Any) -> BinaryOption:
        values: dict[str, Any] = {
            "option": "BO1",
            "account": ACCOUNT,
            "symbol": "XAUUSD",
            "source": "LP-A",
            "direction": "up",
            "stake": Decimal(100),
            "currency": "USD",
            "payout_percent": Decimal(80),
            "strike": Decimal("1937.55"),
            "struck_at": after(-60),
            "expires_at": AT,
            "paid": Decimal(0),
        }
        return BinaryOption(**(values | more))

    def settled(self, *quotes: Quote, **more: Any) -> Finding:
        return check(Check.BINARY_OPTION, "BO1", binary_options=(self.option(**more),), quotes=quotes)

    STRUCK = quote("LP-A", -60, "1937.40")

    def test_a_bet_that_was_won_pays_stake_and_payout(self) -> None:
        found = self.settled(self.STRUCK, quote("LP-A", -1, "1938.40"))
        assert (found.verdict, str(found.harm)) == (Verdict.FIRM_FAULT, "USD 180.00")
        assert found.numbers["expiry_price"] == "1938.55"

    def test_a_bet_that_was_lost_pays_nothing_and_one_at_par_the_stake(self) -> None:
        assert self.settled(self.STRUCK, quote("LP-A", -1, "1936.40")).verdict is Verdict.NO_FAULT
        assert str(self.settled(self.STRUCK, quote("LP-A", -1, "1937.40")).harm) == "USD 100.00"

    def test_the_tick_after_the_expiry_does_not_count(self) -> None:
        found = self.settled(self.STRUCK, quote("LP-A", -1, "1936.40"), quote("LP-A", 0.1, "1950.00"))
        assert found.verdict is Verdict.NO_FAULT

    def test_a_frozen_feed_voids_the_bet(self) -> None:
        found = self.settled(self.STRUCK, quote("LP-B", -5, "1938.40"))
        assert (found.verdict, str(found.harm)) == (Verdict.PROVIDER_FAULT, "USD 100.00")
        assert self.settled(self.STRUCK).verdict is not Verdict.PROVIDER_FAULT  # nobody quoted: a still market
        slow = self.settled(self.STRUCK, quote("LP-A", -9, "1936.40"), quote("LP-B", -5, "1938.40"))
        assert slow.verdict is Verdict.NO_FAULT  # nine seconds without a tick are no frozen feed

    def test_a_wrong_tick_is_replaced_by_the_middle_of_the_others(self) -> None:
        others = [quote(source, -1, "1938.40") for source in ("LP-B", "LP-C")]
        found = self.settled(self.STRUCK, quote("LP-A", -1, "1920.00"), *others)
        assert (found.verdict, str(found.harm)) == (Verdict.PROVIDER_FAULT, "USD 180.00")

    def test_a_payout_is_paid_in_cents(self) -> None:
        uneven: dict[str, Any] = {"stake": Decimal("33.33"), "payout_percent": Decimal("77.69")}  # 59.224077
        won = (self.STRUCK, quote("LP-A", -1, "1938.40"))
        assert self.settled(*won, **uneven, paid=Decimal("59.22")).verdict is Verdict.NO_FAULT
        assert str(self.settled(*won, **uneven, paid=Decimal("59.21")).harm) == "USD 0.01"

    @pytest.mark.parametrize("direction", ["up", "down"])
    @pytest.mark.parametrize("settled", [None, "1937.56"])
    def test_a_middle_between_two_prices_is_at_par_with_itself(self, direction: str, settled: str | None) -> None:
        between = [quote("LP-A", at, "1937.40", "1937.71") for at in (-60, -1)]  # the middle is 1937.555
        more: dict[str, Any] = {"strike": Decimal("1937.56"), "settled_price": settled and Decimal(settled)}
        found = self.settled(*between, direction=direction, paid=Decimal(100), **more)
        assert (found.verdict, found.numbers["due"]) == (Verdict.NO_FAULT, "100")

    def test_the_price_that_was_booked_is_that_of_its_tick_if_it_is_rounded_only(self) -> None:
        ticks = (quote("LP-A", -60, "1937.41"), quote("LP-A", -1, "1937.40", "1937.71"))  # 1937.56, 1937.555
        booked: dict[str, Any] = {"strike": Decimal("1937.56"), "direction": "down", "paid": Decimal(100)}
        assert self.settled(*ticks, **booked, settled_price=Decimal("1937.56")).verdict is Verdict.NO_FAULT
        assert str(self.settled(*ticks, **booked, settled_price=Decimal("1937.58")).harm) == "USD 80.00"

    def test_one_that_was_settled_before_its_expiry_is_for_people(self) -> None:
        won = (self.STRUCK, quote("LP-A", -1, "1938.40"))
        found = self.settled(*won, paid=Decimal(60), settled_at=after(-20))
        assert found.missing == ("who had option BO1 settled before its expiry, and on which terms",)
        assert self.settled(*won, paid=Decimal(180), settled_at=after(2)).verdict is Verdict.NO_FAULT

    def test_what_is_missing_is_named(self) -> None:
        assert self.settled(paid=None).missing == (
            f"quotes of XAUUSD from LP-A at {after(-60).isoformat()}",
            f"quotes of XAUUSD from LP-A at {AT.isoformat()}",
            "what the option paid",
        )
