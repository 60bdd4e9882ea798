"""Notices to staff reach somebody named, and never who is kept out of the case."""

import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from domain.ground.bilingual import Bilingual
from domain.ground.timeline import Entry
from domain.ground.words import LetterKind, Role
from domain.letters.letter import LetterFacts
from starter.client.directory import People
from tests.letters.support import NOW, Receiver, complaint, letter, receiving, text_of
from tests.letters.test_sending_letters import Office
from tests.people.support import LEAD, directory, person
from tests.signing import signed

TEAMS = ("dealing", "payments", "accounts", "conduct", "customer-care")
SHARED = {"team_lead": "leads@example.com", "dealing": "dealing@example.com"}


def staff(*changed: dict[str, Any]) -> list[dict[str, Any]]:
    known = [
        person("h-1", address="h-1@example.com", names=["Jane Doe"]),
        person("h-2", address="h-2@example.com"),
        person("l-1", "team_lead", address="l-1@example.com"),
        person("l-2", "team_lead"),
        person("e-1", "executive", address="e-1@example.com"),
    ]
    news = {one["id"]: one for one in changed}
    return [news.get(one["id"], one) for one in known]


@pytest.fixture
async def office(pool: "asyncpg.Pool[asyncpg.Record]", tmp_path: Path) -> AsyncIterator[Office]:
    receiver = Receiver()
    async with receiving(receiver) as port:
        yield Office(pool, receiver, port, tmp_path / "outbox")


async def notify(
    office: Office,
    role: Role,
    people: Sequence[dict[str, Any]],
    *entries: Entry,
    settings: dict[str, str] | None = None,
    **of: Any,
) -> str:
    """Send a notice for *role* about a complaint that was received while these *people* were there; who it is for."""
    await People(office.pool, signed).replace(directory(*people, teams=TEAMS), by=LEAD, at=NOW)
    received = complaint(**of)
    await office.open(received)
    facts = LetterFacts(notice=Bilingual(en="Look at it.", zh="请查看。"), audience=role)
    request = letter(LetterKind.STAFF_NOTICE, facts=facts, of=received)
    request = request.model_copy(update={"update": request.update.model_copy(update={"entries": entries})})
    await office.sender(staff_addresses=settings or {}).send_letter(request)
    return str(await office.pool.fetchval("select addressee from casefile.letters"))


async def test_who_has_the_case_is_told_at_their_own_address_and_the_record_says_who(office: Office) -> None:
    assert await notify(office, Role.HANDLER, staff(), settings=SHARED) == "h-1"
    assert office.receiver.recipients == ["h-1@example.com"]
    assert "To: h-1, handler, team dealing" in text_of(office.receiver.messages[0])
    told = await office.pool.fetchval("select text from casefile.timeline where kind = 'letter'")
    assert told == "staff_notice for h-1 accepted by email"


async def test_who_is_away_is_not_told_and_somebody_else_is(office: Office) -> None:
    away = person("h-1", absences=[{"first": NOW.date(), "last": NOW.date()}])
    assert await notify(office, Role.HANDLER, staff(away)) == "h-2"


async def test_what_is_for_a_role_reaches_one_who_holds_it(office: Office) -> None:
    assert await notify(office, Role.TEAM_LEAD, staff()) == "l-1"


async def test_who_proposed_is_not_told_to_decide(office: Office) -> None:
    proposed = Entry(
        key="propose_resolution:1",
        at=NOW,
        kind="propose_resolution",
        actor="team_lead:L-1",
        text="proposed",
        data={"round": 1},
    )
    assert await notify(office, Role.TEAM_LEAD, staff(), proposed) == "l-2"


async def test_who_is_kept_out_is_told_nothing_nor_does_it_come_to_an_address_they_share(office: Office) -> None:
    people = staff(person("h-1", names=["Jane Doe"]), person("h-2"))
    named = {"description": "Jane Doe did it."}
    assert await notify(office, Role.HANDLER, people, settings=SHARED, **named) == "h-2"
    assert office.receiver.messages == []  # the team's address is read by h-1 too
    line = await office.pool.fetchrow("select text, data from casefile.timeline where kind = 'letter'")
    assert line
    assert line["text"] == "staff_notice for h-2 accepted by case_file: Look at it."
    assert re.search("[一-鿿]", line["data"]["notice"]), "who reads Chinese reads it in Chinese"


async def test_an_address_that_nobody_shares_who_is_kept_out_will_do(office: Office) -> None:
    people = staff(person("l-1", "team_lead"), person("h-1", teams=["payments"], names=["Jane Doe"]))
    await notify(office, Role.TEAM_LEAD, people, settings=SHARED, description="Jane Doe did it.")
    assert office.receiver.recipients == ["leads@example.com"]


async def test_what_only_an_approver_may_decide_is_told_to_nobody_below_where_there_is_none(office: Office) -> None:
    assert await notify(office, Role.APPROVER, staff()) == "e-1"


async def test_where_everybody_of_a_role_is_kept_out_the_level_above_is_told(office: Office) -> None:
    conflict = {"account": complaint().account, "first": NOW.date(), "why": "family"}
    out = [person(one, "team_lead", conflicts=[conflict]) for one in ("l-1", "l-2")]
    assert await notify(office, Role.TEAM_LEAD, staff(*out)) == "e-1"
