"""Who holds an account, as it is kept: what is personal sealed, found by keyed tokens, known again by a keyed hash."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

from domain.keys.finding import found_by
from domain.keys.personal import Personal, Row
from domain.keys.scopes import scope_of_customer
from domain.people.customers import Address
from runtime.keys.here import lookup_here

if TYPE_CHECKING:
    from runtime.database import Connection

Token = tuple[str, bytes, str]
"""Purpose and token that somebody is found by, and whose key what is found is sealed under."""


class Holder(NamedTuple):
    """Who holds an account, in the order of the columns that say it."""

    account: str
    name: str
    email: str | None
    phone: str | None
    language: str

    @property
    def sealed(self) -> tuple[str, Personal, Personal, Personal, str]:
        """The same with what is personal marked as such."""
        row = Row("casefile.customers", scope_of_customer(self.account), self.account)
        reach = row("name", self.name), row("email", self.email), row("phone", self.phone)
        return self.account, *reach, self.language


async def fingerprint_of(holder: Holder) -> str:
    """By what the same is known again. Raises `NoKeys`, `KeysUnavailable`."""
    return (await lookup_here("holder", json.dumps(holder))).hex()


async def tokens_of(holder: Holder) -> list[Token]:
    """By what the holder is found. Raises `NoKeys`, `KeysUnavailable`."""
    return await _tokens(holder.account, found_by(holder.name, holder.email, holder.phone))


async def have_found_by(connection: "Connection", account: str, addresses: Iterable[Address]) -> None:
    """Have the customer of *account* found by those of *addresses* that were verified."""
    wanted = [one for each in addresses if each.verified for one in found_by(None, each.email, each.phone)]
    await connection.executemany(FINDABLE, await _tokens(account, wanted))


async def _tokens(account: str, wanted: Iterable[tuple[str, str]]) -> list[Token]:
    scope = scope_of_customer(account)
    return [(purpose, await lookup_here(purpose, value), scope) for purpose, value in wanted]


async def add_holder(connection: "Connection", holder: Holder) -> None:
    """Write down who holds an account from now on."""
    await connection.execute(_ADD, *holder.sealed, await fingerprint_of(holder))
    await connection.executemany(FINDABLE, await tokens_of(holder))


FINDABLE: Final = """
    insert into casefile.lookups (purpose, token, scope) values ($1, $2, $3) on conflict do nothing
"""
_ADD: Final = """
    insert into casefile.customers (account, name, email, phone, language, fingerprint)
    values ($1, $2, $3, $4, $5, $6)
"""
