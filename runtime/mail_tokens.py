"""Access tokens for mail servers that take no passwords (XOAUTH2), from their provider's token endpoint (RFC 6749)."""

import asyncio
import re
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, Field, ValidationError

from runtime.settings import Settings

_EARLIER: Final = 120
"""Seconds before its end from which on a token is not used: a visit to a mailbox takes a while."""
_TIMEOUT: Final = 20
_OURSELVES: Final = {"localhost", "127.0.0.1", "::1"}
_CODE: Final = re.compile(r"[a-z_]{1,40}")


class NoMailToken(Exception):
    """The provider gave no token. The text tells codes and kinds of error."""


class _Granted(BaseModel):
    access_token: str = Field(min_length=1)
    expires_in: float = 300
    refresh_token: str | None = None


class MailTokens:
    """Tokens of one client, each used until shortly before its end. *clock* counts seconds."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises `ValueError` if the settings name no token endpoint."""
        if not settings.mail_token_url or not settings.mail_client_id:
            raise ValueError("REDRESS_MAIL_TOKEN_URL and REDRESS_MAIL_CLIENT_ID are not set")
        self._url = settings.mail_token_url
        self._form = {"client_id": settings.mail_client_id}
        if settings.mail_client_secret:
            self._form["client_secret"] = settings.mail_client_secret.get_secret_value()
        if settings.mail_token_scope:
            self._form["scope"] = settings.mail_token_scope
        given = settings.mail_refresh_token
        self._refresh = given.get_secret_value() if given else None
        self._clock = clock
        self._known: tuple[str, float] | None = None
        self._one_at_a_time = asyncio.Lock()

    async def token(self) -> str:
        """A token that a mail server takes. Raises `NoMailToken`."""
        async with self._one_at_a_time:
            if self._known is None or self._clock() >= self._known[1]:
                granted = await self._ask()
                # Some providers give another refresh token each time; the newest lasts longest.
                self._refresh = granted.refresh_token or self._refresh
                self._known = granted.access_token, self._clock() + max(0, granted.expires_in - _EARLIER)
            return self._known[0]

    def forget(self, token: str) -> None:
        """A mail server did not take *token*: the next one is another."""
        if self._known and self._known[0] == token:
            self._known = None

    async def _ask(self) -> _Granted:
        grant = (
            {"grant_type": "refresh_token", "refresh_token": self._refresh}
            if self._refresh
            else {"grant_type": "client_credentials"}
        )
        try:
            async with httpx.AsyncClient(
                timeout=_TIMEOUT, trust_env=urlsplit(self._url).hostname not in _OURSELVES
            ) as client:
                answer = await client.post(self._url, data={**self._form, **grant})
            granted = _Granted.model_validate_json(answer.content) if answer.status_code == 200 else None
        except ValidationError:
            raise NoMailToken("the token endpoint's answer cannot be read") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise NoMailToken(f"the token endpoint did not answer ({type(error).__name__})") from None
        if granted is None:
            raise NoMailToken(f"the token endpoint answered {answer.status_code}{_code_in(answer)}")
        return granted


def _code_in(answer: httpx.Response) -> str:
    """The provider's error code, such as *invalid_grant*: its own words may name users."""
    try:
        code = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        return ""
    return f" {code}" if isinstance(code, str) and _CODE.fullmatch(code) else ""
