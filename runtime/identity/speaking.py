"""What a client sends carries the token of who speaks. The package that other programs install has this as well."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from temporalio.api.common.v1 import Payload
from temporalio.client import (
    Client,
    Interceptor,
    OutboundInterceptor,
    SignalWorkflowInput,
    StartWorkflowInput,
    StartWorkflowUpdateInput,
    WorkflowHandle,
    WorkflowUpdateHandle,
)

from domain.case.messages.table import SIGNALS, UPDATES
from domain.ground.base import Record
from domain.ground.messages import Message
from domain.incidents.messages import INCIDENT_UPDATES
from domain.learning.messages import ACTION_UPDATES
from domain.people.actors import HEADER, beginning

TokenFor = Callable[[str, Message], str]
"""Makes the token by which a message is sent to a reference. It may raise, and nothing is sent."""

KINDS: Final[Mapping[str, type[Message]]] = {
    kind.name: kind for kind in (*SIGNALS, *UPDATES, *INCIDENT_UPDATES, *ACTION_UPDATES)
}
"""The messages that tokens are made for, by name."""


def speaking(client: Client, token_for: TokenFor) -> Client:
    """*client*, with what it sends signed. A token that a message has already stays."""
    config = client.config()
    config["interceptors"] = [Speaking(token_for), *config["interceptors"]]
    return Client(**config)


class Speaking(Interceptor):
    """Gives every message that goes out its token."""

    def __init__(self, token_for: TokenFor) -> None:
        self._token_for = token_for

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return _SpeakingOut(next, self._token_for)


class _SpeakingOut(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, token_for: TokenFor) -> None:
        super().__init__(next)
        self._token_for = token_for

    async def signal_workflow(self, input: SignalWorkflowInput) -> None:
        input.headers = self._signed(input.headers, input.id, input.signal, input.args)
        await super().signal_workflow(input)

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        """Sign who begins something by it: an incident, a corrective action."""
        begun = beginning(input.id, input.args[0]) if input.args and isinstance(input.args[0], Record) else None
        if begun and HEADER not in input.headers:
            input.headers = {**input.headers, HEADER: as_header(self._token_for(input.id, begun).strip())}
        return await super().start_workflow(input)

    async def start_workflow_update(self, input: StartWorkflowUpdateInput) -> WorkflowUpdateHandle[Any]:
        input.headers = self._signed(input.headers, input.id, input.update, input.args)
        return await super().start_workflow_update(input)

    def _signed(
        self, headers: Mapping[str, Payload], reference: str, name: str, sent: Sequence[Any]
    ) -> Mapping[str, Payload]:
        message = _message(name, sent)
        if message is None or HEADER in headers:
            return headers
        return {**headers, HEADER: as_header(self._token_for(reference, message).strip())}


def _message(name: str, sent: Sequence[Any]) -> Message | None:
    """What is sent, as its model; ``None`` for what is no message of ours or does not fit, and is refused as that."""
    if len(sent) != 1 or name not in KINDS:
        return None
    if isinstance(sent[0], Message):
        return sent[0]
    try:
        return KINDS[name].model_validate(sent[0])
    except ValueError:
        return None


def as_header(token: str) -> Payload:
    """The token as a header carries it, readable in any language."""
    return Payload(metadata={"encoding": b"json/plain"}, data=f'"{token}"'.encode())
