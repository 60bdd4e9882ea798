"""What is wrong with the installation now, all of it on one page, and what to do about each thing.

Either server may be away: what the other tells is told all the same. Lists are compared in batches; single workflows
are asked only where something points to them, and not more than a few dozen.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import asyncpg
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

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
from runtime.watch.readings import FAILING, LETTERS_WAITING, PAYMENTS_IN_DOUBT, WINDOW
from starter.client.articles import Articles, states_of
from starter.client.directory import People, packs_in_force
from starter.client.process import ProcessReviews
from starter.reading.ledger import check_ledger
from starter.upkeep.diagnosis import Diagnosis, Kind, Trouble

if TYPE_CHECKING:
    from runtime.database import Pool

SHOWN: Final = 20
"""How many of a kind are named; the others are counted."""
ASKED: Final = 40
"""How many single workflows are asked at most."""
BATCH: Final = 1000
SETTLED: Final = timedelta(minutes=2)
"""What is younger may be on its way: a list of workflows lags behind a little."""
POLLED_LATELY: Final = timedelta(minutes=2)
"""An idle worker asks again within a minute."""
LETTER_LATE: Final = timedelta(hours=1)
WEBHOOK_LATE: Final = timedelta(hours=1)
MAILBOX_LATE: Final = timedelta(minutes=30)
PAYMENT_LATE: Final = timedelta(hours=24)
_PATIENCE: Final = timedelta(seconds=10)


async def diagnose(settings: Settings, viewer: str | None = None) -> Diagnosis:
    """Look at everything that can be reached, as the person *viewer* may see it: cases hidden from them count nowhere.

    Nobody named sees all.
    """
    hold_keys(settings)
    hold_proofs(Verifier.here(settings))
    now = datetime.now(UTC)
    found = await asyncio.to_thread(lambda: list(_rules(now, settings.firm_name)))
    unchecked: list[str] = []
    pool: Pool | None = None
    client: Client | None = None
    try:
        pool = await open_pool(find_database(settings), max_size=2, viewer=viewer)
    except DatabaseUnavailable as error:
        found.append(Trouble(kind=Kind.POSTGRESQL, subject="PostgreSQL", what=str(error)))
    try:
        client = await connect(settings)
    except TemporalUnavailable as error:
        found.append(Trouble(kind=Kind.TEMPORAL, subject="Temporal", what=str(error)))
    try:
        checks: dict[str, Callable[[], Awaitable[list[Trouble]]]] = {"mail login": lambda: _mail_login(settings)}
        if client:
            checks["workers"] = lambda: _workers(client, settings.task_queue)
            checks["failing workflows"] = lambda: _failing(client, settings.task_queue)
        if pool:
            checks |= {name: partial(_ask, pool, question, now) for name, question in _QUESTIONS.items()}
            checks["ledger"] = lambda: _ledger(pool)
            checks["directory"] = lambda: _directory(pool, now)
            checks["answers"] = lambda: out_of_date(pool, now)
            checks["process"] = lambda: process_overdue(pool, now)
        if client and pool:
            checks["cases and workflows"] = lambda: _compare(client, pool, settings.task_queue, now)
            checks["activities"] = lambda: _activities(client, pool, now, found)
        for name, check in checks.items():
            try:
                async with asyncio.timeout(120):
                    found += await check()
            except (
                asyncpg.PostgresError,
                asyncpg.InterfaceError,
                asyncpg.InternalClientError,
                RPCError,
                OSError,
                TimeoutError,
            ) as error:
                unchecked.append(f"{name}: {type(error).__name__}")
        hidden = {row[0] for row in await pool.fetch(_HIDDEN)} if pool and viewer else set()
        found = [one for one in found if one.subject not in hidden]
    finally:
        if pool:
            pool.terminate()
    return _page(found, unchecked, now)


def _page(found: Iterable[Trouble], unchecked: Sequence[str], now: datetime) -> Diagnosis:
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
    return Diagnosis(at=now, troubles=tuple(shown), more=more, unchecked=tuple(unchecked))


def _rules(now: datetime, firm: str) -> Iterable[Trouble]:
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


class _Question(NamedTuple):
    """What the record is asked: ``sql`` answers with a ``subject`` and ``since`` when; ``what`` is said of a row.

    Its parameters are the instant that lies ``age`` back, and how many rows at most.
    """

    kind: Kind
    age: timedelta
    sql: str
    what: Callable[[asyncpg.Record], str]


async def _ask(pool: "Pool", question: _Question, now: datetime) -> list[Trouble]:
    return [
        Trouble(kind=question.kind, subject=row["subject"], what=question.what(row), since=row["since"])
        for row in await pool.fetch(question.sql, now - question.age, BATCH)
    ]


_UNOPENED: Final = """
    select distinct on (workflow_id) workflow_id as subject, state, reason, at as since from casefile.unopened u
    where at > $1 and not exists (select from casefile.cases c where c.reference = u.workflow_id)
    order by workflow_id, at desc limit $2
"""
_OVERDUE: Final = """
    select reference as subject, count(*) as rungs, min(due) as since, (array_agg(clock order by due))[1] as clock
    from (select reference from casefile.worklist where next_rung < $1) c, lateral (
        select d.due, d.clock from casefile.deadlines d
        where d.reference = c.reference and d.due < $1
          and not exists (select from casefile.firings f where (f.reference, f.clock, f.number, f.rung)
                          = (d.reference, d.clock, d.number, d.rung))
          and not exists (select from casefile.satisfactions s where (s.reference, s.clock, s.number)
                          = (d.reference, d.clock, d.number)) offset 0) d
    group by reference order by min(due) limit $2
"""
_WITH_NOBODY: Final = """
    select reference as subject, last.at as since from casefile.cases, lateral (
        select person, at from casefile.assignments a where a.reference = cases.reference order by number desc limit 1
    ) as last
    where closed_at is null and last.person is null and last.at < $1 order by last.at limit $2
"""
_REJECTED: Final = """
    select reference as subject, count(*) as messages, min(at) as since from casefile.rejected_messages
    where at > $1 group by reference order by count(*) desc limit $2
"""
_LETTERS: Final = f"""
    select reference as subject, rendered_at as since, kind from ({LETTERS_WAITING}) l
    where rendered_at < $1 order by rendered_at limit $2
"""  # noqa: S608
_PAYMENTS: Final = f"""
    select reference as subject, ordered_at as since from ({PAYMENTS_IN_DOUBT}) p
    where ordered_at < $1 order by ordered_at limit $2
"""  # noqa: S608
_WEBHOOKS: Final = """
    select service as subject, failing_since as since, id, failing from web.subscriptions
    where failing_since < $1 and ended_at is null order by failing_since limit $2
"""

_MAILBOXES: Final = """
    select mailbox as subject, fetched_at as since from intake.mailboxes
    where fetched_at < $1 and fetched_at > $1 - interval '30 days' order by 2 limit $2
"""
_QUESTIONS: Final[Mapping[str, _Question]] = {
    "starts": _Question(
        Kind.START_NOT_OPENED, timedelta(days=30), _UNOPENED, lambda row: f"{row['state']}: {row['reason']}"
    ),
    "deadlines": _Question(
        Kind.DEADLINE_OVERDUE,
        timedelta(minutes=1),
        _OVERDUE,
        lambda row: f"{row['rungs']} rungs of its deadlines have not acted, the first of {row['clock']}",
    ),
    "people": _Question(
        Kind.CASE_WITH_NOBODY,
        timedelta(minutes=1),
        _WITH_NOBODY,
        lambda _row: "everybody who could have it is away, kept out or not in the directory",
    ),
    "letters": _Question(
        Kind.LETTER_WAITING,
        LETTER_LATE,
        _LETTERS,
        lambda row: f"no channel has accepted the letter {row['kind'].replace('_', ' ')}",
    ),
    "payments": _Question(
        Kind.PAYMENT_IN_DOUBT, PAYMENT_LATE, _PAYMENTS, lambda _row: "nobody has said how the payment ended"
    ),
    "webhooks": _Question(
        Kind.WEBHOOK_FAILING,
        WEBHOOK_LATE,
        _WEBHOOKS,
        lambda row: f"no webhook of {row['id']} is taken: {row['failing']}",
    ),
    "mailboxes": _Question(
        Kind.MAILBOX_SILENT, MAILBOX_LATE, _MAILBOXES, lambda _row: "it has not been read to its end since then"
    ),
    "messages": _Question(
        Kind.MESSAGES_REJECTED, WINDOW, _REJECTED, lambda row: f"{row['messages']} messages of the last day did not fit"
    ),
}
