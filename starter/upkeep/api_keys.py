"""Keys by which services use the API: made, listed, revoked, and known again by a keyed hash."""

import json
import secrets
from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from domain.ground.base import Instant, Record, StaffId
from domain.ground.people import Actor
from runtime.keys.here import lookup_here

if TYPE_CHECKING:
    from runtime.database import Pool


class Scope(StrEnum):
    """What a service may do. All of it concerns the complaints that it submitted, unless it has ``every_source``."""

    SUBMIT = "submit"
    """Submit complaints, under its own name as their source."""
    READ = "read"
    """See where complaints stand: timeline, deadlines, letters, files."""
    CUSTOMER = "customer"
    """Pass on what customers say, as the customer; it has to know that they are."""
    ACT = "act"
    """Send what the firm's systems tell a case: evidence, assignments, remedies and payments that were made."""
    INCIDENTS = "incidents"
    """See incidents."""
    EVERY_SOURCE = "every_source"
    """All of the above for every complaint, whoever submitted it."""


class ApiKey(Record):
    """A key without its secret. ``service`` is the source of the complaints submitted with it."""

    id: str
    service: StaffId
    scopes: tuple[Scope, ...]
    made_at: Instant
    made_by: str
    ends_at: Instant | None = None
    revoked_at: Instant | None = None
    revoked_by: str | None = None


class MadeKey(NamedTuple):
    """A new key, and its *secret*: what is sent as the bearer token, shown once and kept nowhere."""

    key: ApiKey
    secret: str


class NoSuchKey(LookupError):
    """There is no key of this id that could be revoked."""


PREFIX: Final = "rdk"
"""Keys begin with it, so that whoever finds one in a log or a repository knows what it is."""


async def make_key(
    pool: "Pool",
    service: str,
    scopes: Collection[Scope],
    *,
    by: Actor,
    at: datetime,
    ends_at: datetime | None = None,
) -> MadeKey:
    """Make a key of *service*, valid until *ends_at*. Raises ``ValueError`` for one without scopes, or past its end."""
    if not scopes:
        raise ValueError(f"scopes: none is given; there are {', '.join(Scope)}")
    if ends_at is not None and ends_at <= at:
        raise ValueError("ends: it lies in the past; give a time to come")
    key = ApiKey(
        id=secrets.token_hex(6),
        service=service,
        scopes=tuple(scope for scope in Scope if scope in scopes),
        made_at=at,
        made_by=str(by),
        ends_at=ends_at,
    )
    secret = f"{PREFIX}_{key.id}_{secrets.token_urlsafe(32)}"
    digest = await _digest(secret, key)
    await pool.execute(_ADD, key.id, key.service, list(key.scopes), digest, key.made_at, key.made_by, key.ends_at)
    return MadeKey(key, secret)


async def list_keys(pool: "Pool") -> list[ApiKey]:
    """Every key there ever was, by service, the newest first."""
    return [ApiKey(**row) for row in await pool.fetch(_LIST)]


async def revoke_key(pool: "Pool", key_id: str, *, by: Actor, at: datetime) -> ApiKey:
    """End a key at once. Raises `NoSuchKey`."""
    row = await pool.fetchrow(_REVOKE, key_id, at, str(by))
    if row is None:
        raise NoSuchKey(f"there is no key {key_id} that is still valid; `redress api key list` has them")
    return ApiKey(**row)


async def find_key(pool: "Pool", secret: str, at: datetime) -> ApiKey | None:
    """The key with that *secret*, if it is valid *at* this time."""
    parts = secret.split("_", 2)
    if len(parts) != 3 or parts[0] != PREFIX or not secret.isascii() or not parts[1].isalnum():
        return None
    row = await pool.fetchrow(_FIND, parts[1], at)
    if row is None:
        return None
    key = ApiKey(**{name: value for name, value in row.items() if name != "digest"})
    return key if secrets.compare_digest(row["digest"], await _digest(secret, key)) else None


async def _digest(secret: str, key: ApiKey) -> bytes:
    """Keyed, and of what the key may do as well: whoever writes to the database makes no key, and widens none."""
    said = [secret, key.service, sorted(key.scopes), key.ends_at.isoformat() if key.ends_at else None]
    return await lookup_here("api_key", json.dumps(said))


_FIELDS: Final = "id, service, scopes, made_at, made_by, ends_at, revoked_at, revoked_by"
_ADD: Final = """
    insert into web.api_keys (id, service, scopes, digest, made_at, made_by, ends_at)
    values ($1, $2, $3, $4, $5, $6, $7)
"""
_LIST: Final = f"select {_FIELDS} from web.api_keys order by service, made_at desc, id"  # noqa: S608 (nothing from outside)
_REVOKE: Final = f"""
    update web.api_keys set revoked_at = $2, revoked_by = $3
    where id = $1 and revoked_at is null and (ends_at is null or ends_at > $2)
    returning {_FIELDS}
"""  # noqa: S608 (nothing from outside)
_FIND: Final = f"""
    select digest, {_FIELDS} from web.api_keys
    where id = $1 and revoked_at is null and (ends_at is null or ends_at > $2)
"""  # noqa: S608 (nothing from outside)
