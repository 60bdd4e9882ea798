"""Adding files to a case that is there: a letter that came later, a screenshot sent by chat, a bank's confirmation.

What is the customer's comes in as from every other door, also while Temporal is down. What is our own is kept in the
same way, and the case is told of it with the token of whoever adds it.
"""

import json
import uuid
from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar, Final, Literal

from pydantic import BaseModel
from starlette.responses import Response

from domain.case.complaint import EARLIEST
from domain.case.messages.evidence import AddEvidence
from domain.case.messages.signals import CustomerReply
from domain.ground.base import Instant, Line
from domain.ground.messages import Message
from domain.ground.people import Actor
from domain.ground.words import Role, Stage
from domain.intake.received import DealAgain, Door, File
from starter.intake.receiving import Vouched, receive_message, receive_note
from starter.reading.cases import CaseView, get_case, get_timeline
from starter.reading.database import CaseNotFound, must_see
from starter.reading.dossier import erased_at
from starter.reading.related import mark_of
from starter.reading.sources import read_file
from web import drafts, held
from web.adding import add_files, let_go, place_of, sent_with, was_sent
from web.desk.acting import foresee, home_of
from web.desk.forms import Sight, done_page, files_of, form_page, id_of_the_form, sent_or_shown, typed
from web.desk.frame import DESK, actor, eyes, reference, speaker, speaking, stamp
from web.desk.refusals import NOT_SENT, why_not
from web.desk.widgets import Unfit, made, widgets
from web.pages import NotFound
from web.permissions import staff
from web.saving import attachment
from web.visit import FieldError, Visit

_CUSTOMER: Final = Actor(id="customer", role=Role.CUSTOMER)


class AddFile(BaseModel):
    """What the form asks for: what the files are, from whom and when they came, and as what they count."""

    name: ClassVar[str] = "add_file"
    what: Line
    sent_by: Line
    came_at: Instant
    counts_as: Literal["reply", "unproven", "note"]

    @property
    def text(self) -> str:
        """What the case is told, in the words of who adds it."""
        return f"{self.what} ({self.sent_by}, {self.came_at:%Y-%m-%d %H:%M} UTC)"


@DESK.get("/cases/{reference}/files/{name}", staff())
async def file(visit: Visit) -> Response:
    """A file of the case, to be saved and never shown on this site."""
    known = reference(visit)
    try:
        await must_see(eyes(visit), known)
    except CaseNotFound:
        raise NotFound from None
    found = await read_file(eyes(visit), known, visit.path["name"], with_notes=True)
    if found is None:
        raise NotFound
    kept, content = found
    return attachment(kept.title, kept.media_type, content)


@DESK.get("/cases/{reference}/do/add_file", staff())
async def file_form(visit: Visit) -> Response:
    """The form, empty or with what was typed and chosen before somebody had to sign on."""
    case, path = await _case(visit), visit.request.url.path
    given = await drafts.draft(visit.doors, visit.session, path)
    message_id = id_of_the_form(visit, given)
    wrong, shown = await _where_erased(visit, case), await files_of(visit, f"{path}/{message_id}")
    return form_page(visit, AddFile, home_of(case), given, message_id, errors=wrong, **shown)


@DESK.post("/cases/{reference}/do/add_file", staff())
async def add_file(visit: Visit) -> Response:
    """Show as what the files will count; once that was seen, add them. Sent twice, they are added once."""
    case, message_id = await _case(visit), id_of_the_form(visit)
    asked, place = widgets(AddFile), place_of(visit, message_id)
    wrong = await add_files(visit, place)
    files = await held.files(visit.doors, visit.session, place)
    if not files and not wrong:
        if await was_sent(visit, place, message_id):
            return visit.redirect(home_of(case).path)
        wrong = [FieldError("files", "desk.wrong.no_file")]
    wrong += await _where_erased(visit, case)
    mark = await mark_of(eyes(visit), case.reference)
    try:
        said = made(AddFile, asked, visit.form)
        if not EARLIEST <= said.came_at <= visit.now:
            raise Unfit([FieldError("came_at", "desk.wrong.came")])
        message, files = _message(visit, case, said, message_id, files)
        foreseen = said.counts_as != "note" or await foresee(visit, case, message)
        if not wrong:
            entries = await get_timeline(eyes(visit), case.reference)
            sight = Sight(said, actor(visit), _causes(visit, case, said), mark, entries, files)
            send = partial(_add, visit, case, said, message, files)
            home = home_of(case)
            return await sent_or_shown(visit, AddFile, home, sight, send, message_id=message_id, foreseen=foreseen)
    except NOT_SENT as error:
        wrong = why_not(visit, error, [one.name for one in asked]) + wrong
    shown = await files_of(visit, place)
    return form_page(visit, AddFile, home_of(case), typed(visit), message_id, errors=wrong, **shown)


def _message(
    visit: Visit, case: CaseView, said: AddFile, form: str, files: Sequence[File]
) -> tuple[Message, list[File]]:
    """What the case is told, and the files as they go with it: of the same form with the same content the same."""
    content = [case.reference, visit.staff.id, said.model_dump(mode="json"), sorted(one.sha256 for one in files)]
    message_id = str(uuid.uuid5(uuid.UUID(form), json.dumps(content)))
    sent = sent_with(visit.doors, list(files), message_id)
    with_it = tuple(one.attachment for one in sent)
    if said.counts_as == "note":
        note = AddEvidence(message_id=message_id, actor=actor(visit), note=said.text, attachments=with_it)
        return note, sent
    reply = CustomerReply(message_id=message_id, actor=_CUSTOMER, text=said.text, attachments=with_it)
    return reply, sent


async def _add(visit: Visit, case: CaseView, said: AddFile, message: Message, files: list[File]) -> Response:
    doors, known, at = visit.doors, case.reference, said.came_at
    came: dict[str, Any] = {"envelope": {"by": str(actor(visit))}, "files": files}
    if said.counts_as == "note":
        await receive_note(doors.pool, known, message, at=at, **came)
        await (await speaking(visit)).send(known, message)
    else:
        vouching = DealAgain(message_id=message.message_id, actor=actor(visit), reason=said.text, vouched=True)
        vouched = Vouched(vouching, doors.token_for(speaker(visit))) if said.counts_as == "reply" else None
        await receive_message(doors.pool, Door.DESK, known, message, at=at, proven=False, vouched=vouched, **came)
    doors.came_in()
    form = id_of_the_form(visit)
    await let_go(visit, place_of(visit, form), form)
    return await done_page(visit, home_of(case).path, visit.t("desk.told.sent"), key=known)


def _causes(visit: Visit, case: CaseView, said: AddFile) -> list[str]:
    """As what the files will count, and when they came by the clock of the case."""
    told = [visit.t(f"desk.causes.add_file.{said.counts_as}", at=stamp(visit, said.came_at))]
    if case.summary.stage is Stage.CLOSED:
        told.append(visit.t("desk.causes.add_file.closed"))
    return told


async def _where_erased(visit: Visit, case: CaseView) -> list[FieldError]:
    """What is said where what is personal in the case was erased: its key is gone, and it takes nothing more."""
    erased = erased_at(await get_timeline(eyes(visit), case.reference))
    return [FieldError("what", "desk.wrong.erased")] if erased else []


async def _case(visit: Visit) -> CaseView:
    try:
        return await get_case(eyes(visit), reference(visit))
    except CaseNotFound:
        raise NotFound from None
