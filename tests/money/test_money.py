"""Money: rounded as its currency has it, never mixed, written for records and for letters."""

from decimal import Decimal

import pytest
from babel.numbers import get_currency_precision, list_currencies
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from domain.case.complaint import explain
from domain.money.amounts import Currency, Money, PositiveMoney, minor_digits, total
from domain.money.currencies import DIGITS
from domain.money.spoken import localised

AMOUNTS = st.decimals(min_value=-(10**12), max_value=10**12, places=8, allow_nan=False)
CURRENCIES = st.sampled_from(["USD", "JPY", "KWD", "CNY", "HKD", "EUR"])


def money(amount: str, currency: str = "USD") -> Money:
    return Money(amount=Decimal(amount), currency=currency)


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("1.004", "USD", "1.00"),
        ("1.005", "USD", "1.01"),
        ("2.675", "EUR", "2.68"),
        ("-1.005", "USD", "-1.01"),
        ("1", "USD", "1.00"),
        ("0.5", "JPY", "1"),
        ("1234.49", "JPY", "1234"),
        ("0.0005", "KWD", "0.001"),
        ("1.2344", "KWD", "1.234"),
        ("0.125", "CNY", "0.13"),
        ("0.115", "HKD", "0.12"),
        ("99999999999999.994", "USD", "99999999999999.99"),
    ],
)
def test_money_is_rounded_half_away_from_zero_to_the_currencys_smallest_unit(
    amount: str, currency: str, rounded: str
) -> None:
    result = money(amount, currency).rounded()
    assert (str(result.amount), result.currency) == (rounded, currency)
    assert Money.of(Decimal(amount), currency) == result


@given(amount=AMOUNTS, currency=CURRENCIES)
def test_rounding_moves_money_by_at_most_half_a_unit_and_only_once(amount: Decimal, currency: str) -> None:
    exact = Money(amount=amount, currency=currency)
    rounded = exact.rounded()
    assert abs(rounded.amount - amount) <= Decimal("0.5").scaleb(-minor_digits(currency))
    assert rounded.rounded() == rounded
    assert -rounded.amount == Money(amount=-amount, currency=currency).rounded().amount


@given(amount=AMOUNTS, currency=CURRENCIES)
def test_records_and_letters_show_the_cents_that_are_posted(amount: Decimal, currency: str) -> None:
    rounded = Money(amount=amount, currency=currency).rounded()
    exact = Money(amount=amount, currency=currency)
    assert str(exact) == str(rounded)
    for language in ("en", "zh-CN"):
        assert localised(exact, language) == localised(rounded, language)
    assert Decimal(str(exact).removeprefix(currency).replace(",", "")) == rounded.amount


@pytest.mark.parametrize(
    ("amount", "currency", "written", "english", "chinese"),
    [
        ("1234.5", "USD", "USD 1,234.50", "$1,234.50", "US$1,234.50"),
        ("1234.5", "CNY", "CNY 1,234.50", "CN¥1,234.50", "¥1,234.50"),
        ("1234.5", "HKD", "HKD 1,234.50", "HK$1,234.50", "HK$1,234.50"),
        ("1234.5", "JPY", "JPY 1,235", "¥1,235", "JP¥1,235"),
        ("0.125", "USD", "USD 0.13", "$0.13", "US$0.13"),
        ("-0.125", "USD", "USD -0.13", "-$0.13", "-US$0.13"),
    ],
)
def test_money_is_written_for_records_and_in_the_customers_language(
    amount: str, currency: str, written: str, english: str, chinese: str
) -> None:
    one = money(amount, currency)
    assert (str(one), localised(one, "en"), localised(one, "zh-CN")) == (written, english, chinese)


@given(amounts=st.lists(AMOUNTS, min_size=1, max_size=8), currency=CURRENCIES)
def test_sums_are_exact_whatever_the_order(amounts: list[Decimal], currency: str) -> None:
    each = [Money(amount=amount, currency=currency) for amount in amounts]
    assert total(each) == total(reversed(each)) == Money(amount=sum(amounts, Decimal(0)), currency=currency)


def test_no_amounts_have_no_sum() -> None:
    assert total([]) is None


def test_different_currencies_are_never_combined_or_compared() -> None:
    dollars, yuan = money("1"), money("7", "CNY")
    with pytest.raises(ValueError, match="USD and CNY cannot be combined without a recorded rate"):
        dollars + yuan
    with pytest.raises(ValueError, match="cannot be combined"):
        total([dollars, yuan])
    with pytest.raises(ValueError, match="cannot be combined"):
        _ = dollars < yuan
    with pytest.raises(ValueError, match="cannot be combined"):
        _ = dollars <= yuan


def test_money_of_one_currency_is_ordered() -> None:
    assert money("1") < money("1.001") <= money("1.0010")
    assert not money("1") < money("1.0")
    assert money("1.10") == money("1.1")


class Held(BaseModel):
    money: Money
    award: PositiveMoney | None = None
    currency: Currency = "USD"


def test_money_travels_as_json_without_losing_a_digit() -> None:
    held = Held.model_validate_json('{"money": {"amount": "0.1000000001", "currency": " usd "}}')
    assert held.money == money("0.1000000001")
    assert Held.model_validate_json(held.model_dump_json()) == held
    assert '"amount":"0.1000000001"' in held.model_dump_json()


@pytest.mark.parametrize(
    ("sent", "field", "said"),
    [
        ({"amount": "1", "currency": "QQQ"}, "money.currency", "ISO 4217"),
        ({"amount": "1", "currency": "DOLLARS"}, "money.currency", "must be"),
        ({"amount": "1", "currency": "GBp"}, "money.currency", "GBp is a hundredth of GBP"),
        ({"amount": "1"}, "money.currency", "required"),
        ({"currency": "USD"}, "money.amount", "required"),
        ({"amount": "NaN", "currency": "USD"}, "money.amount", "finite"),
        ({"amount": "Infinity", "currency": "USD"}, "money.amount", "finite"),
        ({"amount": "1e20", "currency": "USD"}, "money.amount", "digits"),
        ({"amount": "0.00000000001", "currency": "USD"}, "money.amount", "decimal places"),
        ({"amount": "12 apples", "currency": "USD"}, "money.amount", "valid decimal"),
        ({"amount": True, "currency": "USD"}, "money.amount", "Decimal"),
        ({"amount": "1", "currency": "USD", "rate": "7"}, "money.rate", "not permitted"),
        ("1 USD", "money", "dictionary"),
    ],
)
def test_what_is_not_money_is_refused_with_the_field_named(sent: object, field: str, said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Held.model_validate({"money": sent})
    told = explain(refused.value)
    assert told.startswith(f"{field}: ")
    assert said in told
    assert not any(quoted in told for quoted in ("QQQ", "DOLLARS", "apples"))


@pytest.mark.parametrize("amount", ["0", "-0.01", "-5"])
def test_a_claim_or_an_award_is_above_zero(amount: str) -> None:
    with pytest.raises(ValidationError) as refused:
        PositiveMoney(amount=Decimal(amount), currency="USD")
    assert explain(refused.value) == "amount: Input should be greater than 0"


def test_money_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        money("1").amount = Decimal(2)  # type: ignore[misc]


def test_the_currencies_are_those_of_cldr() -> None:
    assert {code: int(get_currency_precision(code)) for code in list_currencies()} == DIGITS
