"""The directory: what a file may say, what stays in the history, and what packs need somebody for."""

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from domain.ground.words import Role
from domain.people.directory import Directory, refreshers
from domain.people.directory_check import check_directory, roles_named, unheld
from domain.rules.policy import PolicyPack
from runtime.policies import find_pack
from runtime.toml_files import TomlFileError
from starter.client.directory import DEMO, DirectoryInvalid, People, load_demo, packs_in_force, read_directory_file
from tests.people.support import FILE, LEAD, NOW, TODAY, directory, person, written
from tests.signing import signed

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]


def test_a_file_says_who_speaks_what_and_is_away_on_both_the_first_and_the_last_day(tmp_path: Path) -> None:
    one = read_directory_file(written(tmp_path, FILE)).find("H-1")
    assert one is not None
    assert one.languages == ("en", "zh-CN")
    away = [day for day in range(1, 8) if one.away(date(2026, 3, day))]
    assert away == [1, 2, 3, 4, 5]
    assert [course.course for course in one.lapsed(TODAY)] == ["complaints"]


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ('roles = ["handler"]', 'roles = ["customer"]'),
        ('skills = ["execution"', 'skills = ["excution"'),
        ("last = 2026-03-05", "last = 2026-02-05"),
        ('languages = ["en", "zh-HK"]', 'languages = ["klingon"]'),
        ('teams = ["dealing"]', "teams = []"),
        ('id = "h-1"', 'id = "somebody@example.com"'),
    ],
)
def test_what_does_not_fit_is_refused_by_person_and_field(tmp_path: Path, wrong: str, named: str) -> None:
    path = written(tmp_path, FILE.replace(wrong, named))
    with pytest.raises(TomlFileError, match=r"directory\.toml: people\[.*\]\.\w+"):
        read_directory_file(path)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (directory(person("h-1"), person(" H-1".strip())), "people[H-1].id"),
        (directory(person("h-1"), teams=("dealing", "dealing")), "teams[dealing].name"),
        (directory(person("h-1", teams=["elsewhere"])), "people[h-1].teams"),
    ],
)
async def test_a_directory_that_contradicts_itself_is_not_imported(pool: "Pool", wrong: Directory, field: str) -> None:
    assert [one.field for one in check_directory(wrong, (), TODAY) if one.severity == "error"] == [field]
    with pytest.raises(DirectoryInvalid, match=field.replace("[", r"\[")):
        await People(pool, signed).replace(wrong, by=LEAD)
    assert (await People(pool, signed).directory()).version == 0


def test_every_role_and_every_team_that_a_pack_names_is_missed_when_nobody_holds_it() -> None:
    pack = find_pack("platform-default", NOW)
    named = {one.field for one in unheld(directory(), [pack], TODAY)}
    roles = {f"roles[{role.value}]" for role in roles_named(pack)}
    assert named == roles | {f"teams[{team.name}]" for team in pack.teams}
    assert {"roles[handler]", "roles[executive]", "roles[team_lead]"} <= roles
    nowhere_else = dict.fromkeys(("escalation", "clocks", "training"), ())
    decision = pack.decision.model_copy(update={"approval": (), "special": ()})
    lean = pack.model_copy(update={**nowhere_else, "decision": decision})
    assert pack.contact_restrictions
    assert set(roles_named(lean)) >= {Role.HANDLER, *pack.contact_restrictions.approval}


def test_a_role_that_is_held_by_who_is_away_or_by_who_proposes_is_missed_too() -> None:
    pack = find_pack("platform-default", NOW)
    teams = tuple(team.name for team in pack.teams)
    everything = [role.value for role in Role if role.is_staff]
    alone = directory(person("h-1", *everything, teams=teams), teams=teams)
    assert {one.message.split(":")[0] for one in unheld(alone, [pack], TODAY)} == {
        "its only holder is the only handler"
    }
    two = [person(f"h-{one}", *everything, teams=teams) for one in (1, 2)]
    assert not unheld(directory(*two, teams=teams), [pack], TODAY)
    gone = [{**one, "absences": [{"first": TODAY, "last": TODAY}]} for one in two]
    assert {one.field for one in unheld(directory(*gone, teams=teams), [pack], TODAY)} == {
        f"roles[{role.value}]" for role in roles_named(pack)
    }


def test_a_course_that_a_pack_requires_is_missed_when_nobody_in_that_role_has_passed_it() -> None:
    rule = {"course": "complaints", "roles": ["handler"]}
    pack = PolicyPack.model_validate(find_pack("platform-default", NOW).model_dump() | {"training": [rule]})
    missing = "nobody who holds it and is there has passed complaints (platform-default)"
    for last, told in ((TODAY, False), (TODAY - timedelta(1), True)):
        course = {"course": "complaints", "first": TODAY - timedelta(9), "last": last}
        trained, untrained = person("h-1", training=[course]), person("h-2")
        found = unheld(directory(trained, untrained), [pack], TODAY)
        assert (missing in {one.message for one in found}) is told
        away = {"absences": [{"first": TODAY, "last": TODAY}]}
        found = unheld(directory(trained | away, untrained), [pack], TODAY)
        assert missing in {one.message for one in found}


def test_a_course_that_lapses_is_with_who_passed_it_and_overdue_with_who_leads_their_team() -> None:
    def course(name: str, days: int | None) -> dict[str, Any]:
        last = None if days is None else TODAY + timedelta(days)
        return {"course": name, "first": TODAY - timedelta(90), "last": last}

    courses = [course("a", -1), course("b", -9), course("b", 40), course("c", 29), course("d", None), course("d", -1)]
    here = directory(
        person("h-1", training=courses),
        person("l-1", "team_lead"),
        person("l-2", "team_lead", teams=["payments"], training=[course("e", 30)]),
        person("h-2"),
        teams=("dealing", "payments"),
    )
    told = {
        one.id: [(each.person, each.course, each.overdue) for each in refreshers(here, one.id.upper(), TODAY)]
        for one in here.people
    }
    assert told == {
        "h-1": [("h-1", "a", True), ("h-1", "c", False)],
        "l-1": [("h-1", "a", True)],
        "l-2": [],
        "h-2": [],
    }
    assert refreshers(here, "nobody", TODAY) == []


def test_the_directory_of_the_embedded_stack_has_somebody_for_whatever_a_shipped_pack_names() -> None:
    demo = read_directory_file(DEMO)
    assert not check_directory(demo, packs_in_force(NOW), TODAY)
    assert not any(one.names or one.address for one in demo.people)


async def test_what_is_imported_is_there_as_it_was_at_every_version(pool: "Pool") -> None:
    people = People(pool, signed)
    first = directory(person("h-1"), person("h-2"))
    made = await people.replace(first, by=LEAD, at=NOW)
    assert {(one.kind, one.id, one.what) for one in made} == {
        ("team", "dealing", "added"),
        ("person", "h-1", "added"),
        ("person", "h-2", "added"),
    }
    assert await people.replace(first, by=LEAD) == []
    before = (await people.directory()).version
    changed = await people.replace(directory(person("h-1", capacity=3), person("h-3")), by=LEAD, at=NOW)
    assert [(one.id, one.what) for one in changed] == [("h-1", "changed"), ("h-2", "left"), ("h-3", "added")]

    assert {one.id for one in (await people.directory(before)).people} == {"h-1", "h-2"}
    now = await people.directory()
    assert {one.id: one.capacity for one in now.people} == {"h-1": 3, "h-3": 20}
    assert [one.what for one in await people.history("H-2")] == ["added", "left"]
    assert {one.by for one in await people.history()} == {"team_lead:tl-2"}


async def test_a_dry_run_says_what_would_change_and_changes_nothing(pool: "Pool") -> None:
    people = People(pool, signed)
    told = await people.replace(directory(person("h-1")), by=LEAD, dry_run=True)
    assert [one.id for one in told if one.kind == "person"] == ["h-1"]
    assert (await people.directory()).people == ()


async def test_the_demo_directory_never_replaces_one_that_somebody_wrote(pool: "Pool") -> None:
    await load_demo(pool, signed)
    assert (await People(pool, signed).directory()).find("h-17")
    await People(pool, signed).replace(directory(person("h-1")), by=LEAD)
    await load_demo(pool, signed)
    assert [one.id for one in (await People(pool, signed).directory()).people] == ["h-1"]
