"""Payment rails: what pays. The protocol of the HTTP rail is told in `docs/payments.md`, for whoever writes one."""

import asyncio
import hashlib
import hmac
import json
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, Protocol
from urllib.parse import quote, urlsplit

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from domain.ground.base import Line
from domain.ground.words import PaymentReason
from domain.money.amounts import Currency, Money
from domain.money.payment import PaymentOrder, RailAnswer, RailState
from runtime.settings import Settings

_LONGEST_ANSWER: Final = 64_000
_OURSELVES: Final = {"localhost", "127.0.0.1", "::1"}


class RailFailed(Exception):
    """The rail gave no answer that can be trusted. The text tells codes and kinds of error, and nothing of the payment.

    Unless ``unsent``, the payment may have been made.
    """

    def __init__(self, detail: str, *, unsent: bool = False) -> None:
        super().__init__(detail)
        self.unsent = unsent


class RailConflict(Exception):
    """The rail knows the key for another payment, and will never take it for this one."""


class PaymentRail(Protocol):
    """Something that pays once for a key, and can be asked about it."""

    @property
    def name(self) -> str:
        """The word under which it stands in the ledger."""

    async def pay(self, order: PaymentOrder) -> RailAnswer:
        """Have *order* paid. Raises `RailFailed`, `RailConflict`."""

    async def ask(self, key: str) -> RailAnswer:
        """What became of the payment of *key*; state ``unknown`` if it was never heard of. Raises `RailFailed`."""


def sign(secret: bytes, *parts: str | bytes) -> str:
    """``v1=`` and the HMAC-SHA256, in hex, over *parts* with a full stop between them."""
    message = b".".join(part.encode() if isinstance(part, str) else part for part in parts)
    return f"v1={hmac.new(secret, message, hashlib.sha256).hexdigest()}"


def path_of(key: str) -> str:
    """The path of a payment, below the rail's URL."""
    return f"/payments/{quote(key, safe='')}"


def name_of(url: str) -> str:
    """The rail's host, and after ``#`` what tells its URLs apart, such as ``pay.example.com#1b2c3d4e``.

    That is 8 hex digits of the SHA-256 of ``scheme://host:port/path``: a sandbox beside the live rail is another rail,
    which has never heard of what was ordered here.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    whole = f"{parts.scheme}://{host}:{port}{parts.path.rstrip('/')}"
    return f"{host}#{hashlib.sha256(whole.encode()).hexdigest()[:8]}"


class _Body(BaseModel):
    """The JSON of an answer. A rail may say more than we understand."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    state: RailState
    amount: Annotated[Decimal, Field(allow_inf_nan=False, max_digits=24, decimal_places=10)] | None = None
    currency: Currency | None = None
    reference: Line | None = None
    reason: PaymentReason | None = None

    @field_validator("amount", mode="before")
    @classmethod
    def _no_float(cls, value: Any) -> Any:
        if isinstance(value, float):
            raise ValueError("an amount is sent as text")  # noqa: TRY004 (pydantic wants a ValueError)
        return value

    @field_validator("reason", mode="before")
    @classmethod
    def _known(cls, value: Any) -> Any:
        if value is None or value in set(PaymentReason):
            return value
        return PaymentReason.OTHER


class HttpRail:
    """Speaks to a rail over HTTP, each time on a connection of its own. Both sides sign what they say."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Raises `ValueError` if the settings name no rail. *clock* gives the time as an aware datetime."""
        if not settings.payment_url or not settings.payment_secret:
            raise ValueError("REDRESS_PAYMENT_URL and REDRESS_PAYMENT_SECRET are not set")
        self._url = settings.payment_url
        self._secret = settings.payment_secret.get_secret_value().encode()
        self._timeout = settings.payment_timeout
        self._clock = clock
        self._host = urlsplit(self._url).hostname or ""
        self._name = name_of(self._url)
        # Reading the authorities takes longer than the rest of a request.
        self._tls: ssl.SSLContext | bool = httpx.create_ssl_context() if self._url.startswith("https") else False

    @property
    def name(self) -> str:
        """See :func:`name_of`."""
        return self._name

    async def pay(self, order: PaymentOrder) -> RailAnswer:
        """See :class:`PaymentRail`. An order that the rail calls invalid is declined."""
        body = {
            "amount": f"{order.amount.amount:f}",
            "currency": order.amount.currency,
            "payee": order.payee,
            "reference": order.reference,
        }
        return await self._talk("PUT", order.key, json.dumps(body, sort_keys=True).encode())

    async def ask(self, key: str) -> RailAnswer:
        """See :class:`PaymentRail`."""
        return await self._talk("GET", key, b"")

    async def _talk(self, method: Literal["PUT", "GET"], key: str, body: bytes) -> RailAnswer:
        path = path_of(key)
        timestamp = str(int(self._clock().timestamp()))
        signature = sign(self._secret, timestamp, method, path, body)
        headers = {
            "Idempotency-Key": key,
            "Redress-Timestamp": timestamp,
            "Redress-Signature": signature,
            "Accept": "application/json",
            "Accept-Encoding": "identity",
        } | ({"Content-Type": "application/json"} if body else {})
        status, content, signed = await self._send(method, path, body, headers)
        if status in {401, 403}:
            raise RailFailed(f"the rail refuses us ({status}): secret or clock differ", unsent=method == "PUT")
        if not hmac.compare_digest(signed, sign(self._secret, signature, str(status), content)):
            raise RailFailed(f"the answer ({status}) is not signed by the rail")
        if status == 409:
            raise RailConflict("the rail knows the key for another payment")
        if method == "PUT" and status in {400, 422}:
            return RailAnswer(state=RailState.DECLINED, reason=PaymentReason.INVALID)
        if status not in {200, 201, 202} and not (method == "GET" and status == 404):
            raise RailFailed(f"the rail answered {status}")
        answer = _read(content, status)
        if (answer.state is RailState.UNKNOWN) != (status == 404):
            raise RailFailed(f"the answer contradicts itself ({status}, {answer.state.value})")
        return answer

    async def _send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes, str]:
        """Status, content and signature of the answer, within the time limit as a whole.

        Nothing is unpacked: a few kilobytes may hold gigabytes, and what is signed is what was sent.
        """
        try:
            async with (
                asyncio.timeout(self._timeout),
                httpx.AsyncClient(
                    verify=self._tls, timeout=self._timeout, trust_env=self._host not in _OURSELVES
                ) as client,
                client.stream(method, f"{self._url}{path}", content=body, headers=headers) as response,
            ):
                if response.headers.get("Content-Encoding", "identity").strip().lower() not in {"", "identity"}:
                    raise RailFailed(f"the answer ({response.status_code}) is compressed, which was not asked for")
                content = b""
                async for chunk in response.aiter_raw():
                    content += chunk
                    if len(content) > _LONGEST_ANSWER:
                        raise RailFailed("the answer is too long")
                return response.status_code, content, response.headers.get("Redress-Signature", "")
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise RailFailed(f"the rail could not be reached ({type(error).__name__})", unsent=True) from None
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            raise RailFailed(f"the rail did not answer ({type(error).__name__})") from None


def _read(content: bytes, status: int) -> RailAnswer:
    try:
        body = _Body.model_validate_json(content)
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, detail["loc"])) or "the whole" for detail in error.errors())
        raise RailFailed(f"the answer ({status}) cannot be read: {fields}") from None
    paid = None
    if body.amount is not None and body.currency is not None:
        paid = Money(amount=body.amount, currency=body.currency)
    return RailAnswer(state=body.state, paid=paid, rail_reference=body.reference, reason=body.reason)
