"""The ledger: balanced double-entry postings, each made once."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

from temporalio.exceptions import ApplicationError

from domain.money.amounts import Money

if TYPE_CHECKING:
    from runtime.database import Connection


def expense() -> str:
    """What redress costs the firm."""
    return "expense:redress"


def liability(reference: str) -> str:
    """What the firm owes the customer of a case."""
    return f"liability:customer:{reference}"


def cash(rail: str) -> str:
    """What left the firm through a payment rail."""
    return f"cash:{rail}"


@dataclass(frozen=True)
class Posting:
    """One posting: *amount*, above zero and payable, from the account *credit* to the account *debit*.

    It is of the case *reference*, with a *number* of its own there, or else of an *account* under an *incident*.
    """

    key: str
    kind: Literal["award", "payment", "reversal"]
    reference: str | None
    number: int
    amount: Money
    debit: str
    credit: str
    rail: str | None = None
    incident: str | None = None
    account: str | None = None
    decision: str | None = None
    """Of an award: the key of the entry of the timeline that it rests on."""


@dataclass(frozen=True)
class Posted:
    """A posting in the ledger. ``rail`` is the one it was first posted with, and ``at`` when that was."""

    at: datetime
    rail: str | None


async def post(connection: "Connection", posting: Posting, at: datetime) -> Posted:
    """Post *posting* within the transaction of *connection*. Again, it answers as the first time.

    Raises `ApplicationError`, never retried, of type ``CompensationConflict`` if the key or the number was used for
    something else.
    """
    posted_at = await connection.fetchval(
        _POST,
        posting.key,
        posting.reference,
        posting.number,
        posting.amount.amount,
        posting.amount.currency,
        at,
        posting.kind,
        posting.rail,
        posting.incident,
        posting.account,
        posting.decision,
        posting.debit,
        posting.credit,
    )
    if posted_at is not None:
        return Posted(at=posted_at, rail=posting.rail)
    row = await connection.fetchrow(
        "SELECT key, coalesce(reference, incident), number, amount, currency, kind, posted_at, rail"
        " FROM casefile.postings WHERE key = $1 OR (reference, number) = ($2, $3)"
        " OR (incident, account, kind) = ($4, $5, 'award') ORDER BY key = $1 DESC LIMIT 1",
        posting.key,
        posting.reference,
        posting.number,
        posting.incident if posting.kind == "award" else None,
        posting.account,
    )
    assert row is not None  # noqa: S101 (it was in the way of the insert)
    whose = posting.reference or posting.incident
    wanted = (posting.key, whose, posting.number, posting.amount.amount, posting.amount.currency, posting.kind)
    known = tuple(row)[:6]
    if wanted != known:
        key, of, number, amount, currency, kind = known
        raise ApplicationError(
            f"{posting.kind} {posting.number} of {whose}, {posting.amount} under key {posting.key}: the ledger has"
            f" {currency} {amount} under key {key} already, as {kind} {number} of {of}; give a new {posting.kind} a key"
            " and number of its own",
            type="CompensationConflict",
            non_retryable=True,
        )
    return Posted(at=row["posted_at"], rail=row["rail"])


_POST: Final = """
    with posted as (
        insert into casefile.postings (key, reference, number, amount, currency, posted_at, kind, rail, incident,
            account, decision)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing
        returning key, amount, currency, posted_at
    ), entered as (
        insert into casefile.ledger_entries (posting_key, account, amount, currency)
        select key, $12::text, amount, currency from posted
        union all select key, $13::text, -amount, currency from posted
    )
    select posted_at from posted
"""
