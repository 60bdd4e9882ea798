"""Incidents: the list of them, the page of one, and the messages that decide it, each shown before with its effect."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final

from starlette.responses import Response

from domain.ground.messages import Message, NotAllowed
from domain.ground.reference import INCIDENT, InvalidReference, parse_reference
from domain.ground.words import IncidentStage, MemberState
from domain.incidents.messages import INCIDENT_UPDATES, DecideIncident, ResumeIncident, RetryMember
from domain.incidents.progress import Progress
from domain.incidents.state import IN_PART
from domain.rules.policy import PolicyPack
from starter.client.incidents import Incidents
from starter.reading.incidents import IncidentView, get_cohort, get_incident, get_warnings, list_incidents
from web import drafts
from web.desk.acting import done, must_be_trained
from web.desk.forms import (
    TOLD,
    Home,
    Sight,
    answered,
    done_page,
    form_page,
    id_of_the_form,
    sends,
    sent_or_shown,
    typed,
)
from web.desk.frame import DESK, actor, eyes, shown, speaker
from web.desk.opening import HOME
from web.desk.refusals import NOT_SENT, why_not
from web.desk.seen import was_said
from web.desk.widgets import made, widgets
from web.pages import NotFound
from web.permissions import staff
from web.visit import FieldError, Visit

FORMS: Final[Mapping[str, type[Message]]] = {kind.name: kind for kind in INCIDENT_UPDATES}
_MOST: Final = 200
_WARNED_WITHIN: Final = timedelta(days=30)
_AT: Final[Mapping[IncidentStage, tuple[str, ...]]] = {
    IncidentStage.LISTING: ("decide_incident",),
    IncidentStage.APPROVAL: ("decide_incident",),
    IncidentStage.COMPENSATING: ("pause_incident", "resume_incident", "retry_member"),
}
"""What can be done at a stage."""


@DESK.get("/incidents", staff())
async def incidents(visit: Visit) -> Response:
    """Incidents, and the complaints that together point to one."""
    pool = eyes(visit)
    told = (await drafts.draft(visit.doors, visit.session, TOLD)).get(HOME)
    if told:
        await drafts.drop(visit.doors, visit.session, TOLD)
    return shown(
        visit,
        "incidents.html",
        told=told,
        incidents=await list_incidents(pool, limit=_MOST),
        warnings=await get_warnings(pool, visit.now - _WARNED_WITHIN),
    )


@DESK.get("/incidents/{incident}", staff())
async def incident(visit: Visit) -> Response:
    """An incident with its list of accounts, and what can be done about it."""
    view = await _asked(visit)
    told = (await drafts.draft(visit.doors, visit.session, TOLD)).get(view.reference)
    if told:
        await drafts.drop(visit.doors, visit.session, TOLD)
    can = [name for name in _AT.get(view.stage, ()) if view.progress and _is_possible(name, view.progress)]
    rows = await get_cohort(eyes(visit), view.reference)
    return shown(visit, "incident.html", incident=view, rows=rows, can=can, told=told)


def _is_possible(name: str, how: Progress) -> bool:
    return {"pause_incident": not how.paused, "retry_member": how.failed > 0}.get(name, True)


@DESK.get("/incidents/{incident}/do/{form}", staff())
async def incident_form(visit: Visit) -> Response:
    """The form of a message to an incident, empty or with what was typed before somebody had to sign on."""
    kind, view = _kind(visit), await _asked(visit)
    given = await drafts.draft(visit.doors, visit.session, visit.request.url.path)
    return await _form(visit, kind, view, given or dict(visit.request.query_params), message_id=str(uuid.uuid4()))


@DESK.post("/incidents/{incident}/do/{form}", staff())
async def do_incident(visit: Visit) -> Response:
    """Show what the message will cause; once that was seen, send it."""
    kind, view = _kind(visit), await _asked(visit)
    asked, message_id = widgets(kind), id_of_the_form(visit)
    try:
        about = _list_of(view) if kind is DecideIncident else ""
        named = {"cohort": about} if about else {}
        message = made(kind, asked, visit.form, message_id=message_id, actor=actor(visit), **named)
        if view.progress is None:
            raise NotAllowed(IN_PART)
        send = partial(_send, visit, view.reference, message)
        ask = partial(_foresee, visit, view.reference, message)
        if sends(visit) and was_said(message, view.timeline):
            return await send()
        foreseen = sends(visit) or await ask()
        sight = Sight(message, message.actor, _causes(visit, view, message), _mark(view), view.timeline)
        more = {"foreseen": foreseen, "changed": bool(visit.text("mark")) and visit.text("mark") != _mark(view)}
        return await sent_or_shown(visit, kind, _home(view), sight, send, message_id=message_id, foresee=ask, **more)
    except NOT_SENT as error:
        wrong = why_not(visit, error, [one.name for one in asked], ended="desk.wrong.incident_ended")
    return await _form(visit, kind, view, typed(visit), errors=wrong, message_id=message_id)


async def _asked(visit: Visit) -> IncidentView:
    """The incident that the address names. Raises `NotFound`."""
    try:
        known = parse_reference(visit.path["incident"], prefix=INCIDENT)
        view = await get_incident(eyes(visit), known)
    except (InvalidReference, LookupError):
        raise NotFound from None
    visit.seen.append(known)
    return view


def _kind(visit: Visit) -> type[Message]:
    kind = FORMS.get(visit.path["form"])
    if kind is None:
        raise NotFound
    return kind


def _home(view: IncidentView) -> Home:
    return Home(f"/desk/incidents/{view.reference}", view.reference)


def _mark(view: IncidentView) -> str:
    """What changes when the incident goes another way: not with each account, or nothing could be sent meanwhile."""
    how = view.progress
    where = [view.stage.value, len(view.timeline)]
    return "/".join(map(str, [*where, how.paused, how.per_minute, how.failed, _list_of(view)] if how else where))


def _list_of(view: IncidentView) -> str:
    """The hash of the list that is decided about: nobody decides about one that they were not shown."""
    return view.progress.cohort.hash if view.progress and view.progress.cohort else ""


async def _form(
    visit: Visit,
    kind: type[Message],
    view: IncidentView,
    given: Mapping[str, Any],
    *,
    message_id: str,
    errors: Sequence[FieldError] = (),
) -> Response:
    choices: dict[str, dict[str, str]] = {}
    if kind is RetryMember:
        rows = await get_cohort(eyes(visit), view.reference, state=MemberState.HARMED)
        choices["account"] = {row.account: row.account for row in rows if row.ended_at is None}
    mark = visit.text("mark") or _mark(view)
    return form_page(visit, kind, _home(view), given, message_id, errors=errors, choices=choices, mark=mark)


async def _foresee(visit: Visit, known: str, message: Message) -> bool:
    """Raise what the incident would answer if it refuses *message*; false if no worker says so in time."""
    rules = PolicyPack.model_validate(await visit.doors.pool.fetchval(_RULES, known)).training
    await must_be_trained(visit, rules, message)
    return await answered((await _speaking(visit)).foresee(known, message))


def _causes(visit: Visit, view: IncidentView, message: Message) -> list[str]:
    """What the message will cause, in sentences."""
    name, how = message.name, view.progress
    if isinstance(message, DecideIncident):
        name = f"incident_{message.decision}"
    elif isinstance(message, RetryMember) and message.leave:
        name = "incident_leave"
    told = [visit.t(f"desk.causes.{name}")]
    if how and how.cohort and isinstance(message, DecideIncident | ResumeIncident):
        told.append(
            visit.t(
                "desk.causes.incident_list",
                accounts=how.cohort.accounts,
                harmed=how.cohort.harmed,
                unclear=how.cohort.unclear,
                sum=visit.t("frame.and").join(str(one) for one in how.cohort.harm) or "0",
                done=how.done,
            )
        )
    return told


async def _speaking(visit: Visit) -> Incidents:
    doors = visit.doors
    token_for = doors.token_for(speaker(visit))
    return Incidents(await doors.temporal(), task_queue=doors.settings.task_queue, token_for=token_for)


async def _send(visit: Visit, known: str, message: Message) -> Response:
    receipt = await (await _speaking(visit)).send(known, message)
    return await done_page(visit, f"/desk/incidents/{known}", done(visit, message, receipt.noted), key=known)


_RULES: Final = """
    select p.content from casefile.incidents i join casefile.policy_packs p on p.hash = i.policy_hash
    where i.reference = $1
"""
