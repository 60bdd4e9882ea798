"""Reading the compensation ledger, and whether it adds up."""

from decimal import Decimal
from typing import TYPE_CHECKING

from pydantic import computed_field

from domain.ground.base import Record
from record.approvals import unfounded_postings

if TYPE_CHECKING:
    from starter.reading.database import Pool


class CurrencyTotal(Record):
    """What was awarded in one currency, and ``paid`` through rails: in how many postings, the sums of their entries."""

    currency: str
    postings: int
    awarded: Decimal
    paid: Decimal
    debits: Decimal
    credits: Decimal


class LedgerFault(Record):
    """Something in the compensation ledger that must not be."""

    reference: str
    problem: str


class LedgerReport(Record):
    """The check of the compensation ledger."""

    totals: tuple[CurrencyTotal, ...]
    faults: tuple[LedgerFault, ...]
    workflows_compared: bool = False
    """Whether it was compared with what closed workflows tell of, too."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def balanced(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


async def check_ledger(pool: "Pool") -> LedgerReport:
    """Prove that every posting balances and rests on the record: on an approval, a payment that was made, a report.

    And that the ledger has what cases were awarded and payments were made.
    """
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        totals = await connection.fetch(
            """
            SELECT currency, count(*) AS postings, coalesce(sum(amount) FILTER (WHERE kind = 'award'), 0) AS awarded,
                   coalesce(sum(CASE kind WHEN 'payment' THEN amount WHEN 'reversal' THEN -amount END), 0) AS paid,
                   coalesce(sum(debits), 0) AS debits, coalesce(sum(credits), 0) AS credits
            FROM casefile.postings p LEFT JOIN (
                SELECT posting_key, sum(amount) FILTER (WHERE amount > 0) AS debits,
                       -sum(amount) FILTER (WHERE amount < 0) AS credits
                FROM casefile.ledger_entries GROUP BY posting_key) e ON e.posting_key = p.key
            GROUP BY currency ORDER BY currency
            """
        )
        unbalanced = await connection.fetch(
            """
            SELECT coalesce(p.reference, p.incident) AS reference,
                   format('posting %s of %s does not balance: its entries are %s', p.key,
                                     p.currency || ' ' || p.amount,
                                     coalesce(string_agg(e.currency || ' ' || e.amount, ', '), 'missing')) AS problem
            FROM casefile.postings p LEFT JOIN casefile.ledger_entries e ON e.posting_key = p.key
            GROUP BY p.key
            HAVING NOT coalesce(sum(e.amount) FILTER (WHERE e.amount > 0) = p.amount
                            AND sum(e.amount) FILTER (WHERE e.amount < 0) = -p.amount
                            AND bool_and(e.currency = p.currency), false)
            ORDER BY p.key
            """
        )
        differing = await connection.fetch(
            """
            SELECT c.reference, format(CASE WHEN c.closed_at IS NULL THEN 'its file tells of %s awarded' ELSE
                                            'closed with %s awarded' END || ', but the ledger has %s',
                                       coalesce(c.compensation_currency || ' ' || c.compensation_amount, 'nothing'),
                                       coalesce(string_agg(p.currency || ' ' || p.amount, ', ' ORDER BY p.number),
                                                'nothing')) AS problem
            FROM casefile.cases c LEFT JOIN casefile.postings p ON p.reference = c.reference AND p.kind = 'award'
            WHERE c.closed_at IS NOT NULL OR c.compensation_amount IS NOT NULL
            GROUP BY c.reference
            -- While a case is open the posting comes first, and the summary tells of it a moment later.
            HAVING coalesce(sum(p.amount) FILTER (WHERE p.currency = c.compensation_currency), 0)
                    < coalesce(c.compensation_amount, 0)
                OR c.closed_at IS NOT NULL AND (coalesce(sum(p.amount), 0) <> coalesce(c.compensation_amount, 0)
                                                OR bool_or(p.currency <> c.compensation_currency))
            ORDER BY c.reference
            """
        )
        unpaid = await connection.fetch(
            """
            SELECT reference, format('closed, but %s %s of what a rail was to pay is not paid', p.currency,
                                     sum(CASE kind WHEN 'payment' THEN -p.amount ELSE p.amount END)) AS problem
            FROM casefile.cases c JOIN casefile.postings p USING (reference)
            WHERE c.closed_at IS NOT NULL AND p.rail IS NOT NULL
            GROUP BY reference, p.currency
            HAVING sum(CASE kind WHEN 'payment' THEN -p.amount ELSE p.amount END) <> 0
            ORDER BY reference
            """
        )
        unposted = await connection.fetch(
            """
            SELECT o.reference, format('payment %s of %s %s was made, but the ledger has no posting of it', key,
                                       o.currency, e.paid) AS problem
            FROM payments.outcomes e JOIN payments.orders o USING (key)
            WHERE e.paid > 0 AND NOT EXISTS (SELECT FROM casefile.postings p WHERE p.key = e.key)
            ORDER BY o.reference, key
            """
        )
        unfounded = [LedgerFault(reference=of, problem=why) async for of, why in unfounded_postings(connection)]
    faults = [LedgerFault(**row) for row in [*unbalanced, *differing, *unpaid, *unposted]]
    return LedgerReport(totals=tuple(CurrencyTotal(**row) for row in totals), faults=(*faults, *unfounded))
