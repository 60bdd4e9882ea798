"""Complaining: one question a page, a page to check it all, and a receipt that needs no more than the database."""

import secrets
from typing import Any, Final

from starlette.responses import Response

from domain.intake.received import Door
from runtime.files import MOST
from starter.client.articles import offered_for
from starter.intake.receiving import receive_complaint
from web import drafts, held
from web.adding import add_files, sent_with
from web.doors import Doors
from web.pages import NotFound
from web.permissions import ANYBODY
from web.portal.answers import (
    BY_NAME,
    CURRENCIES,
    FIELDS,
    QUESTIONS,
    WHEN,
    amount_of,
    complaint_of,
    day_of,
    trades_of,
    typed_in,
    unanswered,
)
from web.portal.frame import PORTAL
from web.portal.incidents import known_incidents
from web.promises import promise
from web.visit import FieldError, Visit

PLACE: Final = "complaint"
SENT: Final = "sent"


def sender_of(doors: Doors, address: str) -> str:
    """The keyed hash by which what an address sent is found again."""
    return doors.keyed("sender", address.strip().lower())


@PORTAL.get("/complain", ANYBODY)
async def begin(visit: Visit) -> Response:
    """What to have at hand, and what we know of already."""
    found = await drafts.draft(visit.doors, visit.session, PLACE)
    incidents = await known_incidents(visit.doors.pool, visit.now)
    told = promise(visit.doors.settings, visit.now)
    return visit.page("portal/begin.html", begun=bool(found), incidents=incidents, told=told)


@PORTAL.get("/complain/check", ANYBODY)
async def check(visit: Visit) -> Response:
    """Everything that was answered, to be sent or changed."""
    typed = await drafts.draft(visit.doors, visit.session, PLACE)
    zone = promise(visit.doors.settings, visit.now).zone
    if not typed and await drafts.draft(visit.doors, visit.session, SENT):
        return visit.redirect("/complain/sent")  # gone back to after it was sent
    if missing := unanswered(typed, visit.now, zone):
        return visit.redirect(f"/complain/{missing}")
    files = await held.files(visit.doors, visit.session, PLACE)
    offered = await offered_for(visit.doors.pool, typed["description"], visit.language, visit.now)
    typed = dict.fromkeys(FIELDS, "") | typed
    told: dict[str, Any] = {"day": day_of(typed), "trades": trades_of(typed), "amount": amount_of(typed)}
    return visit.page("portal/check.html", typed=typed, files=files, offered=offered, **told)


@PORTAL.post("/complain/check", ANYBODY)
async def send(visit: Visit) -> Response:
    """Take the complaint in. Sent twice, it is one complaint."""
    doors, now = visit.doors, visit.now
    typed = await drafts.draft(doors, visit.session, PLACE)
    zone = promise(doors.settings, now).zone
    if not typed and await drafts.draft(doors, visit.session, SENT):
        return visit.redirect("/complain/sent")
    if missing := unanswered(typed, now, zone):
        return visit.redirect(f"/complain/{missing}")
    complaint = complaint_of(typed, typed["draft"], visit.language, now, zone)
    if not await held.is_received(doors.pool, complaint.reference):
        await receive_complaint(
            doors.pool,
            Door.PAGES,
            complaint,
            sender=sender_of(doors, typed["email"]),
            envelope={"language": visit.language},
            files=sent_with(doors, await held.files(doors, visit.session, PLACE), complaint.reference),
        )
        doors.came_in()
    sent = {"reference": complaint.reference, "at": now.isoformat(), "email": typed["email"]}
    await drafts.keep(doors, visit.session, SENT, sent)
    await drafts.drop(doors, visit.session, PLACE)
    await held.drop(doors, visit.session, PLACE)
    return visit.redirect("/complain/sent")


@PORTAL.get("/complain/sent", ANYBODY)
async def receipt(visit: Visit) -> Response:
    """The receipt: reference, what happens next, and by when."""
    sent = await drafts.draft(visit.doors, visit.session, SENT)
    if not sent:
        return visit.redirect("/complain")
    received_at = await held.received_at(visit.doors.pool, sent["reference"])
    if received_at is None:
        raise NotFound
    told = promise(visit.doors.settings, received_at)
    return visit.page("portal/sent.html", sent=sent, received_at=received_at, told=told)


@PORTAL.post("/complain/forget", ANYBODY)
async def forget(visit: Visit) -> Response:
    """Delete what was typed and chosen, and the receipt of what was sent: others may use this device."""
    for place in (PLACE, SENT):
        await drafts.drop(visit.doors, visit.session, place)
        await held.drop(visit.doors, visit.session, place)
    return visit.redirect("/complain")


@PORTAL.post("/complain/files/remove", ANYBODY)
async def remove_file(visit: Visit) -> Response:
    """Take a file away again."""
    await held.remove(visit.doors, visit.session, PLACE, visit.text("name"))
    return visit.redirect("/complain/files")


@PORTAL.get("/complain/{question}", ANYBODY)
async def ask(visit: Visit) -> Response:
    """One question, with what was answered before."""
    typed = await drafts.draft(visit.doors, visit.session, PLACE)
    return await _question(visit, visit.path["question"], typed)


@PORTAL.post("/complain/{question}", ANYBODY)
async def answer(visit: Visit) -> Response:
    """Keep the answer, and go on to the next question, or back to the page that checks it all."""
    question = BY_NAME.get(visit.path["question"])
    if question is None:
        raise NotFound
    doors = visit.doors
    known = await drafts.draft(doors, visit.session, PLACE)
    typed = typed_in(visit, question)
    asked = {WHEN: visit.now.isoformat()} if question.name == "when" else {}
    await drafts.keep(
        doors, visit.session, PLACE, {"draft": secrets.token_urlsafe(16), **known, **typed, **asked}
    )  # what does not fit is kept too
    errors = question.wrong(typed, visit.now, promise(doors.settings, visit.now).zone)
    if question.name == "files":
        errors += await add_files(visit, PLACE)
    if errors:
        return await _question(visit, question.name, {**known, **typed}, errors)
    if question.name == "files" and visit.text("more"):
        return visit.redirect("/complain/files")
    if visit.text("from") == "check":
        return visit.redirect("/complain/check")
    names = [each.name for each in QUESTIONS]
    following = names[names.index(question.name) + 1 :]
    return visit.redirect(f"/complain/{following[0]}" if following else "/complain/check")


async def _question(visit: Visit, name: str, typed: dict[str, Any], errors: list[FieldError] | None = None) -> Response:
    if name not in BY_NAME:
        raise NotFound
    names = [each.name for each in QUESTIONS]
    before = names[names.index(name) - 1] if names.index(name) else ""
    return visit.page(
        f"portal/ask_{name}.html",
        errors=errors or [],
        typed=dict.fromkeys(FIELDS, "") | typed,
        currencies=CURRENCIES,
        files=await held.files(visit.doors, visit.session, PLACE) if name == "files" else [],
        most_files=MOST,
        step=names.index(name) + 1,
        steps=len(names),
        before=f"/complain/{before}" if before else "/complain",
        came_from=visit.text("from") or visit.request.query_params.get("from", ""),
    )
