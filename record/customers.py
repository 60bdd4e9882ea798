"""Customers on file, and who complains, as the record has it."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

import asyncpg

from domain.case.identity import IDENTIFYING, identity_of
from domain.ground.people import Actor
from domain.ground.timeline import Entry
from domain.keys.personal import ERASED, Gone, ours
from domain.keys.scopes import scope_of_customer
from domain.people.customers import Address, CustomerFile, Group, KeepOnFile, OnFile
from domain.people.matching import Identity
from record.proofs import is_proven

if TYPE_CHECKING:
    from record.connection import Connection

FIRMS_RECORDS: Final = "the firm's records"
"""How an address was verified that the firm's own records give for the holder of an account."""


async def read_on_file(connection: "Connection", account: str | None) -> OnFile | None:
    """What is on file of an account; ``None`` where nobody is known to hold it."""
    row = await connection.fetchrow(f"select {on_file_columns('$1')}", account)
    assert row is not None  # noqa: S101 (one row, whatever there is)
    return on_file_of(row, account)


def on_file_columns(account: str) -> str:
    """The columns of a query for `on_file_of`; *account* is its parameter for the account."""
    return f"""
        (select jsonb_build_object('account', account, 'name', name, 'email', email, 'phone', phone,
            'recorded_at', recorded_at)
         from casefile.customers where account = {account} order by id desc limit 1) as holder,
        (select coalesce(jsonb_agg(jsonb_build_object('kind', kind, 'subject', subject, 'record', record,
            'recorded_by', recorded_by, 'message_id', message_id, 'token', token) order by subject, id desc), '[]')
         from casefile.customer_files
         where kind = 'customer' and subject = {account} or kind = 'group' and subject in (
            select subject from casefile.customer_files where kind = 'group' and {account} = any(accounts))) as filed
    """  # noqa: S608 (constants)


def on_file_of(row: asyncpg.Record, account: str | None) -> OnFile | None:
    """What `read_on_file` gives, by the columns of `on_file_columns`."""
    holder, rows = row["holder"], row["filed"]
    if holder is None or isinstance(holder["name"], Gone):
        return None
    how = {"how": FIRMS_RECORDS, "at": holder["recorded_at"]}
    scope = scope_of_customer(holder["account"])
    email, phone = ours(holder["email"], scope), ours(holder["phone"], scope)
    records = [Address(email=email, **how)] if email else []
    records += [Address(phone=phone, **how)] if phone else []
    filed = _customer_file(rows, holder["account"])
    return OnFile(
        account=holder["account"],
        name=holder["name"],
        addresses=(*records, *filed.addresses),
        representatives=filed.representatives,
        spokespersons=tuple(group.spokespersons for group in _groups(rows, account)),
        preferences=filed.preferences,
    )


async def read_customer_file(connection: "Connection", account: str) -> CustomerFile:
    """What is kept of an account's customer beside who holds it; nothing, where nothing is, or nothing is proven."""
    return _customer_file(await connection.fetch(_FILE, account), account)


def _customer_file(rows: Iterable[asyncpg.Record | Mapping[str, Any]], account: str) -> CustomerFile:
    for row in rows:
        if row["kind"] == "customer" and _is_proven(row):
            return CustomerFile.model_validate(row["record"] or {"account": account})
    return CustomerFile(account=account)


async def read_groups(connection: "Connection", account: str | None = None) -> list[Group]:
    """The groups that an account belongs to, or all of them, by their ids."""
    return _groups(await connection.fetch(_GROUPS, account), account)


def _groups(rows: Iterable[asyncpg.Record | Mapping[str, Any]], account: str | None) -> list[Group]:
    newest: dict[str, Group | None] = {}
    for row in rows:
        if row["kind"] == "group" and row["subject"] not in newest and _is_proven(row):
            newest[row["subject"]] = Group.model_validate(row["record"]) if row["record"] else None
    return [group for group in newest.values() if group and (account is None or account in group.accounts)]


def _is_proven(row: asyncpg.Record | Mapping[str, Any]) -> bool:
    """Whether who said it is proven, where signatures count. Of what is erased nothing is."""
    if row["record"] and ERASED in row["record"]:
        return False
    return is_proven(
        row["token"],
        row["subject"],
        lambda: KeepOnFile(
            message_id=row["message_id"], actor=Actor.named(row["recorded_by"]), kind=row["kind"], record=row["record"]
        ),
    )


async def read_identity(connection: "Connection", reference: str) -> Identity:
    """Who complains in a case, as far as that is known."""
    row = await connection.fetchrow(_IDENTITY, reference)
    assert row is not None  # noqa: S101 (one row, whatever there is)
    return who_complains(row)


def identified_by(case: str) -> str:
    """The column ``identified`` of a query for `who_complains`; *case* is SQL for the reference."""
    kinds = ", ".join(f"'{kind}'" for kind in sorted(IDENTIFYING))
    return f"""
        (select jsonb_build_object('key', key, 'at', at, 'kind', kind, 'actor', actor, 'text', text, 'data', data,
            'journal', journal)
         from casefile.timeline said where said.reference = {case} and kind in ({kinds})
         order by at desc, journal desc nulls last, id desc limit 1) as identified
    """  # noqa: S608 (constants)


def who_complains(row: asyncpg.Record) -> Identity:
    """Who complains in a case, as far as that is known, by the column of `identified_by`."""
    return identity_of([Entry(**row["identified"])] if row["identified"] else [])


def chosen_by(case: str) -> str:
    """The column ``chosen`` of a query for `last_chosen`; *case* is SQL for the reference."""
    return f"""
        array(select data from casefile.timeline said where said.reference = {case} and kind = 'choose_channel'
            order by at desc, journal desc nulls last, id desc) as chosen
    """  # noqa: S608 (constants)


def last_chosen(chosen: Iterable[Mapping[str, Any]], what: Literal["channel", "language"]) -> str | None:
    """How the customer of a case chose last to be written to, by the column of `chosen_by`."""
    return next((one[what] for one in chosen if one.get(what)), None)


_FILE: Final = """
    select kind, subject, record, recorded_by, message_id, token from casefile.customer_files
    where kind = 'customer' and subject = $1 order by id desc
"""
_GROUPS: Final = """
    select kind, subject, record, recorded_by, message_id, token from casefile.customer_files
    where kind = 'group' and ($1::text is null or subject in (
        select subject from casefile.customer_files where kind = 'group' and $1 = any(accounts)
    ))
    order by subject, id desc
"""
_IDENTITY: Final = f"select {identified_by('$1')}"
