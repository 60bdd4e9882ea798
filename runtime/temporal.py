"""Temporal: one plugin for client, worker and replayer, the server of the settings, and the search attributes."""

import asyncio
import dataclasses
import functools
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, TypeVar

import structlog
import temporalio.activity
from pydantic import ValidationError
from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.failure.v1 import Failure
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.common import RawValue, SearchAttributeIndexedValueType, SearchAttributeKey
from temporalio.contrib.pydantic import PydanticPayloadConverter, pydantic_data_converter
from temporalio.converter import CompositePayloadConverter, DataConverter, DefaultFailureConverter, PayloadConverter
from temporalio.envconfig import ClientConnectConfig
from temporalio.exceptions import ApplicationError, FailureError
from temporalio.plugin import SimplePlugin
from temporalio.runtime import LogForwardingConfig, LoggingConfig, PrometheusConfig, Runtime, TelemetryConfig
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor, Worker, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from domain.ground.json_text import read_json
from domain.keys.public import IN_PLAIN, READABLE, REFUSALS, Public, Readable
from runtime.connection import TemporalUnavailable, configured_server, reach
from runtime.identity.hearing import Hearing
from runtime.identity.issuing import TokenIssuer
from runtime.identity.speaking import Speaking
from runtime.keys.codec import Sealing
from runtime.keys.here import keys_here
from runtime.redaction import told
from runtime.running import running_stack, why_not
from runtime.settings import Settings
from runtime.turns import HANDING_OVER, InOrder

PASSED_THROUGH: Final = (
    "domain",
    "annotated_types",
    "babel",
    "dateutil",
    "dns",
    "email_validator",
    "holidays",
    "idna",
    "pydantic",
    "pydantic_core",
    "structlog",
    "typing_inspection",
)
"""Modules that workflows share with the rest of the process instead of loading their own copy for every run."""

T = TypeVar("T")

_ENCODINGS: Final = tuple(PydanticPayloadConverter().converters.values())


class _RawUnlessTyped(PydanticPayloadConverter):
    """What reaches a workflow without a type that it must have stays raw: a start, a signal or an update of anybody.

    The SDK drops a signal that it cannot decode, and tries a start that it cannot decode for ever. What holds nothing
    personal says so, and is not sealed.
    """

    def __init__(self) -> None:
        # The SDK makes a converter anew for nearly every payload: all share the adapters of the types met so far.
        CompositePayloadConverter.__init__(self, *_ENCODINGS)

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        payloads = super().to_payloads(values)
        for value, payload in zip(values, payloads, strict=True):
            if isinstance(value, _READABLE):
                payload.metadata[READABLE] = b"readable"
        return payloads

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type[Any]] | None = None) -> list[Any]:
        if type_hints is not None:
            return super().from_payloads(payloads, type_hints)
        return [RawValue(payload) if workflow.in_workflow() else self._lenient(payload) for payload in payloads]

    def _lenient(self, payload: Payload) -> Any:
        """A start or a signal is decoded before its workflow runs, which says what is wrong with it."""
        if IN_PLAIN in payload.metadata and (HANDING_OVER.get() or not _in_a_loop()):
            return RawValue(payload)  # and it says that it came in the clear
        try:
            if payload.metadata.get("encoding") == b"json/plain":
                return read_json(payload.data.decode())
            [value] = super().from_payloads([payload])
        except Exception:  # whatever a stranger sends may raise whatever there is
            return RawValue(payload)
        return value


def _in_a_loop() -> bool:
    """Whether a client may be decoding: a worker does so in a thread, before its workflow runs."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


# The page of a case is asked for as a message of Temporal's.
_READABLE: Final = (Public, Readable, WorkflowMetadata)


class _WithoutValues(DefaultFailureConverter):
    """What fails tells Temporal no more than a log may tell: its lists and its UI show every failure."""

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        if not isinstance(exception, FailureError):
            spoken = ApplicationError(told(exception) or "see the worker's log", type=type(exception).__name__)
            spoken.__traceback__ = exception.__traceback__
            spoken.__cause__ = exception.__cause__
            exception = spoken
        super().to_failure(exception, payload_converter, failure)


_ENCODED: Final = "Encoded failure"  # as the SDK says it


class _SealedFailures(_WithoutValues):
    """Words and stack traces of failures are sealed as well, but for refusals, which tell a sender what to mend."""

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        super().to_failure(exception, payload_converter, failure)
        if failure.message == _ENCODED or (isinstance(exception, ApplicationError) and exception.type in REFUSALS):
            return
        words = {"message": failure.message, "stack_trace": failure.stack_trace}
        failure.encoded_attributes.CopyFrom(payload_converter.to_payload(words))
        failure.message, failure.stack_trace = _ENCODED, ""


_CONVERTER: Final = dataclasses.replace(
    pydantic_data_converter, payload_converter_class=_RawUnlessTyped, failure_converter_class=_WithoutValues
)


def temporal_plugin() -> SimplePlugin:
    """What client, worker and replayer must have in common: give it to `Client.connect` or `Replayer`.

    A worker has the plugin of its client by itself; do not give it twice. Payloads are JSON, written and read by
    pydantic, and sealed with the keys of this process if it has any; input that does not fit its model fails the
    workflow at once instead of retrying for ever.
    """
    return SimplePlugin(
        "redress",
        data_converter=_converter(),
        interceptors=[_BindComplaint(), Hearing()],
        workflow_runner=_pass_modules_through,
        workflow_failure_exception_types=[ValidationError],
    )


def _converter() -> DataConverter:
    vault = keys_here()
    if vault is None:
        return _CONVERTER
    return dataclasses.replace(_CONVERTER, payload_codec=Sealing(vault), failure_converter_class=_SealedFailures)


LONGEST_ACTIVATION: Final = 8  # seconds; a workflow task has ten


def give_time(worker: Worker) -> Worker:
    """Let one activation of a workflow take eight seconds in place of two.

    Thousands of signals at once keep the SDK itself busy for longer than two; a task that is broken off then comes back
    with even more of them, for ever. The SDK has no option for it.
    """
    if (of_workflows := worker._workflow_worker) is not None:
        of_workflows._deadlock_timeout_seconds = LONGEST_ACTIVATION
    return worker


def _pass_modules_through(runner: WorkflowRunner | None) -> WorkflowRunner:
    match runner:
        case SandboxedWorkflowRunner():
            restrictions = runner.restrictions.with_passthrough_modules(*PASSED_THROUGH)
            return dataclasses.replace(runner, restrictions=restrictions, runner_class=InOrder)
        case None:
            return _pass_modules_through(SandboxedWorkflowRunner())
        case InOrder():
            return runner
        case _:  # a debugger's unsandboxed runner
            return InOrder()


class _BindComplaint(Interceptor):
    """An activity belongs to a workflow, each line that it logs carries both names, and its heart beats if it may."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _BindComplaintInActivity(super().intercept_activity(next))


class _BindComplaintInActivity(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        info = temporalio.activity.info()
        if info.workflow_id is None:  # Temporal runs activities for whoever asks; ours are parts of a life
            raise ApplicationError("it is no part of a workflow, and is not done", type="Refused", non_retryable=True)
        with structlog.contextvars.bound_contextvars(activity=info.activity_type, complaint=info.workflow_id):
            if not info.heartbeat_timeout:
                return await super().execute_activity(input)
            beating = asyncio.create_task(_beat(info.heartbeat_timeout / 4))
            try:
                return await super().execute_activity(input)
            finally:
                beating.cancel()


async def _beat(interval: timedelta) -> None:
    """Tell the server that this worker is alive: what a dead one had in hand is given to another soon.

    It knows that of one who has just begun: what is done within the first interval costs no call.
    """
    while True:
        await asyncio.sleep(interval.total_seconds())
        temporalio.activity.heartbeat()


@functools.cache
def core_runtime() -> Runtime:
    """The SDK's native part, the one of this process, with its warnings in our log and not on standard output."""
    return Runtime(telemetry=TelemetryConfig(logging=_logging()))


def measured_runtime(port: int) -> Runtime:
    """Another one, whose metrics are to be had in Prometheus's format at this port of this machine alone.

    Raises `RuntimeError` if the port cannot be had.
    """
    exporter = PrometheusConfig(
        bind_address=f"127.0.0.1:{port}", counters_total_suffix=True, unit_suffix=True, durations_as_seconds=True
    )
    return Runtime(telemetry=TelemetryConfig(logging=_logging(), metrics=exporter, attach_service_name=False))


def _logging() -> LoggingConfig:
    forwarding = LogForwardingConfig(
        logger=logging.getLogger("temporalio.core"),
        append_target_to_name=False,
        prepend_target_on_message=False,
        append_log_fields_to_message=False,
    )
    return LoggingConfig(LoggingConfig.default.filter, forwarding)


async def connect(settings: Settings, runtime: Runtime | None = None) -> Client:
    """Connect to the Temporal server, and see that it knows the namespace.

    The server is the one of `TEMPORAL_ADDRESS` or a Temporal profile, else that of the stack running in the state
    folder, else localhost:7233; but if a state folder is named, or the default one is there, no other server than its
    stack's is ever taken. What is sent is signed for whoever a message names, if there is a key to sign with
    (`TokenIssuer.of`). Raises `TemporalUnavailable` within seconds, and `ConfigurationError`.
    """
    config = configured_server()
    stack = None if "target_host" in config else running_stack(settings.state_dir)
    if stack and stack.temporal_address:
        config["target_host"] = stack.temporal_address
        config.setdefault("namespace", stack.temporal_namespace or "default")
    elif "target_host" not in config and (reason := why_not(settings, "Temporal server", "TEMPORAL_ADDRESS")):
        raise TemporalUnavailable(reason)
    issuer = TokenIssuer.of(settings)
    return await connect_to(config, runtime, [Speaking(issuer.speaks_for_its_user)] if issuer else [])


async def connect_to(
    config: ClientConnectConfig, runtime: Runtime | None = None, interceptors: Sequence[ClientInterceptor] = ()
) -> Client:
    """Connect to this very server, with *interceptors*; otherwise like `connect`."""
    return await reach(
        config, plugins=[temporal_plugin()], interceptors=interceptors, runtime=runtime or core_runtime()
    )


async def register_search_attributes(client: Client, keys: Sequence[SearchAttributeKey[Any]]) -> None:
    """Make these search attributes known in the client's namespace; those that exist already are left alone.

    Raises `TemporalUnavailable` if one exists with another type, or if the server does not let us add them.
    """
    try:
        present = await _custom_attributes(client)
        for key in keys:
            if present.get(key.name, key.indexed_value_type) != key.indexed_value_type:
                raise TemporalUnavailable(
                    f"Search attribute {key.name} exists in namespace {client.namespace!r} with another type than"
                    f" {key.indexed_value_type.name}. Use another namespace (TEMPORAL_NAMESPACE), or remove it there."
                )
        missing = [key for key in keys if key.name not in present]
        if missing:
            await client.operator_service.add_search_attributes(
                AddSearchAttributesRequest(
                    namespace=client.namespace,
                    search_attributes={key.name: _INDEXED[key.indexed_value_type] for key in missing},
                ),
                timeout=_ADMINISTRATION,
            )
    except RPCError as error:
        if error.status is RPCStatusCode.ALREADY_EXISTS:  # another process was quicker
            return
        names = ", ".join(f"{key.name} ({key.indexed_value_type.name})" for key in keys)
        raise TemporalUnavailable(
            f"Search attributes cannot be registered in namespace {client.namespace!r}: {error.message}."
            f" Have its administrator add them: {names}"
        ) from None


_ADMINISTRATION: Final = timedelta(seconds=30)


async def _custom_attributes(client: Client) -> Mapping[str, int]:
    try:
        return (
            await client.operator_service.list_search_attributes(
                ListSearchAttributesRequest(namespace=client.namespace), timeout=_ADMINISTRATION
            )
        ).custom_attributes
    except RPCError as error:
        if error.status is RPCStatusCode.UNIMPLEMENTED:  # the time-skipping test server can only add
            return {}
        raise


_INDEXED: Final = {kind: IndexedValueType.ValueType(kind) for kind in SearchAttributeIndexedValueType}


def run(main: Coroutine[Any, Any, T], loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None) -> T:
    """`asyncio.run` for a program with a Temporal client, on a loop of *loop_factory* or on asyncio's own.

    The SDK's native threads let go of Python objects a moment after a call has returned. An interpreter that ends
    within that moment crashes (temporalio/sdk-python#300), in place of the program's own exit code.
    """

    async def and_settle() -> T:
        try:
            return await main
        finally:
            await asyncio.sleep(0.05)

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(and_settle())
