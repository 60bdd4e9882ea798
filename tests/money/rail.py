"""A payment rail for tests: a real HTTP server that keeps the protocol, and can be told to misbehave."""

import asyncio
import gzip
import hashlib
import hmac
import json
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any
from urllib.parse import unquote

from runtime.settings import Settings, load_settings

SECRET = "a secret of the tests, and of nobody else"


def paid(body: dict[str, Any]) -> dict[str, Any]:
    return {"state": "paid", "amount": body["amount"], "currency": body["currency"], "reference": "B-1"}


@cache
def _bomb() -> bytes:
    """A hundred megabytes of nothing."""
    packer = zlib.compressobj(wbits=31)
    return b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(100)), packer.flush()])


@dataclass
class Payment:
    """What the rail knows of a key: what it was told, and what became of it."""

    body: dict[str, Any]
    answer: dict[str, Any]


@dataclass
class Rail:
    """Pays what it is told, once a key. ``script`` says how it behaves on the next requests, else it is well behaved.

    ``lost`` takes the payment, and its answer never arrives; ``unheard`` does not even take it; so do ``500`` and other
    codes; ``silent`` never answers; ``garbled`` and ``unsigned`` take it, and answer what cannot be trusted. Not to be
    read, signed or not, are ``gzip``, ``nested`` (gzip in gzip in gzip, a hundred megabytes in the end), ``long``,
    ``endless``, ``headers`` without an end, and ``drip``, which sends a byte every now and then.
    """

    secret: str = SECRET
    port: int = 0
    script: list[str] = field(default_factory=list)
    pays: Callable[[dict[str, Any]], dict[str, Any]] = paid
    payments: dict[str, Payment] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """Every request: ``PUT key`` or ``GET key``."""
    encodings: list[str] = field(default_factory=list)
    """How every request asked to be answered."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def settings(self, **changes: Any) -> Settings:
        """Settings for speaking to it."""
        return load_settings(
            **{"payment_url": self.url, "payment_secret": self.secret, "payment_timeout": 10, **changes}
        )

    @property
    def keys(self) -> list[str]:
        """The keys it was told to pay for, each once."""
        return list(dict.fromkeys(line.removeprefix("PUT ") for line in self.asked if line.startswith("PUT ")))

    def money(self) -> Decimal:
        """All that left through it."""
        return sum((Decimal(one.answer.get("amount", 0)) for one in self.payments.values()), Decimal(0))

    async def answer(self, method: str, path: str, headers: dict[str, str], content: bytes) -> bytes | None:
        """The whole answer, or nothing at all."""
        path = path.removeprefix("/v1")
        key = unquote(path.removeprefix("/payments/"))
        self.asked.append(f"{method} {key}")
        signature = headers.get("redress-signature", "")
        expected = self._sign(headers.get("redress-timestamp", "").encode(), method.encode(), path.encode(), content)
        how = self.script.pop(0) if self.script else "well"
        if how in {"unheard", "silent"}:
            return None
        if not hmac.compare_digest(signature, expected) or headers.get("idempotency-key") != key:
            return self._response(401, {"error": "signature"}, signature)
        if how.isdigit():
            return self._response(int(how), {"state": "pending"}, signature)
        status, body = self._pay(key, json.loads(content)) if method == "PUT" else self._look(key)
        if how == "lost":
            return None
        if how == "garbled":
            return self._raw(status, b"<html>Welcome</html>", signature)
        if how == "gzip":
            return self._raw(status, gzip.compress(json.dumps(body).encode()), signature, "Content-Encoding: gzip")
        if how == "nested":
            return self._raw(
                status, gzip.compress(gzip.compress(_bomb())), signature, "Content-Encoding: gzip, gzip, gzip"
            )
        if how == "long":
            return self._raw(status, json.dumps(body).encode() + b" " * (1 << 20), signature)
        return self._response(status, body, "v1=wrong" if how == "unsigned" else signature)

    def _pay(self, key: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        known = self.payments.get(key)
        if known and known.body != body:
            return 409, {"error": "the key belongs to another payment"}
        if known is None:
            self.payments[key] = Payment(body, self.pays(body))
        return 200, self.payments[key].answer

    def _look(self, key: str) -> tuple[int, dict[str, Any]]:
        known = self.payments.get(key)
        return (200, known.answer) if known else (404, {"state": "unknown"})

    def _sign(self, *parts: bytes) -> str:
        return f"v1={hmac.new(self.secret.encode(), b'.'.join(parts), hashlib.sha256).hexdigest()}"

    def _response(self, status: int, body: dict[str, Any], signature: str) -> bytes:
        return self._raw(status, json.dumps(body).encode(), signature)

    def _raw(self, status: int, content: bytes, signature: str, *headers: str) -> bytes:
        signed = self._sign(signature.encode(), str(status).encode(), content)
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(content)}\r\nRedress-Signature: {signed}\r\n"
        head += "".join(f"{header}\r\n" for header in headers)
        return f"{head}Connection: close\r\n\r\n".encode() + content


def partly(amount: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A rail that pays *amount* of whatever it is told to pay, if that is more."""
    return lambda body: (
        {"state": "partial", "amount": amount, "currency": body["currency"], "reference": "B-2"}
        if Decimal(body["amount"]) > Decimal(amount)
        else paid(body)
    )


def declining(reason: str = "account_closed") -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda body: {"state": "declined", "reason": reason}


def pending(body: dict[str, Any]) -> dict[str, Any]:
    return {"state": "pending"}


ENDLESS = {
    "endless": (b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n", b"400\r\n" + bytes(1024) + b"\r\n", 0.0),
    "headers": (b"HTTP/1.1 200 X\r\n", b"X-More: and more\r\n", 0.0),
    "drip": (b"HTTP/1.1 200 X\r\nContent-Length: 60000\r\n\r\n", b" ", 0.02),
}
"""How an answer begins, how it goes on and on, and the seconds between its pieces."""


async def _without_end(writer: asyncio.StreamWriter, how: str) -> None:
    """Until whoever asked hangs up."""
    begin, more, pause = ENDLESS[how]
    writer.write(begin)
    while not writer.is_closing():
        writer.write(more)
        await writer.drain()
        await asyncio.sleep(pause)


@asynccontextmanager
async def open_rail(**options: Any) -> AsyncIterator[Rail]:
    """A rail on a free port of this machine."""
    rail = Rail(**options)
    connections: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(writer)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            method, path, _ = head.split("\r\n", 1)[0].split(" ")
            headers = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:] if line)
            }
            content = await reader.readexactly(int(headers.get("content-length", 0)))
            how = rail.script[0] if rail.script else "well"
            rail.encodings.append(headers.get("accept-encoding", "any"))
            answer = await rail.answer(method, path, headers, content)
            if how in ENDLESS:
                await _without_end(writer, how)
            elif how == "silent":
                await reader.read()  # until whoever asked has lost patience
            elif answer is not None:
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            connections.discard(writer)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    rail.port = server.sockets[0].getsockname()[1]
    try:
        yield rail
    finally:
        server.close()
        for writer in list(connections):
            writer.close()
        await server.wait_closed()
