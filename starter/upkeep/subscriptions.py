"""Subscriptions: where services are told, by webhook, what happened to complaints that they may read."""

import asyncio
import contextlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple, get_args
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from domain.ground.base import Instant, Record, StaffId
from domain.ground.people import Actor
from domain.ground.words import CaseEvent
from domain.keys.personal import Row
from domain.keys.scopes import SUBSCRIPTIONS
from runtime.standard_webhooks import new_secret
from starter.upkeep.reached import address_of

if TYPE_CHECKING:
    from runtime.database import Pool

_BREACHED = Literal["breached"]
TOLD: Final[tuple[str, ...]] = (*CaseEvent, *get_args(_BREACHED))
"""What a service may subscribe to: the events of a case, and that a deadline was missed."""
BOTH_SIGN: Final = timedelta(days=1)
"""For so long the old secret signs beside the new one."""
_LOOKED_UP_WITHIN: Final = 5.0  # seconds
MOST: Final = 20
"""Subscriptions of one service that have not ended."""


class NewSubscription(Record):
    """Where a service is to be told of which ``events``; of all, if it names none."""

    url: Annotated[str, Field(max_length=500)]
    events: Annotated[tuple[CaseEvent | _BREACHED, ...], Field(max_length=len(TOLD))] = ()

    @field_validator("url")
    @classmethod
    def _leads_somewhere(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            known = parts.port != 0 and parts.hostname and parts.hostname.encode("idna")
        except (ValueError, UnicodeError):
            known = None
        if not known or parts.scheme not in {"https", "http"} or not value.isascii() or not value.isprintable():
            raise ValueError("it must be an address such as https://crm.example.com/hooks")
        if parts.username or parts.password or parts.fragment or " " in value:
            raise ValueError("it must hold no user name, password, fragment or space")
        return value


class Subscription(Record):
    """A subscription without its secret. ``waiting`` webhooks are still tried, ``given_up`` ones no longer.

    ``failing`` says why no webhook was taken since ``failing_since``.
    """

    id: str
    service: StaffId
    url: str
    events: tuple[str, ...]
    made_at: Instant
    made_by: str
    told_at: Instant | None = None
    failing_since: Instant | None = None
    failing: str | None = None
    ended_at: Instant | None = None
    ended_by: str | None = None
    waiting: int = 0
    given_up: int = 0


class Subscribed(NamedTuple):
    """A subscription, and the *secret* that signs its webhooks from now on."""

    subscription: Subscription
    secret: str


class NoSuchSubscription(LookupError):
    """There is no subscription of this id that has not ended."""


class TooMany(ValueError):
    """The service has as many subscriptions as it may have."""


async def subscribe(
    pool: "Pool", service: str, new: NewSubscription, *, inside: Collection[str], by: Actor, at: datetime
) -> Subscribed:
    """Have *service* told from now on. What it hears follows from its keys; *inside* are hosts of the firm's network.

    Raises `TooMany`, and `starter.upkeep.reached.NotThere` for where no webhook would be sent.
    """
    with contextlib.suppress(OSError):  # what no resolver says now is seen when something is sent
        async with asyncio.timeout(_LOOKED_UP_WITHIN):
            await address_of(new.url, inside)
    secret, known = new_secret(), secrets.token_hex(6)
    events = [event for event in TOLD if not new.events or event in new.events]
    made = Subscription(id=known, service=service, url=new.url, events=tuple(events), made_at=at, made_by=str(by))
    sealed = Row("web.subscriptions", SUBSCRIPTIONS, known)("secret", secret)
    if not await pool.fetchval(_ADD, known, service, new.url, events, sealed, at, str(by), MOST):
        raise TooMany(f"{service} has {MOST} subscriptions; end one first")
    return Subscribed(made, secret)


async def list_subscriptions(pool: "Pool", service: str | None = None) -> list[Subscription]:
    """Every subscription there ever was, or those of a *service*; by service, the newest first."""
    return [_made_of(row) for row in await pool.fetch(_LIST, service)]


async def rotate_secret(pool: "Pool", known: str, *, at: datetime, service: str | None = None) -> Subscribed:
    """Give the subscription a new secret; the old one signs beside it for a day. Raises `NoSuchSubscription`."""
    secret = new_secret()
    sealed = Row("web.subscriptions", SUBSCRIPTIONS, known)("secret", secret)
    return Subscribed(await _changed(pool, _ROTATE, known, service, sealed, at + BOTH_SIGN), secret)


async def send_again(pool: "Pool", known: str, *, service: str | None = None) -> Subscription:
    """Have all that was not taken sent now, also what was tried for days. Raises `NoSuchSubscription`."""
    await _changed(pool, _AGAIN, known, service)
    (found,) = [one for one in await list_subscriptions(pool) if one.id == known]
    return found


async def end_subscription(
    pool: "Pool", known: str, *, by: str, at: datetime, service: str | None = None
) -> Subscription:
    """Tell nothing more, not what waits either. Raises `NoSuchSubscription`."""
    return await _changed(pool, _END, known, service, at, by)


async def _changed(pool: "Pool", sql: str, known: str, service: str | None, *arguments: Any) -> Subscription:
    row = await pool.fetchrow(sql, known, service, *arguments)
    if row is None:
        raise NoSuchSubscription(f"there is no subscription {known} that has not ended; `redress api webhook list`")
    return _made_of(row)


def _made_of(row: Any) -> Subscription:
    return Subscription(**dict(row.items()))


_FIELDS: Final = "s.id, service, url, events, made_at, made_by, told_at, failing_since, failing, ended_at, ended_by"
_OPEN: Final = "s.id = $1 and ($2::text is null or s.service = $2) and s.ended_at is null"
_ADD: Final = """
    insert into web.subscriptions (id, service, url, events, secret, made_at, made_by)
    select $1, $2, $3, $4, $5, $6, $7
    where (select count(*) from web.subscriptions where service = $2 and ended_at is null) < $8
    returning id
"""
_LIST: Final = f"""
    select {_FIELDS}, count(d.next_at) as waiting, count(d.key) - count(d.next_at) as given_up
    from web.subscriptions s left join web.deliveries d on d.subscription = s.id
    where $1::text is null or service = $1
    group by s.id order by service, made_at desc, s.id
"""  # noqa: S608 (nothing from outside)
_ROTATE: Final = f"""
    update web.subscriptions s set secret = $3, secret_before = secret, before_until = $4
    where {_OPEN} returning {_FIELDS}
"""  # noqa: S608 (nothing from outside)
_AGAIN: Final = f"""
    with again as (
        update web.deliveries d set next_at = clock_timestamp(), tries = 0
        from web.subscriptions s where d.subscription = s.id and {_OPEN}
    )
    select {_FIELDS} from web.subscriptions s where {_OPEN}
"""  # noqa: S608 (nothing from outside)
_END: Final = f"""
    with ended as (
        update web.subscriptions s set ended_at = $3, ended_by = $4 where {_OPEN} returning {_FIELDS}
    ), forgotten as (
        delete from web.deliveries where subscription in (select id from ended)
    )
    select * from ended
"""  # noqa: S608 (nothing from outside)
