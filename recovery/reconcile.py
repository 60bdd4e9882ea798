"""Compare every workflow with its file, list what is in doubt, and put right what can be put right by keys."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from domain.ground.base import Record
from domain.ground.words import WORKFLOW
from domain.incidents import incident
from recovery import keys
from recovery.history import Life, read_life
from recovery.resuming import CannotResume, resume
from recovery.rewriting import Rewriting
from runtime.keys.here import keys_here
from runtime.keys.vault import KeyUnknown
from runtime.settings import Settings

if TYPE_CHECKING:
    from runtime.database import Pool

BATCH: Final = 100
"""Cases that are looked at together: a few queries for all of them, and a history for each."""


class Why(StrEnum):
    """What is wrong with a case or incident."""

    LOST = "lost_from_the_file"
    AHEAD = "the_file_is_ahead"
    NO_WORKFLOW = "no_workflow"
    UNREADABLE = "history_not_readable"
    KEY_LOST = "key_lost"
    NOT_ERASED = "not_erased"


class Doubt(Record):
    """A case or incident of which file and workflow do not agree. ``keys`` are the things meant.

    Also a scope of which nothing opens, and an erasure that was not carried out.

    ``repaired`` are those that were put right just now, ``cannot`` says in words what was not, and what to do.
    """

    reference: str
    why: Why
    keys: tuple[str, ...] = ()
    repaired: tuple[str, ...] = ()
    cannot: tuple[str, ...] = ()

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do."""
        return bool(self.repaired) and not self.cannot and set(self.keys) <= set(self.repaired)


class Report(Record):
    """What was found: of so many workflows ``examined``, those in doubt. ``erased`` are erasures applied again."""

    examined: int
    doubts: tuple[Doubt, ...]
    erased: tuple[str, ...] = ()


@dataclass(frozen=True)
class Repairing:
    """What a repair is noted under: the number of the declared restore, and who has it done, as ``role:id``.

    ``since`` is the time of the backup.
    """

    restore: int
    by: str
    since: datetime


@dataclass(frozen=True)
class _Run:
    reference: str
    run_id: str
    started: datetime
    status: WorkflowExecutionStatus | None

    @property
    def runs(self) -> bool:
        return self.status is WorkflowExecutionStatus.RUNNING


@dataclass(frozen=True)
class _Known:
    """What a file has of a case or incident: its keys, whether it has ended, and from where a workflow would go on."""

    keys: frozenset[str] = frozenset()
    ended: bool = False
    revision: int = -1
    awaits: bool = False
    resumed: str | None = None


async def reconcile(
    client: Client,
    pool: "Pool",
    settings: Settings,
    *,
    since: datetime | None = None,
    repairing: Repairing | None = None,
    no_key: Collection[str] = (),
) -> Report:
    """Compare every workflow on the task queue of *settings* with its file; with *repairing* put right what can be.

    Workflows that ended before *since* are left out, and so is what was closed before. Without a repair nothing is
    changed, and a case that is being worked on at this moment is not taken for one in doubt. Of a case that was closed
    and erased nothing can be compared: it is in no doubt. Nor can it of those that *no_key* opens.
    """
    doubts: list[Doubt] = []
    found = [run async for run in _runs(client, settings, since) if run.reference not in no_key]
    runs = sorted(found, key=lambda run: (run.started, run.reference))
    to_write: list[tuple[datetime, _Run, Doubt]] = []
    for at in range(0, len(runs), BATCH):
        some = runs[at : at + BATCH]
        for run, life, doubt in await _examine(client, pool, some, repairing):
            doubts += [doubt] if doubt else []
            if doubt and doubt.why is Why.LOST and repairing:
                await _open(pool, settings, life)
                to_write.append((_first_posting(life) or run.started, run, doubt))
    written: dict[str, Doubt] = {}
    # The award that was posted first makes the losses good that several have found.
    for _, run, doubt in sorted(to_write, key=lambda item: item[0]):
        if repairing:
            written[run.reference] = await _write_again(client, pool, settings, run, doubt, repairing)
    doubts = [written.get(doubt.reference, doubt) if doubt.why is Why.LOST else doubt for doubt in doubts]
    known = {run.reference for run in runs if run.runs} | {doubt.reference for doubt in doubts} | set(no_key)
    doubts += [doubt async for doubt in _without_a_workflow(client, pool, known)]
    if repairing:
        last = {run.reference: run.run_id for run in runs}
        doubts = [await _resumed(client, pool, settings, doubt, last, repairing) for doubt in doubts]
    return Report(examined=len(runs), doubts=tuple(doubts))


async def _runs(client: Client, settings: Settings, since: datetime | None) -> AsyncIterator[_Run]:
    """The last run of every case and incident."""
    queue = settings.task_queue.replace("'", "''")
    query = f"(WorkflowType = '{WORKFLOW}' OR WorkflowType = '{incident.WORKFLOW}') AND TaskQueue = '{queue}'"
    if since:
        query += f" AND (ExecutionStatus = 'Running' OR CloseTime >= '{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}')"
    last: dict[str, _Run] = {}
    async for one in client.list_workflows(query):
        if one.status is WorkflowExecutionStatus.CONTINUED_AS_NEW:
            continue
        if one.id not in last or last[one.id].started < one.start_time:
            last[one.id] = _Run(one.id, one.run_id, one.start_time, one.status)
    for run in last.values():
        yield run


async def _examine(
    client: Client, pool: "Pool", runs: Sequence[_Run], repairing: Repairing | None
) -> list[tuple[_Run, Life, Doubt | None]]:
    references = [run.reference for run in runs]
    # What a file has, its workflow had asked for before; what a workflow was answered, the file had before that.
    before = await _in_the_file(pool, references)
    vault = keys_here()
    erased = await vault.erased(references) if vault else {}
    lives = [_gone(erased[one.reference]) if one.reference in erased else await _read(client, one) for one in runs]
    after = await _in_the_file(pool, references)
    return [
        (run, life, _compare(run, life, before[run.reference], after[run.reference], repairing))
        for run, life in zip(runs, lives, strict=True)
        if not (run.reference in erased and after[run.reference].ended and not run.runs)  # nothing is left to compare
    ]


async def _in_the_file(pool: "Pool", references: Sequence[str]) -> dict[str, _Known]:
    known = {row["reference"]: row for row in await pool.fetch(_STANDS, references)}
    has = await keys.in_the_file(pool, references)
    return {
        reference: _Known(frozenset(has.get(reference, ())), *list(known[reference].values())[1:])
        if reference in known
        else _Known(frozenset(has.get(reference, ())))
        for reference in references
    }


async def _read(client: Client, run: _Run) -> Life:
    try:
        return await read_life(client, run.reference, run.run_id)
    except (RPCError, ValueError, LookupError, RuntimeError, KeyUnknown) as error:
        return Life([], None, broken=f"its history cannot be read: {error}")


def _gone(at: datetime) -> Life:
    """What can be told of a workflow whose case was erased: its history opens with no key."""
    return Life([], None, broken=f"it was erased on {at:%Y-%m-%d}: what its file has lost stays lost")


def _compare(run: _Run, life: Life, before: _Known, after: _Known, repairing: Repairing | None) -> Doubt | None:
    lost = keys.written_by(life.steps) - after.keys
    if repairing:
        lost |= keys.ordered_by(life.steps) - after.keys
    if lost:
        return Doubt(reference=run.reference, why=Why.LOST, keys=tuple(sorted(lost)))
    if life.broken:
        return Doubt(reference=run.reference, why=Why.UNREADABLE, cannot=(life.broken,))
    ahead = _ahead(run, life, before, after)
    return Doubt(reference=run.reference, why=Why.AHEAD, keys=tuple(sorted(ahead))) if ahead else None


def _ahead(run: _Run, life: Life, before: _Known, after: _Known) -> set[str]:
    """What the file knows and the workflow does not; nothing where nobody has to go on any more, or is to begin."""
    if not run.runs and before.ended:
        return set()
    begun = any(step.name in {"OpenCase", "OpenIncident"} and step.done for step in life.steps)
    if run.runs and before.awaits and not begun:
        return set()
    resumed = before.resumed == life.run  # what was before is not in its history
    perhaps = keys.perhaps_by(life.steps) | keys.forgotten_by(life.forgotten)
    told = before.keys & after.keys if life.whole and not resumed else frozenset[str]()
    known = {key for key in told if key not in perhaps and keys.plain(key) not in perhaps}
    revision = life.state.revision if life.state else 0
    return {*known, *({f"revision:{before.revision}"} if before.revision > revision else ())}


# -- what the file has lost -----------------------------------------------------------------------------------------


async def _open(pool: "Pool", settings: Settings, life: Life) -> None:
    """First of all every case and incident is opened again: others point to them."""
    async with pool.acquire() as connection, connection.transaction():
        await Rewriting(connection, pool, settings).open(life.steps)


async def _write_again(  # noqa: PLR0917 (who does what for whom)
    client: Client, pool: "Pool", settings: Settings, run: _Run, doubt: Doubt, repairing: Repairing
) -> Doubt:
    """Write again what the file of one workflow has lost, all in one transaction."""
    reference = run.reference
    life = await _read(client, run)
    async with pool.acquire() as connection, connection.transaction():
        before = (await keys.in_the_file(connection, [reference])).get(reference, set())
        problems = await Rewriting(connection, pool, settings).write(life.steps)
        after = (await keys.in_the_file(connection, [reference])).get(reference, set())
        written = sorted((after - before) | (after & set(doubt.keys)))  # it may be open again by now
        await connection.execute(_NOTE, reference, repairing.restore, datetime.now(UTC), repairing.by, written)
    lost = (keys.written_by(life.steps) | keys.ordered_by(life.steps)) - after
    cannot = [*problems, *([life.broken] if life.broken else [])]
    if lost and not cannot:
        cannot = [f"it could not be written again: {', '.join(sorted(lost))}"]
    return Doubt(
        reference=reference,
        why=Why.LOST,
        keys=tuple(sorted(lost | set(written))),
        repaired=tuple(written),
        cannot=tuple(cannot),
    )


def _first_posting(life: Life) -> datetime | None:
    posting = {"RecordCompensation", "ListCohort"}
    return min((step.done for step in life.steps if step.name in posting and step.done), default=None)


_NOTE: Final = "insert into casefile.repairs (reference, restore, at, by, written) values ($1, $2, $3, $4, $5)"


# -- what Temporal has lost ------------------------------------------------------------------------------------------


async def _without_a_workflow(client: Client, pool: "Pool", known: set[str]) -> AsyncIterator[Doubt]:
    """Open cases and incidents that have no workflow: nobody goes on with them."""
    for row in await pool.fetch(_OPEN):
        reference = row["reference"]
        if reference not in known and not await _runs_somewhere(client, reference):
            yield Doubt(reference=reference, why=Why.NO_WORKFLOW, keys=("workflow",))


async def _resumed(  # noqa: PLR0917 (who does what for whom)
    client: Client, pool: "Pool", settings: Settings, doubt: Doubt, last: dict[str, str], repairing: Repairing
) -> Doubt:
    """Have another workflow go on where Temporal has lost what the file knows."""
    reference = doubt.reference
    if doubt.why not in {Why.AHEAD, Why.NO_WORKFLOW}:
        return doubt
    has = (await keys.in_the_file(pool, [reference])).get(reference, set())
    try:
        run = await resume(client, pool, settings, reference, has, last.get(reference), repairing.since)
    except CannotResume as error:
        return doubt.model_copy(update={"cannot": (str(error),)})
    written = [*doubt.keys, f"workflow:{run}"]
    await pool.execute(_NOTE, reference, repairing.restore, datetime.now(UTC), repairing.by, written)
    return doubt.model_copy(update={"repaired": tuple(written)})


async def _runs_somewhere(client: Client, reference: str) -> bool:
    """Whether it runs after all: lists may lag behind, and another task queue may have it."""
    try:
        found = await client.get_workflow_handle(reference).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return found.status is WorkflowExecutionStatus.RUNNING


_STANDS: Final = """
    select reference, ended, coalesce(revision, -1) as revision, coalesce(awaits, false) as awaits, run as resumed
    from (
        select reference, closed_at is not null as ended from casefile.cases where reference = any($1)
        union all
        select reference, stage in ('closed', 'dismissed') from casefile.incidents where reference = any($1)
    ) as known
    left join casefile.checkpoints using (reference)
"""
_OPEN: Final = """
    select reference from casefile.cases where closed_at is null
    union all
    select reference from casefile.incidents where stage not in ('closed', 'dismissed')
    order by reference
"""
