"""What a worker hears is proven before its validator sees it, and its token is at hand where it is written down."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError
from temporalio.worker import (
    ExecuteWorkflowInput,
    HandleSignalInput,
    HandleUpdateInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from domain.ground.json_text import read_json
from domain.people.actors import HEADER, SPOKEN_WITH, STARTED_WITH, NotProven
from runtime.identity.speaking import KINDS
from runtime.identity.verifying import Verifier

_LONGEST: Final = 8_000
"""No token is longer, and what is none is not carried along."""
_EXTERN: Final = "redress_why_not_proven"


class Hearing(Interceptor):
    """Keeps the token of a message at hand while it is heard. Replayers have it too: what is written is the same."""

    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor] | None:
        return _HearingInWorkflow


class Proving(Interceptor):
    """Has an update refused, before its validator and never on replay, unless its token proves who sends it."""

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier

    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor] | None:
        input.unsafe_extern_functions[_EXTERN] = self.why_not  # it runs outside of the sandbox
        return _ProvingInWorkflow

    def why_not(self, reference: str, name: str, sent: Sequence[Any], headers: Mapping[str, Payload]) -> str | None:
        """Why it is not proven who sends this; ``None`` if it is, or if there is no such message to be proven."""
        kind = KINDS.get(name)
        if kind is None or len(sent) != 1:
            return None
        try:
            message = kind.model_validate(_decoded(sent[0]))
        except (ValueError, RecursionError):
            return None  # it does not fit, and its validator says why
        try:
            self._verifier.check(token_in(headers), reference, message)
        except NotProven as error:
            return f"{name}: {error}"
        return None


class _HearingInWorkflow(WorkflowInboundInterceptor):
    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        STARTED_WITH.set(token_in(input.headers))
        return await super().execute_workflow(input)

    async def handle_signal(self, input: HandleSignalInput) -> None:
        SPOKEN_WITH.set(token_in(input.headers))
        await super().handle_signal(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        SPOKEN_WITH.set(token_in(input.headers))
        return await super().handle_update_handler(input)


class _ProvingInWorkflow(WorkflowInboundInterceptor):
    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        why_not = cast("Callable[..., str | None]", workflow.extern_functions()[_EXTERN])
        if refusal := why_not(workflow.info().workflow_id, input.update, input.args, input.headers):
            raise ApplicationError(refusal, type="Refused", non_retryable=True)
        super().handle_update_validator(input)


def token_in(headers: Mapping[str, Payload]) -> str | None:
    """The token that the *headers* carry; of one that cannot be read, what cannot be a token."""
    payload = headers.get(HEADER)
    if payload is None:
        return None
    try:
        token = json.loads(payload.data)
    except ValueError:
        token = payload.data.decode("ascii", errors="replace")
    return token if isinstance(token, str) and len(token) <= _LONGEST else ""


def _decoded(sent: Any) -> Any:
    return read_json(sent.payload.data.decode()) if isinstance(sent, RawValue) else sent
