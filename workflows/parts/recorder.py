"""The recorder: what a workflow knows reaches its file, each thing once."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from temporalio import workflow

from domain.ground.messages import Message
from domain.ground.timeline import Entry


class Update(Protocol):
    """What is written at once."""

    @property
    def keys(self) -> set[str]:
        """The keys of all it carries."""


U = TypeVar("U", bound=Update)
A = TypeVar("A")


class Filed(Protocol[U]):
    """A state of which a file is kept."""

    @property
    def entries(self) -> Sequence[Entry]:
        """Lines of the timeline that the file does not have yet."""

    def has_unrecorded(self, in_flight: Collection[str], /) -> bool:
        """Whether there is something that the file does not know and that is not on its way there."""

    def unrecorded(self, in_flight: Collection[str], /) -> U:
        """It, or so much of it as one effect carries."""

    def checked(self, update: U, /) -> U:
        """The *update* with what another workflow would have to know."""


class Recorder(Generic[U, A]):
    """Writes down what the file does not know yet, and nothing else is about to write.

    An effect may take along what is to be written: it is then the effect's, until it is put or released.
    """

    def __init__(self, state: Filed[U], write: Callable[[U], Awaitable[A]], known: Callable[[U, A], None]) -> None:
        """*known* is told what the file knows now, and what it answered."""
        self._state, self._write, self._known = state, write, known
        self._in_flight: set[str] = set()
        self._lasts = 0

    @property
    def is_behind(self) -> bool:
        """Whether there is something to write that is not on its way."""
        return self._state.has_unrecorded(self._in_flight)

    @property
    def waits(self) -> bool:
        """Whether something is done within this very workflow task, after which more is to be written."""
        return self._lasts > 0

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """What is to be written waits for what is done within the workflow task: both go together then."""
        self._lasts += 1
        try:
            yield
        finally:
            self._lasts -= 1

    def is_to_write(self, kind: str) -> bool:
        """Whether a line of that kind is to be written that is not on its way."""
        return any(entry.kind == kind and entry.key not in self._in_flight for entry in self._state.entries)

    def take(self, what: Callable[[Collection[str]], U] | None = None) -> U:
        """Take what the file does not know yet, or of it *what* is asked for, to be written by the caller."""
        update = (what or self._state.unrecorded)(self._in_flight)
        self._in_flight |= update.keys
        return self._state.checked(update)

    def take_all(self) -> U:
        """Take all that the file does not know yet, what is on its way there already as well.

        For what the record itself judges: of two things on their way either may come first.
        """
        return self.take(lambda _: self._state.unrecorded(()))

    def put(self, update: U, answer: A) -> None:
        """The file has the *update*, and answered so."""
        self._known(update, answer)
        self.release(update)

    def release(self, update: U) -> None:
        """The *update* is not on its way any more; what the file still lacks of it may be taken again."""
        self._in_flight -= update.keys

    async def record(self, update: U | None = None) -> None:
        """Write the *update* that was taken, or all that can be taken now."""
        update = update or self.take()
        self.put(update, await self._write(update))

    async def written(self, message: Message) -> None:
        """Wait until the file has the *message*."""

        def waits(entry: Entry) -> bool:
            return entry.kind == message.name and entry.data.get("message_id") == message.message_id

        await workflow.wait_condition(lambda: not any(map(waits, self._state.entries)))

    async def keep(self) -> None:
        """Write whatever nothing else takes along."""
        while True:
            await workflow.wait_condition(lambda: self.is_behind and not self.waits)
            # The life goes first: the effect it comes to may carry what is to be recorded.
            await asyncio.sleep(0)
            if self.is_behind and not self.waits:
                await self.record()
