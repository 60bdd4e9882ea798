"""What is true of every answer: headers that keep the page to itself, and a limit on what may be sent."""

from ipaddress import ip_address
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.files import LARGEST, MOST

LARGEST_REQUEST: Final = MOST * LARGEST + 5_000_000
"""Bytes: a form with as many and as large files as may be added at once, and what was written beside them."""

_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
_HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


def is_here(request: Request) -> bool:
    """Whether somebody at this machine asks, by its own name.

    A page of another site that is open in a browser here can have its name lead to this machine, and ask by that.
    """
    client = request.client
    return client is not None and is_loopback(client.host) and is_loopback(request.url.hostname or "")


def is_loopback(host: str) -> bool:
    """Whether *host* is a name or an address of this machine for itself."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class TooLarge(Exception):
    """More was sent than may be sent at once."""


class Guard:
    """ASGI middleware: adds the headers, and ends a request that sends too much."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self._app = app
        self._headers = {**_HEADERS, "content-security-policy": _POLICY}
        if secure:
            self._headers["strict-transport-security"] = "max-age=31536000; includeSubDomains"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        taken = 0

        async def limited() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > LARGEST_REQUEST:
                raise TooLarge
            return message

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, limited, guarded)
