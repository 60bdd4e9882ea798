"""Forced liquidations: was it due, and was it executed at a valid price? On rows few enough to compute by hand."""

from decimal import Decimal
from typing import Any

import pytest

from domain.checks.findings import Finding, Verdict
from domain.log.firm_records import MarginRate
from domain.log.trade_log import AccountEntry, EntryKind, Side
from domain.money.parts import Rate
from tests.checks.liquidated import (
    METAL,
    OWNER,
    TERMS,
    closing,
    facts_of,
    judged,
    liquidation,
    long,
    money,
    prices,
    second,
)


class TestWasItDue:
    """2 lots long from 2005.00 take 4,010 of margin; at 1985.00 equity is 5,000 - 4,000 = 1,000: 24.94 %."""

    def test_one_position_in_two_fills_beside_another_open_one(self) -> None:
        found = judged(
            facts_of(
                long("P", "2", close_price=Decimal("1985.00"), closed_at=second(31.9)),
                long("Q", "1"),
                liquidation("S", "P", "2"),
                closing("Fa", "S", "1.5", "1985.00", 31.5),
                closing("Fb", "S", "0.5", "1985.00", 31.9),
            )
        )
        assert (found.verdict, found.numbers["S.level"]) == (Verdict.MARKET, "-16.63")  # (5,000 - 6,000) / 6,015

    def test_where_the_price_of_another_fill_is_not_known_the_loss_may_be_more_and_a_person_looks(self) -> None:
        wrong, unknown = closing("Fa", "S", "1", "1975.00", 31.5), closing("Fb", "S", "1", "1985.00", 200)
        found = judged(facts_of(long(), liquidation("S", "P", "2"), wrong, unknown))
        assert (found.verdict, str(found.harm)) == (Verdict.FIRM_FAULT, "USD 1,000.00")
        assert found.missing == (f"closer quotes of GOLD.h3 around {second(200).isoformat()}",)
        assert found.open

    @pytest.mark.parametrize("orders", [("S", "S"), ("S", "T")])
    def test_one_position_in_two_fills_or_two_orders_is_one_liquidation(self, orders: tuple[str, str]) -> None:
        found = judged(
            facts_of(
                long("P", "2", close_price=Decimal("1985.00"), closed_at=second(33.9)),
                *(liquidation(name, "P", "1", at) for name, at in {orders[0]: 31.3, orders[1]: 33.3}.items()),
                closing("Fa", orders[0], "1.5", "1985.00", 31.5),
                closing("Fb", orders[1], "0.5", "1984.75", 33.9),
            )
        )
        assert (found.verdict, found.numbers["S.level"]) == (Verdict.MARKET, "24.94")
        assert str(found.harm) == "USD 0.00"

    @pytest.mark.parametrize(("balance", "level"), [("3000", "117.21"), ("2000", "54.86")])
    def test_what_was_closed_before_is_no_volume_and_its_result_is_money(self, balance: str, level: str) -> None:
        """1.2 of 2 lots closed at 1999.00 brought -720; at 2000.00 the other 0.8 stand at -400, margin 1,604."""
        found = judged(
            facts_of(
                long("P", "2", close_price=Decimal("1985.00"), closed_at=second(30.5), close_reason="stop_out"),
                closing("Fa", "M", "1.2", "1999.00", -600),
                liquidation("S", "P", "0.8", 30.3),
                closing("Fb", "S", "0.8", "1985.00", 30.5),
                balance=balance,
                quotes=prices(wrong=range(30, 33), fallen=None),
            )
        )
        assert (found.numbers["S.level"], found.verdict) == (level, Verdict.PROVIDER_FAULT)
        assert str(found.harm) == "USD 1,200.00"  # (2000.00 - 1985.00) * 100 * 0.8

    def test_what_was_closed_before_the_balance_was_stated_is_in_it(self) -> None:
        found = judged(
            facts_of(
                long("P", "2", opened_at=second(-9500), close_price=Decimal("1985.00"), closed_at=second(30.5)),
                closing("Fa", "M", "1.2", "1999.00", -9000),
                liquidation("S", "P", "0.8", 30.3),
                closing("Fb", "S", "0.8", "1985.00", 30.5),
                balances=(money("2000", at=second(-8000)),),
                quotes=prices(wrong=range(30, 33), fallen=None),
            )
        )
        assert found.numbers["S.equity"] == "1600"  # 2,000 - 400

    def test_what_the_firm_booked_with_a_fill_counts_as_it_booked_it(self) -> None:
        booked: dict[str, Any] = {"profit": Decimal(-725), "swap": Decimal(-3), "commission": Decimal(-2)}
        found = judged(
            facts_of(
                long("P", "2", close_price=Decimal("1985.00"), closed_at=second(30.5)),
                closing("Fa", "M", "1.2", "1999.00", -600, **booked),
                liquidation("S", "P", "0.8", 30.3),
                closing("Fb", "S", "0.8", "1985.00", 30.5),
                balance="3000",
                quotes=prices(wrong=range(30, 33), fallen=None),
            )
        )
        assert found.numbers["S.equity"] == "1870"  # 3,000 - 730 - 400

    def test_a_second_order_for_the_rest_is_not_due_once_the_price_has_come_back(self) -> None:
        recovered = [row for row in prices() if row.at < second(40)]
        recovered += [row for row in prices(fallen=None) if row.at >= second(40)]
        found = judged(
            facts_of(
                long("P", "2", close_price=Decimal("1990.00"), closed_at=second(50)),
                liquidation("S", "P", "1", 31.3),
                closing("Fa", "S", "1", "1985.00", 31.5),
                liquidation("T", "P", "1", 49.8),
                closing("Fb", "T", "1", "1990.00", 50),
                quotes=recovered,
            )
        )
        assert found.verdict is Verdict.FIRM_FAULT
        assert [part.key for part in found.parts] == ["price/Fb"]
        assert str(found.harm) == "USD 1,000.00"  # 2000.00, not 1990.00, on one lot

    def test_positions_closed_at_one_decision_are_judged_on_what_stood_before_it(self) -> None:
        """Four half lots in place of two lots: the level is the same, and so is the verdict on each."""
        names = "ABCD"
        found = judged(
            facts_of(
                *(long(f"P{n}", "0.5", close_price=Decimal("1985.00"), closed_at=second(31.5)) for n in names),
                *(liquidation(f"S{n}", f"P{n}", "0.5") for n in names),
                *(closing(f"F{n}", f"S{n}", "0.5", "1985.00", 31.5, position=f"P{n}") for n in names),
            ),
            "SA",
        )
        assert (found.verdict, found.numbers["SD.level"]) == (Verdict.MARKET, "24.94")

    def test_money_that_came_in_before_it_counts(self) -> None:
        paid_in = AccountEntry(
            entry="D", account=OWNER, kind=EntryKind.DEPOSIT, amount=Decimal(2000), currency="USD", booked_at=second(20)
        )
        found = judged(
            facts_of(
                long("P", "2", close_price=Decimal("1985.00"), closed_at=second(31.5)),
                liquidation("S", "P", "2"),
                closing("F", "S", "2", "1985.00", 31.5),
                account_entries=(paid_in,),
            )
        )
        assert (found.numbers["S.level"], found.verdict) == ("74.81", Verdict.FIRM_FAULT)

    def test_an_open_position_in_another_currency_is_converted_at_the_recorded_rate(self) -> None:
        tael = METAL.model_copy(update={"symbol": "TAEL", "currency": "HKD", "digits": 0})
        quotes = [row.model_copy(update={"symbol": "TAEL"}) for row in prices(fallen=None)]
        held = long("Q", "1", "2078.00", symbol="TAEL")
        facts = facts_of(
            long("P", "2", close_price=Decimal("1985.00"), closed_at=second(31.5)),
            held,
            liquidation("S", "P", "2"),
            closing("F", "S", "2", "1985.00", 31.5),
            balance="7000",
            instruments=(METAL, tael),
            rates=(Rate(base="HKD", quote="USD", source="ECB", at=second(-60), rate=Decimal("0.128")),),
            quotes=[*prices(), *quotes],
        )
        # 7,000 - 4,000 - 7,800 * 0.128 = 2,001.60; margin 4,010 + 2,078 * 0.128 = 4,275.984
        assert judged(facts).numbers["S.level"] == "46.81"
        without = judged(facts.model_copy(update={"rates": ()}))
        assert (without.verdict, without.missing) == (Verdict.INCONCLUSIVE, ("rate of HKD in USD",))


class TestWhatMarginIsNeeded:
    def level(self, *more: Any, balance: str = "5000", **rows: Any) -> str:
        facts = facts_of(
            long("P", "2", close_price=Decimal("1985.00"), closed_at=second(31.5)),
            *more,
            liquidation("S", "P", "2"),
            closing("F", "S", "2", "1985.00", 31.5),
            balance=balance,
            **rows,
        )
        return judged(facts).numbers["S.used_margin"]

    def rate(self, **more: Any) -> MarginRate:
        values = {"margin": "M0", "symbol": METAL.symbol, "effective_from": second(-1e6)}
        return MarginRate(**(values | more))

    def test_by_the_leverage_of_the_account(self) -> None:
        assert self.level() == "4010"

    def test_of_both_sides_of_a_hedge_unless_the_terms_say_otherwise(self) -> None:
        short = long("Q", "1", "2001.00", side=Side.SELL)
        assert self.level(short) == "6011"
        assert self.level(short, account_terms=(TERMS.model_copy(update={"hedged": "larger"}),)) == "4010"
        assert self.level(short, account_terms=(TERMS.model_copy(update={"hedged": "net"}),)) == "2005"

    def test_by_a_percentage_of_the_instrument(self) -> None:
        assert self.level(margin_rates=(self.rate(percent=Decimal(5)),)) == "20050"

    def test_by_a_fixed_sum_a_lot(self) -> None:
        assert self.level(margin_rates=(self.rate(per_lot=Decimal(1000), currency="USD"),)) == "2000"

    def test_by_tiers_each_for_the_lots_in_it(self) -> None:
        low = self.rate(percent=Decimal(1))
        high = self.rate(margin="M1", above_lots=Decimal("1.5"), percent=Decimal(2))
        assert self.level(margin_rates=(low, high)) == "5012.5"  # 1.5 lots at 2,005 and 0.5 at 4,010

    def test_by_the_rates_of_the_account_before_those_of_everybody(self) -> None:
        own = self.rate(margin="M2", account=OWNER, percent=Decimal(2))
        assert self.level(margin_rates=(self.rate(percent=Decimal(5)), own)) == "8020"

    def test_by_the_rates_in_force_then(self) -> None:
        old = self.rate(percent=Decimal(5))
        new = self.rate(margin="M3", percent=Decimal(2), effective_from=second(-3000))
        later = self.rate(margin="M4", percent=Decimal(50), effective_from=second(300))
        assert self.level(margin_rates=(old, new, later)) == "8020"


class TestWasItExecutedAtAValidPrice:
    """Due at 1985.00; LP-A, which priced it, gives 1965.05 from second 31 on: 19.95 off, on two lots 3,990."""

    def closed(self, price: str = "1965.05", *, source: str | None = "LP-A", **more: Any) -> Finding:
        return judged(
            facts_of(
                long("P", "2", close_price=Decimal(price), closed_at=second(31.5), close_reason="stop_out"),
                liquidation("S", "P", "2"),
                closing("F", "S", "2", price, 31.5, source=source),
                quotes=prices(wrong=range(31, 34), of="1965.05"),
                **more,
            )
        )

    def test_due_but_at_a_wrong_quote_the_customer_is_put_to_the_valid_price(self) -> None:
        found = self.closed()
        assert (found.verdict, str(found.harm)) == (Verdict.PROVIDER_FAULT, "USD 3,990.00")
        assert found.parts[0].key == "price/F"
        assert "due on valid prices" in found.reason.en
        assert "(1985.00 − 1965.05) × 100 × 2 = USD 3,990.00" in found.reason.en
        assert "(1985.00 − 1965.05) × 100 × 2 = USD 3,990.00" in found.reason.zh

    def test_due_but_at_a_price_that_nobody_quoted_is_the_firms_fault(self) -> None:
        assert self.closed("1970.00").verdict is Verdict.FIRM_FAULT

    def test_each_part_is_measured_by_itself(self) -> None:
        found = judged(
            facts_of(
                long("P", "2", close_price=Decimal("1965.05"), closed_at=second(31.9)),
                liquidation("S", "P", "2"),
                closing("Fa", "S", "1.5", "1965.05", 31.5),
                closing("Fb", "S", "0.5", "1985.00", 31.9, source="LP-B"),
                quotes=prices(wrong=range(31, 34), of="1965.05"),
            )
        )
        assert (found.verdict, str(found.harm)) == (Verdict.PROVIDER_FAULT, "USD 2,992.50")

    def test_within_the_tolerance_it_is_the_market(self) -> None:
        assert self.closed("1984.75").verdict is Verdict.MARKET
