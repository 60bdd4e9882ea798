"""The connection to Temporal, with nothing of a worker: it is in the package that other services install as well."""

import asyncio
from datetime import timedelta
from typing import Any, Final

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.service import KeepAliveConfig, RPCError, RPCStatusCode, TLSConfig

DEFAULT_ADDRESS: Final = "localhost:7233"
CONNECT_TIMEOUT: Final = 5.0  # seconds
KEEP_ALIVE: Final = KeepAliveConfig(interval_millis=15_000, timeout_millis=10_000)
"""A connection over which nothing comes back is given up after 25 s (the SDK's own: 45 s)."""


TAKEN_UP_AGAIN: Final = "this came in an order that no replay has; the workflow is taken up again"
"""Why a worker fails a query, or a task, on purpose (docs/decisions/0023 and 0027). Whoever asked asks again."""


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
        advice = _advice(reason, config.get("tls"))
        raise TemporalUnavailable(
            f"Temporal does not answer at {address}, namespace {namespace!r} ({reason}). {advice}"
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
    """The operating system's words out of the bridge's nested error, or ours."""
    for words, said in _SHORT.items():
        if words in text:
            return said
    return text


def _advice(reason: str, tls: TLSConfig | bool | None) -> str:
    """What to set, where there was no connection for that *reason* with these settings of TLS."""
    if reason == _NOT_TRUSTED:
        return "Set TEMPORAL_TLS_SERVER_CA_CERT_PATH, its authority; is TEMPORAL_TLS_SERVER_NAME as it has it?"
    if reason != _BROKEN_OFF:
        return "Start it, or set TEMPORAL_ADDRESS; without a server of your own, `redress up` brings one."
    if not tls:
        return "It may speak TLS alone: set TEMPORAL_TLS=true, or the TEMPORAL_TLS_* certificates."
    if isinstance(tls, TLSConfig) and tls.client_cert:
        return "It may not take our certificate (TEMPORAL_TLS_CLIENT_CERT_PATH): is that of the authority it asks for?"
    return "It may ask for a certificate: set TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH."


_NOT_TRUSTED: Final = "its certificate is not one that we trust"
_BROKEN_OFF: Final = "the connection was broken off as it began"
_SHORT: Final = {
    "Connection refused": "Connection refused",
    "failed to lookup address information": "failed to lookup address information",
    "invalid target URL": "invalid target URL",
    "InvalidCertificate": _NOT_TRUSTED,
    "transport error": _BROKEN_OFF,
}
