"""Quiet hours: what can wait does, until their end and never past a date; what a rule hurries goes at once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from temporalio.exceptions import ApplicationError

from activities.incidents import incident_letters
from activities.incidents.incident_letters import IncidentLetters
from domain.clocks.quiet import QuietHours
from domain.ground.people import Actor
from domain.ground.words import CaseEvent, LetterKind, Role
from domain.incidents.requests import TellMember
from domain.people.customers import Preferences
from domain.rules.policy_check import check_pack
from runtime.mail import Mailer, Outbox
from runtime.settings import load_settings
from starter.client.customers import Customers, CustomersFile, FiledCustomer
from tests.letters.support import (
    ANNOUNCES,
    FULL_PACK,
    NOW,
    Receiver,
    complaint,
    full_facts,
    letter,
    receiving,
    with_rules,
)
from tests.letters.test_sending_letters import BEFORE, Office
from tests.signing import signed

NIGHT = QuietHours(start=time(21), end=time(8))
HONG_KONG = ZoneInfo("Asia/Hong_Kong")
LATE = datetime(2026, 7, 3, 23, 30, tzinfo=HONG_KONG)
MORNING = datetime(2026, 7, 4, 8, 0, tzinfo=HONG_KONG)
PACK = with_rules(FULL_PACK, quiet_hours=NIGHT)
REFERENCE = complaint().reference


@pytest.fixture
async def office(pool: "asyncpg.Pool[asyncpg.Record]", tmp_path: Path) -> AsyncIterator[Office]:
    receiver = Receiver()
    async with receiving(receiver) as port:
        office = Office(pool, receiver, port, tmp_path / "outbox", PACK)
        await office.open(complaint())
        office.clock.now = LATE
        yield office


async def wish(office: Office, **wishes: object) -> None:
    customer = FiledCustomer(
        account="70012345", name=complaint().complainant.name, preferences=Preferences.model_validate(wishes)
    )
    await Customers(office.pool, signed).replace(
        CustomersFile(customers=(customer,)), by=Actor(id="l-1", role=Role.TEAM_LEAD)
    )


async def waits(office: Office, kind: LetterKind = LetterKind.PROGRESS, **facts: object) -> timedelta | None:
    """How long a letter of that kind waits; ``None`` where it goes."""
    request = letter(kind, facts=full_facts(**facts), pack=PACK, number=9)
    [answer] = await asyncio.gather(office.letters.send_letter(request), return_exceptions=True)
    if not isinstance(answer, ApplicationError):
        return None
    assert (answer.type, answer.non_retryable) == ("QuietHours", False), answer
    return answer.next_retry_delay


async def test_what_can_wait_is_written_and_sent_when_they_end(office: Office) -> None:
    request = letter(LetterKind.PROGRESS, pack=PACK)
    with pytest.raises(ApplicationError, match="the end of quiet hours, 00:00 UTC") as waiting:
        await office.letters.send_letter(request)
    assert waiting.value.next_retry_delay == MORNING - LATE
    assert await office.pool.fetchval("select count(*) from casefile.letters") == 0
    assert await office.pool.fetchval("select revision from casefile.cases") == request.update.summary.revision
    office.clock.now = MORNING
    accepted = await office.letters.send_letter(request)
    assert (accepted.at, accepted.channel) == (MORNING, "email")
    assert await office.pool.fetchval("select rendered_at from casefile.letters") == MORNING
    office.clock.now = LATE + timedelta(days=1)
    assert await office.letters.send_letter(request) == accepted, "what was accepted is answered at any hour"


@pytest.mark.parametrize("kind", [kind for kind in LetterKind if kind not in BEFORE])
async def test_which_letters_wait_follows_from_the_clocks_that_they_satisfy(office: Office, kind: LetterKind) -> None:
    statutory = {clock.name for clock in PACK.clocks if clock.kind == "statutory"}
    announced = {*ANNOUNCES[kind]}
    running = {row["clock"] for row in await office.pool.fetch("select distinct clock from casefile.deadlines")}
    hurried = any(clock.name in statutory & running and announced & {*clock.satisfied_by} for clock in PACK.clocks) or (
        kind is LetterKind.EXTENSION and "response" in statutory
    )
    at_once = hurried or kind in {LetterKind.ACKNOWLEDGEMENT, LetterKind.WITHDRAWAL, LetterKind.STAFF_NOTICE}
    assert (await waits(office, kind) is None) == at_once


async def test_a_statutory_clock_hurries_its_letter(office: Office, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    law = tuple(clock.model_copy(update={"kind": "statutory", "pauses": False}) for clock in PACK.clocks)
    strict = Office(pool, office.receiver, office.port, office.folder, with_rules(PACK, clocks=law))
    other = complaint(idempotency_key="form-9")
    await strict.open(other)
    strict.clock.now = LATE
    assert {CaseEvent.RESPONDED} & {*ANNOUNCES[LetterKind.FINAL_RESPONSE]}
    assert await waits(office, LetterKind.FINAL_RESPONSE) is not None, "the clock of this pack is internal"
    accepted = await strict.letters.send_letter(letter(LetterKind.FINAL_RESPONSE, of=other, number=9))
    assert accepted.channel == "email"


async def test_no_letter_waits_past_a_date_that_it_keeps_or_names(office: Office) -> None:
    assert await waits(office, reply_by=MORNING - timedelta(minutes=1)) is None
    office.clock.now = LATE
    due = await office.pool.fetchval("select min(clock_due) from casefile.deadlines where clock = 'response'")
    zoned = due.astimezone(HONG_KONG)
    assert zoned.time() > time(21), "the clock ends within quiet hours"
    office.clock.now = zoned.replace(hour=22)
    assert await waits(office, LetterKind.FINAL_RESPONSE) is None


async def test_what_the_customer_asked_for_and_what_is_posted_goes_at_any_hour(office: Office) -> None:
    assert await waits(office, LetterKind.PROGRESS, asked_for=True) is None
    await wish(office, by_post=True)
    assert (await office.letters.send_letter(letter(LetterKind.PROGRESS, pack=PACK, number=10))).channel == "outbox"
    assert len(office.put_out()) == 1


async def test_the_customers_own_hours_and_zone_go_first(office: Office) -> None:
    await wish(office, zone="America/New_York")
    office.clock.now = datetime(2026, 7, 3, 22, 0, tzinfo=ZoneInfo("America/New_York"))
    assert await waits(office) == timedelta(hours=10)
    await wish(office, zone="America/New_York", quiet_hours={"start": "12:00", "end": "13:00"})
    assert await waits(office) is None
    await wish(office, quiet_hours={"start": "12:00", "end": "13:00"})
    office.clock.now = datetime(2026, 7, 3, 12, 30, tzinfo=HONG_KONG)
    office.receiver.messages.clear()
    with pytest.raises(ApplicationError, match="quiet hours"):
        await office.letters.send_letter(letter(LetterKind.PROGRESS, pack=PACK, number=10))


async def test_letters_of_incidents_wait_alike_and_nothing_is_written_before(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incident_letters, "pack_of", AsyncMock(return_value=PACK))
    known: dict[str, Any] = {"reference": "IN-1", "account": "70012345"}
    request = TellMember.model_construct(**known)  # of the rest nothing is read
    settings = load_settings(smtp_host="127.0.0.1", smtp_port=office.port, smtp_tls="none")
    outbox = Outbox(office.folder)
    mailed = IncidentLetters(office.pool, Mailer(settings), outbox, settings, office.clock)
    with pytest.raises(ApplicationError, match="quiet hours") as waiting:
        await mailed.tell_member(request)
    assert waiting.value.next_retry_delay == MORNING - LATE
    await wish(office, quiet_hours={"start": "22:00", "end": "23:45"})
    with pytest.raises(ApplicationError, match="15:45 UTC"):
        await mailed.tell_member(request)
    async with office.pool.acquire() as connection:
        office.clock.now = MORNING
        await mailed._respect_quiet_hours(connection, request)
        office.clock.now = LATE
        await IncidentLetters(office.pool, None, outbox, settings, office.clock)._respect_quiet_hours(
            connection, request
        )


TIMES = st.times(timezones=st.none()).map(lambda at: at.replace(second=0, microsecond=0))
ZONES = st.sampled_from(["UTC", "Asia/Shanghai", "Europe/London", "America/New_York", "Australia/Lord_Howe"])


@given(start=TIMES, end=TIMES, zone=ZONES, minutes=st.integers(0, 366 * 24 * 60))
def test_they_end_within_a_day_at_their_local_time_and_nobody_waits_twice(
    start: time, end: time, zone: str, minutes: int
) -> None:
    if start == end:
        with pytest.raises(ValidationError, match="the same"):
            QuietHours(start=start, end=end)
        return
    quiet, place = QuietHours(start=start, end=end), ZoneInfo(zone)
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    until = quiet.until(at, place)
    local = at.astimezone(place).time()
    within = start <= local < end if start < end else local >= start or local < end
    if until is None:
        assert not within or _changes(at, place)
        return
    assert within or _changes(at, place)
    assert at < until <= at + timedelta(hours=25)
    assert until.astimezone(place).time() == end or _changes(until, place)
    assert quiet.until(until, place) is None or _changes(until, place)


@pytest.mark.parametrize(
    ("zone", "repeated", "end"),
    [("America/New_York", datetime(2026, 11, 1, 6, 0, tzinfo=UTC), time(1, 30)),
     ("Europe/London", datetime(2026, 10, 25, 1, 0, tzinfo=UTC), time(1, 45)),
     ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, 0, tzinfo=UTC), time(1, 50))],
)  # fmt: skip
def test_an_hour_that_comes_twice_is_quiet_twice(zone: str, repeated: datetime, end: time) -> None:
    place, quiet = ZoneInfo(zone), QuietHours(start=time(22), end=end)
    assert repeated.astimezone(place).fold == 1
    until = quiet.until(repeated, place)
    assert until
    assert (until.astimezone(place).time(), until.astimezone(place).fold) == (end, 1)


def _changes(at: datetime, zone: ZoneInfo) -> bool:
    """Whether clocks are set within a day of *at*."""
    offsets = {(at + timedelta(hours=hours)).astimezone(zone).utcoffset() for hours in (-25, 0, 25)}
    return len(offsets) > 1


def test_a_pack_with_long_quiet_hours_is_warned_about() -> None:
    def told(start: int, end: int) -> bool:
        pack = with_rules(FULL_PACK, quiet_hours=QuietHours(start=time(start), end=time(end)))
        return any(problem.field == "quiet_hours" for problem in check_pack(pack, NOW))

    assert [told(21, 8), told(18, 8), told(17, 8), told(8, 7)] == [False, False, True, True]
    with pytest.raises(ValidationError, match="without offset"):
        QuietHours.model_validate({"start": "21:00:00Z", "end": "08:00:00"})
