"""Histories with what was sealed in them opened, for those who read them event by event."""

from collections.abc import Iterator
from typing import Any

from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowHistory
from temporalio.converter import WorkflowSerializationContext

from runtime.keys.codec import ENCODING, Sealing
from runtime.keys.here import keys_here


async def open_history(history: WorkflowHistory, namespace: str) -> WorkflowHistory:
    """The *history* of a workflow of that *namespace*, opened in place with the keys that this process has.

    Raises `KeysUnavailable`. What nobody could open is as it was.
    """
    vault = keys_here()
    sealed = [one for event in history.events for one in payloads(event) if one.metadata.get("encoding") == ENCODING]
    if vault and sealed:
        codec = Sealing(vault).with_context(WorkflowSerializationContext(namespace, history.workflow_id))
        for one, opened in zip(sealed, await codec.decode(sealed), strict=True):
            one.CopyFrom(opened)
    return history


def payloads(message: Message) -> Iterator[Payload]:
    """Every payload in a message of Temporal's, wherever it is."""
    if isinstance(message, Payload):
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for one in _messages(field, value):
            yield from payloads(one)


def _messages(field: Any, value: Any) -> Iterator[Message]:
    if field.message_type.GetOptions().map_entry:
        if field.message_type.fields_by_name["value"].message_type is not None:
            yield from value.values()
    elif isinstance(value, Message):
        yield value
    else:
        yield from value
