"""Interest by the policy pack on what a customer lost: computed by hand, made again, and what holds for every sum."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from io import StringIO
from random import Random
from typing import Any

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from activities.checks.investigating import Investigating
from activities.log.trade_log import TradeLog
from domain.checks.facts import Given, LogFacts
from domain.checks.findings import Check, Finding, Investigation, InvestigationRequest, Verdict
from domain.checks.interest import FORMULA, with_interest
from domain.checks.recompute import recompute
from domain.checks.tolerances import Tolerances
from domain.checks.withdrawal_delay.finding import check_withdrawal_delay
from domain.ground.bilingual import Bilingual
from domain.ground.words import CaseEvent, Confidence
from domain.log.trade_log import AccountEntry, EntryKind, Fill, Side
from domain.money.amounts import Money
from domain.money.interest import BaseRate, Interest, interest_spans
from domain.money.parts import PRECISION, Part, PartKind, total
from domain.rules.duties import InterestRule
from domain.rules.interest import interest_for
from runtime.policies import find_pack
from starter.cli.case_pages import findings
from tests.checks.rows import ACCOUNT, AT, after, fill, order, run, store
from tests.checks.test_investigating import QUOTES

LOST = AT.date()  # 12 November 2023
DAY = timedelta(days=1)
EIGHT = Interest(rule="firm", percent=Decimal(8))
OVER_BASE = Interest(rule="award", percent=Decimal(1), base="bank_of_england")
BASE = (
    BaseRate(name="bank_of_england", effective_from=date(2023, 8, 3), percent=Decimal("5.25")),
    BaseRate(name="bank_of_england", effective_from=date(2023, 11, 22), percent=Decimal(5)),
    BaseRate(name="ecb", effective_from=date(2023, 11, 15), percent=Decimal(99)),
)


def lost(amount: str, *more: Part, rows: Sequence[Fill] = ()) -> Finding:
    """A finding of *amount* lost on the fill F1, at :data:`AT`."""
    parts = (
        Part(key="price/F1", subject="F1", kind=PartKind.PRICE, amount=Decimal(amount), currency="USD"),
        *more,
    )
    return Finding(
        check=Check.OFF_MARKET,
        subject="O1",
        verdict=Verdict.FIRM_FAULT,
        confidence=Confidence.WELL_SUPPORTED,
        reason=Bilingual(en="It was wrong.", zh="价格有误。"),
        harm=total(parts, "USD").harm,
        parts=parts,
        evidence=LogFacts(fills=(fill("1937.40"), *rows)).evidence(),
        formula="off-market/valid-price-at-that-instant@1",
        given={"as_of": after(0).isoformat()} | Tolerances().told(),
    )


class TestByHand:
    def test_it_runs_from_the_day_of_the_loss_and_is_part_of_the_harm(self) -> None:
        finding = with_interest(lost("1000"), [EIGHT], (), LOST + 73 * DAY)
        assert str(finding.harm) == "USD 1,016.00"  # 1,000 * 8 % * 73/365
        assert finding.principal == 1000
        assert finding.numbers["interest.formula"] == FORMULA
        assert finding.numbers["interest"] == "16"
        assert finding.numbers["interest.F1.days"] == "73"
        assert finding.numbers["interest.F1.factor"] == "0.016"
        assert finding.numbers["interest.F1.spans"] == "firm: 8% from 2023-11-12 to 2024-01-24, 73 days"
        assert "USD 1,000.00 × (8% × 73 days) ÷ 365 = 16.0000. With interest it comes to USD 1,016.00." in (
            finding.reason.en
        )
        assert "含利息合计 USD 1,016.00" in finding.reason.zh

    def test_it_is_rounded_once_together_with_the_loss(self) -> None:
        finding = with_interest(lost("1.004"), [EIGHT], (), LOST + 20 * DAY)
        assert finding.numbers["interest"].startswith("0.0044")  # apart: 1.00 and 0.00
        assert str(finding.harm) == "USD 1.01"

    def test_over_a_base_rate_each_day_bears_that_of_its_day(self) -> None:
        finding = with_interest(lost("36500"), [OVER_BASE], BASE, LOST + 20 * DAY)
        # 100 a percent and year: 10 days at 6.25 and 10 at 6, a day being a 365th
        assert str(finding.harm) == "USD 36,622.50"
        assert finding.numbers["interest.F1.spans"] == (
            "award: 6.25% (bank_of_england 5.25% + 1%) from 2023-11-12 to 2023-11-22, 10 days; "
            "award: 6% (bank_of_england 5% + 1%) from 2023-11-22 to 2023-12-02, 10 days"
        )
        told = [(row.table, row.key) for row in finding.evidence if row.table == "base_rates"]
        assert told == [
            ("base_rates", "bank_of_england/2023-08-03"),
            ("base_rates", "bank_of_england/2023-11-22"),
        ]

    def test_a_loss_that_outlasts_a_rule_bears_interest_by_the_next_from_then_on(self) -> None:
        until_november = EIGHT.model_copy(update={"last_day": date(2023, 11, 30)})
        from_december = OVER_BASE.model_copy(update={"first_day": date(2023, 12, 1)})
        finding = with_interest(lost("36500"), [until_november, from_december], BASE, date(2023, 12, 11))
        # 12 to 30 November, 19 days at 8; 1 to 10 December, 10 days at 6
        assert finding.numbers["interest"] == str(19 * 8 + 10 * 6)
        assert finding.numbers["interest.F1.days"] == "29"

    def test_days_that_no_rule_is_for_bear_none(self) -> None:
        gap = [
            EIGHT.model_copy(update={"last_day": LOST}),
            EIGHT.model_copy(update={"first_day": LOST + 2 * DAY}),
        ]
        assert with_interest(lost("36500"), gap, (), LOST + 3 * DAY).numbers["interest"] == "16"
        assert with_interest(lost("36500"), [], (), LOST + 3 * DAY) == lost("36500")
        assert with_interest(lost("36500"), [EIGHT], (), LOST) == lost("36500")

    def test_what_was_saved_on_the_same_fill_bears_none_either(self) -> None:
        saved = Part(key="swap/F1", subject="F1", kind=PartKind.SWAP, amount=Decimal(-500), currency="USD")
        finding = with_interest(lost("1000", saved), [EIGHT], (), LOST + 73 * DAY)
        assert finding.numbers["interest.F1.loss"] == "500"
        assert str(finding.harm) == "USD 508.00"

    def test_a_base_rate_that_nobody_recorded_is_named_and_left_to_a_person(self) -> None:
        finding = with_interest(lost("1000"), [OVER_BASE], BASE[1:], LOST + 20 * DAY)
        assert finding.missing == ("base rate bank_of_england on 2023-11-12",)
        assert (finding.verdict, str(finding.harm)) == (Verdict.FIRM_FAULT, "USD 1,000.00")
        assert finding.open
        assert not lost("1000").open
        assert "our records lack what it takes to compute it" in finding.reason.en

    def test_a_loss_of_which_no_row_tells_the_day_is_not_dated_by_guess(self) -> None:
        undated = lost("1000").model_copy(update={"evidence": ()})
        finding = with_interest(undated, [EIGHT], (), LOST + 20 * DAY)
        assert finding.missing == ("day on which F1 lost its money",)

    def test_a_late_withdrawal_bears_its_own_interest_and_no_other(self) -> None:
        entry = AccountEntry(
            entry="W1",
            account=ACCOUNT,
            kind=EntryKind.WITHDRAWAL,
            amount=Decimal(-12000),
            currency="USD",
            requested_at=AT,
            booked_at=AT + 9 * DAY,
        )
        late = check_withdrawal_delay(entry, as_of=AT + 30 * DAY, tolerances=Tolerances())
        assert str(late.harm) == "USD 18.41"
        assert with_interest(late, [EIGHT], (), LOST + 365 * DAY) == late

    def test_nothing_found_bears_nothing(self) -> None:
        harmless = lost("0").model_copy(update={"verdict": Verdict.MARKET, "parts": (), "harm": Money.zero("USD")})
        assert with_interest(harmless, [EIGHT], (), LOST + 365 * DAY) == harmless


class TestTheRules:
    RULE = InterestRule(name="r", trigger=CaseEvent.RECEIVED, percent=Decimal(8), source="Firm-set", confirmed=True)

    def given(self, **more: Any) -> tuple[Interest, ...]:
        return interest_for([InterestRule.model_validate(self.RULE.model_dump() | more)], {CaseEvent.RECEIVED: AT})

    def test_a_rule_is_for_cases_in_which_its_trigger_happened(self) -> None:
        assert self.given() == (Interest(rule="r", percent=Decimal(8)),)
        assert self.given(trigger="referred") == ()

    def test_a_rule_that_holds_by_its_trigger_holds_for_the_whole_case_or_not_at_all(self) -> None:
        assert self.given(effective_from=LOST, effective_until=LOST) == (Interest(rule="r", percent=Decimal(8)),)
        assert self.given(effective_from=LOST + DAY) == ()
        assert self.given(effective_until=LOST - DAY) == ()

    def test_a_rule_that_holds_by_day_holds_on_its_days(self) -> None:
        (interest,) = self.given(effective_from=LOST + DAY, holds_by="day")
        assert (interest.first_day, interest.last_day) == (LOST + DAY, None)

    def test_a_rule_may_run_from_its_trigger_if_that_was_after_the_loss(self) -> None:
        (interest,) = self.given(runs_from="trigger")
        earlier, later = LOST - 10 * DAY, LOST + 10 * DAY
        assert [span.days for span in interest_spans(earlier, later, [interest])] == [10]
        assert [span.days for span in interest_spans(LOST + DAY, later, [interest])] == [9]

    def test_interest_on_late_payment_is_no_part_of_an_award(self) -> None:
        assert self.given(on="late_payment") == ()

    def test_the_ombudsmans_rule_follows_the_date_of_the_referral(self) -> None:
        rules = find_pack("uk-fca", date(2026, 3, 2)).interest

        def names(*referred: datetime) -> list[str]:
            happened = dict(zip((CaseEvent.RECEIVED, CaseEvent.REFERRED), (AT, *referred), strict=False))
            return [interest.rule for interest in interest_for(rules, happened)]

        assert names() == []
        assert names(datetime(2025, 12, 31, 23, tzinfo=UTC)) == ["award-before-2026"]
        assert names(datetime(2026, 1, 1, tzinfo=UTC)) == ["award"]


class TestMadeAgain:
    def fee(self) -> Finding:
        """A fee of 365 that nobody told of."""
        entry = AccountEntry(
            entry="E1",
            account=ACCOUNT,
            kind=EntryKind.FEE,
            amount=Decimal(-365),
            currency="USD",
            booked_at=AT,
            note="Inactivity fee",
        )
        looked = Given(tolerances=Tolerances(), as_of=AT + 20 * DAY)
        return run(Check.FEES, "E1", LogFacts(account_entries=(entry,)), looked)

    def finding(self) -> Finding:
        return with_interest(self.fee(), [OVER_BASE], BASE, LOST + 20 * DAY)

    def test_interest_is_made_again_from_the_rules_and_rates_in_the_finding(self) -> None:
        finding = self.finding()
        assert str(finding.harm) == "USD 366.23"  # 365 + 10 * 0.0625 + 10 * 0.06
        stored = Finding.model_validate_json(finding.model_dump_json())
        assert recompute([stored], [finding.hash]) == ()

    def test_a_changed_base_rate_is_seen_in_the_sum(self) -> None:
        finding = self.finding()
        rows = [
            row.model_copy(update={"values": row.values | {"percent": "4"}}) if row.table == "base_rates" else row
            for row in finding.evidence
        ]
        changed = finding.model_copy(update={"evidence": tuple(rows)})
        fields = {one.field: (one.stored, one.computed) for one in recompute([changed], [finding.hash])}
        assert fields["harm"] == ("USD 366.23", "USD 366.00")
        assert "hash" in fields

    def test_what_could_not_be_computed_is_the_same_again(self) -> None:
        finding = with_interest(self.fee(), [OVER_BASE], BASE[1:], LOST + 20 * DAY)
        assert finding.missing == ("base rate bank_of_england on 2023-11-12",)
        stored = Finding.model_validate_json(finding.model_dump_json())
        assert recompute([stored], [finding.hash]) == ()


def test_people_see_how_the_interest_was_reckoned_and_by_which_base_rates() -> None:
    finding = with_interest(lost("36500"), [OVER_BASE], BASE, LOST + 20 * DAY)
    console = Console(width=400, record=True, file=StringIO())
    for part in findings([finding], "en"):
        console.print(part)
    shown = [line.strip() for line in console.export_text().splitlines()]
    factor = finding.numbers["interest.F1.factor"]
    assert f"interest {finding.numbers['interest']} by {FORMULA}" in shown
    assert f"F1: 36500 × {factor}, 20 days ({finding.numbers['interest.F1.spans']})" in shown
    assert "bank_of_england 5.25 % from 2023-08-03" in shown
    assert "bank_of_england 5 % from 2023-11-22" in shown


async def test_the_activity_looks_the_base_rates_up_and_counts_until_the_day_it_looks(
    pool: "asyncpg.Pool[asyncpg.Record]",
) -> None:
    await store(pool, *QUOTES, order(), fill("1920.96"), *BASE)
    request = InvestigationRequest(
        checks=(Check.EXECUTION, Check.OFF_MARKET),
        account=ACCOUNT,
        trades=("O1",),
        as_of=AT + 20 * DAY,
        interest=(OVER_BASE,),
    )
    investigation = await Investigating(TradeLog(pool)).investigate(request)
    stored = Investigation.model_validate_json(investigation.model_dump_json()).findings
    assert recompute(stored, [finding.hash for finding in investigation.findings]) == ()
    bearing = [finding for finding in stored if "interest" in finding.numbers]
    (finding,) = bearing  # the loss counts once, and so does its interest
    assert finding.numbers["interest.F1.days"] == "20"
    with localcontext(prec=PRECISION):
        loss = Decimal(finding.numbers["interest.principal"])
        assert finding.harm == Money.of(loss + loss * (Decimal("6.25") + 6) * 10 / 36500, "USD")
    assert investigation.version == 2

    without = request.model_copy(update={"interest": ()})
    (plain, _) = (await Investigating(TradeLog(pool)).investigate(without)).findings
    assert plain.harm == Money.of(finding.principal, "USD")
    assert "interest" not in plain.numbers


unhurried = settings(deadline=None)
days = st.integers(0, 900).map(lambda n: LOST + n * DAY)
amounts = st.integers(1, 10_000_000).map(lambda n: Decimal(n).scaleb(-2))
percents = st.integers(0, 2_000).map(lambda n: Decimal(n).scaleb(-2))


@st.composite
def rules(draw: st.DrawFn) -> list[Interest]:
    return [
        Interest(
            rule=f"r{number}",
            percent=draw(percents),
            base=draw(st.sampled_from([None, "bank_of_england"])),
            first_day=draw(st.none() | days),
            last_day=draw(st.none() | days),
        )
        for number in range(draw(st.integers(1, 3)))
    ]


@unhurried
@given(rules(), days, days, days)
def test_interest_over_adjoining_periods_is_interest_over_both(some: list[Interest], a: date, b: date, c: date) -> None:
    start, middle, end = sorted((a, b, c))

    def factor(since: date, until: date) -> Decimal:
        return sum((span.factor for span in interest_spans(since, until, some, BASE)), Decimal(0))

    with localcontext(prec=PRECISION):
        assert round(factor(start, middle) + factor(middle, end), 40) == round(factor(start, end), 40)


@unhurried
@given(rules(), amounts, days, st.randoms(use_true_random=False))
def test_interest_never_takes_away_and_follows_neither_order_nor_repetition_of_rates(
    some: list[Interest], amount: Decimal, until: date, random: Random
) -> None:
    finding = with_interest(lost(str(amount)), some, BASE, until)
    assert finding.harm is not None
    assert finding.harm >= Money.of(amount, "USD")
    assert finding.principal == amount
    shuffled = random.sample([*BASE, *BASE], 2 * len(BASE))
    assert with_interest(lost(str(amount)), some, shuffled, until).hash == finding.hash


@unhurried
@given(rules(), st.lists(amounts, min_size=1, max_size=5), days)
def test_interest_on_partial_closes_adds_up_to_that_on_the_whole(
    some: list[Interest], several: list[Decimal], until: date
) -> None:
    fills = [fill("1937.40", fill=f"F{number}", order=f"O{number}") for number in range(2, len(several) + 1)]
    more = [
        Part(key=f"price/{row.fill}", subject=row.fill, kind=PartKind.PRICE, amount=amount, currency="USD")
        for row, amount in zip(fills, several[1:], strict=True)
    ]
    apart = with_interest(lost(str(several[0]), *more, rows=fills), some, BASE, until)
    whole = with_interest(lost(str(sum(several))), some, BASE, until)
    assert apart.harm == whole.harm


@pytest.mark.parametrize("side", Side)
def test_long_and_short_bear_the_same(side: Side) -> None:
    rows = LogFacts(fills=(fill("1937.40", side),)).evidence()
    finding = lost("1000").model_copy(update={"evidence": rows})
    assert str(with_interest(finding, [EIGHT], (), LOST + 73 * DAY).harm) == "USD 1,016.00"


@unhurried
@given(rules(), st.lists(amounts, min_size=1, max_size=5), days)
def test_it_is_rounded_once_however_many_losses_bear_it(
    some: list[Interest], several: list[Decimal], until: date
) -> None:
    thousandths = [amount.scaleb(-1) for amount in several]
    fills = [fill("1937.40", fill=f"F{number}", order=f"O{number}") for number in range(2, len(several) + 1)]
    more = [
        Part(key=f"price/{row.fill}", subject=row.fill, kind=PartKind.PRICE, amount=amount, currency="USD")
        for row, amount in zip(fills, thousandths[1:], strict=True)
    ]
    finding = with_interest(lost(str(thousandths[0]), *more, rows=fills), some, BASE, until)
    with localcontext(prec=PRECISION):
        owed = sum((part.amount for part in finding.parts if part.kind is PartKind.INTEREST), Decimal(0))
        assert finding.harm == Money.of(sum(thousandths, Decimal(0)) + owed, "USD")
