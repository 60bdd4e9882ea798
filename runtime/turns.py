"""The order in which a workflow is handed what reached it: one thing after the other, answers of local activities
first, updates last.

The SDK hands over what came together at once, updates and signals first. But what stands in one activation when it
happens may stand in two when it is replayed, or the other way round: a worker that has forgotten the workflow takes two
tasks that ended without a command for one (temporalio/sdk-python#1591), is handed signals by themselves and the update
that came with them after that, and one that is asked a query first has what came after the last task handed over by
itself. So a history would have another order of commands than its replay. A signal, an answer of an activity, or a
timer is before an update in any case where it is handed over alone, so it must be where both come together; and what
follows from one thing must be done before the next is handed over, as it is where they come apart. So that tasks are
not taken for one, they leave an event (docs/decisions/0026). The answer of a local activity comes with a later task
than it is of, where that has ended meanwhile: everything else waits for it, and no order of ours mends the rest. The
task that brings such an answer is failed, and the workflow taken up anew (docs/decisions/0027). So is one that brings a
signal after the answer of an activity which only a query has brought: the two would be the other way round where they
come together (docs/decisions/0023).
"""

import dataclasses
from collections import Counter, deque
from collections.abc import Container, Iterator, Sequence
from contextvars import ContextVar
from typing import Any, Final

from temporalio.api.common.v1 import Payload
from temporalio.bridge.proto.workflow_activation import WorkflowActivation, WorkflowActivationJob
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import ActivitySerializationContext, SerializationContext
from temporalio.worker import (
    StartLocalActivityInput,
    UnsandboxedWorkflowRunner,
    WorkflowInstance,
    WorkflowInstanceDetails,
)
from temporalio.worker._command_aware_visitor import CommandInfo
from temporalio.worker._workflow_instance import _WorkflowInstanceImpl

from domain.keys.public import READABLE
from domain.keys.scopes import activity_of_run
from runtime.connection import TAKEN_UP_AGAIN

_ENDS: Final = (
    "complete_workflow_execution",
    "continue_as_new_workflow_execution",
    "fail_workflow_execution",
    "cancel_workflow_execution",
)
_UNDOES: Final = ("request_cancel_activity", "cancel_timer")
"""Commands after which what was asked for just before leaves no event."""
_UNHEARD: Final = ("do_update", "update_random_seed")
"""What leaves an event where it comes to anything, or tells the workflow nothing."""
_TOGETHER = ("notify_has_patch", "query_workflow", "remove_from_cache")
"""What the SDK may hand over as it does: nothing of a history follows from it."""

_MOST_AGAIN: Final = 3
"""How often a workflow is taken up anew for answers that are late, one after the other: somebody may ask all the time,
and an activity take all of each task."""
_MOST_IN_DOUBT: Final = 10
"""How often where the history may hold the answer by now: taken up, the workflow has it as every replay will."""
_MOST_LATE: Final = 10_000
_LATE: Final[Counter[str]] = Counter()
"""How often each run was by now, whose last answer was late."""

_OF_A_TASK: Final = 3
"""The events of a task: it is scheduled, begins, and ends."""

_ASKED_BY_ITSELF = "legacy_query"
"""The id of a query that came with no task. What came before it may have been handed over for it alone."""


HANDING_OVER: Final = ContextVar("handing over", default=False)
"""Whether a workflow is just handed something; a replayer does so in the loop of its process."""


class InOrder(UnsandboxedWorkflowRunner):
    """Runs workflows without a sandbox, hands over one thing after the other, updates last.

    It also says which activity of which run a payload is of; the SDK gives a codec no more than its name.
    """

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return _InOrder(det)  # type: ignore[abstract]


class _InOrder(_WorkflowInstanceImpl):
    _answers: deque[WorkflowActivationJob]
    """Of local activities, still to be handed over."""
    _due: deque[WorkflowActivationJob]
    """What is to be handed over after those, whichever activation brought it."""
    _last: deque[WorkflowActivationJob]
    """Updates, to be handed over last."""
    _to_come: int
    """How many the SDK has not given us yet."""
    _begun: dict[int, int]
    """How long the history was with the task that each local activity is under way in; 0 where only a replay has told
    of it yet."""
    _seen: tuple[int, int] = (0, 0)
    """When the last task began (nanoseconds), and how long the history was by the last activation."""
    _asked = 0
    """How many events at least the commands of the last task leave."""
    _was_replayed = False
    """Whether the last that was handed over had happened before, to another worker or to a forgotten instance."""
    _is_taken_up = False
    """Whether what was handed over last is the first that had not: it is a task of ours, or came for a query."""
    _is_held_up = False
    """Whether the workflow would have ended with what was handed over last, but for what is still to be."""
    _has_begun = False
    """Whether what came with the start has been done."""

    def __init__(self, det: WorkflowInstanceDetails) -> None:
        super().__init__(det)
        self._answers, self._due, self._last, self._begun = deque(), deque(), deque(), {}

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        token = HANDING_OVER.set(True)
        try:
            return self._activate(act)
        finally:
            HANDING_OVER.reset(token)

    def _activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        self._to_come = sum(not _is_together(job) for job in act.jobs)
        if _has_events(act):
            at, length = act.timestamp.ToNanoseconds(), act.history_length
            before, known = self._seen
            if (at == before and length > known) or self._is_late(act):
                return _begin_again()
            if (at, length) != self._seen:
                self._is_taken_up, self._asked = self._was_replayed and not act.is_replaying, 0
            self._seen, self._was_replayed = (at, length), act.is_replaying
        elif self._is_taken_up and any(job.query_workflow.query_id == _ASKED_BY_ITSELF for job in act.jobs):
            return _begin_again()
        completion = super().activate(act)
        self._has_begun = True
        self._asked += _events_of(completion.successful.commands)
        length = 0 if act.is_replaying and _has_events(act) else act.history_length
        self._begun = {seq: self._begun.get(seq) or length for seq in self._under_way()}
        return completion

    def _is_late(self, act: WorkflowActivation) -> bool:
        """Whether a local activity is answered in another task than it was under way in, which may hold the answer.

        While an update is in hand such an answer is taken as it comes: taken up, the workflow would answer the update
        in a task that is over, and the SDK loses what an update is answered there (docs/decisions/0027).
        """
        answered = [self._begun.get(job.resolve_activity.seq) for job in act.jobs if _is_local(job)]
        if not answered or act.is_replaying:
            return False
        late = any(length and act.history_length > length for length in answered)
        unrecorded = self._is_unrecorded(act)
        most = _MOST_AGAIN if unrecorded else 0 if self._in_progress_updates else _MOST_IN_DOUBT
        if late and _LATE[self._info.run_id] < most:
            if len(_LATE) >= _MOST_LATE:  # other workers have had the next answers of these
                _LATE.clear()
            _LATE[self._info.run_id] += 1
            return True
        del _LATE[self._info.run_id]
        return False

    def _is_unrecorded(self, act: WorkflowActivation) -> bool:
        """Whether all events since the last activation are accounted for, so that no answer is among them: it will be
        recorded with the task that brings it, and have the time of that in every replay.
        """
        came = sum(map(_events_before, act.jobs))
        return act.history_length == self._seen[1] + self._asked + _OF_A_TASK + came

    def _leave_an_event(self, before: int) -> None:
        """Of a task that may have none otherwise: one that asks for a local activity, or hears of something.

        A task without an event is one with the next, if that follows at once, when it is replayed, and has the time of
        that (docs/decisions/0026). What costs least is to unset what was never set in the memo. It is not needed after
        an event, by any of the commands from *before* on, nor where only an update holds up the end: if it is rejected
        it is in no history, and nothing holds up the end in a replay.
        """
        commands = self._current_completion.successful.commands
        since = commands[before:]
        undone = _undone_by(since)
        has_one = any(_leaves_an_event(command, undone) for command in since)
        has_ended = any(command.HasField(each) for command in commands for each in _ENDS)
        if not (self._is_held_up or has_one or has_ended):
            unset = Payload(metadata={"encoding": b"binary/null", READABLE: b"readable"})
            commands.add().modify_workflow_properties.upserted_memo.fields["apart"].CopyFrom(unset)

    def workflow_patch(self, id: str, **more: Any) -> bool:
        """As the SDK's, at the beginning of a run only.

        A task may end with the answer of a local activity alone, when that comes as the task's time is over. What
        follows from the answer is in the next task then, with its changes; when replayed it follows at once, before the
        SDK has looked at that task, and every change in it would be taken for one that had not been there
        (docs/decisions/0025).
        """
        if self._has_begun and id not in self._patches_memoized:
            raise RuntimeError(
                f"patched({id!r}) is asked too late; ask it in __init__ of the workflow and keep the answer"
            )
        return super().workflow_patch(id, **more)

    def _apply(self, job: WorkflowActivationJob) -> None:
        if _is_together(job):
            super()._apply(job)
        else:
            kind = self._answers if _is_local(job) else self._last if job.HasField("do_update") else self._due
            kind.append(job)
            self._to_come -= 1

    def workflow_all_handlers_finished(self) -> bool:
        """A workflow that ends when nothing is in hand does not end before an update that came with the last answer."""
        finished = super().workflow_all_handlers_finished()
        waits = bool(self._answers or self._due or self._last)
        self._is_held_up |= finished and waits
        return finished and not waits

    def _run_once(self, *, check_conditions: bool, jobs: Sequence[WorkflowActivationJob]) -> None:
        ran = False
        while job := self._next():
            self._is_held_up = False
            before = len(self._current_completion.successful.commands)
            super()._apply(job)
            super()._run_once(check_conditions=True, jobs=jobs)
            if _is_heard(job) or (self._does_at_once and not job.HasField("do_update")):
                self._leave_an_event(before)
            ran = True
        if not ran:
            super()._run_once(check_conditions=check_conditions and not self._does_at_once, jobs=jobs)

    def _next(self) -> WorkflowActivationJob | None:
        """What is to be handed over now; nothing but its answer while a local activity is under way.

        An update is, once all is here that came with it: what waited for nothing to be in hand goes on even if the last
        update is rejected. That is in no history, but what it came with is, and lets go on at a replay too.
        """
        if self._answers:
            return self._answers.popleft()
        if self._does_at_once:
            return None
        if self._due:
            # What waited may have come with two tasks, which are one when replayed: signals are first then.
            job = next((job for job in self._due if job.HasField("signal_workflow")), self._due[0])
            self._due.remove(job)
            return job
        return self._last.popleft() if self._last and self._to_come == 0 else None

    def get_serialization_context(self, command_info: CommandInfo | None) -> SerializationContext | None:
        context = super().get_serialization_context(command_info)
        if not (command_info and isinstance(context, ActivitySerializationContext)):
            return context
        info = self._info
        own = activity_of_run(command_info.command_seq, info.first_execution_run_id, info.continued_run_id)
        return dataclasses.replace(context, activity_id=own)

    @property
    def _does_at_once(self) -> bool:
        """Whether a local activity is under way."""
        return any(self._under_way())

    def _under_way(self) -> Iterator[int]:
        """The numbers of local activities that are to be answered."""
        pending = self._pending_activities.items()
        return (seq for seq, one in pending if isinstance(one._input, StartLocalActivityInput))


def _leaves_an_event(command: WorkflowCommand, undone: Container[tuple[str, int]]) -> bool:
    """Whether it surely does, or leaves it to what undoes it later: that leaves an event itself."""
    if command.HasField("schedule_activity"):
        return ("request_cancel_activity", command.schedule_activity.seq) not in undone
    if command.HasField("start_timer"):
        return ("cancel_timer", command.start_timer.seq) not in undone
    return command.HasField("upsert_workflow_search_attributes") or command.update_response.HasField("completed")


def _undone_by(commands: Sequence[WorkflowCommand]) -> set[tuple[str, int]]:
    return {(kind, getattr(each, kind).seq) for each in commands for kind in _UNDOES if each.HasField(kind)}


def _events_of(commands: Sequence[WorkflowCommand]) -> int:
    """How many events *commands* leave at least."""
    undone = _undone_by(commands)
    return sum(one.HasField("modify_workflow_properties") or _leaves_an_event(one, undone) for one in commands)


def _events_before(job: WorkflowActivationJob) -> int:
    """How many events there are at least where *job* is handed over, before the task that brings it."""
    if job.HasField("signal_workflow") or job.HasField("fire_timer"):
        return 1
    done = not _is_local(job) and job.HasField("resolve_activity") and job.resolve_activity.result.HasField("completed")
    return 2 if done else 0


def _is_heard(job: WorkflowActivationJob) -> bool:
    """Whether its task may have no event where nothing comes of it: an update that is heard has one, and so has a local
    activity's answer."""
    return not _is_local(job) and not any(job.HasField(each) for each in _UNHEARD)


def _is_local(job: WorkflowActivationJob) -> bool:
    """Whether it is the answer of a local activity."""
    return job.HasField("resolve_activity") and job.resolve_activity.is_local


def _has_events(act: WorkflowActivation) -> bool:
    """Whether something is handed over that the history tells of; no query, and not that the workflow is forgotten."""
    return any(not job.HasField("query_workflow") and not job.HasField("remove_from_cache") for job in act.jobs)


def _begin_again() -> WorkflowActivationCompletion:
    """Fails the task or the query, so that the workflow is forgotten, and taken up anew with all that a task brings."""
    completion = WorkflowActivationCompletion()
    completion.failed.failure.message = TAKEN_UP_AGAIN
    completion.failed.failure.application_failure_info.type = "TakenUpAgain"
    return completion


def _is_together(job: WorkflowActivationJob) -> bool:
    return any(job.HasField(each) for each in _TOGETHER)  # type: ignore[arg-type]
