"""Files: what customers sent, and sending one for a customer."""

from typing import Annotated, Final
from urllib.parse import quote

from pydantic import Field
from starlette.responses import Response

from domain.case.messages.signals import CustomerReply
from domain.ground.base import Line, Record, Text
from domain.intake.received import File
from runtime.files import LARGEST, FileRefused, harmless_in_turn
from starter.reading.sources import Kept, list_files, read_file
from starter.upkeep.api_keys import Scope
from web.api.callers import THE_CUSTOMER
from web.api.complaints import Accepted, of_the_caller
from web.api.frame import API, Call
from web.api.problems import wrong_field
from web.api.taking_in import take_in
from web.pages import NotFound
from web.words import words

ANY_FILE: Final = "application/octet-stream"


class FileQuery(Record):
    """What the file is called, and what the customer says about it."""

    title: Annotated[Line, Field(max_length=100)]
    text: Text | None = None


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
    return Response(
        content,
        media_type=kept.media_type,
        headers={
            "content-disposition": f"attachment; filename*=UTF-8''{quote(kept.title)}",
            "content-security-policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
        },
    )


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
    """Send a file for the customer: a picture, a PDF or plain text of at most 10 MB, as the body itself."""
    known, doors = await of_the_caller(call), call.doors
    asked: FileQuery = call.query
    message_id, content = call.message_id, await call.raw(LARGEST)

    def name(digest: str) -> str:
        return doors.keyed("file", f"{call.caller.id}\0{known}\0{message_id}\0{digest}")[:40]

    try:
        file: File = await harmless_in_turn(asked.title, content, name, scanner=doors.settings.clamav_address)
    except FileRefused as error:
        raise wrong_field("file", words(error.key, "en", title=asked.title)) from None
    actor = call.caller.actor() if call.caller.staff else THE_CUSTOMER
    message = CustomerReply(message_id=message_id, actor=actor, text=asked.text, attachments=(file.attachment,))
    return await take_in(call, known, message, [file])
