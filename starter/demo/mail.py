"""The customers' mail server: a real one, on a free port, that can be told to turn somebody's mail away for now."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from runtime.child import StackError

HOST: Final = "127.0.0.1"


class MailServer:
    """Takes every letter over and counts them; mail to some addresses it turns away (451) until told otherwise."""

    def __init__(self) -> None:
        self.port = 0
        self.taken = 0
        self.turned_away = 0
        self._away: set[str] = set()

    def turn_away(self, address: str) -> None:
        self._away.add(address)

    def accept(self, address: str) -> None:
        self._away.discard(address)

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        if address in self._away:
            self.turned_away += 1
            return "451 4.2.1 the mailbox is not available now, try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, _envelope: Any) -> str:  # noqa: N802
        self.taken += 1
        return "250 OK"


@asynccontextmanager
async def open_mail_server() -> AsyncIterator[MailServer]:
    """A mail server that listens until the end. Raises `StackError` if its package is not installed."""
    try:
        from aiosmtpd.smtp import SMTP
    except ImportError:
        raise StackError("The demo's mail server is not installed: pip install 'redress[embedded]'.") from None
    mail = MailServer()
    connections: list[Any] = []
    loop = asyncio.get_running_loop()

    def answer() -> Any:
        connections.append(SMTP(mail, hostname="mail.example.org", enable_SMTPUTF8=True, loop=loop))
        return connections[-1]

    listening = await loop.create_server(answer, HOST, 0)
    mail.port = listening.sockets[0].getsockname()[1]
    try:
        yield mail
    finally:
        listening.close()
        for connection in connections:
            if connection.transport:
                connection.transport.close()
        await listening.wait_closed()
