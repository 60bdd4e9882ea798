"""How a route of the API is registered, and what stands before it: who asks, and whether what they send fits."""

import base64
import binascii
import functools
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import GenericAlias
from typing import Annotated, Any, Final

import asyncpg
import structlog
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from domain.ground.base import Identifier, Record
from domain.ground.json_text import read_json
from domain.ground.messages import NotAllowed
from domain.ground.reference import InvalidReference, parse_reference
from domain.keys.scopes import cases_of, of_persons
from domain.people.actors import NotProven
from runtime.connection import TemporalUnavailable
from runtime.database import UNFIT, Pool
from runtime.keys.columns import noting_opened
from runtime.keys.keyring import KeysUnavailable
from runtime.postgres import DatabaseUnavailable
from starter.client.complaints import CaseClosed
from starter.client.complaints import CaseNotFound as NoSuchCase
from starter.client.conversation import NotAnswered, Refused
from starter.client.incidents import IncidentNotFound
from starter.intake.receiving import UsedBefore
from starter.reading.accesses import Access, Means, note_access
from starter.reading.database import CaseNotFound
from starter.upkeep.api_keys import Scope
from web.api.callers import Caller, caller_of
from web.api.problems import Problem, Wrong, answer, misfit, refused, unnamed, used_before, wrong_field
from web.doors import Doors
from web.pages import NotFound
from web.permissions import Kind, Permission, declare, program
from web.security import TooLarge

ROOT: Final = "/api/v1"
LARGEST_JSON: Final = 1_000_000  # bytes
AWAY: Final = (
    DatabaseUnavailable,
    KeysUnavailable,
    TemporalUnavailable,
    NotAnswered,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    OSError,
    TimeoutError,
)
_MISSING: Final = (CaseNotFound, NoSuchCase, IncidentNotFound, InvalidReference, NotFound)

Handler = Callable[["Call"], Awaitable[Any]]


class Nothing(Record):
    """No parameters."""


class Paged(Record):
    """How much of a list: ``limit`` of it, after where ``cursor`` of the answer before it ended."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str, Field(max_length=500)] | None = None


@dataclass(frozen=True)
class Operation:
    """A route, as it is served and as the OpenAPI document tells of it.

    ``filled`` are fields of ``body`` that the caller need not send, because it is known what they are. ``answer`` is
    what is answered, in the status ``status``; None for bytes.
    """

    method: str
    path: str
    handler: Handler
    who: Permission
    query: type[BaseModel] = Nothing
    body: Any = None
    filled: tuple[str, ...] = ()
    answer: Any = None
    status: int = 200
    also: Mapping[int, Any] = field(default_factory=dict)
    """What else may be answered, by status."""
    raw: str | None = None
    """The media type of a body that is not JSON."""
    summary: str = ""
    name: str = ""
    once: bool = False
    """Whether the caller names it by ``Idempotency-Key``."""


@dataclass
class Call:
    """One request to the API: who asks, for what, and by which collaborators it is answered."""

    request: Request
    doors: Doors
    caller: Caller
    operation: Operation
    query: Any = None
    seen: list[str] = field(default_factory=list)
    """The cases and incidents whose data the answer shows."""

    @property
    def pool(self) -> Pool:
        """The record, as the caller may see it."""
        return self.caller.eyes(self.doors.pool)

    @property
    def reference(self) -> str:
        """The reference in the address. Raises `InvalidReference`."""
        known = parse_reference(self.request.path_params["reference"])
        self.seen.append(known)
        return known

    @property
    def message_id(self) -> str:
        """What the caller calls it (``Idempotency-Key``). Raises `Problem`."""
        given = self.request.headers.get("idempotency-key", "").strip()
        if not given:
            raise unnamed("Idempotency-Key", "send this header, new for each message; repeated, it counts once")
        try:
            return _IDENTIFIER.validate_python(given)
        except ValidationError:
            raise wrong_field("Idempotency-Key", "up to 100 letters, digits and . _ : @ / # -") from None

    async def body(self, filled: Mapping[str, Any], otherwise: Mapping[str, Any] | None = None) -> Any:
        """What was sent, as the model of the route, with *filled* fields; *otherwise* holds where nothing was sent.

        Raises `Problem` that names each field that does not fit, and a filled one that was sent as something else.
        """
        given = await self._json()
        for name, value in filled.items():
            if name in given and given[name] != json.loads(to_json(value)):
                what = "it follows from who asks and from the header Idempotency-Key; leave it out"
                raise Problem("invalid", f"{name}: {what}", [Wrong(field=name, detail=what, pointer=f"#/{name}")])
        try:
            return TypeAdapter(self.operation.body).validate_python({**(otherwise or {}), **given, **filled})
        except ValidationError as error:
            raise misfit(error, in_body=True) from None

    async def raw(self, most: int) -> bytes:
        """What was sent, byte for byte. Raises `Problem` where it is more than *most* bytes."""
        return await sent_in(self.request, most)

    async def _json(self) -> dict[str, Any]:
        content = await self.raw(LARGEST_JSON)
        try:
            value = read_json(content.decode())
        except UnicodeDecodeError:
            raise Problem("unreadable", "it is not UTF-8") from None
        except json.JSONDecodeError as error:
            raise Problem("unreadable", f"line {error.lineno}, column {error.colno}: {error.msg}") from None
        except RecursionError:
            raise Problem("unreadable", "it is nested too deeply") from None
        except ValueError as error:
            field, _, what = str(error).partition(": ")
            raise wrong_field(field, what or "it does not fit") from None
        if not isinstance(value, dict):
            raise Problem("unreadable", "it must be one JSON object")
        return value


async def sent_in(request: Request, most: int) -> bytes:
    """The body of *request*, of which no more than *most* bytes are taken. Raises `Problem`."""
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > most:
            raise Problem("too_large", f"at most {most} bytes can be sent here")
    return bytes(content)


_IDENTIFIER: Final[TypeAdapter[str]] = TypeAdapter(Identifier)


class Api:
    """The routes of the API.

    @API.get("/complaints/{reference}/deadlines", Scope.READ, answer=list[LedgerRow])
    async def deadlines(call: Call) -> list[LedgerRow]:
        ...
    """

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.routes: list[BaseRoute] = []

    def get(self, path: str, *scopes: Scope, **more: Any) -> Callable[[Handler], Handler]:
        """Register what is looked at, by callers with every one of *scopes*."""
        return self._registering("GET", path, scopes, more)

    def post(self, path: str, *scopes: Scope, **more: Any) -> Callable[[Handler], Handler]:
        """Register what something is sent to."""
        return self._registering("POST", path, scopes, more)

    def delete(self, path: str, *scopes: Scope, **more: Any) -> Callable[[Handler], Handler]:
        """Register what is ended."""
        return self._registering("DELETE", path, scopes, more)

    def _registering(
        self, method: str, path: str, scopes: Sequence[Scope], more: Mapping[str, Any]
    ) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            told = {"summary": (handler.__doc__ or "").strip().split("\n")[0], "name": handler.__name__, **more}
            self.add(Operation(method, path, handler, program(*scopes), **told))
            return handler

        return register

    def add(self, operation: Operation) -> None:
        """Register *operation*."""
        if operation.who.kind is not Kind.STAFF and not operation.who.scopes:
            raise ValueError(f"{operation.path}: no scope says which programs may use it")
        self.operations.append(operation)
        endpoint = declare(functools.partial(_answer, operation), operation.who)
        self.routes.append(
            Route(ROOT + operation.path, endpoint, methods=[operation.method], name=f"api_{operation.name}")
        )


API: Final = Api()


async def _answer(operation: Operation, request: Request) -> Response:
    try:
        return await _answered(operation, request)
    except Problem as problem:
        return answer(problem)
    except _MISSING:
        return answer(Problem("not_found"))
    except UsedBefore:
        what = "it was used for something else; give each message an id of its own"
        return answer(used_before("Idempotency-Key", what))
    except (Refused, NotAllowed, NotProven) as error:
        fields = getattr(operation.body, "model_fields", {})
        return answer(refused(str(error), fields, operation.filled))
    except CaseClosed as error:
        return answer(Problem("closed", str(error)))
    except UNFIT:
        return answer(Problem("invalid", "a parameter or part of the address holds what no text or number here can be"))
    except TooLarge:
        return answer(Problem("too_large"))
    except AWAY as error:
        structlog.get_logger("web").warning("api: something is away", error=type(error).__name__)
        return answer(Problem("away", "send it again with the same Idempotency-Key" if operation.once else None))


async def _answered(operation: Operation, request: Request) -> Response:
    doors: Doors = request.app.state.doors
    caller = await caller_of(request, doors)
    caller.check(operation.who)
    call = Call(request, doors, caller, operation)
    try:
        call.query = operation.query.model_validate(dict(request.query_params))
    except ValidationError as error:
        raise misfit(error, in_body=False) from None
    with noting_opened() as opened:
        found = await operation.handler(call)
    if operation.method == "GET" and (call.seen or of_persons(opened)):
        what = f"{operation.method} {ROOT}{operation.path}"
        seen = [*call.seen, *cases_of(opened)]  # also of what says nothing of it
        await note_access(doors.pool, Access(str(caller.actor()), Means.API, what, seen))
    if isinstance(found, Response):
        return found
    return Response(to_json(found), operation.status, media_type="application/json")


def cursor(*place: Any) -> str:
    """Where a list goes on, as text that means nothing to the caller."""
    return base64.urlsafe_b64encode(to_json(place)).decode().rstrip("=")


def place_of(text: str | None, *kinds: Any) -> tuple[Any, ...] | None:
    """What `cursor` was made of, values of these *kinds*. Raises `Problem` for what is none of ours."""
    if text is None:
        return None
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        adapter: TypeAdapter[tuple[Any, ...]] = TypeAdapter(GenericAlias(tuple, kinds))  # type: ignore[arg-type]
        return adapter.validate_json(content)
    except (binascii.Error, ValueError):
        raise wrong_field("cursor", "give the one of the answer before, as it is") from None
