"""What a check may ask the trade log and the firm's records."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from domain.checks.moments import Execution, Feed, FeedMedian, Moment
from domain.log.firm_records import (
    AccountEvent,
    AccountTerms,
    Appropriateness,
    AssessmentsKept,
    Balance,
    BinaryOption,
    Cancellation,
    ChargeSchedule,
    Disclosure,
    MarginRate,
    OrderEvent,
    Outage,
    RequoteShares,
    SlippageShares,
)
from domain.log.trade_log import AccountEntry, AccountMessage, Fill, Instrument, Order, OrderType, Position, Quote, Side
from domain.money.parts import Rate


class Log(Protocol):
    """One snapshot of the log: what is imported meanwhile changes no answer.

    Of another account no row is ever returned, only counts. A method may raise for a row that is damaged; no check has
    to catch that.
    """

    async def orders_of(self, account: str, trades: Sequence[str]) -> dict[str, list[str]]:
        """The orders meant by each id of an order, a fill or a position, given whole or from a colon on (its ticket).

        A position means the orders that closed it, or, while none has, the one that opened it. Ids that mean no order
        are left out.
        """

    async def tables_of(self, account: str, trades: Sequence[str]) -> dict[str, set[str]]:
        """The tables that know each id, of ``orders``, ``fills``, ``positions`` and ``account_entries``."""

    async def orders_between(self, account: str, start: datetime, end: datetime, *, limit: int) -> list[str]:
        """The orders with fills from *start* to *end*, the earliest *limit* of them."""

    async def executions(self, account: str, orders: Sequence[str]) -> list[Execution]:
        """The rows of *orders*, in the order of their first fills; those without fills last."""

    async def deciding_quotes(self, moments: Iterable[Moment], *, window_seconds: int) -> list[Quote]:
        """Of each source the few quotes that decide at each moment, at most six.

        What they decide is in :func:`domain.checks.execution.finding.check_execution`.
        """

    async def medians(self, feeds: Iterable[Feed]) -> list[FeedMedian]:
        """The middle of each feed. Nothing for a feed without quotes."""

    async def withdrawals(self, account: str, entries: Sequence[str]) -> list[AccountEntry]:
        """The withdrawals among *entries*, by their ids."""

    async def withdrawals_between(
        self, account: str, start: datetime, end: datetime, *, limit: int
    ) -> list[AccountEntry]:
        """The withdrawals under way at any time from *start* to *end*, the latest *limit* of them."""

    async def latest_withdrawals(self, account: str, as_of: datetime, *, limit: int) -> list[AccountEntry]:
        """The withdrawal asked for last, and those still pending at *as_of*; the latest *limit* of them."""

    async def slippage_shares(self, symbol: str, kind: OrderType, start: datetime, end: datetime) -> SlippageShares:
        """How all customers' orders of *kind* were filled, counted."""

    async def requote_shares(self, symbol: str, start: datetime, end: datetime) -> list[RequoteShares]:
        """How all customers' orders were refused, counted by side."""

    async def events_of(
        self, account: str, orders: Collection[str], positions: Collection[str] = ()
    ) -> list[OrderEvent]:
        """What happened to *orders* and to attempts at *positions*, in the order of time."""

    async def refused_between(self, account: str, start: datetime, end: datetime, *, limit: int) -> list[OrderEvent]:
        """The requotes, rejections and failed attempts from *start* to *end*, the earliest *limit* of them."""

    async def fills_between(self, account: str, symbol: str, side: Side, start: datetime, end: datetime) -> list[Fill]:
        """The first fill on *side* from *start* to *end*, or none."""

    async def usual_spread(self, symbol: str, at: datetime) -> Decimal | None:
        """The middle of the spreads that all sources showed at full minutes around *at*; ``None`` without quotes."""

    async def margin_rates(self, account: str, symbols: Iterable[str], at: datetime) -> list[MarginRate]:
        """The margin rates of *symbols* in force at *at*: of the account, and of everybody."""

    async def instruments(self, symbols: Iterable[str], at: datetime) -> list[Instrument]:
        """What a lot of each of *symbols* was at *at*, as it is known now."""

    async def orders(self, account: str, positions: Collection[str]) -> list[Order]:
        """The orders that belong to *positions*, filled or not."""

    async def fills_of(self, account: str, positions: Collection[str]) -> list[Fill]:
        """The fills that opened or closed *positions*, as far as the log relates them."""

    async def through(
        self, order: Order, price: Decimal, start: datetime, end: datetime, *, worse: bool
    ) -> list[Quote]:
        """Of each source the first quote from *start* to *end* at which *order* was due at *price*, and its nearest."""

    async def first_through(
        self, order: Order, price: Decimal, start: datetime, end: datetime, *, worse: bool
    ) -> list[Quote]:
        """Of each source the first quote at which *order* was due at *price*, within 30 days of *start*."""

    async def near(self, symbol: str, at: datetime) -> list[Quote]:
        """Of each source the twelve quotes up to *at* and those after it, within a minute."""

    async def last_quotes(self, symbol: str, at: datetime) -> list[Quote]:
        """Of each source the quote that stood at *at*, of the minute before, and the first after it."""

    async def last(self, symbol: str, at: datetime) -> list[Quote]:
        """Of each source the last quote at or before *at*, however old within a day."""

    async def ticks(self, symbols: Collection[str], start: datetime, end: datetime) -> list[Quote]:
        """The latest 400 quotes from *start* to *end*, of all sources."""

    async def first_ticks(self, symbol: str, start: datetime, end: datetime) -> list[Quote]:
        """The first 400 quotes after *start* until *end*, of all sources."""

    async def positions(self, account: str, ids: Collection[str], *, limit: int) -> list[Position]:
        """The positions meant by *ids*: their own, those of orders, and those of fills."""

    async def positions_between(self, account: str, start: datetime, end: datetime, *, limit: int) -> list[Position]:
        """The positions open at any time from *start* to *end*, the earliest *limit* of them."""

    async def terms(self, account: str, at: datetime) -> list[AccountTerms]:
        """The terms in force at *at*."""

    async def balance(self, account: str, at: datetime) -> list[Balance]:
        """The last balance stated at or before *at*."""

    async def entries(self, account: str, start: datetime, end: datetime, *, limit: int) -> list[AccountEntry]:
        """What was booked after *start* until *end*."""

    async def fees(self, account: str, ids: Collection[str], *, limit: int) -> list[AccountEntry]:
        """The fees among *ids*; all of them where none is named."""

    async def schedules(self, symbol: str, start: datetime, end: datetime) -> list[ChargeSchedule]:
        """The schedule in force at *start* and those that followed until *end*."""

    async def rates(self, bases: Collection[str], quote: str, at: datetime) -> list[Rate]:
        """The last rate of each of *bases* in *quote* recorded at or before *at*, and the last the other way round."""

    async def outages(self, start: datetime, end: datetime, *, limit: int) -> list[Outage]:
        """The outages at any time from *start* to *end*, the earliest *limit* of them."""

    async def options(
        self, account: str, ids: Collection[str], start: datetime | None, end: datetime | None, *, limit: int
    ) -> list[BinaryOption]:
        """The options *ids*; without any named, those that expired from *start* to *end*, or all."""

    async def cancellations(
        self, account: str, ids: Collection[str], start: datetime | None, end: datetime | None, *, limit: int
    ) -> list[Cancellation]:
        """The cancellations of *ids* (their own, an order's, a position's); else those in the time, or all."""

    async def disclosures(self, account: str) -> list[Disclosure]:
        """What the customer was told of, as far as the firm kept it."""

    async def appropriateness(self, account: str, symbols: Collection[str]) -> list[Appropriateness]:
        """What was asked before the customer was sold *symbols*."""

    async def assessments_kept(self, since: datetime, until: datetime) -> AssessmentsKept:
        """Whether an assessment of any customer is on record from *since* to *until*."""

    async def freezes(
        self, account: str, start: datetime | None, end: datetime | None, as_of: datetime, *, limit: int
    ) -> list[AccountEvent]:
        """When the account was frozen at any time from *start* to *end*, the latest *limit* of them, up to *as_of*."""

    async def lifted(self, account: str, after: datetime, as_of: datetime) -> list[AccountEvent]:
        """The first lifting of a freeze after *after*, up to *as_of*, or none."""

    async def log_ins(self, account: str, until: datetime, *, limit: int) -> list[AccountEvent]:
        """The latest *limit* log-ins up to *until*, failed ones too."""

    async def verifications(self, account: str, until: datetime, *, limit: int) -> list[AccountEvent]:
        """The latest *limit* steps of verification up to *until*."""

    async def messages_to(self, account: str, until: datetime, *, limit: int) -> list[AccountMessage]:
        """The latest *limit* messages to the customer up to *until*, the earliest first."""
