"""What findings lead to: what is decided by rule, what is left to a person, and what people award on top."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.case.assessment import assess
from domain.case.by_rule import drafted, propose_by_rule
from domain.case.case import Case
from domain.case.complaint import Complaint
from domain.case.messages.deciding import ProposeResolution, ResolveEarly
from domain.case.questions import ask_for
from domain.case.resolution import behind, check_proposal, decisive, leading, propose
from domain.case.two_persons import at_stake, needs_second_person
from domain.checks.findings import ALL_CUSTOMERS, Check, EvidenceRow, Finding, Investigation, Verdict
from domain.checks.trades import of_one_trade
from domain.ground.bilingual import Bilingual
from domain.ground.messages import NotAllowed
from domain.ground.words import Confidence, Outcome, Remedy
from domain.money.amounts import Money
from domain.money.parts import Part, PartKind
from domain.people.matching import Ground, Identity, IdentityState
from runtime.policies import find_pack
from tests.reasons import a_no

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


def finding(verdict: Verdict, harm: str | None = None, **more: Any) -> Finding:
    """A finding on an order; well supported unless said otherwise."""
    values: dict[str, Any] = {
        "check": Check.EXECUTION,
        "subject": "O1",
        "verdict": verdict,
        "reason": Bilingual(en="Because.", zh="理由。"),
        "harm": None if harm is None else Money(amount=Decimal(harm), currency="USD"),
        "formula": "made-for-the-test@1",
        "confidence": None if verdict is Verdict.INCONCLUSIVE else Confidence.WELL_SUPPORTED,
    }
    return Finding(**(values | more))


FAULT = finding(Verdict.FIRM_FAULT, "100")
MARKET = finding(Verdict.MARKET, "0")
OPEN = finding(Verdict.INCONCLUSIVE, check=Check.STOP_OUT, missing=("balance of the account before it",))
DOUBTFUL = finding(Verdict.MARKET, "0", confidence=Confidence.DOUBTFUL)
DOUBTFUL_FAULT = finding(Verdict.FIRM_FAULT, "50", confidence=Confidence.DOUBTFUL)
NO_RATE = finding(Verdict.FIRM_FAULT, "100", missing=("base rate bank_of_england on 2026-01-01",))
EVERYBODY = f"{ALL_CUSTOMERS}XAUUSD market"


def case(*findings: Finding, claimed: str | None = None, version: int = 2, **more: Any) -> Case:
    told: dict[str, Any] = {
        "source": "test",
        "idempotency_key": "k-1",
        "received_at": AT,
        "channel": "web",
        "language": "en",
        "complainant": {"name": "The Customer"},
        "account": "70012345",
        "description": "The fill price of my order was wrong, far off the market.",
        "trades": ["O1"],
        "amount_claimed": {"amount": claimed, "currency": "USD"} if claimed else None,
    }
    complaint = Complaint.model_validate(told | more)
    made = Case.received(complaint.reference, complaint, AT)
    made.policy = find_pack("platform-default", date(2026, 3, 2))
    made.identity = Identity(state=IdentityState.VERIFIED, because=(Ground.HOLDER,))
    made.assessment = assess(complaint, made.policy, earlier=())
    made.investigation = Investigation.model_validate({"findings": findings, "version": version})
    return made


def outcome(of: Case) -> tuple[Outcome, str | None] | None:
    """Outcome and sum that are decided by rule, if any are."""
    if (proposal := propose_by_rule(of, AT)) is None:
        return None
    return proposal.outcome, str(proposal.compensation) if proposal.compensation else None


def left(of: Case) -> tuple[Outcome | None, str | None, set[str]]:
    """Outcome and sum of the draft that people have before them, and why it is left to them."""
    draft = drafted(of)
    assert propose_by_rule(of, AT) is None
    return draft.outcome, str(draft.compensation) if draft.compensation else None, {one.value for one in draft.why}


class TestWhatFindingsLeadTo:
    @pytest.mark.parametrize("left_open", [OPEN, DOUBTFUL, DOUBTFUL_FAULT, NO_RATE])
    @pytest.mark.parametrize("beside", [(), (FAULT,), (MARKET,)])
    def test_whatever_leaves_something_open_is_left_to_a_person(
        self, left_open: Finding, beside: tuple[Finding, ...]
    ) -> None:
        outcome_, _, why = left(case(*beside, left_open))
        assert "in_doubt" in why
        for_the_customer = any(one.verdict.for_the_customer for one in (*beside, left_open))
        assert outcome_ is (Outcome.UPHELD if for_the_customer else None)  # a no is never guessed

    def test_also_where_what_is_sure_reaches_the_claim_and_the_draft_then_rests_on_that_alone(self) -> None:
        of = case(FAULT, OPEN, DOUBTFUL_FAULT, claimed="100")
        assert left(of) == (Outcome.UPHELD, "USD 100.00", {"in_doubt"})
        assert decisive(of) == leading(of) == (FAULT,)
        assert left(case(FAULT, OPEN, claimed="100.01")) == (
            Outcome.PARTLY_UPHELD,
            "USD 100.00",
            {"in_doubt", "partly_upheld"},
        )

    def test_a_claim_in_another_currency_is_never_reached(self) -> None:
        claimed = {"amount": "1", "currency": "EUR"}
        assert left(case(FAULT, amount_claimed=claimed)) == (None, None, {"several_currencies"})

    def test_the_interest_of_the_pack_is_paid_and_does_not_count_towards_the_claim(self) -> None:
        numbers = {"interest.formula": "made-for-the-test@1", "interest.principal": "100", "interest": "8"}
        bearing = finding(Verdict.FIRM_FAULT, "108", numbers=numbers)
        assert left(case(bearing, claimed="105")) == (Outcome.PARTLY_UPHELD, "USD 108.00", {"partly_upheld"})
        assert outcome(case(bearing, claimed="100")) == (Outcome.UPHELD, "USD 108.00")

    def test_nothing_open_and_nothing_wrong_is_drafted_as_a_rejection(self) -> None:
        assert left(case(MARKET)) == (Outcome.NOT_UPHELD, None, {"rejection"})

    def test_where_nothing_was_looked_at_there_is_nothing_to_propose(self) -> None:
        assert left(case()) == (None, None, {"nothing_found"})

    @given(st.lists(st.sampled_from([FAULT, MARKET, OPEN, DOUBTFUL, DOUBTFUL_FAULT, NO_RATE]), max_size=4))
    def test_what_is_decisive_is_never_open(self, findings: list[Finding]) -> None:
        for claimed in (None, "100", "200"):
            assert not any(one.open for one in decisive(case(*findings, claimed=claimed)))


class TestWhatIsFoundOfAllCustomers:
    def test_a_fault_in_how_everybody_is_treated_upholds_no_case_that_lost_nothing_by_it(self) -> None:
        asymmetry = finding(Verdict.FIRM_FAULT, "0", check=Check.SLIPPAGE, subject=EVERYBODY)
        assert left(case(MARKET, asymmetry)) == (Outcome.NOT_UPHELD, None, {"rejection"})
        assert decisive(case(MARKET, asymmetry)) == (MARKET,)

    @pytest.mark.parametrize(
        "of_everybody",
        [
            finding(Verdict.INCONCLUSIVE, check=Check.SLIPPAGE, subject=EVERYBODY, missing=("at least 20 orders",)),
            finding(Verdict.MARKET, "0", check=Check.SLIPPAGE, subject=EVERYBODY, confidence=Confidence.DOUBTFUL),
        ],
    )
    def test_nor_does_it_hold_a_case_up(self, of_everybody: Finding) -> None:
        assert left(case(MARKET, of_everybody)) == (Outcome.NOT_UPHELD, None, {"rejection"})
        assert outcome(case(FAULT, of_everybody)) == (Outcome.UPHELD, "USD 100.00")

    def test_what_it_measured_of_the_disputed_order_counts(self) -> None:
        measured = finding(Verdict.FIRM_FAULT, "15", check=Check.SLIPPAGE, subject=EVERYBODY)
        assert left(case(MARKET, measured)) == (Outcome.UPHELD, "USD 15.00", {"not_all_found"})
        assert outcome(case(MARKET, measured, claimed="15")) == (Outcome.UPHELD, "USD 15.00")

    def test_a_case_of_which_nothing_else_is_known_is_not_decided_by_it(self) -> None:
        asymmetry = finding(Verdict.FIRM_FAULT, "0", check=Check.SLIPPAGE, subject=EVERYBODY)
        assert left(case(asymmetry)) == (None, None, {"nothing_found"})


def of_position(order: str, position: str, verdict: Verdict, harm: str, check: Check = Check.EXECUTION) -> Finding:
    """A finding on *order*, which closed *position*."""
    row = EvidenceRow(table="orders", key=order, values={"order": order, "position": position})
    return finding(verdict, harm, check=check, subject=order, evidence=(row,))


class TestWhereAPartOfATradeWasInOrder:
    FAULT = of_position("O1", "P1", Verdict.FIRM_FAULT, "100")

    @staticmethod
    def known(*findings: Finding) -> Case:
        of = case(*findings)
        assert of.investigation is not None
        of.investigation = of.investigation.model_copy(update={"trades": of_one_trade(findings)}).bare
        return of

    @pytest.mark.parametrize("verdict", [Verdict.MARKET, Verdict.NO_FAULT, Verdict.CUSTOMER_ACTION])
    def test_the_clear_sum_of_the_other_is_given_by_rule(self, verdict: Verdict) -> None:
        assert outcome(self.known(self.FAULT, of_position("O2", "P1", verdict, "0"))) == (Outcome.UPHELD, "USD 100.00")

    def test_an_order_of_a_liquidation_that_cost_something_is_part_of_it(self) -> None:
        both = [of_position(order, position, Verdict.NO_FAULT, "0") for order, position in (("O1", "P1"), ("O2", "P2"))]
        lost = Part(key="price/F2", subject="F2", kind=PartKind.PRICE, amount=Decimal(100), currency="USD")
        filled = EvidenceRow(table="fills", key="F2", values={"fill": "F2", "order": "O2", "position": "P2"})
        undue = of_position("O1", "P1", Verdict.FIRM_FAULT, "100", Check.STOP_OUT)
        undue = undue.model_copy(update={"parts": (lost,), "evidence": (*undue.evidence, filled)})
        assert outcome(self.known(*both, undue)) == (Outcome.UPHELD, "USD 100.00")
        assert left(self.known(*both, undue.model_copy(update={"parts": ()})))[2] == {"not_all_found"}

    @pytest.mark.parametrize(
        ("beside", "why"),
        [
            (of_position("O2", "P2", Verdict.MARKET, "0"), "not_all_found"),  # another trade
            (of_position("O2", "P1", Verdict.MARKET, "0").model_copy(update={"evidence": ()}), "not_all_found"),
            (of_position("P1", "P1", Verdict.NO_FAULT, "0", Check.CHARGES), "not_all_found"),  # another matter
            (
                of_position("O2", "P1", Verdict.MARKET, "0").model_copy(update={"confidence": Confidence.DOUBTFUL}),
                "in_doubt",
            ),
            (finding(Verdict.INCONCLUSIVE, subject="O2", evidence=FAULT.evidence, missing=("its fills",)), "in_doubt"),
        ],
    )
    def test_what_is_no_part_of_it_or_leaves_something_open_is_for_people(self, beside: Finding, why: str) -> None:
        _, sum_, left_to = left(self.known(self.FAULT, beside))
        assert (sum_, why in left_to) == ("USD 100.00", True)

    def test_a_charge_of_its_position_answers_no_complaint_about_its_price(self) -> None:
        charged = of_position("P1", "P1", Verdict.FIRM_FAULT, "3", Check.CHARGES)
        assert "not_all_found" in left(self.known(charged, of_position("O2", "P1", Verdict.MARKET, "0")))[2]

    def test_a_charge_is_another_matter_where_its_position_has_the_number_of_an_order(self) -> None:
        beside = (
            of_position("O2", "P1", Verdict.MARKET, "0"),
            of_position("O2", "O2", Verdict.NO_FAULT, "0", Check.CHARGES),
        )
        assert "not_all_found" in left(self.known(self.FAULT, *beside))[2]
        charged = of_position("O2", "O2", Verdict.FIRM_FAULT, "3", Check.CHARGES)
        of_the_price = [of_position(order, "P1", Verdict.MARKET, "0") for order in ("O1", "O2")]
        assert "not_all_found" in left(self.known(charged, *of_the_price))[2]

    def test_a_fault_that_cost_nothing_gives_nothing_for_the_others(self) -> None:
        late = of_position("O1", "P1", Verdict.FIRM_FAULT, "0")
        assert "not_all_found" in left(self.known(late, of_position("O2", "P1", Verdict.MARKET, "0")))[2]

    def test_numbers_that_are_alike_by_chance_link_nothing(self) -> None:
        beside = of_position("P1", "P9", Verdict.MARKET, "0")  # an order with the number of the other's position
        assert "not_all_found" in left(self.known(self.FAULT, beside))[2]

    def test_one_in_order_and_at_fault_is_paid_what_it_lost_and_no_more(self) -> None:
        more = of_position("O3", "P1", Verdict.PROVIDER_FAULT, "20")
        beside = of_position("O2", "P1", Verdict.NO_FAULT, "0")
        assert outcome(self.known(self.FAULT, beside, more)) == (Outcome.UPHELD, "USD 120.00")


class TestWhatIsAsked:
    MISSING = finding(Verdict.INCONCLUSIVE, check=Check.OUTAGE, missing=("number of the order or position, or …",))

    def test_what_only_a_check_by_words_misses_holds_no_complaint_up_that_has_its_own(self) -> None:
        withdrawal = "My withdrawal was paid far too late, and your platform was down."
        of = case(self.MISSING, description=withdrawal, trades=["w-1"])
        of.pointed = (Check.OUTAGE,)
        assert ask_for(of) is None
        own = self.MISSING.model_copy(update={"check": Check.WITHDRAWAL_DELAY})
        of.investigation = Investigation(findings=(own,), version=2)
        assert "Which order" in (ask_for(of) or "")

    @pytest.mark.parametrize(
        ("language", "told"),
        [("en", "could not find p9999, p8888 on the account"), ("zh-CN", "未能找到编号 p9999、p8888")],
    )
    @pytest.mark.parametrize("verified", [True, False])
    def test_numbers_that_are_not_on_the_account_are_named_to_who_is_verified(
        self, language: str, told: str, *, verified: bool
    ) -> None:
        own = [
            finding(Verdict.INCONCLUSIVE, check=Check.WITHDRAWAL_DELAY, subject=one, missing=(f"trade {one}",))
            for one in ("p9999", "p8888", "p9999")
        ]
        of = case(*own, description="My withdrawal was paid far too late.", trades=["p9999", "p8888"])
        of.complaint = of.complaint.model_copy(update={"language": language})
        if not verified:
            of.identity = Identity()
        asked = ask_for(of) or ""
        assert (told in asked) is verified
        assert ("p9999" in asked) is verified

    def test_a_question_names_no_number_where_none_was_given(self) -> None:
        own = self.MISSING.model_copy(update={"check": Check.WITHDRAWAL_DELAY})
        of = case(own, description="My withdrawal was paid far too late.", trades=[])
        assert "could not find" not in (ask_for(of) or "could not find")

    def test_where_there_is_no_other_check_it_is_asked_for(self) -> None:
        of = case(self.MISSING, description="The app crashed, the server was down for hours.", trades=[])
        assert of.assessment is not None
        assert not of.pack.checks.get(of.assessment.category)
        assert ask_for(of) is None
        of.pointed = (Check.OUTAGE,)
        assert "Which order" in (ask_for(of) or "")


def message(**more: Any) -> ProposeResolution:
    values = {
        "message_id": "m-1",
        "actor": {"id": "h-17", "role": "handler"},
        "outcome": "upheld",
        "reasons": "It was our fault.",
    }
    return ProposeResolution.model_validate(values | more)


def usd(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "USD"}


DISTRESS = {"kind": "distress", "amount": usd("150"), "reason": "three weeks without margin"}
GOODWILL = {"kind": "goodwill", "amount": usd("25.50"), "reason": "for your patience"}


class TestWhatPeopleAward:
    def test_it_comes_on_top_of_the_loss_with_who_entered_it_and_why(self) -> None:
        proposal = propose(case(FAULT), message(compensation=usd("100"), awards=[DISTRESS, GOODWILL]), AT)
        assert str(proposal.compensation) == "USD 275.50"
        assert proposal.spoken == "upheld, USD 275.50 (with USD 150.00 distress, USD 25.50 goodwill)"
        (distress, _) = proposal.awards
        assert (distress.kind, distress.entered_by, distress.at) == (PartKind.DISTRESS, "handler:h-17", AT)
        assert distress.part().amount == 150

    def test_it_can_stand_alone_even_where_the_complaint_is_not_upheld(self) -> None:
        proposal = propose(case(MARKET), message(outcome="not_upheld", awards=[GOODWILL], reasons=a_no()), AT)
        assert str(proposal.compensation) == "USD 25.50"

    def test_limits_are_those_of_the_whole_sum(self) -> None:
        of = case(FAULT)
        assert not needs_second_person(of, propose(of, message(compensation=usd("100")), AT))
        whole = propose(of, message(compensation=usd("100"), awards=[DISTRESS]), AT)
        assert needs_second_person(of, whole)  # 250, where 200 is decided by rule
        assert str(at_stake(of, whole)) == "USD 250.00"

    def test_the_loss_may_be_what_was_found(self) -> None:
        of = case(FAULT, DOUBTFUL_FAULT, MARKET)
        proposal = propose(of, message(as_found=True, awards=[DISTRESS]), AT)
        assert str(proposal.compensation) == "USD 300.00"
        assert behind(of, proposal) == (FAULT, DOUBTFUL_FAULT)
        assert behind(of, propose(of, message(compensation=usd("150")), AT)) == ()

    def test_nothing_found_is_no_sum_to_propose(self) -> None:
        with pytest.raises(NotAllowed, match="as_found: the findings come to no sum"):
            check_proposal(case(MARKET), message(as_found=True))
        euros = finding(Verdict.FIRM_FAULT, harm=None, subject="O2").model_copy(
            update={"harm": Money(amount=Decimal(1), currency="EUR")}
        )
        with pytest.raises(NotAllowed, match="as_found: the findings are in several currencies"):
            check_proposal(case(FAULT, euros), message(as_found=True))

    @pytest.mark.parametrize(
        ("fields", "why"),
        [
            (
                {"compensation": usd("1"), "awards": [GOODWILL | {"amount": {"amount": "1", "currency": "EUR"}}]},
                "awards: goodwill: the other sums are in USD",
            ),
        ],
    )
    def test_what_cannot_be_paid_in_one_sum_is_refused(self, fields: dict[str, Any], why: str) -> None:
        with pytest.raises(NotAllowed, match=why):
            check_proposal(case(FAULT), message(**fields))

    @pytest.mark.parametrize(
        "fields",
        [
            {"awards": [GOODWILL, GOODWILL]},
            {"awards": [GOODWILL | {"kind": "price"}]},
            {"awards": [GOODWILL | {"amount": usd("-1")}]},
            {"awards": [{"kind": "goodwill", "amount": usd("1")}]},
            {"as_found": True, "compensation": usd("1")},
        ],
    )
    def test_what_does_not_fit_is_no_message(self, fields: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            message(**({"compensation": usd("10")} | fields))

    def test_messages_of_before_are_as_they_were(self) -> None:
        old = message(compensation=usd("100"))
        assert (old.awards, old.as_found) == ((), False)
        proposal = propose(case(FAULT), old, AT)
        assert proposal.spoken == "upheld, USD 100.00"
        early = ResolveEarly.model_validate(old.model_dump() | {"remedies": [Remedy.APOLOGY], "told": "By mail."})
        assert propose(case(FAULT), early, AT).compensation == proposal.compensation
