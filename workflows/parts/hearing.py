"""The hearing: updates from internal tools, which learn whether their message counted.

A row says of one kind of message who may send it, when, and what it does. The handlers that Temporal knows take any
arguments and validate inside: what does not fit a typed handler, Temporal tries for ever.
"""

import inspect
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from pydantic import ValidationError
from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from domain.case.complaint import explain
from domain.case.requests import Turn
from domain.ground.base import Record
from domain.ground.messages import Intended, Message, NotAllowed, Refusal
from workflows import effects
from workflows.parts.beside import TaskDied
from workflows.parts.recorder import Recorder
from workflows.raw import decoded

M = TypeVar("M", bound=Message)
R = TypeVar("R", bound=Record)
C = TypeVar("C", bound=type)


@dataclass(frozen=True)
class Gate:
    """Who may send a message, and when, in so far as every message of a workflow is asked that."""

    staff: bool = False
    stages: frozenset[StrEnum] | None = None
    though_withdrawn: bool = False
    though_closed: bool = False
    """Whether it may come long after the end, and the case then goes on."""
    while_letters_wait: bool = False
    """Whether it may come after the end, as long as letters are on their way."""


class Work(Protocol):
    """A case or an incident with its parts, as messages find it."""

    @property
    def recorder(self) -> Recorder[Any, Any]: ...

    @property
    def is_open(self) -> bool:
        """Whether its file is open: what comes before that waits."""

    def admit(self, gate: Gate, message: Message, /) -> None:
        """Raise :class:`NotAllowed` unless the *message* may pass the *gate* now."""

    def knows(self, message: Message, /) -> bool:
        """Whether this very message was heard before. Raises ``ValueError`` if its id was used for another one."""

    def hear(self, message: Message, /) -> None:
        """Remember it, for as long as a sender may repeat it."""

    def receipt(self, message: Message, /) -> Record | None:
        """What it was answered, as far as that is at hand."""

    def confirm(self, message: Message, noted: str, /) -> Record:
        """Write down that the message did what is *noted*, and what it is answered."""


W = TypeVar("W", bound=Work)


@dataclass(frozen=True)
class Update(Generic[W, M]):
    """One row: a *kind* of message, what it *does* (returning what the record says of it), and who may send it when.

    *gate* may depend on the work. *fits* raises :class:`NotAllowed` where more is asked of the message than to pass
    the gate. *before* asks the world what the message is then judged by, or raises that itself. *first* is what is done
    before it is recorded and answered.
    """

    kind: type[M]
    does: Callable[[W, M], str]
    gate: Gate | Callable[[W], Gate] = Gate()
    fits: Callable[[W, M], None] = lambda work, message: None
    before: Callable[[W, M], Coroutine[Any, Any, None]] | None = None
    first: Callable[[W, M], Coroutine[Any, Any, None]] | None = None


class Hearing(Generic[W]):
    """Lets a message count once, has it written down, and answers it; what does not fit is refused to its sender."""

    def __init__(
        self,
        subject: str,
        work: Callable[[], W | None],
        *,
        is_coming: Callable[[], bool] = lambda: False,
        why_not: Callable[[], str | None] = lambda: None,
    ) -> None:
        """*subject* is what the workflow is about; there is no *work* where its start was refused, and *why not*.

        While it *is_coming*, what its file is still asked for, messages wait for it.
        """
        self._subject, self._work, self._is_coming, self._why_not = subject, work, is_coming, why_not

    def check(self, row: Update[W, M], message: Sequence[Any]) -> M | None:
        """Refuse a message that does not fit. ``None`` for one that was answered before."""
        work = self._work()
        if work is None and not self._is_coming():
            raise refused(f"{row.kind.name}: there is no {self._subject}; what it was started with was refused")
        try:
            request = read(row.kind, message)
            if work is None:
                return request
            known = work.knows(request)
        except ValueError as error:
            raise refused(str(error)) from None
        if work.receipt(request):
            return None
        if known:
            raise refused(f"message_id: {request.message_id} was answered so long ago that the answer is not at hand")
        try:
            work.admit(row.gate if isinstance(row.gate, Gate) else row.gate(work), request)
            row.fits(work, request)
        except NotAllowed as error:
            raise refused(str(error)) from None
        return request

    def refusal(self, rows: Mapping[str, Update[Any, Any]], asked: Sequence[Any]) -> Refusal:
        """Why the message that somebody means to send would be refused now. Nothing of what they ask is kept."""
        try:
            intended = one_of(Intended, "refusal", asked)
            if (row := rows.get(intended.name)) is None:
                raise ValueError(f"name: no update is called {intended.name}; there are {', '.join(rows)}")
        except ValueError as error:
            return Refusal(why=str(error))
        try:
            self.check(row, [intended.message])
        except ApplicationError as error:
            return Refusal(why=error.message)
        return Refusal()

    async def answer(self, row: Update[W, M], message: Sequence[Any]) -> Record:
        """Do what the message asks for, once, and return its receipt when the file has it."""
        try:
            return await self._answer(row, message)
        except ActivityError as error:
            raise TaskDied(error) from error

    async def _answer(self, row: Update[W, M], message: Sequence[Any]) -> Record:
        work = await self._opened()
        request = read(row.kind, message)
        try:
            await (row.before(work, request) if row.before else effects.take_turn(Turn()))
        except NotAllowed as error:
            if not work.receipt(request):
                raise refused(str(error)) from None
        # Asked again, for what was true when the message came may not be when its turn has come.
        self.check(row, message)
        if receipt := work.receipt(request):
            await work.recorder.written(request)
            return receipt
        work.hear(request)
        receipt = work.confirm(request, row.does(work, request))
        # Taken at once: a letter that follows from it, and may be on its way for days, would take it.
        update = work.recorder.take()
        if row.first:
            await row.first(work, request)
        await work.recorder.record(update)
        await work.recorder.written(request)
        return receipt

    async def _opened(self) -> W:
        """An update may come before the file is open; it waits, and is not lost."""
        await workflow.wait_condition(lambda: not self._is_coming() if (work := self._work()) is None else work.is_open)
        work = self._work()
        if work is None:
            raise refused(self._why_not() or f"there is no {self._subject} to go on with")
        return work


def takes(*rows: Update[Any, Any]) -> Callable[[C], C]:
    """Give a workflow, which has a :class:`Hearing` as ``hearing``, the handlers of these updates.

    And the query that says beforehand why one of them would be refused.
    """
    known = {row.kind.name: row for row in rows}

    def give(cls: C) -> C:
        for row in rows:
            setattr(cls, row.kind.name, _handler(row))
        cls.refusal = _foreseeing(known)  # type: ignore[attr-defined]
        return cls

    return give


def _handler(row: Update[Any, Any]) -> Any:
    async def answer(self: Any, *message: Any) -> Any:
        return await self.hearing.answer(row, message)

    def check(self: Any, *message: Any) -> None:
        self.hearing.check(row, message)

    handler = workflow.update(name=row.kind.name, description=described(row.kind))(answer)
    handler.validator(check)
    return handler


def _foreseeing(rows: Mapping[str, Update[Any, Any]]) -> Any:
    def refusal(self: Any, *asked: Any) -> Refusal:
        found: Refusal = self.hearing.refusal(rows, asked)
        return found

    return workflow.query(name="refusal", description="Why a message would be refused as things stand.")(refusal)


def described(kind: type[Message]) -> str:
    """What Temporal's UI says of such messages."""
    text, *_ = (inspect.getdoc(kind) or "").split("\n\n")
    return " ".join(text.replace("``", "`").split())


def read(kind: type[M], message: Sequence[Any]) -> M:
    """*message*, the arguments of a signal or update, as its model. Raises ``ValueError`` naming what does not fit."""
    return one_of(kind, kind.name, message)


def one_of(model: type[R], name: str, sent: Sequence[Any]) -> R:
    """The one argument that was *sent* to what has this *name*, as its model. Raises as :func:`read`."""
    if len(sent) != 1:
        raise ValueError(f"{name} takes one JSON object, not {len(sent)} arguments")
    try:
        return model.model_validate(decoded(sent[0]))
    except ValidationError as error:
        raise ValueError(explain(error)) from None


def refused(reason: str) -> ApplicationError:
    """The answer to an update that is not taken."""
    return ApplicationError(reason, type="Refused", non_retryable=True)
