"""What each check finds, on rows few enough to compute by hand."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.checks.charges.finding import nights_held
from domain.checks.facts import Given, LogFacts
from domain.checks.findings import ALL_CUSTOMERS, Check, Finding, Verdict
from domain.checks.profit import ReferenceRule
from domain.checks.recompute import recompute
from domain.checks.tolerances import Tolerances
from domain.ground.words import Confidence
from domain.log.firm_records import (
    AccountTerms,
    Appropriateness,
    BinaryOption,
    Cancellation,
    ChargeSchedule,
    Disclosure,
    Happened,
    Outage,
    RequoteShares,
    SlippageShares,
)
from domain.log.trade_log import AccountEntry, EntryKind, OrderType, Position, Quote, Side
from domain.money.parts import PartKind, Rate
from tests.checks.rows import (
    ACCOUNT,
    AT,
    GOLD,
    after,
    balance,
    fill,
    happened,
    middle,
    order,
    position,
    quote,
    run,
    steady,
    terms,
)

VALID = (*steady("LP-B", "1937.36"), *steady("LP-C", "1937.42"))
BAD = (quote("LP-A", -1, "1937.40"), quote("LP-A", 0, "1920.96"), quote("LP-A", 1, "1937.38"))
DAY = timedelta(days=1)


def check(check: Check, subject: str = "O1", *, tolerances: dict[str, Any] | None = None, **rows: Any) -> Finding:
    """The finding on *rows*; what is made again from it is always the same."""
    basis = Given(tolerances=Tolerances.model_validate(tolerances or {}), as_of=AT + 30 * DAY)
    facts = LogFacts.model_validate({"instruments": (GOLD,)} | rows)
    finding = run(check, subject, facts, basis)
    stored = Finding.model_validate_json(finding.model_dump_json())
    assert recompute([stored], [finding.hash]) == ()
    assert (finding.harm is None) is (finding.verdict is Verdict.INCONCLUSIVE)
    assert bool(finding.missing) is (finding.verdict is Verdict.INCONCLUSIVE)
    assert (finding.confidence is None) is (finding.verdict is Verdict.INCONCLUSIVE)
    assert finding.reason.en
    assert finding.reason.zh
    return finding


class TestSlippage:
    def slipped(self, price: str, asked: str | None, quotes: tuple[Quote, ...] = VALID, **more: Any) -> Finding:
        placed = order(price=Decimal(asked) if asked else None)
        return check(Check.SLIPPAGE, orders=(placed,), fills=(fill(price, **more),), quotes=quotes)

    def test_the_market_had_moved_there(self) -> None:
        found = self.slipped("1937.39", "1938.00")
        assert found.verdict is Verdict.MARKET
        assert found.confidence is Confidence.WELL_SUPPORTED
        assert found.numbers["slippage"] == "0.61"
        assert str(found.harm) == "USD 0.00"

    def test_what_goes_beyond_the_market_is_the_firms(self) -> None:
        found = self.slipped("1935.39", "1938.00", volume=Decimal("0.5"))
        assert found.verdict is Verdict.FIRM_FAULT
        assert str(found.harm) == "USD 100.00"  # (1937.39 - 1935.39) * 100 * 0.5
        assert found.reference_rule is ReferenceRule.AT_THAT_INSTANT

    def test_up_to_the_tolerance_beyond_the_market_is_the_market(self) -> None:
        assert self.slipped("1937.06", "1938.00").verdict is Verdict.MARKET  # 0.30 below the worst, 1937.36
        assert self.slipped("1937.05", "1938.00").verdict is Verdict.FIRM_FAULT

    def test_one_source_alone_leaves_doubt(self) -> None:
        assert self.slipped("1937.39", "1938.00", tuple(steady("LP-B", "1937.39"))).confidence is Confidence.DOUBTFUL

    def test_a_better_price_is_no_slippage_against_the_customer(self) -> None:
        found = self.slipped("1938.40", "1938.00")
        assert (found.verdict, found.numbers["slippage"]) == (Verdict.NO_FAULT, "-0.4")

    def test_what_is_missing_is_named(self) -> None:
        assert self.slipped("1937.39", None).missing == ("price asked for of order O1",)
        assert self.slipped("1937.39", "1938", ()).missing == (f"quotes of XAUUSD around {AT.isoformat()}",)


class TestSlippageOfAllCustomers:
    def shares(self, better: int, worse: int, same: int = 0, kind: OrderType = OrderType.MARKET) -> Finding:
        counted = SlippageShares(
            symbol="XAUUSD",
            type=kind,
            since=after(-3600),
            until=after(3600),
            better=better,
            same=same,
            worse=worse,
            mean_better=Decimal("0.1"),
            mean_worse=Decimal("0.4"),
        )
        return check(
            Check.SLIPPAGE,
            f"{ALL_CUSTOMERS}XAUUSD {kind.value}",
            slippage_shares=(counted,),
            orders=(order(price=Decimal("1938.00")),),
            fills=(fill("1937.50"),),
        )

    def test_gains_and_losses_alike_are_no_fault(self) -> None:
        found = self.shares(48, 52)
        assert found.verdict is Verdict.NO_FAULT
        assert (found.numbers["share_better"], found.numbers["share_worse"]) == ("0.4800", "0.5200")

    def test_losses_only_are_the_firms_and_the_disputed_order_is_put_to_the_price_asked_for(self) -> None:
        found = self.shares(2, 60, same=38)
        assert found.verdict is Verdict.FIRM_FAULT
        assert found.confidence is Confidence.WELL_SUPPORTED
        assert found.numbers["z"] == "7.24"  # (60 - 2 - 1) / sqrt(62)
        assert str(found.harm) == "USD 50.00"
        assert found.reference_rule is ReferenceRule.PRICE_ASKED

    def test_a_difference_that_chance_explains_is_none(self) -> None:
        assert self.shares(6, 15).verdict is Verdict.NO_FAULT  # z = 1.7

    def test_stops_slip_against_their_owner_by_nature(self) -> None:
        assert self.shares(0, 90, kind=OrderType.STOP_LOSS).verdict is Verdict.MARKET

    def test_too_few_orders_say_nothing(self) -> None:
        assert self.shares(0, 19).missing == ("at least 20 orders of this kind around that time",)


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


class TestRequotes:
    def requoted(self, *fills: Any, asked: str = "1937.40", kind: Happened = Happened.REQUOTED) -> Finding:
        return check(
            Check.REQUOTE,
            order_events=(
                happened(Happened.RECEIVED, 0, price=Decimal(asked)),
                happened(kind, 1, price=Decimal("1936.00")),
            ),
            quotes=VALID,
            fills=fills,
        )

    def test_a_price_that_was_there_should_have_been_given(self) -> None:
        found = self.requoted(fill("1936.39", order="O2", at=after(30)))
        assert found.verdict is Verdict.FIRM_FAULT
        assert str(found.harm) == "USD 100.00"  # 1937.39 - 1936.39
        assert found.parts[0].key == "price/F1"

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

    def test_an_order_that_waits_for_nothing_has_no_trigger(self) -> None:
        assert check(Check.TRIGGER, orders=(order(),)).verdict is Verdict.NO_FAULT


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

    def test_a_spread_far_beyond_the_usual_is_told(self) -> None:
        wide = [quote("LP-A", second, "1937.30") for second in (-3, -2, -1)] + [quote("LP-A", 0, "1937.20", "1945.00")]
        found = self.filled("1937.20", *VALID, *wide)
        assert found.verdict is Verdict.MARKET
        assert (found.numbers["spread"], found.numbers["usual_spread"]) == ("7.8", "0.3")
        assert "10 times the usual" in found.reason.en


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
        nightly = TestCharges.SCHEDULE.model_copy(update={"swap_unit": "money", "swap_long": Decimal("-10")})
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


class TestCharges:
    """One lot long from 1940.00 at -3.6 % a year: 1940 * 100 * 3.6 % / 360 = 19.40 a night."""

    SCHEDULE = ChargeSchedule(
        schedule="S1",
        symbol="XAUUSD",
        effective_from=datetime(2020, 1, 1, tzinfo=UTC),
        swap_long=Decimal("-3.6"),
        swap_short=Decimal("1.8"),
        swap_unit="percent_360",
        triple_day=5,
        commission=Decimal("3.5"),
        currency="USD",
    )
    WEDNESDAY = datetime(2026, 3, 4, 12, tzinfo=UTC)

    def held(self, until: datetime, swap: str, side: Side = Side.BUY, **more: Any) -> Position:
        values: dict[str, Any] = {
            "opened_at": self.WEDNESDAY,
            "closed_at": until,
            "close_price": Decimal(1950),
            "swap": Decimal(swap),
            "side": side,
        }
        return position(**(values | more))

    def charged(self, held: Position, *schedules: ChargeSchedule, **rows: Any) -> Finding:
        return check(Check.CHARGES, "P1", positions=(held,), charge_schedules=schedules or (self.SCHEDULE,), **rows)

    def test_nights_are_counted_at_new_yorks_five_in_the_afternoon_and_friday_counts_three(self) -> None:
        until = self.WEDNESDAY + 7 * DAY
        nights = nights_held(self.held(until, "0"), self.SCHEDULE, until)
        # New York changes to summer time on Sunday 8 March: 17:00 is 22:00 UTC before and 21:00 after
        assert [(f"{at:%a %H:%M}", days) for at, days in nights] == [
            ("Wed 22:00", 1),
            ("Thu 22:00", 1),
            ("Fri 22:00", 3),
            ("Mon 21:00", 1),
            ("Tue 21:00", 1),
        ]

    def test_what_the_schedule_says_is_no_fault(self) -> None:
        found = self.charged(self.held(self.WEDNESDAY + 3 * DAY, "-97.00"))  # 5 nights
        assert (found.verdict, found.confidence) == (Verdict.NO_FAULT, Confidence.CERTAIN)
        assert (found.numbers["nights"], found.numbers["swap_due"]) == ("5", "-97")

    def test_what_was_charged_beyond_it_is_given_back(self) -> None:
        found = self.charged(self.held(self.WEDNESDAY + 3 * DAY, "-116.40"))  # a sixth night
        assert (found.verdict, str(found.harm)) == (Verdict.FIRM_FAULT, "USD 19.40")
        assert found.parts[0].key == "swap/P1"

    def test_half_a_cent_a_night_is_rounding(self) -> None:
        until = self.WEDNESDAY + 3 * DAY  # three rollovers
        assert self.charged(self.held(until, "-97.01")).verdict is Verdict.NO_FAULT
        assert self.charged(self.held(until, "-97.02")).verdict is Verdict.FIRM_FAULT

    def test_what_was_charged_too_little_is_never_asked_for(self) -> None:
        found = self.charged(self.held(self.WEDNESDAY + 3 * DAY, "-50"))
        assert (found.verdict, str(found.harm)) == (Verdict.NO_FAULT, "USD 0.00")

    def test_a_credit_that_a_short_did_not_get_is_owed(self) -> None:
        found = self.charged(self.held(self.WEDNESDAY + DAY, "0", Side.SELL))
        assert str(found.harm) == "USD 9.70"

    def test_a_changed_schedule_counts_from_its_date(self) -> None:
        dearer = self.SCHEDULE.model_copy(
            update={"schedule": "S2", "effective_from": self.WEDNESDAY + DAY, "swap_long": Decimal("-7.2")}
        )
        found = self.charged(self.held(self.WEDNESDAY + 2 * DAY, "-58.20"), self.SCHEDULE, dearer)
        assert (found.verdict, found.numbers["swap_due"]) == (Verdict.NO_FAULT, "-58.2")  # 19.40 and 38.80

    def test_points_and_money_are_units_too(self) -> None:
        points = self.SCHEDULE.model_copy(update={"swap_unit": "points", "swap_long": Decimal(-25)})
        assert self.charged(self.held(self.WEDNESDAY + DAY, "-25"), points).verdict is Verdict.NO_FAULT
        money = self.SCHEDULE.model_copy(update={"swap_unit": "money", "swap_long": Decimal(-7)})
        assert self.charged(self.held(self.WEDNESDAY + DAY, "-7"), money).verdict is Verdict.NO_FAULT

    def test_commission_beyond_the_schedule_is_given_back(self) -> None:
        fills = (
            fill("1940", Side.BUY, fill="F1", position="P1", commission=Decimal("-3.50")),
            fill("1950", fill="F2", position="P1", commission=Decimal("-5.00")),
        )
        found = self.charged(self.held(self.WEDNESDAY, "0"), fills=fills)
        assert (str(found.harm), found.parts[0].key) == ("USD 1.50", "fee/P1")

    def test_without_a_schedule_nothing_is_computed(self) -> None:
        late = self.SCHEDULE.model_copy(update={"effective_from": self.WEDNESDAY + DAY})
        assert self.charged(self.held(self.WEDNESDAY + DAY, "-1"), late).missing == (
            f"published schedule of XAUUSD on {self.WEDNESDAY.isoformat()}",
        )


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

    def test_what_is_missing_is_named(self) -> None:
        assert self.settled(paid=None).missing == (
            f"quotes of XAUUSD from LP-A at {after(-60).isoformat()}",
            f"quotes of XAUUSD from LP-A at {AT.isoformat()}",
            "what the option paid",
        )


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


_CLASSES = get_args(get_args(AccountTerms.model_fields["client_class"].annotation)[0])


class TestSuitability:
    LOST = position(close_price=Decimal("1930.00"), closed_at=AT, swap=Decimal("-12"))

    def sold(self, *assessed: Appropriateness, held: Position = LOST, **more: Any) -> Finding:
        rows: dict[str, Any] = {"account_terms": (terms(),), "positions": (held,), "appropriateness": assessed}
        return check(Check.SUITABILITY, "P1", **(rows | more))

    def assessed(self, result: str, **more: Any) -> Appropriateness:
        values = {"assessment": "A1", "account": ACCOUNT, "symbol": "XAUUSD", "at": after(-9000), "result": result}
        return Appropriateness.model_validate(values | more)

    def test_a_product_nobody_asked_about_is_taken_back_with_its_net_loss(self) -> None:
        found = self.sold()
        assert (found.verdict, str(found.harm)) == (Verdict.FIRM_FAULT, "USD 1,012.00")

    def test_asked_and_found_right_or_warned_is_no_fault_of_the_firm(self) -> None:
        assert self.sold(self.assessed("appropriate")).verdict is Verdict.NO_FAULT
        warned = self.assessed("not_appropriate", warned_at=after(-8000))
        assert self.sold(warned).verdict is Verdict.CUSTOMER_ACTION
        late = self.assessed("not_appropriate", warned_at=after(-10))
        assert self.sold(late).verdict is Verdict.FIRM_FAULT
        assert self.sold(account_terms=(terms(client_class="professional"),)).verdict is Verdict.NO_FAULT

    @pytest.mark.parametrize(
        ("client", "en", "zh"),
        [
            ("retail", None, None),
            ("professional", "You were a professional client, who", "您当时属于专业客户，"),
            ("eligible_counterparty", "You were an eligible counterparty, who", "您当时属于合格对手方，"),
        ],
    )
    def test_each_class_of_clients_is_called_by_its_own_name(self, client: str, en: str | None, zh: str | None) -> None:
        found = self.sold(account_terms=(terms(client_class=client),))
        assert {"retail", "professional", "eligible_counterparty"} == set(_CLASSES)
        assert (found.verdict is Verdict.NO_FAULT) == (en is not None)
        assert en is None or (en in found.reason.en and str(zh) in found.reason.zh)
        assert en is not None or "客户" not in found.reason.zh

    def test_what_is_not_known_is_named(self) -> None:
        assert self.sold(account_terms=()).missing == ("class of the client when the position was opened",)
        assert self.sold(held=position()).missing == ("the closing of position P1",)

    def fee(self, *told: Disclosure, note: str | None = "Inactivity fee March") -> Finding:
        entry = AccountEntry(
            entry="E1",
            account=ACCOUNT,
            kind=EntryKind.FEE,
            amount=Decimal("-25"),
            currency="USD",
            booked_at=AT,
            note=note,
        )
        return check(Check.SUITABILITY, "E1", account_entries=(entry,), disclosures=told)

    def test_a_fee_nobody_told_of_is_given_back(self) -> None:
        told = Disclosure(disclosure="D1", account=ACCOUNT, kind="fee", about="inactivity fee", at=after(-60))
        assert (self.fee().verdict, str(self.fee().harm)) == (Verdict.FIRM_FAULT, "USD 25.00")
        assert self.fee(told).verdict is Verdict.INCONCLUSIVE, "told of, but not how much"
        assert self.fee(told).missing == ("amount of the fee E1 as the customer was told (D1)",)
        assert self.fee(told.model_copy(update={"at": after(60)})).verdict is Verdict.FIRM_FAULT
        assert self.fee(note=None).missing == ("what the fee E1 was for, and when it was booked",)

    @pytest.mark.parametrize(
        ("price", "verdict", "harm"),
        [
            ({"unit": "month", "sum": 25, "currency": "USD"}, Verdict.NO_FAULT, "USD 0.00"),
            ({"unit": "charge", "sum": 30, "currency": "USD"}, Verdict.NO_FAULT, "USD 0.00"),
            ({"unit": "month", "sum": 10, "currency": "USD"}, Verdict.FIRM_FAULT, "USD 15.00"),
            ({"unit": "charge", "sum": 0, "currency": "USD"}, Verdict.FIRM_FAULT, "USD 25.00"),
            ({"unit": "month", "sum": 10, "currency": "EUR"}, Verdict.INCONCLUSIVE, "None"),
            ({"unit": "lot", "sum": 10, "currency": "USD"}, Verdict.INCONCLUSIVE, "None"),
            ({"unit": "percent", "sum": 1}, Verdict.INCONCLUSIVE, "None"),
        ],
    )
    def test_what_was_charged_beyond_what_was_told_is_given_back(
        self, price: dict[str, Any], verdict: Verdict, harm: str
    ) -> None:
        body = {"disclosure": "D1", "account": ACCOUNT, "kind": "fee", "about": "price list", "fee": "inactivity fee"}
        told = Disclosure.model_validate(body | {"at": after(-60)} | price)
        found = self.fee(told)
        assert (found.verdict, str(found.harm)) == (verdict, harm)
        # the last price told before the charge counts, and one without a sum takes none away
        dearer = told.model_copy(update={"disclosure": "D0", "at": after(-90), "sum": Decimal(99)})
        silent = told.model_copy(
            update={"disclosure": "D2", "at": after(-30), "sum": None, "unit": None, "currency": None}
        )
        assert self.fee(dearer, told, silent).harm == found.harm

    @pytest.mark.parametrize(
        "price",
        [{"sum": 5}, {"unit": "month"}, {"unit": "lot", "sum": 5}, {"unit": "percent", "sum": 5, "currency": "USD"}],
    )
    def test_half_a_price_is_no_disclosure(self, price: dict[str, Any]) -> None:
        body = {"disclosure": "D1", "account": ACCOUNT, "kind": "fee", "about": "inactivity fee", "at": AT}
        with pytest.raises(ValueError, match=r"unit: give|currency: of a sum"):
            Disclosure.model_validate(body | price)


class TestLongAndShort:
    """The same seen from the other side: prices reflected at 4,000, bid and ask exchanged, buys as sells."""

    def mirrored(self, facts: LogFacts) -> LogFacts:
        far = Decimal(4000)
        turned: dict[str, list[Any]] = {
            "orders": [
                row.model_copy(update={"side": row.side.opposite, "price": row.price and far - row.price})
                for row in facts.orders
            ],
            "fills": [
                row.model_copy(update={"side": row.side.opposite, "price": far - row.price}) for row in facts.fills
            ],
            "quotes": [row.model_copy(update={"bid": far - row.ask, "ask": far - row.bid}) for row in facts.quotes],
        }
        return facts.model_copy(update={name: tuple(rows) for name, rows in turned.items()})

    @settings(deadline=None)
    @given(
        st.sampled_from([Check.SLIPPAGE, Check.EXECUTION_DELAY, Check.TRIGGER, Check.OFF_MARKET]),
        st.sampled_from(OrderType),
        st.lists(
            st.tuples(st.sampled_from(["LP-A", "LP-B", "LP-C"]), st.integers(-80, 20), st.integers(-900, 900)),
            min_size=1,
            max_size=12,
            unique_by=lambda each: each[:2],
        ),
        st.tuples(st.integers(-900, 900), st.integers(-900, 900)),
        st.randoms(use_true_random=False),
    )
    def test_are_judged_alike_whatever_the_order_of_rows(
        self,
        name: Check,
        kind: OrderType,
        ticks: list[tuple[str, int, int]],
        asked_and_paid: tuple[int, int],
        random: Random,
    ) -> None:
        asked, paid = asked_and_paid

        def at(cents: int) -> Decimal:
            return Decimal(2000) + Decimal(cents).scaleb(-2)

        facts = LogFacts(
            orders=(order(kind, Side.SELL, price=at(asked), received_at=after(-4)),),
            fills=(fill(str(at(paid))),),
            quotes=tuple(quote(source, tenth / 10, str(at(cents))) for source, tenth, cents in ticks),
            instruments=(GOLD,),
        )
        basis = Given(tolerances=Tolerances(), as_of=after(60))
        finding, other = run(name, "O1", facts, basis), run(name, "O1", self.mirrored(facts), basis)
        assert (other.verdict, other.harm, other.missing) == (finding.verdict, finding.harm, finding.missing)
        assert other.confidence is finding.confidence
        quotes = random.sample([*facts.quotes, *facts.quotes], 2 * len(facts.quotes))
        assert run(name, "O1", facts.model_copy(update={"quotes": tuple(quotes)}), basis) == finding
        if finding.harm is not None:
            assert finding.harm.amount >= 0
            assert finding.verdict.for_the_customer or finding.harm.amount == 0
        assert recompute([finding], [finding.hash]) == ()


def test_a_feed_median_is_evidence_like_any_row() -> None:
    facts = LogFacts(feed_medians=(middle("1937.40"),))
    assert LogFacts.of(facts.evidence()) == facts
