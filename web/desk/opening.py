"""Opening an incident at the desk: the fault, what it will cause, and then the list of whom it touched."""

import uuid
from functools import partial
from typing import Annotated, ClassVar, Final, Self

from pydantic import Field, model_validator
from starlette.responses import Response

from domain.ground.base import Identifier, Line, Text
from domain.ground.bilingual import Bilingual
from domain.ground.messages import Message
from domain.ground.people import Actor
from domain.ground.reference import parse_reference
from domain.incidents.incident import Fault, NewIncident, title_of
from record.touched import touched_by
from starter.client.incidents import Incidents
from starter.reading.database import CaseNotFound, must_see
from starter.reading.incidents import get_incident
from web import drafts
from web.desk.forms import Home, Sight, done_page, form_page, id_of_the_form, sends, sent_or_shown, typed
from web.desk.frame import DESK, actor, eyes, speaker
from web.desk.refusals import NOT_SENT, why_not
from web.desk.widgets import Unfit, made, widgets
from web.permissions import staff
from web.visit import FieldError, Visit

HOME: Final = "/desk/incidents"
_LOOKS_FOR: Final = 30.0  # seconds
_INSTRUMENT: Final = "select exists (select from tradelog.instruments where symbol = $1)"


class OpenIncident(Message, Fault):
    """What the form asks for: the fault, what customers are told of it, and how fast they are compensated."""

    name: ClassVar[str] = "open_incident"
    title_en: Line | None = None
    title_zh: Line | None = None
    per_minute: Annotated[int, Field(ge=1, le=6_000)] = 60
    case: Identifier | None = None
    note: Text | None = None

    @model_validator(mode="after")
    def _in_both_languages(self) -> Self:
        if (self.title_en is None) != (self.title_zh is None):
            raise ValueError("title_zh: give both, for customers are written to in either language")
        if self.case:
            parse_reference(self.case)
        return self

    @property
    def incident(self) -> NewIncident:
        fault = Fault(**{name: getattr(self, name) for name in Fault.model_fields})
        usual = title_of(fault)
        return NewIncident(
            fault=fault,
            title=Bilingual(en=self.title_en or usual.en, zh=self.title_zh or usual.zh),
            opened_by=self.actor,
            note=self.note,
            per_minute=self.per_minute,
            prompted_by=parse_reference(self.case) if self.case else None,
        )


@DESK.get("/incidents/do/open_incident", staff())
async def opening_form(visit: Visit) -> Response:
    """The form, empty, with what a finding tells, or with what was typed before somebody had to sign on."""
    given = await drafts.draft(visit.doors, visit.session, visit.request.url.path)
    given = given or {"kind": "quote", **visit.request.query_params}
    return form_page(visit, OpenIncident, _home(visit), given, str(uuid.uuid4()))


@DESK.post("/incidents/do/open_incident", staff())
async def open_incident(visit: Visit) -> Response:
    """Show whom the fault touched and what follows; once that was seen, open the incident."""
    asked, message_id = widgets(OpenIncident), id_of_the_form(visit)
    try:
        message = made(OpenIncident, asked, visit.form, message_id=message_id, actor=actor(visit))
        assert isinstance(message, OpenIncident)  # noqa: S101 (what was made is what was asked for)
        if message.case:
            await must_see(eyes(visit), parse_reference(message.case))
        await _know_instrument(visit, message.symbol)
        send = partial(_open, visit, message.incident)
        if sends(visit) and await _is_known(visit, message.incident.reference, by=message.actor):
            return await send()
        sight = Sight(message, message.actor, await _causes(visit, message.incident))
        return await sent_or_shown(visit, OpenIncident, _home(visit), sight, send, message_id=message_id)
    except CaseNotFound as error:
        wrong = [FieldError("case", "desk.wrong.no_case", {"reference": str(error)})]
    except NOT_SENT as error:
        wrong = why_not(visit, error, [one.name for one in asked])
    return form_page(visit, OpenIncident, _home(visit), typed(visit), message_id, errors=wrong)


def _home(visit: Visit) -> Home:
    return Home(HOME, visit.t("desk.incidents.title"))


async def _causes(visit: Visit, new: NewIncident) -> list[str]:
    """Whom the trade log says it touched, but for accounts that are hidden; what they are told, and what comes next."""
    async with eyes(visit).acquire() as connection:
        touched = await touched_by(connection, new.fault, patience=_LOOKS_FOR)
        for hidden in await connection.fetch("select casefile.hidden_accounts() as account"):
            touched.pop(hidden["account"], None)
    orders = sum(map(len, touched.values()))
    told = [visit.t("desk.causes.incident_touched", accounts=len(touched), orders=orders)]
    if await _is_known(visit, new.reference):
        told.insert(0, visit.t("desk.causes.incident_known", reference=new.reference))
    told.append(visit.t("desk.causes.open_incident"))
    told.append(visit.t("desk.causes.incident_title", title=new.title.in_language(visit.language)))
    return told


async def _know_instrument(visit: Visit, symbol: str | None) -> None:
    """Raise `Unfit` for an instrument that the trade log does not know: there would be nothing to judge by."""
    if symbol and not await visit.doors.pool.fetchval(_INSTRUMENT, symbol):
        raise Unfit([FieldError("symbol", "desk.wrong.instrument", {"symbol": symbol})])


async def _is_known(visit: Visit, reference: str, *, by: Actor | None = None) -> bool:
    """Whether such an incident was opened before; *by* them, where that is asked: the button was pressed twice."""
    try:
        view = await get_incident(eyes(visit), reference)
    except LookupError:
        return False
    return by is None or view.new.opened_by == by


async def _open(visit: Visit, new: NewIncident) -> Response:
    doors = visit.doors
    speaking = Incidents(
        await doors.temporal(), task_queue=doors.settings.task_queue, token_for=doors.token_for(speaker(visit))
    )
    opened = await speaking.open(new)
    visit.seen.append(opened.reference)
    word = "known" if opened.already_known else "opened"
    return await done_page(visit, HOME, visit.t(f"desk.incidents.{word}", reference=opened.reference))
