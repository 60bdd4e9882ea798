"""The codec server of Temporal's Web UI: it opens what is sealed for who may see the case, and writes down who did.

There is only ``/decode``: of what it would have encoded the UI does not say to which workflow it goes. Three ways say
who asks: the session of the desk, a token of the provider, and on a stack of one machine the key in the address.
"""

import json
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import structlog
from google.protobuf.json_format import MessageToJson, Parse, ParseError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.converter import WorkflowSerializationContext

from domain.ground.base import person_of
from runtime.database import seen_by
from runtime.embedded_web import CODEC_PATH, codec_key
from runtime.keys.codec import ENCODING, Sealing, sealed_under
from runtime.keys.here import keys_needed
from starter.reading.accesses import Access, Means, note_access
from web.doors import Doors
from web.permissions import declare, staff
from web.provider import NotSignedOn, provider_of
from web.security import is_here
from web.visits import Staff, session_of

LARGEST: Final = 20_000_000  # bytes: a page of a history
_HIDDEN: Final = b'"[not shown: you are kept out of this case]"'


@dataclass(frozen=True)
class _Reader:
    """Who asks: as the access log names them, and the person whose recusals count; none at the machine itself."""

    who: str
    person: str | None


class _Refused(Exception):
    def __init__(self, status: int, why: str) -> None:
        self.status, self.why = status, why
        super().__init__(why)


async def decode(request: Request) -> Response:
    """Open the payloads that who asks may see. Whatever is answered, the UI's page may read it."""
    doors: Doors = request.app.state.doors
    origin = request.headers.get("origin", "")
    allowed = origin if origin in _ui(doors) else None
    if request.method == "OPTIONS":
        return _answer(b"", 204 if allowed else 403, allowed)
    try:
        reader = await _reader(request, doors, allowed)
        body = await request.body()
        if len(body) > LARGEST:
            raise _Refused(413, "too much at once")
        payloads = Parse(body, Payloads()).payloads
        told = await _opened(doors, reader, request.headers.get("x-namespace", "default"), payloads)
        return _answer(MessageToJson(Payloads(payloads=told)).encode(), 200, allowed)
    except _Refused as refused:
        return _problem(refused.status, refused.why, allowed)
    except (ParseError, UnicodeDecodeError):
        return _problem(400, "payloads: it must be a JSON object {payloads: […]} as Temporal's UI sends it", allowed)
    except Exception as error:
        structlog.get_logger("web").error("nothing could be opened", error=type(error).__name__)
        return _problem(503, "the keys or the record cannot be reached now; try again", allowed)


async def _opened(doors: Doors, reader: _Reader, namespace: str, payloads: Iterable[Payload]) -> list[Payload]:
    """The *payloads*, each opened with the key of the case that it names. Noted before it is answered."""
    sealed = [one for one in payloads if one.metadata.get("encoding") == ENCODING]
    scopes = {sealed_under(one)[1] for one in sealed}
    hidden = await _hidden(doors, reader, scopes)
    if shown := sorted(scopes - hidden):
        await note_access(doors.pool, Access(reader.who, Means.CODEC, "decode", shown))
    codec = Sealing(keys_needed())
    told = []
    for payload in payloads:
        scope = sealed_under(payload)[1]
        if payload.metadata.get("encoding") == ENCODING and scope in hidden:
            told.append(Payload(metadata={"encoding": b"json/plain"}, data=_HIDDEN))
        else:
            told += await codec.with_context(WorkflowSerializationContext(namespace, scope)).decode([payload])
    return told


async def _hidden(doors: Doors, reader: _Reader, scopes: Collection[str]) -> set[str]:
    """Those of the cases that who asks is kept out of, and of the incidents with such a case or account."""
    if reader.person is None or not scopes:
        return set()
    rows = await seen_by(doors.pool, reader.person).fetch(_HIDDEN_ONES, list(scopes))
    return {row["reference"] for row in rows}


async def _reader(request: Request, doors: Doors, allowed: str | None) -> _Reader:
    """Who asks. Raises `_Refused`."""
    key = request.path_params.get("key")
    if key is not None:
        if not (doors.settings.desk_sign_on == "directory" and is_here(request)):
            raise _Refused(404, "there is no such page")
        if not secrets.compare_digest(key, codec_key(doors.secret)):
            raise _Refused(403, "the key in the address is none of ours")
        return _Reader("os:this-machine", None)
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and token.strip():
        return _who(await _by_token(doors, token.strip()))
    session = await session_of(request, doors)
    if allowed and isinstance(session.person, Staff):  # of a page that is not the UI no cookie counts
        return _who(session.person)
    raise _Refused(401, "sign on at the desk in this browser, or have the UI pass the token of the provider")


async def _by_token(doors: Doors, token: str) -> Staff:
    provider, audience = provider_of(doors), doors.settings.api_audience
    if provider is None or audience is None:
        raise _Refused(401, "tokens are not taken here (REDRESS_OIDC_ISSUER, REDRESS_API_AUDIENCE)")
    try:
        return await provider.bearer(token, audience)
    except NotSignedOn as error:
        away = error.reason == "provider_away"
        raise _Refused(503 if away else 401, "the provider does not answer" if away else str(error)) from None


def _who(one: Staff) -> _Reader:
    return _Reader(f"{one.roles[0].value}:{one.id}", person_of(one.id))


def _ui(doors: Doors) -> set[str]:
    """The origins of Temporal's UI; on this machine by either name."""
    parts = urlsplit(doors.settings.temporal_ui_url or "")
    if not parts.netloc:
        return set()
    origin = f"{parts.scheme}://{parts.netloc}"
    return {origin, origin.replace("//127.0.0.1:", "//localhost:")}


def _problem(status: int, why: str, allowed: str | None) -> Response:
    return _answer(json.dumps({"message": why}).encode(), status, allowed)


def _answer(content: bytes, status: int, allowed: str | None) -> Response:
    headers = {"vary": "origin", "cache-control": "no-store"}
    if allowed:
        headers |= {
            "access-control-allow-origin": allowed,
            "access-control-allow-credentials": "true",
            "access-control-allow-methods": "POST, OPTIONS",
            "access-control-allow-headers": "authorization, content-type, x-namespace",
            "cross-origin-resource-policy": "cross-origin",
        }
    return Response(content, status, headers, "application/json")


_HIDDEN_ONES: Final = """
    select reference from unnest($1::text[]) as reference
    where casefile.hidden(reference) or reference in (select casefile.hidden_incidents())
"""
CODEC: Final = [
    Route(path, declare(decode, staff()), methods=["POST", "OPTIONS"])
    for path in (f"{CODEC_PATH}/decode", f"{CODEC_PATH}/{{key}}/decode")
]
