"""Whatever happens at whatever moment, a complaint that is about an incident ends up knowing where that stands."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
)

from domain.ground.words import IncidentStage, Stage
from starter.client.incidents import Incidents
from tests.checks.rows import after
from tests.incidents.minute import FAULT, bad_minute
from tests.workflows.conftest import open_house
from tests.workflows.house import HANDLER, House
from tests.workflows.test_incidents import complain, listed


@dataclass
class Hold(Interceptor):
    """Holds one effect of an incident, before or after it is done, until it is let go."""

    effect: str = ""
    number: int = 0
    done: bool = False
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    seen: int = 0

    def arm(self, effect: str, number: int, *, done: bool) -> None:
        """Hold the effect of this name when it comes for the *number*-th time from now; *done* means afterwards."""
        self.effect, self.number, self.done, self.seen = effect, number, done, 0
        self.reached, self.released = asyncio.Event(), asyncio.Event()

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return HeldActivity(next, self)


class HeldActivity(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, hold: Hold) -> None:
        super().__init__(next)
        self._hold = hold

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        hold, info = self._hold, activity.info()
        if info.activity_type != hold.effect or hold.reached.is_set() or not (info.workflow_id or "").startswith("IN-"):
            return await super().execute_activity(input)
        if info.is_local:  # a workflow hears nothing while a local activity runs
            raise ApplicationError("the database is slow")
        hold.seen += 1
        if hold.seen < hold.number:
            return await super().execute_activity(input)
        answer = await super().execute_activity(input) if hold.done else None
        hold.reached.set()
        while not hold.released.is_set():
            activity.heartbeat()
            await asyncio.sleep(0.05)
        return answer if hold.done else await super().execute_activity(input)


@pytest.fixture
def hold() -> Hold:
    return Hold()


@pytest.fixture
async def house(
    pool: "asyncpg.Pool[asyncpg.Record]", tmp_path: Path, request: pytest.FixtureRequest, hold: Hold
) -> AsyncIterator[House]:
    async with open_house(pool, tmp_path, request, interceptors=[hold]) as house:
        await bad_minute(house.pool)
        yield house


async def last_told(house: House, case: str, incident: str) -> str:
    told = [line for line in await house.timeline(case, "incident") if incident in line]
    if told and told[-1].endswith("any more"):  # as after a dismissal, when the case has looked again
        return IncidentStage.DISMISSED.value
    return told[-1].rpartition(" ")[2].strip("()") if told else "nothing"


def says(house: House, case: str, incident: str, stage: IncidentStage) -> Callable[[], Any]:
    async def check() -> bool:
        return await last_told(house, case, incident) == stage.value

    return check


# What an incident does from the word that it is to be listed anew until its complaints know of the new list.
EFFECTS = (
    *(("RecordIncident", number) for number in (1, 2, 3)),
    *(("FindCases", number) for number in (1, 2)),
    ("ListCohort", 1),
)


@pytest.mark.long
@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
async def test_whatever_an_incident_was_doing_when_it_was_dismissed_its_complaints_hear_of_it(
    house: House, hold: Hold, done: bool
) -> None:
    incidents = Incidents(house.client, task_queue=house.task_queue)
    case = await complain(house)
    await house.at(case, Stage.DECIDING)
    for moment, (effect, number) in enumerate(EFFECTS):
        fault = FAULT.model_copy(update={"until": after(31 + moment)})
        incident, _ = await listed(house, incidents, fault=fault)
        await house.eventually(says(house, case, incident, IncidentStage.APPROVAL))
        hold.arm(effect, number, done=done)
        relisted = asyncio.create_task(incidents.relist(incident, "more fills were imported", by=HANDLER))
        await asyncio.wait_for(hold.reached.wait(), 60)
        dismissed = asyncio.create_task(incidents.dismiss(incident, "handled case by case", by=HANDLER))

        async def decided(incident: str = incident) -> bool:
            return (await incidents.progress(incident)).stage is IncidentStage.DISMISSED

        await house.eventually(decided)
        hold.released.set()
        await asyncio.gather(relisted, dismissed)
        assert (await incidents.result(incident)).stage is IncidentStage.DISMISSED
        await house.eventually(says(house, case, incident, IncidentStage.DISMISSED))


async def test_an_incident_dismissed_while_it_tells_its_complaints_something_else_tells_them_that_too(
    house: House,
) -> None:
    incidents = Incidents(house.client, task_queue=house.task_queue)
    case = await complain(house)
    await house.at(case, Stage.DECIDING)
    await house.pool.execute("alter table casefile.cases drop constraint sealed_for")
    await house.pool.execute(_MANY_MORE, case)  # so that it takes a while to tell them all
    incident, _ = await listed(house, incidents)
    await house.eventually(says(house, case, incident, IncidentStage.APPROVAL))
    await incidents.relist(incident, "more fills were imported", by=HANDLER)
    await house.eventually(says(house, case, incident, IncidentStage.LISTING))
    await incidents.dismiss(incident, "handled case by case", by=HANDLER)
    assert (await incidents.result(incident)).stage is IncidentStage.DISMISSED
    await house.eventually(says(house, case, incident, IncidentStage.DISMISSED))


_MANY_MORE: Final = """
    insert into casefile.cases
    select (jsonb_populate_record(cases, jsonb_build_object('reference', reference || n, 'source', n::text))).*
    from casefile.cases, generate_series(1, 60) as n where reference = $1
"""
