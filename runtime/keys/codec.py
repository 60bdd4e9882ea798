"""What is sealed on its way into Temporal and opened on its way out: payloads, each under the key of its case.

Whoever reaches Temporal can ask our workers for an activity, answer one in their place, or hand a workflow over to
them. What a workflow and its activities say to each other is therefore believed only as sealed, for that very activity:
nobody without the firm's keys makes such a payload, and none that stands in a history fits another activity, of the
same name or another.
"""

from collections.abc import Sequence
from typing import Final, Self

from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    ActivitySerializationContext,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)

from domain.keys.public import IN_PLAIN, READABLE
from domain.keys.scopes import scope_of_workflow
from runtime.keys.envelope import Key, NotOurs, Place, is_marked, seal, unseal
from runtime.keys.vault import Vault

ENCODING: Final = b"binary/redress"
_KEY: Final = "key"
"""Metadata of a sealed payload: ``VERSION:SCOPE``."""
_STEP: Final = "redress-activity"
"""Metadata within a sealed payload: the activity whose question or answer it is, ``NAME:ID:RUN``."""


class NotOfOurs(ValueError):
    """An activity was asked, or answered, by somebody without the firm's keys."""


class Sealing(PayloadCodec, WithSerializationContext):
    """Seals payloads under the key of the case that their workflow is about.

    What is not sealed is taken as it comes: programs in other languages send plain JSON. What is sealed and cannot be
    authenticated, or belongs to another case, is left as it is: a workflow keeps it among the rejected messages. Where
    we sealed it and the key is not to be had, `KeysUnavailable` is raised, and whoever asked tries again.

    Between a workflow and its activity *step* nothing counts but what was sealed for it: else `NotOfOurs` is raised.
    Of which run it is, an activity learns from what it is asked, and says in what it answers; one that is asked
    nothing says nothing of it.
    """

    def __init__(self, vault: Vault, namespace: str = "", scope: str | None = None, step: str | None = None) -> None:
        self._vault, self._namespace, self._scope, self._step = vault, namespace, scope, step

    def with_context(self, context: SerializationContext) -> Self:
        if not isinstance(context, WorkflowSerializationContext | ActivitySerializationContext):
            return self
        if not context.workflow_id:
            return self
        step = None
        if isinstance(context, ActivitySerializationContext):
            step = f"{context.activity_type}:{context.activity_id}"
        return type(self)(self._vault, context.namespace, scope_of_workflow(context.workflow_id), step)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        if all(READABLE in payload.metadata for payload in payloads):
            return [_without_mark(payload) for payload in payloads]
        if self._scope is None:
            raise RuntimeError("what belongs to no workflow has no key, and is not told to Temporal")
        key = await self._vault.for_writing(self._scope)
        marking = await self._vault.marking()
        return [_without_mark(one) if READABLE in one.metadata else self._sealed(one, key, marking) for one in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [await self._read(one) for one in payloads]

    async def _read(self, payload: Payload) -> Payload:
        sealed = payload.metadata.get("encoding") == ENCODING
        if self._step is None:
            return await self._opened(payload) if sealed else _in_plain(payload)
        opened = await self._opened(payload) if sealed else payload
        # What could not be opened is still the payload that came, and may say anything beside.
        said = "" if opened is payload else opened.metadata.get(_STEP, b"").decode()
        theirs, own = said.split(":"), self._step.split(":")
        if len(theirs) < 2 or any(one != other for one, other in zip(theirs, own, strict=False)):
            raise NotOfOurs(f"{self._step}: what came with it was not sealed for it by a worker, or is erased")
        self._step = said
        return opened

    def _sealed(self, payload: Payload, key: Key, marking: bytes) -> Payload:
        marked = Payload()
        marked.CopyFrom(payload)
        if self._step is not None:
            marked.metadata[_STEP] = self._step.encode()
        return Payload(
            metadata={"encoding": ENCODING, _KEY: f"{key.version}:{key.scope}".encode()},
            data=seal(key, marking, self._namespace, ENCODING.decode(), marked.SerializeToString()),
        )

    async def _opened(self, payload: Payload) -> Payload:
        version, scope = sealed_under(payload)
        if version is None or scope != self._scope:
            return payload
        place = Place(self._namespace, scope, version, ENCODING.decode())
        if not is_marked(await self._vault.marking(), place, payload.data):
            return payload
        key = (await self._vault.for_reading([(scope, version)]))[scope, version]
        if not isinstance(key, Key):
            return Payload(metadata={"encoding": b"json/plain"}, data=f'"{key}"'.encode())
        try:
            return Payload.FromString(unseal(key, self._namespace, ENCODING.decode(), payload.data))
        except NotOurs:
            return payload


def _without_mark(payload: Payload) -> Payload:
    """Programs in other languages, and Temporal's own command, take as plain JSON what says nothing beside."""
    plain = Payload()
    plain.CopyFrom(payload)
    del plain.metadata[READABLE]
    return plain


def _in_plain(payload: Payload) -> Payload:
    """What came in the clear, and says so; what is sealed says what it said to whoever sealed it."""
    marked = Payload()
    marked.CopyFrom(payload)
    marked.metadata[IN_PLAIN] = b""
    return marked


def sealed_under(payload: Payload) -> tuple[int | None, str]:
    """Version and scope of the key that a sealed payload names; no version if it names none that could be ours."""
    try:
        version, _, scope = payload.metadata[_KEY].decode().partition(":")
        return (int(version) if version.isascii() and version.isdigit() and len(version) < 10 else None), scope
    except (KeyError, UnicodeDecodeError):
        return None, ""
