"""Temporal Schedules: made, or put in the place of the one that was there."""

from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)


async def put_monthly(
    client: Client,
    start: ScheduleActionStartWorkflow,
    *,
    day: int,
    hour: int,
    zone: str,
    overlap: ScheduleOverlapPolicy,
    every: int = 1,
) -> bool:
    """Have *start* done on that *day* of each month, at that *hour* of the *zone*, under the id of its workflow.

    With *every* 3 in each third month only, from January on.

    A month that was missed is made up for within 31 days. Returns whether there was an order before.
    """
    calendar = ScheduleCalendarSpec(
        month=[ScheduleRange(1, 12, every)], day_of_month=[ScheduleRange(day)], hour=[ScheduleRange(hour)]
    )
    schedule = Schedule(
        action=start,
        spec=ScheduleSpec(calendars=[calendar], time_zone_name=zone),
        policy=SchedulePolicy(overlap=overlap, catchup_window=timedelta(days=31)),
    )
    return await put_schedule(client, start.id, schedule)


async def put_schedule(client: Client, name: str, schedule: Schedule) -> bool:
    """Have *schedule* run under *name* from now on. Returns whether there was one before."""
    try:
        await client.create_schedule(name, schedule)
    except ScheduleAlreadyRunningError:

        async def replace(_: ScheduleUpdateInput) -> ScheduleUpdate:
            return ScheduleUpdate(schedule=schedule)

        await client.get_schedule_handle(name).update(replace)
        return True
    return False
