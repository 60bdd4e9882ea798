"""The money: sums computed by hand, and what holds for every sum."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.checks.profit import ReferenceRule, Standing, exit_loss, profit, reference_of_exit
from domain.log.trade_log import Side
from domain.money.amounts import Money, PositiveMoney
from domain.money.interest import BaseRate, interest_factor
from domain.money.parts import PRECISION, Entered, MissingRate, Part, PartKind, Rate, currency_loss, total

OUNCES_A_LOT = Decimal(100)
"""Troy ounces of a lot of London gold (XAUUSD)."""
TAELS_A_LOT = Decimal(100)
"""Taels of a lot of Hong Kong gold, priced in HKD a tael."""
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)
unhurried = settings(deadline=None)

cents = st.integers(-10_000_000, 10_000_000).map(lambda n: Decimal(n).scaleb(-3))
prices = st.integers(100_000, 500_000).map(lambda n: Decimal(n).scaleb(-2))
lots = st.integers(1, 2_000).map(lambda n: Decimal(n).scaleb(-2))
sides = st.sampled_from(Side)


def d(text: str) -> Decimal:
    return Decimal(text)


def part(key: str, amount: str | Decimal, currency: str = "USD", subject: str = "P1", **more: object) -> Part:
    return Part.model_validate(
        {"key": key, "subject": subject, "kind": "price", "amount": amount, "currency": currency} | more
    )


@st.composite
def parts(draw: st.DrawFn) -> list[Part]:
    keys = draw(st.lists(st.integers(0, 8), min_size=1, max_size=10))
    return [part(f"price/F{key}", draw(cents), subject=f"F{key // 2}") for key in keys]


class TestByHand:
    def test_the_incident_of_13_november_2023_case_1(self) -> None:
        """0.80 lots long, closed at 1920.96, valid 1937.39: what the broker offered, USD 1,314.40."""
        loss = exit_loss(Side.BUY, close=d("1920.96"), reference=d("1937.39"), units=OUNCES_A_LOT, lots=d("0.8"))
        assert loss == d("1314.40")

    def test_the_claim_of_the_same_incident_needs_a_later_reference_price(self) -> None:
        """USD 3,165.81 on 0.80 lots is 39.57 an ounce: far above the market of that minute."""
        loss = exit_loss(Side.BUY, close=d("1920.96"), reference=d("1960.532625"), units=OUNCES_A_LOT, lots=d("0.8"))
        assert loss == d("3165.81")

    def test_a_hong_kong_lot_is_a_hundred_taels_in_hkd_and_pays_out_in_usd_at_the_recorded_rate(self) -> None:
        loss = exit_loss(Side.BUY, close=d("18000"), reference=d("18012.5"), units=TAELS_A_LOT, lots=d("1"))
        assert loss == d("1250")
        usd = Rate(base="HKD", quote="USD", source="ECB", at=AT, rate=d("0.1282"))
        found = total([part("price/F1", loss, "HKD")], "USD", rates=[usd])
        assert str(found.harm) == "USD 160.25"
        assert found.numbers["rate.HKD.USD"] == "0.1282"
        assert found.numbers["rate.HKD.USD.source"] == "ECB"
        assert found.numbers["rate.HKD.USD.at"] == AT.isoformat()

    def test_interest_of_eight_percent_for_a_year_of_365_days_is_eight_percent(self) -> None:
        assert interest_factor(AT, AT + 365 * DAY, d("8")) == d("0.08")
        assert interest_factor(AT, AT + 36.5 * DAY, d("8")) == d("0.008")
        assert interest_factor(AT, AT, d("8")) == 0
        assert interest_factor(AT, AT - DAY, d("8")) == 0

    def test_interest_of_base_plus_one_follows_the_base_rate_on_its_dates(self) -> None:
        base = [
            BaseRate(name="bank_of_england", effective_from=date(2026, 1, 1), percent=d("4")),
            BaseRate(name="bank_of_england", effective_from=date(2026, 3, 12), percent=d("3.75")),
            BaseRate(name="ecb", effective_from=date(2026, 1, 1), percent=d("99")),
        ]
        start, end = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 22, tzinfo=UTC)
        factor = interest_factor(start, end, d("1"), base="bank_of_england", base_rates=base)
        with localcontext(prec=PRECISION):
            assert factor == (d("5") * 10 + d("4.75") * 10) / 36_500

    def test_interest_over_a_base_that_nobody_recorded_is_not_guessed(self) -> None:
        late = [BaseRate(name="bank_of_england", effective_from=date(2026, 3, 3), percent=d("4"))]
        with pytest.raises(MissingRate, match="base rate bank_of_england on 2026-03-02"):
            interest_factor(AT, AT + DAY, d("1"), base="bank_of_england", base_rates=late)

    def test_the_currency_fell_while_the_money_was_kept(self) -> None:
        due = Rate(base="USD", quote="CNY", source="PBC", at=AT, rate=d("7.20"))
        paid = due.model_copy(update={"at": AT + 30 * DAY, "rate": d("7.05")})
        assert currency_loss(d("1000"), due=due, paid=paid) == d("150")
        with pytest.raises(ValueError, match="different currencies"):
            currency_loss(d("1000"), due=due, paid=paid.model_copy(update={"quote": "EUR"}))

    def test_a_pair_recorded_the_other_way_round_tells_the_rate_and_the_latest_counts(self) -> None:
        loss = part("price/F1", d("1000"), "USD")
        rate = Rate(base="EUR", quote="USD", source="ECB", at=AT, rate=d("1.25"))
        turned = rate.model_copy(update={"base": "USD", "quote": "EUR", "rate": d("0.79"), "source": "AAA"})
        older = turned.model_copy(update={"at": AT - DAY})
        for rates, harm in (([rate], "800.00"), ([older, rate], "800.00"), ([rate, turned], "790.00")):
            assert total([loss], "EUR", rates=rates).harm == Money(amount=d(harm), currency="EUR")

    def test_an_amount_without_a_rate_is_named_not_guessed(self) -> None:
        with pytest.raises(MissingRate, match="rate of HKD in USD"):
            total([part("price/F1", "1", "HKD")], "USD")

    def test_the_same_loss_found_twice_counts_once_at_the_dearer(self) -> None:
        found = total([part("price/F1", "100"), part("price/F1", "140"), part("price/F1", "100")], "USD")
        assert str(found.harm) == "USD 140.00"
        assert len(found.parts) == 1

    def test_the_swap_that_was_saved_is_set_off_within_a_position_and_never_against_another(self) -> None:
        loss, saved = part("price/F1", "100"), part("swap/P1", "-30", kind="swap")
        assert str(total([loss, saved], "USD").harm) == "USD 70.00"
        elsewhere = part("swap/P2", "-30", subject="P2", kind="swap")
        assert str(total([loss, elsewhere], "USD").harm) == "USD 100.00"

    def test_rounding_happens_once_at_the_end_as_the_currency_has_it(self) -> None:
        thirds = [part(f"price/F{n}", "0.005", subject=f"F{n}") for n in range(3)]
        assert str(total(thirds, "USD").harm) == "USD 0.02"
        assert str(total([part("price/F1", "1096.5", "JPY")], "JPY").harm) == "JPY 1,097"

    def test_distress_and_goodwill_are_entered_by_people_with_their_reason(self) -> None:
        award = Entered(
            kind=PartKind.DISTRESS,
            subject="RD-1",
            amount=PositiveMoney(amount=d("150"), currency="USD"),
            entered_by="handler:h-17",
            at=AT,
            reason="weeks without the money for rent",
        )
        found = total([part("price/F1", "100"), award.part(), award.part()], "USD")
        assert str(found.harm) == "USD 250.00"
        with pytest.raises(ValueError, match="price is computed"):
            award.model_copy(update={"kind": PartKind.PRICE}).part()


class TestTheReferencePrice:
    PATH = (
        Standing(AT - DAY, d("2010")),
        Standing(AT, d("2000")),
        Standing(AT + timedelta(minutes=5), d("1990")),
        Standing(AT + timedelta(minutes=10), d("1975")),
        Standing(AT + timedelta(hours=1), d("2030")),
    )

    def price(self, rule: ReferenceRule, side: Side = Side.BUY, **more: object) -> str | None:
        found = reference_of_exit(rule, side, self.PATH, at=AT, **more)  # type: ignore[arg-type]
        return None if found is None else str(found.price)

    def test_at_that_instant_it_is_the_last_valid_price_not_the_first_after(self) -> None:
        assert self.price(ReferenceRule.AT_THAT_INSTANT) == "2000"

    def test_the_next_stop_out_is_the_price_when_valid_prices_would_have_liquidated(self) -> None:
        assert self.price(ReferenceRule.NEXT_STOP_OUT, stopped_out_at=AT + timedelta(minutes=7)) == "1975"
        assert self.price(ReferenceRule.NEXT_STOP_OUT) is None

    def test_a_stop_is_filled_at_the_first_price_through_it_and_a_target_at_its_own(self) -> None:
        own = ReferenceRule.OWN_STOP_OR_TARGET
        assert self.price(own, stop=d("1980"), target=d("2020")) == "1975"
        assert self.price(own, stop=d("1970"), target=d("2020")) == "2020"
        assert self.price(own, Side.SELL, stop=d("2020"), target=d("1980")) == "1980"
        assert self.price(own, Side.SELL, stop=d("2020"), target=d("1900")) == "2030"
        assert self.price(own, stop=d("1900"), target=d("2100")) is None

    def test_the_customer_is_held_to_the_price_when_they_could_act(self) -> None:
        assert self.price(ReferenceRule.WHEN_ABLE_TO_ACT, able_at=AT + timedelta(minutes=8)) == "1975"
        assert self.price(ReferenceRule.WHEN_ABLE_TO_ACT, able_at=AT + DAY) is None

    def test_putting_the_position_back_measures_nothing(self) -> None:
        assert self.price(ReferenceRule.REINSTATE) is None


@unhurried
@given(sides, prices, prices, lots)
def test_long_and_short_are_worth_the_same_seen_from_the_other_side(
    side: Side, close: Decimal, reference: Decimal, volume: Decimal
) -> None:
    def loss(of: Side, a: Decimal, b: Decimal) -> Decimal:
        return exit_loss(of, close=a, reference=b, units=OUNCES_A_LOT, lots=volume)

    assert loss(side, close, reference) == loss(side.opposite, reference, close)
    mirror = d("10000")
    assert loss(side, close, reference) == loss(side.opposite, mirror - close, mirror - reference)


@unhurried
@given(sides, prices, prices, st.lists(lots, min_size=1, max_size=8))
def test_partial_closes_add_up_to_the_whole_before_rounding(
    side: Side, close: Decimal, reference: Decimal, volumes: list[Decimal]
) -> None:
    def loss(volume: Decimal) -> Decimal:
        return exit_loss(side, close=close, reference=reference, units=OUNCES_A_LOT, lots=volume)

    together = [part(f"price/F{n}", loss(volume)) for n, volume in enumerate(volumes)]
    whole = total([part("price/F", loss(sum(volumes, d("0"))))], "USD")
    assert total(together, "USD").exact == whole.exact
    assert total(together, "USD").harm == whole.harm


@unhurried
@given(parts(), st.randoms(use_true_random=False))
def test_the_order_and_repetition_of_parts_make_no_difference(rows: list[Part], random: Random) -> None:
    shuffled: Sequence[Part] = random.sample([*rows, *rows], 2 * len(rows))
    assert total(shuffled, "USD") == total(rows, "USD")


@unhurried
@given(parts())
def test_nobody_is_ever_charged(rows: list[Part]) -> None:
    assert total(rows, "USD").harm.amount >= 0
    negative = [row.model_copy(update={"amount": -abs(row.amount)}) for row in rows]
    assert total(negative, "USD").harm.amount == 0


@unhurried
@given(sides, prices, lots)
def test_a_fair_fill_costs_nothing(side: Side, price: Decimal, volume: Decimal) -> None:
    assert exit_loss(side, close=price, reference=price, units=OUNCES_A_LOT, lots=volume) == 0


@unhurried
@given(sides, prices, prices, prices, lots)
def test_the_loss_on_an_exit_is_the_difference_of_two_profits(
    side: Side, opened: Decimal, close: Decimal, reference: Decimal, volume: Decimal
) -> None:
    def made(closed: Decimal) -> Decimal:
        return profit(side, opened=opened, closed=closed, units=OUNCES_A_LOT, lots=volume)

    assert made(reference) - made(close) == exit_loss(
        side, close=close, reference=reference, units=OUNCES_A_LOT, lots=volume
    )


@unhurried
@given(st.integers(0, 2_000), st.integers(0, 2_000), st.integers(0, 2_000))
def test_interest_over_two_spans_is_interest_over_both(a: int, b: int, rate: int) -> None:
    percent = Decimal(rate).scaleb(-2)
    middle, end = AT + a * timedelta(hours=1), AT + (a + b) * timedelta(hours=1)
    with localcontext(prec=40):
        both = interest_factor(AT, middle, percent) + interest_factor(middle, end, percent)
        assert round(both, 30) == round(interest_factor(AT, end, percent), 30)
