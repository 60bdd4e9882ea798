"""The losses that were made good or are promised, by case or by incident: each once, whoever finds it again."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import asyncpg

from activities.case.at_once import AtOnce
from domain.checks.findings import Elsewhere
from domain.checks.losses import Covered
from domain.money.parts import Loss
from domain.people.recusal import Why, kept_out
from record.hands import recusals_of
from runtime.locking import lock_until_end

if TYPE_CHECKING:
    from runtime.database import Connection


def locks_of(account: str | None) -> list[str]:
    """The statements that have awards to one account, and promises of them, take turns, whichever case or incident they
    belong to.
    """
    return [lock_until_end(f"account:{account}")] if account else []


async def lock_account(connection: "Connection", account: str) -> None:
    """Take the lock of `locks_of`."""
    await connection.execute("; ".join(locks_of(account)))


def add_losses(writing: AtOnce, account: str, key: str, losses: Sequence[Loss]) -> None:
    """Add to what is written that the posting *key* makes good *losses*; those made good before stay as they are."""
    parts = ([loss.key for loss in losses], [loss.amount for loss in losses], [loss.currency for loss in losses])
    writing.add(_MADE_GOOD, account, key, *parts)


async def settled_parts(
    connection: "Connection | asyncpg.Pool[asyncpg.Record]", accounts: Collection[str]
) -> dict[str, dict[str, Decimal]]:
    """Of each of the *accounts* the losses that were made good or are promised, by whichever case or incident, and how
    much."""
    settled: dict[str, dict[str, Decimal]] = {account: {} for account in accounts}
    for row in await connection.fetch(_ALL_COVERED, list(accounts)):
        settled[row["account"]][row["part"]] = row["amount"]
    return settled


async def covered_parts(connection: "Connection", account: str, reference: str, now: datetime) -> Mapping[str, Covered]:
    """The losses of *account* that others than the case *reference* promise, or that were made good.

    A case that somebody is kept out of, but not of *reference*, is not named: they would read of it there.
    """
    row = await connection.fetchrow(f"select {covered_column('$1', '$2')}", account, reference)
    assert row is not None  # noqa: S101 (one row, whatever there is)
    return await covered_by(connection, row, reference, now)


def covered_column(account: str, reference: str) -> str:
    """The column of a query for `covered_by`; *account* and *reference* are its parameters for these."""
    covered = _COVERED.format(account=account, reference=reference)
    return f"""
        (select coalesce(jsonb_agg(jsonb_build_object('part', part, 'amount', amount::text, 'reference', reference,
            'at', at, 'paid', paid) order by part), '[]') from ({covered}) as covered) as covered
    """  # noqa: S608 (constants)


async def covered_by(
    connection: "Connection", row: asyncpg.Record, reference: str, now: datetime
) -> Mapping[str, Covered]:
    """What `covered_parts` gives, by the column of `covered_column`."""
    rows = row["covered"]
    others = sorted({row["reference"] for row in rows} - {reference})
    recusals = await recusals_of(connection, [*others, reference]) if others else {}

    def kept_from(case: str) -> set[str]:
        # Who only decided on the same elsewhere may know that there is the other case.
        secret = [one for one in recusals.get(case, ()) if one.why is not Why.DECIDED]
        return set(kept_out(secret, now))

    hidden = {other for other in others if kept_from(other) - kept_from(reference)}
    return {
        row["part"]: Covered(
            Decimal(row["amount"]),
            None
            if row["reference"] == reference
            else Elsewhere(
                reference=None if row["reference"] in hidden else row["reference"],
                at=datetime.fromisoformat(row["at"]),
                paid=row["paid"],
            ),
        )
        for row in rows
    }


_MADE_GOOD: Final = """
    insert into casefile.redressed (account, posting_key, part, amount, currency)
    select $1, $2, new.* from unnest($3::text[], $4::numeric[], $5::text[]) as new on conflict do nothing
"""
_COVERED: Final = """
    select distinct on (part) part, amount, reference, at, paid from (
        select part, redressed.amount, coalesce(reference, incident) as reference, posted_at as at, true as paid
        from casefile.redressed join casefile.postings on key = posting_key where redressed.account = {account}
        union all
        select part, amount, reference, at, false from casefile.standing_promises
        where account = {account} and reference is distinct from {reference}
    ) as covered
    order by part, paid desc, at, reference
"""
_ALL_COVERED: Final = f"""
    select asked.account, covered.* from unnest($1::text[]) as asked (account)
    cross join lateral ({_COVERED.format(account="asked.account", reference="null")}) as covered
"""  # noqa: S608 (constants)
