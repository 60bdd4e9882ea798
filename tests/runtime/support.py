"""What the tests of the plumbing share."""

import socket
from collections.abc import Callable, Mapping
from typing import Any, Final

from temporalio.client import WorkflowHistory

from tests.patience import eventually

_OF_EVENTS: Final = {
    "eventId",
    "scheduledEventId",
    "startedEventId",
    "workflowTaskCompletedEventId",
    "acceptedEventId",
    "acceptedRequestSequencingEventId",
}


async def until(condition: Callable[[], object]) -> None:
    """Wait until the condition holds."""

    async def check() -> object:
        return condition()

    await eventually(check)


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def renamed(value: Any, names: Mapping[str, str]) -> Any:
    """The same where events have these *names*."""
    if isinstance(value, list):
        return [renamed(each, names) for each in value]
    if not isinstance(value, dict):
        return value
    return {name: names.get(each, each) if name in _OF_EVENTS else renamed(each, names) for name, each in value.items()}


def numbered(history: WorkflowHistory, events: list[dict[str, Any]]) -> WorkflowHistory:
    """*history* with these *events* only, which are numbered anew."""
    numbers = {each["eventId"]: str(number) for number, each in enumerate(events, start=1)}
    return WorkflowHistory.from_json(history.workflow_id, {"events": renamed(events, numbers)})
