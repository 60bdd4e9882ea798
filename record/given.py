"""What a customer was given by rule: all their complaints together stay within what one may have without a person."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

import asyncpg

from domain.keys.personal import is_erased
from domain.keys.scopes import CUSTOMER
from domain.money.amounts import Money

if TYPE_CHECKING:
    from record.connection import Connection


class Given(NamedTuple):
    """A sum that was promised by rule, and when."""

    at: datetime
    amount: Money


async def given_by_rule(connection: "Connection", accounts: Mapping[str, str | None]) -> dict[str, list[Given]]:
    """What was promised by rule in other cases of the customer, by the case that *accounts* gives the account of.

    Of a case that has promised itself, only what was promised before that. The accounts of one holder, by address or
    telephone number, are one customer's.
    """
    column = given_column("$1::text[]", "$2::text[]")
    row = await connection.fetchrow(f"select {column}", list(accounts), list(accounts.values()))
    assert row is not None  # noqa: S101 (one row, whatever there is)
    return given_of(row)


def given_column(references: str, accounts: str) -> str:
    """The column of a query for `given_of`: *references* and *accounts* are SQL for two arrays of texts."""
    given = _GIVEN.format(references=references, accounts=accounts)
    return f"""
        (select coalesce(
            jsonb_agg(jsonb_build_object('reference', reference, 'at', at, 'data', data) order by at), '[]')
         from ({given}) as given) as given
    """  # noqa: S608 (constants)


def given_of(row: asyncpg.Record) -> dict[str, list[Given]]:
    """What `given_by_rule` gives, by the column of `given_column`."""
    found: dict[str, list[Given]] = {}
    for one in row["given"]:
        if not is_erased(one["data"]) and (noted := one["data"].get("compensation")):
            given = Given(datetime.fromisoformat(one["at"]), Money.model_validate(noted))
            found.setdefault(one["reference"], []).append(given)
    return found


_GIVEN: Final = f"""
    with cases as (
        select reference, account from unnest({{references}}, {{accounts}}) as asked (reference, account)
    ), held as (
        select cases.reference, cases.account from cases
        union
        select cases.reference, substr(theirs.scope, length('{CUSTOMER}') + 1)
        from cases
        join casefile.lookups as own on own.scope = '{CUSTOMER}' || cases.account and own.purpose in ('email', 'phone')
        join casefile.lookups as theirs on (theirs.purpose, theirs.token) = (own.purpose, own.token)
            and starts_with(theirs.scope, '{CUSTOMER}')
    )
    select held.reference, promises.at, timeline.data
    from held
    cross join lateral (  -- by its index, however few promises there are
        select reference, round, at from casefile.promises p
        where p.account = held.account and p.reference <> held.reference offset 0) as promises
    join casefile.timeline on timeline.reference = promises.reference and timeline.kind = 'proposed'
        and (timeline.data ->> 'round')::integer = promises.round
    where promises.at < coalesce(
        (select min(at) from casefile.promises own where own.reference = held.reference), 'infinity')
"""  # noqa: S608 (constants)
