"""Letters by the rules of a pack: what a rule has a letter name is in it, or the letter is not written."""

import shutil
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from domain.case.complaint import Complaint
from domain.ground.bilingual import Bilingual
from domain.ground.scope import Scope
from domain.ground.words import Category, Element, LetterKind, RouteKind
from domain.letters.kinds import LETTERS
from domain.letters.letter import LetterFacts
from domain.money.amounts import Money
from domain.rules.combining import combine
from domain.rules.policy import PolicyPack
from runtime.letters.letter_text import write_letter
from runtime.letters.stationery import stationery_in
from runtime.paths import TEMPLATES
from runtime.policies import find_pack
from tests.letters.support import (
    EXPECTED_BY,
    FULL_PACK,
    NOW,
    PACK,
    complaint,
    finding,
    full_facts,
    letter,
    route,
    rule,
    standing_for,
    with_rules,
)

LANGUAGES = ["en", "zh-CN"]
ALL_ROUTES = tuple(route(kind) for kind in RouteKind)
OMBUDSMAN = route(RouteKind.OMBUDSMAN, within={"months": 6}, after_silence={"weeks": 8})


def written(
    kind: LetterKind,
    pack: PolicyPack,
    *,
    language: str = "en",
    facts: LetterFacts | None = None,
    of: Complaint | None = None,
    at: datetime = NOW,
    responded_at: datetime | None = None,
) -> str:
    """The letter on one line, without the breaks of its layout."""
    _, body = write_letter(
        letter(kind, language=language, facts=facts, pack=pack),
        complaint=of or complaint(),
        name="Customer 70012345",
        pack=pack,
        firm_name="Example Bullion",
        at=at,
        verified=True,
        **(standing_for(kind) | ({"responded_at": responded_at} if responded_at else {})),
    )
    return " ".join(body.split())


def refused(kind: LetterKind, pack: PolicyPack, *, language: str = "en", facts: LetterFacts | None = None) -> str:
    with pytest.raises(ApplicationError) as refusal:
        written(kind, pack, language=language, facts=facts)
    assert refusal.value.type == "LetterIncomplete"
    assert refusal.value.non_retryable
    return str(refusal.value)


def demanding(kind: LetterKind, *elements: Element, **fields: Any) -> PolicyPack:
    return with_rules(letters=(rule(kind, *elements, name="demanding"),), **fields)


# -- every element, in every letter ------------------------------------------------------------------------------------

ANY_KIND = [kind for kind in LetterKind if not LETTERS[kind].to_staff and kind is not LetterKind.EXTENSION]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ANY_KIND)
def test_what_a_rule_has_a_letter_name_is_in_it_whatever_its_kind(kind: LetterKind, language: str) -> None:
    pack = demanding(kind, *Element, routes=ALL_ROUTES)
    facts = full_facts(letter="demanding", reasons="The exchange has not answered us.")

    body = written(kind, pack, language=language, facts=facts)

    moment = {"en": "Friday, 17 July 2026, 23:59 (Hong", "zh-CN": "2026年7月17日（星期五）23:59（香港"}[language]
    for element in (pack.timetable.in_language(language), moment, "The exchange has not answered us."):
        assert body.count(element) == 1
    for one in ALL_ROUTES:
        assert one.contact
        assert one.title.in_language(language) in body
        assert " ".join(one.contact.in_language(language).split()) in body


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_rule_adds_its_own_paragraph_to_the_letter(language: str) -> None:
    text = Bilingual(en="You need not pay for this.", zh="本程序不收取任何费用。")
    for kind in ANY_KIND:
        pack = with_rules(letters=(rule(kind, text=text, name="demanding"),))
        body = written(kind, pack, language=language, facts=full_facts(letter="demanding", reasons="—"))
        assert body.count(text.in_language(language)) == 1


def test_a_rule_for_one_kind_leaves_letters_of_other_kinds_as_they_are() -> None:
    pack = demanding(LetterKind.FINAL_RESPONSE, *Element)
    without = with_rules(letters=(), routes=())
    for kind in (LetterKind.ACKNOWLEDGEMENT, LetterKind.PROGRESS, LetterKind.REMINDER, LetterKind.REFERRAL):
        assert written(kind, pack) == written(kind, without)


@pytest.mark.parametrize(
    ("element", "fields", "facts", "to_set"),
    [
        (Element.TIMETABLE, {"timetable": Bilingual(en=" ", zh="有")}, {}, "timetable"),
        (Element.EXPECTED_DATE, {}, {"expected_by": None}, "facts.expected_by"),
        (Element.REASONS, {}, {"findings": ()}, "facts.reasons"),
        (Element.OMBUDSMAN, {"routes": ()}, {}, "routes: one of kind ombudsman"),
        (Element.OMBUDSMAN, {"routes": (route(RouteKind.OMBUDSMAN, contact=None),)}, {}, "routes[ombudsman].contact"),
        (
            Element.OMBUDSMAN,
            {"routes": (route(RouteKind.OMBUDSMAN, members=Bilingual(en="banks", zh="银行")),)},
            {},
            "routes[ombudsman].firm_belongs",
        ),
        (
            Element.OMBUDSMAN,
            {"routes": (route(RouteKind.OMBUDSMAN, contact=Bilingual(en="", zh="某市")),)},
            {},
            "routes[ombudsman].contact",
        ),
        (
            Element.OMBUDSMAN,
            {"routes": (route(RouteKind.OMBUDSMAN, contact=None, firm_belongs=False),)},
            {},
            "routes: one of kind ombudsman that takes the firm's customers",
        ),
        (Element.MEDIATION, {"routes": (OMBUDSMAN,)}, {}, "routes: one of kind mediation"),
    ],
)
def test_a_letter_that_cannot_name_what_it_must_is_refused_by_kind_rule_element_and_field(
    element: Element, fields: dict[str, Any], facts: dict[str, Any], to_set: str
) -> None:
    pack = demanding(LetterKind.REFERRAL, element, **fields)
    told = refused(LetterKind.REFERRAL, pack, facts=full_facts(**facts))
    assert f"referral (letter 2) cannot be written without {element.value}, which letters[demanding]" in told
    assert f"of policy pack {PACK.id}" in told
    assert f"(set {to_set}" in told


def test_all_that_a_pack_lacks_is_named_at_once() -> None:
    pack = demanding(
        LetterKind.FINAL_RESPONSE,
        Element.OMBUDSMAN,
        Element.MEDIATION,
        routes=(
            route(RouteKind.OMBUDSMAN, name="fos", contact=None),
            route(RouteKind.MEDIATION, name="fdrc", contact=None),
        ),
    )
    told = refused(LetterKind.FINAL_RESPONSE, pack)
    assert "routes[fos].contact" in told
    assert "routes[fdrc].contact" in told


def test_a_rule_without_its_text_in_the_customers_language_is_refused() -> None:
    pack = with_rules(letters=(rule(LetterKind.PROGRESS, name="news", text=Bilingual(en="Only English.", zh="")),))
    assert "Only English." in written(LetterKind.PROGRESS, pack)
    assert "letters[news]" in refused(LetterKind.PROGRESS, pack, language="zh-CN")


def test_a_template_that_leaves_out_what_a_rule_demands_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    frame = tmp_path / "templates" / "en" / "_frame.txt"
    monkeypatch.setattr("runtime.letters.stationery.TEMPLATES", tmp_path / "templates")
    text = Bilingual(en="You need not pay for this.", zh="本程序不收取任何费用。")
    pack = with_rules(letters=(rule(LetterKind.REFERRAL, Element.TIMETABLE, Element.OMBUDSMAN, text=text),))
    pack = with_rules(pack, routes=(OMBUDSMAN,))
    stationery_in.cache_clear()
    try:
        written(LetterKind.REFERRAL, pack)
        frame.write_text("{% block subject required %}{% endblock %}\n{% block body required %}{% endblock %}")
        stationery_in.cache_clear()
        told = refused(LetterKind.REFERRAL, pack)
    finally:
        stationery_in.cache_clear()
    assert "templates/en/referral.txt leaves out" in told
    for lost in ("timetable", "ombudsman", "a rule's text"):
        assert lost in told


@pytest.mark.parametrize("kind", [LetterKind.ACKNOWLEDGEMENT, LetterKind.PROGRESS, LetterKind.OVERDUE])
def test_a_missed_date_that_a_letter_tells_as_missed_does_not_keep_it_back(kind: LetterKind) -> None:
    pack = demanding(kind, Element.EXPECTED_DATE)
    body = written(kind, pack, facts=full_facts(expected_by=NOW - timedelta(days=1)))
    assert "That time has passed" in body


# -- holding letters ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_holding_letter_goes_out_although_nobody_touched_the_case(language: str) -> None:
    pack = demanding(LetterKind.HOLDING, Element.EXPECTED_DATE, Element.REASONS, Element.OMBUDSMAN, routes=(OMBUDSMAN,))
    facts = LetterFacts(letter="demanding", expected_by=EXPECTED_BY)
    body = written(LetterKind.HOLDING, pack, language=language, facts=facts)
    for said in {
        "en": ["examination of your complaint is not finished", "17 July 2026, 23:59", "The ombudsman body"],
        "zh-CN": ["核实处理工作尚未完成", "2026年7月17日（星期五）23:59", "ombudsman机构"],
    }[language]:
        assert said in body


def test_a_holding_letter_gives_the_reasons_it_is_given_and_keeps_what_was_found_for_the_decision() -> None:
    pack = demanding(LetterKind.HOLDING, Element.REASONS)
    for reasons in (None, "The exchange has not answered us."):
        body = written(LetterKind.HOLDING, pack, facts=full_facts(letter="demanding", reasons=reasons))
        assert (reasons or "examination of your complaint is not finished") in body
        assert finding().reason.en not in body


def test_only_the_rule_that_is_named_holds_for_a_holding_letter() -> None:
    rules = (
        rule(LetterKind.HOLDING, name="first", text=Bilingual(en="The first.", zh="一")),
        rule(LetterKind.HOLDING, Element.OMBUDSMAN, name="second", text=Bilingual(en="The second.", zh="二")),
    )
    pack = with_rules(letters=rules)
    body = written(LetterKind.HOLDING, pack, facts=full_facts(letter="first"))
    assert "The first." in body
    assert "The second." not in body
    assert "letters[second]" in refused(LetterKind.HOLDING, pack, facts=full_facts(letter="second"))


def test_a_holding_letter_by_a_rule_that_there_is_not_is_refused() -> None:
    told = refused(LetterKind.HOLDING, FULL_PACK, facts=full_facts(letter="eight-week"))
    assert f"letters[eight-week] of policy pack {PACK.id}" in told


def test_a_holding_letter_never_gives_a_date_that_has_passed() -> None:
    told = refused(LetterKind.HOLDING, FULL_PACK, facts=full_facts(expected_by=NOW))
    assert "a new expected_by (2026-07-03 03:00 UTC has passed)" in told


# -- the ways to go further --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_final_response_names_each_route_with_its_contact_its_limit_and_until_when(language: str) -> None:
    limit = Money(amount=Decimal(1_000_000), currency="HKD")
    mediation = route(RouteKind.MEDIATION, limit=limit, after_silence={"hours": 0})
    pack = with_rules(routes=(OMBUDSMAN, mediation), letters=())
    body = written(LetterKind.FINAL_RESPONSE, pack, language=language)
    for said in {
        "en": [
            f"{PACK.rights.en} These are the ways to go further: 1. The ombudsman body 1 ombudsman Street Town",
            # Six months from the day of the letter, in Hong Kong.
            "It is open to you until Sunday, 3 January 2027, 23:59 (Hong Kong Standard Time).",
            "2. The mediation body 1 mediation Street Town It takes claims up to HK$1,000,000.00. It is open to you",
        ],
        "zh-CN": [
            f"{PACK.rights.zh} 进一步救济途径如下： 1. ombudsman机构 某市ombudsman路1号",
            "您可以在2027年1月3日（星期日）23:59（香港标准时间）之前提出。",
            "2. mediation机构 某市mediation路1号 受理金额上限：HK$1,000,000.00。 您现在即可提出。",
        ],
    }[language]:
        assert said in body


def test_a_holding_letter_tells_from_when_a_route_is_open_without_a_final_response() -> None:
    pack = with_rules(FULL_PACK, routes=(OMBUDSMAN,))
    early = written(LetterKind.HOLDING, pack)
    assert (
        "It will be open to you when you have our final response or, if you do not have it by then, after"
        " Friday, 28 August 2026, 23:59 (Hong Kong Standard Time)." in early
    )
    facts = full_facts(expected_by=NOW + timedelta(weeks=10))
    late = written(LetterKind.HOLDING, pack, facts=facts, at=NOW + timedelta(weeks=9))
    assert "It is open to you now. Our final response will tell you until when." in late
    never = with_rules(FULL_PACK, routes=(route(RouteKind.OMBUDSMAN),))
    assert "It will be open to you when you have our final response." in written(LetterKind.HOLDING, never)


def test_a_later_letter_counts_from_the_final_response_that_the_customer_had() -> None:
    pack = demanding(LetterKind.PROGRESS, Element.OMBUDSMAN, routes=(OMBUDSMAN,))
    responded_at = NOW - timedelta(days=30)
    body = written(LetterKind.PROGRESS, pack, responded_at=responded_at)
    assert "It is open to you until Thursday, 3 December 2026, 23:59" in body
    long_ago = written(LetterKind.PROGRESS, pack, responded_at=NOW - timedelta(days=300))
    assert "It was open to you until Friday, 6 March 2026, 23:59 (Hong Kong Standard Time). That time" in long_ago


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_route_closed_to_the_customer_is_named_with_the_reason(language: str) -> None:
    limit = Money(amount=Decimal(3000), currency="USD")
    members = Bilingual(en="banks", zh="银行")
    outside = route(RouteKind.ARBITRATION, members=members, firm_belongs=False)
    pack = with_rules(routes=(route(RouteKind.OMBUDSMAN, limit=limit), outside), letters=())
    body = written(LetterKind.FINAL_RESPONSE, pack, language=language)
    for said in {
        "en": ["up to $3,000.00. It is not open to you. The claim exceeds", "2. The arbitration body It is not open"],
        "zh-CN": ["上限：US$3,000.00。 该途径不适用于您的投诉：索赔金额超出", "2. arbitration机构 该途径不适用"],
    }[language]:
        assert said in body
    assert "arbitration Street" not in body
    assert "arbitration路" not in body


def test_routes_that_cannot_be_named_or_do_not_concern_the_complaint_are_left_out() -> None:
    pack = with_rules(
        routes=(
            route(RouteKind.OMBUDSMAN, contact=None),
            route(RouteKind.MEDIATION, members=Bilingual(en="banks", zh="银行")),
            route(RouteKind.LITIGATION, categories=(Category.LENDING,)),
        ),
        letters=(),
    )
    body = written(LetterKind.FINAL_RESPONSE, pack)
    for kind in RouteKind:
        assert f"The {kind.value} body" not in body
    assert "ways to go further" not in body


def test_letters_of_a_pack_without_routes_and_rules_have_no_list_of_routes() -> None:
    pack = with_rules(routes=(), letters=())
    body = written(LetterKind.FINAL_RESPONSE, pack)
    assert f"YOUR RIGHTS {PACK.rights.en} Your reference is" in body


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_summary_says_where_to_go_with_second_thoughts_or_else_what_the_pack_says_of_rights(language: str) -> None:
    ombudsman = with_rules(routes=(OMBUDSMAN,))
    body = written(LetterKind.SUMMARY_RESOLUTION, ombudsman, language=language)
    assert {"en": "until Sunday, 3 January 2027", "zh-CN": "2027年1月3日"}[language] in body
    assert PACK.rights.in_language(language) not in body
    none = with_rules(routes=())
    assert PACK.rights.in_language(language) in written(LetterKind.SUMMARY_RESOLUTION, none, language=language)


# -- several packs -----------------------------------------------------------------------------------------------------


def test_the_rules_of_every_pack_of_a_case_hold_for_its_letters() -> None:
    lead = with_rules(routes=(), letters=())
    other = with_rules(
        id="other",
        letters=(
            rule(LetterKind.FINAL_RESPONSE, Element.OMBUDSMAN, text=Bilingual(en="As the other pack says.", zh="如")),
            rule(LetterKind.HOLDING, Element.OMBUDSMAN, name="wait", text=Bilingual(en="The other waits.", zh="待")),
        ),
    )
    both = combine([lead, with_rules(other, routes=(OMBUDSMAN,))])
    final = written(LetterKind.FINAL_RESPONSE, both)
    assert "As the other pack says." in final
    assert "1. The ombudsman body" in final
    holding = written(LetterKind.HOLDING, both, facts=full_facts(letter="other/wait"))
    assert "The other waits." in holding

    lacking = combine([lead, with_rules(other, routes=(route(RouteKind.OMBUDSMAN, name="fos", contact=None),))])
    told = refused(LetterKind.FINAL_RESPONSE, lacking)
    assert f"letters[other/final_response] of policy pack {PACK.id}/other" in told
    assert "routes[other/fos].contact" in told


def test_another_pack_has_no_say_in_letters_about_what_it_is_not_for_but_its_running_clocks_have() -> None:
    lead = with_rules(routes=(), letters=())
    text = Bilingual(en="As the other pack says.", zh="如另一规则所述。")
    other = with_rules(
        id="other",
        applies_to=Scope(categories=(Category.PAYMENT,)),
        routes=(OMBUDSMAN,),
        letters=(
            rule(LetterKind.FINAL_RESPONSE, Element.OMBUDSMAN, text=text),
            rule(LetterKind.HOLDING, name="wait", text=text),
        ),
    )
    both = combine([lead, other])
    payment = written(LetterKind.FINAL_RESPONSE, both, facts=full_facts(category=Category.PAYMENT))
    assert text.en in payment
    assert "1. The ombudsman body" in payment
    execution = written(LetterKind.FINAL_RESPONSE, both)
    assert text.en not in execution
    assert "The ombudsman body" not in execution
    assert text.en in written(LetterKind.HOLDING, both, facts=full_facts(letter="other/wait"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_eight_week_letter_of_the_united_kingdom_says_what_it_must(language: str) -> None:
    day = datetime(2026, 8, 27, 9, 0, tzinfo=UTC)
    pack = find_pack("uk-fca", day)
    [eight_weeks] = pack.letter_rules(LetterKind.HOLDING, "eight-week")
    facts = full_facts(letter="eight-week", expected_by=day + timedelta(days=14))
    body = written(LetterKind.HOLDING, pack, language=language, facts=facts, at=day)
    assert eight_weeks.text
    elapsed = {"en": "7 weeks and 6 days", "zh-CN": "7周6天"}[language]
    for said in (
        " ".join(eight_weeks.text.in_language(language).replace("{elapsed}", elapsed).split()),
        "www.financial-ombudsman.org.uk",
        {"en": "Thursday, 10 September 2026", "zh-CN": "2026年9月10日"}[language],
    ):
        assert said in body


def test_the_decision_of_a_chinese_bank_names_review_mediation_arbitration_and_litigation() -> None:
    pack = find_pack("cn-banking", NOW)
    body = written(LetterKind.FINAL_RESPONSE, pack, language="zh-CN")
    for title in ("核查", "调解", "仲裁", "诉讼"):
        assert f". {title} " in body


# -- extensions --------------------------------------------------------------------------------------------------------


def test_an_extension_that_the_pack_does_not_have_is_refused_by_name() -> None:
    facts = full_facts(reasons="As said.", extension="very-long")
    told = refused(LetterKind.EXTENSION, FULL_PACK, facts=facts)
    assert f"clocks[response].extensions[very-long] of policy pack {PACK.id}, which does not exist" in told


def test_an_extension_that_moves_nothing_any_more_is_refused() -> None:
    told = refused(LetterKind.EXTENSION, FULL_PACK, facts=full_facts(reasons="As said."))
    assert "clocks[response].extensions[complex]" in told
    assert "cannot be granted any more" in told
