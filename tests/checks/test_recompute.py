"""Findings are made again from themselves, or it is told what is different."""

import hashlib
import json
from decimal import Decimal
from typing import Any

import pytest

from domain.checks.choice import checks_for, pointed_to
from domain.checks.execution.finding import check_execution
from domain.checks.facts import Given, LogFacts
from domain.checks.findings import Check, Finding, Verdict
from domain.checks.losses import once_only, without
from domain.checks.recompute import Difference, recompute
from domain.checks.tolerances import Tolerances
from domain.checks.withdrawal_delay.finding import check_withdrawal_delay
from domain.ground.bilingual import Bilingual
from domain.ground.words import Category
from domain.log.trade_log import AccountEntry, EntryKind, OrderType
from domain.money.amounts import Money
from domain.money.parts import Part, PartKind, Rate
from tests.checks.rows import (
    ACCOUNT,
    AT,
    GOLD,
    after,
    balance,
    execution,
    fill,
    middle,
    order,
    position,
    quote,
    run,
    steady,
    terms,
)

QUOTES = (
    *steady("LP-B", "1937.36"),
    *steady("LP-C", "1937.42"),
    *(quote("LP-A", second, "1920.96" if second == 0 else "1937.40") for second in range(-10, 11)),
)
HELD = position(close_price=Decimal("1920.96"), closed_at=AT, close_reason="stop_out")
STOP_OUT = order(OrderType.STOP_OUT, position="P1")


def executed(filled: str = "1920.96", **tolerances: Any) -> Finding:
    return check_execution(
        execution(fill(filled), of=STOP_OUT, position=HELD), QUOTES, tolerances=Tolerances.model_validate(tolerances)
    )


def stopped_out() -> Finding:
    facts = LogFacts(
        orders=(STOP_OUT,),
        fills=(fill("1920.96"),),
        positions=(HELD,),
        quotes=QUOTES,
        instruments=(GOLD,),
        account_terms=(terms(),),
        balances=(balance("2500"),),
    )
    return run(Check.STOP_OUT, "O1", facts, Given(tolerances=Tolerances(), as_of=after(86_400)))


def stored(*findings: Finding) -> list[Finding]:
    """As they come back from the case file."""
    return [Finding.model_validate_json(finding.model_dump_json()) for finding in findings]


def differing(differences: tuple[Difference, ...]) -> dict[str, tuple[str, str]]:
    return {each.field: (each.stored, each.computed) for each in differences}


def with_row(finding: Finding, table: str, **values: str) -> Finding:
    """*finding* with a row of its evidence changed."""
    evidence = tuple(
        row.model_copy(update={"values": row.values | values}) if row.table == table else row
        for row in finding.evidence
    )
    return finding.model_copy(update={"evidence": evidence})


class TestMadeAgain:
    def test_findings_are_the_same_to_the_cent_and_the_hash(self) -> None:
        late = AccountEntry(
            entry="W1",
            account=ACCOUNT,
            kind=EntryKind.WITHDRAWAL,
            amount=Decimal(-36_500),
            currency="USD",
            requested_at=AT,
        )
        delay = check_withdrawal_delay(late, as_of=after(30 * 86_400), tolerances=Tolerances(withdrawal_hours=24))
        findings = once_only([executed(), stopped_out(), delay])
        hashes = [finding.hash for finding in findings]
        assert recompute(stored(*findings), hashes) == ()

    def test_tolerances_other_than_the_defaults_are_kept(self) -> None:
        strict = executed("1937.30", price="0.01")
        assert strict.verdict is Verdict.FIRM_FAULT
        assert recompute(stored(strict), [strict.hash]) == ()

    def test_a_lonely_source_is_made_again_with_the_middle_of_its_feed(self) -> None:
        lonely = check_execution(
            execution(fill("1920.96"), of=order()),
            [row for row in QUOTES if row.source == "LP-A"],
            [middle("1937.40")],
            tolerances=Tolerances(),
        )
        assert lonely.missing
        assert recompute(stored(lonely), [lonely.hash]) == ()

    def test_what_was_counted_elsewhere_is_counted_there_again(self) -> None:
        findings = once_only([executed(), stopped_out()])
        assert [str(finding.harm) for finding in findings] == ["USD 0.00", "USD 1,643.00"]
        alone = differing(recompute(stored(findings[0])))  # without the other, it is its own loss
        assert alone["harm"] == ("USD 0.00", "USD 1,643.00")


class TestWhatIsDifferent:
    def test_a_changed_price_in_the_evidence_is_told_with_what_follows_from_it(self) -> None:
        told = differing(recompute([with_row(executed(), "fills", price="1930.96")]))
        assert told["harm"] == ("USD 1,643.00", "USD 643.00")
        assert told["numbers.price"] == ("1920.96", "1930.96")
        assert told["parts.price/F1"] == ("1643", "643")
        assert told["verdict"] == ("provider_fault", "firm_fault")

    def test_a_copy_with_other_values_has_a_hash_of_its_own(self) -> None:
        found = executed()
        other = {"subject": "O2"}
        assert found.hash != found.model_copy(update=other).hash == executed().model_copy(update=other).hash

    def test_a_changed_sum_is_told(self) -> None:
        more = executed().model_copy(update={"harm": Money(amount=Decimal("9999"), currency="USD")})
        assert differing(recompute([more], [executed().hash])) == {
            "hash": (executed().hash, more.hash),
            "harm": ("USD 9,999.00", "USD 1,643.00"),
        }

    def test_a_changed_reason_is_told(self) -> None:
        other = executed().model_copy(update={"reason": Bilingual(en="It was nothing.", zh=executed().reason.zh)})
        assert set(differing(recompute([other]))) == {"reason.en"}

    def test_another_formula_is_told(self) -> None:
        older = executed().model_copy(update={"formula": "bad-exit/valid-price-at-that-instant@0"})
        assert differing(recompute([older]))["formula"] == (
            "bad-exit/valid-price-at-that-instant@0",
            "bad-exit/valid-price-at-that-instant@1",
        )

    def test_a_row_that_is_gone_is_told_by_what_no_longer_follows(self) -> None:
        whole = executed()
        less = whole.model_copy(
            update={"evidence": tuple(r for r in whole.evidence if r.values.get("source") != "LP-B")}
        )
        assert differing(recompute([less]))["numbers.valid_sources"] == ("LP-B, LP-C", "LP-C")

    def test_damaged_evidence_is_named_by_its_field(self) -> None:
        told = differing(recompute([with_row(executed(), "fills", price="dear")]))
        assert told == {"evidence": ("kept", "unreadable: fills.0.price")}

    def test_a_finding_from_before_tolerances_were_kept_says_so_and_keeps_its_hash(self) -> None:
        new = executed()
        before = new.model_copy(update={"given": {}, "confidence": None, "parts": (), "reference_rule": None})
        assert differing(recompute([before]))["given"][1].startswith("cannot be computed without")
        content = {
            name: value
            for name, value in before.model_dump(mode="json").items()
            if name not in {"given", "confidence", "parts", "reference_rule", "owes"}
        }
        assert Finding.model_validate(content).hash == before.hash
        text = json.dumps(content, sort_keys=True, ensure_ascii=False)  # its evidence is in order already
        assert before.hash == hashlib.sha256(text.encode()).hexdigest()
        assert before.hash != new.hash

    def test_a_finding_without_evidence_is_taken_as_it_is(self) -> None:
        unknown = Finding(
            check=Check.EXECUTION,
            subject="account",
            verdict=Verdict.INCONCLUSIVE,
            reason=Bilingual(en="Unknown.", zh="不详。"),
            missing=("account",),
            formula="bad-fill@1",
        )
        assert recompute([unknown], [unknown.hash]) == ()


class TestOnceOnly:
    def finding(self, check: Check, *parts: Part) -> Finding:
        return Finding(
            check=check,
            subject="O1",
            verdict=Verdict.FIRM_FAULT,
            reason=Bilingual(en="So.", zh="是。"),
            harm=Money.of(sum((part.amount for part in parts), Decimal(0)), "USD"),
            formula="x@1",
            parts=parts,
        )

    def part(self, key: str, amount: str, *covers: str) -> Part:
        return Part(key=key, subject=key, kind=PartKind.PRICE, amount=Decimal(amount), currency="USD", covers=covers)

    def harms(self, *findings: Finding) -> list[str]:
        return [str(finding.harm) for finding in once_only(findings)]

    def test_the_dearer_of_two_measures_of_one_loss_counts(self) -> None:
        first = self.finding(Check.EXECUTION, self.part("price/F1", "100"))
        second = self.finding(Check.EXECUTION_DELAY, self.part("price/F1", "140"), self.part("price/F2", "5"))
        assert self.harms(first, second) == ["USD 0.00", "USD 145.00"]
        assert self.harms(second, first) == ["USD 145.00", "USD 0.00"]

    def test_different_losses_are_added(self) -> None:
        first = self.finding(Check.EXECUTION, self.part("price/F1", "100"))
        second = self.finding(Check.CHARGES, self.part("swap/P1", "7"))
        assert self.harms(first, second) == ["USD 100.00", "USD 7.00"]

    def test_giving_a_trade_back_contains_its_parts_unless_these_come_to_more(self) -> None:
        price = self.finding(Check.EXECUTION, self.part("price/F1", "100"))
        swap = self.finding(Check.CHARGES, self.part("swap/P1", "7"))
        whole = self.finding(Check.SUITABILITY, self.part("product/P1", "150", "price/F1", "swap/P1"))
        assert self.harms(price, swap, whole) == ["USD 0.00", "USD 0.00", "USD 150.00"]
        little = self.finding(Check.SUITABILITY, self.part("product/P1", "106", "price/F1", "swap/P1"))
        assert self.harms(price, swap, little) == ["USD 100.00", "USD 7.00", "USD 0.00"]

    def test_a_whole_trade_in_the_accounts_currency_is_taken_to_contain_its_parts_in_another(self) -> None:
        price = self.finding(Check.EXECUTION, self.part("price/F1", "100"))
        part = self.part("product/P1", "90", "price/F1").model_copy(update={"currency": "EUR"})
        whole = self.finding(Check.SUITABILITY, part).model_copy(update={"harm": Money.of(Decimal(90), "EUR")})
        assert self.harms(price, whole) == ["USD 0.00", "EUR 90.00"]

    def test_a_whole_trade_contains_the_shares_that_orders_have_of_the_loss_on_its_price(self) -> None:
        shares = [self.finding(Check.TRIGGER, self.part(f"price/F1|{n}", "60", "price/F1")) for n in ("L1", "L2")]
        price = self.finding(Check.EXECUTION, self.part("price/F1", "100"))
        assert self.harms(price, *shares) == ["USD 0.00", "USD 60.00", "USD 60.00"]
        for amount, harms in (
            ("130", ["USD 0.00"] * 3 + ["USD 130.00"]),
            ("110", ["USD 0.00", "USD 60.00", "USD 60.00", "USD 0.00"]),
        ):
            whole = self.finding(Check.SUITABILITY, self.part("product/P1", amount, "price/F1"))
            assert self.harms(price, *shares, whole) == harms
        little = self.finding(Check.SUITABILITY, self.part("product/P1", "80", "price/F1"))
        assert self.harms(price, shares[0], little) == ["USD 100.00", "USD 0.00", "USD 0.00"]
        left = without(whole, {"price/F1|L1": Decimal(60)})
        assert str(left.harm) == "USD 50.00"
        assert str(without(shares[1], {"price/F1|L1": Decimal(60)}).harm) == "USD 60.00"

    def test_what_a_trade_saved_is_set_off_where_its_loss_is_counted(self) -> None:
        price, later = self.part("price/F1", "100"), self.part("price/F1", "150")
        swap = Part(key="swap/F1", subject="price/F1", kind=PartKind.SWAP, amount=Decimal(-20), currency="USD")
        first = self.finding(Check.EXECUTION, price)
        second = self.finding(Check.STOP_OUT, later, swap)
        assert self.harms(first, second) == ["USD 0.00", "USD 130.00"]

    def test_a_loss_counted_elsewhere_is_taken_out_at_the_rate_of_the_finding(self) -> None:
        rate = Rate(base="USD", quote="SGD", source="MAS", at=AT, rate=Decimal("1.36"))
        in_sgd = self.finding(Check.STOP_OUT, self.part("price/F1", "100"), self.part("price/F2", "10")).model_copy(
            update={"harm": Money.of(Decimal("149.60"), "SGD"), "evidence": LogFacts(rates=(rate,)).evidence()}
        )
        dearer, alike = (self.finding(Check.EXECUTION, self.part("price/F1", amount)) for amount in ("101", "100"))
        assert self.harms(dearer, in_sgd) == ["USD 101.00", "SGD 13.60"]
        assert self.harms(alike, in_sgd) == ["USD 0.00", "SGD 149.60"]  # all of a liquidation in one currency

    def test_doing_it_again_changes_nothing(self) -> None:
        first = self.finding(Check.EXECUTION, self.part("price/F1", "100"))
        second = self.finding(Check.EXECUTION_DELAY, self.part("price/F1", "140"))
        assert once_only(once_only([first, second])) == once_only([first, second])


class TestTheChoice:
    PACK = {Category.EXECUTION: (Check.EXECUTION,), Category.WITHDRAWAL: (Check.WITHDRAWAL_DELAY,)}  # noqa: RUF012

    @pytest.mark.parametrize(
        ("category", "text", "added"),
        [
            (Category.EXECUTION, "I was filled badly.", ()),
            (Category.EXECUTION, "Terrible slippage on my stop loss!", (Check.SLIPPAGE, Check.TRIGGER)),
            (Category.EXECUTION, "插针导致我爆仓", (Check.OFF_MARKET, Check.STOP_OUT)),
            (Category.EXECUTION, "平臺當時無法平倉，系統故障", (Check.OUTAGE,)),  # traditional characters
            (Category.PLATFORM, "Three requotes and then it was filled late.", (Check.EXECUTION_DELAY, Check.REQUOTE)),
            (Category.FEE, "手续费和隔夜利息收多了", (Check.CHARGES,)),
            (Category.ACCOUNT, "They cancelled my profit for arbitrage.", (Check.CANCELLED_TRADE,)),
            (Category.CONDUCT, "I was never told of this hidden fee.", (Check.FEES,)),
            (Category.WITHDRAWAL, "My withdrawal is late.", ()),
            (Category.WITHDRAWAL, "You froze my account and I cannot withdraw.", (Check.FROZEN_ACCOUNT,)),
            (Category.ACCOUNT, "我的帳戶被凍結了，無法登錄", (Check.OUTAGE, Check.FROZEN_ACCOUNT)),
            (Category.PRIVACY, "I was hacked: somebody logged in. The price was a spike.", (Check.LOG_INS,)),
            (Category.OTHER, "我的账号被盗，有异地登录记录", (Check.LOG_INS,)),
            (Category.CONDUCT, "Your advertisement promised a bonus.", (Check.PROMISE,)),
            (Category.SERVICE, "廣告說零風險，客服答應退款", (Check.PROMISE,)),
            (Category.DEBT_COLLECTION, "They promised to stop calling.", ()),
            (Category.CARD, "My card was stopped out of nowhere, a margin call on my nerves.", ()),
        ],
    )
    def test_words_add_to_what_the_pack_says(self, category: Category, text: str, added: tuple[Check, ...]) -> None:
        assert checks_for(category, self.PACK, pointed_to(text)) == (*self.PACK.get(category, ()), *added)

    def test_a_firm_without_checks_has_no_trade_log_to_ask(self) -> None:
        assert checks_for(Category.EXECUTION, {}, pointed_to("slippage")) == ()
