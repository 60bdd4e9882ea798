"""How far a complaint is, in words that a chat or phone system says to the customer whom it signed in."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from domain.ground.base import Record
from domain.ground.people import Actor
from domain.ground.words import Role, Stage
from domain.intake.told import ToldProgress
from starter.reading.accesses import Access, Means, note_access
from starter.reading.sources import arrival_of
from starter.reading.theirs import TheirCase, read_theirs
from web.api.problems import Problem, Wrong
from web.doors import Doors
from web.rendering import moment_in
from web.words import words

MOST: Final = 30
"""So often an hour one source is told of one complaint."""
_HOUR: Final = timedelta(hours=1)
_WHAT: Final = "webhook progress"
_BEFORE_RESPONSE: Final = {Stage.RECEIVED, Stage.ACKNOWLEDGED, Stage.INVESTIGATING, Stage.DECIDING}


class Progress(Record):
    """How far a complaint is; ``stage`` is null until its case is open."""

    reference: str
    stage: Stage | None
    language: str
    text: str


async def tell_progress(doors: Doors, source: str, asked: ToldProgress, reference: str) -> Progress:
    """Answer from the record alone, and write down who was told. Raises `Problem`."""
    if not asked.proven:
        raise _refused("forbidden", "proven", "nobody is told of a complaint whom the source has not signed in")
    who = str(Actor(id=source, role=Role.SERVICE))
    if await doors.pool.fetchval(_ASKED, reference, who, _WHAT, doors.clock() - _HOUR) >= MOST:
        raise Problem("too_often", f"{MOST} times an hour for one complaint is enough")
    case = await read_theirs(doors.pool, reference)
    if case is None and await arrival_of(doors.pool, reference) is None:
        raise _refused("not_found", "reference", "there is no such complaint")
    if case is not None and not case.verified:
        raise _refused("refused", "reference", "it is not known yet that whoever complains is the customer")
    await note_access(doors.pool, Access(who, Means.API, _WHAT, [reference]))
    text = _told(case, asked.language, doors.clock())
    return Progress(reference=reference, stage=case.stage if case else None, language=asked.language, text=text)


def _told(case: TheirCase | None, language: str, now: datetime) -> str:
    if case is None or case.stage is None:
        return words("progress.waiting", language)
    zone = ZoneInfo(case.zone)
    told = [words("progress.asked" if case.waits_for_them else f"progress.{case.stage.value}", language)]
    if case.reply_by and (case.waits_for_them or case.stage is Stage.RESPONDED):
        told.append(words("case.reply_by", language, by=moment_in(language, case.reply_by, zone)))
    if case.answer_by and case.stage in _BEFORE_RESPONSE:
        key = "case.answer_by" if case.answer_by > now else "case.answer_late"
        told.append(words(key, language, by=moment_in(language, case.answer_by, zone)))
    return ("" if language == "zh-CN" else " ").join(told)


def _refused(kind: str, field: str, detail: str) -> Problem:
    return Problem(kind, f"{field}: {detail}", [Wrong(field=f"data.{field}", detail=detail, pointer=f"#/data/{field}")])


_ASKED: Final = """
    select count(*) from casefile.accesses where reference = $1 and who = $2 and what = $3 and at > $4
"""
