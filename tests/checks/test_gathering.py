"""The checks on a trade log in PostgreSQL: what each is given, and that nobody sees anybody else's rows."""

from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

import asyncpg
import pytest

from activities.checks.investigating import MOST_BYTES, MOST_KEPT, Investigating
from activities.log.trade_log import TradeLog
from domain.checks.choice import numbers_in
from domain.checks.findings import Check, Finding, Investigation, InvestigationRequest, Verdict
from domain.checks.profit import ReferenceRule
from domain.checks.recompute import recompute
from domain.checks.tolerances import Tolerances
from domain.ground.sizes import size
from domain.log.firm_records import (
    AccountEvent,
    AccountHappened,
    Appropriateness,
    BinaryOption,
    Cancellation,
    ChargeSchedule,
    Disclosure,
    Happened,
    Outage,
)
from domain.log.trade_log import AccountEntry, AccountMessage, EntryKind, OrderState, OrderType, Side
from domain.money.parts import Rate
from starter.reading.evidence_rows import compare_with_log
from tests.checks.rows import ACCOUNT, AT, after, balance, fill, happened, order, position, quote, steady, store, terms
from tests.checks.test_investigating import INCIDENT, OTHER_ACCOUNT, QUOTES

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
DAY = timedelta(days=1)


_OF_AN_ORDER = (Check.EXECUTION, Check.SLIPPAGE, Check.EXECUTION_DELAY, Check.REQUOTE, Check.TRIGGER, Check.OFF_MARKET)


async def found(pool: Pool, *checks: Check, trades: tuple[str, ...] = (), **more: Any) -> Investigation:
    """The findings; what is made again from them is always the same, the log still has their rows as they have them,
    and no other account is in them."""
    request = InvestigationRequest(checks=checks, account=ACCOUNT, trades=trades, as_of=after(30 * 86_400), **more)
    investigation = await Investigating(TradeLog(pool)).investigate(request)
    assert OTHER_ACCOUNT not in investigation.model_dump_json()
    stored = Investigation.model_validate_json(investigation.model_dump_json()).findings
    assert recompute(stored, [finding.hash for finding in investigation.findings]) == ()
    assert await compare_with_log(pool, stored) == []
    return investigation


async def one(pool: Pool, check: Check, *trades: str, **more: Any) -> Finding:
    (finding,) = (await found(pool, check, trades=trades, **more)).findings
    return finding


async def test_a_slipped_order_is_judged_beside_all_customers_orders_of_its_kind(pool: Pool) -> None:
    others = [
        row
        for number in range(60)
        for row in (
            order(order=f"X{number}", account=OTHER_ACCOUNT, price=Decimal("1937.50")),
            fill(
                "1937.40" if number else "1937.60",
                fill=f"XF{number}",
                order=f"X{number}",
                account=OTHER_ACCOUNT,
                at=after(number),
            ),
        )
    ]
    late: dict[str, Any] = {"account": OTHER_ACCOUNT, "order": "LATE"}
    await store(pool, *QUOTES, order(price=Decimal("1938.00")), order(price=Decimal("1937"), **late), fill("1937.40"))
    await store(pool, fill("1937.40", fill="LATE", at=after(3601), **late))
    await store(pool, *sorted(others, key=lambda row: type(row).__name__))
    own, symmetry = (await found(pool, Check.SLIPPAGE, trades=("O1",))).findings
    assert (own.verdict, own.numbers["slippage"]) == (Verdict.MARKET, "0.6")
    assert symmetry.subject == "all customers: XAUUSD market"
    assert (symmetry.numbers["better"], symmetry.numbers["worse"]) == ("1", "60")
    assert symmetry.verdict is Verdict.FIRM_FAULT
    assert str(symmetry.harm) == "USD 60.00"


async def test_a_delay_is_laid_on_the_leg_it_happened_on(pool: Pool) -> None:
    await store(
        pool,
        *(quote(source, -6, "1940.00") for source in ("LP-B", "LP-C")),
        *steady("LP-B", "1937.40")[6:],
        *steady("LP-C", "1937.40")[6:],
        order(received_at=after(-5)),
        fill("1937.40"),
        happened(Happened.FORWARDED, -4.9),
        happened(Happened.ANSWERED, -0.1),
        happened(Happened.FORWARDED, -1, event="X", account=OTHER_ACCOUNT),
    )
    finding = await one(pool, Check.EXECUTION_DELAY, "O1")
    assert (finding.verdict, finding.numbers["cause"]) == (Verdict.PROVIDER_FAULT, "provider")
    assert str(finding.harm) == "USD 260.00"


async def test_a_refused_order_is_found_by_its_time_and_its_replacement_with_it(pool: Pool) -> None:
    await store(
        pool,
        *QUOTES,
        happened(Happened.RECEIVED, 0, price=Decimal("1937.40")),
        happened(Happened.REQUOTED, 1, price=Decimal("1936.00")),
        order(),
        order(order="O2"),
        fill("1936.39", fill="F2", order="O2", at=after(30)),
    )
    refused, everybody = (await found(pool, Check.REQUOTE, occurred_from=AT)).findings
    assert (refused.subject, refused.verdict, str(refused.harm)) == (
        "O1",
        Verdict.FIRM_FAULT,
        "USD 97.00",
    )  # the middle is 1937.36
    assert everybody.subject == "all customers: XAUUSD"
    assert everybody.numbers == {}  # one order is no population
    nothing = await one(pool, Check.REQUOTE, occurred_from=AT + DAY)
    assert nothing.missing == ("a requoted or rejected order, or the exact time of it",)


async def test_the_first_quote_through_a_trigger_is_found_wherever_it_lies(pool: Pool) -> None:
    await store(
        pool,
        *(quote(source, second, "1936.00") for source in ("LP-B", "LP-C") for second in range(-5000, -4000)),
        *(quote(source, -3600, "1934.90") for source in ("LP-B", "LP-C")),
        *steady("LP-B", "1930.00"),
        *steady("LP-C", "1930.00"),
        order(OrderType.STOP_LOSS, price=Decimal("1935.00"), position="P1"),
        position(opened_at=after(-5400), close_price=Decimal("1930"), closed_at=AT),
        fill("1930.00"),
    )
    finding = await one(pool, Check.TRIGGER, "P1")
    assert finding.numbers["reached_at"] == after(-3600).isoformat()
    assert (finding.verdict, str(finding.harm)) == (Verdict.FIRM_FAULT, "USD 490.00")
    assert len(finding.evidence) < 40


async def test_a_target_of_the_position_that_was_passed_unfilled_is_found(pool: Pool) -> None:
    await store(
        pool,
        *(quote(source, -600, "1961.00") for source in ("LP-B", "LP-C")),
        *QUOTES,
        position(close_price=Decimal("1937.40"), closed_at=AT),
        order(position="P1"),
        order(
            OrderType.TAKE_PROFIT,
            order="O2",
            position="P1",
            price=Decimal("1960.00"),
            received_at=after(-3000),
            state=OrderState.CANCELLED,
            ended_at=AT,
        ),
        fill("1937.40"),
    )
    market, target = (await found(pool, Check.TRIGGER, trades=("P1",))).findings
    assert market.verdict is Verdict.NO_FAULT
    assert (target.subject, target.verdict, str(target.harm)) == ("O2", Verdict.FIRM_FAULT, "USD 2,260.00")


async def test_the_quotes_on_both_sides_of_a_spike_are_its_evidence(pool: Pool) -> None:
    await store(pool, *INCIDENT)
    finding = await one(pool, Check.OFF_MARKET, "P1")
    assert (finding.verdict, str(finding.harm)) == (Verdict.PROVIDER_FAULT, "USD 1,314.40")
    assert finding.numbers["off_ms"] == "1000"


class TestTheIncident:
    async def test_the_stop_out_is_replayed_from_the_log(self, pool: Pool) -> None:
        await store(pool, *INCIDENT, terms(), terms(terms="T0", effective_from=after(-2e6)), balance("1800"))
        finding = await one(pool, Check.STOP_OUT, "P1")
        assert (finding.verdict, str(finding.harm)) == (Verdict.PROVIDER_FAULT, "USD 1,314.40")
        assert finding.numbers["O1.level"] == "102.53"

    async def test_without_terms_and_balance_the_finding_says_so(self, pool: Pool) -> None:
        await store(pool, *INCIDENT, terms(account=OTHER_ACCOUNT), balance("1", account=OTHER_ACCOUNT))
        assert len((await one(pool, Check.STOP_OUT, "P1")).missing) == 2

    async def test_five_checks_find_the_same_loss_and_it_counts_once(self, pool: Pool) -> None:
        await store(pool, *INCIDENT, terms(), balance("1800"))
        checks = (Check.EXECUTION, Check.OFF_MARKET, Check.STOP_OUT)
        findings = (await found(pool, *checks, trades=("P1",))).findings
        assert all(finding.verdict is Verdict.PROVIDER_FAULT for finding in findings)
        assert [str(finding.harm) for finding in findings] == ["USD 0.00", "USD 0.00", "USD 1,314.40"]
        assert findings[0].numbers["counted_in.price/F1"] == "stop_out"
        assert "counted under another heading (forced liquidation)" in findings[0].reason.en

    async def test_all_positions_of_one_liquidation_are_one_finding(self, pool: Pool) -> None:
        rate = Rate(base="USD", quote="SGD", source="MAS", at=after(-60), rate=Decimal("1.36"))
        rows: list[Any] = [terms(currency="SGD"), balance("6800", currency="SGD"), rate]
        for number in range(29):
            rows += [
                position(
                    position=f"P{number}",
                    volume=Decimal("0.1"),
                    close_price=Decimal("1920.96"),
                    closed_at=AT,
                ),
                order(OrderType.STOP_OUT, order=f"O{number}", position=f"P{number}", volume=Decimal("0.1")),
                fill("1920.96", fill=f"F{number}", order=f"O{number}", volume=Decimal("0.1")),
            ]
        await store(pool, *QUOTES)
        await store(pool, *sorted(rows, key=lambda row: type(row).__name__))
        finding = await one(pool, Check.STOP_OUT, "P7")
        assert len(finding.parts) == 29
        # in USD: at the bad quote 5,000 - 29 * 190.40 is below zero; on valid prices 5,000 - 29 * 26.10 = 4,243.10
        assert finding.verdict is Verdict.PROVIDER_FAULT
        assert str(finding.harm) == "SGD 6,479.99"  # 29 * 16.43 * 10 * 1.36

    @pytest.mark.parametrize(
        ("rule", "harm"),
        [
            (ReferenceRule.WHEN_ABLE_TO_ACT, "USD 1,923.20"),  # 1945.00 an hour later
            (ReferenceRule.OWN_STOP_OR_TARGET, "USD 2,323.20"),  # its target, 1950.00
            (ReferenceRule.NEXT_STOP_OUT, "USD 0.80"),  # 1920.97
            (ReferenceRule.REINSTATE, "USD 0.00"),
        ],
    )
    async def test_the_pack_declares_the_reference_price_and_the_log_is_read_as_far_as_it_needs(
        self, pool: Pool, rule: ReferenceRule, harm: str
    ) -> None:
        rows = [row for row in INCIDENT if type(row).__name__ != "Position"]
        held = position(volume=Decimal("0.8"), close_price=Decimal("1920.96"), closed_at=AT, target=Decimal("1950.00"))
        later = [
            quote(source, second, bid)
            for source in ("LP-B", "LP-C")
            for second, bid in ((3600, "1945.00"), (7200, "1951.00"), (9000, "1920.97"))
        ]
        await store(pool, *rows, held, *later, terms(), balance("1800"))
        finding = await one(pool, Check.STOP_OUT, "P1", tolerances=Tolerances(reference=rule))
        assert (finding.verdict, str(finding.harm)) == (Verdict.PROVIDER_FAULT, harm)


async def test_swap_and_commission_are_compared_with_the_schedule_of_the_time(pool: Pool) -> None:
    schedule = ChargeSchedule(
        schedule="S1",
        symbol="XAUUSD",
        effective_from=after(-1e7),
        swap_long=Decimal("-3.6"),
        swap_short=Decimal(0),
        swap_unit="percent_360",
        triple_day=3,
        currency="USD",
    )
    later = schedule.model_copy(update={"schedule": "S2", "effective_from": AT + 20 * DAY, "swap_long": Decimal(-99)})
    held = position(closed_at=AT + DAY, close_price=Decimal("1940"), swap=Decimal("-38.80"))
    await store(pool, schedule, later, held)
    finding = await one(pool, Check.CHARGES, "P1")
    # 13 November 2023 was a Monday: one night at 22:00 UTC, 19.40
    assert (finding.numbers["nights"], finding.numbers["swap_due"]) == ("1", "-19.4")
    assert str(finding.harm) == "USD 19.40"


async def test_an_attempt_in_an_outage_is_found_by_its_time(pool: Pool) -> None:
    await store(
        pool,
        *QUOTES,
        Outage(outage="OUT-1", service="trade-server", since=after(-60), until=after(600)),
        position(),
        position(position="P2"),
        happened(Happened.FAILED, 0, event="E1", order=None, position="P1", volume=Decimal("0.4")),
        happened(Happened.FAILED, 1, event="X1", order=None, account=OTHER_ACCOUNT),
        fill("1935.39", fill="F2", order="O8", at=after(650), position="P2"),
        fill("1930.39", order="O9", at=after(700), position="P1"),
    )
    finding = await one(pool, Check.OUTAGE, occurred_from=AT)
    assert (finding.subject, finding.verdict, str(finding.harm)) == ("E1", Verdict.FIRM_FAULT, "USD 278.80")


async def test_options_cancellations_and_fees_are_found_by_their_numbers(pool: Pool) -> None:
    option = BinaryOption(
        option="BO1",
        account=ACCOUNT,
        symbol="XAUUSD",
        source="LP-A",
        direction="up",
        stake=Decimal(100),
        currency="USD",
        payout_percent=Decimal(80),
        strike=Decimal("1937.55"),
        struck_at=after(-60),
        expires_at=AT,
        paid=Decimal(0),
    )
    undone = Cancellation(cancellation="C1", account=ACCOUNT, at=AT, amount=Decimal(50), currency="USD", position="P1")
    fee = AccountEntry(
        entry="E1",
        account=ACCOUNT,
        kind=EntryKind.FEE,
        amount=Decimal(-25),
        currency="USD",
        booked_at=AT,
        note="Inactivity fee",
    )
    told = Disclosure(disclosure="D1", account=OTHER_ACCOUNT, kind="fee", about="inactivity fee", at=after(-60))
    cheaper = {"disclosure": "D2", "account": ACCOUNT, "unit": "month", "sum": Decimal(10), "currency": "USD"}
    theirs = option.model_copy(update={"option": "XBO1", "account": OTHER_ACCOUNT})
    # the feed's last tick is a day old, and another source ticked since
    await store(pool, quote("LP-A", -3600, "1937.40"), quote("LP-B", -5, "1938.40"))
    await store(pool, option, theirs, undone, fee, told, told.model_copy(update=cheaper), position())
    settled = await one(pool, Check.BINARY_OPTION, "BO1")
    assert (settled.verdict, str(settled.harm)) == (Verdict.PROVIDER_FAULT, "USD 100.00")
    # named by its number it is looked at, whatever check was asked for, and nobody is asked for a trade
    for words in ("My BO1 expired at a wrong price.", "我的bo1到期价不对。"):
        asked = (await found(pool, *_OF_AN_ORDER, mentioned=numbers_in(words))).findings
        assert [(each.check, each.verdict) for each in asked] == [(Check.BINARY_OPTION, settled.verdict)], words
    asked = (await found(pool, Check.EXECUTION, trades=("BO1",))).findings
    assert [each.check for each in asked] == [Check.BINARY_OPTION]
    assert (await one(pool, Check.BINARY_OPTION, "XBO1")).missing == ("trade XBO1",)
    assert str((await one(pool, Check.CANCELLED_TRADE, "P1")).harm) == "USD 50.00"
    assert str((await one(pool, Check.FEES, "E1")).harm) == "USD 15.00"
    again = fee.model_copy(update={"entry": "E2", "amount": Decimal(-10), "booked_at": after(86_400)})
    await store(pool, again)
    assert (await one(pool, Check.FEES, "E2")).missing == ("for which months the fees E2 and E1 were charged",)


async def test_where_no_fee_is_on_the_account_what_a_trade_cost_is_answered_by_the_charges_alone(pool: Pool) -> None:
    await store(pool, position(close_price=Decimal("1930.00"), closed_at=AT))
    asked = (await found(pool, Check.CHARGES, Check.FEES)).findings
    assert [finding.check for finding in asked] == [Check.CHARGES]
    assert (await one(pool, Check.FEES)).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("trades", [(), ("P1",), ("O1", "NONE")])
@pytest.mark.parametrize("check", Check)
async def test_a_check_that_somebody_asked_for_by_name_answers(
    pool: Pool, check: Check, trades: tuple[str, ...]
) -> None:
    await store(pool, *QUOTES, order(), fill("1937.40"), position(close_price=Decimal("1930.00"), closed_at=AT))
    for checks in ((check,), tuple(Check)):
        answers = (await found(pool, *checks, trades=trades, by_name=(check,))).findings
        assert check in {finding.check for finding in answers}


@pytest.mark.parametrize("number", ["P1", "BO1"])
async def test_of_fees_no_trade_is_given_back_whatever_number_is_named(pool: Pool, number: str) -> None:
    lost = position(close_price=Decimal("1930.00"), closed_at=AT)
    option = BinaryOption.model_validate(
        {"option": "BO1", "account": ACCOUNT, "symbol": "XAUUSD", "source": "LP-1", "direction": "up", "stake": "10"}
        | {"currency": "USD", "payout_percent": "80", "strike": "1935", "struck_at": AT, "expires_at": after(60)}
    )
    await store(pool, lost, option, terms())
    asked = [each for each in (await found(pool, Check.FEES, trades=(number,))).findings if each.check is Check.FEES]
    assert [(each.verdict, each.harm) for each in asked] in ([], [(Verdict.INCONCLUSIVE, None)])
    assert asked or number == "BO1"


async def test_a_position_in_a_product_nobody_asked_about_contains_the_loss_on_its_price(pool: Pool) -> None:
    closed = position(volume=Decimal("0.8"), close_price=Decimal("1920.96"), closed_at=AT)
    rows = [row for row in INCIDENT if type(row).__name__ != "Position"]
    asked_too_late = Appropriateness(
        assessment="A1", account=ACCOUNT, symbol="XAUUSD", at=after(60), result="appropriate"
    )
    before = {"assessment": "A0", "account": OTHER_ACCOUNT, "at": after(-86_400)}
    another = asked_too_late.model_copy(update=before)
    await store(pool, *rows, closed, terms(), asked_too_late, another)
    checks = (Check.EXECUTION, Check.SUITABILITY)
    executed, sold = (await found(pool, *checks, trades=("P1",))).findings
    assert str(sold.harm) == "USD 1,523.20"  # (1940 - 1920.96) * 80, the bad price of 1,314.40 within it
    assert str(executed.harm) == "USD 0.00"
    assert executed.verdict is Verdict.PROVIDER_FAULT


@pytest.mark.parametrize(
    ("days", "account", "verdict"),
    [
        (None, OTHER_ACCOUNT, Verdict.INCONCLUSIVE),
        (1, OTHER_ACCOUNT, Verdict.INCONCLUSIVE),
        (-400, OTHER_ACCOUNT, Verdict.INCONCLUSIVE),
        (-300, OTHER_ACCOUNT, Verdict.FIRM_FAULT),
        (-300, ACCOUNT, Verdict.FIRM_FAULT),
    ],
)
async def test_silence_counts_as_fault_only_where_the_firm_keeps_assessments_of_the_time(
    pool: Pool, days: int | None, account: str, verdict: Verdict
) -> None:
    lost = position(close_price=Decimal("1930.00"), closed_at=AT)
    of_another_product = {"assessment": "A1", "account": account, "symbol": "XAGUSD", "result": "appropriate"}
    rows = [] if days is None else [Appropriateness.model_validate(of_another_product | {"at": after(days * 86_400)})]
    await store(pool, lost, terms(), *rows)
    sold = await one(pool, Check.SUITABILITY, "P1")
    assert sold.verdict is verdict
    assert OTHER_ACCOUNT not in sold.model_dump_json()


async def test_each_step_of_verification_is_told_without_the_firms_reason(pool: Pool) -> None:
    def event(number: str, seconds: float, kind: AccountHappened, account: str = ACCOUNT, **more: Any) -> AccountEvent:
        return AccountEvent(event=number, account=account, at=after(seconds), kind=kind, **more)

    secret = "name on a watch list"
    await store(
        pool,
        event("A1", 0, AccountHappened.VERIFICATION_ASKED),
        event("A2", 60, AccountHappened.VERIFICATION_REFUSED, reason=secret),
        event("A3", 120, AccountHappened.VERIFICATION_ASKED),
        event("A4", 180, AccountHappened.LOGGED_IN, country="HK"),
        event("A9", 0, AccountHappened.VERIFIED, OTHER_ACCOUNT),
    )
    told = await one(pool, Check.VERIFICATION)
    steps = ("verification_asked", "verified", "verification_refused")
    assert [told.numbers[step] for step in steps] == ["2", "0", "1"]
    assert told.reason.en.count("you were asked to verify") == told.reason.zh.count("要求您进行身份验证") == 2
    assert told.reason.en.index("asked to verify") < told.reason.en.index("not accepted")
    assert secret in str(told.evidence)
    assert secret not in told.reason.en + told.reason.zh + str(told.numbers)
    assert told.verdict is Verdict.INCONCLUSIVE


async def test_fees_and_withdrawals_near_are_told_one_by_one_and_left_to_a_person(pool: Pool) -> None:
    def entry(name: str, kind: str, amount: str, at: datetime, **more: Any) -> AccountEntry:
        said = {"entry": name, "account": ACCOUNT, "kind": kind, "amount": amount, "currency": "USD", "booked_at": at}
        return AccountEntry.model_validate(said | more)

    await store(
        pool,
        entry("F1", "fee", "-80", after(0), note="inactivity"),
        entry("F0", "fee", "-9", AT - 100 * DAY),
        entry("D1", "deposit", "500", after(30)),
        entry("W1", "withdrawal", "-300", after(60), requested_at=AT),
        entry("X1", "fee", "-77", after(60), account=OTHER_ACCOUNT),
    )
    told = await one(pool, Check.ENTRIES)
    assert (told.verdict, told.numbers) == (Verdict.INCONCLUSIVE, {"entries": "2"})
    assert "a fee of USD 80.00 was booked (F1)" in told.reason.en
    assert "出金 USD 300.00（W1）" in told.reason.zh
    assert "F0" not in told.reason.en, "too long ago"
    named = await one(pool, Check.ENTRIES, occurred_from=AT - 100 * DAY, occurred_until=AT - 99 * DAY)
    assert "(F0)" in named.reason.en
    assert "F1" not in named.reason.en
    nothing = await one(pool, Check.ENTRIES, occurred_from=AT - 50 * DAY)
    assert "no fee and no withdrawal" in nothing.reason.en


async def test_a_freeze_log_ins_and_a_promise_are_told_and_left_to_a_person(pool: Pool) -> None:
    def event(number: str, seconds: float, kind: AccountHappened, account: str = ACCOUNT, **more: Any) -> AccountEvent:
        return AccountEvent(event=number, account=account, at=after(seconds), kind=kind, **more)

    def message(number: str, text: str, account: str = ACCOUNT, direction: Any = "to_customer") -> AccountMessage:
        return AccountMessage(message=number, account=account, at=AT, direction=direction, text=text)

    secret = "suspected of layering"
    await store(
        pool,
        event("A1", 0, AccountHappened.FROZEN, reason=secret),
        event("A2", 2 * 86_400, AccountHappened.UNFROZEN),
        event("A3", 3 * 86_400, AccountHappened.FROZEN, told_at=after(3 * 86_400 + 60)),
        event("A9", 0, AccountHappened.FROZEN, OTHER_ACCOUNT),
        *(event(f"L{n}", n, AccountHappened.LOGGED_IN, country="HK") for n in range(3)),
        event("L7", 86_400, AccountHappened.LOGGED_IN, country="RO"),
        event("L8", 86_390, AccountHappened.LOG_IN_FAILED, country="RO"),
        event("L9", 0, AccountHappened.LOGGED_IN, OTHER_ACCOUNT, country="BR"),
        message("M1", "This robot is risk-free,\nI guarantee 20 % a month."),
        message("M2", "您好，我們承諾免手續費。"),
        message("M3", "Good morning."),
        message("M4", "I want what you promised.", direction="from_customer"),
        message("M9", "We promise a bonus.", OTHER_ACCOUNT),
        AccountEntry(
            entry="W1",
            account=ACCOUNT,
            kind=EntryKind.WITHDRAWAL,
            amount=Decimal(-100),
            currency="USD",
            requested_at=after(86_400),
            booked_at=after(5 * 86_400),
        ),
        happened(Happened.REJECTED, 3_600, event="R1", account=ACCOUNT),
    )
    first, second = (await found(pool, Check.FROZEN_ACCOUNT)).findings
    told = first.numbers
    assert (told["frozen_seconds"], told["reason_recorded"]) == ("172800", "yes")
    assert (told["refused_orders"], told["pending_withdrawals"]) == ("1", "1")
    assert "2 days later" in first.reason.en
    assert "历时 2天" in first.reason.zh
    assert "do not say that you were told" in first.reason.en
    assert secret not in first.reason.en + str(first.numbers)
    assert secret in str(first.evidence)
    assert "lifted_at" not in second.numbers
    assert "hold no reason" in second.reason.en
    within = {"occurred_from": after(86_400), "occurred_until": after(86_400)}
    assert (await one(pool, Check.FROZEN_ACCOUNT, **within)).subject == "A1"
    entered = await one(pool, Check.LOG_INS)
    assert (entered.numbers["usual_country"], entered.numbers["elsewhere"]) == ("HK", "1")
    assert entered.numbers["failed_log_ins"] == "1"
    promised = await one(pool, Check.PROMISE)
    assert [row.key for row in promised.evidence] == ["M1", "M2"]
    assert "“This robot is risk-free, I guarantee 20 % a month.”" in promised.reason.en
    assert "承諾免手續費" in promised.reason.zh
    for finding in (first, second, entered, promised):
        assert (finding.verdict, finding.harm) == (Verdict.INCONCLUSIVE, None)
        assert not any(name.startswith(("account", "trade ", "number of the order")) for name in finding.missing)


@pytest.mark.parametrize("check", [Check.FROZEN_ACCOUNT, Check.LOG_INS, Check.PROMISE])
async def test_an_account_log_that_has_nothing_of_it_is_no_answer(pool: Pool, check: Check) -> None:
    await store(pool, position())
    finding = await one(pool, check)
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert finding.missing


BESIDE = 20_000
"""Bytes of an investigation that are there whatever was found."""


async def test_everything_at_once_stays_within_a_payload(pool: Pool) -> None:
    orders = [order(order=f"O{n}", price=Decimal("1938")) for n in range(50)]
    fills = [fill("1937.40", fill=f"F{n}", order=f"O{n}") for n in range(50)]
    fee = {"entry": "E1", "account": ACCOUNT, "kind": EntryKind.FEE, "amount": Decimal(-5), "currency": "USD"}
    await store(pool, *QUOTES, *orders, *fills, AccountEntry.model_validate(fee | {"booked_at": AT, "note": "a fee"}))
    everything = await found(pool, *Check, occurred_from=AT)
    assert size(everything) < MOST_BYTES + BESIDE
    assert size(everything.bare) < MOST_KEPT + BESIDE
    assert any(finding.missing == ("a smaller choice of trades",) for finding in everything.findings)
    assert {finding.check for finding in everything.findings} == set(Check)


@pytest.mark.parametrize(("limit", "most"), [("MOST_BYTES", 12_000), ("MOST_KEPT", 3_000)])
async def test_a_check_that_would_not_fit_asks_for_fewer_trades(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, limit: str, most: int
) -> None:
    monkeypatch.setattr(f"activities.checks.investigating.{limit}", most)
    await store(pool, *INCIDENT)
    small, large = (await found(pool, Check.EXECUTION, Check.OFF_MARKET, trades=("P1",))).findings
    assert small.missing == ()
    assert large.missing == ("a smaller choice of trades",)


@pytest.mark.parametrize(
    "row",
    [happened(Happened.FAILED, 0, event="E1", order=None), terms(), balance("1000")],
    ids=["tried", "terms", "money"],
)
async def test_an_account_is_known_by_whatever_is_recorded_of_it_before_it_has_traded(pool: Pool, row: Any) -> None:
    await store(pool, row)
    assert (await one(pool, Check.OUTAGE, occurred_from=AT)).missing != ("account",)


async def test_an_account_is_known_by_who_holds_it_before_anything_else_is_recorded_of_it(pool: Pool) -> None:
    assert (await one(pool, Check.OUTAGE, occurred_from=AT)).missing == ("account",)
    await pool.execute(
        "insert into casefile.customers (account, name, language) values ($1, 'A Customer', 'en')", ACCOUNT
    )
    assert (await one(pool, Check.OUTAGE, occurred_from=AT)).missing != ("account",)


async def test_the_new_records_are_records_nobody_changes_them(pool: Any) -> None:
    await store(pool, terms())
    for statement in ("update tradelog.account_terms set leverage = 1", "delete from tradelog.account_terms"):
        with pytest.raises(asyncpg.RestrictViolationError, match="the trade log is a record"):
            await pool.execute(statement)


async def test_a_short_is_stopped_out_on_the_ask(pool: Pool) -> None:
    spike = [quote("LP-A", second, "1960.00" if second == 0 else "1937.40") for second in range(-10, 11)]
    held = position(
        side=Side.SELL,
        open_price=Decimal("1935.00"),
        close_price=Decimal("1960.30"),
        closed_at=AT,
    )
    await store(
        pool,
        *steady("LP-B", "1937.36"),
        *steady("LP-C", "1937.42"),
        *spike,
        held,
        order(OrderType.STOP_OUT, Side.BUY, position="P1"),
        fill("1960.30", Side.BUY),
        terms(),
        balance("2500"),
    )
    finding = await one(pool, Check.STOP_OUT, "P1")
    # ask 1937.69: (1960.30 - 1937.69) * 100
    assert (finding.verdict, str(finding.harm)) == (Verdict.PROVIDER_FAULT, "USD 2,261.00")


async def test_a_position_closed_against_the_customers_own_is_held_against_no_quote(pool: Pool) -> None:
    closed = order(OrderType.CLOSE_BY, position="P1")
    await store(pool, *QUOTES, closed, fill("1800.00", position="P1"))
    for check in (Check.EXECUTION, Check.OFF_MARKET, Check.SLIPPAGE, Check.TRIGGER, Check.EXECUTION_DELAY):
        finding = await one(pool, check, "O1")
        assert (finding.verdict, str(finding.harm)) == (Verdict.NO_FAULT, "USD 0.00")


async def test_a_fill_of_an_order_that_came_after_it_was_looked_at_is_told(pool: Pool) -> None:
    await store(pool, *QUOTES, order(price=Decimal("1937.00")), fill("1937.40"))
    findings = (await found(pool, Check.EXECUTION, Check.SLIPPAGE, trades=("O1",))).findings
    await store(pool, fill("1937.10", fill="LATER", volume=Decimal("0.1")))
    (told,) = await compare_with_log(pool, findings)
    assert (told.table, told.key, told.field, told.stored, told.now) == (
        *("fills", "LATER", "row"),
        *("not there", "of order O1"),
    )


async def test_what_several_checks_of_an_order_go_by_is_asked_of_the_log_once(pool: Pool) -> None:
    stop = order(type=OrderType.STOP_LOSS, price=Decimal("1938.00"))
    await store(pool, *QUOTES, stop, position(), fill("1937.40"))
    asked: list[tuple[str, str]] = []

    def note(query: Any) -> None:
        if "tradelog." in query.query:
            asked.append((query.query, repr(query.args)))

    async with pool.acquire() as connection:
        connection.add_query_logger(note)
    try:
        request = InvestigationRequest(checks=_OF_AN_ORDER, account=ACCOUNT, trades=("O1",), as_of=after(86_400))
        await Investigating(TradeLog(pool)).investigate(request)
    finally:
        async with pool.acquire() as connection:
            connection.remove_query_logger(note)
    assert len(asked) > 10
    assert [query for query, times in Counter(asked).items() if times > 1] == []
