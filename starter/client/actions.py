"""Corrective actions and the mailed report, over Temporal: begun, ended, ordered."""

import uuid
from typing import Any, Final, Literal

from temporalio.client import (
    Client,
    ScheduleActionStartWorkflow,
    ScheduleOverlapPolicy,
    WorkflowUpdateFailedError,
)
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from domain.ground.people import Actor
from domain.learning.actions import CorrectiveAction, ReportOrder
from domain.learning.messages import EndAction
from starter.client.conversation import Refused
from starter.client.schedules import put_monthly

ACTION: Final = "CorrectiveAction"
REPORT: Final = "MonthlyReport"
SCHEDULE: Final = "redress-monthly-report"


class ActionNotFound(LookupError):
    """There is no corrective action of this id, or it has ended."""


async def open_action(client: Client, action: CorrectiveAction, *, task_queue: str) -> None:
    """Begin *action*. Raises `Refused` where there is one of that id."""
    try:
        await client.start_workflow(
            ACTION,
            action,
            id=action.action,
            task_queue=task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            static_summary=f"Action against {action.cause}, due {action.due}",
        )
    except WorkflowAlreadyStartedError:
        raise Refused(f"action: there is a {action.action} already; give another id") from None


async def end_action(
    client: Client,
    action: str,
    end: Literal["done", "dropped"],
    reason: str,
    *,
    by: Actor,
    message_id: str | None = None,
) -> None:
    """Say that an action is done, or drop it. Raises `Refused` and `ActionNotFound`."""
    said = EndAction(message_id=message_id or f"end-{uuid.uuid4()}", actor=by, end=end, reason=reason)
    try:
        await client.get_workflow_handle(action).execute_update("end_action", said, id=f"end_action:{said.message_id}")
    except WorkflowUpdateFailedError as error:
        raise Refused(str(error.cause)) from None
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise ActionNotFound(f"there is no open corrective action {action}") from None
        raise


async def schedule_report(client: Client, order: ReportOrder, *, day: int, hour: int, task_queue: str) -> bool:
    """Have the report mailed on that *day* of each month, at that *hour* of its zone; replaces an earlier order.

    Returns whether there was one.
    """
    start = ScheduleActionStartWorkflow(
        REPORT, order, id=SCHEDULE, task_queue=task_queue, static_summary="The report on last month, by mail"
    )
    overlap = ScheduleOverlapPolicy.BUFFER_ALL
    return await put_monthly(client, start, day=day, hour=hour, zone=order.zone, overlap=overlap)


async def mail_now(client: Client, order: ReportOrder, *, task_queue: str, **more: Any) -> str:
    """Have the report on the period before mailed now; returns the period's name."""
    name: str = await client.execute_workflow(
        REPORT, order, id=f"{SCHEDULE}-{uuid.uuid4()}", task_queue=task_queue, result_type=str, **more
    )
    return name
