"""Retention runs out by a Temporal Schedule, which is made here."""

from datetime import timedelta
from typing import Final

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleCalendarSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
)

from starter.client.schedules import put_schedule

SCHEDULE: Final = "retention"


async def schedule_retention(client: Client, *, hour: int, task_queue: str) -> bool:
    """Have what is kept no longer erased each day at that *hour* (UTC). Returns whether there was a schedule before."""
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(
            "Retention", id=SCHEDULE, task_queue=task_queue, static_summary="Erase what is kept no longer"
        ),
        spec=ScheduleSpec(calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(hour)])]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(days=1)),
    )
    return await put_schedule(client, SCHEDULE, schedule)
