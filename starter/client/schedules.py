"""Temporal Schedules: made, or put in the place of the one that was there."""

from temporalio.client import Client, Schedule, ScheduleAlreadyRunningError, ScheduleUpdate, ScheduleUpdateInput


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
