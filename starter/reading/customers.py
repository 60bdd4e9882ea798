"""Customers, found by account, name or address: who holds the account, and every case of theirs."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from domain.ground.base import Instant, Record
from domain.ground.words import Category, Outcome, Stage
from domain.keys.finding import EMAIL, NAME, PHONE, digits_of, found_by, words_of
from domain.keys.personal import Gone
from domain.keys.scopes import CUSTOMER
from domain.people.customers import Address
from record.customers import read_customer_file
from runtime.keys.here import lookup_here

if TYPE_CHECKING:
    import asyncpg

    from runtime.database import Connection, Pool


class Holder(Record):
    """Who holds an account, as the firm's own records have it, and since when this service knows."""

    name: str
    email: str | None
    phone: str | None
    language: str
    recorded_at: Instant


class CustomerCase(Record):
    """A case of a customer, and who complained in it, as letters reach them now."""

    reference: str
    received_at: Instant
    stage: Stage
    category: Category | None
    outcome: Outcome | None
    handler: str | None
    name: str
    email: str | None
    phone: str | None


class FoundCustomer(Record):
    """A customer: by account, or where a complaint named none by the address of who complained.

    ``cases`` are all of theirs, the last received first, but for those that are hidden from who looks.
    """

    account: str | None
    holder: Holder | None
    cases: tuple[CustomerCase, ...]


async def find_customers(pool: "Pool", wanted: str, *, limit: int = 20) -> list[FoundCustomer]:
    """The customers whom *wanted* names: an account, an e-mail address, a telephone number, or words of a name.

    Letter case makes no difference, nor what stands between the digits of a number. Of an account that has no case a
    customer is found by the firm's records.
    """
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        text = " ".join(wanted.split())
        scopes = await _found_by(connection, text)
        accounts = await _held(connection, text, scopes)
        rows = await connection.fetch(_CASES, scopes, [*accounts, text])
        accounts = sorted({*accounts, *(row["account"] for row in rows if row["account"])})
        rows = await connection.fetch(_ALL_CASES, accounts, [row["reference"] for row in rows])
        told = await connection.fetch(_HOLDERS, accounts)
    holders = {row["account"]: row for row in told if not isinstance(row["name"], Gone)}
    cases: dict[tuple[str | None, str | None], list[CustomerCase]] = {(account, None): [] for account in accounts}
    for row in rows:
        address = (row["email"] or row["name"]).casefold()
        one = CustomerCase(**{name: row[name] for name in CustomerCase.model_fields})
        cases.setdefault((row["account"], None if row["account"] else address), []).append(one)
    found = [
        FoundCustomer(
            account=account,
            holder=Holder(**{name: holders[account][name] for name in Holder.model_fields})
            if account in holders
            else None,
            cases=tuple(theirs),
        )
        for (account, _), theirs in cases.items()
    ]
    return [one for one in found if one.holder or one.cases][:limit]


async def _held(connection: "Connection", text: str, scopes: Sequence[str]) -> list[str]:
    """The accounts whose holders *text* names now: who had another name before is not found by it."""
    of_customers = [scope.removeprefix(CUSTOMER) for scope in scopes if scope.startswith(CUSTOMER)]
    rows = await connection.fetch(_HOLDERS, [*of_customers, text])
    held = [row["account"] for row in rows if row["account"] == text]
    for row in rows:
        if row["account"] != text and _names(
            text, row, (await read_customer_file(connection, row["account"])).addresses
        ):
            held.append(row["account"])
    return held


def _names(text: str, holder: "asyncpg.Record", addresses: Iterable[Address]) -> bool:
    known = set(found_by(holder["name"], holder["email"], holder["phone"]))
    known |= {one for each in addresses if each.verified for one in found_by(None, each.email, each.phone)}
    words = {(NAME, word) for word in words_of(text)}
    return bool({(EMAIL, text.casefold()), (PHONE, digits_of(text))} & known or (words and words <= known))


async def _found_by(connection: "Connection", text: str) -> list[str]:
    """The cases and customers whom *text* names by address, by number, or by words of a name, all of them."""
    words = [await lookup_here(NAME, word) for word in words_of(text)]
    address, number = await lookup_here(EMAIL, text.casefold()), await lookup_here(PHONE, digits_of(text))
    return [row["scope"] for row in await connection.fetch(_FOUND_BY, address, number, words)]


_FOUND_BY: Final = """
    select scope from casefile.lookups where (purpose, token) in (('email', $1), ('phone', $2))
    union
    select scope from casefile.lookups where purpose = 'name' and token = any ($3::bytea[])
    group by scope having count(*) = cardinality($3::bytea[])
"""
_NEWEST: Final = """
    select distinct on (account) account, name, email, phone, language, recorded_at from casefile.customers
"""
_THEIRS: Final = """
    select c.reference, c.account, c.received_at, c.stage, c.category, c.outcome, c.handler, n.name, n.email, n.phone
    from casefile.cases c join lateral (
        select name, email, phone from casefile.contacts where contacts.reference = c.reference order by id desc limit 1
    ) n on true
    where not casefile.hidden(c.reference)
"""
_CASES: Final = f"""
    select * from ({_THEIRS}) theirs where reference = any($1) or account = any($2) order by received_at desc, reference
"""  # noqa: S608 (nothing from outside)
_ALL_CASES: Final = f"""
    select * from ({_THEIRS}) theirs where account = any($1) or reference = any($2)
    order by received_at desc, reference
"""  # noqa: S608 (nothing from outside)
_HOLDERS: Final = f"""
    {_NEWEST} where account = any($1) order by account, id desc
"""
