"""Signs: what raises them, who has the last word on them, and what they change."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.case import assessment_rules as rules
from domain.case.hearing import SIGNS, signs_heard, signs_of
from domain.ground.people import SYSTEM, Actor
from domain.ground.words import Confidence, Driver, Priority, Role, SignKind, SignStep
from domain.people.signs import Care, Sign, SignChange, StandingSign, care_for, standing
from domain.speech import signs_en, signs_zh
from domain.speech.proposing import Opinion
from tests.case.support import complaint

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
HANDLER = Actor(id="h-1", role=Role.HANDLER)


def sign(kind: SignKind = SignKind.FRAUD, **more: object) -> Sign:
    driver = Driver.HEALTH if kind is SignKind.VULNERABILITY else None
    return Sign.model_validate({"kind": kind, "driver": driver, "rests_on": ("words",), **more})


def change(step: SignStep, by: Actor = SYSTEM, kind: SignKind = SignKind.FRAUD, **more: object) -> SignChange:
    return SignChange(step=step, sign=sign(kind, **more), by=by, at=NOW)


def test_every_kind_of_harm_that_the_first_assessment_knows_is_a_sign_or_said_to_be_none() -> None:
    known = (rules.SEVERITY_WORDS, signs_en.SIGNS, signs_zh.SIGNS)
    assert set(SIGNS) == {kind for one in known for kinds in one.values() for kind in kinds}


@pytest.mark.parametrize(
    ("text", "kind", "driver"),
    [
        ("I want to die since you closed my position.", SignKind.DANGER_TO_LIFE, None),
        ("我不想活了", SignKind.DANGER_TO_LIFE, None),
        ("My father is in hospital.", SignKind.VULNERABILITY, Driver.HEALTH),
        ("自从丈夫去世以后", SignKind.VULNERABILITY, Driver.LIFE_EVENT),
        ("These were my life savings.", SignKind.VULNERABILITY, Driver.RESILIENCE),
        ("I will go to the press.", SignKind.MEDIA, None),
        ("My lawyer will write to you.", SignKind.LEGAL, None),
        ("我要向证监会投诉", SignKind.REGULATOR, None),
        ("My account was hacked.", SignKind.FRAUD, None),
        ("There won't be a next month for me.", SignKind.DANGER_TO_LIFE, None),
    ],
)
def test_words_raise_signs_and_are_kept_with_them(text: str, kind: SignKind, driver: Driver | None) -> None:
    (heard,) = signs_heard(text)
    assert (heard.kind, heard.driver) == (kind, driver)
    assert all(words in text for words in heard.rests_on)


def test_what_only_sounds_like_a_sign_is_none() -> None:
    assert signs_heard("I am sick of the depression in the market, a financial suicide.", "跳楼价, 提现困难") == ()


def test_what_is_denied_or_only_supposed_is_no_sign() -> None:
    assert signs_heard("I am not suicidal.", "If I were pregnant you would listen.", "我没有自杀的念头") == ()


def test_danger_to_life_that_only_a_model_hears_is_a_doubtful_sign() -> None:
    alarmed = Opinion(model="m-1", danger=0.9, alarm=True)
    (heard,) = signs_of(complaint(subject=None, description="The cat is with a friend now."), alarmed)
    assert (heard.kind, heard.confidence, heard.rests_on) == (
        SignKind.DANGER_TO_LIFE,
        Confidence.DOUBTFUL,
        ("the model m-1",),
    )
    (named,) = signs_heard("I want to die.", opinion=alarmed)
    assert named.rests_on == ("want to die",)
    assert signs_heard("The cat is with a friend now.", opinion=Opinion(model="m-1", danger=0.3)) == ()


def test_two_different_phrases_leave_less_doubt_than_one_said_twice() -> None:
    (once,) = signs_heard("hacked, hacked, and hacked again")
    (twice,) = signs_heard("hacked by a fraudster")
    assert (once.confidence, twice.confidence) == (Confidence.DOUBTFUL, Confidence.WELL_SUPPORTED)


def test_a_complaint_that_the_regulator_sends_on_is_a_certain_sign_of_it() -> None:
    (told,) = signs_of(complaint(channel="regulator", description="To the FCA: a wrong price."))
    assert (told.kind, told.confidence) == (SignKind.REGULATOR, Confidence.CERTAIN)


@pytest.mark.parametrize("kind", list(SignKind))
def test_vulnerability_has_a_driver_and_nothing_else_has(kind: SignKind) -> None:
    with pytest.raises(ValueError, match="driver"):
        Sign(kind=kind, driver=None if kind is SignKind.VULNERABILITY else Driver.HEALTH, rests_on=("words",))


def test_what_a_person_withdrew_or_confirmed_is_not_raised_or_replaced_by_words_again() -> None:
    raised, again = change(SignStep.RAISED), change(SignStep.RAISED, confidence=Confidence.CERTAIN)
    withdrawn = change(SignStep.WITHDRAWN, HANDLER)
    assert standing([raised, withdrawn, again]) == []
    confirmed = change(SignStep.CONFIRMED, HANDLER, confidence=Confidence.WELL_SUPPORTED)
    (one,) = standing([raised, confirmed, again])
    assert (one.sign.confidence, one.raised_by, one.confirmed_by) == (Confidence.WELL_SUPPORTED, SYSTEM, HANDLER)
    assert len(standing([raised, withdrawn, change(SignStep.RAISED, HANDLER)])) == 1


STEPS = [change(step, by, kind) for step in SignStep for by in (SYSTEM, HANDLER) for kind in list(SignKind)[:2]]


@given(st.lists(st.sampled_from(STEPS), max_size=8))
def test_the_last_word_that_a_person_said_on_a_sign_decides_whether_it_stands(changes: list[SignChange]) -> None:
    there = {one.key for one in standing(changes)}
    for key in {one.sign.key for one in changes}:
        said = [one for one in changes if one.sign.key == key and one.by == HANDLER]
        by_rule = [one for one in changes if one.sign.key == key]
        last = (said or by_rule)[-1]
        assert (key in there) is (last.step is not SignStep.WITHDRAWN)


def as_it_stands(one: Sign, *, confirmed: bool = False) -> StandingSign:
    return StandingSign(
        key=one.key, sign=one, raised_at=NOW, raised_by=SYSTEM, confirmed_by=HANDLER if confirmed else None
    )


def test_one_doubtful_word_has_nothing_done_by_people_but_danger_to_life_always_has() -> None:
    for kind in SignKind:
        doubtful, sure = (care_for([as_it_stands(sign(kind), confirmed=said)], NOW) for said in (False, True))
        if kind is SignKind.DANGER_TO_LIFE:
            assert doubtful == sure
            assert sure.alarm
            assert sure.by_people
        else:
            assert doubtful == Care(skilled=doubtful.skilled, open=kind is not SignKind.HIGH_EMOTION)
    fraud = as_it_stands(sign(SignKind.FRAUD, confidence=Confidence.WELL_SUPPORTED))
    assert care_for([fraud], NOW).by_people


def test_care_adds_up_in_any_order_and_ends_when_a_sign_is_valid_no_longer() -> None:
    until = NOW + timedelta(days=1)
    signs = [
        as_it_stands(sign(SignKind.VULNERABILITY)),
        as_it_stands(sign(SignKind.FRAUD, valid_until=until), confirmed=True),
        as_it_stands(sign(SignKind.MEDIA), confirmed=True),
    ]
    assert {care_for(order, NOW) for order in permutations(signs)} == {
        Care(skilled=True, by_people=True, second_person=True, open=True)
    }
    assert care_for(signs, until) == Care(skilled=True, second_person=True, open=True)


def test_danger_to_life_goes_first_and_other_signs_change_no_priority() -> None:
    danger = care_for([as_it_stands(sign(SignKind.DANGER_TO_LIFE))], NOW)
    others = care_for([as_it_stands(sign(kind)) for kind in SignKind if kind is not SignKind.DANGER_TO_LIFE], NOW)
    assert {danger.of(priority) for priority in Priority} == {Priority.P1}
    assert [others.of(priority) for priority in Priority] == list(Priority)
