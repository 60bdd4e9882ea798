"""Webhooks in, signed as Standard Webhooks has it.

Forms, apps, chat and phone systems tell of what customers said, systems of the firm of remedies that they carried out.
Each of the two has secrets of its own: who may pass on words may not say that something was done.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Final

from pydantic import ValidationError
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.ground.people import Actor
from domain.ground.reference import InvalidReference, parse_reference
from domain.ground.words import Role
from domain.intake.received import Door
from domain.intake.told import RemedyTold, Told, ToldProgress, ToldRemedy, complaint_told, reply_told
from domain.people.actors import NotProven, Person
from runtime.standard_webhooks import is_signed
from starter.client.complaints import CaseClosed, CaseNotFound
from starter.client.conversation import Refused
from starter.intake.receiving import UsedBefore, receive_complaint, receive_message
from web.api.complaints import Accepted, accepted, said_otherwise
from web.api.frame import API, AWAY, LARGEST_JSON, ROOT, sent_in
from web.api.problems import Problem, Wrong, answer, misfit, unnamed, used_before, wrong_field
from web.api.progress import tell_progress
from web.doors import Doors
from web.permissions import ANYBODY, declare
from web.security import TooLarge

WINDOW: Final = timedelta(minutes=5)
"""How far the time of a webhook may be from ours: what somebody recorded cannot be sent again later."""
_CUSTOMER: Final = Actor(id="customer", role=Role.CUSTOMER)
_LONGEST_ID: Final = 200


_Takes = Callable[[Doors, str, str, bytes], Awaitable[Response]]
"""Answers what a source tells under its own key: the content, which it signed."""


def _signed_alone(
    takes: _Takes, secrets: Callable[[Doors], Mapping[str, list[str]]]
) -> Callable[..., Awaitable[Response]]:
    """The endpoint that has what one of the *secrets* signed taken in, and tells of problems."""

    async def take_in(request: Request) -> Response:
        doors: Doors = request.app.state.doors
        source = request.path_params["source"]
        try:
            content = await sent_in(request, LARGEST_JSON)
            key = _signed(request, doors, secrets(doors).get(source, []), content)
            return await takes(doors, source, key, content)
        except Problem as problem:
            return answer(problem)
        except TooLarge:
            return answer(Problem("too_large"))
        except AWAY:
            return answer(Problem("away", "send it again under the same webhook-id"))

    return take_in


async def _take_words(doors: Doors, source: str, key: str, content: bytes) -> Response:
    """Commit what customers said, and only then accept it. The same id with the same content counts once.

    Who asks how far a complaint is gets the answer, and nothing is committed but that they had it.
    """
    now = doors.clock()
    came = {"service": source}
    try:
        told = Told.model_validate_json(content)
        if told.type == "progress":
            asked = ToldProgress.model_validate(told.data)
            progress = await tell_progress(doors, source, asked, parse_reference(asked.reference))
            return Response(to_json(progress), media_type="application/json")
        if told.type == "complaint":
            complaint = complaint_told(told, source, key, now)
            complaint.check_times(now)
            if await said_otherwise(doors.pool, Door.WEBHOOK, complaint):
                raise _used_before()
            received = await receive_complaint(doors.pool, Door.WEBHOOK, complaint, envelope=came)
            reference = complaint.reference
        else:
            reply, message = reply_told(told, source, key, _CUSTOMER)
            reference = parse_reference(reply.reference)
            received = await receive_message(
                doors.pool,
                Door.WEBHOOK,
                reference,
                message,
                at=now,
                mark=doors.mark(source, message),
                envelope=came,
                proven=reply.proven,
            )
    except UsedBefore:
        raise _used_before() from None
    except ValidationError as error:
        raise misfit(error, in_body=True) from None
    except InvalidReference as error:
        raise wrong_field("reference", str(error)) from None
    except ValueError as error:
        field, _, what = str(error).partition(": ")
        raise wrong_field(field, what) from None
    doors.came_in()
    return accepted(Accepted(reference=reference, already_known=received.already_known))


async def _take_remedy(doors: Doors, source: str, key: str, content: bytes) -> Response:
    """Have the case hear that a remedy was carried out, and answer as it does. The same id counts once."""
    try:
        told = RemedyTold.model_validate_json(content)
        reference = parse_reference(told.data.reference)
    except ValidationError as error:
        raise misfit(error, in_body=True) from None
    except InvalidReference as error:
        raise _about("reference", "invalid", str(error)) from None
    message = told.message(source, key)
    complaints = await doors.spoken_for(Person.of(message.actor))
    try:
        receipt = await complaints.send(reference, message)
    except CaseNotFound as error:
        raise _about("reference", "not_found", str(error)) from None
    except CaseClosed as error:
        raise _about("reference", "closed", str(error)) from None
    except (Refused, NotProven) as error:
        field, _, what = str(error).partition(": ")
        if field == "message_id":
            raise _used_before() from None
        raise _about(field if field in ToldRemedy.model_fields else "reference", "refused", what) from None
    return Response(to_json(receipt), media_type="application/json")


def _used_before() -> Problem:
    return used_before("webhook-id", "it was used for something else; give each webhook an id of its own")


def _about(field: str, kind: str, detail: str) -> Problem:
    """The problem of this *kind* with the *field* of a remedy."""
    return Problem(kind, f"{field}: {detail}", [Wrong(field=f"data.{field}", detail=detail, pointer=f"#/data/{field}")])


def _signed(request: Request, doors: Doors, secrets: list[str], content: bytes) -> str:
    """The id of the webhook, if one of the *secrets* of its source signed it and just now. Raises `Problem`."""
    headers = request.headers
    identity, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not is_signed(headers.get("webhook-signature", ""), secrets, identity, at, content):
        raise Problem("unknown_caller", "webhook-signature: no secret of this source signed it")
    if not (0 < len(identity) <= _LONGEST_ID and identity.isprintable() and "." not in identity):
        raise unnamed("webhook-id", "send this header, new for each webhook; repeated, it counts once")
    if not (at.isascii() and at.isdigit() and abs(doors.clock().timestamp() - int(at[:12])) <= WINDOW.total_seconds()):
        raise Problem("unknown_caller", "webhook-timestamp: it is not of the last five minutes")
    return identity


_WORDS: Final = _signed_alone(_take_words, lambda doors: doors.settings.webhooks)
_REMEDIES: Final = _signed_alone(_take_remedy, lambda doors: doors.settings.remedy_webhooks)
API.routes.append(Route(f"{ROOT}/webhooks/{{source}}", declare(_WORDS, ANYBODY), methods=["POST"], name="webhook"))
API.routes.append(
    Route(f"{ROOT}/webhooks/{{source}}/remedies", declare(_REMEDIES, ANYBODY), methods=["POST"], name="remedy_webhook")
)
