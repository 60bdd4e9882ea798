"""Every history must lead to the same commands when it is replayed, with the worker's own settings."""

from collections.abc import AsyncIterator

from temporalio.client import Client, WorkflowHistory

from worker import build_replayer


async def replay(history: WorkflowHistory) -> None:
    """Replay one history; raises what the SDK does, the second time.

    A replay that was not given the processor for two seconds looks like one that leads elsewhere, but not twice.
    """
    first = await build_replayer().replay_workflow(history, raise_on_replay_failure=False)
    if first.replay_failure:
        await build_replayer().replay_workflow(history)


async def find_unreplayable(client: Client, task_queue: str) -> list[tuple[WorkflowHistory, str]]:
    """The histories of *task_queue* that lead elsewhere when they are replayed, of every run, and what the SDK says."""
    wrong: list[tuple[WorkflowHistory, str]] = []

    async def histories() -> AsyncIterator[WorkflowHistory]:
        async for one in client.list_workflows(f"TaskQueue = '{task_queue}'"):
            yield await client.get_workflow_handle(one.id, run_id=one.run_id).fetch_history()

    async with build_replayer().workflow_replay_iterator(histories()) as results:
        async for result in results:
            if result.replay_failure:
                try:
                    await replay(result.history)
                except Exception as error:
                    wrong.append((result.history, str(error)))
    return wrong
