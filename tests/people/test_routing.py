"""Routing: who gets a case, in the order in which it matters, and the same again from what was recorded."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.ground.words import Category, Priority, Role
from domain.people.routing import Need, loads, route
from tests.people.support import TODAY, directory, person


def need(**changes: Any) -> Need:
    return Need.model_validate(
        {
            "day": TODAY,
            "role": Role.HANDLER,
            "ladder": (Role.TEAM_LEAD, Role.EXECUTIVE),
            "team": "dealing",
            "category": Category.EXECUTION,
            "language": "en",
            "priority": Priority.P3,
            **changes,
        }
    )


ROOMY = person("z-roomy")


def first(*people: dict[str, Any], **changes: Any) -> str | None:
    return route(need(**changes), directory(*people, teams=("dealing", "payments"))).person


def test_what_matters_more_decides_whatever_speaks_for_others() -> None:
    speaks = person("z-speaks", languages=["zh-CN"])
    cares = person("z-cares", skills=["vulnerable_customers"])
    earlier = person("z-earlier", skills=[])
    skilled = person("z-skilled", skills=["execution"])
    assert first(skilled, earlier, speaks, language="zh-CN", earlier="z-earlier") == "z-speaks"
    assert first(skilled, earlier, cares, skilled=True, earlier="z-earlier") == "z-cares"
    assert first(skilled, earlier, earlier="z-earlier") == "z-earlier"
    assert first(skilled, ROOMY) == "z-skilled"
    assert first(person("a"), ROOMY, load={"a": 3, "z-roomy": 2}) == "z-roomy"
    assert first(person("b"), person("a")) == "a"


def test_the_lightest_load_is_by_what_somebody_can_take() -> None:
    assert first(person("a", capacity=10), person("b", capacity=40), load={"a": 4, "b": 10}) == "b"


def test_who_had_the_earlier_case_keeps_the_customer_unless_it_is_urgent_and_the_desk_is_full() -> None:
    full = {"load": {"a": 20}, "earlier": "a"}
    assert first(person("a"), ROOMY, **full) == "a"
    assert first(person("a"), ROOMY, priority=Priority.P1, **full) == "z-roomy"


def test_away_another_team_and_a_missing_course_rule_somebody_out() -> None:
    away = person("a", absences=[{"first": TODAY, "last": TODAY}])
    other = person("b", teams=["payments"])
    trained = person("c", training=[{"course": "complaints", "first": TODAY}])
    routed = route(
        need(courses={"handler": ("complaints",), "executive": ("another",)}),
        directory(away, other, ROOMY, trained, teams=("dealing", "payments")),
    )
    assert routed.person == "c"
    assert {one.id: one.why_not for one in routed.candidates} == {
        "a": "away",
        "b": "not in dealing",
        "c": None,
        "z-roomy": "lacks complaints",
    }


def test_where_nobody_is_left_it_goes_up_level_by_level_and_at_last_to_nobody() -> None:
    lead = person("l", "team_lead", teams=["payments"])
    boss = person("e", "executive")
    out = {"a": "named"}
    routed = route(need(kept_out=out), directory(person("a"), lead, boss, teams=("dealing", "payments")))
    assert (routed.person, routed.role, routed.level) == ("l", Role.TEAM_LEAD, 1)
    everybody = {"a": "named", "l": "acted", "e": "declared"}
    nobody = route(need(kept_out=everybody), directory(person("a"), lead, boss, teams=("dealing", "payments")))
    assert nobody.person is None
    assert {one.id for one in nobody.candidates} == set(everybody)


@given(st.permutations([person(f"p-{one}", capacity=one) for one in range(5)]), st.integers(0, 4))
def test_the_order_of_the_directory_makes_no_difference_and_what_is_recorded_gives_the_same_again(
    people: list[dict[str, Any]], busy: int
) -> None:
    asked = need(load={f"p-{busy}": 2})
    routed = route(asked, directory(*people))
    again = route(Need.model_validate_json(asked.model_dump_json()), directory(*sorted(people, key=str)))
    assert again == routed


def test_loads_are_of_persons_however_their_ids_were_spelt() -> None:
    assert loads({"H-1": 2, "h-1": 1, "team_lead": 7}, directory(person("h-1"))) == {"h-1": 3}
