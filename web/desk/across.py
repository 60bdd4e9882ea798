"""Pages across all cases: what comes due, and what is wrong with the installation."""

import re
from datetime import timedelta
from typing import Final

from starlette.responses import Response

from domain.ground.words import Role
from starter.reading.database import list_unopened
from starter.reading.deadlines import get_coming_due
from starter.reading.payments import get_unsettled
from starter.upkeep.diagnosis import TO_DO
from starter.upkeep.doctor import Doctor, hidden_from
from web.desk.frame import DESK, eyes, shown
from web.desk.sentences import spoken
from web.permissions import staff
from web.visit import Visit

SPANS: Final = {"1d": timedelta(days=1), "3d": timedelta(days=3), "7d": timedelta(days=7), "30d": timedelta(days=30)}
_MOST: Final = 200
_PATIENCE: Final = timedelta(seconds=1)
_OF_THE_DIRECTORY: Final = re.compile(r"(?P<kind>roles|teams)\[(?P<name>.+)\]").fullmatch


@DESK.get("/deadlines", staff())
async def deadlines(visit: Visit) -> Response:
    """What comes due in all open cases, and what should have acted."""
    asked = visit.request.query_params
    within = asked.get("within") if asked.get("within") in SPANS else "1d"
    statutory = asked.get("statutory") == "yes"
    rungs = await get_coming_due(eyes(visit), visit.now, SPANS[within or "1d"], statutory=statutory, limit=_MOST)
    return shown(
        visit, "deadlines.html", rungs=rungs, within=within, spans=list(SPANS), statutory=statutory, most=_MOST
    )


@DESK.get("/doctor", staff())
async def doctor(visit: Visit) -> Response:
    """What is wrong with the installation now, and what to do about it."""
    pool, kept = eyes(visit), visit.doors.kept
    looking = kept.setdefault("doctor", Doctor(visit.doors.settings))
    found = (await looking.look(_PATIENCE)).page(await hidden_from(pool))
    return shown(
        visit,
        "doctor.html",
        troubles=found.troubles,
        named=lambda subject: _named(visit, subject),
        more=found.more,
        unchecked=[one.partition(": ") for one in found.unchecked],
        late=found.late,
        to_do=TO_DO,
        unopened=await list_unopened(pool),
        unsettled=await get_unsettled(pool, visit.now),
    )


def _named(visit: Visit, subject: str) -> str:
    """What something is wrong with: a role or a team of the directory by its own name."""
    match _OF_THE_DIRECTORY(subject):
        case re.Match() as found if found["kind"] == "roles" and found["name"] in set(Role):
            return spoken(visit, Role(found["name"]))
        case re.Match() as found if found["kind"] == "teams":
            return spoken(visit, found["name"], "Team")
    return subject
