"""Incidents: faults that touched many accounts. Services look at them, people open and decide them."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

from pydantic import Field
from starlette.responses import Response

from domain.ground.base import Record
from domain.ground.messages import Message
from domain.ground.reference import INCIDENT, parse_reference
from domain.ground.words import IncidentStage, MemberState
from domain.incidents.incident import NewIncident
from domain.incidents.messages import INCIDENT_UPDATES, IncidentReceipt
from starter.client.incidents import Incidents
from starter.reading.incidents import (
    CohortRow,
    IncidentView,
    ListedIncident,
    get_cohort,
    get_incident,
    list_incidents,
)
from starter.upkeep.api_keys import Scope
from web.api.frame import API, ROOT, Call, Operation
from web.api.messages import FILLED, As
from web.permissions import staff


class IncidentQuery(Record):
    """Which incidents; the last opened first."""

    stage: IncidentStage | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class CohortQuery(Record):
    """Which accounts of the newest list, by number."""

    state: MemberState | None = None
    limit: Annotated[int, Field(ge=1, le=10_000)] = 1000


class OpenedIncident(Record):
    """An incident, and whether the same fault had been opened before."""

    reference: str
    already_known: bool


_OPENED_BY: Final = "opened_by"


def _reference(call: Call) -> str:
    """The incident in the address. Raises `InvalidReference`."""
    known = parse_reference(call.request.path_params["reference"], prefix=INCIDENT)
    call.seen.append(known)
    return known


@API.get("/incidents", Scope.INCIDENTS, query=IncidentQuery, answer=tuple[ListedIncident, ...])
async def list_all(call: Call) -> list[ListedIncident]:
    """List incidents, the last opened first."""
    asked: IncidentQuery = call.query
    return await list_incidents(call.pool, stage=asked.stage, limit=asked.limit)


@API.get("/incidents/{reference}", Scope.INCIDENTS, answer=IncidentView)
async def show_incident(call: Call) -> IncidentView:
    """All about an incident but its list of accounts."""
    found = await get_incident(call.pool, _reference(call))
    source = call.caller.source
    if source is None:
        return found
    # Whose complaints the others are is nothing to this service.
    rows = await call.doors.pool.fetch(_OWN, list(found.cases), source)
    return found.model_copy(update={"cases": tuple(row["reference"] for row in rows)})


_OWN: Final = "select reference from casefile.cases where reference = any($1) and source = $2 order by reference"


@API.get(
    "/incidents/{reference}/accounts",
    Scope.INCIDENTS,
    Scope.EVERY_SOURCE,
    query=CohortQuery,
    answer=tuple[CohortRow, ...],
)
async def accounts(call: Call) -> list[CohortRow]:
    """The accounts of the newest list: what each lost, and what became of it."""
    asked: CohortQuery = call.query
    return await get_cohort(call.pool, _reference(call), state=asked.state, limit=asked.limit)


async def _open(call: Call) -> OpenedIncident | Response:
    asked: As = call.query
    new: NewIncident = await call.body({_OPENED_BY: call.caller.actor(asked.role)})
    opened = await (await _incidents(call)).open(new)
    return Response(
        OpenedIncident(**opened._asdict()).model_dump_json(),
        201,
        headers={"location": f"{ROOT}/incidents/{opened.reference}"},
        media_type="application/json",
    )


async def _incidents(call: Call) -> Incidents:
    doors = call.doors
    return Incidents(
        await doors.temporal(), task_queue=doors.settings.task_queue, token_for=doors.token_for(call.caller.person)
    )


def _saying(kind: type[Message]) -> Callable[[Call], Awaitable[Any]]:
    async def say(call: Call) -> IncidentReceipt:
        known, asked = _reference(call), call.query
        await get_incident(call.pool, known)
        message: Message = await call.body({"message_id": call.message_id, "actor": call.caller.actor(asked.role)})
        return await (await _incidents(call)).send(known, message)

    return say


API.add(
    Operation(
        "POST",
        "/incidents",
        _open,
        staff(),
        query=As,
        body=NewIncident,
        filled=(_OPENED_BY,),
        answer=OpenedIncident,
        status=201,
        summary="Open an incident, or find the one that the same fault has.",
        name="open_incident",
    )
)
for _kind in INCIDENT_UPDATES:
    API.add(
        Operation(
            "POST",
            f"/incidents/{{reference}}/messages/{_kind.name}",
            _saying(_kind),
            staff(),
            query=As,
            body=_kind,
            filled=FILLED,
            answer=IncidentReceipt,
            summary=(_kind.__doc__ or _kind.name).strip().split("\n")[0],
            name=_kind.name,
            once=True,
        )
    )
