"""Customers on file, and who complains, as the record has it."""

from typing import TYPE_CHECKING, Final

from domain.case.identity import IDENTIFYING, identity_of
from domain.ground.timeline import Entry
from domain.keys.personal import ERASED, Gone
from domain.people.customers import Address, CustomerFile, Group, OnFile
from domain.people.matching import Identity

if TYPE_CHECKING:
    from record.connection import Connection

FIRMS_RECORDS: Final = "the firm's records"
"""How an address was verified that the firm's own records give for the holder of an account."""


async def read_on_file(connection: "Connection", account: str | None) -> OnFile | None:
    """What is on file of an account; ``None`` where nobody is known to hold it."""
    holder = await connection.fetchrow(_HOLDER, account)
    if holder is None or isinstance(holder["name"], Gone):
        return None
    how = {"how": FIRMS_RECORDS, "at": holder["recorded_at"]}
    records = [Address(email=holder["email"], **how)] if holder["email"] else []
    records += [Address(phone=holder["phone"], **how)] if holder["phone"] else []
    filed = await read_customer_file(connection, holder["account"])
    return OnFile(
        account=holder["account"],
        name=holder["name"],
        addresses=(*records, *filed.addresses),
        representatives=filed.representatives,
        spokespersons=tuple(group.spokespersons for group in await read_groups(connection, account)),
        preferences=filed.preferences,
    )


async def read_customer_file(connection: "Connection", account: str) -> CustomerFile:
    """What is kept of an account's customer beside who holds it; nothing, where nothing is."""
    record = await connection.fetchval(_FILE, account)
    return CustomerFile.model_validate(record) if record and ERASED not in record else CustomerFile(account=account)


async def read_groups(connection: "Connection", account: str | None = None) -> list[Group]:
    """The groups that an account belongs to, or all of them, by their ids."""
    records = [row["record"] for row in await connection.fetch(_GROUPS, account)]
    return [Group.model_validate(record) for record in records if ERASED not in record]


async def read_identity(connection: "Connection", reference: str) -> Identity:
    """Who complains in a case, as far as that is known."""
    row = await connection.fetchrow(_IDENTITY, reference, list(IDENTIFYING))
    return identity_of([Entry(**row)] if row else [])


_HOLDER: Final = """
    select account, name, email, phone, recorded_at from casefile.customers
    where account = $1 order by id desc limit 1
"""
_FILE: Final = """
    select record from casefile.customer_files where kind = 'customer' and subject = $1 order by id desc limit 1
"""
_GROUPS: Final = """
    select record from (
        select distinct on (subject) subject, accounts, record from casefile.customer_files
        where kind = 'group' order by subject, id desc
    ) as newest
    where record is not null and ($1::text is null or $1 = any(accounts)) order by subject
"""
_IDENTITY: Final = """
    select key, at, kind, actor, text, data, journal from casefile.timeline
    where reference = $1 and kind = any($2) order by at desc, journal desc nulls last, id desc limit 1
"""
