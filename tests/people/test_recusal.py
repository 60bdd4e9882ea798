"""Recusal: whoever has an interest in a case is kept out, however they are called and whatever the organisation."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ground.words import Category, Priority, Role
from domain.people.directory import Directory
from domain.people.recusal import Acted, Concerned, Recusal, Why, kept_out, recusals
from domain.people.routing import Need, route
from tests.people.support import NOW, TODAY, directory, person

ACCOUNT = "70012345"


def concerned(*texts: str, **more: object) -> Concerned:
    return Concerned.model_validate({"account": ACCOUNT, "texts": texts, **more})


@pytest.mark.parametrize(
    ("text", "out"),
    [
        ("Your Mr. JANE  Doe closed my position", True),
        ("your dealer ｊａｎｅ ｄｏｅ", True),
        ("贵公司的张三平仓", True),
        ("h-1 told me so", True),
        ("Jane Doelittle told me so", False),
        ("position h-11 was closed", False),
        ("nobody in particular", False),
        ("Doe Jane keeps my money", True),
        ("your Ms. Jané  DOE, again", True),
        ("贵公司Jane Doe平仓", True),
        ("贵公司h-1员工", True),
        ("Jane M. Doe", True),
        ("Jane met Mr Doe", False),
        ("贵公司 张 三 平仓", True),
        ("Jane-Doe's answer", True),
        ("my account sah-1", False),
        ("Ruiz was rude", True),
        ("Ruiz-Gomez was rude", False),
    ],
)
def test_who_is_named_in_any_spelling_is_kept_out_and_nobody_whose_name_is_part_of_another(
    text: str, out: bool
) -> None:
    people = directory(person("h-1", names=["Jane Doe", "张三", "Ruíz"]), person("h-2"))
    assert {one.person for one in recusals(people, concerned(text))} == ({"h-1"} if out else set())


LETTERS = st.sampled_from("abcdefghijklmnopqrstuvwxyz")
LATIN = st.text(LETTERS, min_size=3, max_size=7)


@given(st.lists(LATIN, min_size=2, max_size=4, unique=True), st.randoms(use_true_random=False), st.data())
def test_a_name_is_found_in_any_order_case_accent_and_space_and_not_with_a_word_between(
    words: list[str], random: Random, data: st.DataObject
) -> None:
    people = directory(person("h-1", names=[" ".join(words)]), person("h-2"))
    written = random.sample(words, len(words))
    accent = data.draw(st.sampled_from(["", "\u0301", "\u0308"]))
    spoken = data.draw(st.sampled_from([" ", "  ", "\n", ", ", "-"])).join(
        f"{one[0]}{accent}{one[1:]}" for one in written
    )
    spoken = data.draw(st.sampled_from([spoken, spoken.upper(), spoken.title(), f"贵公司{spoken}说"]))
    assert {one.person for one in recusals(people, concerned(f"1 {spoken}, 2"))} == {"h-1"}
    apart = " 12 ".join(written)
    assert not recusals(people, concerned(apart))


def test_who_acted_or_decided_is_kept_out_whether_the_records_give_id_role_or_name() -> None:
    people = directory(person("H-1", names=["Jane Doe"]), person("h-2"))
    for who in ("h-1", "H-1", "handler:h-1", "jane doe"):
        acted = concerned(acted=[Acted(who=who, about="T-1")])
        assert "h-1" in {one.person for one in recusals(people, acted)}, who
        decided = concerned(decided=[Acted(who=who, about="RD-1")])
        assert "h-1" in {one.person for one in recusals(people, decided)}, who
    elsewhere = recusals(people, concerned(acted=[Acted(who="d-9", about="T-1")]))
    assert {(one.person, one.why) for one in elsewhere} == {("d-9", Why.ACTED)}


def test_a_declared_conflict_holds_in_its_days_and_for_its_account() -> None:
    days = {"first": TODAY, "last": TODAY + timedelta(1), "why": "family"}
    people = directory(
        person("h-1", conflicts=[{"account": ACCOUNT, **days}]), person("h-2", conflicts=[{"account": "1", **days}])
    )
    found = recusals(people, concerned())
    assert [(one.person, one.why) for one in found] == [("h-1", Why.DECLARED)]
    held = [bool(kept_out(found, NOW + timedelta(days))) for days in range(-1, 3)]
    assert held == [False, True, True, False]


def test_of_a_conflict_that_was_declared_anew_the_last_word_counts() -> None:
    first = Recusal(person="h-1", why=Why.DECLARED, about=ACCOUNT, first=date(2026, 1, 1))
    ended = first.model_copy(update={"last": TODAY - timedelta(1)})
    assert kept_out([first], NOW)
    assert not kept_out([first, ended], NOW)


NAMES = ["Ann", "Bo Li", "王五", "Doe"]
ROLES = [role.value for role in Role if role.is_staff]


@st.composite
def organisations(draw: st.DrawFn) -> Directory:
    size = draw(st.integers(1, 8))
    return directory(
        *(
            person(
                f"p-{number}",
                *draw(st.lists(st.sampled_from(ROLES), min_size=1, max_size=3, unique=True)),
                teams=draw(st.lists(st.sampled_from(["dealing", "payments"]), min_size=1, max_size=2, unique=True)),
                names=draw(st.lists(st.sampled_from(NAMES), max_size=1)),
                conflicts=[{"account": ACCOUNT, "first": TODAY, "why": "x"}] if draw(st.booleans()) else [],
                absences=[{"first": TODAY, "last": TODAY}] if draw(st.booleans()) else [],
                capacity=draw(st.integers(0, 3)),
            )
            for number in range(size)
        ),
        teams=("dealing", "payments"),
    )


@given(
    organisations(),
    st.lists(st.sampled_from(NAMES), max_size=2),
    st.lists(st.integers(0, 9), max_size=3),
    st.lists(st.integers(0, 9), max_size=3),
    st.sampled_from([role for role in Role if role.is_staff]),
    st.sampled_from(list(Priority)),
)
def test_in_no_organisation_does_a_case_get_to_somebody_with_an_interest_and_nobody_left_is_a_level_up(  # noqa: PLR0917
    people: Directory, named: list[str], acted: list[int], decided: list[int], role: Role, priority: Priority
) -> None:
    complaint = concerned(
        " and ".join(named),
        acted=[Acted(who=f"p-{one}", about="t") for one in acted],
        decided=[Acted(who=f"P-{one}", about="r") for one in decided],
    )
    out = kept_out(recusals(people, complaint), NOW)
    interested = {f"p-{one}" for one in (*acted, *decided)} | {
        one.person for one in people.people if one.conflicts or set(one.names) & set(named)
    }
    assert set(out) == interested

    ladder = (Role.TEAM_LEAD, Role.COMPLIANCE_OFFICER, Role.EXECUTIVE)
    need = Need(
        day=TODAY,
        role=role,
        ladder=ladder,
        team="dealing",
        category=Category.EXECUTION,
        language="en",
        priority=priority,
        kept_out={one: found.why.value for one, found in out.items()},
    )
    routed = route(need, people)
    able = [
        (level, one.person)
        for level, wanted in enumerate((role, *ladder))
        for one in people.holders(wanted, team="dealing" if wanted is Role.HANDLER else None, besides=interested)
        if not one.away(TODAY)
    ]
    if not able:
        assert routed.person is None
    else:
        assert (routed.level, routed.person) in able
        assert routed.level == min(level for level, _ in able)


def test_the_day_of_a_moment_is_that_of_utc() -> None:
    one = Recusal(person="h-1", why=Why.DECLARED, about=ACCOUNT, first=TODAY, last=TODAY)
    assert one.holds(datetime(2026, 3, 2, 23, 59, tzinfo=UTC))
    assert not one.holds(datetime(2026, 3, 3, 0, 0, tzinfo=UTC))
