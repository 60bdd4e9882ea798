"""My complaints: where each stands, what happens next, every letter, and what a customer can say."""

import asyncio
import json
import secrets
from collections.abc import Callable, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response, StreamingResponse

from domain.case.messages.handling import ChooseChannel, RecordFeedback, Withdraw
from domain.case.messages.signals import CustomerReply
from domain.ground.base import Text
from domain.ground.messages import Message
from domain.ground.people import Actor
from domain.ground.words import Role, Stage
from domain.intake.received import Door
from runtime.files import MOST
from starter.intake.receiving import receive_message
from starter.reading.remedies import RemedyView, get_remedies
from starter.reading.sources import read_file
from starter.reading.theirs import TheirCase, is_open, list_theirs, read_theirs, revisions
from web import drafts, held
from web.adding import add_files, let_go, sent_with, was_sent
from web.pages import NotFound, Pages
from web.permissions import CUSTOMER
from web.promises import promise
from web.saving import attachment
from web.visit import FieldError, Visit
from web.words import LANGUAGES, words

MINE: Final = Pages("/mine")
_SPEAKER: Final = Actor(id="customer", role=Role.CUSTOMER)
_MAY_WITHDRAW: Final = frozenset(
    {Stage.RECEIVED, Stage.ACKNOWLEDGED, Stage.INVESTIGATING, Stage.DECIDING, Stage.RESPONDED}
)
_TYPED: Final = ("text", "score", "channel", "language", "response")
OF_A_RESPONSE: Final = frozenset({"accept", "dispute", "rate", "withdraw"})
"""What a customer decides by the answer that they have read, or by having none."""
WITH_FILES: Final = frozenset({"reply", "dispute"})
"""With what a customer says files can go."""
_IN_ORDER: Final = tuple(Stage)
_LONG: Final = 10
"""No case is answered so often that the number has as many digits."""


@MINE.get("", CUSTOMER)
async def list_mine(visit: Visit) -> Response:
    """All complaints of the address, the last first."""
    address = visit.customer.address
    found = await list_theirs(visit.doors.pool, address, visit.doors.keyed("sender", address))
    house = promise(visit.doors.settings, visit.now).zone
    zones = {one.reference: ZoneInfo(one.zone) if one.zone else house for one in found}
    return visit.page("portal/mine.html", found=found, zones=zones)


@MINE.get("/{reference}", CUSTOMER)
async def show(visit: Visit) -> Response:
    """One complaint."""
    return await _case_page(visit)


@MINE.get("/{reference}/now", CUSTOMER)
async def show_now(visit: Visit) -> Response:
    """What changes by itself on the page of a complaint; where that waits for its case, the page is asked for anew."""
    asked = visit.request.query_params
    if asked.get("mark") == await _mark(visit):
        return Response(status_code=204)  # as it is shown already
    page = await _case_page(visit, template="portal/case_now.html")
    if asked.get("waiting") and await is_open(visit.doors.pool, visit.path["reference"]):
        page.headers["hx-refresh"] = "true"
    return page


async def _mark(visit: Visit) -> str:
    """Something that changes with the complaint."""
    reference = visit.path["reference"]
    return visit.doors.keyed("shown", (await revisions(visit.doors.pool, [reference]))[reference])[:16]


@MINE.get("/{reference}/events", CUSTOMER)
async def events(visit: Visit) -> Response:
    """Server-sent events when the complaint changes."""
    changes = visit.doors.live.changes(visit.path["reference"])
    return StreamingResponse(changes, media_type="text/event-stream", headers={"x-accel-buffering": "no"})


@MINE.get("/{reference}/files/{name}", CUSTOMER)
async def file(visit: Visit) -> Response:
    """A file that the customer sent, to be saved and never shown on this site."""
    found = await read_file(visit.doors.pool, visit.path["reference"], visit.path["name"])
    if found is None:
        raise NotFound
    kept, content = found
    return attachment(kept.title, kept.media_type, content)


@MINE.get("/{reference}/evidence.{form}", CUSTOMER)
async def evidence(visit: Visit) -> Response:
    """What the decision rests on, as the customer may see it, once it is known that they are the customer."""
    reference, form = visit.path["reference"], visit.path["form"]
    case = await read_theirs(visit.doors.pool, reference)
    if case is None or form not in {"pdf", "html"} or not has_evidence(case):
        raise NotFound
    from starter.evidence.html import to_html
    from starter.evidence.model import make_pack
    from starter.evidence.pdf import to_pdf
    from starter.evidence.reading import read_facts
    from starter.evidence.redaction import Reader

    facts = await read_facts(visit.doors.pool, reference)
    firm, language = visit.doors.settings.firm, visit.language

    def written() -> bytes:
        made = make_pack(facts, Reader.CUSTOMER, [language], firm=firm)
        return to_pdf(made) if form == "pdf" else to_html(made).encode()

    media_type = "application/pdf" if form == "pdf" else "text/html"
    return attachment(f"{reference}-evidence.{form}", media_type, await asyncio.to_thread(written))


def has_evidence(case: TheirCase) -> bool:
    """Whether the customer may have the evidence pack: it says what the account did."""
    return case.verified and is_answered(case)


def is_answered(case: TheirCase) -> bool:
    """Whether the customer was told the decision: before, it may still change."""
    if case.stage is Stage.RESPONDED:
        return case.told
    return case.stage is not None and _IN_ORDER.index(case.stage) > _IN_ORDER.index(Stage.RESPONDED)


def shown(case: TheirCase, remedies: Sequence[RemedyView]) -> list[RemedyView]:
    """Those of the *remedies* that the customer knows of: what was decided, and relief that is given before that."""
    known = [one for one in remedies if is_answered(case) or one.remedy.is_relief]
    return [one for one in known if one.state != "lapsed"] if case.verified else []


def _said(kind: str, typed: dict[str, Any], message_id: str) -> Message:
    """The message of this *kind*. Raises `ValidationError`."""
    common: dict[str, Any] = {"message_id": message_id, "actor": _SPEAKER}
    text, number = typed.get("text") or None, str(typed.get("response"))
    of = (int(number) or None) if number.isdecimal() and len(number) < _LONG else None
    match kind:
        case "reply" | "accept" | "dispute":
            said = {"text": text, "attachments": typed.get("attachments", ())}
            if kind == "reply":
                return CustomerReply(**common, **said)
            return CustomerReply(**common, **said, intent=kind, response=of)
        case "rate":
            return RecordFeedback(**common, score=typed.get("score"), comment=text, response=of)
        case "channel":
            return ChooseChannel(**common, channel=typed["channel"] or None, language=typed["language"])
        case _:
            return Withdraw(**common, reason=text)


def possible(case: TheirCase) -> tuple[str, ...]:
    """What the customer can do now, the likeliest first."""
    return _offered(case.stage) if case.stage else ()


def _offered(stage: Stage) -> tuple[str, ...]:
    """What the page of a complaint in this *stage* offers."""
    if stage is Stage.CLOSED:
        return ()
    ways = [("reply", True)]
    ways.insert(0, ("accept", stage is Stage.RESPONDED))
    ways.insert(1, ("dispute", stage is Stage.RESPONDED))
    ways += [
        ("rate", stage is Stage.FOLLOWING_UP),
        ("channel", True),
        ("withdraw", stage in _MAY_WITHDRAW),
    ]
    return tuple(name for name, fits in ways if fits)


def was_possible(case: TheirCase, kind: str) -> bool:
    """Whether this could be said before, so that a page that was left open still offers it.

    It is taken in like all else and not thrown away: the case, or a person, has it, and the customer sees which.
    """
    return any(kind in _offered(stage) for stage in case.stages)


@MINE.post("/{reference}/{said}", CUSTOMER)
async def say(visit: Visit) -> Response:
    """Take in what the customer says: committed now, heard by the case as soon as it can be."""
    doors, reference, kind = visit.doors, visit.path["reference"], visit.path["said"]
    case = await read_theirs(doors.pool, reference)
    if case is None or not (kind in possible(case) or was_possible(case, kind)):
        raise NotFound
    told = kind if kind in possible(case) else "reply"
    place = f"/mine/{reference}/{kind}"
    typed: dict[str, Any] = {name: visit.text(name) for name in _TYPED}
    once = visit.text("once")
    form, chosen = doors.keyed("sent", json.dumps([once, kind, typed])), _chosen_for(reference, kind)
    if once and not visit.files("files") and await was_sent(visit, chosen, form):
        return visit.redirect(f"/mine/{reference}?sent={told}")
    await drafts.keep(doors, visit.session, place, {**typed, "kind": kind})
    if name := visit.text("remove"):
        await held.remove(doors, visit.session, chosen, name)
        return visit.redirect(f"/mine/{reference}?do={kind}#say")
    errors = await add_files(visit, chosen) if kind in WITH_FILES else []
    files = await held.files(doors, visit.session, chosen)
    errors += _wrong(kind, typed, bool(files), channels(visit, case))
    if kind in OF_A_RESPONSE and typed["response"] not in {"", str(case.response or 0)} and told == kind:
        errors.append(FieldError("score" if kind == "rate" else "text", "case.answered_anew"))
    if errors:
        return await _case_page(visit, errors=errors, typed=typed, said=kind)
    message_id = _id_of(visit, kind, typed, [each.sha256 for each in files])
    files = sent_with(doors, files, message_id)
    typed["attachments"] = tuple(each.attachment for each in files)
    try:
        message = _said(kind, typed, message_id)
    except ValidationError:
        return visit.error(403)
    sender = doors.keyed("sender", visit.customer.address)
    await receive_message(doors.pool, Door.PAGES, reference, message, at=visit.now, sender=sender, files=files)
    doors.came_in()
    await drafts.drop(doors, visit.session, place)
    await let_go(visit, chosen, form)
    return visit.redirect(f"/mine/{reference}?sent={told}")


def _chosen_for(reference: str, kind: str) -> str:
    """Where files are held until they are sent: one place, so that those of an answer which came too late for its form
    go with the message that it becomes.
    """
    return f"/mine/{reference}/{'files' if kind in WITH_FILES else kind}"


def _id_of(visit: Visit, kind: str, typed: dict[str, Any], files: list[str]) -> str:
    """The id of a message: the same form with the same content is the same message; changed after going back, another.

    Nobody chooses it, so that it cannot stand in the way of a message of somebody else.
    """
    once = visit.text("once")[:60] or secrets.token_hex(16)
    content = json.dumps([visit.customer.address, visit.path["reference"], kind, once, typed, sorted(files)])
    return visit.doors.keyed("message", content)[:32]


def channels(visit: Visit, case: TheirCase) -> tuple[str, ...]:
    """By what the customer can choose to be written to; by nothing before it is known that they are the customer."""
    if not case.verified:
        return ()
    by_message = visit.doors.settings.letter_webhook_brings == "message" and case.complaint.complainant.phone
    return ("email", "post", *(("message",) if by_message else ()))


def _wrong(kind: str, typed: dict[str, Any], with_files: bool, known: Sequence[str]) -> list[FieldError]:
    text = typed["text"]
    if (kind == "dispute" and not text) or (kind == "reply" and not text and not with_files):
        return [FieldError("text", f"case.{kind}.missing")]
    if text and not _fits(Text, text):
        return [FieldError("text", "complain.what.too_long", {"most": 20_000})]
    if kind == "rate" and typed["score"] not in {"1", "2", "3", "4", "5"}:
        return [FieldError("score", "case.rate.missing")]
    if kind == "channel":
        asked = (("channel", known), ("language", LANGUAGES))
        return [FieldError(name, f"case.{name}.missing") for name, ways in asked if ways and typed[name] not in ways]
    return []


def _fits(kind: Any, value: Any) -> bool:
    check: Callable[[Any], Any] = TypeAdapter(kind).validate_python
    try:
        check(value)
    except ValidationError:
        return False
    return True


async def _case_page(
    visit: Visit,
    *,
    template: str = "portal/case.html",
    errors: list[FieldError] | None = None,
    typed: dict[str, Any] | None = None,
    said: str = "",
) -> Response:
    doors, reference = visit.doors, visit.path["reference"]
    mark = await _mark(visit)  # before what is shown is read: what happens meanwhile is shown the next time
    case = await read_theirs(doors.pool, reference)
    if case is None:
        received_at = await held.received_at(doors.pool, reference)
        told = promise(doors.settings, received_at or visit.now)
        return visit.page("portal/waiting.html", reference=reference, received_at=received_at, told=told)
    ways = possible(case)
    asked = said or visit.request.query_params.get("do", "")
    said = asked if asked in ways else "reply" if "reply" in ways else ""
    if typed is None:  # what cannot be said so any more can be said as a message
        begun = asked if was_possible(case, asked) else said
        typed = await drafts.draft(doors, visit.session, f"/mine/{reference}/{begun}")
    return visit.page(
        template,
        errors=errors or [],
        case=case,
        mark=mark,
        zone=ZoneInfo(case.zone),
        stages=[(stage, _IN_ORDER.index(stage) - _IN_ORDER.index(case.stage or Stage.RECEIVED)) for stage in _IN_ORDER],
        possible=ways,
        said=said,
        typed=dict.fromkeys(_TYPED, "") | {"channel": case.channel or "", "language": case.language} | typed,
        channels=[(each, visit.t(f"case.channel.{each}")) for each in channels(visit, case)],
        languages=[(each, words("frame.language", each)) for each in LANGUAGES],
        files=await held.files(doors, visit.session, _chosen_for(reference, said)),
        once=secrets.token_hex(16),
        sent=visit.request.query_params.get("sent", ""),
        evidence=has_evidence(case),
        remedies=shown(case, await get_remedies(doors.pool, visit.now, reference=reference)),
        answered=is_answered(case),
        most_files=MOST,
        with_files=said in WITH_FILES,
    )
