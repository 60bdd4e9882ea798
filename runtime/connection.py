"""The connection to Temporal, with nothing of a worker: it is in the package that other services install as well."""

import asyncio
from datetime import timedelta
from typing import Any, Final

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.service import KeepAliveConfig, RPCError, RPCStatusCode

DEFAULT_ADDRESS: Final = "localhost:7233"
CONNECT_TIMEOUT: Final = 5.0  # seconds
KEEP_ALIVE: Final = KeepAliveConfig(interval_millis=15_000, timeout_millis=10_000)
"""A connection over which nothing comes back is given up after 25 s (the SDK's own: 45 s)."""


TAKEN_UP_AGAIN: Final = "a query came before the task with what it would have brought; the workflow is taken up again"
"""Why a worker fails a query, or a task, on purpose (docs/decisions/0023). Whoever asked asks again."""


class TemporalUnavailable(Exception):
    """Temporal cannot be used. The message names address and namespace, and what to set."""


def configured_server() -> ClientConnectConfig:
    """What Temporal's own environment (`TEMPORAL_*`) and profiles say; without `target_host` they name no server.

    Raises `TemporalUnavailable` when they cannot be read.
    """
    try:
        return ClientConfig.load_client_connect_config()
    except Exception as error:  # the bridge's ConfigError, or an unreadable certificate
        raise TemporalUnavailable(
            f"Temporal's configuration cannot be read: {error}. Correct the TEMPORAL_* variables, or the profile"
            " (TEMPORAL_PROFILE) in the file TEMPORAL_CONFIG_FILE."
        ) from None


async def reach(config: ClientConnectConfig, **options: Any) -> Client:
    """Connect to the server of *config*, else localhost:7233, and see that it knows the namespace, else `default`.

    *options* are further ones of `Client.connect`. Raises `TemporalUnavailable` within seconds.
    """
    config = ClientConnectConfig(**{"target_host": DEFAULT_ADDRESS, "namespace": "default", **config})
    address, namespace = config["target_host"], config["namespace"]
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            client = await Client.connect(**config, keep_alive_config=KEEP_ALIVE, **options)
        await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=namespace), timeout=timedelta(seconds=CONNECT_TIMEOUT)
        )
    except RPCError as error:
        raise TemporalUnavailable(_explain(error, address, namespace)) from None
    except (RuntimeError, ValueError, TimeoutError) as error:  # the bridge raises nothing more telling
        reason = "no answer" if isinstance(error, TimeoutError) else _short(str(error))
        raise TemporalUnavailable(
            f"Temporal does not answer at {address}, namespace {namespace!r} ({reason})."
            " Start it, or set TEMPORAL_ADDRESS; without a server of your own, `redress up` brings one."
        ) from None
    return client


def _explain(error: RPCError, address: str, namespace: str) -> str:
    match error.status:
        case RPCStatusCode.NOT_FOUND:
            return (
                f"Temporal at {address} has no namespace {namespace!r}. Set TEMPORAL_NAMESPACE, or create it:"
                f" temporal operator namespace create --address {address} --namespace {namespace}"
            )
        case RPCStatusCode.UNAUTHENTICATED | RPCStatusCode.PERMISSION_DENIED:
            return (
                f"Temporal at {address} refuses us in namespace {namespace!r}: {error.message}."
                " Set TEMPORAL_API_KEY, or the TEMPORAL_TLS_* certificates."
            )
        case _:
            return f"Temporal at {address}, namespace {namespace!r}, is in trouble: {error.message}. Try again later."


def _short(text: str) -> str:
    """The operating system's words out of the bridge's nested error."""
    for words in (
        "Connection refused",
        "failed to lookup address information",
        "invalid target URL",
        "InvalidCertificate",
    ):
        if words in text:
            return words
    return text
