"""The world outside: a mail server and a payment rail that keep a journal, and misbehave as they are told."""

import asyncio
import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

HOST: Final = "127.0.0.1"
SECRET: Final = "shared by the trial and its payment rail, and by nobody else"  # noqa: S105

ACCEPT: Final = "accept"
DROP: Final = "drop"
HANG: Final = "hang"
REFUSE: Final = "refuse"
CUT: Final = "cut"
"""What a mail server does with a letter: takes it; takes it and never says so; does not answer; refuses it for now;
breaks off before it has it."""

PAY: Final = "pay"
LOSE: Final = "lose"
DEAF: Final = "deaf"
FAIL: Final = "500"
GARBLE: Final = "garble"
DECLINE: Final = "decline"
"""What a rail does when it is told to pay: pays; pays, and its answer is lost; never hears of it; says 500; pays, and
says nonsense; refuses for good."""


class Letter(NamedTuple):
    """A letter that the mail server took. ``said`` is whether the sender was told so, ``begun`` when it was begun."""

    message_id: str
    reference: str | None
    recipient: str
    said: bool
    begun: datetime


@dataclass
class MailServer:
    """Speaks as much SMTP as a mailer needs. ``how`` says what to do with the next letter to an address."""

    how: Callable[[str], str] = lambda _: ACCEPT
    port: int = 0
    taken: list[Letter] = field(default_factory=list)
    attempts: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        recipient = ""

        async def say(line: str) -> None:
            writer.write(f"{line}\r\n".encode())
            await writer.drain()

        await say("220 mail.example.org ESMTP")
        while line := (await reader.readline()).decode(errors="replace").strip():
            command = line.upper()
            if command.startswith("RCPT"):
                found = re.search(r"<([^>]*)>", line)
                recipient = found.group(1) if found else ""
                await say("250 OK")
            elif command.startswith("DATA"):
                self.attempts += 1
                begun = datetime.now(UTC)
                how = self.how(recipient)
                if how == REFUSE:
                    await say("451 4.2.1 not now")
                    continue
                if how == CUT:
                    writer.transport.abort()
                    return
                if how == HANG:
                    await reader.read()  # until whoever writes has lost patience
                    return
                await say("354 go on")
                content = await reader.readuntil(b"\r\n.\r\n")
                self._take(content, recipient, begun, said=how == ACCEPT)
                if how == DROP:
                    writer.transport.abort()
                    return
                await say("250 2.0.0 taken")
            elif command.startswith("QUIT"):
                await say("221 goodbye")
                return
            elif command.startswith("EHLO"):
                await say("250-mail.example.org\r\n250-8BITMIME\r\n250 SMTPUTF8")
            else:
                await say("250 OK")

    def _take(self, content: bytes, recipient: str, begun: datetime, *, said: bool) -> None:
        message = message_from_bytes(content, policy=policy.default)
        self.taken.append(
            Letter(str(message["Message-ID"]).strip(), message["X-Redress-Reference"], recipient, said, begun)
        )


@dataclass
class Rail:
    """A payment rail that pays once for a key. ``how`` says what to do when told to pay for a key."""

    how: Callable[[str], str] = lambda _: PAY
    port: int = 0
    payments: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By key, what was ordered; ``paid`` says whether money went."""
    asked: int = 0

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/v1"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.split("\r\n")
        method, path, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        content = await reader.readexactly(int(headers.get("content-length", 0)))
        answer = self._answer(method, path.removeprefix("/v1"), headers, content)
        if answer is None:
            await reader.read()
            return
        writer.write(answer)
        await writer.drain()

    def _answer(self, method: str, path: str, headers: dict[str, str], content: bytes) -> bytes | None:
        self.asked += 1
        key = unquote(path.removeprefix("/payments/"))
        signature = headers.get("redress-signature", "")
        signed = _sign(headers.get("redress-timestamp", "").encode(), method.encode(), path.encode(), content)
        if not hmac.compare_digest(signature, signed):
            return _response(401, b"{}", signature)
        how = self.how(key)
        if how == DEAF:
            return None
        if how == FAIL:
            return _response(500, b"{}", signature)
        if method == "PUT":
            order = json.loads(content)
            known = self.payments.setdefault(key, {**order, "paid": how != DECLINE})
            if any(known[name] != order[name] for name in order):
                return _response(409, b"{}", signature)
        elif key not in self.payments:
            return _response(404, b'{"state": "unknown"}', signature)
        if how == LOSE:
            return None
        if how == GARBLE:
            return _response(200, b"<html>Welcome</html>", signature)
        known = self.payments[key]
        body = (
            {"state": "paid", "amount": known["amount"], "currency": known["currency"], "reference": "B-1"}
            if known["paid"]
            else {"state": "declined", "reason": "account_closed"}
        )
        return _response(200, json.dumps(body).encode(), signature)


def _sign(*parts: bytes) -> str:
    return f"v1={hmac.new(SECRET.encode(), b'.'.join(parts), hashlib.sha256).hexdigest()}"


def _response(status: int, content: bytes, signature: str) -> bytes:
    signed = _sign(signature.encode(), str(status).encode(), content)
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(content)}\r\nRedress-Signature: {signed}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode() + content


@asynccontextmanager
async def listening(server: MailServer | Rail) -> AsyncIterator[None]:
    """*server* on a free port of this machine until the end."""
    writers: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        try:
            with suppress(asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError):
                await server.serve(reader, writer)
        finally:
            writers.discard(writer)
            writer.close()

    listener = await asyncio.start_server(serve, HOST, 0, limit=4_000_000)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield
    finally:
        listener.close()
        for writer in list(writers):
            writer.transport.abort()
        await listener.wait_closed()
