"""What a customer was given by rule: all their complaints together stay within what one may have without a person."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

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
    found: dict[str, list[Given]] = {}
    for row in await connection.fetch(_GIVEN, list(accounts), list(accounts.values()), CUSTOMER):
        if not is_erased(row["data"]) and (noted := row["data"].get("compensation")):
            found.setdefault(row["reference"], []).append(Given(row["at"], Money.model_validate(noted)))
    return found


_GIVEN: Final = """
    with cases as (
        select reference, account from unnest($1::text[], $2::text[]) as asked (reference, account)
    ), held as (
        select cases.reference, cases.account from cases
        union
        select cases.reference, substr(theirs.scope, length($3) + 1)
        from cases
        join casefile.lookups as own on own.scope = $3 || cases.account and own.purpose in ('email', 'phone')
        join casefile.lookups as theirs on (theirs.purpose, theirs.token) = (own.purpose, own.token)
            and starts_with(theirs.scope, $3)
    )
    select held.reference, promises.at, timeline.data
    from held
    join casefile.promises on promises.account = held.account and promises.reference <> held.reference
    join casefile.timeline on timeline.reference = promises.reference and timeline.kind = 'proposed'
        and (timeline.data ->> 'round')::integer = promises.round
    where promises.at < coalesce(
        (select min(at) from casefile.promises own where own.reference = held.reference), 'infinity')
    order by promises.at
"""
