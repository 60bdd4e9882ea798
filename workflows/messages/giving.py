"""Tasks: given to somebody, done, or given to somebody else."""

from temporalio import workflow

from domain.case import tasks
from domain.case.messages.giving import FinishTask, GiveTask, ReassignTask
from domain.case.task_kinds import TASKS
from workflows.parts.casework import Casework


def give(work: Casework, request: GiveTask) -> str:
    """Somebody has something to do beside handling the case."""
    task = work.tasks.give(request)
    return f"task {task.spoken}{f' to {task.owner}' if task.owner else ''}"


def must_be_kept(work: Casework, request: GiveTask) -> None:
    """A clock keeps it, and whoever gets it may have it."""
    tasks.check_given(work.case, request, workflow.now())


def finish(work: Casework, request: FinishTask) -> str:
    """It is done."""
    return f"task {work.tasks.finish(request).spoken}, done"


def must_be_open(work: Casework, request: FinishTask) -> None:
    """The task is open and the actor's to end, and ends by being said to be done."""
    tasks.check_finished(work.case, request)


def reassign(work: Casework, request: ReassignTask) -> str:
    """Somebody else has it."""
    task = work.tasks.reassign(request)
    return f"task {task.number} ({TASKS[task.kind].does.en}) to {request.owner}"


def must_be_allowed_to_have_it(work: Casework, request: ReassignTask) -> None:
    """The task is open and the actor's to give, and whoever gets it is not kept out."""
    tasks.check_theirs(work.case, tasks.open_task(work.case, request.task), request.actor)
    tasks.check_owner(work.case, request.owner)
