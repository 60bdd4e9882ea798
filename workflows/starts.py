"""With what a workflow was started: by anybody, or by an earlier run of its own; and what becomes of what is none."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Final, NoReturn

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from domain.case.requests import RefusedMessage, RefuseStart
from workflows import effects
from workflows.raw import decoded, is_plain, kept

_LONG_ENOUGH: Final = timedelta(days=3650)
"""A timeout of so many days is none: Temporal's test server gives it to all."""


def given(start: Sequence[Any], what: str) -> Any:
    """The one value that *start*, the arguments, brings: *what*, or all that an earlier run hands over.

    Raises ``ValueError`` saying what is wrong with the start.
    """
    check_options()
    if len(start) != 1:
        raise ValueError(f"start: {what} begins with one JSON object, not with {len(start)} arguments")
    if is_continued() and is_plain(start[0]):
        raise ValueError("start: an earlier run that was no worker of ours hands this over; what one does is sealed")
    return decoded(start[0])


def check_options() -> None:
    """Raise ``ValueError`` if Temporal was told to end the workflow from outside, or to run it again.

    A run that Temporal begins for a schedule or a policy has the input of the first, which anybody may have sent, and
    looks like one that an earlier run continued.
    """
    info = workflow.info()
    if info.cron_schedule:
        raise ValueError("start: it has a cron schedule, which would run it again and again; start it without one")
    if info.retry_policy:
        raise ValueError("start: it has a retry policy; start it without one, what fails is tried again by itself")
    for name, limit in (("execution", info.execution_timeout), ("run", info.run_timeout)):
        if limit and limit < _LONG_ENOUGH:
            raise ValueError(f"start: it has a workflow {name} timeout, which would cut it off; start it without one")


def is_continued() -> bool:
    """Whether an earlier run handed over what this one began with, the options having been checked."""
    return workflow.info().continued_run_id is not None


async def refuse(
    start: Sequence[Any], error: ApplicationError, more: Callable[[], list[RefusedMessage]] = list
) -> NoReturn:
    """There can be no case or incident: what was sent is written down where `redress show` finds it.

    *more* gives what was sent beside the start, as much of it as one effect carries, until there is none.
    """
    number, messages, info = 0, [RefusedMessage(name="start", payload=kept(start))], workflow.info()
    while messages:
        await effects.refuse_start(
            RefuseStart(
                workflow_id=info.workflow_id,
                # The start is kept once, however often it is repeated.
                run=info.run_id if number else info.first_execution_run_id,
                number=number,
                at=workflow.now(),
                reason=error.message,
                messages=tuple(messages),
            )
        )
        number += 1
        messages = more()
    raise error
