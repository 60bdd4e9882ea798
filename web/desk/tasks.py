"""Tasks at the desk: the form that is the next step of each."""

from typing import Final

from domain.ground.words import TaskKind
from starter.reading.tasks import TaskView

_FORMS: Final = {
    TaskKind.VERIFY: "verify_complainant",
    TaskKind.CONFIRM_REMEDY: "confirm_remedy",
    TaskKind.DECIDE: "propose_resolution",
}


def form_of(task: TaskView) -> str:
    """The form by which a task comes to its end, with what it begins with."""
    return _FORMS.get(task.kind) or f"finish_task?task={task.number}"
