"""The inbox: signals from anybody, which never break a case. What does not fit is kept in the case file."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from temporalio import workflow

from domain.case.messages.table import BY_ANYBODY, SIGNALS
from domain.case.requests import RefusedMessage
from domain.ground.messages import NotAllowed
from domain.ground.sizes import MOST_CARRIED, size
from domain.ground.words import Role
from domain.keys.public import PLAIN_REFUSED
from domain.people.actors import SPOKEN_WITH
from workflows.parts.casework import Casework
from workflows.parts.hearing import M, described, read
from workflows.raw import is_plain, kept, weight

C = TypeVar("C", bound=type)

_MOST_AT_ONCE: Final = 25
MOST_BYTES_AT_ONCE: Final = 150_000
"""So much is heard before it is in the case file: neither a task nor an update grows with what strangers send."""


@dataclass(frozen=True)
class Signal(Generic[M]):
    """One row: a *kind* of message, and what it *does*. It raises :class:`NotAllowed` where that cannot be now."""

    kind: type[M]
    does: Callable[[Casework, M], None]


class Inbox:
    """Signals as they came. Each is heard at once, unless the case is not open or much has been heard just now."""

    def __init__(self, rows: Sequence[Signal[Any]], work: Callable[[], Casework | None]) -> None:
        self._rows = {row.kind.name: row for row in rows}
        self._work = work
        self._waiting: deque[tuple[str, Sequence[Any], str | None]] = deque()
        self._heard, self._heard_bytes = 0, 0

    @property
    def is_empty(self) -> bool:
        return not self._waiting

    def put(self, name: str, message: Sequence[Any]) -> None:
        """Take a signal in."""
        self._waiting.append((name, message, SPOKEN_WITH.get()))
        self._hear()

    async def keep(self) -> None:
        """Hear what had to wait, a little in each task."""
        while True:
            await workflow.wait_condition(lambda: bool(self._waiting) and self._may_hear(self._work()))
            self._hear()

    def take_refused(self) -> list[RefusedMessage]:
        """So many of the signals that wait as one activity carries: there will be no case for them."""
        messages: list[RefusedMessage] = []
        carried = 0
        while self._waiting and carried <= MOST_CARRIED:
            name, sent, _ = self._waiting.popleft()
            messages.append(RefusedMessage(name=name, payload=kept(sent)))
            carried += size(messages[-1])
        return messages

    def _hear(self) -> None:
        work = self._work()
        while self._waiting and work and work.is_open and self._may_hear(work):
            name, message, token = self._waiting.popleft()
            SPOKEN_WITH.set(token)
            self._heard += 1
            self._heard_bytes += weight(message)
            self._let_count(work, name, message)

    def _may_hear(self, work: Casework | None) -> bool:
        if work and not work.recorder.is_behind:
            self._heard, self._heard_bytes = 0, 0
        return self._heard < _MOST_AT_ONCE and self._heard_bytes < MOST_BYTES_AT_ONCE

    def _let_count(self, work: Casework, name: str, message: Sequence[Any]) -> None:
        """Let it count if it fits and is new. What does not fit is kept in the case file."""
        row = self._rows.get(name)
        try:
            if row is None:
                known = " and ".join(kind.name for kind in SIGNALS)
                raise NotAllowed(f"there is no signal of this name; {known} exist")
            if work.case.refuses_plain and any(map(is_plain, message)):
                raise NotAllowed(PLAIN_REFUSED)
            request = read(row.kind, message)
            known_before = work.knows(request)
        except ValueError as error:
            work.case.reject(name, kept(message), str(error), workflow.now())
            return
        if known_before:
            return
        work.hear(request)
        try:
            if request.actor.role is Role.SYSTEM and row.kind in BY_ANYBODY:
                raise NotAllowed("actor: nobody speaks as the system; say who you are")
            if request.actor.person in work.case.kept_out:
                raise NotAllowed(f"actor: {request.actor} is kept out of this case; somebody else has to send it")
            row.does(work, request)
        except NotAllowed as error:
            work.case.reject(name, kept(message), str(error), workflow.now())


def hears(*rows: Signal[Any]) -> Callable[[C], C]:
    """Give a workflow, which has an :class:`Inbox` as ``inbox``, the handlers of these signals."""

    def give(cls: C) -> C:
        for row in rows:
            setattr(cls, row.kind.name, _handler(row))
        return cls

    return give


def _handler(row: Signal[Any]) -> Callable[..., None]:
    def put(self: Any, *message: Any) -> None:
        self.inbox.put(row.kind.name, message)

    return workflow.signal(name=row.kind.name, description=described(row.kind))(put)
