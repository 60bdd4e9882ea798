"""What is found about an execution, on logs small enough to compute by hand."""

import re
from collections.abc import Iterable
from decimal import Decimal

import pytest

from domain.checks.examination import feeds_to_measure
from domain.checks.execution.finding import check_execution
from domain.checks.findings import Finding, Verdict
from domain.checks.moments import Execution, FeedMedian, moments
from domain.checks.tolerances import Tolerances
from domain.log.trade_log import Instrument, OrderType, Quote, Side
from tests.checks.rows import AT, GOLD, after, execution, fill, middle, order, position, quote, steady

# two sources that agree on 1937.39 (bid) and 1937.69 (ask) within three cents
VALID = [*steady("LP-B", "1937.36"), *steady("LP-C", "1937.42")]
# the bad minute of a third, in its middle
BAD = [quote("LP-A", -1, "1937.40"), quote("LP-A", 0, "1920.96"), quote("LP-A", 1, "1937.38")]


def check(
    examined: Execution,
    quotes: Iterable[Quote] = (*VALID, *steady("LP-A", "1937.40")),
    medians: Iterable[FeedMedian] = (),
    **tolerances: str | int,
) -> Finding:
    return check_execution(examined, quotes, medians, tolerances=Tolerances.model_validate(tolerances))


def tables(finding: Finding) -> set[str]:
    return {row.table for row in finding.evidence}


def harm(finding: Finding) -> str:
    assert finding.harm is not None
    return str(finding.harm)


class TestTheIncidentOf13November2023:
    """A long position of 0.80 lots stopped out at 1920.96, the quote of one bad provider.

    The valid bid was 1937.39: (1937.39 - 1920.96) * 100 oz * 0.80 lots = 16.43 * 80 = 1,314.40, what the broker of
    the public case offered.
    """

    LONG = position(volume=Decimal("0.80"), margin_level=Decimal("18.4"), stop_out_level=Decimal(20))
    FILL = fill("1920.96", volume=Decimal("0.80"))

    def finding(self, quotes: Iterable[Quote] = (*VALID, *BAD)) -> Finding:
        stop_out = order(OrderType.STOP_OUT, position="P1", volume=Decimal("0.80"))
        return check(execution(self.FILL, of=stop_out, position=self.LONG), quotes)

    def test_the_provider_is_at_fault_and_the_sum_is_the_one_computed_by_hand(self) -> None:
        finding = self.finding()
        assert finding.verdict is Verdict.PROVIDER_FAULT
        assert harm(finding) == "USD 1,314.40"
        assert finding.formula == "bad-exit/valid-price-at-that-instant@1"
        assert finding.missing == ()

    def test_the_reason_tells_the_customer_prices_time_and_sum_in_both_languages(self) -> None:
        reason = self.finding().reason
        for text in (reason.en, reason.zh):
            assert "2023-11-12 23:30:00 UTC" in text
            assert "(1937.39 − 1920.96) × 100 × 0.8 = USD 1,314.40" in text
            assert "1937.36" in text
            assert "1937.42" in text
            assert "16.40" in text  # below the lowest valid bid
            assert "LP-" not in text  # who the providers are is no matter of the customer's
        assert "wrong quote of one of our price providers" in reason.en
        assert "报价提供方的错误报价" in reason.zh

    def test_the_numbers_of_the_sum_are_kept(self) -> None:
        numbers = self.finding().numbers
        assert numbers["price"] == "1920.96"
        assert numbers["valid_price"] == "1937.39"
        assert numbers["deviation"] == "16.4"
        assert numbers["valid_sources"] == "LP-B, LP-C"
        assert (numbers["contract_size"], numbers["lots"], numbers["harm"]) == ("100", "0.8", "1314.4")
        assert (numbers["margin_level"], numbers["stop_out_level"]) == ("18.4", "20")

    def test_the_evidence_is_the_rows_used_and_few_of_them(self) -> None:
        finding = self.finding()
        assert tables(finding) == {"orders", "fills", "positions", "instruments", "quotes"}
        quotes = {row.key for row in finding.evidence if row.table == "quotes"}
        assert "XAUUSD/LP-A/2023-11-12T23:30:00+00:00" in quotes
        assert "XAUUSD/LP-B/2023-11-12T23:30:00+00:00" in quotes
        assert len(quotes) <= 12
        (ordered,) = (row for row in finding.evidence if row.table == "orders")
        assert ordered.values["volume"] == "0.8"
        assert "price" not in ordered.values  # the firm set none

    def test_without_the_bad_quote_in_the_log_the_firm_cannot_point_to_its_provider(self) -> None:
        assert self.finding(VALID).verdict is Verdict.FIRM_FAULT


class TestThePrice:
    @pytest.mark.parametrize(
        ("price", "verdict"),
        [
            ("1937.36", Verdict.MARKET),
            ("1937.06", Verdict.MARKET),  # 0.30 below the lowest valid bid: the tolerance itself
            ("1937.05", Verdict.FIRM_FAULT),
            ("1950.00", Verdict.MARKET),  # a sell far above: better for the customer
        ],
    )
    def test_a_sell_is_wrong_only_below_the_valid_bids_by_more_than_the_tolerance(
        self, price: str, verdict: Verdict
    ) -> None:
        finding = check(execution(fill(price), of=order()))
        assert finding.verdict is verdict
        assert (harm(finding) == "USD 0.00") is (verdict is Verdict.MARKET)

    @pytest.mark.parametrize(
        ("price", "verdict"),
        [("1938.02", Verdict.MARKET), ("1938.03", Verdict.FIRM_FAULT), ("1900.00", Verdict.MARKET)],
    )
    def test_a_buy_is_wrong_only_above_the_valid_asks_by_more_than_the_tolerance(
        self, price: str, verdict: Verdict
    ) -> None:
        # asks 1937.66 and 1937.72
        assert check(execution(fill(price, Side.BUY), of=order(side=Side.BUY))).verdict is verdict

    def test_a_bad_entry_costs_what_was_paid_above_the_fair_price(self) -> None:
        # median ask (1937.66 + 1937.72) / 2 = 1937.69; 1940.69 - 1937.69 = 3.00; * 100 oz * 1 lot
        finding = check(execution(fill("1940.69", Side.BUY), of=order(side=Side.BUY)))
        assert finding.verdict is Verdict.FIRM_FAULT
        assert harm(finding) == "USD 300.00"
        assert finding.formula == "bad-entry/valid-price-at-that-instant@1"
        assert "agrees with no quote of the source" in finding.reason.en

    def test_the_pricing_source_itself_is_never_its_own_witness(self) -> None:
        quotes = [*VALID, *steady("LP-A", "1930.00")]
        assert check(execution(fill("1930.00"), of=order()), quotes).verdict is Verdict.PROVIDER_FAULT

    def test_a_wrong_quote_does_not_excuse_a_price_that_is_not_it(self) -> None:
        quotes = [*VALID, *steady("LP-A", "1930.00")]
        sold = execution(fill("1929.70"), of=order())
        assert check(sold, quotes).verdict is Verdict.PROVIDER_FAULT  # about that quote
        sold = execution(fill("1929.69"), of=order())
        assert check(sold, quotes).verdict is Verdict.FIRM_FAULT

    def test_the_price_standing_when_the_window_began_counts(self) -> None:
        # 1930 stood until 1.5 s before the fill, from a quote 4 s before it
        moving = [quote("LP-B", -4, "1930.00"), quote("LP-B", -1.5, "1937.36"), quote("LP-B", 1, "1937.36")]
        assert check(execution(fill("1930.00"), of=order()), moving).verdict is Verdict.MARKET
        assert check(execution(fill("1930.00"), of=order()), moving[1:]).verdict is Verdict.FIRM_FAULT

    def test_a_quote_outside_the_window_does_not_excuse_a_price(self) -> None:
        dip = [*steady("LP-B", "1937.36"), quote("LP-B", -4.5, "1930.00"), quote("LP-B", 2.5, "1930.00")]
        assert check(execution(fill("1930.00"), of=order()), dip).verdict is Verdict.FIRM_FAULT
        assert check(execution(fill("1930.00"), of=order()), dip, quote_window_seconds=5).verdict is Verdict.MARKET

    def test_the_reference_is_the_last_quote_at_or_before_the_fill(self) -> None:
        quotes = [quote("LP-B", -1, "1937.00"), quote("LP-B", 0, "1936.00"), quote("LP-B", 0.5, "1935.80")]
        # 6.00 below it, 100 oz
        assert harm(check(execution(fill("1930.00"), of=order()), quotes)) == "USD 600.00"

    def test_the_median_of_three_sources_is_not_moved_by_one_of_them(self) -> None:
        quotes = [*VALID, *steady("LP-D", "1990.00")]
        # bids 1937.36, 1937.42, 1990.00: median 1937.42; 7.42 * 100
        assert harm(check(execution(fill("1930.00"), of=order()), quotes)) == "USD 742.00"

    def test_harm_has_the_smallest_unit_of_the_instruments_currency(self) -> None:
        yen = Instrument(symbol="XAUUSD", contract_size=Decimal("0.1"), currency="JPY", digits=2)
        # 7.39 * 0.1 * 1 = 0.739
        assert harm(check(execution(fill("1930.00"), of=order(), instrument=yen))) == "JPY 1"

    def test_prices_with_more_decimals_than_the_instrument_are_told_in_full(self) -> None:
        quotes = [*steady("LP-B", "1937.361"), *steady("LP-C", "1937.364")]
        finding = check(execution(fill("1930.00"), of=order()), quotes)
        assert finding.numbers["valid_price"] == "1937.3625"
        assert harm(finding) == "USD 736.25"


class TestNoOtherSource:
    def test_a_price_the_only_source_never_quoted_is_the_firms_fault(self) -> None:
        finding = check(execution(fill("1930.00"), of=order()), steady("LP-A", "1937.40"), [middle("1937.40")])
        assert finding.verdict is Verdict.FIRM_FAULT
        assert harm(finding) == "USD 740.00"
        assert "never quoted such a price" in finding.reason.en
        assert finding.numbers["valid_sources"] == "LP-A"

    def test_an_ordinary_price_of_the_only_source_is_the_market(self) -> None:
        finding = check(execution(fill("1937.40"), of=order()), steady("LP-A", "1937.40"), [middle("1937.50")])
        assert finding.verdict is Verdict.MARKET
        assert harm(finding) == "USD 0.00"

    @pytest.mark.parametrize(("centre", "verdict"), [("1940.40", Verdict.MARKET), ("1940.41", Verdict.INCONCLUSIVE)])
    def test_ten_spreads_from_the_middle_of_the_feed_nobody_can_tell(self, centre: str, verdict: Verdict) -> None:
        # ten spreads of 0.30 are 3.00
        finding = check(execution(fill("1937.40"), of=order()), steady("LP-A", "1937.40"), [middle(centre)])
        assert finding.verdict is verdict
        if verdict is Verdict.INCONCLUSIVE:
            assert finding.harm is None
            assert finding.missing == (
                "reference quotes of another source for XAUUSD around 2023-11-12T23:30:00+00:00",
            )

    def test_a_price_better_than_the_middle_is_never_doubted(self) -> None:
        finding = check(execution(fill("1937.40"), of=order()), steady("LP-A", "1937.40"), [middle("1900.00")])
        assert finding.verdict is Verdict.MARKET

    def test_a_small_spread_does_not_make_the_tolerance_smaller(self) -> None:
        # ten spreads of 0.01 are 0.10, less than the tolerance of 0.30
        quotes = steady("LP-A", "1937.40")
        assert (
            check(execution(fill("1937.40"), of=order()), quotes, [middle("1937.65", "0.01")]).verdict is Verdict.MARKET
        )

    def test_a_stop_set_off_by_a_spike_nobody_confirms_is_not_decided(self) -> None:
        spike = [*steady("LP-A", "1937.40"), quote("LP-A", -0.5, "1920.96")]
        stop = order(OrderType.STOP_LOSS, price=Decimal("1930.00"), position="P1")
        finding = check(execution(fill("1937.40"), of=stop), spike, [middle("1937.40")])
        assert finding.verdict is Verdict.INCONCLUSIVE

    def test_the_middle_is_asked_for_only_where_nobody_else_quoted(self) -> None:
        examined = execution(fill("1937.40"), of=order())
        lone = steady("LP-A", "1937.40")
        tolerances = Tolerances()
        assert feeds_to_measure(examined, lone, tolerances=tolerances) == [("XAUUSD", "LP-A", AT)]
        assert feeds_to_measure(examined, [*lone, *VALID], tolerances=tolerances) == []
        assert feeds_to_measure(examined, VALID, tolerances=tolerances) == []

    def test_a_price_far_from_the_middle_is_believed_when_another_source_quoted_it_too(self) -> None:
        # a bar of another source falls into the window, too seldom to convict, enough to confirm
        bars = [quote("BARS", second, "1937.40") for second in (-59, 1, 61)]
        finding = check(
            execution(fill("1937.40"), of=order()), [*steady("LP-A", "1937.40"), *bars], [middle("1947.40")]
        )
        assert finding.verdict is Verdict.MARKET
        assert finding.numbers["valid_sources"] == "BARS, LP-A"

    def test_without_the_middle_nothing_is_claimed(self) -> None:
        assert check(execution(fill("1937.40"), of=order()), steady("LP-A", "1937.40")).verdict is Verdict.INCONCLUSIVE


class TestQuotesThatDoNotSuffice:
    def test_no_quotes_at_all(self) -> None:
        finding = check(execution(fill("1937.40"), of=order()), [])
        assert finding.verdict is Verdict.INCONCLUSIVE
        assert finding.harm is None
        assert finding.missing == ("quotes of XAUUSD around 2023-11-12T23:30:00+00:00",)

    def test_quotes_of_another_instrument_are_none(self) -> None:
        silver = [row.model_copy(update={"symbol": "XAGUSD"}) for row in VALID]
        assert check(execution(fill("1937.40"), of=order()), silver).missing == (
            "quotes of XAUUSD around 2023-11-12T23:30:00+00:00",
        )

    def test_a_quote_more_than_a_minute_old_is_none(self) -> None:
        # the window begins 2 s before the fill
        sold = execution(fill("1937.40"), of=order())
        assert check(sold, [quote("LP-B", -62, "1937.40")]).verdict is Verdict.MARKET
        assert check(sold, [quote("LP-B", -62.001, "1937.40")]).verdict is Verdict.INCONCLUSIVE

    def test_minute_bars_may_confirm_a_price_but_not_prove_it_wrong(self) -> None:
        bars = [quote("BARS", second, "1937.40") for second in (-57, 3, 63)]
        assert check(execution(fill("1937.40"), of=order()), bars).verdict is Verdict.MARKET
        finding = check(execution(fill("1930.00"), of=order()), bars)
        assert finding.verdict is Verdict.INCONCLUSIVE
        assert finding.missing == ("closer quotes of XAUUSD around 2023-11-12T23:30:00+00:00",)

    def test_minute_bars_of_the_only_source_do_not_convict_the_firm(self) -> None:
        bars = [quote("LP-A", second, "1937.40") for second in (-57, 3, 63)]
        assert check(execution(fill("1930.00"), of=order()), bars).verdict is Verdict.INCONCLUSIVE

    def test_a_dense_source_is_heard_before_a_sparse_one(self) -> None:
        quotes = [*steady("LP-B", "1937.40"), quote("BARS", -57, "1930.00"), quote("BARS", 3, "1930.00")]
        assert check(execution(fill("1930.00"), of=order()), quotes).verdict is Verdict.FIRM_FAULT

    def test_a_feed_that_fell_silent_for_an_hour_right_after_is_a_sparse_one(self) -> None:
        hours = [quote("BARS", second, "1937.40") for second in (-3605, -5, 3595)]
        assert check(execution(fill("1930.00"), of=order()), hours).verdict is Verdict.INCONCLUSIVE

    def test_a_feed_that_ended_a_moment_before_still_speaks(self) -> None:
        assert (
            check(execution(fill("1930.00"), of=order()), [quote("LP-B", -9, "1937.40")]).verdict is Verdict.FIRM_FAULT
        )

    @pytest.mark.parametrize(
        ("price", "verdict"),
        [("1937.40", Verdict.MARKET), ("1925.00", Verdict.FIRM_FAULT), ("1930.00", Verdict.INCONCLUSIVE)],
    )
    def test_where_the_pricing_source_was_not_logged_all_must_agree(self, price: str, verdict: Verdict) -> None:
        quotes = [*steady("LP-B", "1937.40"), *steady("LP-C", "1930.00")]
        finding = check(execution(fill(price, source=None), of=order()), quotes)
        assert finding.verdict is verdict
        if verdict is Verdict.INCONCLUSIVE:
            assert finding.missing == ("source that priced fill F1",)

    def test_where_only_one_source_is_logged_it_priced_the_fill(self) -> None:
        quotes = steady("LP-B", "1937.40")
        sold = execution(fill("1937.40", source=None), of=order())
        assert check(sold, quotes, [middle("1937.40", source="LP-B")]).verdict is Verdict.MARKET


class TestTriggers:
    """A long's stop closes on the bid, a short's on the ask."""

    def test_a_stop_loss_reached_on_a_gap_is_the_market_and_the_slippage_is_told(self) -> None:
        gap = [quote("LP-B", -1, "1937.40"), quote("LP-B", 0, "1930.00"), quote("LP-B", 1, "1930.00")]
        stop = order(OrderType.STOP_LOSS, price=Decimal("1935.00"), position="P1")
        finding = check(execution(fill("1930.00"), of=stop), gap)
        assert finding.verdict is Verdict.MARKET
        assert finding.numbers["slippage"] == "5"
        assert "filled 5.00 worse" in finding.reason.en
        assert "不利 5.00" in finding.reason.zh

    @pytest.mark.parametrize(("bid", "verdict"), [("1935.30", Verdict.MARKET), ("1935.31", Verdict.FIRM_FAULT)])
    def test_a_longs_stop_needs_the_bid(self, bid: str, verdict: Verdict) -> None:
        stop = order(OrderType.STOP_LOSS, price=Decimal("1935.00"), position="P1")
        finding = check(execution(fill(bid), of=stop), steady("LP-B", bid, "1940.00"))
        assert finding.verdict is verdict

    @pytest.mark.parametrize(("ask", "verdict"), [("1939.70", Verdict.MARKET), ("1939.69", Verdict.FIRM_FAULT)])
    def test_a_shorts_stop_needs_the_ask(self, ask: str, verdict: Verdict) -> None:
        stop = order(OrderType.STOP_LOSS, Side.BUY, price=Decimal("1940.00"), position="P1")
        finding = check(execution(fill(ask, Side.BUY), of=stop), steady("LP-B", "1930.00", ask))
        assert finding.verdict is verdict

    def test_a_stop_set_off_by_a_wrong_quote_and_filled_well_is_a_fault_without_loss(self) -> None:
        stop = order(OrderType.STOP_LOSS, price=Decimal("1930.00"), position="P1")
        finding = check(execution(fill("1937.40"), of=stop), [*VALID, *BAD])
        assert finding.verdict is Verdict.PROVIDER_FAULT
        assert harm(finding) == "USD 0.00"
        assert "should not have been executed" in finding.reason.en
        assert "it cost you nothing" in finding.reason.en

    def test_a_stop_nobody_reached_is_the_firms_fault(self) -> None:
        stop = order(OrderType.STOP_LOSS, price=Decimal("1930.00"), position="P1")
        finding = check(execution(fill("1937.30"), of=stop))
        assert finding.verdict is Verdict.FIRM_FAULT
        # inside the tolerance, but it should not have been closed: (1937.39 - 1937.30) * 100
        assert harm(finding) == "USD 9.00"

    def test_a_stop_the_only_source_never_reached_is_the_firms_fault(self) -> None:
        stop = order(OrderType.STOP_LOSS, price=Decimal("1930.00"), position="P1")
        finding = check(execution(fill("1937.40"), of=stop), steady("LP-A", "1937.40"), [middle("1937.40")])
        assert finding.verdict is Verdict.FIRM_FAULT

    @pytest.mark.parametrize(
        ("type", "side", "trigger", "verdict"),
        [
            (OrderType.STOP, Side.BUY, "1937.70", Verdict.MARKET),
            (OrderType.STOP, Side.BUY, "1940.00", Verdict.FIRM_FAULT),
            (OrderType.STOP, Side.SELL, "1937.40", Verdict.MARKET),
            (OrderType.STOP, Side.SELL, "1930.00", Verdict.FIRM_FAULT),
            (OrderType.LIMIT, Side.BUY, "1937.70", Verdict.MARKET),
            (OrderType.LIMIT, Side.BUY, "1930.00", Verdict.FIRM_FAULT),
            (OrderType.TAKE_PROFIT, Side.SELL, "1937.40", Verdict.MARKET),
            (OrderType.TAKE_PROFIT, Side.SELL, "1940.00", Verdict.FIRM_FAULT),
        ],
    )
    def test_every_kind_of_waiting_order_needs_its_price(
        self, type: OrderType, side: Side, trigger: str, verdict: Verdict
    ) -> None:
        price = "1937.70" if side is Side.BUY else "1937.40"
        finding = check(execution(fill(price, side), of=order(type, side, price=Decimal(trigger))))
        assert finding.verdict is verdict

    @pytest.mark.parametrize(("limit", "verdict"), [("1937.36", Verdict.MARKET), ("1937.35", Verdict.FIRM_FAULT)])
    def test_a_limit_order_filled_before_its_price_was_there_is_a_fault_without_loss(
        self, limit: str, verdict: Verdict
    ) -> None:
        # the lowest valid ask was 1937.66, within the tolerance of 1937.36
        bought = execution(fill(limit, Side.BUY), of=order(OrderType.LIMIT, Side.BUY, price=Decimal(limit)))
        finding = check(bought)
        assert finding.verdict is verdict
        assert harm(finding) == "USD 0.00"

    def test_a_limit_order_filled_worse_than_its_limit_owes_the_difference(self) -> None:
        # the sell limit of 1937.41 was reached within the tolerance and filled at 1937.40: 0.01 * 100
        limit = order(OrderType.LIMIT, price=Decimal("1937.41"))
        finding = check(execution(fill("1937.40"), of=limit))
        assert finding.verdict is Verdict.FIRM_FAULT
        assert harm(finding) == "USD 1.00"
        assert finding.formula == "bad-entry/limit-price@1"
        assert "1937.41 or better" in finding.reason.en

    def test_without_its_trigger_price_a_stop_cannot_be_judged(self) -> None:
        finding = check(execution(fill("1937.40"), of=order(OrderType.STOP_LOSS)))
        assert finding.verdict is Verdict.INCONCLUSIVE
        assert finding.missing == ("trigger price of order O1",)

    def test_sparse_quotes_cannot_exclude_a_trigger(self) -> None:
        bars = [quote("BARS", second, "1937.40") for second in (-57, 3, 63)]
        stop = order(OrderType.STOP_LOSS, price=Decimal("1930.00"))
        assert check(execution(fill("1937.40"), of=stop), bars).verdict is Verdict.INCONCLUSIVE


class TestForcedLiquidation:
    def liquidated(self, quotes: Iterable[Quote], **levels: Decimal) -> Finding:
        stop_out = order(OrderType.STOP_OUT, position="P1")
        return check(execution(fill("1937.40"), of=stop_out, position=position(**levels)), quotes)

    def test_below_the_level_and_at_a_market_price_it_stands(self) -> None:
        finding = self.liquidated(VALID, margin_level=Decimal(20), stop_out_level=Decimal(20))
        assert finding.verdict is Verdict.MARKET

    def test_above_the_level_it_was_wrong(self) -> None:
        finding = self.liquidated(VALID, margin_level=Decimal("20.01"), stop_out_level=Decimal(20))
        assert finding.verdict is Verdict.FIRM_FAULT
        assert "20.01%" in finding.reason.zh

    def test_a_level_not_recorded_is_said_and_the_price_still_judged(self) -> None:
        finding = self.liquidated(VALID)
        assert finding.verdict is Verdict.MARKET
        assert finding.numbers["margin_level"] == "not recorded"
        assert "only the price was examined" in finding.reason.en

    def test_what_set_it_off_beside_a_good_fill_is_left_to_the_check_on_liquidations(self) -> None:
        finding = self.liquidated([*VALID, *BAD], margin_level=Decimal(18), stop_out_level=Decimal(20))
        assert finding.verdict is Verdict.MARKET
        assert finding.numbers["set_off_by"] == "perhaps wrong quotes"
        assert "set_off_by" not in self.liquidated(VALID).numbers


class TestDelay:
    """A market order received 3 s before its fill, while the bid fell from 1938.39 to 1937.39."""

    FALLING = (
        *(quote("LP-B", second, "1938.36") for second in (-5, -3)),
        *(quote("LP-C", second, "1938.42") for second in (-5, -3)),
        *(row for row in VALID if row.at > after(-2.5)),
    )

    def test_the_loss_is_the_difference_to_the_price_at_receipt(self) -> None:
        finding = check(execution(fill("1937.40"), of=order(received_at=after(-3))), self.FALLING)
        assert finding.verdict is Verdict.FIRM_FAULT
        # median (1938.36 + 1938.42) / 2 = 1938.39; (1938.39 - 1937.40) * 100
        assert harm(finding) == "USD 99.00"
        assert finding.formula == "bad-entry/valid-price-at-receipt@1"
        assert finding.numbers["latency_ms"] == "3000"
        assert "3000 ms" in finding.reason.en
        assert "3000 毫秒" in finding.reason.zh

    def test_of_two_parts_only_the_late_one_is_owed(self) -> None:
        parts = (fill("1938.40", fill="F1", at=after(-2.5)), fill("1937.40", fill="F2"))
        finding = check(execution(*parts, of=order(received_at=after(-3), volume=Decimal(2))), self.FALLING)
        assert harm(finding) == "USD 99.00"
        assert finding.formula == "bad-entry/valid-price-at-receipt@1"
        assert (finding.numbers["F1.loss"], finding.numbers["F2.loss"]) == ("0", "99")

    def test_a_delay_is_longer_than_the_limit(self) -> None:
        late = execution(fill("1937.40"), of=order(received_at=after(-3)))
        assert check(late, self.FALLING, latency_ms=3000).verdict is Verdict.MARKET
        assert check(late, self.FALLING, latency_ms=2999).verdict is Verdict.FIRM_FAULT

    def test_a_delay_that_brought_a_better_price_is_told_and_costs_nothing(self) -> None:
        bought = execution(fill("1937.70", Side.BUY), of=order(side=Side.BUY, received_at=after(-3)))
        finding = check(bought, self.FALLING)
        assert finding.verdict is Verdict.MARKET
        assert harm(finding) == "USD 0.00"
        assert "the delay cost you nothing" in finding.reason.en

    def test_a_delay_and_a_wrong_price_are_counted_once_at_the_dearer(self) -> None:
        finding = check(execution(fill("1930.00"), of=order(received_at=after(-3))), self.FALLING)
        # not 7.39 + 8.39 but (1938.39 - 1930.00) * 100
        assert harm(finding) == "USD 839.00"

    def test_without_a_quote_at_receipt_a_delay_cannot_be_valued(self) -> None:
        finding = check(execution(fill("1937.40"), of=order(received_at=after(-600))))
        assert finding.verdict is Verdict.INCONCLUSIVE
        assert finding.missing == ("quotes of XAUUSD around 2023-11-12T23:20:00+00:00",)

    @pytest.mark.parametrize("received", [None, after(1)])
    def test_a_time_of_receipt_absent_or_impossible_leaves_the_price_judged(self, received: object) -> None:
        finding = check(execution(fill("1937.40"), of=order(received_at=received)))
        assert finding.verdict is Verdict.MARKET
        assert "could not be measured" in finding.reason.en
        assert "无法衡量执行速度" in finding.reason.zh
        assert finding.numbers["latency_ms"] in {"not recorded", "recorded after the fill"}

    def test_a_waiting_order_is_not_late_because_it_waited(self) -> None:
        stop = order(OrderType.STOP_LOSS, price=Decimal("1937.40"), received_at=after(-600))
        assert check(execution(fill("1937.40"), of=stop)).verdict is Verdict.MARKET


class TestSlippage:
    @pytest.mark.parametrize(
        ("asked", "slippage", "words"),
        [
            ("1937.55", "0.15", "0.15 worse, because the market had moved: ordinary slippage"),
            ("1937.30", "-0.1", "0.10 better for you"),
            ("1937.40", "0", "exactly the price you asked for"),
        ],
    )
    def test_inside_the_valid_prices_it_is_the_market_and_told_in_numbers(
        self, asked: str, slippage: str, words: str
    ) -> None:
        finding = check(execution(fill("1937.40"), of=order(price=Decimal(asked), received_at=after(-0.2))))
        assert finding.verdict is Verdict.MARKET
        assert finding.numbers["slippage"] == slippage
        assert words in finding.reason.en
        assert "executed 200 ms after it arrived" in finding.reason.en

    def test_a_fill_at_fault_is_not_called_ordinary_slippage(self) -> None:
        finding = check(execution(fill("1930.00"), of=order(price=Decimal("1937.55"))))
        assert "slippage" not in finding.reason.en
        assert finding.numbers["slippage"] == "7.55"


class TestSeveralFills:
    def test_their_losses_are_added_and_rounded_once(self) -> None:
        # 3 parts of 0.01 units at 0.50 below the valid bid: 3 * 0.005 = 0.015
        unit = Instrument(symbol="XAUUSD", contract_size=Decimal(1), currency="USD", digits=2)
        parts = [fill("1936.90", fill=f"F{n}", volume=Decimal("0.01")) for n in (1, 2, 3)]
        finding = check(execution(*parts, of=order(volume=Decimal("0.03")), instrument=unit), steady("LP-B", "1937.40"))
        assert harm(finding) == "USD 0.02"
        assert finding.numbers["harm"] == "0.015"
        assert finding.numbers["F2.loss"] == "0.005"

    def test_a_loss_is_not_set_off_against_a_gain(self) -> None:
        parts = (fill("1930.00", fill="F1"), fill("1950.00", fill="F2"))
        finding = check(execution(*parts, of=order(volume=Decimal(2))))
        assert finding.verdict is Verdict.FIRM_FAULT
        assert harm(finding) == "USD 739.00"
        assert "in 2 parts" in finding.reason.en
        assert "Over all its parts the loss is USD 739.00" in finding.reason.en
        assert "分 2 笔成交" in finding.reason.zh

    def test_the_reason_is_about_the_one_that_lost_most(self) -> None:
        parts = (fill("1935.00", fill="F1"), fill("1930.00", fill="F2"), fill("1936.00", fill="F3"))
        finding = check(execution(*parts, of=order(volume=Decimal(3))))
        assert "the decisive one, 1 lot, at 1930.00" in finding.reason.en
        assert "(1937.39 − 1930.00)" in finding.reason.zh
        # 2.39 + 7.39 + 1.39
        assert harm(finding) == "USD 1,117.00"

    def test_one_that_cannot_be_told_leaves_the_sum_open(self) -> None:
        parts = (fill("1930.00", fill="F1"), fill("1937.40", fill="F2", at=after(600)))
        finding = check(execution(*parts, of=order(volume=Decimal(2))))
        assert finding.verdict is Verdict.INCONCLUSIVE
        assert finding.harm is None
        assert finding.missing == ("quotes of XAUUSD around 2023-11-12T23:40:00+00:00",)


class TestRowsThatAreMissing:
    def test_an_order_without_fills(self) -> None:
        finding = check(execution(of=order()))
        assert finding.missing == ("fills of order O1",)
        assert tables(finding) == {"orders"}

    def test_an_unknown_instrument(self) -> None:
        finding = check(execution(fill("1937.40"), of=order(), instrument=None))
        assert finding.verdict is Verdict.INCONCLUSIVE
        assert finding.missing == ("instrument XAUUSD (contract size, currency, digits)",)

    def test_a_fill_without_its_order_is_still_wrong_when_its_price_is(self) -> None:
        finding = check(execution(fill("1930.00"), of=None))
        assert finding.verdict is Verdict.FIRM_FAULT
        assert harm(finding) == "USD 739.00"
        assert finding.formula == "bad-fill/valid-price-at-that-instant@1"
        assert "cannot tell" not in finding.reason.en

    def test_a_fill_without_its_order_is_not_cleared_by_a_good_price(self) -> None:
        assert check(execution(fill("1937.40"), of=None)).missing == ("order O1",)

    def test_an_order_and_a_fill_that_contradict_each_other(self) -> None:
        finding = check(execution(fill("1937.40"), of=order(side=Side.BUY)))
        assert finding.verdict is Verdict.INCONCLUSIVE
        assert finding.missing == ("rows of order O1 and fill F1 that agree on instrument and side",)


def test_quotes_are_asked_for_at_the_fills_and_at_the_receipt_of_a_market_order() -> None:
    sold = fill("1937.40")
    assert [moment.at for moment in moments(execution(sold, of=order(received_at=after(-3))))] == [after(-3), AT]
    stop = order(OrderType.STOP, price=Decimal("1937.40"), received_at=after(-3))
    assert [moment.at for moment in moments(execution(sold, of=stop))] == [AT]


def test_the_same_rows_give_the_same_hash_and_another_price_another() -> None:
    first, again = (check(execution(fill("1930.00"), of=order())) for _ in range(2))
    assert first.hash == again.hash
    assert check(execution(fill("1930.01"), of=order())).hash != first.hash
    # 1930.00 and 1930 are one price
    assert check(execution(fill("1930"), of=order())).hash == first.hash


def test_the_chinese_reason_is_chinese_throughout() -> None:
    finding = check(execution(fill("1930.00"), of=order(price=Decimal("1937.55"), received_at=after(-0.2))))
    words = set(re.findall(r"[A-Za-z]{2,}", finding.reason.zh))
    assert words == {"XAUUSD", "UTC", "Bid", "USD"}
    assert GOLD.symbol in finding.reason.zh
