"""Suitability and disclosure, on rows few enough to compute by hand."""

from datetime import timedelta
from decimal import Decimal
from typing import Any, get_args

import pytest

from domain.checks.findings import Check, Finding, Verdict
from domain.log.firm_records import (
    AccountTerms,
    Appropriateness,
    AssessmentsKept,
    Disclosure,
)
from domain.log.trade_log import AccountEntry, EntryKind, Position
from tests.checks.checking import check
from tests.checks.rows import ACCOUNT, AT, after, position, terms

_CLASSES = get_args(get_args(AccountTerms.model_fields["client_class"].annotation)[0])


class TestSuitability:
    LOST = position(close_price=Decimal("1930.00"), closed_at=AT, swap=Decimal("-12"))
    KEPT = AssessmentsKept(since=after(-1e7), until=after(-3600), kept=True)

    def sold(self, *assessed: Appropriateness, held: Position = LOST, **more: Any) -> Finding:
        rows: dict[str, Any] = {"account_terms": (terms(),), "positions": (held,), "appropriateness": assessed}
        rows["assessments_kept"] = (self.KEPT,)
        return check(Check.SUITABILITY, "P1", **(rows | more))

    def assessed(self, result: str, **more: Any) -> Appropriateness:
        values = {"assessment": "A1", "account": ACCOUNT, "symbol": "XAUUSD", "at": after(-9000), "result": result}
        return Appropriateness.model_validate(values | more)

    def test_a_product_nobody_asked_about_is_taken_back_with_its_net_loss(self) -> None:
        found = self.sold()
        assert (found.verdict, str(found.harm)) == (Verdict.FIRM_FAULT, "USD 1,012.00")

    def test_a_log_that_holds_no_assessments_is_silent_on_whether_the_customer_was_asked(self) -> None:
        nowhere = self.KEPT.model_copy(update={"kept": False})
        found = self.sold(assessments_kept=(nowhere,))
        assert found.missing == ("assessments of customers before position P1 was opened",)
        assert "does not hold such assessments" in found.reason.en
        assert self.sold(account_terms=(terms(client_class="professional"),), assessments_kept=(nowhere,)).harm

    def test_what_was_found_before_silence_was_told_apart_is_made_again_as_it_was(self) -> None:
        before = self.sold(assessments_kept=())
        assert (before.verdict, before.formula[-2:]) == (Verdict.FIRM_FAULT, "@1")
        assert (self.sold().verdict, self.sold().formula[-2:]) == (Verdict.FIRM_FAULT, "@2")

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
        return check(Check.FEES, "E1", account_entries=(entry,), disclosures=told)

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
        ("days", "note", "unit", "verdict"),
        [
            (1, "Inactivity fee March", "month", Verdict.INCONCLUSIVE),
            (-20, "inactivity fee, again", "month", Verdict.INCONCLUSIVE),
            (22, "Inactivity fee April", "month", Verdict.NO_FAULT),
            (1, "Card fee", "month", Verdict.NO_FAULT),
            (1, "Inactivity fee March", "charge", Verdict.NO_FAULT),
        ],
    )
    def test_a_monthly_fee_charged_twice_within_weeks_is_for_a_person(
        self, days: int, note: str, unit: str, verdict: Verdict
    ) -> None:
        body = {"account": ACCOUNT, "kind": EntryKind.FEE, "amount": Decimal(-25), "currency": "USD"}
        first = AccountEntry.model_validate(body | {"entry": "E1", "booked_at": AT, "note": "Inactivity fee March"})
        again = AccountEntry.model_validate(
            body | {"entry": "E2", "booked_at": AT + timedelta(days=days), "note": note}
        )
        told = {"disclosure": "D1", "account": ACCOUNT, "kind": "fee", "about": "inactivity fee", "at": after(-60)}
        price = Disclosure.model_validate(told | {"unit": unit, "sum": 25, "currency": "USD"})
        found = check(Check.FEES, "E1", account_entries=(first, again), disclosures=(price,))
        assert found.verdict is verdict
        assert found.missing == (
            () if verdict is Verdict.NO_FAULT else ("for which months the fees E1 and E2 were charged",)
        )

    @pytest.mark.parametrize(
        "price",
        [{"sum": 5}, {"unit": "month"}, {"unit": "lot", "sum": 5}, {"unit": "percent", "sum": 5, "currency": "USD"}],
    )
    def test_half_a_price_is_no_disclosure(self, price: dict[str, Any]) -> None:
        body = {"disclosure": "D1", "account": ACCOUNT, "kind": "fee", "about": "inactivity fee", "at": AT}
        with pytest.raises(ValueError, match=r"unit: give|currency: of a sum"):
            Disclosure.model_validate(body | price)
