"""Letters handed by signed webhook (Standard Webhooks) to a system of the firm, which sends messages or prints them."""

import asyncio
import json
import ssl
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Final, Literal
from urllib.parse import urlsplit

import httpx

from runtime.mail import MailFailed, MailRefused
from runtime.settings import Settings
from runtime.standard_webhooks import signature

_OURSELVES: Final = {"localhost", "127.0.0.1", "::1"}
_FOR_NOW: Final = {401, 403, 408, 409, 425, 429}
"""Answers that say nothing of the letter: secrets that differ, or a system that is busy."""


@dataclass(frozen=True, kw_only=True)
class HandedOver:
    """A letter as it is handed over. *copy* says that the customer may have the same letter already."""

    reference: str
    number: int
    kind: str
    language: str
    name: str
    phone: str | None
    account: str | None
    subject: str
    text: str
    written_at: str
    copy: bool


class LetterHook:
    """Hands letters over at ``REDRESS_LETTER_WEBHOOK_URL``, each time on a connection of its own."""

    name = "webhook"

    def __init__(self, settings: Settings, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Raises `ValueError` if the settings name no system. *clock* gives the time as an aware datetime."""
        if not settings.letter_webhook_url or not settings.letter_webhook_secret:
            raise ValueError("REDRESS_LETTER_WEBHOOK_URL and REDRESS_LETTER_WEBHOOK_SECRET are not set")
        self._url = settings.letter_webhook_url
        self._secret = settings.letter_webhook_secret.get_secret_value()
        self._timeout = settings.smtp_timeout
        self._clock = clock
        self._trust_env = urlsplit(self._url).hostname not in _OURSELVES
        # Reading the authorities takes longer than the rest of a request.
        self._tls: ssl.SSLContext | bool = httpx.create_ssl_context() if self._url.startswith("https") else False
        self.brings: Literal["message", "post"] = settings.letter_webhook_brings

    async def hand_over(self, key: str, letter: HandedOver) -> None:
        """Return when the system has taken *letter* over, which it knows by *key* however often it is sent.

        Raises `MailRefused` where it will not (410, and any other 4xx that is about the letter), else `MailFailed`.
        """
        content = json.dumps({"type": "letter", "data": asdict(letter)}, ensure_ascii=False).encode()
        at = str(int(self._clock().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "webhook-id": key,
            "webhook-timestamp": at,
            "webhook-signature": signature(self._secret, key, at, content),
        }
        try:
            async with (
                asyncio.timeout(self._timeout),
                httpx.AsyncClient(verify=self._tls, timeout=self._timeout, trust_env=self._trust_env) as client,
                client.stream("POST", self._url, content=content, headers=headers) as response,
            ):
                status = response.status_code  # what it says beside is not read
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            raise MailFailed(f"the webhook did not answer ({type(error).__name__})") from None
        if 200 <= status < 300:
            return
        if 400 <= status < 500 and status not in _FOR_NOW:
            raise MailRefused(f"the webhook refused the letter ({status})")
        raise MailFailed(f"the webhook answered {status}")
