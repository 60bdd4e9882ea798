"""The rows that findings rest on, compared with the trade log as it is now."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from pydantic import ValidationError

from domain.checks.findings import EvidenceRow, Finding
from domain.ground.base import Record
from domain.log.firm_records import (
    AccountEvent,
    AccountTerms,
    Appropriateness,
    Balance,
    BinaryOption,
    Cancellation,
    ChargeSchedule,
    Disclosure,
    MarginRate,
    OrderEvent,
    Outage,
)
from domain.log.trade_log import AccountEntry, AccountMessage, Fill, Instrument, Order, Position, Quote
from domain.money.interest import BaseRate
from domain.money.parts import Rate

if TYPE_CHECKING:
    import asyncpg

    Pool = asyncpg.Pool[asyncpg.Record]

NOT_THERE: Final = "not in the log"
_AT_ONCE: Final = 5_000
"""Rows of a table looked up in a statement: a list of an incident rests on the rows of thousands of accounts."""


class LogDifference(Record):
    """A value of a row that a finding rests on, as it was kept and as the log has it now."""

    table: str
    key: str
    field: str
    stored: str
    now: str


class _Kept(NamedTuple):
    """Where rows of a kind stand, and by which fields they are known.

    Of what holds from a day on the query has all that holds at any time, the newest last.
    """

    model: type[Record]
    query: str
    key: tuple[str, ...]


def _known(table: str, *key: str, of: str | None = None) -> str:
    fields = ", ".join(f'"{name}"::text' for name in key)
    return f"select * from tradelog.{of or table} where ({fields}) in (select * from unnest({_arrays(len(key))}))"  # noqa: S608


def _arrays(count: int) -> str:
    return ", ".join(f"${place}::text[]" for place in range(1, count + 1))


_QUOTES: Final = """
    select quotes.* from unnest($1::text[], $2::text[], $3::text[]) as asked (symbol, source, at)
    join tradelog.quotes
        on (quotes.symbol, quotes.source, quotes.at) = (asked.symbol, asked.source, asked.at::timestamptz)
"""
_RATES: Final = """
    select rates.* from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as asked (base, quote, source, at)
    join tradelog.rates
        on (rates.base, rates.quote, rates.source) = (asked.base, asked.quote, asked.source)
            and rates.at = asked.at::timestamptz
"""
_INSTRUMENTS: Final = """
    select known.* from unnest($1::text[]) as asked (symbol)
    cross join lateral (
        select '-infinity'::timestamptz as moment
        union select effective_from from tradelog.instrument_corrections as correction
        where correction.symbol = asked.symbol
    ) as since
    cross join lateral tradelog.specification(asked.symbol, since.moment) as known
    order by since.moment
"""
_ADDED_FILLS: Final = """
    select fill, "order" from tradelog.fills where "order" = any($1)
        and not exists (select from unnest($2::text[]) as kept (fill) where kept.fill = fills.fill)
    order by fill
"""
TABLES: Final[Mapping[str, _Kept]] = {
    "orders": _Kept(Order, _known("orders", "order", of="known_orders"), ("order",)),
    "fills": _Kept(Fill, _known("fills", "fill"), ("fill",)),
    "positions": _Kept(Position, _known("positions", "position", of="known_positions"), ("position",)),
    "instruments": _Kept(Instrument, _INSTRUMENTS, ("symbol",)),
    "quotes": _Kept(Quote, _QUOTES, ("symbol", "source", "at")),
    "account_entries": _Kept(AccountEntry, _known("account_entries", "entry", of="known_account_entries"), ("entry",)),
    "order_events": _Kept(OrderEvent, _known("order_events", "event"), ("event",)),
    "account_terms": _Kept(AccountTerms, _known("account_terms", "terms"), ("terms",)),
    "balances": _Kept(Balance, _known("balances", "balance"), ("balance",)),
    "margin_rates": _Kept(MarginRate, _known("margin_rates", "margin"), ("margin",)),
    "charge_schedules": _Kept(ChargeSchedule, _known("charge_schedules", "schedule"), ("schedule",)),
    "outages": _Kept(Outage, _known("outages", "outage", of="known_outages"), ("outage",)),
    "binary_options": _Kept(BinaryOption, _known("binary_options", "option", of="known_binary_options"), ("option",)),
    "cancellations": _Kept(Cancellation, _known("cancellations", "cancellation"), ("cancellation",)),
    "disclosures": _Kept(Disclosure, _known("disclosures", "disclosure", of="known_disclosures"), ("disclosure",)),
    "appropriateness": _Kept(Appropriateness, _known("appropriateness", "assessment"), ("assessment",)),
    "account_log": _Kept(AccountEvent, _known("account_log", "event"), ("event",)),
    "messages": _Kept(AccountMessage, _known("messages", "message"), ("message",)),
    "rates": _Kept(Rate, _RATES, ("base", "quote", "source", "at")),
    "base_rates": _Kept(BaseRate, _known("base_rates", "name", "effective_from"), ("name", "effective_from")),
}
"""Of what is counted from many rows (shares, middles of feeds) nothing is kept in the log."""


async def compare_with_log(pool: "Pool", findings: Iterable[Finding]) -> list[LogDifference]:
    """What is not in the log any more as the *findings* had it, value by value; nothing when all is the same.

    Whoever looks at an order looks at all of its fills: one that came later is told as well. What else came later (a
    quote, a balance) is found by investigating again. Where findings had a row differently (a list is made account by
    account), each of its versions is compared.
    """
    kept: dict[str, dict[tuple[str, ...], list[EvidenceRow]]] = {}
    for finding in findings:
        for row in finding.evidence:
            if row.table in TABLES:
                name = tuple(row.values.get(field, "") for field in TABLES[row.table].key)
                versions = kept.setdefault(row.table, {}).setdefault(name, [])
                versions += [] if row in versions else [row]
    found: list[LogDifference] = []
    for table, rows in sorted(kept.items()):
        names = sorted(rows)
        for at in range(0, len(names), _AT_ONCE):
            found += await _compare(pool, table, {name: rows[name] for name in names[at : at + _AT_ONCE]})
    orders, fills = ([*kept.get(table, {})] for table in ("orders", "fills"))
    added = await pool.fetch(_ADDED_FILLS, [name for (name,) in orders], [name for (name,) in fills])
    return found + [
        LogDifference(table="fills", key=row["fill"], field="row", stored="not there", now=f"of order {row['order']}")
        for row in added
    ]


async def _compare(
    pool: "Pool", table: str, kept: Mapping[tuple[str, ...], Sequence[EvidenceRow]]
) -> list[LogDifference]:
    model, query, key = TABLES[table]
    names = sorted(kept)
    now: dict[tuple[str, ...], list[EvidenceRow | str]] = {}
    for row in await pool.fetch(query, *[[name[place] for name in names] for place in range(len(key))]):
        name = tuple(_text(row[field]) for field in key)
        try:
            read = model.model_validate({field: row[field] for field in model.model_fields})
            now.setdefault(name, []).append(EvidenceRow.of(table, key, read))
        except ValidationError as error:
            fields = sorted({str(each["loc"][0]) for each in error.errors() if each["loc"]})
            now.setdefault(name, []).append("unreadable: " + ", ".join(fields))
    return [
        difference
        for name in names
        for stored in kept[name]
        for difference in _unlike_all(model, stored, now.get(name, [NOT_THERE]))
    ]


def _unlike_all(model: type[Record], stored: EvidenceRow, versions: Sequence[EvidenceRow | str]) -> list[LogDifference]:
    """In which values the row *stored* is another than the newest of *versions*; none where it is like one of them."""
    differences = [_different(model, stored, one) for one in versions]
    return [] if [] in differences else differences[-1]


def _different(model: type[Record], stored: EvidenceRow, current: EvidenceRow | str) -> list[LogDifference]:
    """In which values the row *stored* is another than *current*, or why there is none to compare with."""
    if isinstance(current, str):
        return [LogDifference(table=stored.table, key=stored.key, field="row", stored="kept", now=current)]
    # what a version before did not know of the row cannot have changed
    known = set(stored.values) | {field for field, value in current.values.items() if value != _default(model, field)}
    return [
        LogDifference(
            table=stored.table,
            key=stored.key,
            field=field,
            stored=stored.values.get(field, "none"),
            now=current.values.get(field, "none"),
        )
        for field in sorted(known)
        if stored.values.get(field) != current.values.get(field)
    ]


def _default(model: type[Record], field: str) -> str | None:
    value = model.model_fields[field].default
    return None if value is None else str(value)


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
