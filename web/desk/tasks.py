"""Tasks at the desk: the form that is the next step of each."""

from domain.case.task_kinds import TASKS
from starter.reading.tasks import TaskView


def form_of(task: TaskView) -> str:
    """The form by which a task comes to its end, with what it begins with."""
    return TASKS[task.kind].ends_by or f"finish_task?task={task.number}"
