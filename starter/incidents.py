"""Incidents, for services and the command line: open one, decide its list, watch it, and read what is recorded."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.client import WorkflowQueryFailedError as QueryFailed
from temporalio.client import WorkflowUpdateRPCTimeoutOrCancelledError as UpdateTimedOut
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from domain.base import Instant, Record
from domain.case import Entry
from domain.checks.recompute import recompute
from domain.cohort import judge
from domain.findings import Finding
from domain.incident import WORKFLOW, NewIncident
from domain.incident_work import DecideIncident, IncidentReceipt, PauseIncident, Progress, ResumeIncident, RetryMember
from domain.messages import Actor, Message
from domain.money import Money
from domain.reference import INCIDENT, parse_reference
from domain.words import IncidentStage, MemberState
from runtime.settings import Settings, load_settings
from runtime.temporal import TemporalUnavailable, connect
from starter.client import NotAnswered, Refused

if TYPE_CHECKING:
    import asyncpg

    Pool = asyncpg.Pool[asyncpg.Record]

_ANSWER_WITHIN = timedelta(seconds=20)


class IncidentNotFound(LookupError):
    """There is no incident of this reference."""


class Opened(NamedTuple):
    """An incident: its reference, and whether the same fault had been opened before."""

    reference: str
    already_known: bool


class Incidents:
    """Incidents, over one Temporal connection. Safe to share between tasks."""

    def __init__(self, client: Client, *, task_queue: str = "redress") -> None:
        self.client = client
        self._task_queue = task_queue

    @classmethod
    async def connect(cls, settings: Settings | None = None) -> Self:
        """Connect as the environment says (``TEMPORAL_*``, ``REDRESS_*``). Raises ``TemporalUnavailable``."""
        settings = settings or load_settings()
        return cls(await connect(settings), task_queue=settings.task_queue)

    async def open(self, new: NewIncident) -> Opened:
        """Open an incident, or find the one that the same fault has. Raises ``TemporalUnavailable``.

        A fault whose incident was dismissed or has ended can be opened again under another window only.
        """
        try:
            await self.client.start_workflow(
                WORKFLOW,
                new,
                id=new.reference,
                task_queue=self._task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                static_summary=f"Incident: {new.fault.spoken}",
            )
        except WorkflowAlreadyStartedError:
            return Opened(new.reference, already_known=True)
        except RPCError as error:
            raise TemporalUnavailable(f"the incident could not be opened: {error.message}") from None
        return Opened(new.reference, already_known=False)

    async def progress(self, reference: str) -> Progress:
        """How far the incident is, from its workflow."""
        progress: Progress = await self._query(reference, "progress", Progress)
        return progress

    async def failed(self, reference: str) -> list[str]:
        """The accounts that could not be compensated."""
        accounts: list[str] = await self._query(reference, "failed", list[str])
        return accounts

    async def result(self, reference: str) -> Progress:
        """Wait until the incident has ended and return how."""
        progress: Progress = await self._handle(reference, Progress).result()
        return progress

    async def approve(self, reference: str, cohort: str, *, by: Actor, **more: Any) -> IncidentReceipt:
        """Approve the list with the hash *cohort*, as a second person."""
        return await self._update(reference, DecideIncident, by, decision="approve", cohort=cohort, **more)

    async def relist(self, reference: str, reasons: str, *, by: Actor, **more: Any) -> IncidentReceipt:
        """Have the accounts listed anew, on the log as it stands now."""
        return await self._update(reference, DecideIncident, by, decision="relist", reasons=reasons, **more)

    async def dismiss(self, reference: str, reasons: str, *, by: Actor, **more: Any) -> IncidentReceipt:
        """End the incident: there was no fault, or it is handled otherwise."""
        return await self._update(reference, DecideIncident, by, decision="dismiss", reasons=reasons, **more)

    async def pause(self, reference: str, reason: str, *, by: Actor, **more: Any) -> IncidentReceipt:
        """Stop compensating after the accounts in hand."""
        return await self._update(reference, PauseIncident, by, reason=reason, **more)

    async def resume(self, reference: str, *, by: Actor, **more: Any) -> IncidentReceipt:
        """Go on, at another rate if ``per_minute=`` is given."""
        return await self._update(reference, ResumeIncident, by, **more)

    async def retry(self, reference: str, account: str, *, by: Actor, **more: Any) -> IncidentReceipt:
        """Compensate an account that failed once more, or leave it to people with the reason ``leave=``."""
        return await self._update(reference, RetryMember, by, account=account, **more)

    async def send(self, reference: str, message: Message) -> IncidentReceipt:
        """Send any message.

        Raises ``InvalidReference``, :class:`IncidentNotFound`, ``Refused``, ``NotAnswered`` or ``TemporalUnavailable``.
        """
        handle = self._handle(reference)
        try:
            receipt: IncidentReceipt = await handle.execute_update(
                message.name,
                message,
                id=f"{message.name}:{message.message_id}",
                result_type=IncidentReceipt,
                rpc_timeout=_ANSWER_WITHIN,
            )
        except WorkflowUpdateFailedError as error:
            cause = error.cause
            raise Refused(cause.message if isinstance(cause, ApplicationError) else str(cause)) from None
        except UpdateTimedOut:
            raise NotAnswered(f"{reference}: no worker answered within {_ANSWER_WITHIN.seconds} s") from None
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND and await self._has_ended(handle):
                raise Refused(f"{handle.id} has ended and takes no more messages") from None
            raise _explained(error, handle.id) from None
        return receipt

    @staticmethod
    async def _has_ended(handle: "WorkflowHandle[Any, Any]") -> bool:
        try:
            return (await handle.describe()).status is not WorkflowExecutionStatus.RUNNING
        except RPCError:
            return False

    async def _update(
        self, reference: str, kind: type[Message], by: Actor, *, message_id: str | None = None, **fields: Any
    ) -> IncidentReceipt:
        return await self.send(reference, kind(message_id=message_id or str(uuid.uuid4()), actor=by, **fields))

    async def _query(self, reference: str, name: str, result_type: Any) -> Any:
        handle = self._handle(reference)
        try:
            return await handle.query(name, result_type=result_type, rpc_timeout=_ANSWER_WITHIN)
        except QueryFailed as error:
            raise NotAnswered(f"{handle.id}: {error}") from None
        except RPCError as error:
            raise _explained(error, handle.id) from None

    def _handle(self, reference: str, result_type: type | None = None) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(parse_reference(reference, prefix=INCIDENT), result_type=result_type)


def _explained(error: RPCError, reference: str) -> Exception:
    if error.status is RPCStatusCode.NOT_FOUND:
        return IncidentNotFound(f"there is no incident {reference}")
    if error.status in {RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED}:
        return NotAnswered(f"{reference}: no worker answered within {_ANSWER_WITHIN.seconds} s")
    return TemporalUnavailable(f"Temporal: {error.message}")


# -- what is recorded --------------------------------------------------------------------------------------------------


class ListedIncident(Record):
    """An incident in a list; ``progress`` is ``None`` until its workflow first told how far it is."""

    reference: str
    opened_at: Instant
    opened_by: str
    stage: IncidentStage
    new: NewIncident
    progress: Progress | None


class IncidentView(ListedIncident):
    """All about an incident but its list."""

    cases: tuple[str, ...]
    timeline: tuple[Entry, ...]


class CohortRow(Record):
    """An account of the newest list. ``paid`` is what went to it under this incident, by ``ended_at``."""

    account: str
    state: MemberState
    harm: Money | None
    doubtful: bool
    hash: str
    trades: tuple[str, ...]
    findings: tuple[Finding, ...]
    paid: Money | None
    ended_at: Instant | None
    told_at: Instant | None


class Warned(Record):
    """Complaints that together point to an incident. ``incidents`` are those known of that topic and time."""

    topic: str
    warned_at: Instant
    complaints: tuple[str, ...]


async def list_incidents(pool: "Pool", *, stage: IncidentStage | None = None, limit: int = 50) -> list[ListedIncident]:
    """Incidents, the last opened first."""
    rows = await pool.fetch(
        "select * from casefile.incidents where $1::text is null or stage = $1 order by opened_at desc, reference"
        " limit $2",
        stage and stage.value,
        limit,
    )
    return [ListedIncident(**_listed(row)) for row in rows]


async def get_incident(pool: "Pool", reference: str) -> IncidentView:
    """One incident. Raises :class:`IncidentNotFound`."""
    row = await pool.fetchrow("select * from casefile.incidents where reference = $1", reference)
    if row is None:
        raise IncidentNotFound(f"there is no incident {reference}")
    cases = await pool.fetch(
        "select reference from casefile.incident_cases where incident = $1 order by at, reference", reference
    )
    entries = await pool.fetch(
        "select key, at, kind, actor, text, data from casefile.incident_timeline"
        " where reference = $1 order by at, split_part(key, ':', 2)::integer, id",
        reference,
    )
    return IncidentView(
        **_listed(row),
        cases=tuple(each["reference"] for each in cases),
        timeline=tuple(Entry(**dict(each)) for each in entries),
    )


async def get_cohort(
    pool: "Pool", reference: str, *, state: MemberState | None = None, limit: int = 10_000
) -> list[CohortRow]:
    """The accounts of the incident's newest complete list, by number. Raises :class:`IncidentNotFound`."""
    if not await pool.fetchval("select exists (select from casefile.incidents where reference = $1)", reference):
        raise IncidentNotFound(f"there is no incident {reference}")
    rows = await pool.fetch(_COHORT, reference, state and state.value, limit)
    return [
        CohortRow(
            account=row["account"],
            state=row["state"],
            harm=_money(row["amount"], row["currency"]),
            doubtful=row["doubtful"],
            hash=row["hash"],
            trades=tuple(row["trades"]),
            findings=tuple(Finding.model_validate(each) for each in row["findings"]),
            paid=_money(row["paid"], row["paid_in"]),
            ended_at=row["ended_at"],
            told_at=row["told_at"],
        )
        for row in rows
    ]


class Changed(Record):
    """Something of a list that is not the same when it is computed again."""

    account: str
    field: str
    stored: str
    computed: str


def recomputed(rows: "Sequence[CohortRow]") -> list[Changed]:
    """Every account of a list made again from its own evidence; nothing when all is the same."""
    changed: list[Changed] = []
    for row in rows:
        changed += [
            Changed(account=row.account, field=f"{one.subject}: {one.field}", stored=one.stored, computed=one.computed)
            for one in recompute(row.findings)
        ]
        again = judge(row.account, row.trades, row.findings)
        if (again.harm, again.state) != (row.harm, row.state):
            changed.append(Changed(account=row.account, field="harm", stored=str(row.harm), computed=str(again.harm)))
        if again.hash != row.hash:
            changed.append(Changed(account=row.account, field="hash", stored=row.hash, computed=again.hash))
    return changed


async def get_warnings(pool: "Pool", since: datetime) -> list[Warned]:
    """The early warnings given *since*, the last first."""
    rows = await pool.fetch(
        "select topic, warned_at, complaints from casefile.incident_warnings where warned_at >= $1"
        " order by warned_at desc, id desc",
        since,
    )
    return [Warned(topic=row["topic"], warned_at=row["warned_at"], complaints=tuple(row["complaints"])) for row in rows]


def _listed(row: "asyncpg.Record") -> dict[str, Any]:
    return {
        "reference": row["reference"],
        "opened_at": row["opened_at"],
        "opened_by": row["opened_by"],
        "stage": row["stage"],
        "new": NewIncident.model_validate(row["opened"]),
        "progress": Progress.model_validate(row["progress"]) if row["progress"] else None,
    }


def _money(amount: Any, currency: str | None) -> Money | None:
    return None if amount is None or currency is None else Money(amount=amount, currency=currency)


_COHORT = """
    select members.*, results.at as ended_at, postings.amount as paid, postings.currency as paid_in,
        (
            select min(at) from casefile.incident_letter_attempts
            where key = members.reference || ':letter:' || members.account and outcome = 'accepted'
        ) as told_at
    from casefile.cohort_members as members
    left join casefile.incident_results as results
        on results.reference = members.reference and results.account = members.account
    left join casefile.postings on postings.key = results.posting_key
    where members.reference = $1 and ($2::text is null or members.state = $2)
        and members.number = (select max(number) from casefile.cohorts where cohorts.reference = $1)
    order by members.account collate "C"
    limit $3
"""
