"""What the workflow of a case or incident knew when its file was last written, for another that goes on from there."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from activities.case.at_once import AtOnce
from domain.case.case import RECENT_ENTRIES, Case
from domain.case.complaint import Complaint
from domain.case.messages.handling import CorrectContact
from domain.case.messages.table import SIGNALS, UPDATES, Receipt
from domain.ground.messages import Message
from domain.ground.people import Actor
from domain.ground.timeline import Entry
from domain.ground.words import Stage
from domain.incidents.messages import IncidentChanged
from domain.keys.personal import Row
from record.packs import pinned_pack

if TYPE_CHECKING:
    from runtime.database import Connection


_KINDS: Final[Mapping[str, type[Message]]] = {
    **{kind.name: kind for kind in (*SIGNALS, *UPDATES)},
    "incident": IncidentChanged,
}


def add(writing: AtOnce, reference: str, state: Mapping[str, Any] | None) -> None:
    """Add what a workflow knows to what is written, unless the file has something newer."""
    if state is not None:
        revision = state.get("revision", 0)
        row = Row("casefile.checkpoints", reference, f"{reference}/{revision}")
        writing.add(_KEEP, reference, revision, row("state", state))


async def await_workflow(connection: "Connection", reference: str) -> None:
    """Let another workflow go on with a case or incident whose own was lost."""
    await connection.execute(_AWAIT, reference)


async def take_up(connection: "Connection", reference: str, run: str) -> bool:
    """Whether the workflow of the first run *run* is to go on where another was lost; one that is awaited begins to."""
    await connection.execute(_TAKE_UP, reference, run)
    return bool(await connection.fetchval(_GOES_ON, reference, run))


async def find_incident(connection: "Connection", reference: str) -> dict[str, Any] | None:
    """What the workflow of an incident knew, without what it was opened with."""
    state: dict[str, Any] | None = await connection.fetchval(_STATE, reference)
    return state


async def find(connection: "Connection", reference: str) -> Case | None:
    """The case as it stood when its file was last written; ``None`` if nothing was written since it was opened.

    Raises ``pydantic.ValidationError`` if this version cannot read what another wrote.
    """
    kept = await connection.fetchrow(_FIND, reference)
    if kept is None:
        return None
    timeline = [Entry(**row) for row in await connection.fetch(_TIMELINE, reference)]
    state = {
        **kept["state"],
        "reference": reference,
        "complaint": Complaint.recorded(kept["complaint"]),
        "policy": await pinned_pack(connection, kept["policy_hash"]),
        "policy_hash": kept["policy_hash"],
        "recent": [entry.model_copy(update={"data": {}}) for entry in timeline[-RECENT_ENTRIES:]],
    }
    case = Case.model_validate(state).taken_up()
    _remember(case, timeline)
    return case


def _remember(case: Case, timeline: Iterable[Entry]) -> None:
    """What was heard and answered stands in the timeline, so that a repeated send counts once."""
    stage = Stage.RECEIVED
    # An address is written before its line is: where only the case knows of it, it may not have been.
    waiting = [entry for entry in case.entries if entry.kind != CorrectContact.name]
    for entry in (*timeline, *waiting):
        if entry.kind == "stage":
            stage = Stage(entry.text)
        message = _message(entry)
        if message is None:
            continue
        case.hear(message)
        if isinstance(message, UPDATES):
            receipt = Receipt(
                message_id=message.message_id, reference=case.reference, stage=stage, noted=entry.text, at=entry.at
            )
            case.answer_with(f"{message.name}:{message.message_id}", receipt)


def _message(entry: Entry) -> Message | None:
    kind = _KINDS.get(entry.kind)
    if kind is None or "message_id" not in entry.data:
        return None
    fields = {name: value for name, value in entry.data.items() if name in kind.model_fields}
    try:
        return kind.model_validate({**fields, "actor": Actor.named(entry.actor)})
    except (ValidationError, ValueError):
        return None


_KEEP: Final = """
    insert into casefile.checkpoints as kept (reference, revision, state) values ($1, $2, $3)
    on conflict (reference) do update set revision = excluded.revision, state = excluded.state
    where kept.revision <= excluded.revision
"""
_AWAIT: Final = """
    insert into casefile.checkpoints (reference, revision, awaits) values ($1, -1, true)
    on conflict (reference) do update set awaits = true
"""
_TAKE_UP: Final = """
    update casefile.checkpoints set awaits = false, run = $2 where reference = $1 and awaits
"""
_GOES_ON: Final = "select exists (select from casefile.checkpoints where (reference, run) = ($1, $2))"
_STATE: Final = "select state from casefile.checkpoints where reference = $1"
_FIND: Final = """
    select state, complaint, policy_hash
    from casefile.checkpoints
    join casefile.cases using (reference)
    where reference = $1 and state is not null
"""
_TIMELINE: Final = """
    select key, at, kind, actor, text, data, journal, token from casefile.timeline
    where reference = $1 order by at, journal, id
"""
