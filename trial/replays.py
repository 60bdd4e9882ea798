"""Every history must lead to the same commands when it is replayed, with the worker's own settings."""

from collections.abc import AsyncIterator

from temporalio.client import Client, WorkflowHistory

from worker import build_replayer


async def find_unreplayable(client: Client, task_queue: str) -> list[tuple[WorkflowHistory, str]]:
    """The histories of *task_queue* that lead elsewhere when they are replayed, of every run, and what the SDK says."""
    wrong: list[tuple[WorkflowHistory, str]] = []

    async def histories() -> AsyncIterator[WorkflowHistory]:
        async for one in client.list_workflows(f"TaskQueue = '{task_queue}'"):
            yield await client.get_workflow_handle(one.id, run_id=one.run_id).fetch_history()

    async with build_replayer().workflow_replay_iterator(histories()) as results:
        async for result in results:
            if result.replay_failure:
                wrong.append((result.history, str(result.replay_failure)))
    return wrong
