"""A worker for the tests of the stack: one workflow that counts signals, and nothing of complaints."""

import asyncio
import signal
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.worker import Worker

from runtime.database import open_pool
from runtime.logging import configure_logging
from runtime.postgres import find_database
from runtime.settings import load_settings
from runtime.temporal import connect, run


@workflow.defn(name="Count", sandboxed=False)  # this file imports what no workflow may
class Count:
    """Counts `add` signals until it is told to finish, then has the database add one more."""

    def __init__(self) -> None:
        self._count = 0
        self._finish = False

    @workflow.run
    async def run(self) -> int:
        await workflow.wait_condition(lambda: self._finish)
        workflow.logger.info("counted")
        return await workflow.execute_activity(add_one, self._count, start_to_close_timeout=timedelta(seconds=10))

    @workflow.signal
    def add(self) -> None:
        self._count += 1

    @workflow.signal
    def finish(self) -> None:
        self._finish = True


@activity.defn
async def add_one(count: int) -> int:
    pool = await open_pool(find_database(load_settings()))
    try:
        return int(await pool.fetchval("select $1::int + 1", count))
    finally:
        await pool.close()


async def main() -> None:
    settings = load_settings()
    configure_logging(settings.log_format, settings.log_level)
    client = await connect(settings)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with Worker(client, task_queue=settings.task_queue, workflows=[Count], activities=[add_one]):
        await stop.wait()


if __name__ == "__main__":
    run(main())
