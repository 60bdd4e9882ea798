"""Temporal loses a workflow after any of its effects: what goes on from the file comes to the same end."""

import asyncio
import contextlib
import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any, Literal

import pytest
from temporalio import activity
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from domain.case.messages.deciding import DecideResolution, ProposeResolution
from domain.case.messages.handling import Withdraw
from domain.case.messages.signals import CustomerReply
from domain.ground.messages import Message
from domain.ground.people import Actor
from domain.ground.words import Role, Stage
from recovery import keys
from recovery.resuming import resume
from runtime.payment_rail import HttpRail
from runtime.settings import load_settings
from runtime.temporal import register_search_attributes
from starter.client.complaints import CaseClosed, CaseNotFound
from starter.client.conversation import NotAnswered, Refused
from starter.reading.ledger import check_ledger
from tests.money.rail import Rail, open_rail
from tests.patience import PATIENCE, eventually
from tests.recovery.fingerprint import differences
from tests.recovery.records import SEED, Pool
from tests.recovery.test_older_case_file import PROPOSAL
from tests.workflows.house import CUSTOMER, House
from workflows.search_attributes import KEYS

Point = tuple[str, int, bool]
"""Where a case is lost: with which effect, the how manieth of its kind, and whether it was carried out."""


class Losing(Interceptor):
    """Temporal loses the workflow of a case at one of its effects."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.points: dict[str, Point] = {}
        self.effects: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        """The effects of each case by their names, each kind in its order: by the id that all its attempts have."""
        self.under_way = Counter[str]()
        self.lost: dict[str, str] = {}
        """Of the cases that were lost the run that Temporal has forgotten: nothing is done for it any more."""
        self.losing: dict[str, asyncio.Task[None]] = {}
        self.struck = set[str]()

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Losing(next, self)

    def strikes(self, reference: str) -> bool:
        """Whether the case is to be lost now: it is once."""
        first = reference not in self.struck
        self.struck.add(reference)
        return first

    async def lose(self, reference: str, run: str) -> None:
        """Lose it wholly, though the activity that does so runs out of time."""
        self.losing[reference] = losing = asyncio.create_task(self._lose(reference, run))
        await asyncio.shield(losing)

    async def _lose(self, reference: str, run: str) -> None:
        self.lost[reference] = run
        await eventually(lambda: self._idle(reference))
        settings = load_settings(task_queue=self.house.task_queue)
        has = (await keys.in_the_file(self.house.pool, [reference])).get(reference, set())
        began = await self.house.pool.fetchval("select opened_at from casefile.cases where reference = $1", reference)
        await resume(self.house.client, self.house.pool, settings, reference, has, run, began)

    async def alone(self, reference: str, run: str) -> bool:
        """Whether all has been done that can be while one effect is under way."""
        found = (await self.house.client.get_workflow_handle(reference, run_id=run).describe()).raw_description
        return len(found.pending_activities) == 1 and not found.HasField("pending_workflow_task")

    async def _idle(self, reference: str) -> bool:
        return not self.under_way[reference]


class _Losing(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, losing: Losing) -> None:
        super().__init__(next)
        self._losing = losing

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        losing, info = self._losing, activity.info()
        reference, run = info.workflow_id or "", info.workflow_run_id or ""
        if losing.lost.get(reference) == run:
            raise ApplicationError("Temporal has forgotten this workflow")
        effects, identity = losing.effects[reference][info.activity_type], f"{run} {info.activity_id}"
        if identity not in effects:
            effects.append(identity)
        effect, number, carried_out = losing.points.get(reference, ("", 0, True))
        # On a busy machine an attempt may run out of time: then the next one is struck.
        this = info.activity_type == effect and effects.index(identity) + 1 >= number
        if this and info.is_local and effect == "Investigate":
            raise ApplicationError("a second is too short for a loss: the next attempt is struck")
        if this and not carried_out and losing.strikes(reference):
            async with beating():
                await eventually(lambda: losing.alone(reference, run))
                await losing.lose(reference, run)
            raise ApplicationError("lost before it was done")
        losing.under_way[reference] += 1
        try:
            answer = await super().execute_activity(input)
        finally:
            losing.under_way[reference] -= 1
        if this and carried_out and losing.strikes(reference):
            async with beating():
                await losing.lose(reference, run)
            raise ApplicationError("the answer is lost")
        return answer


@contextlib.asynccontextmanager
async def beating() -> AsyncIterator[None]:
    """Be alive meanwhile: on a busy machine what a case does beside this one effect may take longer than it may be."""

    async def beat() -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(2)

    heart = asyncio.create_task(beat())
    try:
        yield
    finally:
        heart.cancel()


@pytest.fixture
async def rail() -> AsyncIterator[Rail]:
    async with open_rail() as rail:
        yield rail


async def live(house: House, reference: str) -> None:
    """A whole life, disputed once. Whoever gets no answer sends the message again, with the same id."""
    complaints = house.complaints

    async def insist(message: Message) -> None:
        async def stands() -> bool:
            with contextlib.suppress(NotAnswered, CaseNotFound, CaseClosed, Refused):
                await complaints.send(reference, message)
            told = "select exists (select from casefile.timeline where reference = $1 and data->>'message_id' = $2)"
            return bool(await house.pool.fetchval(told, reference, message.message_id))

        await eventually(stands)

    async def drafted() -> bool:
        drawn = "select exists (select from casefile.timeline where reference = $1 and kind = 'draft')"
        return bool(await house.pool.fetchval(drawn, reference))

    await eventually(drafted)  # whoever proposes before gets none, and is told of none
    for number in (1, 2):
        key = f"{reference}-{number}"
        await house.row(reference, lambda case: case["stage"] == Stage.DECIDING)
        # Who decided on the trade before, in another round or life, is kept out.
        handler = Actor(id=f"h-{key}", role=Role.HANDLER)
        # and a superior reviews what was disputed
        approver = Actor(id=f"a-{key}", role=Role.APPROVER if number == 1 else Role.COMPLIANCE_OFFICER)
        proposes = ProposeResolution.model_validate({"message_id": f"p-{key}", "actor": handler, **PROPOSAL})
        await insist(proposes)
        seen = proposes.digest
        await insist(DecideResolution(message_id=f"a-{key}", actor=approver, decision="approve", proposal=seen))
        await house.row(reference, lambda case: case["stage"] == Stage.RESPONDED)
        await eventually(lambda number=number: responded(house, reference, number))  # type: ignore[misc]
        intent: Literal["accept", "dispute"] = "dispute" if number == 1 else "accept"
        await insist(CustomerReply(message_id=f"r-{key}", actor=CUSTOMER, intent=intent))
    await house.row(reference, lambda case: case["stage"] == Stage.FOLLOWING_UP)
    await insist(Withdraw(message_id=f"w-{reference}", actor=CUSTOMER))
    await house.row(reference, lambda case: case["stage"] == Stage.CLOSED)

    async def ended() -> bool:
        with contextlib.suppress(WorkflowFailureError):  # this run was lost too
            await complaints.result(reference)
            return True
        return False

    async with asyncio.timeout(PATIENCE):
        await eventually(ended)


async def responded(house: House, reference: str, number: int) -> bool:
    letters = await house.accepted_letters(reference)
    return letters.count("final_response") == number


def sample_of(done: dict[str, int], rng: random.Random) -> list[Point]:
    """Of every effect that is *done* so often one, lost before it was carried out or after, in turn.

    Before the opening there is no file, and a turn is nothing that a file has.
    """
    points: list[Point] = [("OpenCase", 1, True)]
    carried_out = bool(rng.getrandbits(1))
    for effect in sorted(set(done) - {"OpenCase", "TakeTurn"}):
        points.append((effect, rng.randint(1, done[effect]), carried_out))
        carried_out = not carried_out
    return points


async def told(pool: Pool, reference: str) -> dict[str, list[str]]:
    """What the record says of a case, without its name and the times."""
    found = {}
    for what, query in _RECORD.items():
        rows = await pool.fetch(query, reference)
        found[what] = sorted(str(tuple(row.values())).replace(reference, "RD") for row in rows)
    return found


_RECORD = {
    "timeline": "select kind, actor, text from casefile.timeline where reference = $1"
    " and kind not in ('restored', 'kept_out')",
    "events": "select number, event from casefile.events where reference = $1",
    "deadlines": "select clock, number, rung from casefile.deadlines where reference = $1",
    "satisfactions": "select clock, number, by_event, by_number from casefile.satisfactions where reference = $1",
    "letters": "select key, number, kind, outcome from casefile.letters join casefile.letter_attempts using (key)"
    " where reference = $1",
    "postings": "select key, number, amount, decision is null from casefile.postings where reference = $1",
    "payments": "select key, orders.amount, paid from payments.orders join payments.outcomes using (key)"
    " where reference = $1",
    "case": "select stage, outcome, compensation_amount, escalation_level, handler from casefile.cases"
    " where reference = $1",
}


@pytest.mark.long
async def test_a_case_that_temporal_loses_at_any_effect_comes_to_the_same_end(
    dev_server_env: WorkflowEnvironment, pool: Pool, tmp_path: Path, rail: Rail
) -> None:
    await register_search_attributes(dev_server_env.client, KEYS)
    paying = {"payment_url": rail.url, "payment_secret": rail.secret}
    house = House(dev_server_env, pool, tmp_path / "outbox", HttpRail(load_settings(**paying)))
    losing = Losing(house)
    house.interceptors.append(losing)
    entries = count(1)

    async def a_case() -> str:
        entry = f"w-{next(entries)}"
        await house.late_withdrawal("300000", days_late=30, entry=entry)
        return await house.submit(trades=[entry])

    async with house.worker():
        await house.at(await a_case(), Stage.DECIDING)  # in all that follow the customer complained before
        undisturbed = await a_case()
        await live(house, undisturbed)
        expected = await told(pool, undisturbed)
    done = {effect: len(each) for effect, each in losing.effects[undisturbed].items()}
    points = sample_of(done, random.Random(SEED))  # noqa: S311 - a sample, no secret
    cases = {await a_case(): point for point in points}
    losing.points |= cases
    async with house.worker():
        await asyncio.gather(*(live(house, reference) for reference in cases))
    found = {point: differences(expected, await told(pool, reference)) for reference, point in cases.items()}
    assert "\n".join(f"{point}: {line}" for point, lines in found.items() for line in lines) == "", SEED
    reached = {point for reference, point in cases.items() if reference in losing.lost}
    # how many writings of the file a life takes is a matter of what comes together
    assert {point for point in set(cases.values()) - reached if point[0] != "Record"} == set(), (SEED, done)
    assert len(reached) > len(points) * 0.7
    assert (await check_ledger(pool)).faults == ()
    assert Counter(rail.asked).most_common(1)[0][1] <= 2
    assert len(rail.payments) == len(cases) + 1
