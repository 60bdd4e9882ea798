"""What a life waits for, however long: the only places where it may turn aside or go on in a new run."""

from collections.abc import Callable

from temporalio import workflow


class Diverted(Exception):
    """The complaint was withdrawn or turned out to be somebody else's: its ordinary life ends here."""


class CarryOver(Exception):
    """The history has grown long: the workflow goes on in a new run."""


class Waiting:
    """The wait that a life is in. ``what`` says for people what for; it is *idle* unless an effect is under way."""

    def __init__(self, diverted: Callable[[], bool] = lambda: False) -> None:
        """*diverted* tells whether the life is to turn aside."""
        self._diverted = diverted
        self.what: str | None = None
        self.idle = False

    async def until(self, condition: Callable[[], bool], what: str, *, idle: bool = True, diverts: bool = True) -> None:
        """Wait until *condition* holds.

        Raises :class:`Diverted` when the life is to turn aside meanwhile (unless what is waited for must come first),
        and :class:`CarryOver` when the history has grown long: both only here, where nothing is half done.
        """
        self.what, self.idle = what, idle
        suggested = workflow.info().is_continue_as_new_suggested
        await workflow.wait_condition(lambda: condition() or (diverts and self._diverted()) or suggested())
        self.what, self.idle = None, False
        if diverts and self._diverted():
            raise Diverted
        if not condition():
            raise CarryOver
