"""The rows of the trade log: what the firm recorded about prices, orders, fills, positions and account money.

Prices are quoted in the instrument's currency for one unit of the instrument; volumes are lots; instants are UTC.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from domain.ground.base import Identifier, Instant, Line, Record, Text
from domain.money.amounts import Amount, Currency

Price = Annotated[Decimal, Field(gt=0, allow_inf_nan=False, max_digits=18, decimal_places=8)]
Lots = Annotated[Decimal, Field(gt=0, allow_inf_nan=False, max_digits=14, decimal_places=6)]


class Side(StrEnum):
    """What the customer did: buy (at the ask) or sell (at the bid)."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 for a buy or a long position, -1 for a sell or a short one."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(StrEnum):
    """How the order asked to be filled; ``stop_out`` is the firm's forced liquidation.

    ``stop_limit`` becomes a limit order when its price is reached. ``close_by`` closes a position against an opposite
    one of the customer's own: its fills have the prices at which the two were opened, which are no market's.
    """

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LOSS = "stop_loss"
    TAKE_PROFIT = "take_profit"
    STOP_OUT = "stop_out"
    STOP_LIMIT = "stop_limit"
    CLOSE_BY = "close_by"


class Instrument(Record):
    """One lot is ``contract_size`` units; prices have ``digits`` decimals and are in ``currency``."""

    symbol: Identifier
    contract_size: Annotated[Decimal, Field(gt=0)]
    currency: Currency
    digits: Annotated[int, Field(ge=0, le=8)]


class Quote(Record):
    """The best bid and ask of one ``source`` (a liquidity provider or feed) from ``at`` until its next quote."""

    symbol: Identifier
    source: Identifier
    at: Instant
    bid: Price
    ask: Price

    @model_validator(mode="after")
    def _not_crossed(self) -> Self:
        if self.bid > self.ask:
            raise ValueError("bid is above ask")
        return self


class Bar(Record):
    """The bids of one ``source`` over the ``period`` seconds from ``at``: no quotes, for nobody knows when each stood.

    ``spread`` is in points of the instrument's last digit, as the platform kept it for the bar; ``ticks`` is the number
    of quotes in it.
    """

    symbol: Identifier
    source: Identifier
    period: Annotated[int, Field(gt=0, le=2_678_400)]
    at: Instant
    open: Price
    high: Price
    low: Price
    close: Price
    spread: Annotated[int, Field(ge=0)] | None = None
    ticks: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _high_and_low(self) -> Self:
        if self.high < max(self.open, self.close, self.low) or self.low > min(self.open, self.close):
            raise ValueError("its high is not its highest price, or its low not its lowest")
        return self


class OrderState(StrEnum):
    """What became of an order. A working order may be filled, changed or cancelled yet."""

    WORKING = "working"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"


class Order(Record):
    """An order as the server knew it.

    ``side`` is the order's own side: the sell that closes a long position is ``sell``. ``price`` is the price asked
    for: the price shown to the customer (market), the limit, or the trigger (stop, stop-loss); ``None`` when the firm
    set none (stop-out). ``position`` is set when the order closes a position. Times the firm did not log are ``None``.
    ``stop`` and ``target`` are the stop-loss and take-profit attached to it; ``state`` and ``ended_at`` tell what
    became of it and when. ``limit_price`` is that of a stop-limit order, whose ``price`` is its stop.
    """

    order: Identifier
    account: Identifier
    symbol: Identifier
    side: Side
    type: OrderType
    volume: Lots
    price: Price | None = None
    position: Identifier | None = None
    sent_at: Instant | None = None
    received_at: Instant | None = None
    stop: Price | None = None
    target: Price | None = None
    state: OrderState | None = None
    ended_at: Instant | None = None
    comment: Line | None = None
    limit_price: Price | None = None

    @model_validator(mode="after")
    def _limit_of_a_stop_limit(self) -> Self:
        if self.limit_price is not None and self.type is not OrderType.STOP_LIMIT:
            raise ValueError("limit_price is that of a stop_limit order; the limit of a limit order is its price")
        return self


class Fill(Record):
    """An order (or part of it) executed at ``price``, priced from the quotes of ``source`` when the firm logged it.

    ``effect`` is what it did to the customer's position. ``commission``, ``swap`` and ``profit`` are what the firm
    booked with it, in the account's currency: charged below zero.
    """

    fill: Identifier
    order: Identifier
    account: Identifier
    symbol: Identifier
    side: Side
    volume: Lots
    price: Price
    at: Instant
    source: Identifier | None = None
    position: Identifier | None = None
    effect: Literal["open", "close", "reverse"] | None = None
    commission: Amount | None = None
    swap: Amount | None = None
    profit: Amount | None = None
    comment: Line | None = None


class Position(Record):
    """A position from its opening to its closing; ``close_reason`` tells who closed it.

    ``margin_level`` (equity / used margin, percent) at the closing and the ``stop_out_level`` in force are given for
    stop-outs. ``swap`` is the sum charged (negative) or credited while it was open, in the account's currency, as are
    ``commission``, ``taxes`` and ``profit``, each as the firm stated it. ``stop`` and ``target`` are the stop-loss and
    take-profit it had last.
    """

    position: Identifier
    account: Identifier
    symbol: Identifier
    side: Side
    volume: Lots
    open_price: Price
    opened_at: Instant
    close_price: Price | None = None
    closed_at: Instant | None = None
    close_reason: Literal["client", "stop_loss", "take_profit", "stop_out", "dealer"] | None = None
    margin_level: Decimal | None = None
    stop_out_level: Decimal | None = None
    swap: Amount = Decimal(0)
    stop: Price | None = None
    target: Price | None = None
    commission: Amount | None = None
    taxes: Amount | None = None
    profit: Amount | None = None
    comment: Line | None = None

    @model_validator(mode="after")
    def _closed_after_opened(self) -> Self:
        if self.closed_at is not None and self.closed_at < self.opened_at:
            raise ValueError("closed_at is before opened_at")
        return self


class EntryKind(StrEnum):
    """What moved the account's balance."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    FEE = "fee"
    SWAP = "swap"
    ADJUSTMENT = "adjustment"


class AccountEntry(Record):
    """Money in (+) or out (-) of an account: deposits are above zero, withdrawals below; a reversal is an adjustment.

    ``requested_at`` is when the customer asked (withdrawals); ``booked_at`` when the money left or arrived, ``None``
    while it is pending.
    """

    entry: Identifier
    account: Identifier
    kind: EntryKind
    amount: Amount
    currency: Currency
    requested_at: Instant | None = None
    booked_at: Instant | None = None
    note: Line | None = None

    @model_validator(mode="after")
    def _signed(self) -> Self:
        if self.kind is EntryKind.DEPOSIT and self.amount <= 0:
            raise ValueError("the amount of a deposit must be above zero; book a reversal as an adjustment")
        if self.kind is EntryKind.WITHDRAWAL and self.amount >= 0:
            raise ValueError("the amount of a withdrawal must be below zero; book a reversal as an adjustment")
        return self


class AccountMessage(Record):
    """A message the firm and the customer exchanged on the platform, as its log has it."""

    message: Identifier
    account: Identifier
    at: Instant
    direction: Literal["from_customer", "to_customer"]
    text: Text
