"""Reading payments: those of a case or an incident, and what is still owed. Nothing here changes anything."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from domain.ground.base import Instant, Record
from domain.ground.words import PaymentReason, PaymentState, Stage

if TYPE_CHECKING:
    from runtime.database import Pool


class PaymentView(Record):
    """A payment as it was ordered, and what became of it. ``payee`` is the account paid to.

    ``said_by`` is ``rail:NAME`` or the person who reported it; ``answer`` the rail's last word on being ``asked``.
    """

    key: str
    reference: str
    payee: str | None
    amount: Decimal
    currency: str
    rail: str
    ordered_at: Instant
    state: PaymentState
    paid: Decimal
    rail_reference: str | None
    reason: PaymentReason | None
    said_by: str | None
    ended_at: Instant | None
    asked: str | None
    answer: str | None
    detail: str | None
    last_exchange_at: Instant | None
    exchanges: int


class Unsettled(Record):
    """Money that a rail has still to pay: how much, since when, and how far its last payment came.

    ``stage``, ``handler`` and ``team`` are those of the case; an incident has none. ``account`` is whom it owes.
    """

    reference: str
    account: str | None
    owed: Decimal
    currency: str
    since: Instant
    age: timedelta
    stage: Stage | None
    handler: str | None
    team: str | None
    payment: PaymentView | None


_COLUMNS = ", ".join(f"p.{name}" for name in PaymentView.model_fields)
_PREFIXED = ", ".join(f"p.{name} AS p_{name}" for name in PaymentView.model_fields)


async def get_payments(pool: "Pool", reference: str) -> list[PaymentView]:
    """The payments of a case or an incident, in the order in which they were ordered."""
    rows = await pool.fetch(
        f"SELECT {_COLUMNS} FROM payments.standing p WHERE reference = $1"  # noqa: S608
        " AND NOT casefile.hidden(reference)"
        " AND (reference, payee) NOT IN (SELECT reference, account FROM casefile.hidden_members())"
        " ORDER BY ordered_at, key",
        reference,
    )
    return [PaymentView(**row) for row in rows]


async def get_unsettled(pool: "Pool", now: datetime, *, limit: int = 50) -> list[Unsettled]:
    """What is awarded or has come back, and is not paid: the oldest first.

    Of closed cases nothing is looked at: none is closed before it is paid, and ``check_ledger`` finds it if one was. Of
    incidents those under way are, and those that left an account unpaid.
    """
    rows = await pool.fetch(
        f"""
        WITH of_cases AS (
            SELECT c.reference, NULL AS account, p.currency,
                   sum(CASE p.kind WHEN 'payment' THEN -p.amount ELSE p.amount END) AS owed,
                   max(p.posted_at) FILTER (WHERE p.kind <> 'payment') AS since
            FROM casefile.cases c JOIN casefile.postings p USING (reference)
            WHERE c.closed_at IS NULL AND p.rail IS NOT NULL GROUP BY c.reference, p.currency
        ), incidents AS (
            SELECT reference FROM casefile.incidents WHERE stage <> 'closed' OR (progress->>'left')::integer > 0
        ), paid AS (
            SELECT o.reference, o.payee AS account, sum(e.paid) AS paid
            FROM incidents JOIN payments.orders o USING (reference) JOIN payments.outcomes e USING (key)
            GROUP BY o.reference, o.payee
        ), of_incidents AS (
            SELECT a.incident AS reference, a.account, a.currency, a.amount - coalesce(paid.paid, 0) AS owed,
                   a.posted_at AS since
            FROM incidents JOIN casefile.postings a ON a.incident = incidents.reference
            LEFT JOIN paid ON (paid.reference, paid.account) = (a.incident, a.account)
            WHERE a.kind = 'award' AND a.incident IS NOT NULL AND a.rail IS NOT NULL
        ), owed AS (
            SELECT * FROM of_cases UNION ALL SELECT * FROM of_incidents
        ), open AS (
            SELECT * FROM owed WHERE owed > 0
            UNION ALL
            SELECT reference, NULL, currency, amount, ordered_at FROM payments.orders o
            WHERE NOT EXISTS (SELECT FROM payments.outcomes e WHERE e.key = o.key)
              AND NOT EXISTS (SELECT FROM owed WHERE owed.reference = o.reference)
        ), oldest AS (
            SELECT * FROM open WHERE NOT casefile.hidden(reference)
              AND NOT EXISTS (SELECT FROM casefile.hidden_members() hidden
                              WHERE hidden.reference = open.reference
                                AND hidden.account = coalesce(open.account, hidden.account))
            ORDER BY since, reference, account LIMIT $1
        )
        SELECT oldest.*, c.stage, c.handler, c.team, {_PREFIXED}
        FROM oldest LEFT JOIN casefile.cases c USING (reference)
        LEFT JOIN LATERAL (SELECT * FROM payments.standing s WHERE s.reference = oldest.reference
                           AND (oldest.account IS NULL OR s.payee = oldest.account)
                           ORDER BY ordered_at DESC, key DESC LIMIT 1) p ON true
        ORDER BY since, oldest.reference, oldest.account
        """,  # noqa: S608 (nothing from outside)
        limit,
    )
    return [
        Unsettled(
            **{name: row[name] for name in Unsettled.model_fields if name not in {"age", "payment"}},
            age=now - row["since"],
            payment=PaymentView(**{name: row[f"p_{name}"] for name in PaymentView.model_fields})
            if row["p_key"]
            else None,
        )
        for row in rows
    ]
