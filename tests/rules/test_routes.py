"""Where the customer can go next: open, not yet, over, not for them, or not known, each with its reason."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from domain.clocks.clock import Length
from domain.ground.bilingual import Bilingual
from domain.ground.words import CaseEvent, Category, Element, Matter, RouteKind
from domain.money.amounts import Money
from domain.rules.duties import Route
from domain.rules.policy import PolicyPack
from domain.rules.routes import Access, Eligibility, eligibility, names
from runtime.policies import find_pack, load_packs

DAY = date(2026, 3, 2)
RECEIVED = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)  # 10:00 in Hong Kong and in London
RESPONDED = datetime(2026, 3, 25, 8, 0, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def hkd(amount: str, currency: str = "HKD") -> Money:
    return Money(amount=Decimal(amount), currency=currency)


def route_of(pack: PolicyPack | str, name: str, when: str, **more: Any) -> Eligibility:
    pack = find_pack(pack, DAY) if isinstance(pack, str) else pack
    case: dict[str, Any] = {
        "category": Category.EXECUTION,
        "claimed": None,
        "received_at": RECEIVED,
        "responded_at": None,
        **more,
    }
    answers = eligibility(pack, **case, at=at(when))
    assert [answer.route for answer in answers] == [route.name for route in pack.routes]
    return next(answer for answer in answers if answer.route == name)


def changed(pack_id: str, name: str, **changes: Any) -> PolicyPack:
    pack = find_pack(pack_id, DAY)
    routes = [route.model_copy(update=changes) if route.name == name else route for route in pack.routes]
    return pack.model_copy(update={"routes": tuple(routes)})


# -- the Financial Dispute Resolution Centre of Hong Kong --------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "responded", "status"),
    [
        ("2026-03-02T10:00:00+08:00", None, Access.NOT_YET),
        ("2026-05-01T23:59:58+08:00", None, Access.NOT_YET),  # 60 days from 2 March: 1 May is the last day of silence
        ("2026-05-02T00:00:00+08:00", None, Access.OPEN),
        ("2026-03-25T15:59:59+08:00", RESPONDED, Access.NOT_YET),
        ("2026-03-25T16:00:00+08:00", RESPONDED, Access.OPEN),
        # Its 24 months count from a day that the case does not know, so no end is promised.
        ("2028-03-03T00:00:00+08:00", RESPONDED, Access.OPEN),
    ],
)
def test_the_centre_opens_with_the_response_or_after_60_days_without_one(
    when: str, responded: datetime | None, status: Access
) -> None:
    assert route_of("hk-hkma", "fdrc", when, responded_at=responded).status is status


@pytest.mark.parametrize(
    ("pack_id", "name", "more", "opens"),
    [
        ("au-asic", "afca", {"category": Category.FEE}, "2026-04-01"),
        ("au-asic", "afca", {"category": Category.HARDSHIP}, "2026-03-23"),
        ("au-asic", "afca", {"category": Category.LENDING, "matters": (Matter.DEFAULT_NOTICE,)}, "2026-03-23"),
        ("au-asic", "afca", {"category": Category.ACCOUNT, "product": "Superannuation fund"}, "2026-04-16"),
        ("uk-fca-payments", "fos", {"category": Category.PAYMENT}, "2026-03-23"),
        ("uk-fca-payments", "fos", {"category": Category.PAYMENT, "extended": True}, "2026-04-22"),
    ],
)
def test_silence_lasts_as_long_as_the_rule_for_the_complaint_says(
    pack_id: str, name: str, more: dict[str, Any], opens: str
) -> None:
    case = {"claimed": None, "received_at": RECEIVED, "responded_at": None, **more}
    answers = eligibility(find_pack(pack_id, DAY), **case, at=RECEIVED)
    opening = next(answer for answer in answers if answer.route == name).opens
    assert opening is not None
    assert opening.astimezone(find_pack(pack_id, DAY).calendar.zone).date().isoformat() == opens


def test_its_first_and_last_moment_are_told() -> None:
    silent = route_of("hk-hkma", "fdrc", "2026-03-10T00:00:00Z")
    assert (silent.opens, silent.closes) == (at("2026-05-01T15:59:59Z"), None)
    assert silent.why.en == "It opens with the final response or, without one, when 2026-05-01 is over."
    assert "2026-05-01" in silent.why.zh
    answered = route_of("hk-hkma", "fdrc", "2026-03-26T00:00:00Z", responded_at=RESPONDED)
    assert (answered.opens, answered.closes) == (RESPONDED, None)
    late = route_of("hk-hkma", "fdrc", "2026-06-01T00:00:00Z", responded_at=at("2026-05-20T00:00:00Z"))
    assert late.opens == at("2026-05-01T15:59:59Z")


@pytest.mark.parametrize(
    ("claimed", "status", "said"),
    [
        (hkd("1000000"), Access.OPEN, None),
        (hkd("1000000.01"), Access.NOT_ELIGIBLE, "The claim exceeds its limit of HKD 1,000,000.00."),
        (hkd("2000000", "USD"), Access.OPEN, "It takes claims up to HKD 1,000,000.00."),
        (None, Access.OPEN, "It takes claims up to HKD 1,000,000.00."),
    ],
)
def test_a_claim_above_the_limit_is_barred_and_one_that_cannot_be_compared_is_told_the_limit(
    claimed: Money | None, status: Access, said: str | None
) -> None:
    answer = route_of("hk-hkma", "fdrc", "2026-04-01T00:00:00Z", responded_at=RESPONDED, claimed=claimed)
    assert answer.status is status
    assert (said or "limit") in answer.why.en or said is None
    assert ("HKD 1,000,000.00" in answer.why.zh) is (said is not None)


def test_a_firm_that_does_not_belong_is_told_so_whatever_else_holds() -> None:
    answer = route_of(changed("hk-hkma", "fdrc", firm_belongs=False), "fdrc", "2026-04-01T00:00:00Z")
    assert (answer.status, answer.opens, answer.closes) == (Access.NOT_ELIGIBLE, None, None)
    assert answer.why.en.startswith("The firm does not belong to this body. Its members are institutions authorised")


def test_whether_the_firm_belongs_is_not_guessed() -> None:
    answer = route_of(changed("hk-hkma", "fdrc", firm_belongs=None), "fdrc", "2026-04-01T00:00:00Z")
    assert answer.status is Access.UNKNOWN
    assert answer.why.en.startswith("The firm has not said whether it belongs to this body.")
    assert route_of("eu-mifid", "adr", "2026-04-01T00:00:00Z").status is Access.UNKNOWN


def test_a_kind_of_complaint_that_a_body_does_not_take_is_barred() -> None:
    pack = changed("hk-hkma", "fdrc", categories=(Category.LENDING,))
    assert route_of(pack, "fdrc", "2026-06-01T00:00:00Z").status is Access.NOT_ELIGIBLE
    assert route_of(pack, "fdrc", "2026-06-01T00:00:00Z", category=Category.LENDING).status is Access.OPEN


# -- the other shipped ways --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pack", "name", "when", "responded", "status"),
    [
        # Ombudsman: 8 weeks of silence from 2 March end with 27 April, in British Summer Time; 6 months after 25 March.
        ("uk-fca", "fos", "2026-04-27T22:59:58Z", None, Access.NOT_YET),
        ("uk-fca", "fos", "2026-04-27T22:59:59Z", None, Access.OPEN),
        ("uk-fca", "fos", "2026-03-26T00:00:00Z", RESPONDED, Access.OPEN),
        ("uk-fca", "fos", "2026-09-25T22:59:59Z", RESPONDED, Access.OPEN),
        ("uk-fca", "fos", "2026-09-25T23:00:00Z", RESPONDED, Access.OVER),
        # 15 business days after Monday 2 March: Monday 23 March.
        ("uk-fca-payments", "fos", "2026-03-23T12:00:00Z", None, Access.NOT_YET),
        ("uk-fca-payments", "fos", "2026-03-24T00:00:00Z", None, Access.OPEN),
        # 30 days of silence from 2 March, 13:00 in Sydney, end with 1 April.
        ("au-asic", "afca", "2026-04-01T12:00:00Z", None, Access.NOT_YET),
        ("au-asic", "afca", "2026-04-02T00:00:00Z", None, Access.OPEN),
        ("au-asic", "afca", "2028-03-26T00:00:00Z", RESPONDED, Access.OVER),
        # A review within 30 days of the decision, which has to be there; a court at any time.
        ("cn-banking", "review", "2027-01-01T00:00:00Z", None, Access.NOT_YET),
        ("cn-banking", "review", "2026-04-24T15:59:59Z", RESPONDED, Access.OPEN),
        ("cn-banking", "review", "2026-04-24T16:00:00Z", RESPONDED, Access.OVER),
        ("cn-banking", "litigation", "2026-03-02T02:00:00Z", None, Access.OPEN),
        ("cn-banking", "mediation", "2027-03-02T02:00:00Z", RESPONDED, Access.OPEN),
        ("us-cfpb", "cfpb", "2026-03-02T02:00:00Z", None, Access.OPEN),
        ("platform-default", "review", "2026-04-08T15:59:59Z", RESPONDED, Access.OPEN),
        ("platform-default", "review", "2026-04-08T16:00:00Z", RESPONDED, Access.OVER),
    ],
)
def test_the_shipped_ways_open_and_close_as_their_rules_say(
    pack: str, name: str, when: str, responded: datetime | None, status: Access
) -> None:
    assert route_of(pack, name, when, responded_at=responded).status is status


def test_a_platform_without_an_outside_body_has_none() -> None:
    answers = eligibility(
        find_pack("platform-default", DAY),
        category=Category.WITHDRAWAL,
        claimed=hkd("500"),
        received_at=RECEIVED,
        responded_at=RESPONDED,
        at=at("2026-04-01T00:00:00Z"),
    )
    assert [(answer.kind, answer.status) for answer in answers] == [(RouteKind.REVIEW, Access.OPEN)]


def test_a_pack_without_routes_has_no_answers() -> None:
    pack = find_pack("platform-default", DAY).model_copy(update={"routes": ()})
    assert eligibility(
        pack, category=Category.FEE, claimed=None, received_at=RECEIVED, responded_at=None, at=RECEIVED
    ) == ()  # fmt: skip


def test_how_long_a_way_stays_open_is_told_before_its_clock_has_begun() -> None:
    silent = route_of("uk-fca", "fos", "2026-05-01T00:00:00Z")
    assert silent.closes is None
    assert silent.why.en == "There was no final response in time. It stays open until 6 months after one."
    assert silent.why.zh == "未在规定时间内作出处理决定。处理决定作出后6个月内仍可提出。"
    assert route_of("cn-banking", "litigation", "2026-03-03T00:00:00Z").why.en == "It needs no final response."
    from_referral = changed("uk-fca", "fos", since=CaseEvent.REFERRED)
    why = route_of(from_referral, "fos", "2026-04-01T00:00:00Z", responded_at=RESPONDED).why
    assert why.en.startswith("The final response was given. ")
    assert why.en.endswith("It is open for 6 months from the customer's turn to an outside body.")


def test_every_answer_is_in_both_languages() -> None:
    for pack_id in load_packs():
        for when in ("2026-03-03T00:00:00Z", "2026-06-01T00:00:00Z", "2030-01-01T00:00:00Z"):
            for answered in (None, RESPONDED):
                for answer in eligibility(
                    find_pack(pack_id, DAY),
                    category=Category.EXECUTION,
                    claimed=None,
                    received_at=RECEIVED,
                    responded_at=answered,
                    at=at(when),
                ):
                    assert answer.why.en.isascii()
                    assert any("一" <= letter <= "鿿" for letter in answer.why.zh)


# -- what a letter can name --------------------------------------------------------------------------------------------


def named(pack: PolicyPack | str, element: Element) -> list[str]:
    return [route.name for route in names(find_pack(pack, DAY) if isinstance(pack, str) else pack, element)]


def test_a_letter_names_the_ways_of_that_kind_that_have_a_contact() -> None:
    assert named("uk-fca", Element.OMBUDSMAN) == ["fos"]
    assert named("hk-hkma", Element.MEDIATION) == ["fdrc"]
    assert [named("cn-banking", Element(kind.value)) for kind in (RouteKind.REVIEW, RouteKind.LITIGATION)] == [
        ["review"],
        ["litigation"],
    ]
    assert named("uk-fca", Element.MEDIATION) == []
    assert named(changed("uk-fca", "fos", contact=None), Element.OMBUDSMAN) == []


@pytest.mark.parametrize(("belongs", "nameable"), [(True, ["fdrc"]), (False, []), (None, [])])
def test_a_body_with_members_is_named_only_where_the_firm_has_said_that_it_belongs(
    belongs: bool | None, nameable: list[str]
) -> None:
    assert named(changed("hk-hkma", "fdrc", firm_belongs=belongs), Element.MEDIATION) == nameable


def test_what_has_no_members_is_for_everybody_unless_the_firm_says_no() -> None:
    everybody = Bilingual(en="Everybody.", zh="所有人。")
    route = Route(
        name="court", kind=RouteKind.LITIGATION, title=everybody, contact=everybody, source="-", confirmed=False
    )
    pack = find_pack("platform-default", DAY)
    assert named(pack.model_copy(update={"routes": (route,)}), Element.LITIGATION) == ["court"]
    closed = route.model_copy(update={"firm_belongs": False})
    assert named(pack.model_copy(update={"routes": (closed,)}), Element.LITIGATION) == []


@pytest.mark.parametrize("element", [Element.TIMETABLE, Element.EXPECTED_DATE, Element.REASONS])
def test_what_is_no_way_to_go_further_is_not_looked_for_among_them(element: Element) -> None:
    assert [named(pack_id, element) for pack_id in load_packs()] == [[] for _ in load_packs()]


@pytest.mark.parametrize("pack_id", ["platform-default", "demo", "cn-banking", "hk-hkma", "uk-fca", "uk-fca-payments",
                                     "au-asic", "us-cfpb"])  # fmt: skip
def test_every_shipped_pack_that_can_be_used_can_name_what_its_letters_must(pack_id: str) -> None:
    pack = find_pack(pack_id, DAY)
    kinds = {kind.value for kind in RouteKind}
    for rule in pack.letters:
        for element in rule.must_name:
            assert element.value not in kinds or names(pack, element), (rule.name, element)


def test_the_pack_for_the_union_cannot_name_the_body_that_the_firm_has_not_named() -> None:
    assert named("eu-mifid", Element.OMBUDSMAN) == []
    contact = Bilingual(en="www.example.org", zh="www.example.org")
    assert named(changed("eu-mifid", "adr", contact=contact, firm_belongs=True), Element.OMBUDSMAN) == ["adr"]


def test_a_length_of_nothing_is_open_from_the_first_moment() -> None:
    pack = changed("uk-fca", "fos", after_silence=Length(hours=0))
    assert route_of(pack, "fos", RECEIVED.isoformat()).status is Access.OPEN
