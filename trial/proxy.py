"""A proxy between two parts that can cut, slow, swallow and reset what passes through it."""

import asyncio
import os
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

HOST: Final = "127.0.0.1"
_CHUNK: Final = 65_536
_SLOW: Final = 0.15  # seconds more for each piece
_RESET: Final = struct.pack("ii", 1, 0)  # close without lingering: the other side gets a reset


@dataclass
class Proxy:
    """Passes on bytes between whoever connects and *target*: ``(host, port)`` or the path of a socket."""

    name: str
    target: tuple[str, int] | Path
    port: int = 0
    _open: asyncio.Event = field(default_factory=asyncio.Event)
    _refusing: bool = False
    _slow: bool = False
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._open.set()

    def swallow(self) -> None:
        """From now on nothing comes through, and nobody is told: a black hole."""
        self._open.clear()

    def slow(self) -> None:
        self._slow = True

    def refuse(self) -> None:
        """Cut what there is, and take no new connection."""
        self._refusing = True
        self.cut()

    def restore(self) -> None:
        """Everything passes again; connections that were swallowed are ended, as a network would in the end."""
        if not self._open.is_set():
            self.cut()
        self._open.set()
        self._slow = self._refusing = False

    def cut(self) -> None:
        """End all connections in good order."""
        for writer in list(self._writers):
            writer.close()

    def reset(self) -> None:
        """End all connections at once, losing what is on its way."""
        for writer in list(self._writers):
            peer = writer.get_extra_info("socket")
            with suppress(OSError):
                if peer.family is not socket.AF_UNIX:
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            writer.transport.abort()
            return
        self._writers.add(writer)
        try:
            await self._open.wait()
            if isinstance(self.target, Path):
                there, back = await asyncio.open_unix_connection(str(self.target))
            else:
                there, back = await asyncio.open_connection(*self.target)
        except OSError:
            self._writers.discard(writer)
            writer.transport.abort()
            return
        self._writers.add(back)
        passing = [asyncio.create_task(self._pass(reader, back)), asyncio.create_task(self._pass(there, writer))]
        try:
            await asyncio.wait(passing, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in passing:
                task.cancel()
            for each in (writer, back):
                self._writers.discard(each)
                each.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, OSError):
            while data := await reader.read(_CHUNK):
                await self._open.wait()
                if self._slow:
                    await asyncio.sleep(_SLOW)
                writer.write(data)
                await writer.drain()


@asynccontextmanager
async def through(proxy: Proxy, place: Path | None = None) -> AsyncIterator[Proxy]:
    """*proxy*, listening on a free port, or on the socket *place*."""
    if place:
        listener: asyncio.Server = await asyncio.start_unix_server(proxy.serve, str(place))
        os.chmod(place, 0o777)  # noqa: PTH101, S103 - PostgreSQL's own folder keeps others out
    else:
        listener = await asyncio.start_server(proxy.serve, HOST, 0)
        proxy.port = listener.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        listener.close()
        proxy.restore()
        proxy.reset()
        await listener.wait_closed()
