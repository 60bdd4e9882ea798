"""Who asks: a service by its key, or somebody who works here by a token of the firm's OpenID provider."""

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from domain.ground.base import person_of
from domain.ground.people import Actor
from domain.ground.words import Role
from domain.people.actors import Person
from runtime.database import Pool, seen_by
from starter.upkeep.api_keys import PREFIX, Scope, find_key
from web.api.problems import Problem, wrong_field
from web.doors import Doors
from web.permissions import Kind, Permission
from web.provider import NotSignedOn, provider_of

THE_CUSTOMER: Final = Actor(id="customer", role=Role.CUSTOMER)


@dataclass(frozen=True)
class Caller:
    """Who asks, in which roles, and what they may do. Of a service *scopes* say so; of *staff* their roles."""

    id: str
    roles: tuple[Role, ...]
    scopes: frozenset[Scope]
    staff: bool

    @property
    def source(self) -> str | None:
        """The source of the complaints that are there for this caller; None where all are."""
        return None if self.staff or Scope.EVERY_SOURCE in self.scopes else self.id

    def actor(self, role: Role | None = None) -> Actor:
        """The caller as who acts, in that *role* of theirs, else in their first. Raises `Problem`."""
        if role is not None and role not in self.roles:
            raise wrong_field("as", f"the caller is no {role.value}, but {', '.join(self.roles)}")
        return Actor(id=self.id, role=role or self.roles[0])

    @property
    def person(self) -> Person:
        """The caller as tokens name them."""
        return Person(id=self.id, roles=self.roles)

    def eyes(self, pool: Pool) -> Pool:
        """The record as the caller may see it: what a person is kept out of is not there."""
        return seen_by(pool, person_of(self.id)) if self.staff else pool

    def check(self, who: Permission) -> None:
        """Raise `Problem` unless the caller may do what *who* says."""
        if who.kind is Kind.STAFF and not self.staff:
            raise Problem("forbidden", "people alone do this; send a token of the provider for whoever does")
        missing = [] if self.staff else sorted(who.scopes - self.scopes)
        if missing:
            raise Problem("forbidden", f"the key lacks the scope {missing[0]}; have one made that has it")


async def caller_of(request: Request, doors: Doors) -> Caller:
    """Who sends *request*. Raises `Problem`."""
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not secret.strip():
        raise Problem(
            "unknown_caller", "send the header `Authorization: Bearer` with a key, or a token of the provider"
        )
    secret = secret.strip()
    if secret.startswith(f"{PREFIX}_"):
        return await _service(secret, doors)
    return await _person(secret, doors)


async def _service(secret: str, doors: Doors) -> Caller:
    key = await find_key(doors.pool, secret, doors.clock())
    if key is None:
        raise Problem("unknown_caller", "the key is none of ours, has ended or was revoked")
    scopes = frozenset(key.scopes)
    roles = (Role.SERVICE, Role.CUSTOMER) if Scope.CUSTOMER in scopes else (Role.SERVICE,)
    return Caller(key.service, roles, scopes, staff=False)


async def _person(token: str, doors: Doors) -> Caller:
    provider, audience = provider_of(doors), doors.settings.api_audience
    if provider is None or audience is None:
        raise Problem(
            "unknown_caller", "tokens are not taken here (REDRESS_OIDC_ISSUER, REDRESS_API_AUDIENCE); use a key"
        )
    try:
        staff = await provider.bearer(token, audience)
    except NotSignedOn as error:
        if error.reason == "provider_away":
            raise Problem("away", "the provider whose token this is does not answer") from None
        raise Problem("unknown_caller", str(error)) from None
    return Caller(staff.id, staff.roles, frozenset(), staff=True)
