"""What a program passes on for a customer: taken in as the intake takes it, whether or not Temporal can be reached."""

from collections.abc import Sequence

from starlette.responses import Response

from domain.ground.messages import Message
from domain.intake.received import Door, File
from starter.intake.receiving import receive_message
from web.api.complaints import Accepted, accepted
from web.api.frame import Call


async def take_in(call: Call, reference: str, message: Message, files: Sequence[File] = ()) -> Response:
    """Commit *message* to the case *reference*, with its *files*, and have it dealt with; how that is answered."""
    doors = call.doors
    received = await receive_message(
        doors.pool,
        Door.API,
        reference,
        message,
        at=doors.clock(),
        mark=doors.mark(call.caller.id, message),
        envelope={"service": call.caller.id},
        files=files,
    )
    doors.came_in()
    return accepted(Accepted(reference=reference, already_known=received.already_known))
