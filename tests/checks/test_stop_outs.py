"""Stop-outs, on rows few enough to compute by hand."""

from decimal import Decimal
from typing import Any

from domain.checks.findings import Check, Finding, Verdict
from domain.ground.words import Confidence
from domain.log.trade_log import AccountEntry, EntryKind, OrderType, Quote
from domain.money.parts import PartKind, Rate
from tests.checks.checking import BAD, SCHEDULE, VALID, check
from tests.checks.rows import ACCOUNT, AT, after, balance, fill, order, position, quote, terms


class TestStopOuts:
    """0.8 lots long from 1940: margin 0.8 * 100 * 1940 / 100 = 1,552, so 20 % is an equity of 310.40."""

    def closed(
        self, money: str, *quotes: Quote, price: str = "1920.96", rule: str | None = None, **more: Any
    ) -> Finding:
        held = position(volume=Decimal("0.8"), close_price=Decimal(price), closed_at=AT, close_reason="stop_out")
        rows: dict[str, Any] = {
            "orders": (order(OrderType.STOP_OUT, position="P1", volume=Decimal("0.8")),),
            "fills": (fill(price, volume=Decimal("0.8")),),
            "positions": (held,),
            "account_terms": (terms(),),
            "balances": (balance(money),),
            "quotes": quotes,
        }
        tolerances = more.pop("tolerances", {}) | ({"reference": rule} if rule else {})
        return check(Check.STOP_OUT, tolerances=tolerances, **(rows | more))

    def test_the_incident_of_13_november_2023(self) -> None:
        # on the bad quote equity is 1,800 - 19.04 * 80 = 276.80, 17.8 %; on valid ones 1,800 - 2.61 * 80 = 1,591.20
        found = self.closed("1800", *VALID, *BAD)
        assert found.verdict is Verdict.PROVIDER_FAULT
        assert found.confidence is Confidence.WELL_SUPPORTED
        assert str(found.harm) == "USD 1,314.40"
        assert found.numbers["O1.level"] == "102.53"  # 1,591.20 / 1,552
        assert found.numbers["O1.equity"] == "1591.2"
        assert found.numbers["level_on_own_quotes"] == "17.84"
        assert found.parts[0].key == "price/F1"

    def test_a_liquidation_that_valid_prices_called_for_is_the_market(self) -> None:
        low = [quote(source, second, "1920.96") for source in ("LP-A", "LP-B", "LP-C") for second in (-5, 0)]
        found = self.closed("1800", *low)
        assert found.verdict is Verdict.MARKET
        assert found.numbers["O1.level"] == "17.84"
        assert found.numbers["first_due_at"] == after(-5).isoformat()
        assert found.numbers["largest_loss_first"] == "yes"

    def test_a_level_above_the_limit_even_on_the_firms_own_prices_is_the_firms_fault(self) -> None:
        assert self.closed("5000", *VALID, *BAD).verdict is Verdict.FIRM_FAULT

    def test_money_booked_and_positions_closed_since_the_balance_count(self) -> None:
        low = [quote(source, second, "1920.96") for source in ("LP-A", "LP-B", "LP-C") for second in (-5, 0)]
        paid_in = AccountEntry(
            entry="D1",
            account=ACCOUNT,
            kind=EntryKind.DEPOSIT,
            amount=Decimal(1000),
            currency="USD",
            booked_at=after(-60),
        )
        assert self.closed("1800", *low, account_entries=(paid_in,)).numbers["O1.equity"] == "1276.8"
        earlier = position(position="P0", close_price=Decimal("1945.00"), closed_at=after(-30))
        held = position(volume=Decimal("0.8"), close_price=Decimal("1920.96"), closed_at=AT)
        found = self.closed("1800", *low, positions=(earlier, held))
        assert found.numbers["O1.equity"] == "776.8"  # 500 made by the other

    def test_the_terms_and_the_balance_are_named_where_they_are_missing(self) -> None:
        found = self.closed("1800", *VALID, *BAD, account_terms=(), balances=())
        assert found.missing == (
            "margin terms of the account: leverage and liquidation level",
            "balance of the account before it",
        )

    def test_a_position_without_quotes_leaves_the_level_unknown(self) -> None:
        silver = position(position="P2", symbol="XAGUSD")
        held = position(volume=Decimal("0.8"), close_price=Decimal("1920.96"), closed_at=AT)
        assert self.closed("1800", *VALID, *BAD, positions=(held, silver)).missing == ("instrument XAGUSD",)

    def test_an_account_in_another_currency_is_reckoned_at_the_recorded_rate(self) -> None:
        rate = Rate(base="USD", quote="SGD", source="MAS", at=after(-60), rate=Decimal("1.36"))
        of_sgd = terms(currency="SGD")
        money = balance("2448", currency="SGD")  # 1,800 * 1.36
        found = self.closed("1800", *VALID, *BAD, account_terms=(of_sgd,), balances=(money,), rates=(rate,))
        assert found.numbers["O1.level"] == "102.53"
        assert str(found.harm) == "SGD 1,787.58"  # 1,314.40 * 1.36 = 1,787.584, rounded once
        assert found.numbers["rate.USD.SGD.source"] == "MAS"
        assert self.closed("1800", *VALID, *BAD, account_terms=(of_sgd,), balances=(money,)).missing == (
            "rate of USD in SGD",
        )

    def test_29_positions_of_one_account_are_restored_each_once_and_consequences_are_named(self) -> None:
        """As in case 2 of the same minute: closings one after another, each loss lowering the level of the next."""
        volume = Decimal("0.1")
        names = [str(number + 1) for number in range(29)]
        orders = tuple(order(OrderType.STOP_OUT, order=f"O{n}", position=f"P{n}", volume=volume) for n in names)
        fills = tuple(
            # the first at the bad quote, the others at good prices a moment later, when the loss was booked
            fill(
                "1920.96" if n == "1" else "1937.39",
                fill=f"F{n}",
                order=f"O{n}",
                volume=volume,
                at=after((int(n) - 1) / 100),
            )
            for n in names
        )
        held = tuple(
            position(position=f"P{n}", volume=volume, close_price=row.price, closed_at=row.at)
            for n, row in zip(names, fills, strict=True)
        )
        # floating at valid prices: 29 * 10 * -2.61 = -756.90; margin 29 * 194 = 5,626; 20 % is 1,125.20
        found = self.closed("2000", *VALID, *BAD, orders=orders, fills=fills, positions=held)
        assert found.verdict is Verdict.PROVIDER_FAULT
        assert str(found.harm) == "USD 164.30"  # only the first was closed at a wrong price: 16.43 * 10
        assert {part.key for part in found.parts} == {"price/F1"}
        assert found.numbers["O29.level"] == "22.10"  # (2,000 - 756.90) / 5,626

    def test_a_closing_that_only_the_loss_of_an_undue_one_brought_about_is_its_consequence(self) -> None:
        one = position(position="P1", volume=Decimal("0.8"), close_price=Decimal("1920.96"), closed_at=AT)
        two = position(position="P2", volume=Decimal("0.8"), close_price=Decimal("1936.00"), closed_at=after(1))
        found = self.closed(
            "2000",
            *VALID,
            *BAD,
            positions=(one, two),
            orders=(
                order(OrderType.STOP_OUT, position="P1"),
                order(OrderType.STOP_OUT, order="O2", position="P2"),
            ),
            fills=(
                fill("1920.96", volume=Decimal("0.8")),
                fill("1936.00", fill="F2", order="O2", volume=Decimal("0.8"), at=after(1)),
            ),
        )
        kinds = {part.key: part.kind for part in found.parts}
        assert kinds == {"price/F1": PartKind.PRICE, "price/F2": PartKind.CONSEQUENCE}
        assert str(found.harm) == "USD 1,425.60"  # 1,314.40 and (1937.39 - 1936.00) * 80

    def test_the_next_valid_stop_out_may_be_the_declared_reference(self) -> None:
        # due when equity is 310.40: 1,800 - (1940 - bid) * 80 = 310.40, so at a bid of 1921.38 or less
        later = [quote(source, 20, "1921.00") for source in ("LP-B", "LP-C")]
        found = self.closed("1800", *VALID, *BAD, *later, rule="next-valid-stop-out")
        assert found.numbers["O1.reference_price"] == "1921"
        assert str(found.harm) == "USD 3.20"
        # 12 November 2023 was a Sunday: the first night is Monday's, after the reference
        assert found.numbers["F1.swap_until_reference"] == "not recorded"
        assert self.closed("1800", *VALID, *BAD, rule="next-valid-stop-out").missing == (
            "quotes of XAUUSD until valid prices would have liquidated the position",
        )

    def test_the_swap_of_the_nights_until_the_reference_is_set_off_and_never_more_than_the_loss(self) -> None:
        later = [quote(source, 2 * 86_400, "1945.00") for source in ("LP-B", "LP-C")]
        nightly = SCHEDULE.model_copy(update={"swap_unit": "money", "swap_long": Decimal("-10")})
        able: dict[str, Any] = {
            "rule": "price-when-the-customer-could-act",
            "charge_schedules": (nightly,),
            "tolerances": {"act_minutes": 2 * 1440},
        }
        found = self.closed("1800", *VALID, *BAD, *later, **able)
        # Monday's and Tuesday's night of 0.8 lots at 10.00: (1945 - 1920.96) * 80 - 16
        assert found.numbers["F1.swap_until_reference"] == "-16"
        assert str(found.harm) == "USD 1,907.20"
        dear = nightly.model_copy(update={"swap_long": Decimal(-5000)})
        free = self.closed("1800", *VALID, *BAD, *later, **(able | {"charge_schedules": (dear,)}))
        assert str(free.harm) == "USD 0.00"
