"""Workflows of one kind: started once, sent to and asked, and what goes wrong said in words."""

import asyncio
import os
import uuid
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, ClassVar, Final, Self, TypeVar

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, DescribeWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.client import WorkflowQueryFailedError as QueryFailed
from temporalio.client import WorkflowUpdateRPCTimeoutOrCancelledError as UpdateTimedOut
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from domain.ground.base import Record
from domain.ground.messages import Intended, Message, Refusal
from domain.ground.people import Actor
from domain.ground.reference import parse_reference
from domain.keys.public import Public
from runtime.connection import TAKEN_UP_AGAIN, TemporalUnavailable, configured_server, reach
from runtime.identity.speaking import TokenFor, speaking

TASK_QUEUE: Final = "redress"
ANSWER_WITHIN: Final = timedelta(seconds=20)
FORESEEN_WITHIN: Final = timedelta(seconds=2)
"""Somebody waits for a page meanwhile. A worker that has to take a long case up anew may need more."""
LOOKED_AFTER: Final = timedelta(seconds=1)
"""How long an answer may be out before it is asked whether the server is there at all, and how often from then on."""
_THERE_WITHIN: Final = timedelta(seconds=3)
"""Within which time a server that is there says so."""
_LOOKED_AGAIN: Final = 0.5  # seconds
_AWAY: Final = frozenset({RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED})
_ASKED_AT_MOST: Final = 3
"""How often a workflow is asked that has to be taken up again first."""

_UNPROCESSED: Final = "UnprocessedUpdate"
"""So the server refuses an update that a worker, busy finding its way back into the workflow, passed over."""

R = TypeVar("R", bound=Record)
T = TypeVar("T")


class Refused(RuntimeError):
    """The workflow refused the message; the text says why and what would be possible."""


class NotAnswered(RuntimeError):
    """No worker answered in time, or the server went away. What was sent may still count.

    Send it again with the same ``message_id``.
    """


class Conversation(ABC):
    """Workflows of one kind, over one Temporal connection. Safe to share between tasks.

    A *client* of one's own needs ``temporalio.contrib.pydantic.pydantic_data_converter``.
    """

    workflow: ClassVar[str]
    """The type of the workflows."""
    prefix: ClassVar[str]
    """How their references begin."""

    def __init__(self, client: Client, *, task_queue: str = TASK_QUEUE, token_for: TokenFor | None = None) -> None:
        """*token_for* makes the token of each message; without one, *client* must see to that where it is asked for."""
        self.client = speaking(client, token_for) if token_for else client
        self._task_queue = task_queue

    @property
    def task_queue(self) -> str:
        """Where the workers of these workflows ask for work."""
        return self._task_queue

    @classmethod
    async def connect(cls, *, task_queue: str | None = None, token_for: TokenFor | None = None) -> Self:
        """Connect as Temporal's own environment (``TEMPORAL_*``) and profiles say, else to localhost:7233.

        Without *task_queue* it is that of ``REDRESS_TASK_QUEUE``, else ``redress``. *token_for* is called with the
        reference and each message, and returns the signed token that says who sends it. Raises ``TemporalUnavailable``.
        """
        client = await reach(configured_server(), data_converter=pydantic_data_converter)
        queue = task_queue or os.environ.get("REDRESS_TASK_QUEUE") or TASK_QUEUE
        return cls(client, task_queue=queue, token_for=token_for)

    @abstractmethod
    def _missing(self, reference: str) -> Exception:
        """The error that there is none of this *reference*."""

    @abstractmethod
    def _ended(self, reference: str) -> Exception:
        """The error that it is over and takes no more messages."""

    async def _start(self, reference: str, given: Record, *, summary: str, again: bool = False) -> bool:
        """Start a workflow; false if it was there before. One that has ended for good is started *again* if asked."""
        try:
            await self._answer(
                self.client.start_workflow(
                    self.workflow,
                    given,
                    id=reference,
                    task_queue=self._task_queue,
                    id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                    # What could not be taken on may be sent again, mended.
                    id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE
                    if again
                    else WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                    static_summary=Public(summary),
                    rpc_timeout=ANSWER_WITHIN,
                )
            )
        except WorkflowAlreadyStartedError:
            return False
        except RPCError as error:
            raise TemporalUnavailable(f"{reference} could not be started: {error.message}") from None
        return True

    async def _signal(self, reference: str, message: Message) -> None:
        handle = self._handle(reference)
        try:
            await self._answer(handle.signal(message.name, message, rpc_timeout=ANSWER_WITHIN))
        except TemporalUnavailable as error:
            raise NotAnswered(f"{handle.id}: {error}") from None
        except RPCError as error:
            raise await self._explained(error, handle) from None

    async def _update(self, reference: str, message: Message, answer: type[R]) -> R:
        handle = self._handle(reference)
        try:
            # The server says a little before the time is over that nothing is known yet, and the SDK asks on for ever.
            async with asyncio.timeout(ANSWER_WITHIN.total_seconds()):
                receipt: R = await self._answer(
                    handle.execute_update(
                        message.name,
                        message,
                        # For Temporal the id is all.
                        id=f"{message.name}:{message.message_id}:{message.content_digest}",
                        result_type=answer,
                        rpc_timeout=ANSWER_WITHIN,
                    )
                )
        except WorkflowUpdateFailedError as error:
            cause = error.cause
            if isinstance(cause, ApplicationError) and cause.type == _UNPROCESSED:
                raise _not_answered(handle.id) from None
            raise Refused(cause.message if isinstance(cause, ApplicationError) else str(cause)) from None
        except TemporalUnavailable as error:
            raise NotAnswered(f"{handle.id}: {error}") from None
        except (UpdateTimedOut, TimeoutError):
            raise _not_answered(handle.id) from None
        except RPCError as error:
            raise await self._explained(error, handle) from None
        return receipt

    async def foresee(self, reference: str, message: Message) -> None:
        """Raise :class:`Refused` where *message*, an update, would be refused as things stand. Nothing is sent.

        Raises ``NotAnswered`` where no worker says so within two seconds.
        """
        said = message.model_dump(mode="json", exclude_none=True)
        try:
            async with asyncio.timeout(FORESEEN_WITHIN.total_seconds()):
                refusal: Refusal = await self._query(
                    reference, "refusal", Refusal, Intended(name=message.name, message=said)
                )
        except TimeoutError:
            raise NotAnswered(f"{reference}: no worker said in time whether it would be refused") from None
        if refusal.why is not None:
            raise Refused(refusal.why)

    async def _query(self, reference: str, name: str, answer: Any, *asked: Record) -> Any:
        handle = self._handle(reference)
        asked_before = 0
        while True:
            try:
                return await self._answer(handle.query(name, args=asked, result_type=answer, rpc_timeout=ANSWER_WITHIN))
            except QueryFailed as error:
                asked_before += 1
                if TAKEN_UP_AGAIN not in str(error) or asked_before == _ASKED_AT_MOST:
                    raise NotAnswered(f"{handle.id}: {error}") from None
            except RPCError as error:
                raise await self._explained(error, handle) from None
            await asyncio.sleep(asked_before)

    async def _answer(self, asked: Coroutine[Any, Any, T]) -> T:
        """What *asked* brings, however long a worker takes; a server that is away is not waited for.

        Whatever was sent may still count. Raises ``TemporalUnavailable`` within 5 s, besides what *asked* raises.
        """
        task = asyncio.create_task(asked)
        try:
            while not (await asyncio.wait([task], timeout=LOOKED_AFTER.total_seconds()))[0]:
                await self._see_the_server()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        return task.result()

    async def _see_the_server(self) -> None:
        """Raise ``TemporalUnavailable`` where the server says nothing: the SDK asks it on until the time is over."""
        known = DescribeNamespaceRequest(namespace=self.client.namespace)
        until = asyncio.get_running_loop().time() + _THERE_WITHIN.total_seconds()
        while True:
            left = until - asyncio.get_running_loop().time()
            try:
                await self.client.workflow_service.describe_namespace(known, timeout=timedelta(seconds=max(left, 0.1)))
            except RPCError as error:
                if error.status not in _AWAY:
                    return
                if left < _LOOKED_AGAIN:  # a server that starts anew, or changes places, is away for a moment
                    raise TemporalUnavailable(f"Temporal does not answer: {error.message}") from None
                await asyncio.sleep(_LOOKED_AGAIN)
            else:
                return

    def _handle(self, reference: str, result_type: type | None = None) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(parse_reference(reference, prefix=self.prefix), result_type=result_type)

    async def _explained(self, error: RPCError, handle: WorkflowHandle[Any, Any]) -> Exception:
        if error.status is RPCStatusCode.NOT_FOUND:
            return self._ended(handle.id) if await self._is_over(handle.id) else self._missing(handle.id)
        if error.status in {RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED}:
            return _not_answered(handle.id)
        return TemporalUnavailable(f"Temporal: {error.message}")

    async def _is_over(self, reference: str) -> bool:
        """Whether what was not found is there and has ended: servers say so in words of their own, or not at all.

        Raises ``TemporalUnavailable`` where that cannot be known now.
        """
        execution = WorkflowExecution(workflow_id=reference)
        asked = DescribeWorkflowExecutionRequest(namespace=self.client.namespace, execution=execution)
        try:
            told = await self.client.workflow_service.describe_workflow_execution(asked, timeout=ANSWER_WITHIN)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise TemporalUnavailable(f"Temporal: {error.message}") from None
        return told.workflow_execution_info.status != WorkflowExecutionStatus.RUNNING.value


def made(kind: type[Message], by: Actor, message_id: str | None, fields: dict[str, Any]) -> Any:
    """The message of this *kind*, with an id of its own unless one is given."""
    return kind(message_id=message_id or str(uuid.uuid4()), actor=by, **fields)


def _not_answered(reference: str) -> NotAnswered:
    return NotAnswered(f"{reference}: no worker answered within {ANSWER_WITHIN.seconds} s")
