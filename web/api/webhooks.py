"""Webhooks in, signed as Standard Webhooks has it: forms, apps, chat and phone systems tell of what customers said."""

import base64
import binascii
import hashlib
import hmac
from datetime import timedelta
from typing import Final

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.ground.people import Actor
from domain.ground.reference import InvalidReference, parse_reference
from domain.ground.words import Role
from domain.intake.received import Door
from domain.intake.told import Told, complaint_told, reply_told
from starter.intake.receiving import receive_complaint, receive_message
from web.api.complaints import Accepted, accepted
from web.api.frame import API, AWAY, LARGEST_JSON, ROOT
from web.api.problems import Problem, answer, misfit, wrong_field
from web.doors import Doors
from web.permissions import ANYBODY, declare
from web.security import TooLarge

WINDOW: Final = timedelta(minutes=5)
"""How far the time of a webhook may be from ours: what somebody recorded cannot be sent again later."""
_CUSTOMER: Final = Actor(id="customer", role=Role.CUSTOMER)
_LONGEST_ID: Final = 200


async def take_in(request: Request) -> Response:
    """Commit what a webhook tells, and only then accept it. The same id with the same content counts once."""
    doors: Doors = request.app.state.doors
    try:
        return await _taken(request, doors)
    except Problem as problem:
        return answer(problem)
    except TooLarge:
        return answer(Problem("too_large"))
    except AWAY:
        return answer(Problem("away"))


async def _taken(request: Request, doors: Doors) -> Response:
    source = request.path_params["source"]
    content = await request.body()
    if len(content) > LARGEST_JSON:
        raise Problem("too_large", f"at most {LARGEST_JSON} bytes can be sent here")
    key = _signed(request, doors, source, content)
    now = doors.clock()
    came = {"service": source}
    try:
        told = Told.model_validate_json(content)
        if told.type == "complaint":
            complaint = complaint_told(told, source, key, now)
            complaint.check_times(now)
            received = await receive_complaint(doors.pool, Door.WEBHOOK, complaint, envelope=came)
            reference = complaint.reference
        else:
            reply, message = reply_told(told, source, key, _CUSTOMER)
            reference = parse_reference(reply.reference)
            received = await receive_message(
                doors.pool, Door.WEBHOOK, reference, message, at=now, envelope=came, proven=reply.proven
            )
    except ValidationError as error:
        raise misfit(error, in_body=True) from None
    except InvalidReference as error:
        raise wrong_field("reference", str(error)) from None
    except ValueError as error:
        field, _, what = str(error).partition(": ")
        raise wrong_field(field, what) from None
    doors.came_in()
    return accepted(Accepted(reference=reference, already_known=received.already_known))


def _signed(request: Request, doors: Doors, source: str, content: bytes) -> str:
    """The id of the webhook, if one of the secrets of its *source* signed it and just now. Raises `Problem`."""
    headers = request.headers
    identity, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    signed = f"{identity}.{at}.".encode() + content
    given = [part.removeprefix("v1,") for part in headers.get("webhook-signature", "").split() if part[:3] == "v1,"]
    secrets = doors.settings.webhooks.get(source, [])
    if not any(_is_by(secret, signed, one) for secret in secrets for one in given):
        raise Problem("unknown_caller", "webhook-signature: no secret of this source signed it")
    if not (0 < len(identity) <= _LONGEST_ID and identity.isprintable() and "." not in identity):
        raise Problem("no_message_id", "send the header webhook-id, new for each; repeated, it counts once")
    if not (at.isascii() and at.isdigit() and abs(doors.clock().timestamp() - int(at[:12])) <= WINDOW.total_seconds()):
        raise Problem("unknown_caller", "webhook-timestamp: it is not of the last five minutes")
    return identity


def _is_by(secret: str, signed: bytes, given: str) -> bool:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return False
    made = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return hmac.compare_digest(made.encode(), given.encode())


API.routes.append(Route(f"{ROOT}/webhooks/{{source}}", declare(take_in, ANYBODY), methods=["POST"], name="webhook"))
