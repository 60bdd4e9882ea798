"""The page of what is wrong: there at once, however long a check takes, and it says what it does not know yet."""

import asyncio
import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

import starter.upkeep.doctor
import web.desk.across
from domain.ground.words import Role
from domain.people.recusal import Why
from runtime.database import Pool
from runtime.embedded_postgres import EmbeddedPostgres
from starter.client.directory import People
from starter.upkeep.diagnosis import Kind, Trouble
from starter.upkeep.doctor import CHECKS, Doctor
from tests.case.support import OPENED_AT, keeping
from tests.patience import eventually
from tests.people.support import LEAD, directory, person
from tests.people.test_hands import opened_as
from tests.people.test_recusal_of_money import keep_out
from tests.signing import signed
from tests.web.conftest import Browser, doors_over, signed_in
from web.app import create_app
from web.desk.sentences import spoken
from web.doors import Doors
from web.visits import Staff
from web.words import LANGUAGES, words


@pytest.fixture
def doors(pool: Pool, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Doors:
    """Those of a site that reaches its record, and no Temporal."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    return doors_over(pool, database_url=database_url)


async def test_a_check_that_takes_long_goes_on_while_the_page_tells_what_is_known(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference, _ = await opened_as(keeping(doors.pool))
    await keep_out(doors.pool, reference, "h-9", Why.NAMED)
    may_end, begun = asyncio.Event(), 0

    async def slow(_pool: Pool) -> list[Trouble]:
        nonlocal begun
        begun += 1
        await may_end.wait()
        return [Trouble(kind=Kind.LEDGER_FAULT, subject=reference, what="it does not balance")]

    monkeypatch.setattr(starter.upkeep.doctor, "_ledger", slow)
    monkeypatch.setattr(starter.upkeep.doctor, "_rules", lambda *_: [])
    monkeypatch.setattr(starter.upkeep.doctor, "_FRESH", timedelta(0))
    monkeypatch.setattr(starter.upkeep.doctor, "_LONG", timedelta(0))
    monkeypatch.setattr(web.desk.across, "_PATIENCE", timedelta(seconds=0.5))
    async with Browser(create_app(doors)) as browser:
        await signed_in(browser, doors, Staff(id="h-1", roles=(Role.HANDLER,)))

        async def page(*told: str) -> bool:
            text = (await browser.get("/desk/doctor")).text
            return all(one in text for one in told)

        not_yet = r"the ledger <span class=\"soft small\">nothing is known yet"
        await eventually(
            lambda: page(not_yet.replace("\\", ""), "it is empty: nobody holds any role"), "the quick ones"
        )
        may_end.set()
        await eventually(lambda: page("it does not balance", "told as of"), "what the slow one saw, and when")
        assert begun == 1, "it is not begun anew for whoever looks"
        await signed_in(browser, doors, Staff(id="h-9", roles=(Role.HANDLER,)))
        assert await page("a case that is hidden from you has a fault")
        assert not await page(reference)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_guard_that_was_taken_away_is_told_in_the_language_of_who_reads(
    doors: Doors, monkeypatch: pytest.MonkeyPatch, language: str, postgres: EmbeddedPostgres
) -> None:
    monkeypatch.setattr(starter.upkeep.doctor, "_rules", lambda *_: [])
    owner = await asyncpg.connect(postgres.url(await doors.pool.fetchval("select current_database()")))
    await owner.execute(
        """
        alter table casefile.letters drop constraint sealed_for;
        alter table casefile.timeline disable trigger chained;
        create rule quiet as on insert to casefile.signs do instead nothing;
        grant delete on casefile.letters to redress_writer;
        create or replace function casefile.refuse_change() returns trigger language plpgsql as 'begin return new; end';
        """
    )
    await owner.close()
    async with Browser(create_app(doors), language) as browser:
        await signed_in(browser, doors, Staff(id="h-1", roles=(Role.HANDLER,)))

        async def told() -> str:
            _, _, after = (await browser.get("/desk/doctor")).text.partition(
                words("desk.word.Kind.guard_missing", language)
            )
            return after.partition("</section>")[0]

        await eventually(told, "what the guards are")
        section = await told()
    places = re.findall(r'"number">([^<]*)</span> ([^<]*)<', section)
    assert [place for place, _ in places] == [
        "casefile.letters constraint sealed_for",
        "casefile.letters redress_writer may not delete",
        "casefile.refuse_change() function",
        "casefile.signs rule quiet",
        "casefile.timeline trigger chained",
    ]
    said = [what for _, what in places]
    assert len(set(said)) == 5, "each in its own words"
    assert all(re.search("[一-鿿]", what) for what in (*said, section.partition("soft")[2])) == (language == "zh-CN")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_check_has_a_name(language: str) -> None:
    visit: Any = SimpleNamespace(language=language, t=lambda key: words(key, language))
    for name in CHECKS:
        assert re.search("[一-鿿]", spoken(visit, name, "Check")) or language == "en", name


async def test_whoever_waits_for_all_has_all_looked_at_anew(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starter.upkeep.doctor, "_LONG", timedelta(0))
    doctor = Doctor(doors.settings)
    first, second = await doctor.look(), await doctor.look()
    assert first.seen.keys() == second.seen.keys()
    assert all(second.seen[name].at > first.seen[name].at for name in first.seen)
    asked_of_temporal = {"workers", "failing workflows", "cases and workflows", "activities"}
    assert set(second.seen) - {"Temporal"} == CHECKS - asked_of_temporal
    assert not second.late


async def test_roles_and_teams_that_nobody_fills_are_told_by_their_names_in_chinese(doors: Doors) -> None:
    await People(doors.pool, signed).replace(directory(person("h-1"), teams=("dealing",)), by=LEAD, at=OPENED_AT)
    async with Browser(create_app(doors), "zh-CN") as browser:
        await signed_in(browser, doors, Staff(id="h-1", roles=(Role.HANDLER,)))

        async def told() -> str:
            _, _, after = (await browser.get("/desk/doctor")).text.partition(
                words("desk.word.Kind.role_unheld", "zh-CN")
            )
            return after.partition("</section>")[0]

        await eventually(told, "who holds what")
        section = await told()
    named = re.findall(r'"number">([^<]*)</span> ([^<]*)<', section)
    assert {"审批人", "支付"} <= {name for name, _ in named}
    assert not [one for pair in named for one in pair if "[" in one or re.search(r"(?:[a-z]+ ){2}", one)], named
