"""The trade log of the demo: an hour of gold with one provider's bad minute, written as CSV files for the real import.

The recipe. One second after the other the middle price of XAUUSD takes a normal step of 6.5 cents (1 % a day). LP-1,
LP-2 and LP-3 each quote it every second, a few tenths of a second apart, some cents beside it, with a spread of about
0.30. For one minute, half an hour after the start, LP-2 quotes 25 USD too low, falling to 45 and coming back, while
the others go on: the kind of fault of 13 November 2023, 01:30 (UTC+2). In that hour

- a long position of 1.20 lots is stopped out at the first false price that brings its margin level to 20 %; the firm's
  records hold the margin terms of that account and its balance, so the level can be replayed;
- a stop-loss 20 USD below the market is set off by the same minute;
- a market order of 0.50 lots is filled about 0.15 worse than shown, at the ask of that moment, within 200 ms;
- another account trades and is paid as it should be.

Before that hour, a withdrawal was released nine days after it was asked for. The same start and seed give the same
files to the byte.
"""

import csv
import math
import random
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Literal

from domain.ground.base import Identifier, Instant, Record
from domain.log.firm_records import AccountTerms, Balance
from domain.log.trade_log import (
    AccountEntry,
    AccountMessage,
    EntryKind,
    Fill,
    Instrument,
    Order,
    OrderType,
    Position,
    Quote,
    Side,
)
from domain.money.amounts import Money
from starter.importing.formats.cells import to_cells
from starter.importing.formats.kinds import Kind

SEED = 20231113
BAD_PROVIDER = "LP-2"

_SYMBOL = "XAUUSD"
_LOT = Decimal(100)  # ounces
_LEVERAGE = 100
_STOP_OUT_LEVEL = Decimal(20)  # percent
_SECONDS = 3600
_BAD_FROM, _BAD_UNTIL = 1800, 1860
_OPENING = 193_700  # cents
_SOURCES = (("LP-1", 0, 110), ("LP-2", 2, 240), ("LP-3", -3, 370))  # name, cents beside the middle, milliseconds
_MS = timedelta(milliseconds=1)


class DemoTrade(Record):
    """A trade to complain about. ``loss`` is the customer's own account of it: opening or shown price against fill."""

    account: Identifier
    position: Identifier
    order: Identifier
    fill: Identifier
    at: Instant
    price: Decimal
    loss: Money


class DemoWithdrawal(Record):
    """A withdrawal to complain about."""

    account: Identifier
    entry: Identifier
    amount: Money
    requested_at: Instant | None
    booked_at: Instant | None


class DemoData(Record):
    """What was written: the files in the order to import them, and what complaints can be about."""

    files: tuple[Path, ...]
    start: Instant
    end: Instant
    bad_from: Instant
    bad_until: Instant
    stop_out: DemoTrade
    stop_loss: DemoTrade
    slippage: DemoTrade
    withdrawal: DemoWithdrawal
    clean_account: Identifier
    """An account with nothing to complain about."""


def write_demo_data(folder: Path, start: datetime, seed: int = SEED) -> DemoData:
    """Write the demo's trade log into *folder* (made if need be), its hour of quotes beginning at *start*.

    *start* needs a time zone. Account entries reach back 40 days before it.
    """
    if start.tzinfo is None:
        raise ValueError("start needs a time zone: the trade log has instants, not wall-clock times")
    log = _Log(start, random.Random(seed))  # noqa: S311 - data to look at, nothing secret
    stop_out, stop_loss, slippage = log.stop_out(), log.stop_loss(), log.slippage()
    withdrawal, clean_account = log.late_withdrawal(), log.nothing_wrong()
    folder.mkdir(parents=True, exist_ok=True)
    return DemoData(
        files=tuple(_write(folder, kind, rows) for kind, rows in log.rows()),
        start=start,
        end=start + timedelta(seconds=_SECONDS),
        bad_from=start + timedelta(seconds=_BAD_FROM),
        bad_until=start + timedelta(seconds=_BAD_UNTIL),
        stop_out=stop_out,
        stop_loss=stop_loss,
        slippage=slippage,
        withdrawal=withdrawal,
        clean_account=clean_account,
    )


def _write(folder: Path, kind: Kind, rows: Iterable[Record]) -> Path:
    path = folder / f"{kind}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(kind.columns)
        writer.writerows(map(to_cells, rows))
    return path


def _cents(amount: int) -> Decimal:
    return Decimal(amount).scaleb(-2)


def _quotes(start: datetime, rng: random.Random) -> dict[str, list[Quote]]:
    """One quote a second of each source; ``[second]`` is that second's."""
    quotes: dict[str, list[Quote]] = {name: [] for name, _, _ in _SOURCES}
    middle = _OPENING
    for second in range(_SECONDS):
        middle += round(rng.gauss(0, 6.5))
        for name, beside, phase in _SOURCES:
            spread = 30 + rng.randint(-2, 2)
            bid = middle + beside + rng.randint(-2, 2) - spread // 2
            if name == BAD_PROVIDER and _BAD_FROM <= second < _BAD_UNTIL:
                through = (second - _BAD_FROM) / (_BAD_UNTIL - 1 - _BAD_FROM)
                bid -= 2500 + round(2000 * math.sin(math.pi * through)) + rng.randint(0, 30)
            at = start + timedelta(seconds=second, milliseconds=phase + rng.randint(0, 80))
            quotes[name].append(Quote(symbol=_SYMBOL, source=name, at=at, bid=_cents(bid), ask=_cents(bid + spread)))
    return quotes


class _Log:
    """The rows of the demo's log, as its stories add them."""

    def __init__(self, start: datetime, rng: random.Random) -> None:
        self._start = start
        self._quotes = _quotes(start, rng)
        self._orders: list[Order] = []
        self._fills: list[Fill] = []
        self._positions: list[Position] = []
        self._entries: list[AccountEntry] = []
        self._terms: list[AccountTerms] = []
        self._balances: list[Balance] = []
        self._messages: list[AccountMessage] = []

    def rows(self) -> Sequence[tuple[Kind, Sequence[Record]]]:
        """Every kind of rows, instruments first because the others name them."""
        gold = Instrument(symbol=_SYMBOL, contract_size=_LOT, currency="USD", digits=2)
        quotes = sorted((quote for each in self._quotes.values() for quote in each), key=lambda quote: quote.at)
        return (
            (Kind.INSTRUMENTS, [gold]),
            (Kind.QUOTES, quotes),
            (Kind.ORDERS, self._orders),
            (Kind.FILLS, self._fills),
            (Kind.POSITIONS, self._positions),
            (Kind.ACCOUNT_ENTRIES, self._entries),
            (Kind.ACCOUNT_TERMS, self._terms),
            (Kind.BALANCES, self._balances),
            (Kind.MESSAGES, self._messages),
        )

    def stop_out(self) -> DemoTrade:
        account, balance, lots = "70012345", Decimal(3500), Decimal("1.20")
        self._deposit(account, balance, days_ago=20)
        self._state(account, balance)
        opened = self._open(account, Side.BUY, lots, self._quotes["LP-1"][1620])
        margin = opened.open_price * lots * _LOT / _LEVERAGE

        def margin_level(quote: Quote) -> Decimal:
            return 100 * (balance + (quote.bid - opened.open_price) * lots * _LOT) / margin

        fatal = next(quote for quote in self._bad() if margin_level(quote) <= _STOP_OUT_LEVEL)
        trade = self._close(opened, OrderType.STOP_OUT, fatal, margin_level=round(margin_level(fatal), 2))
        self._say(account, trade.at + 2 * _MS, "to_customer", f"Stop out: position {trade.position} was closed.")
        self._say(
            account,
            trade.at + timedelta(minutes=4),
            "from_customer",
            "Gold never traded that low! Please look at your price at the time my position was closed.",
        )
        return trade

    def stop_loss(self) -> DemoTrade:
        account = "70045678"
        self._deposit(account, Decimal(10_000), days_ago=15)
        opened = self._open(account, Side.BUY, Decimal("0.80"), self._quotes["LP-3"][1500])
        trigger = opened.open_price - 20
        fatal = next(quote for quote in self._bad() if quote.bid <= trigger)
        trade = self._close(opened, OrderType.STOP_LOSS, fatal, price=trigger)
        self._say(account, trade.at + 2 * _MS, "to_customer", f"止损：持仓 {trade.position} 已平仓。")
        return trade

    def slippage(self) -> DemoTrade:
        account = "70023456"
        self._deposit(account, Decimal(5000), days_ago=30)
        # Of the steps from one quote to the next, the one nearest to 15 cents up.
        calm = self._quotes["LP-1"][300:1500]
        shown, filled = min(pairwise(calm), key=lambda step: abs(step[1].ask - step[0].ask - Decimal("0.15")))
        opened = self._open(account, Side.BUY, Decimal("0.50"), filled, shown=shown)
        self._positions.append(opened)
        return _trade(opened, self._fills[-1], loss=filled.ask - shown.ask)

    def late_withdrawal(self) -> DemoWithdrawal:
        account, amount = "70034567", Decimal(12_000)
        self._deposit(account, Decimal(20_000), days_ago=40)
        entry = self._withdrawal(account, amount, days_ago=12, took=timedelta(days=9))
        asked_again = self._start - timedelta(days=7)
        self._say(
            account, asked_again, "from_customer", f"I asked for withdrawal {entry.entry} five days ago. Where is it?"
        )
        self._say(account, asked_again + timedelta(hours=5), "to_customer", "It is with our payments team.")
        return DemoWithdrawal(
            account=account,
            entry=entry.entry,
            amount=Money(amount=amount, currency=entry.currency),
            requested_at=entry.requested_at,
            booked_at=entry.booked_at,
        )

    def nothing_wrong(self) -> str:
        account = "70056789"
        self._deposit(account, Decimal(8000), days_ago=25)
        self._withdrawal(account, Decimal(1000), days_ago=6, took=timedelta(hours=20))
        opened = self._open(account, Side.SELL, Decimal("0.10"), self._quotes["LP-1"][600])
        self._close(opened, OrderType.MARKET, self._quotes["LP-3"][2700])
        return account

    def _bad(self) -> Sequence[Quote]:
        return self._quotes[BAD_PROVIDER][_BAD_FROM:_BAD_UNTIL]

    def _open(self, account: str, side: Side, lots: Decimal, quote: Quote, *, shown: Quote | None = None) -> Position:
        """A position opened by a market order filled at *quote*; *shown* is what the customer saw, if not the same."""
        fill = self._execute(OrderType.MARKET, account, side, lots, quote, price=_price(side, shown or quote))
        return Position(
            position=f"P-{500 + len(self._fills)}",
            account=account,
            symbol=_SYMBOL,
            side=side,
            volume=lots,
            open_price=fill.price,
            opened_at=fill.at,
        )

    def _close(
        self,
        opened: Position,
        type_: OrderType,
        quote: Quote,
        *,
        price: Decimal | None = None,
        margin_level: Decimal | None = None,
    ) -> DemoTrade:
        side = opened.side.opposite
        if type_ is OrderType.MARKET:
            price = _price(side, quote)
        # A stop-loss was there before it was set off; what the platform forces or fills at once comes with its quote.
        placed_at = opened.opened_at + timedelta(seconds=20) if type_ is OrderType.STOP_LOSS else None
        fill = self._execute(
            type_,
            opened.account,
            side,
            opened.volume,
            quote,
            price=price,
            position=opened.position,
            placed_at=placed_at,
        )
        closed = opened.model_copy(
            update={
                "close_price": fill.price,
                "closed_at": fill.at,
                "close_reason": "client" if type_ is OrderType.MARKET else type_.value,
                "margin_level": margin_level,
                "stop_out_level": None if margin_level is None else _STOP_OUT_LEVEL,
            }
        )
        self._positions.append(closed)
        return _trade(closed, fill, loss=opened.side.sign * (opened.open_price - fill.price))

    def _execute(
        self,
        type_: OrderType,
        account: str,
        side: Side,
        lots: Decimal,
        quote: Quote,
        *,
        price: Decimal | None,
        position: str | None = None,
        placed_at: datetime | None = None,
    ) -> Fill:
        """An order that the server has 15 ms after *quote*, or since *placed_at*, and fills 70 ms after the quote.

        Market orders are sent before it.
        """
        number = 1001 + len(self._orders)
        received_at = quote.at + 15 * _MS
        order = Order(
            order=f"O-{number}",
            account=account,
            symbol=_SYMBOL,
            side=side,
            type=type_,
            volume=lots,
            price=price,
            position=position,
            sent_at=quote.at - 30 * _MS if type_ is OrderType.MARKET else None,
            received_at=placed_at or received_at,
        )
        fill = Fill(
            fill=f"F-{number}",
            order=order.order,
            account=account,
            symbol=_SYMBOL,
            side=side,
            volume=lots,
            price=_price(side, quote),
            at=received_at + 55 * _MS,
            source=quote.source,
        )
        self._orders.append(order)
        self._fills.append(fill)
        return fill

    def _state(self, account: str, amount: Decimal) -> None:
        """The margin terms of the account, and its balance as the hour began."""
        self._terms.append(
            AccountTerms(
                terms=f"T-{1 + len(self._terms)}",
                account=account,
                effective_from=self._start - timedelta(days=365),
                currency="USD",
                leverage=Decimal(_LEVERAGE),
                stop_out_level=_STOP_OUT_LEVEL,
                client_class="retail",
            )
        )
        number = f"B-{1 + len(self._balances)}"
        self._balances.append(Balance(balance=number, account=account, at=self._start, amount=amount, currency="USD"))

    def _deposit(self, account: str, amount: Decimal, *, days_ago: int) -> None:
        self._entry(account, EntryKind.DEPOSIT, amount, days_ago, took=timedelta(minutes=2))

    def _withdrawal(self, account: str, amount: Decimal, *, days_ago: int, took: timedelta) -> AccountEntry:
        return self._entry(account, EntryKind.WITHDRAWAL, -amount, days_ago, took)

    def _entry(self, account: str, kind: EntryKind, amount: Decimal, days_ago: int, took: timedelta) -> AccountEntry:
        asked = self._start - timedelta(days=days_ago)
        entry = AccountEntry(
            entry=f"E-{9001 + len(self._entries)}",
            account=account,
            kind=kind,
            amount=amount,
            currency="USD",
            requested_at=asked,
            booked_at=asked + took,
        )
        self._entries.append(entry)
        return entry

    def _say(self, account: str, at: datetime, direction: Literal["from_customer", "to_customer"], text: str) -> None:
        number = f"M-{1 + len(self._messages)}"
        self._messages.append(AccountMessage(message=number, account=account, at=at, direction=direction, text=text))


def _price(side: Side, quote: Quote) -> Decimal:
    return quote.ask if side is Side.BUY else quote.bid


def _trade(position: Position, fill: Fill, *, loss: Decimal) -> DemoTrade:
    return DemoTrade(
        account=position.account,
        position=position.position,
        order=fill.order,
        fill=fill.fill,
        at=fill.at,
        price=fill.price,
        loss=Money.of(loss * fill.volume * _LOT, "USD"),
    )
