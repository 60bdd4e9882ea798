"""Who may see a page: every route declares it, and an application with one that does not is not made."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from starlette.routing import BaseRoute

from domain.ground.words import Role


class Kind(StrEnum):
    """Whom a permission is about."""

    ANYBODY = "anybody"
    CUSTOMER = "customer"
    STAFF = "staff"
    PROGRAM = "program"


@dataclass(frozen=True)
class Permission:
    """Who may use a route. Of *roles* somebody must have one; without any, whoever works here may.

    A program must have every one of the *scopes*.
    """

    kind: Kind
    roles: frozenset[Role] = field(default_factory=frozenset)
    scopes: frozenset[str] = field(default_factory=frozenset)


ANYBODY: Final = Permission(Kind.ANYBODY)
"""The route is public: it says nothing that belongs to somebody."""

CUSTOMER: Final = Permission(Kind.CUSTOMER)
"""A customer who signed in. A route with ``{reference}`` answers 404 unless that complaint is theirs."""


def program(*scopes: str) -> Permission:
    """A program whose key has every one of *scopes*; where staff may do the same, with a token of theirs."""
    return Permission(Kind.PROGRAM, scopes=frozenset(scopes))


def staff(*roles: Role) -> Permission:
    """Somebody who works here and has one of *roles*; anybody who works here if none is named."""
    return Permission(Kind.STAFF, frozenset(roles))


class UndeclaredRoute(Exception):
    """A route does not say who may use it. The message names it."""


_DECLARED: Final = "__who__"


def declare(endpoint: Any, who: Permission) -> Any:
    """Note on *endpoint* who may use it, and return it."""
    setattr(endpoint, _DECLARED, who)
    return endpoint


def permission_of(route: BaseRoute) -> Permission | None:
    """What *route* declares."""
    found = getattr(getattr(route, "endpoint", getattr(route, "app", None)), _DECLARED, None)
    return found if isinstance(found, Permission) else None


def check_routes(routes: Iterable[BaseRoute]) -> None:
    """Raise `UndeclaredRoute` if one does not declare who may use it."""
    for route in routes:
        if permission_of(route) is None:
            path = getattr(route, "path", repr(route))
            raise UndeclaredRoute(f"{path}: nobody has said who may use it; register it with Pages.get or Pages.post")
