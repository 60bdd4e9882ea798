"""Is the worker on this machine at work? Exit code 0 if Temporal saw it poll lately, else 1 and the reason.

For the health check of a container: `python deploy/worker_health.py`. A worker listens on no port, so the server is
asked: it knows by identity, ``pid@hostname``, who polled the task queue and when.
"""

import socket
import sys
from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest

from runtime.settings import ConfigurationError, load_settings
from runtime.temporal import TemporalUnavailable, connect, run

FRESH = timedelta(minutes=2)  # an idle worker polls again within a minute


async def problem() -> str | None:
    """What is wrong, or None while this machine polls for workflow tasks and for activity tasks."""
    try:
        settings = load_settings()
        client = await connect(settings)
    except (ConfigurationError, TemporalUnavailable) as error:
        return str(error)
    host = socket.gethostname()
    for kind, name in (
        (TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, "workflow"),
        (TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY, "activity"),
    ):
        queue = await client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=client.namespace, task_queue=TaskQueue(name=settings.task_queue), task_queue_type=kind
            )
        )
        since = datetime.now(UTC) - FRESH
        if not any(
            poller.identity.endswith(f"@{host}") and poller.last_access_time.ToDatetime(UTC) > since
            for poller in queue.pollers
        ):
            return f"no worker of {host} asked for {name} tasks on task queue {settings.task_queue} in the last {FRESH}"
    return None


if __name__ == "__main__":
    sys.exit(run(problem()))
