"""A network that swallows packets: connections stay open, and nothing comes through."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

Target = tuple[str, int] | Path


@dataclass
class Network:
    """Passes on what goes between *target* and whoever connects to 127.0.0.1:port."""

    target: Target
    port: int = 0
    silent: bool = False
    """New connections are swallowed too. Those that were open once while it was stay silent for ever: on both sides."""
    _lost: set[asyncio.Task[None]] = field(default_factory=set)
    _all: set[asyncio.Task[None]] = field(default_factory=set)

    def swallow(self) -> None:
        """From now on nothing comes through."""
        self.silent = True
        self._lost |= self._all

    def heal(self) -> None:
        """New connections come through; the old ones are forgotten, as by a router that was started again."""
        self.silent = False

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        me = asyncio.current_task()
        assert me
        self._all.add(me)
        writers = [writer]
        try:
            if self.silent:
                self._lost.add(me)
                await self._pass(me, reader, None)
                return
            if isinstance(self.target, Path):
                there, back = await asyncio.open_unix_connection(str(self.target))
            else:
                there, back = await asyncio.open_connection(*self.target)
            writers.append(back)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass(me, reader, back))
                both.create_task(self._pass(me, there, writer))
        except* (OSError, asyncio.CancelledError):
            pass
        finally:
            self._all.discard(me)
            for each in writers:
                each.transport.abort()

    async def _pass(
        self, whose: asyncio.Task[None], reader: asyncio.StreamReader, writer: asyncio.StreamWriter | None
    ) -> None:
        while data := await reader.read(65_536):
            if writer and whose not in self._lost:
                writer.write(data)
                await writer.drain()
        if whose in self._lost:
            await asyncio.Event().wait()  # the other side does not hear of the end either
        raise ConnectionResetError

    async def close(self) -> None:
        for task in list(self._all):
            task.cancel()
        await asyncio.gather(*self._all, return_exceptions=True)


@asynccontextmanager
async def network(target: Target) -> AsyncIterator[Network]:
    """A network in front of *target*, on a port of its own."""
    between = Network(target)
    server = await asyncio.start_server(between._serve, "127.0.0.1", 0)
    between.port = server.sockets[0].getsockname()[1]
    try:
        yield between
    finally:
        server.close()
        await between.close()
        await server.wait_closed()
