"""Files: what customers sent, and sending one for a customer."""

from typing import Annotated, Final

from pydantic import Field
from starlette.responses import Response

from domain.case.messages.evidence import AddEvidence
from domain.case.messages.signals import CustomerReply
from domain.ground.base import Line, Record, Text
from domain.intake.received import File
from runtime.files import LARGEST, FileRefused, harmless_in_turn
from starter.client.complaints import CaseNotFound
from starter.intake.receiving import receive_note
from starter.reading.sources import Kept, list_files, read_file
from starter.upkeep.api_keys import Scope
from web.api.callers import THE_CUSTOMER
from web.api.complaints import Accepted, accepted, of_the_caller
from web.api.frame import API, Call
from web.api.problems import Problem, wrong_field
from web.api.taking_in import take_in
from web.pages import NotFound
from web.saving import attachment
from web.words import words

ANY_FILE: Final = "application/octet-stream"


class FileQuery(Record):
    """What the file is called, and what the customer says about it; or the ``note`` of the firm's that it goes with."""

    title: Annotated[Line, Field(max_length=100)]
    text: Text | None = None
    note: Text | None = None


@API.get("/complaints/{reference}/files", Scope.READ, answer=tuple[Kept, ...])
async def list_all(call: Call) -> list[Kept]:
    """The files that came with a complaint and with what was said since."""
    return await list_files(call.doors.pool, await of_the_caller(call))


@API.get("/complaints/{reference}/files/{name}", Scope.READ)
async def fetch(call: Call) -> Response:
    """A file, to be saved: it is as it was made harmless, and still from outside."""
    found = await read_file(call.doors.pool, await of_the_caller(call), call.request.path_params["name"])
    if found is None:
        raise NotFound
    kept, content = found
    return attachment(kept.title, kept.media_type, content)


@API.post(
    "/complaints/{reference}/files",
    Scope.CUSTOMER,
    query=FileQuery,
    raw=ANY_FILE,
    answer=Accepted,
    status=202,
    once=True,
)
async def send(call: Call) -> Response:
    """Send a file for the customer: a picture, a PDF or plain text of at most 10 MB, as the body itself.

    With a note it is the firm's own, of which customers see nothing; for that somebody has to have signed on.
    """
    known, doors = await of_the_caller(call), call.doors
    asked: FileQuery = call.query
    if asked.note and not call.caller.staff:
        raise wrong_field("note", "notes are written by those who work here; sign on, or leave it out")
    message_id, content = call.message_id, await call.raw(LARGEST)

    def name(digest: str) -> str:
        return doors.keyed("file", f"{call.caller.id}\0{known}\0{message_id}\0{digest}")[:40]

    try:
        file: File = await harmless_in_turn(asked.title, content, name, scanner=doors.settings.clamav_address)
    except FileRefused as error:
        raise wrong_field("file", words(error.key, "en", title=asked.title)) from None
    actor = call.caller.actor() if call.caller.staff else THE_CUSTOMER
    if asked.note:
        return await _add_note(call, known, asked.note, file)
    message = CustomerReply(message_id=message_id, actor=actor, text=asked.text, attachments=(file.attachment,))
    return await take_in(call, known, message, [file])


async def _add_note(call: Call, known: str, note: str, file: File) -> Response:
    doors, actor = call.doors, call.caller.actor()
    said = AddEvidence(message_id=call.message_id, actor=actor, note=note, attachments=(file.attachment,))
    kept = await receive_note(doors.pool, known, said, at=doors.clock(), envelope={"by": str(actor)}, files=[file])
    doors.came_in()
    try:
        await (await doors.spoken_for(call.caller.person)).send(known, said)
    except CaseNotFound:
        raise Problem("away", f"the case of {known} is not open yet") from None
    return accepted(Accepted(reference=known, already_known=kept.already_known))
