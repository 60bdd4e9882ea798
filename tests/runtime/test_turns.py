"""One thing after the other, updates last, whether they reach a workflow together or apart."""

import asyncio
import sys
from collections import deque
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest
from temporalio import activity, workflow
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.bridge.proto.workflow_activation import WorkflowActivation, WorkflowActivationJob
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.client import Client, WorkflowHistory, WorkflowQueryFailedError, WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import (
    Replayer,
    StartLocalActivityInput,
    UnsandboxedWorkflowRunner,
    Worker,
    WorkflowRunner,
)
from temporalio.worker._workflow_instance import _WorkflowInstanceImpl
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from temporalio.workflow import NondeterminismError

from runtime.connection import TAKEN_UP_AGAIN
from runtime.turns import InOrder, _InOrder
from tests.patience import PATIENCE, eventually
from tests.runtime.support import numbered
from tests.runtime.workflows_for_tests import (
    AnswersAndHears,
    EndsWhenIdle,
    EndsWhenTold,
    LooksAtTheClock,
    LooksAtWhatItHears,
    TellsWhenItBegan,
    TellsWhenItHeard,
    forgetful,
)

APART = Path(__file__).parent / "an_update_that_came_apart_after_a_query.json"
"""A worker that knew nothing of the workflow was asked a query, then got the answer of A and the update."""
AFTER_SIGNALS = Path(__file__).parent / "an_update_that_came_apart_after_signals.json"
"""What came of the first signal was done before the update was handed over, which had come before the second."""

WHILE_AT_IT = Path(__file__).parent / "an_update_that_came_while_a_local_activity_was_under_way.json"
"""The first task ended while it was, the update came with the next, and the answer was there before that began."""


@workflow.defn(name="W")
class Answers:
    def __init__(self) -> None:
        self.done = False

    @workflow.run
    async def run(self) -> None:
        beside = asyncio.create_task(_do("R"))
        await _do("A")
        await _do("B")
        await workflow.wait_condition(lambda: self.done)
        await beside

    @workflow.update
    async def up(self) -> str:
        await _do("T")
        self.done = True
        return "ok"


@workflow.defn(name="LooksFirst")
class LooksFirst:
    """Does A after what it looks at within its task, and what it is asked for beside that."""

    def __init__(self) -> None:
        self.done = False

    @workflow.run
    async def run(self) -> None:
        await workflow.execute_local_activity("look", start_to_close_timeout=timedelta(seconds=10))
        await _do("A")
        await workflow.wait_condition(lambda: self.done)

    @workflow.update
    async def up(self) -> str:
        await _do("T")
        self.done = True
        return "ok"


async def _do(name: str) -> None:
    await workflow.execute_activity(name, task_queue="act", start_to_close_timeout=timedelta(seconds=60))


@workflow.defn(name="Hears")
class Hears:
    """Does what it hears of, one thing after the other, and what it is asked for beside that."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.asked, self.done = 0, 0

    @workflow.run
    async def run(self) -> None:
        while not self.done or self.asked != self.done:
            await workflow.wait_condition(lambda: bool(self.heard or (self.done and self.asked == self.done)))
            while self.heard:
                await _do(self.heard.pop(0))

    @workflow.signal
    def hear(self, what: str) -> None:
        self.heard.append(what)

    @workflow.update
    async def ask(self) -> str:
        self.asked += 1
        await _do("U")
        self.done += 1
        return "ok"


def history(path: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json("w", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", [APART, AFTER_SIGNALS, WHILE_AT_IT], ids=["after a query", "after signals", "at it"])
@pytest.mark.parametrize("runner", [InOrder(), SandboxedWorkflowRunner(runner_class=InOrder)])
async def test_an_update_that_came_apart_replays(runner: WorkflowRunner, path: Path) -> None:
    await Replayer(workflows=[Answers, Hears, LooksFirst], workflow_runner=runner).replay_workflow(history(path))


@pytest.mark.parametrize("path", [APART, AFTER_SIGNALS, WHILE_AT_IT], ids=["after a query", "after signals", "at it"])
async def test_it_does_not_as_the_sdk_has_it(path: Path) -> None:
    """Nor without the events that the runner leaves. Once this fails the SDK is mended, and the runner can go."""
    events = history(path).to_json_dict()["events"]
    without = [each for each in events if "workflowPropertiesModifiedEventAttributes" not in each]
    with pytest.raises(NondeterminismError):
        await Replayer(
            workflows=[Answers, Hears, LooksFirst], workflow_runner=UnsandboxedWorkflowRunner()
        ).replay_workflow(numbered(history(path), without))


@pytest.mark.parametrize("what", ["something", "nonsense"])
async def test_a_workflow_ends_with_its_last_answer_once_the_update_that_comes_with_it_is_heard_or_rejected(
    dev_server_env: WorkflowEnvironment, task_queue: str, what: str
) -> None:
    client = dev_server_env.client
    may_end = asyncio.Event()

    @activity.defn
    async def hold() -> None:
        await may_end.wait()

    def worker() -> Worker:
        return Worker(client, task_queue=task_queue, workflows=[EndsWhenIdle], workflow_runner=InOrder())

    async def has(kind: EventType.ValueType) -> bool:
        return any(event.event_type == kind for event in (await handle.fetch_history()).events)

    async with Worker(client, task_queue=f"{task_queue}-hold", activities=[hold]):
        async with worker():
            handle = await client.start_workflow(
                EndsWhenIdle.run, f"{task_queue}-hold", id=str(uuid4()), task_queue=task_queue
            )
            await eventually(lambda: has(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED))
        asked = asyncio.create_task(handle.execute_update(EndsWhenIdle.ask, what))
        may_end.set()
        await eventually(lambda: has(EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED))
        async with worker(), asyncio.timeout(PATIENCE):
            if what == "nonsense":
                with pytest.raises(WorkflowUpdateFailedError):
                    await asked
            else:
                assert await asked == "something was heard"
            await handle.result()


REPLAYED, NEW, QUERY, ATTACHED = "replayed", "new", "query", "attached query"


@pytest.mark.parametrize(
    ("told", "again"),
    [
        ([(REPLAYED, 29, 1), (NEW, 37, 1)], True),
        ([(REPLAYED, 14, 1), (NEW, 23, 2), (QUERY, 23, 2)], True),
        ([(REPLAYED, 29, 1), (QUERY, 29, 1), (NEW, 37, 2)], False),
        ([(REPLAYED, 14, 1), (NEW, 23, 2), (ATTACHED, 23, 2), (NEW, 31, 3)], False),
        ([(REPLAYED, 14, 1), (NEW, 23, 2), (NEW, 31, 3), (QUERY, 31, 3), (NEW, 40, 4)], False),
        ([(NEW, 3, 1), (NEW, 3, 1), (QUERY, 3, 1), (NEW, 14, 2)], False),
    ],
    ids=[
        "what came before its task began",
        "what came with a task that another worker has",
        "nothing new for the query",
        "a query that came with the task",
        "a workflow that it knows",
        "a workflow that began here",
    ],
)
def test_a_workflow_is_taken_up_anew_where_a_query_may_have_brought_what_no_task_has(
    monkeypatch: pytest.MonkeyPatch, told: list[tuple[str, int, int]], again: bool
) -> None:
    """*told* are the activations of one instance: of which kind, the length of the history, and when its task began."""
    monkeypatch.setattr(_WorkflowInstanceImpl, "activate", lambda _self, _act: WorkflowActivationCompletion())
    instance = _InOrder.__new__(_InOrder)  # type: ignore[type-abstract]
    instance._pending_activities, instance._begun, instance._in_progress_updates = {}, {}, {}
    failed = []
    for kind, length, second in told:
        act = WorkflowActivation(history_length=length, is_replaying=kind != NEW)
        act.timestamp.FromSeconds(second)
        job = act.jobs.add()
        if kind in {REPLAYED, NEW}:
            job.fire_timer.seq = 1
        else:
            job.query_workflow.query_id = "legacy_query" if kind == QUERY else "1"
        failed.append(instance.activate(act).HasField("failed"))
    assert failed == [False] * (len(told) - 1) + [again]


async def replayed(client: Client, life: type, history: WorkflowHistory) -> None:
    """What was sealed opens in its own namespace alone."""
    replayer = Replayer(
        workflows=[life],
        workflow_runner=InOrder(),
        namespace=client.namespace,
        data_converter=client.data_converter,
    )
    await replayer.replay_workflow(history)


async def test_an_answer_that_a_query_brought_before_a_signal_replays(
    dev_server_env: WorkflowEnvironment, task_queue: str
) -> None:
    """A query reaches a worker that knows nothing, and brings the answer that came meanwhile; its task is elsewhere."""
    client, queue = dev_server_env.client, f"{task_queue}-effects"
    may_answer = asyncio.Event()

    @activity.defn
    async def asked() -> None:
        await may_answer.wait()

    @activity.defn
    async def answered() -> None: ...

    @activity.defn
    async def heard() -> None: ...

    async def has(kind: EventType.ValueType) -> bool:
        return any(event.event_type == kind for event in (await handle.fetch_history()).events)

    program = [sys.executable, "-m", "tests.runtime.workflows_for_tests"]
    killed = await asyncio.create_subprocess_exec(*program, client.service_client.config.target_host, task_queue)
    async with Worker(client, task_queue=queue, activities=[asked, answered, heard]):
        try:
            handle = await client.start_workflow(AnswersAndHears.run, id=str(uuid4()), task_queue=task_queue)
            await eventually(lambda: has(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED))
        finally:
            killed.kill()
            await killed.wait()
        query = asyncio.create_task(handle.query(AnswersAndHears.has_heard))
        # Nothing tells that the server has it; the task must not come to the new worker before it.
        await asyncio.sleep(2)
        may_answer.set()
        await eventually(lambda: has(EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED))
        async with forgetful(client, task_queue, AnswersAndHears), asyncio.timeout(PATIENCE):
            with pytest.raises(WorkflowQueryFailedError, match=TAKEN_UP_AGAIN):
                await query
            await handle.signal(AnswersAndHears.hear)
            await handle.result()
    await replayed(client, AnswersAndHears, await handle.fetch_history())


async def test_what_a_query_brought_is_not_done_at_the_time_of_the_task_before(
    dev_server_env: WorkflowEnvironment, task_queue: str
) -> None:
    """The task that is elsewhere brings no more than the query did: nothing is handed over when it comes."""
    client = dev_server_env.client

    async def has(kind: EventType.ValueType) -> bool:
        return any(event.event_type == kind for event in (await handle.fetch_history()).events)

    program = [sys.executable, "-m", "tests.runtime.workflows_for_tests"]
    killed = await asyncio.create_subprocess_exec(*program, client.service_client.config.target_host, task_queue)
    try:
        handle = await client.start_workflow(LooksAtTheClock.run, id=str(uuid4()), task_queue=task_queue)
        await eventually(lambda: has(EventType.EVENT_TYPE_TIMER_STARTED))
    finally:
        killed.kill()
        await killed.wait()
    query = asyncio.create_task(handle.query(LooksAtTheClock.has_heard))
    await eventually(lambda: has(EventType.EVENT_TYPE_TIMER_FIRED))
    async with forgetful(client, task_queue, LooksAtTheClock), asyncio.timeout(PATIENCE):
        with pytest.raises(WorkflowQueryFailedError, match=TAKEN_UP_AGAIN):
            await query
        await handle.result()
    await replayed(client, LooksAtTheClock, await handle.fetch_history())


@pytest.mark.parametrize("heard", [0, 1])
@pytest.mark.parametrize("asked", ["with the answer", "before it", "again"])
async def test_what_a_local_activity_answers_keeps_its_time_and_place_though_its_task_has_ended(
    dev_server_env: WorkflowEnvironment, task_queue: str, asked: str, heard: int
) -> None:
    """It ends at once where a query comes with it, with the answer or before it; or again, with the task that follows.

    What was told is compared when the test ends and it is replayed.
    """
    at_once = asked == "with the answer"
    client, may_answer = dev_server_env.client, asyncio.Event()
    told: list[str] = []

    @activity.defn(name="look")
    async def looked() -> None:
        if not at_once:
            await may_answer.wait()

    @activity.defn(name="tell")
    async def tell(times: list[str]) -> None:
        told.extend(each.split()[0] for each in times)

    handle = await client.start_workflow(TellsWhenItBegan.run, heard, id=task_queue, task_queue=task_queue)
    query = asyncio.create_task(handle.query(TellsWhenItBegan.is_there, 0.5 if at_once else 0.0))
    await asyncio.sleep(1)  # nothing tells that the server has it, and it is to come with the first task
    async with Worker(
        client,
        task_queue=task_queue,
        workflows=[TellsWhenItBegan],
        activities=[looked, tell],
        workflow_runner=InOrder(),
    ):
        assert await query
        if asked == "again":
            query = asyncio.create_task(handle.query(TellsWhenItBegan.is_there, 0.5))
        for _ in range(heard):
            await handle.signal(TellsWhenItBegan.hear)
        await asyncio.sleep(0.5)  # the signal and the query are to come before the answer
        may_answer.set()
        await handle.result()
        assert await query
    events = (await handle.fetch_history()).events
    ended = [event.event_id for event in events if _ends_a_task(event)]
    answer = next(event.event_id for event in events if event.HasField("marker_recorded_event_attributes"))
    assert (answer < ended[1]) == at_once, "the first task was to end with the answer, or before it"
    assert any(event.HasField("workflow_task_failed_event_attributes") for event in events)
    assert told == ["began", "answered", "heard"][: 2 + heard]


@pytest.mark.parametrize("is_asked", [False, True])
@pytest.mark.parametrize(
    ("told", "late"),
    [
        ([(NEW, 3)], 0),
        ([(NEW, 6)], 3),
        ([(NEW, 7)], 10),
        ([(NEW, 4), (NEW, 8)], 3),
        ([(NEW, 4), (NEW, 9)], 10),
        ([(REPLAYED, 3), (NEW, 3)], 0),
        ([(REPLAYED, 3), (REPLAYED, 8)], 0),
        ([(REPLAYED, 3), (NEW, 8)], 0),
        ([(REPLAYED, 3), (QUERY, 8), (NEW, 8)], 0),
        ([(REPLAYED, 3), (QUERY, 8), (NEW, 11)], 10),
    ],
    ids=[
        "with its task",
        "with the next, after the events of a task alone",
        "with the next, after one event more",
        "with the one after that, which the event of a command is before",
        "with the one after that, after one event more",
        "once more, with its task",
        "in the history",
        "with the task it was taken up in",
        "with one that somebody asks with",
        "with the next after that",
    ],
)
def test_a_workflow_is_taken_up_anew_for_an_answer_that_another_task_may_hold(
    monkeypatch: pytest.MonkeyPatch, told: list[tuple[str, int]], late: int, is_asked: bool
) -> None:
    """A local activity begins with history 3; *told* are the activations that follow, of which the last brings its
    answer: of which kind, the length of the history. What another activation brings is a timer, and another is set.

    It is taken as it comes where it was *late* so often in a row: sooner if no event can be the answer, and at once if
    one can and an update *is asked*, which the history would not have answered."""

    def activate(_self: object, act: WorkflowActivation) -> WorkflowActivationCompletion:
        completion = WorkflowActivationCompletion()
        if act.jobs[0].HasField("fire_timer") and act.history_length == 4:
            completion.successful.commands.add().start_timer.seq = 2
        return completion

    monkeypatch.setattr(_WorkflowInstanceImpl, "activate", activate)
    run, updates = SimpleNamespace(run_id=str(uuid4())), {"1": object()} if is_asked else {}
    late = 0 if is_asked and late == 10 else late

    def is_failed() -> bool:
        instance = _InOrder.__new__(_InOrder)  # type: ignore[type-abstract]
        instance._begun, instance._info, instance._in_progress_updates = {}, run, updates  # type: ignore[assignment]
        under_way = SimpleNamespace(_input=StartLocalActivityInput.__new__(StartLocalActivityInput))
        instance._pending_activities = {1: under_way}  # type: ignore[dict-item]
        begins = [(NEW, 3)] if told[0][0] == NEW else []
        for place, (kind, length) in enumerate([*begins, *told]):
            act = WorkflowActivation(history_length=length, is_replaying=kind != NEW)
            act.timestamp.FromSeconds(length)
            job = act.jobs.add()
            if kind == QUERY:
                job.query_workflow.query_id = "1"
            elif place < len([*begins, *told]) - 1:
                job.fire_timer.seq = 1
            else:
                job.resolve_activity.seq, job.resolve_activity.is_local = 1, True
            failed = instance.activate(act).HasField("failed")
        return failed

    assert [is_failed() for _ in range(11)][: late + 1] == [True] * late + [False]


async def test_what_comes_waits_for_the_answer_of_a_local_activity(
    dev_server_env: WorkflowEnvironment, task_queue: str
) -> None:
    client = dev_server_env.client

    @activity.defn(name="look")
    async def looked() -> None: ...

    handle = await client.start_workflow(LooksAtWhatItHears.run, 2, id=task_queue, task_queue=task_queue)
    for what in ["A", "B"]:
        await handle.signal(LooksAtWhatItHears.hear, what)
    async with Worker(
        client,
        task_queue=task_queue,
        workflows=[LooksAtWhatItHears],
        activities=[looked],
        workflow_runner=InOrder(),
    ):
        assert await handle.result() == ["A heard", "A looked at", "B heard", "B looked at"]


def test_of_what_has_waited_answers_are_first_and_signals_before_all_but_those_and_updates_last() -> None:
    """A timer and a signal that came with two tasks are one task's when replayed, and the SDK has the signal first."""
    update, timer, signal, answer = jobs = [WorkflowActivationJob() for _ in range(4)]
    update.do_update.id = "1"
    timer.fire_timer.seq = 1
    signal.signal_workflow.signal_name = "hear"
    answer.resolve_activity.is_local = True
    instance = _InOrder.__new__(_InOrder)  # type: ignore[type-abstract]
    instance._pending_activities, instance._to_come = {}, len(jobs)
    instance._answers, instance._due, instance._last = deque(), deque(), deque()
    for job in jobs:
        instance._apply(job)
    assert [instance._next() for _ in range(5)] == [answer, signal, timer, update, None]


@pytest.mark.parametrize(
    ("first", "told_by"),
    [
        ("its start", "workflow_execution_started_event_attributes"),
        ("signals", "workflow_execution_signaled_event_attributes"),
        ("answers", "activity_task_completed_event_attributes"),
        ("timers", "timer_fired_event_attributes"),
    ],
)
async def test_what_is_heard_keeps_its_time_though_nothing_comes_of_it(
    dev_server_env: WorkflowEnvironment, task_queue: str, first: str, told_by: str
) -> None:
    """A rejected update has a task without an event, which stays where something comes meanwhile.

    Of all but the start it is the second: what was asked for before the first is an event of its task.
    """
    client = dev_server_env.client

    @activity.defn(name="look")
    async def looked(after: float) -> None:
        await asyncio.sleep(after)

    @activity.defn(name="tell")
    async def tell(when: str) -> None: ...

    async def has_heard(so_much: int) -> bool:
        events = (await handle.fetch_history()).events
        heard = [event.event_id for event in events if event.HasField(told_by)]  # type: ignore[arg-type]
        ended = [event.event_id for event in events if _ends_a_task(event)]
        return len(heard) == so_much and bool(ended) and ended[-1] > (heard or [0])[-1]

    async with Worker(
        client,
        task_queue=task_queue,
        workflows=[TellsWhenItHeard],
        activities=[looked, tell],
        workflow_runner=InOrder(),
    ):
        handle = await client.start_workflow(TellsWhenItHeard.run, first, id=task_queue, task_queue=task_queue)
        for number in range(2 if first == "signals" else 0):
            await eventually(partial(has_heard, number))
            await handle.signal(TellsWhenItHeard.hear)
        await eventually(partial(has_heard, 2 if first.endswith("s") else 1))
        update = asyncio.create_task(handle.execute_update(TellsWhenItHeard.ask))
        await asyncio.sleep(0.25)
        await handle.signal(TellsWhenItHeard.hear)
        with pytest.raises(WorkflowUpdateFailedError):
            await update
        await handle.result()


async def test_a_workflow_ends_with_what_it_hears_though_an_update_that_came_with_it_is_rejected(
    dev_server_env: WorkflowEnvironment, task_queue: str
) -> None:
    """The update holds up the end, and is in no history: what is handed over is replayed without it."""
    client = dev_server_env.client

    def worker() -> Worker:
        return Worker(client, task_queue=task_queue, workflows=[EndsWhenTold], workflow_runner=InOrder())

    async def has_begun() -> bool:
        return any(map(_ends_a_task, (await handle.fetch_history()).events))

    handle = await client.start_workflow(EndsWhenTold.run, id=task_queue, task_queue=task_queue)
    async with worker():
        await eventually(has_begun)
    await handle.signal(EndsWhenTold.hear)
    update = asyncio.create_task(handle.execute_update(EndsWhenTold.ask))
    await asyncio.sleep(1)  # nothing tells that the server has it, and it is to come with the signal
    async with worker():
        with pytest.raises(WorkflowUpdateFailedError):
            await update
        await handle.result()


def _ends_a_task(event: HistoryEvent) -> bool:
    return bool(event.HasField("workflow_task_completed_event_attributes"))
