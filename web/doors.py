"""What every page is given: the database, Temporal, the settings, the secret by which cookies are signed."""

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from temporalio.client import Client

from domain.ground.messages import Message
from domain.people.actors import Person
from runtime.database import Pool
from runtime.identity.issuing import TokenIssuer
from runtime.identity.speaking import TokenFor
from runtime.settings import Settings
from starter.client.complaints import Complaints
from starter.intake.dealer import Dealer
from web.live import Live

_ISSUER: Final = "issuer"


@dataclass
class Doors:
    """The collaborators of the pages. Nothing of it is global: an application is made of one of these."""

    pool: Pool
    settings: Settings
    secret: bytes
    """At least 32 bytes; processes that serve the same address share it."""
    clock: Callable[[], datetime]
    reach: Callable[[], Awaitable[Client]]
    """Connects to Temporal; raises `runtime.connection.TemporalUnavailable`. Asked when a page first needs it."""
    dealer: Dealer | None = field(default=None, init=False)
    """Has what was received dealt with, while the site is served."""
    kept: dict[str, Any] = field(default_factory=dict, init=False)
    """What an area makes once and keeps while the application lives."""
    live: Live = field(init=False)
    """Tells of changes of cases."""
    _client: Client | None = field(default=None, init=False)
    _reaching: asyncio.Task[Client] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.live = Live(self.pool)

    @property
    def secure(self) -> bool:
        """Whether the pages are reached over TLS, so that cookies may insist on it."""
        return urlsplit(self.settings.web_url or "").scheme == "https"

    async def temporal(self) -> Client:
        """The client, connected once. Raises `runtime.connection.TemporalUnavailable` within seconds."""
        if self._client is None:
            if self._reaching is None or self._reaching.done():
                self._reaching = asyncio.create_task(self._reached(), name="reach")
            # One attempt for all who wait: one after the other they would each wait for all before them.
            self._client = await asyncio.shield(self._reaching)
        return self._client

    async def _reached(self) -> Client:
        return await self.reach()

    async def complaints(self) -> Complaints:
        """How messages are sent to cases. Raises `runtime.connection.TemporalUnavailable` within seconds."""
        return Complaints(await self.temporal(), task_queue=self.settings.task_queue)

    async def spoken_for(self, person: Person) -> Complaints:
        """How *person*, who signed on, sends messages to cases: each carries a token that proves it.

        Raises `runtime.connection.TemporalUnavailable`.
        """
        return Complaints(await self.temporal(), task_queue=self.settings.task_queue, token_for=self.token_for(person))

    def token_for(self, person: Person) -> TokenFor | None:
        """What makes the tokens of *person*; None where there is no key, and nothing is asked for."""
        if _ISSUER not in self.kept:
            self.kept[_ISSUER] = TokenIssuer.of(self.settings)
        issuer: TokenIssuer | None = self.kept[_ISSUER]
        return issuer.speaks_for(person) if issuer else None

    def came_in(self) -> None:
        """Have what was just received dealt with now, and not at the next look."""
        if self.dealer:
            self.dealer.nudge()

    def mark(self, service: str, message: Message) -> str:
        """By what the id is known again that *service* gave *message*; ids are counted by kind."""
        return self.keyed("mark", f"{service}\0{message.key}")

    def keyed(self, purpose: str, value: str) -> str:
        """A keyed hash (hex) of *value*, for one *purpose*: nobody without the secret makes it or reads it back."""
        return hmac.digest(self.secret, f"{purpose}\0{value}".encode(), hashlib.sha256).hex()

    def vouched(self, purpose: str, value: str) -> str:
        """*value* with what proves that it was written here, for one *purpose*: whoever writes to the record cannot."""
        return f"{self.keyed(purpose, value)} {value}"

    def proven(self, purpose: str, text: str) -> str | None:
        """The value in a *text* that `vouched` made for that *purpose*; ``None`` of any other."""
        mark, _, value = text.partition(" ")
        return value if hmac.compare_digest(mark.encode(), self.keyed(purpose, value).encode()) else None
