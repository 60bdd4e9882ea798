"""What people say of a corrective action. Apart from what actions are: a client needs these words alone."""

from typing import Final, Literal

from domain.ground.base import Text
from domain.ground.messages import Message


class EndAction(Message):
    """Somebody says that an action is done, or drops it, and why."""

    name = "end_action"
    end: Literal["done", "dropped"]
    reason: Text


ACTION_UPDATES: Final[tuple[type[Message], ...]] = (EndAction,)
