"""A house for a complaint: a time-skipping Temporal server, a real PostgreSQL, letters in an outbox folder."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import date, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final, cast

import asyncpg
import pytest
from temporalio import activity
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, PendingActivityState
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Interceptor, Worker

from domain.case.answers import Closed
from domain.case.complaint import Complaint
from domain.ground.people import Actor
from domain.ground.words import WORKFLOW, LetterKind, Role, Stage
from domain.rules.policy import PolicyPack
from runtime.mail import MailFailed, Outbox
from runtime.payment_rail import PaymentRail
from runtime.policies import load_packs
from runtime.settings import load_settings
from starter.client.complaints import Complaints
from tests.around import Around, Carry, skipped_time
from tests.on_file import put_on_file
from tests.outbox import letters_in
from tests.patience import PATIENCE, eventually
from worker import build_worker

CUSTOMER = Actor(id="customer", role=Role.CUSTOMER)
HANDLER = Actor(id="h-17", role=Role.HANDLER)
APPROVER = Actor(id="a-3", role=Role.APPROVER)
ACCOUNT = "70012345"


_EFFECT: Final = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
_EFFECTS_DONE: Final = (
    EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
    EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED,
    EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT,
    EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED,
)
_TASK: Final = EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED
_TASK_DONE: Final = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED


class SometimesClosed(Outbox):
    """An outbox that can be shut, as a mail server can be down."""

    closed = False

    async def deliver(self, key: str, message: EmailMessage, *more: Any) -> None:
        if self.closed:
            raise MailFailed("the mail server is down")
        await super().deliver(key, message, *more)


class SometimesAway:
    """A connection pool whose database can go away."""

    away = False

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    def __getattr__(self, name: str) -> Any:
        if self.away:
            raise asyncpg.CannotConnectNowError("the database system is starting up")
        return getattr(self._pool, name)


class House:
    """Everything a test needs to bring a complaint to its end."""

    def __init__(
        self,
        env: WorkflowEnvironment,
        pool: "asyncpg.Pool[asyncpg.Record]",
        folder: Path,
        rail: PaymentRail | None = None,
    ) -> None:
        """*rail* pays what is awarded; without one the ledger alone is kept."""
        self.env = env
        self.rail = rail
        self.client: Client = env.client
        self.pool = pool
        self.task_queue = f"redress-{uuid.uuid4()}"
        self.complaints = Complaints(self.client, task_queue=self.task_queue)
        self.outbox = SometimesClosed(folder)
        self._folder = folder
        self.submitted: list[str] = []
        self.packs: dict[str, Sequence[PolicyPack]] = dict(load_packs())
        self.lost_answers: list[timedelta] = []
        """How long the answers of the next letters are lost for, although the letters were accepted."""
        self.database = SometimesAway(pool)
        self.effects: dict[str, Callable[[Any, Carry], Awaitable[Any]]] = {"SendLetter": self._send_letter}
        """What runs in place of an effect."""
        self._at_rest: dict[str, int] = {}
        """How long each case's history was when it was seen at rest."""
        self._restless: set[str] = set()
        """Cases in which something waits, or is tried again: they are not waited for as long a second time."""
        self.interceptors: list[Interceptor] = []
        """What stands between the worker and what it runs."""

    def worker(self, **options: Any) -> Worker:
        """A worker with the real activities; instants are those of the skipped time."""
        return build_worker(
            self.client,
            cast("asyncpg.Pool[asyncpg.Record]", self.database),
            load_settings(outbox_dir=self._folder, task_queue=self.task_queue),
            [*self.interceptors, Around(self.effects)],
            clock=skipped_time,
            packs=self.packs,
            rail=self.rail,
            outbox=self.outbox,
            **options,
        )

    async def _send_letter(self, _letter: Any, send: Carry) -> Any:
        accepted = await send()
        if self.lost_answers:
            raise ApplicationError("the answer was lost", next_retry_delay=self.lost_answers.pop())
        return accepted

    @asynccontextmanager
    async def holding(self, effect: str) -> AsyncIterator[None]:
        """No *effect* is carried out meanwhile, and none is tried within a workflow's task."""
        free = asyncio.Event()

        async def wait(_request: Any, carry: Carry) -> Any:
            if activity.info().is_local:
                raise ApplicationError("not now")
            await free.wait()
            return await carry()

        self.effects[effect] = wait
        try:
            yield
        finally:
            free.set()
            del self.effects[effect]

    @property
    def today(self) -> date:
        """A day on which the shipped packs are in force."""
        return date(2026, 3, 2)

    async def submit(self, **changes: Any) -> str:
        """Submit a complaint about a late withdrawal, with *changes*; return its reference.

        The complainant holds the account, unless another is on file for it.
        """
        now = await self.env.get_current_time()
        given: dict[str, Any] = {
            "source": "test",
            "idempotency_key": str(uuid.uuid4()),
            "received_at": now,
            "channel": "web",
            "language": "en",
            "complainant": {"name": "The Customer", "email": "customer@example.com"},
            "account": ACCOUNT,
            "description": "My withdrawal was paid far too late.",
            "trades": ["w-1"],
        }
        complaint = Complaint.model_validate({**given, **changes})
        await put_on_file(self.pool, complaint)
        # Not through the typed client: it refuses what is in the future of the real clock.
        await self.client.start_workflow(WORKFLOW, complaint, id=complaint.reference, task_queue=self.task_queue)
        self.submitted.append(complaint.reference)
        return complaint.reference

    async def late_withdrawal(
        self, amount: str = "12000", *, days_late: int = 7, entry: str = "w-1", account: str = ACCOUNT
    ) -> None:
        """A withdrawal of *amount* USD paid *days_late* days after the promised 48 hours."""
        now = await self.env.get_current_time()
        booked = now - timedelta(days=1)
        await self.pool.execute(
            "INSERT INTO tradelog.account_entries (entry, account, kind, amount, currency, requested_at, booked_at)"
            " VALUES ($1, $2, 'withdrawal', -$3::text::numeric, 'USD', $4, $5)",
            entry,
            account,
            amount,
            booked - timedelta(days=days_late + 2),
            booked,
        )

    async def at(self, reference: str, stage: Stage) -> asyncpg.Record:
        """Wait (in real time) until case file and workflow are at *stage*; return the case's row."""
        case = await self.row(reference, lambda case: bool(case["stage"] == stage.value))

        async def workflow_is_there() -> bool:
            # The case file is written first: for a moment the workflow does not know yet.
            return (await self.complaints.status(reference)).summary.stage is stage

        await eventually(workflow_is_there, self._how_far)
        await self.at_rest(reference)
        return case

    async def at_rest(self, reference: str) -> None:
        """Wait (in real time) until nothing more happens in a case by itself before time goes on, or for two seconds.

        What is held, or waits to be tried again, is not waited for.
        """
        for _ in range(8 if reference in self._restless else 80):
            if await self._is_at_rest(reference):
                self._restless.discard(reference)
                return
            await asyncio.sleep(0.025)
        self._restless.add(reference)

    async def _is_at_rest(self, reference: str) -> bool:
        asked = DescribeWorkflowExecutionRequest(
            namespace=self.client.namespace, execution=WorkflowExecution(workflow_id=reference)
        )
        told = await self.client.workflow_service.describe_workflow_execution(asked)
        for one in told.pending_activities:
            again = one.attempt > 1 and one.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
            if not again and self.effects.get(one.activity_type.name, self._send_letter) == self._send_letter:
                return False
        length = told.workflow_execution_info.history_length
        if self._at_rest.get(reference) != length:
            history = await self.client.get_workflow_handle(reference).fetch_history()
            last = history.events[-1].event_type
            if last in _TASK_WAITS:
                return False
            self._at_rest[reference] = length
        return True

    async def sleep(self, duration: timedelta) -> None:
        """Let time pass, once what can happen now has happened."""
        await self._all_at_rest()
        await self.env.sleep(duration)

    async def fetch(self, query: str, *values: Any) -> list[asyncpg.Record]:
        """Rows of the record, once what can happen now has happened."""
        await self._all_at_rest()
        return await self.pool.fetch(query, *values)

    async def fetchrow(self, query: str, *values: Any) -> asyncpg.Record | None:
        """As :meth:`fetch`, the first row."""
        await self._all_at_rest()
        return await self.pool.fetchrow(query, *values)

    async def fetchval(self, query: str, *values: Any) -> Any:
        """As :meth:`fetch`, the first value of the first row."""
        await self._all_at_rest()
        return await self.pool.fetchval(query, *values)

    async def _all_at_rest(self) -> None:
        for reference in self.submitted:
            await self.at_rest(reference)

    async def settled(self, reference: str) -> None:
        """Wait (in real time) until nothing is under way: the workflow has heard of all that was done for it."""

        async def nothing_under_way() -> bool:
            events = (await self.client.get_workflow_handle(reference).fetch_history()).events
            kinds = [event.event_type for event in events]
            tasks = [kind for kind in kinds if kind in {_TASK, _TASK_DONE}]
            return tasks[-1] == _TASK_DONE and sum(map(kinds.count, _EFFECTS_DONE)) == kinds.count(_EFFECT)

        await self.eventually(nothing_under_way)

    async def drafted(self, reference: str) -> None:
        """Wait (in real time) until the case has a draft for people to propose."""
        await self.at(reference, Stage.DECIDING)

        async def has_a_draft() -> bool:
            return (await self.complaints.status(reference)).draft is not None

        await self.eventually(has_a_draft)

    async def responded(self, reference: str) -> None:
        """Wait (in real time) until the customer has the final response."""
        await self.row(reference, lambda case: bool(case["stage"] == Stage.RESPONDED))
        await eventually(lambda: self._has_response(reference), self._how_far)
        await self.at_rest(reference)

    async def _has_response(self, reference: str) -> bool:
        case = await self.pool.fetchrow("SELECT * FROM casefile.cases WHERE reference = $1", reference)
        finals = await self.pool.fetchval(
            "SELECT count(*) FROM casefile.letters WHERE reference = $1 AND kind = 'final_response'", reference
        )
        accepted = (await self._accepted(reference)).count("final_response")
        return case is not None and accepted == finals > 0

    async def sent(self, reference: str, kind: LetterKind) -> None:
        """Wait (in real time) until a channel has accepted a letter of *kind*."""

        async def accepted() -> bool:
            return kind.value in await self._accepted(reference)

        await self.eventually(accepted)

    async def row(self, reference: str, condition: Callable[[asyncpg.Record], bool]) -> asyncpg.Record:
        """Wait (in real time) until the case's row meets *condition*."""
        case: asyncpg.Record | None = None

        async def there() -> bool:
            nonlocal case
            case = await self.pool.fetchrow("SELECT * FROM casefile.cases WHERE reference = $1", reference)
            return case is not None and condition(case)

        async def how_far() -> str:
            told = await self._lines(reference)
            return f"the case is at {dict(case) if case else None}\n" + "\n".join(told)

        await eventually(there, how_far)
        await self.at_rest(reference)
        return cast(asyncpg.Record, case)

    async def eventually(self, check: Callable[[], Awaitable[Any]]) -> Any:
        """Wait (in real time) until *check* returns something true, and nothing more happens by itself; return it."""
        result = await eventually(check, self._how_far)
        await self._all_at_rest()
        return result

    async def _how_far(self) -> str:
        return "\n".join([line for one in self.submitted for line in (one, *await self._lines(one))])

    async def closed(self, reference: str) -> Closed:
        """Let time pass until the case is closed, at most 240 days; return how it ended."""
        for _ in range(12):
            # The test server's clock must not run ahead of the worker.
            await self.at_rest(reference)
            if await self.pool.fetchval("SELECT closed_at FROM casefile.cases WHERE reference = $1", reference):
                async with asyncio.timeout(PATIENCE):
                    return await self.complaints.result(reference)
            await self.env.sleep(timedelta(days=20))
        pytest.fail("the case never ended\n" + "\n".join(await self._lines(reference)))

    async def timeline(self, reference: str, kind: str | None = None) -> list[str]:
        """The lines of a case's timeline, once what can happen now has happened."""
        await self.at_rest(reference)
        return await self._lines(reference, kind)

    async def _lines(self, reference: str, kind: str | None = None) -> list[str]:
        rows = await self.pool.fetch(
            "SELECT kind, text FROM casefile.timeline WHERE reference = $1 AND ($2::text IS NULL OR kind = $2)"
            " ORDER BY at, journal, id",
            reference,
            kind,
        )
        return [f"{row['kind']}: {row['text']}" for row in rows]

    async def accepted_letters(self, reference: str) -> list[str]:
        """What channels have accepted of a case, once what can happen now has happened."""
        await self.at_rest(reference)
        return await self._accepted(reference)

    async def _accepted(self, reference: str) -> list[str]:
        rows = await self.pool.fetch(
            "SELECT kind FROM casefile.letters JOIN casefile.letter_attempts USING (key)"
            " WHERE reference = $1 AND outcome = 'accepted' AND kind <> 'staff_notice' ORDER BY at, number",
            reference,
        )
        return [row["kind"] for row in rows]

    def mail(self) -> list[EmailMessage]:
        """The letters in the outbox."""
        return letters_in(self._folder)

    async def events(self, reference: str, kind: "EventType.ValueType | None" = None) -> int:
        """How many events the history of a case has, of that *kind* if one is named."""
        events = (await self.client.get_workflow_handle(reference).fetch_history()).events
        return sum(kind is None or event.event_type == kind for event in events)


_TASK_WAITS: Final = {EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED}
