"""Reading the compensation ledger, and whether it adds up."""

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from pydantic import computed_field

from domain.ground.base import Record
from record.approvals import unfounded_postings

if TYPE_CHECKING:
    from runtime.database import Pool


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
    """Prove that every posting balances, is as it was written, and rests on the record: on an approval, a payment that
    was made, a report.

    And that the ledger has what cases were awarded and payments were made. Faults of cases that are hidden from who
    looks are told without the case.
    """
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute("set local timezone = 'UTC'; set local intervalstyle = 'iso_8601'")  # as chained
        totals = await connection.fetch(_TOTALS)
        unbalanced = await connection.fetch(_UNBALANCED)
        differing = await connection.fetch(_DIFFERING)
        unpaid = await connection.fetch(_UNPAID)
        unposted = await connection.fetch(_UNPOSTED)
        altered = await connection.fetch(_ALTERED)
        unfounded = [LedgerFault(reference=of, problem=why) async for of, why in unfounded_postings(connection)]
        hidden = {row["reference"] for row in await connection.fetch(_HIDDEN)}
    found = [*(LedgerFault(**row) for row in [*unbalanced, *differing, *unpaid, *unposted]), *unfounded]
    named = {word for fault in found for word in fault.problem.split()}
    found += [LedgerFault(**row) for row in altered if row["problem"].split()[1] not in named]
    faults = tuple(_OF_A_HIDDEN_CASE if fault.reference in hidden else fault for fault in found)
    return LedgerReport(totals=tuple(CurrencyTotal(**row) for row in totals), faults=faults)


_OF_A_HIDDEN_CASE: Final = LedgerFault(reference="hidden", problem="a case that is hidden from you has a fault")
_HIDDEN: Final = "select casefile.hidden_cases() as reference"
_TOTALS: Final = """
    select coalesce(currency, 'none') as currency, count(*) as postings,
           coalesce(sum(amount) filter (where kind = 'award' and abs(amount) < 'Infinity'), 0) as awarded,
           coalesce(sum(case kind when 'payment' then amount when 'reversal' then -amount end)
            filter (where abs(amount) < 'Infinity'), 0) as paid,
           coalesce(sum(debits), 0) as debits, coalesce(sum(credits), 0) as credits
    from casefile.postings p left join (
        select posting_key, sum(amount) filter (where amount > 0 and amount < 'Infinity') as debits,
               -sum(amount) filter (where amount < 0 and amount > '-Infinity') as credits
        from casefile.ledger_entries group by posting_key) e on e.posting_key = p.key
    group by 1 order by 1
"""
"""What was awarded and paid in each currency, and the entries of it."""

_UNBALANCED: Final = """
    select coalesce(p.reference, p.incident, 'no case') as reference,
           format('posting %s of %s does not balance: its entries are %s', p.key,
                             p.currency || ' ' || p.amount,
                             coalesce(string_agg(e.currency || ' ' || e.amount || ' ' || e.account, ', '
                                                 order by e.amount desc), 'missing')) as problem
    from casefile.postings p left join casefile.ledger_entries e on e.posting_key = p.key
    cross join lateral (select 'liability:customer:' || case when p.incident is null then p.reference
                                                            else p.incident || ':' || p.account end as owed) o
    group by p.key, p.reference, p.incident, p.currency, p.amount, p.kind, p.rail, owed
    having not coalesce(sum(e.amount) filter (where e.amount > 0) = p.amount
                    and sum(e.amount) filter (where e.amount < 0) = -p.amount
                    and bool_and(e.currency = p.currency)
                    and array_agg(e.account order by e.amount desc) = case p.kind
                        when 'award' then array['expense:redress', owed]
                        when 'payment' then array[owed, 'cash:' || p.rail]
                        when 'reversal' then array['cash:' || p.rail, owed] end, false)
    order by p.key
"""
"""Postings whose two entries are not their sum, from one of the accounts of their kind to the other."""

_DIFFERING: Final = """
    select c.reference, format(case when c.closed_at is null then 'its file tells of %s awarded' else
                                    'closed with %s awarded' end || ', but the ledger has %s',
                               coalesce(c.compensation_currency || ' ' || c.compensation_amount, 'nothing'),
                               coalesce(string_agg(p.currency || ' ' || p.amount, ', ' order by p.number),
                                        'nothing')) as problem
    from casefile.cases c left join casefile.postings p on p.reference = c.reference and p.kind = 'award'
    where c.closed_at is not null or c.compensation_amount is not null
    group by c.reference, c.closed_at, c.compensation_currency, c.compensation_amount
    -- While a case is open the posting comes first, and the summary tells of it a moment later.
    having coalesce(sum(p.amount) filter (where p.currency = c.compensation_currency), 0)
            < coalesce(c.compensation_amount, 0)
        or c.closed_at is not null and (coalesce(sum(p.amount), 0) <> coalesce(c.compensation_amount, 0)
                                        or bool_or(p.currency <> c.compensation_currency))
    order by c.reference
"""
"""Cases of which the ledger has another sum than they were awarded."""

_UNPAID: Final = """
    select reference, format('closed, but %s %s of what a rail was to pay is not paid', p.currency,
                             sum(case kind when 'payment' then -p.amount else p.amount end)) as problem
    from casefile.cases c join casefile.postings p using (reference)
    where c.closed_at is not null and p.rail is not null
    group by reference, p.currency
    having sum(case kind when 'payment' then -p.amount else p.amount end) <> 0
    order by reference
"""
"""Closed cases of which a rail has not paid all."""

_UNPOSTED: Final = """
    select o.reference, format('payment %s of %s %s was made, but the ledger has no posting of it', key,
                               o.currency, e.paid) as problem
    from payments.outcomes e join payments.orders o using (key)
    where e.paid > 0 and not exists (select from casefile.postings p where p.key = e.key)
    order by o.reference, key
"""
"""Payments that were made, and are not in the ledger."""

_ALTERED: Final = """
    with stored as (
        select 'casefile.postings' as place, key, key as posting, casefile.stored(to_jsonb(p), null) as content
        from casefile.postings p
        union all
        select 'casefile.ledger_entries', concat_ws('|', posting_key, account), posting_key,
            casefile.stored(to_jsonb(e), null)
        from casefile.ledger_entries e
    ), chained as (
        select place, key, split_part(key, '|', 1) as posting, reference, content from casefile.chain
        where place in ('casefile.postings', 'casefile.ledger_entries')
    ), altered as (
        select coalesce(posting, 'without') as posting, reference, case place when 'casefile.postings' then 'it'
                else 'an entry of it' end || case when stored.content is null then ' is gone'
                when chained.content is null then ' was added past the chain' else ' was rewritten' end as what
        from chained full join stored using (place, key, posting)
        where chained.content is distinct from sha256(convert_to(stored.content, 'UTF8'))
    )
    select coalesce(max(reference), split_part(posting, ':', 1)) as reference,
           format('posting %s is not as it was written: %s', posting, string_agg(distinct what, ', ')) as problem
    from altered group by posting order by posting
"""
"""Postings and entries of them that are not what the chain has of them."""
