"""A browser as little of one as can be, for the benchmarks of pages."""

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from runtime.settings import Settings
from runtime.temporal import connect
from web.doors import Doors
from web.visits import Person, Session, cookie_name, sealed_id, sign_in

if TYPE_CHECKING:
    from runtime.database import Pool

_PATIENCE: Final = 30.0  # seconds for a page


class Visitor:
    """A browser as little of one as can be: one connection that is kept, and one cookie."""

    def __init__(self, host: str, port: int, cookie: str) -> None:
        self._at, self._cookie, self._more = (host, port), cookie, ""
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._text = ""

    def by_itself(self) -> None:
        """What is asked from now on, an open page asks."""
        self._more = "hx-request: true\r\n"

    async def text(self, path: str) -> str:
        """The page, which is not timed."""
        await self.get(path)
        return self._text

    async def get(self, path: str) -> tuple[int, float]:
        """The status of the page, and the seconds until it was there. A connection that was closed is opened anew."""
        began = time.perf_counter()
        async with asyncio.timeout(_PATIENCE):
            try:
                status = await self._asked(path)
            except (ConnectionError, asyncio.IncompleteReadError):
                self._streams = None
                status = await self._asked(path)
        return status, time.perf_counter() - began

    async def _asked(self, path: str) -> int:
        self._streams = self._streams or await asyncio.open_connection(*self._at)
        reader, writer = self._streams
        writer.write(
            f"GET {path} HTTP/1.1\r\nhost: {self._at[0]}\r\ncookie: {self._cookie}\r\n{self._more}\r\n".encode()
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        self._text = (await reader.readexactly(int(headers.get("content-length", 0)))).decode()
        return int(head.split()[1])


async def signed_in(doors: Doors, person: Person) -> Visitor:
    """The browser of *person*, who has signed in."""
    session = Session("", unsaved=True)
    await sign_in(session, person, doors)
    parts = urlsplit(doors.settings.web_url or "")
    return Visitor(parts.hostname or "", parts.port or 80, f"{cookie_name(doors)}={sealed_id(session, doors)}")


def doors_of(settings: Settings, pool: "Pool") -> Doors:
    """What the pages of this stack stand on, in this process as well, so that it can sign people in."""
    assert settings.web_secret  # noqa: S101 (the stack makes one)
    secret = settings.web_secret.get_secret_value().encode()
    return Doors(pool, settings, secret, lambda: datetime.now(UTC), lambda: connect(settings))
