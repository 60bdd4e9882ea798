"""The client as the service itself has it: connected as its settings say, or to the stack in its state folder."""

from typing import TypeVar

from runtime.keys.here import hold_keys
from runtime.settings import load_settings
from runtime.temporal import connect
from starter.client.conversation import Conversation

C = TypeVar("C", bound=Conversation)


async def connected(to: type[C]) -> C:
    """Connect as the environment says (``TEMPORAL_*``, ``REDRESS_*``). Raises ``TemporalUnavailable``."""
    settings = load_settings()
    hold_keys(settings)
    return to(await connect(settings), task_queue=settings.task_queue)
