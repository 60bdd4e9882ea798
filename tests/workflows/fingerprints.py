"""The order of commands of recorded lives: what running cases rely on, kept as text beside each recorded history.

Until CHANGELOG.md names a release, another order is recorded anew with `HOW_TO_RECORD`; afterwards it is not: what a
workflow does differently goes behind `workflow.patched`, and cases that began before go on in the old order.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

ROOT: Final = Path(__file__).parents[2]
HISTORIES: Final = Path(__file__).parent / "histories"
HOW_TO_RECORD: Final = "python -m pytest tests/workflows tests/incidents --record-histories tests/workflows/histories"

_COMMANDS: Final = {
    EventType.EVENT_TYPE_TIMER_STARTED: "timer",
    EventType.EVENT_TYPE_TIMER_CANCELED: "cancel timer",
    EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED: "cancel activity",
    EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: "search attributes",
    EventType.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED: "memo",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: "accept update",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED: "answer update",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: "end",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: "fail",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: "continue as new",
}


@cache
def life(place: Path) -> WorkflowHistory:
    """The recorded history at *place*, for looking only: read once for all tests of a process."""
    return WorkflowHistory.from_json("read", place.read_text("utf-8"))


def commands(history: WorkflowHistory) -> list[str]:
    """What the workflow commanded, in order."""
    return [command for event in history.events for command in _command(event)]


def _command(event: HistoryEvent) -> Iterator[str]:
    if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
        yield f"activity {event.activity_task_scheduled_event_attributes.activity_type.name}"
    elif event.event_type == EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
        yield f"signal {event.signal_external_workflow_execution_initiated_event_attributes.signal_name}"
    elif event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED:
        marker = event.marker_recorded_event_attributes
        data = next(
            (marker.details[name].payloads[0] for name in ("data", "patch-data") if name in marker.details), None
        )
        told = json.loads(data.data) if data else {}
        yield f"{marker.marker_name} {told.get('activity_type') or told.get('id') or ''}".strip()
    elif event.event_type in _COMMANDS:
        yield _COMMANDS[event.event_type]


def is_released() -> bool:
    """Whether CHANGELOG.md names a release: from then on, cases of others rely on the recorded order."""
    return bool(re.search(r"^## \[\d", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE))


def what_to_do(*, released: bool) -> str:
    """What a person does about another order of commands."""
    if released:
        return (
            "The order of a workflow's commands has changed, and cases that run rely on it: put the change behind "
            "`workflow.patched(...)`. A life recorded with it is added as another file; none is replaced."
        )
    changed = "The order of a workflow's commands has changed. Nothing is released yet: record it anew with"
    return f"{changed}\n  {HOW_TO_RECORD}"


def keep(place: Path, history: WorkflowHistory, *, released: bool) -> None:
    """Write the order of commands beside the history at *place*. Raises ``ValueError`` if a released one changes."""
    file, now = place.with_suffix(".commands"), "\n".join(commands(history)) + "\n"
    if released and file.exists() and file.read_text("utf-8") != now:
        raise ValueError(f"{place.name}: {what_to_do(released=True)}")
    file.write_text(now, encoding="utf-8")
