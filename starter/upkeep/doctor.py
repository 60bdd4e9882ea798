"""What is wrong with the installation now, all of it on one page, and what to do about each thing.

Either server may be away: what the other tells is told all the same. Lists are compared in batches; single workflows
are asked only where something points to them, and not more than a few dozen.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import asyncpg
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from domain.ground.bilingual import Bilingual
from domain.ground.words import WORKFLOW
from domain.incidents import incident
from domain.learning.articles import ArticleState
from domain.learning.process import ProcessReviewState
from domain.people.directory_check import unheld
from domain.rules.policy_check import EXPIRES_SOON
from record.proofs import hold_proofs
from runtime.connection import TemporalUnavailable
from runtime.database import open_pool
from runtime.identity.verifying import Verifier
from runtime.keys.here import hold_keys
from runtime.letters.samples import missing_letters
from runtime.mail_tokens import MailTokens, NoMailToken
from runtime.policies import calendars_in_use, load_packs
from runtime.postgres import DatabaseUnavailable, find_database
from runtime.settings import Settings
from runtime.temporal import connect
from runtime.watch.failing import KEEPS_FAILING
from runtime.watch.readings import FAILING
from starter.client.articles import Articles, states_of
from starter.client.directory import People, packs_in_force
from starter.client.process import ProcessReviews
from starter.reading.ledger import check_ledger
from starter.upkeep.diagnosis import Diagnosis, Kind, Trouble
from starter.upkeep.guards import missing_guards
from starter.upkeep.questions import BATCH, QUESTIONS, ask

if TYPE_CHECKING:
    from runtime.database import Pool

SHOWN: Final = 20
"""How many of a kind are named; the others are counted."""
ASKED: Final = 40
"""How many single workflows are asked at most."""
SETTLED: Final = timedelta(minutes=2)
"""What is younger may be on its way: a list of workflows lags behind a little."""
POLLED_LATELY: Final = timedelta(minutes=2)
"""An idle worker asks again within a minute."""
_PATIENCE: Final = timedelta(seconds=10)
_LONGEST: Final = timedelta(minutes=2)
"""After as long a check is given up."""
_LONG: Final = timedelta(seconds=1)
_RESTS: Final = timedelta(minutes=10)
"""What took long is not looked at again before, unless somebody waits for it."""
_FRESH: Final = timedelta(seconds=30)
_OF_RECORD: Final = frozenset(
    {*QUESTIONS, "guards", "directory", "answers", "process", "ledger", "cases and workflows", "activities"}
)
_OF_TEMPORAL: Final = frozenset({"workers", "failing workflows", "cases and workflows", "activities"})
CHECKS: Final = frozenset({"mail login", "rules"}) | _OF_RECORD | _OF_TEMPORAL

Check = Callable[[], Awaitable[list[Trouble]]]


async def diagnose(settings: Settings, viewer: str | None = None) -> Diagnosis:
    """Look at everything that can be reached, as the person *viewer* may see it: cases hidden from them count nowhere.

    Nobody named sees all.
    """
    found = await Doctor(settings).look()
    if viewer is None or any(one.kind is Kind.POSTGRESQL for one in found.troubles):
        return found.page()
    pool = await open_pool(find_database(settings), max_size=1, viewer=viewer)
    try:
        return found.page(await hidden_from(pool))
    finally:
        pool.terminate()


async def hidden_from(pool: "Pool") -> set[str]:
    """The cases that are hidden from who looks through *pool*."""
    return {row[0] for row in await pool.fetch(_HIDDEN)}


@dataclass(frozen=True)
class Seen:
    """What a check saw: when it began, for how long it looked, and what is wrong; or why it saw nothing."""

    at: datetime
    took: timedelta
    troubles: Sequence[Trouble] = ()
    failed: str = ""


class Look(NamedTuple):
    """What is known *at* a moment, by the name of each check; ``late`` are those that have not seen how it is now."""

    at: datetime
    seen: Mapping[str, Seen]
    late: Mapping[str, datetime | None]

    @property
    def troubles(self) -> list[Trouble]:
        """All that is wrong."""
        return [trouble for one in self.seen.values() for trouble in one.troubles]

    def page(self, hidden: Collection[str] = ()) -> Diagnosis:
        """For somebody from whom these cases are *hidden*: of a fault in the ledger they learn that there is one."""
        told = [_hidden(one) if one.subject in hidden else one for one in self.troubles]
        unchecked = [f"{name}: {one.failed}" for name, one in self.seen.items() if one.failed]
        return _page([one for one in told if one], unchecked, self.at, self.late)


def _hidden(trouble: Trouble) -> Trouble | None:
    what = "a case that is hidden from you has a fault"
    return Trouble(kind=trouble.kind, subject="hidden", what=what) if trouble.kind is Kind.LEDGER_FAULT else None


class Doctor:
    """Looks at one installation again and again. Each check is run once at a time, whoever asks.

    What takes long goes on while others are told what is known, and is not begun anew for a while.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._seen: dict[str, Seen] = {}
        self._round: asyncio.Task[None] | None = None

    async def look(self, patience: timedelta | None = None) -> Look:
        """Look at everything that can be reached; after *patience* what was seen by then, and what was seen before.

        Without *patience* it waits for all.
        """
        asked = datetime.now(UTC)
        if self._round is None or self._round.done():
            self._round = asyncio.create_task(self._go_round(wait=patience is None), name="doctor")
        done, _ = await asyncio.wait([self._round], timeout=patience.total_seconds() if patience else None)
        for one in done:
            one.result()
        fresh = asked - _FRESH
        late: dict[str, datetime | None] = {name: None for name in sorted(CHECKS - self._seen.keys()) if not done}
        late |= {name: one.at for name, one in self._seen.items() if one.at < fresh}
        return Look(datetime.now(UTC), dict(self._seen), late)

    async def _go_round(self, *, wait: bool) -> None:
        """Run each check; where nobody *waits* for all, what took long lately is left for later."""
        settings, now = self._settings, datetime.now(UTC)
        hold_keys(settings)
        hold_proofs(Verifier.here(settings))
        connecting = asyncio.create_task(connect(settings))  # which may take seconds, where it is away
        pool: Pool | None = None
        try:
            pool = await open_pool(find_database(settings), max_size=2, patience=_LONGEST.total_seconds())
            self._seen.pop("PostgreSQL", None)
        except DatabaseUnavailable as error:
            self._away("PostgreSQL", Trouble(kind=Kind.POSTGRESQL, subject="PostgreSQL", what=str(error)), _OF_RECORD)
        try:
            await self._run(_of_record(settings, pool, now), now, wait=wait)
            try:
                client = await connecting
            except TemporalUnavailable as error:
                self._away("Temporal", Trouble(kind=Kind.TEMPORAL, subject="Temporal", what=str(error)), _OF_TEMPORAL)
            else:
                self._seen.pop("Temporal", None)
                await self._run(_of_temporal(settings, client, pool, now, self._found), now, wait=wait)
        finally:
            connecting.cancel()
            if pool:
                pool.terminate()

    def _away(self, name: str, trouble: Trouble, checks: Collection[str]) -> None:
        """Nothing is known of *checks*, but why."""
        self._seen = {each: one for each, one in self._seen.items() if each not in checks}
        self._seen[name] = Seen(datetime.now(UTC), timedelta(), [trouble])

    async def _run(self, checks: Mapping[str, Check], now: datetime, *, wait: bool) -> None:
        for name, check in checks.items():
            if wait or not self._is_long(name, now):
                self._seen[name] = await _seen(check)

    def _found(self) -> list[Trouble]:
        return [trouble for one in self._seen.values() for trouble in one.troubles]

    def _is_long(self, name: str, now: datetime) -> bool:
        known = self._seen.get(name)
        return known is not None and known.took > _LONG and known.at > now - _RESTS


async def _seen(check: Check) -> Seen:
    began = datetime.now(UTC)
    try:
        async with asyncio.timeout(_LONGEST.total_seconds()):
            troubles = await check()
    except (
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
        RPCError,
        OSError,
        TimeoutError,
    ) as error:
        return Seen(began, datetime.now(UTC) - began, failed=type(error).__name__)
    return Seen(began, datetime.now(UTC) - began, troubles)


def _of_record(settings: Settings, pool: "Pool | None", now: datetime) -> Mapping[str, Check]:
    """What can be looked at without Temporal, those first that are quick however many cases there are."""
    alone: dict[str, Check] = {
        "mail login": lambda: _mail_login(settings),
        "rules": lambda: asyncio.to_thread(lambda: list(_rules(now, settings.firm))),
    }
    if pool is None:
        return alone
    checks: dict[str, Check] = {name: partial(ask, pool, question, now) for name, question in QUESTIONS.items()}
    checks["guards"] = lambda: missing_guards(pool)
    checks["directory"] = lambda: _directory(pool, now)
    checks["answers"] = lambda: out_of_date(pool, now)
    checks["process"] = lambda: process_overdue(pool, now)
    checks["ledger"] = lambda: _ledger(pool)
    long = ("letters", "ledger")
    return (
        {name: check for name, check in checks.items() if name not in long}
        | alone
        | {name: checks[name] for name in long}
    )


def _of_temporal(
    settings: Settings, client: Client, pool: "Pool | None", now: datetime, found: Callable[[], list[Trouble]]
) -> Mapping[str, Check]:
    """What Temporal is asked; *found* tells what the other checks have found by then."""
    checks: dict[str, Check] = {
        "workers": lambda: _workers(client, settings.task_queue),
        "failing workflows": lambda: _failing(client, settings.task_queue),
    }
    if pool:
        checks["cases and workflows"] = lambda: _compare(client, pool, settings.task_queue, now)
        checks["activities"] = lambda: _activities(client, pool, now, found())
    return checks


def _page(
    found: Iterable[Trouble], unchecked: Sequence[str], now: datetime, late: Mapping[str, datetime | None]
) -> Diagnosis:
    shown: list[Trouble] = []
    more: dict[Kind, int] = {}
    named: dict[Kind, int] = {}
    rank = {kind: place for place, kind in enumerate(Kind)}
    for trouble in sorted(found, key=lambda one: (rank[one.kind], one.since or now, one.subject)):
        named[trouble.kind] = named.get(trouble.kind, 0) + 1
        if named[trouble.kind] <= SHOWN:
            shown.append(trouble)
        else:
            more[trouble.kind] = named[trouble.kind] - SHOWN
    return Diagnosis(at=now, troubles=tuple(shown), more=more, unchecked=tuple(unchecked), late=dict(late))


def _rules(now: datetime, firm: Bilingual) -> Iterable[Trouble]:
    for name, calendar in sorted(calendars_in_use().items()):
        until = calendar.verified_until
        if until is not None and until <= (now + EXPIRES_SOON).date():
            left = f"its holidays are known until {until}"
            yield Trouble(kind=Kind.CALENDAR_RUNS_OUT, subject=name, what=left)
    today = now.date()
    for name, versions in sorted(load_packs().items()):
        if not any(pack.in_force((now + EXPIRES_SOON).date()) for pack in versions):
            of = "will be" if any(pack.in_force(today) for pack in versions) else "is"
            yield Trouble(kind=Kind.PACK_RUNS_OUT, subject=name, what=f"no version of it {of} in force")
        for pack in versions:
            if pack.in_force(today) and not pack.demands:  # of those with demands no case is opened
                for lacks in missing_letters(pack, firm=firm, at=now):
                    yield Trouble(kind=Kind.LETTER_INCOMPLETE, subject=name, what=lacks)


async def _mail_login(settings: Settings) -> list[Trouble]:
    """Whether the mail provider still gives tokens to this installation."""
    if not settings.mail_token_url:
        return []
    try:
        await MailTokens(settings).token()
    except NoMailToken as error:
        return [Trouble(kind=Kind.MAIL_LOGIN, subject="mail", what=str(error))]
    return []


async def _directory(pool: "Pool", now: datetime) -> list[Trouble]:
    directory = await People(pool).directory()
    if not directory.people:
        return [Trouble(kind=Kind.ROLE_UNHELD, subject="directory", what="it is empty: nobody holds any role")]
    day = now.date()
    found = [
        Trouble(kind=Kind.ROLE_UNHELD, subject=problem.field, what=problem.message)
        for problem in unheld(directory, packs_in_force(now), day)
    ]
    found += [
        Trouble(kind=Kind.TRAINING_LAPSED, subject=one.id, what=f"{course.course} counted until {course.last}")
        for one in directory.people
        for course in one.lapsed(day)
    ]
    return found


async def out_of_date(pool: "Pool", now: datetime) -> list[Trouble]:
    """Answers that customers no longer see because their day is over or a rule has changed."""
    gone = {ArticleState.EXPIRED, ArticleState.RULE_CHANGED}
    return [
        Trouble(
            kind=Kind.ARTICLE_OUT_OF_DATE,
            subject=one.article,
            what=f"{state.value.replace('_', ' ')}; {one.written.owner} keeps it right",
        )
        for one in await Articles(pool).all()
        if (state := next(iter(states_of(one, now).values()))) in gone
    ]


async def process_overdue(pool: "Pool", now: datetime) -> list[Trouble]:
    """Reviews of the complaints process that nobody did in time."""
    return [
        Trouble(kind=Kind.PROCESS_REVIEW_OVERDUE, subject=one.period, what=f"due since {one.due:%Y-%m-%d}")
        for one in await ProcessReviews(pool).all()
        if one.state(now) is ProcessReviewState.OVERDUE
    ]


async def _workers(client: Client, task_queue: str) -> list[Trouble]:
    kinds = {
        TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW: "workflow",
        TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY: "activity",
    }
    found = []
    for kind, name in kinds.items():
        queue = await client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=client.namespace, task_queue=TaskQueue(name=task_queue), task_queue_type=kind
            ),
            timeout=_PATIENCE,
        )
        since = datetime.now(UTC) - POLLED_LATELY
        if not any(poller.last_access_time.ToDatetime(UTC) > since for poller in queue.pollers):
            found.append(
                Trouble(kind=Kind.NO_WORKER, subject=task_queue, what=f"no worker asks for {name} tasks of this queue")
            )
    return found


async def _failing(client: Client, task_queue: str) -> list[Trouble]:
    return [
        Trouble(
            kind=Kind.WORKFLOW_FAILING,
            subject=one.id,
            what=f"{one.workflow_type}: its tasks keep failing, so it does not go on",
            since=one.start_time,
        )
        async for one in client.list_workflows(f"{FAILING} AND {_of(task_queue)}", limit=BATCH, rpc_timeout=_PATIENCE)
    ]


async def _running(client: Client, task_queue: str) -> dict[str, datetime]:
    """The ids of all cases and incidents that run, and when their run began."""
    ours = f"WorkflowType IN ('{WORKFLOW}', '{incident.WORKFLOW}') AND {_of(task_queue)}"
    query = f"ExecutionStatus = 'Running' AND {ours}"
    workflows = client.list_workflows(query, page_size=BATCH, rpc_timeout=_PATIENCE)
    return {one.id: one.start_time async for one in workflows}


def _of(task_queue: str) -> str:
    return "TaskQueue = '{}'".format(task_queue.replace("'", "''"))


async def _describe(client: Client, workflow: str) -> WorkflowExecutionDescription | None:
    try:
        return await client.get_workflow_handle(workflow).describe(rpc_timeout=_PATIENCE)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise


async def _compare(client: Client, pool: "Pool", task_queue: str, now: datetime) -> list[Trouble]:
    running = await _running(client, task_queue)
    lost = [row["reference"] async for row in _open(pool, now - SETTLED) if row["reference"] not in running]
    found = [one for one in [await _lost(client, reference) for reference in lost[:ASKED]] if one]
    found += [_no_workflow(reference, "no workflow runs for it") for reference in lost[ASKED:]]
    ids = sorted(running)
    for start in range(0, len(ids), BATCH):
        for row in await pool.fetch(_WITHOUT_CASE, ids[start : start + BATCH]):
            since = running[row["id"]]
            if since < now - SETTLED:
                what = "it has run for a while and has no case file"
                found.append(Trouble(kind=Kind.WORKFLOW_WITHOUT_CASE, subject=row["id"], what=what, since=since))
    return found


async def _lost(client: Client, reference: str) -> Trouble | None:
    """What is wrong with an open case of which no list of running workflows knows."""
    described = await _describe(client, reference)
    if described is None:
        return _no_workflow(reference, "its case is open, and Temporal has no workflow for it")
    if described.status is WorkflowExecutionStatus.RUNNING:  # the list lagged behind, or another queue has it
        return None
    ended = described.status.name.lower().replace("_", " ") if described.status else "over"
    return _no_workflow(reference, f"its case is open, and its workflow is {ended}")


def _no_workflow(reference: str, what: str) -> Trouble:
    return Trouble(kind=Kind.CASE_WITHOUT_WORKFLOW, subject=reference, what=what)


async def _open(pool: "Pool", before: datetime) -> AsyncIterator[asyncpg.Record]:
    async with pool.acquire() as connection, connection.transaction(readonly=True):
        async for row in connection.cursor(_OPEN, before, prefetch=BATCH):
            yield row


async def _activities(client: Client, pool: "Pool", now: datetime, found: Sequence[Trouble]) -> list[Trouble]:
    """Of the workflows that something points to, the activities that keep failing."""
    pointed = [one.subject for one in found if one.kind in _POINT]
    pointed += [row["reference"] for row in await pool.fetch(_LATEST, ASKED)]
    troubles = []
    for workflow in list(dict.fromkeys(pointed))[:ASKED]:
        described = await _describe(client, workflow)
        for one in described.raw_description.pending_activities if described else ():
            kind = one.last_failure.application_failure_info.type or "no answer in time"
            if one.attempt >= KEEPS_FAILING and kind != "QuietHours":  # it waits for their end
                what = f"{one.activity_type.name} has been tried {one.attempt} times ({kind})"
                troubles.append(Trouble(kind=Kind.ACTIVITY_FAILING, subject=workflow, what=what))
    return troubles


_HIDDEN: Final = "select casefile.hidden_cases()"
_POINT: Final = {
    Kind.WORKFLOW_WITHOUT_CASE,
    Kind.LETTER_WAITING,
    Kind.PAYMENT_IN_DOUBT,
    Kind.DEADLINE_OVERDUE,
    Kind.START_NOT_OPENED,
}

_OPEN: Final = """
    select reference from casefile.cases where closed_at is null and opened_at < $1
    union all
    select reference from casefile.incidents where stage not in ('closed', 'dismissed') and opened_at < $1
"""
_WITHOUT_CASE: Final = """
    select id from unnest($1::text[]) id
    where not exists (select from casefile.cases where reference = id)
      and not exists (select from casefile.incidents where reference = id)
"""
_LATEST: Final = "select reference from casefile.cases where closed_at is null order by received_at desc limit $1"


async def _ledger(pool: "Pool") -> list[Trouble]:
    report = await check_ledger(pool)
    return [
        Trouble(kind=Kind.LEDGER_FAULT, subject=str(fault.reference), what=fault.problem) for fault in report.faults
    ]
