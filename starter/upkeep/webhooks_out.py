"""Send the webhooks that wait, until each is taken: in PostgreSQL, so that what a process that died had begun is done.

They are no work of Temporal's: a service that hangs must not take the place of a letter, and is told while Temporal is
away. One subscription waits for no other, and gets one webhook at a time, in the order in which things happened.
"""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
import structlog

from runtime.database import Pool
from runtime.settings import Settings
from runtime.standard_webhooks import signature
from starter.upkeep.reached import NotThere, address_of
from starter.upkeep.subscriptions import NoSuchSubscription, end_subscription

OFTEN: Final = timedelta(seconds=2)
"""How often it is looked what waits."""
AFTER: Final = tuple(
    timedelta(seconds=seconds) for seconds in (5, 60, 300, 1800, 7200, 6 * 3600, 12 * 3600, 24 * 3600, 24 * 3600)
)
"""How long after each attempt the next one is made; after the last of these a webhook is given up."""
FORGOTTEN_AFTER: Final = timedelta(days=30)
"""A subscription whose webhooks nobody has taken for so long ends."""
ENDPOINT: Final = "endpoint"
"""Who ended a subscription that answered 410, or nothing for too long."""
_PATIENCE: Final = 10.0  # seconds
_IN_HAND: Final = timedelta(minutes=1)
"""Whoever began to send a webhook and has not said after so long how it ended is dead."""
_LONGEST_ANSWER: Final = 16_000  # bytes that are read, so that the connection may be used again

log = structlog.get_logger("webhooks")


class WebhookSender:
    """Sends what waits in ``web.deliveries``. *clock* gives the time as an aware datetime.

    Any number of processes may do so side by side.
    """

    def __init__(self, pool: Pool, settings: Settings, clock: Callable[[], datetime]) -> None:
        self._pool = pool
        self._inside = settings.hosts_of_webhooks
        self._clock = clock
        self._sending: dict[str, asyncio.Task[None]] = {}
        self._tls: ssl.SSLContext | None = None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send what waits for as long as this is entered."""
        task = asyncio.create_task(self._run(), name="webhooks")
        try:
            yield
        finally:
            task.cancel()
            for one in (tasks := [task, *self._sending.values()]):
                one.cancel()
            await asyncio.wait(tasks)

    async def _run(self) -> None:
        while True:
            try:
                for row in await self._pool.fetch(_DUE):
                    if row["id"] not in self._sending:
                        self._sending[row["id"]] = asyncio.create_task(self._go_on(row["id"]))
            except Exception as error:
                log.error("webhooks that wait could not be looked at", error=type(error).__name__)  # noqa: TRY400
            await asyncio.sleep(OFTEN.total_seconds())

    async def _go_on(self, known: str) -> None:
        try:
            await self.send(known)
        except Exception as error:
            # What it says may hold an address or a secret.
            log.error("webhooks could not be sent", subscription=known, error=type(error).__name__)  # noqa: TRY400
        finally:
            del self._sending[known]

    async def send(self, known: str) -> None:
        """Send what is due of this subscription until all is, or one is not taken."""
        self._tls = self._tls or httpx.create_ssl_context()
        async with httpx.AsyncClient(verify=self._tls, timeout=_PATIENCE, trust_env=False) as client:
            while row := await self._pool.fetchrow(_TAKE, known, _IN_HAND):
                if not await self._sent(client, dict(row.items())):
                    return

    async def _sent(self, client: httpx.AsyncClient, row: Mapping[str, Any]) -> bool:
        """Send one, and write down what came of it; whether it was taken."""
        known, key, now = row["subscription"], row["key"], self._clock()
        later = timedelta(0)
        try:
            status, later = await self._post(client, row, now)
            why = f"it answered {status}"
        except NotThere as error:
            status, why = 0, str(error)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError, ValueError) as error:
            status, why = 0, f"it could not be reached ({type(error).__name__})"
        if 200 <= status < 300:
            await self._pool.execute(_TAKEN, known, key, now)
            return True
        tries = row["tries"]
        again = max(AFTER[tries - 1], later) if tries <= len(AFTER) else None
        failing_since = await self._pool.fetchval(_FAILED, known, key, again, why, now)
        log.warning("a webhook was not taken", subscription=known, why=why, tries=tries, again=again is not None)
        if status == httpx.codes.GONE or (failing_since and now - failing_since > FORGOTTEN_AFTER):
            with contextlib.suppress(NoSuchSubscription):
                await end_subscription(self._pool, known, by=ENDPOINT, at=now)
        return False

    async def _post(self, client: httpx.AsyncClient, row: Mapping[str, Any], now: datetime) -> tuple[int, timedelta]:
        """The status that was answered, and how long it asks to be left alone. Raises `NotThere`, and as httpx does."""
        at, content = str(int(now.timestamp())), body_of(row)
        secrets = [row["secret"], *([row["secret_before"]] if row["secret_before"] else [])]
        url = httpx.URL(row["url"])
        host = url.raw_host.decode("ascii")
        headers = {
            "host": url.netloc.decode("ascii"),
            "content-type": "application/json",
            "user-agent": "Redress",
            "webhook-id": row["key"],
            "webhook-timestamp": at,
            "webhook-signature": " ".join(signature(one, row["key"], at, content) for one in secrets),
        }
        async with asyncio.timeout(_PATIENCE):
            reached = url.copy_with(host=await address_of(row["url"], self._inside))
            extensions = {"sni_hostname": host}
            async with client.stream("POST", reached, content=content, headers=headers, extensions=extensions) as got:
                read = 0
                async for part in got.aiter_raw():
                    read += len(part)
                    if read > _LONGEST_ANSWER:
                        break
                return got.status_code, _asked_to_wait(got.headers.get("retry-after", ""))


def body_of(row: Mapping[str, Any]) -> bytes:
    """What is told: which case, what happened and when. Nothing that anybody said: who may read it asks for it."""
    about = {"reference": row["reference"]} | ({"clock": row["clock"]} if row["clock"] else {})
    at = row["at"].astimezone(UTC).isoformat().replace("+00:00", "Z")
    return json.dumps({"type": f"complaint.{row['event']}", "timestamp": at, "data": about}).encode()


def _asked_to_wait(said: str) -> timedelta:
    return (
        timedelta(seconds=min(int(said), 86_400))
        if said.isascii() and said.isdigit() and len(said) < 10
        else timedelta(0)
    )


_DUE: Final = """
    select h.id from web.hearers h
    where exists (select from web.deliveries d where d.subscription = h.id and d.next_at <= clock_timestamp())
"""
_TAKE: Final = """
    update web.deliveries d set next_at = clock_timestamp() + $2, tries = tries + 1
    from web.subscriptions s
    where s.id = d.subscription and (d.subscription, d.key) = (
        select w.subscription, w.key from web.deliveries w join web.hearers h on h.id = w.subscription
        where w.subscription = $1 and w.next_at <= clock_timestamp()
        order by w.number limit 1 for update of w skip locked
    )
    returning d.subscription, d.key, d.event, d.reference, d.clock, d.at, d.tries, s.url, s.secret,
        case when s.before_until > clock_timestamp() then s.secret_before end as secret_before
"""
_TAKEN: Final = """
    with taken as (delete from web.deliveries where subscription = $1 and key = $2)
    update web.subscriptions set told_at = $3, failing_since = null, failing = null where id = $1
"""
_FAILED: Final = """
    with failed as (
        update web.deliveries set next_at = clock_timestamp() + $3::interval where subscription = $1 and key = $2
    )
    update web.subscriptions set failing_since = coalesce(failing_since, $5), failing = $4
    where id = $1 returning failing_since
"""
