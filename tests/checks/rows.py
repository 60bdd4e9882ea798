"""Rows of a small trade log: gold in the minute of the incident of 13 November 2023, 01:30 UTC+2."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

import asyncpg

from domain.checks.facts import Given, LogFacts
from domain.checks.findings import Check, Finding
from domain.checks.moments import Execution, FeedMedian
from domain.checks.table import CHECKS
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
    Happened,
    MarginRate,
    OrderEvent,
    Outage,
)
from domain.log.trade_log import AccountEntry, AccountMessage, Fill, Instrument, Order, OrderType, Position, Quote, Side
from domain.money.interest import BaseRate
from domain.money.parts import Rate

AT = datetime(2023, 11, 12, 23, 30, tzinfo=UTC)
ACCOUNT = "70012345"
GOLD = Instrument(symbol="XAUUSD", contract_size=Decimal(100), currency="USD", digits=2)

TABLES: dict[type[Record], str] = {
    AccountEntry: "account_entries",
    AccountEvent: "account_log",
    AccountMessage: "messages",
    Fill: "fills",
    Instrument: "instruments",
    Order: "orders",
    Position: "positions",
    Quote: "quotes",
    AccountTerms: "account_terms",
    Appropriateness: "appropriateness",
    Balance: "balances",
    BaseRate: "base_rates",
    BinaryOption: "binary_options",
    Cancellation: "cancellations",
    ChargeSchedule: "charge_schedules",
    MarginRate: "margin_rates",
    Disclosure: "disclosures",
    OrderEvent: "order_events",
    Outage: "outages",
    Rate: "rates",
}


def run(check: Check, subject: str, facts: LogFacts, given: Given) -> Finding:
    """The finding of *check*, on its facts in a fixed order, each row once, as an investigation makes it."""
    return CHECKS[check].run(subject, facts.once(), given)


def after(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def quote(source: str, seconds: float, bid: str, ask: str | None = None) -> Quote:
    """A quote; without *ask* the spread is 0.30."""
    return Quote(
        symbol="XAUUSD",
        source=source,
        at=after(seconds),
        bid=Decimal(bid),
        ask=Decimal(ask) if ask else Decimal(bid) + Decimal("0.30"),
    )


def steady(source: str, bid: str, ask: str | None = None) -> list[Quote]:
    """The same price once a second, from ten seconds before to ten seconds after."""
    return [quote(source, second, bid, ask) for second in range(-10, 11)]


def fill(price: str, side: Side = Side.SELL, **more: Any) -> Fill:
    """A fill of one lot at :data:`AT`, priced by LP-A."""
    values = {
        "fill": "F1",
        "order": "O1",
        "account": ACCOUNT,
        "symbol": "XAUUSD",
        "side": side,
        "volume": Decimal(1),
        "price": Decimal(price),
        "at": AT,
        "source": "LP-A",
    }
    return Fill(**(values | more))


def order(type: OrderType = OrderType.MARKET, side: Side = Side.SELL, **more: Any) -> Order:
    values = {
        "order": "O1",
        "account": ACCOUNT,
        "symbol": "XAUUSD",
        "side": side,
        "type": type,
        "volume": Decimal(1),
    }
    return Order(**(values | more))


def position(**more: Any) -> Position:
    """A long position of one lot, opened an hour before."""
    values = {
        "position": "P1",
        "account": ACCOUNT,
        "symbol": "XAUUSD",
        "side": Side.BUY,
        "volume": Decimal(1),
        "open_price": Decimal("1940.00"),
        "opened_at": after(-3600),
    }
    return Position(**(values | more))


def execution(*fills: Fill, of: Order | None, **more: Any) -> Execution:
    return Execution(**({"id": "O1", "order": of, "fills": fills, "instrument": GOLD} | more))


def middle(bid: str, spread: str = "0.30", source: str = "LP-A") -> FeedMedian:
    """The middle of a feed around :data:`AT`."""
    return FeedMedian(
        symbol="XAUUSD",
        source=source,
        at=AT,
        bid=Decimal(bid),
        ask=Decimal(bid) + Decimal(spread),
        spread=Decimal(spread),
        quotes=600,
    )


def happened(kind: Happened, seconds: float, **more: Any) -> OrderEvent:
    """A step of the order O1, a sell."""
    values = {
        "event": f"{kind.value}-{seconds:g}",
        "account": ACCOUNT,
        "symbol": "XAUUSD",
        "side": Side.SELL,
        "kind": kind,
        "at": after(seconds),
        "order": "O1",
    }
    return OrderEvent(**(values | more))


def terms(**more: Any) -> AccountTerms:
    """A retail account in USD, 1:100, liquidated at 20 %."""
    values = {
        "terms": "T1",
        "account": ACCOUNT,
        "effective_from": after(-1e6),
        "currency": "USD",
        "leverage": Decimal(100),
        "stop_out_level": Decimal(20),
        "client_class": "retail",
    }
    return AccountTerms(**(values | more))


def balance(amount: str, **more: Any) -> Balance:
    """A balance stated an hour before."""
    values = {
        "balance": "B1",
        "account": ACCOUNT,
        "at": after(-3600),
        "amount": Decimal(amount),
        "currency": "USD",
    }
    return Balance(**(values | more))


async def store(pool: "asyncpg.Pool[asyncpg.Record]", *rows: Record) -> None:
    """Put *rows* into their tables of the trade log, with :data:`GOLD` if it is not there yet."""
    await pool.execute(
        "insert into tradelog.instruments values ($1, $2, $3, $4) on conflict do nothing",
        *(getattr(GOLD, name) for name in ("symbol", "contract_size", "currency", "digits")),
    )
    for table, same in groupby(rows, key=lambda row: TABLES[type(row)]):
        records = [dict(row) for row in same]
        await pool.copy_records_to_table(
            table,
            schema_name="tradelog",
            columns=list(records[0]),
            records=[tuple(record.values()) for record in records],
        )
