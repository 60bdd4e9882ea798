"""What is found about a withdrawal, and the interest on a late one, computed by hand."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.checks.findings import Finding, Verdict
from domain.checks.recompute import recompute
from domain.checks.tolerances import Tolerances
from domain.checks.withdrawal_delay.finding import WITH_CURRENCY, check_withdrawal_delay
from domain.log.firm_records import AccountTerms
from domain.log.trade_log import AccountEntry, EntryKind
from domain.money.parts import PartKind, Rate

ASKED = datetime(2026, 3, 2, 9, tzinfo=UTC)
DUE = ASKED + timedelta(hours=48)
DAY = timedelta(days=1)


def withdrawal(amount: str = "-10000", **more: Any) -> AccountEntry:
    values = {
        "entry": "W1",
        "account": "70012345",
        "kind": EntryKind.WITHDRAWAL,
        "amount": Decimal(amount),
        "currency": "USD",
        "requested_at": ASKED,
    }
    return AccountEntry(**(values | more))


def check(entry: AccountEntry, as_of: datetime = ASKED + 90 * DAY, **tolerances: str | int) -> Finding:
    return check_withdrawal_delay(entry, as_of=as_of, tolerances=Tolerances.model_validate(tolerances))


def test_a_late_release_owes_simple_interest_for_the_days_from_due_to_release() -> None:
    finding = check(withdrawal(booked_at=DUE + 5 * DAY))
    assert finding.verdict is Verdict.FIRM_FAULT
    # 10,000 * 8 % * 5 / 365 = 10.9589
    assert str(finding.harm) == "USD 10.96"
    assert finding.formula == "late-withdrawal/simple-interest-actual-365@1"
    assert finding.numbers["delay_seconds"] == "432000"
    assert finding.numbers["interest"] == "10.9589041096"
    assert finding.numbers["due_at"] == "2026-03-04T09:00:00+00:00"
    assert [row.key for row in finding.evidence] == ["W1"]


def test_a_part_of_a_day_counts_as_its_exact_fraction() -> None:
    # 36,500 * 10 % = 10 a day; 1 hour and 12 minutes are 0.05 of a day
    finding = check(
        withdrawal("-36500", booked_at=DUE + timedelta(hours=1, minutes=12)), withdrawal_interest_percent="10"
    )
    assert str(finding.harm) == "USD 0.50"


def test_the_pack_sets_the_time_and_the_rate() -> None:
    finding = check(
        withdrawal("-36500", booked_at=ASKED + 3 * DAY), withdrawal_hours=24, withdrawal_interest_percent="5"
    )
    # 5 a day for 2 days
    assert str(finding.harm) == "USD 10.00"


@pytest.mark.parametrize(("hours", "en", "zh"), [(1, "within 1 hour, here", "在 1小时内"), (48, "48 hours,", "48小时")])
def test_the_time_is_said_in_words_of_either_language(hours: int, en: str, zh: str) -> None:
    reason = check(withdrawal(booked_at=DUE + DAY), withdrawal_hours=hours).reason
    assert en in reason.en
    assert zh in reason.zh


def test_a_pending_one_owes_interest_so_far_and_says_that_the_money_itself_is_still_to_come() -> None:
    finding = check(withdrawal("-36500"), as_of=DUE + 10 * DAY)
    assert finding.verdict is Verdict.FIRM_FAULT
    # 8 a day for 10 days, and not the 36,500
    assert str(finding.harm) == "USD 80.00"
    assert "still to be paid to you in full" in finding.reason.en
    assert "Interest keeps running" in finding.reason.en
    assert "本金仍应全额支付" in finding.reason.zh
    assert "利息继续计算" in finding.reason.zh


def test_what_was_booked_after_the_moment_of_the_investigation_counts_as_pending() -> None:
    booked = check(withdrawal("-36500", booked_at=DUE + 20 * DAY), as_of=DUE + 10 * DAY)
    assert booked.harm == check(withdrawal("-36500"), as_of=DUE + 10 * DAY).harm


@pytest.mark.parametrize("booked", [DUE, ASKED, DUE - timedelta(seconds=1)])
def test_one_released_in_time_is_nobodys_fault(booked: datetime) -> None:
    finding = check(withdrawal(booked_at=booked))
    assert finding.verdict is Verdict.NO_FAULT
    assert str(finding.harm) == "USD 0.00"
    assert "in time" in finding.reason.en


def test_one_not_due_yet_is_nobodys_fault() -> None:
    assert check(withdrawal(), as_of=DUE).verdict is Verdict.NO_FAULT
    assert check(withdrawal(), as_of=DUE + timedelta(seconds=1)).verdict is Verdict.FIRM_FAULT


def test_the_reason_has_the_times_the_delay_and_the_sum_in_both_languages() -> None:
    reason = check(withdrawal(booked_at=DUE + timedelta(days=5, hours=1, minutes=20))).reason
    for text in (reason.en, reason.zh):
        assert "2026-03-02 09:00:00 UTC" in text
        assert "2026-03-04 09:00:00 UTC" in text
        assert "2026-03-09 10:20:00 UTC" in text
        # 10,000 * 8 % * 436,800 / 86,400 / 365 = 11.0807
        assert "= USD 11.08" in text
    assert "5 days 1 hour 20 minutes late" in reason.en
    assert "逾期 5天1小时20分钟" in reason.zh


def test_one_called_off_in_time_is_the_customers_own_act() -> None:
    finding = check(withdrawal(booked_at=ASKED + DAY, note="Cancelled by customer in the app"))
    assert finding.verdict is Verdict.CUSTOMER_ACTION
    assert str(finding.harm) == "USD 0.00"


def test_one_called_off_when_it_was_late_owes_interest_until_then() -> None:
    finding = check(withdrawal("-36500", booked_at=DUE + 2 * DAY, note="客户取消"))
    assert finding.verdict is Verdict.FIRM_FAULT
    assert str(finding.harm) == "USD 16.00"
    assert "You called it off on" in finding.reason.en


def test_one_called_off_nobody_knows_when_is_not_decided() -> None:
    finding = check(withdrawal(note="cancelled by customer"))
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert finding.missing == ("time of the cancellation of withdrawal W1",)


def test_a_time_of_request_that_is_absent_is_named() -> None:
    finding = check(withdrawal(requested_at=None, booked_at=DUE))
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert finding.harm is None
    assert finding.missing == ("time of request of withdrawal W1",)


def test_a_release_before_the_request_is_a_contradiction() -> None:
    finding = check(withdrawal(booked_at=ASKED - timedelta(seconds=1)))
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert finding.missing == ("times of withdrawal W1 that agree with each other",)


def test_interest_has_the_smallest_unit_of_the_currency() -> None:
    # 1,000,000 * 8 % * 5 / 365 = 1095.89
    assert str(check(withdrawal("-1000000", currency="JPY", booked_at=DUE + 5 * DAY)).harm) == "JPY 1,096"


amounts = st.integers(1, 10**12).map(lambda cents: Decimal(-cents).scaleb(-2))
delays = st.timedeltas(timedelta(microseconds=1), timedelta(days=1500))


@settings(deadline=None)
@given(amounts, delays, delays)
def test_a_longer_delay_never_costs_less(amount: Decimal, shorter: timedelta, longer: timedelta) -> None:
    shorter, longer = sorted((shorter, longer))
    harms = [
        check(withdrawal(str(amount), booked_at=DUE + delay), as_of=DUE + 2000 * DAY).harm
        for delay in (shorter, longer)
    ]
    assert harms[0] is not None
    assert harms[1] is not None
    assert 0 <= harms[0].amount <= harms[1].amount


@settings(deadline=None)
@given(amounts, delays)
def test_interest_is_the_exact_sum_rounded_once(amount: Decimal, delay: timedelta) -> None:
    finding = check(withdrawal(str(amount), booked_at=DUE + delay), as_of=DUE + 2000 * DAY)
    assert finding.harm is not None
    # in whole numbers: |amount| in cents * 8 / 100 * microseconds / (365 * 86.4e9), half up
    dividend = int(-amount * 100) * 8 * (delay // timedelta(microseconds=1))
    divisor = 100 * 365 * 86_400 * 10**6
    assert int(finding.harm.amount * 100) == (2 * dividend + divisor) // (2 * divisor)


class TestAnAccountInAnotherCurrency:
    """The account is kept in EUR, the withdrawal is of USD 10,000, five days late."""

    TERMS = AccountTerms(
        terms="T1",
        account="70012345",
        effective_from=ASKED - 100 * DAY,
        currency="EUR",
        leverage=Decimal(30),
        stop_out_level=Decimal(50),
    )
    RELEASED = DUE + 5 * DAY

    def rate(self, at: datetime, rate: str, **more: Any) -> Rate:
        values = {"base": "USD", "quote": "EUR", "source": "ECB", "at": at, "rate": Decimal(rate)}
        return Rate(**(values | more))

    def check(self, *rates: Rate, terms: AccountTerms = TERMS, **more: Any) -> Finding:
        entry = withdrawal(**({"booked_at": self.RELEASED} | more))
        finding = check_withdrawal_delay(
            entry, as_of=ASKED + 90 * DAY, tolerances=Tolerances(), terms=[terms], rates=rates
        )
        stored = Finding.model_validate_json(finding.model_dump_json())
        assert recompute([stored], [finding.hash]) == ()
        return finding

    def test_what_the_rate_lost_meanwhile_is_added_to_the_interest_and_rounded_with_it(self) -> None:
        finding = self.check(self.rate(DUE, "0.92"), self.rate(self.RELEASED, "0.90"))
        # 10,000 * (0.92 - 0.90) / 0.90 = 222.2222, and 10.9589 of interest
        assert str(finding.harm) == "USD 233.18"
        assert [part.kind for part in finding.parts] == [PartKind.INTEREST, PartKind.CURRENCY_LOSS]
        assert finding.numbers["currency_loss"].startswith("222.2222")
        assert finding.formula == WITH_CURRENCY
        assert "USD 10,000.00 × (0.92 − 0.9) ÷ 0.9 = USD 222.22" in finding.reason.en
        assert {row.table for row in finding.evidence} == {"account_entries", "account_terms", "rates"}

    def test_what_the_rate_gained_is_not_set_off_against_the_interest(self) -> None:
        finding = self.check(self.rate(DUE, "0.90"), self.rate(self.RELEASED, "0.92"))
        assert str(finding.harm) == "USD 10.96"
        assert "cost you nothing" in finding.reason.en
        assert not finding.open

    def test_a_rate_that_is_not_recorded_is_named_for_its_day_and_left_to_a_person(self) -> None:
        later = self.check(self.rate(DUE, "0.92"), self.rate(self.RELEASED + timedelta(seconds=1), "0.90"))
        assert later.missing == ("rate of USD in EUR on 2026-03-09",)
        same = self.check(self.rate(DUE, "0.92"), booked_at=DUE + 3 * DAY)  # would tell of no loss whatever happened
        assert same.missing == ("rate of USD in EUR on 2026-03-07",)
        old = self.check(self.rate(DUE - 5 * DAY, "0.92"), self.rate(self.RELEASED, "0.90"))
        assert old.missing == ("rate of USD in EUR on 2026-03-04",)
        assert (old.verdict, str(old.harm), old.open) == (Verdict.FIRM_FAULT, "USD 10.96", True)
        wrong = self.check(self.rate(DUE, "0.92", base="EUR", quote="CHF"))
        assert wrong.missing == ("rate of USD in EUR on 2026-03-04", "rate of USD in EUR on 2026-03-09")

    def test_rates_recorded_the_other_way_round_count_and_are_kept_as_they_were_recorded(self) -> None:
        other: dict[str, Any] = {"base": "EUR", "quote": "USD"}
        straight = self.check(self.rate(DUE, "0.8"), self.rate(self.RELEASED, "0.5"))
        turned = self.check(self.rate(DUE, "1.25", **other), self.rate(self.RELEASED, "2", **other))
        assert (turned.harm, turned.reason, turned.open) == (straight.harm, straight.reason, False)
        assert {row.values["rate"] for row in turned.evidence if row.table == "rates"} == {"1.25", "2"}

    def test_an_account_in_the_withdrawals_own_currency_needs_no_rate(self) -> None:
        own = self.TERMS.model_copy(update={"currency": "USD"})
        assert self.check(terms=own) == check(withdrawal(booked_at=self.RELEASED))

    def test_what_is_pending_or_was_called_off_was_not_exchanged(self) -> None:
        rates = self.rate(DUE, "0.92"), self.rate(self.RELEASED, "0.90")
        for entry in ({"booked_at": None}, {"note": "cancelled by customer"}):
            finding = self.check(*rates, **entry)
            assert [part.kind for part in finding.parts] == [PartKind.INTEREST]
            assert not finding.missing

    @settings(deadline=None)
    @given(st.integers(1, 10**7), st.integers(1, 30_000), st.integers(1, 30_000))
    def test_the_currency_never_takes_from_the_interest(self, cents: int, then: int, later: int) -> None:
        rates = self.rate(DUE, str(Decimal(then).scaleb(-4))), self.rate(self.RELEASED, str(Decimal(later).scaleb(-4)))
        entry = withdrawal(str(-Decimal(cents).scaleb(-2)), booked_at=self.RELEASED)

        def harm(*known: Rate) -> Decimal:
            finding = check_withdrawal_delay(
                entry, as_of=ASKED + 90 * DAY, tolerances=Tolerances(), terms=[self.TERMS], rates=known
            )
            assert finding.harm is not None
            return finding.harm.amount

        assert harm(*rates) >= harm()
        assert harm(*rates) == harm(*reversed(rates), *rates)
        if then <= later:
            assert harm(*rates) == harm()
