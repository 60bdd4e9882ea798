"""A gold market with its customers, generated: weeks of quotes, the orders of many accounts, and one bad minute.

Three providers quote XAUUSD twice a second each, 23 hours a day from Sunday to Friday evening. Accounts are priced by
one of them: they open by market order, some with stop and target, and are closed by themselves, by stop, by target or
by stop-out, at the quote of that moment. In the middle, for a minute, one provider quotes 25 to 45 USD too low, which
closes whatever long position of its customers has a stop or a stop-out within. Everything follows from the seed.
"""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from pathlib import Path
from typing import Any, Final

from starter.importing.formats.kinds import Kind

SYMBOL: Final = "XAUUSD"
PROVIDERS: Final = ("LP-1", "LP-2", "LP-3")
BAD: Final = 1  # which of them has the bad minute

_BEGIN: Final = datetime(2026, 1, 4, 23, tzinfo=UTC)  # a Sunday
_SESSION: Final = 23 * 3600  # seconds; then the daily break
_PER_SECOND: Final = 2  # quotes of each provider
_BESIDE: Final = (0, 2, -3)  # cents beside the middle
_PHASE: Final = (0, 160, 320)  # milliseconds
_OPENING: Final = 193_700  # cents
_LEVERAGE: Final = 100
_STOP_OUT: Final = 20  # percent
_NOISE: Final = 1 << 16

_COLUMNS: Final[Mapping[Kind, str]] = {
    Kind.INSTRUMENTS: "symbol,contract_size,currency,digits",
    Kind.QUOTES: "symbol,source,at,bid,ask",
    Kind.ORDERS: "order,account,symbol,side,type,volume,price,position,sent_at,received_at,stop,target,state,ended_at",
    Kind.FILLS: "fill,order,account,symbol,side,volume,price,at,source,position,effect",
    Kind.POSITIONS: (
        "position,account,symbol,side,volume,open_price,opened_at,close_price,closed_at,close_reason,margin_level,"
        "stop_out_level,swap,stop,target"
    ),
    Kind.ACCOUNT_TERMS: "terms,account,effective_from,currency,leverage,stop_out_level,client_class",
    Kind.BALANCES: "balance,account,at,amount,currency",
}


@dataclass(frozen=True)
class Market:
    """What was written: a CSV file of each kind and how many rows it has; when the bad minute was."""

    files: Mapping[Kind, Path]
    rows: Mapping[Kind, int]
    begins: datetime
    ends: datetime
    bad_from: datetime
    bad_until: datetime


@dataclass(slots=True)
class _Position:
    number: int
    account: int
    provider: int
    long: bool
    lots: int  # hundredths of a lot
    price: int  # cents
    at: str
    order: str
    fill: str
    stop: int = 0
    target: int = 0
    stop_out: bool = False
    open: bool = True


def write_market(folder: Path, *, quotes: int, orders: int, seed: int) -> Market:
    """Write the files into *folder*, with about that many quotes and orders: two orders open and close a position."""
    return _Writer(folder, quotes, orders, random.Random(seed)).write()  # noqa: S311 (a seed, nothing secret)


class _Writer:
    def __init__(self, folder: Path, quotes: int, orders: int, rng: random.Random) -> None:
        self._folder, self._rng = folder, rng
        self._steps = max(quotes // len(PROVIDERS), 4 * 60 * _PER_SECOND)
        self._positions = max(orders // 2, 1)
        self._accounts = max(self._positions // 25, 50)
        self._rows = dict.fromkeys(_COLUMNS, 0)
        self._numbers = iter(range(1, 1 << 40))
        self._prices = [f"{cents // 100}.{cents % 100:02}" for cents in range(2 * _OPENING)]

    def write(self) -> Market:
        files = {kind: self._folder / f"{kind}.csv" for kind in _COLUMNS}
        self._out = {}
        try:
            for kind, path in files.items():
                self._out[kind] = path.open("w", encoding="ascii", newline="", buffering=1 << 20)
                self._out[kind].write(_COLUMNS[kind] + "\n")
            self._add(Kind.INSTRUMENTS, SYMBOL, 100, "USD", 2)
            bad = self._steps // 2 // (60 * _PER_SECOND) * 60 * _PER_SECOND
            self._run(bad, bad + 60 * _PER_SECOND)
        finally:
            for file in self._out.values():
                file.close()
        first, until = trading_second(bad // _PER_SECOND), trading_second(bad // _PER_SECOND + 60)
        return Market(files, self._rows, _BEGIN, trading_second(self._steps // _PER_SECOND), first, until)

    def _add(self, kind: Kind, *values: object) -> None:
        self._out[kind].write(",".join(["" if value is None else str(value) for value in values]) + "\n")
        self._rows[kind] += 1

    def _run(self, bad_from: int, bad_until: int) -> None:
        """Walk through the market, half a second a step."""
        rng, price = self._rng, self._prices
        walk = [round(rng.gauss(0, 4.6)) for _ in range(_NOISE)]
        wobble = [rng.randint(-2, 2) for _ in range(_NOISE)]
        late = [f".{millisecond:03}Z" for millisecond in range(1000)]
        jitter = [rng.randint(0, 150) for _ in range(_NOISE)]
        names = [f"{SYMBOL},{name}," for name in PROVIDERS]
        providers = range(len(PROVIDERS))
        write = self._out[Kind.QUOTES].write
        self._heaps: list[tuple[list[Any], ...]] = [([], [], [], []) for _ in providers]
        self._leaving: list[tuple[int, int, _Position]] = []
        self._open_positions: dict[int, _Position] = {}
        opened, pace = 0, self._positions / (0.98 * self._steps)
        middle = _OPENING
        before: list[tuple[int, int]] = [(0, 0)] * len(PROVIDERS)
        for step in range(self._steps):
            if not step % _PER_SECOND:
                stamp = trading_second(step // _PER_SECOND).strftime("%Y-%m-%dT%H:%M:%S")
            middle += walk[(step + (step >> 16) * 7919) % _NOISE]
            if not _OPENING // 2 < middle < 3 * _OPENING // 2:
                middle = _OPENING
            half = 500 * (step % _PER_SECOND)
            now: list[tuple[int, int]] = []
            lines = []
            for provider in providers:
                noise = (3 * step + provider) * 31 % _NOISE
                spread = 30 + wobble[noise]
                bid = middle + _BESIDE[provider] + wobble[-noise] - 15
                if provider == BAD and bad_from <= step < bad_until:
                    bid -= 2500 + round(2000 * math.sin(math.pi * (step - bad_from) / (bad_until - bad_from)))
                at = stamp + late[half + _PHASE[provider] + jitter[noise]]
                lines.append(f"{names[provider]}{at},{price[bid]},{price[bid + spread]}\n")
                now.append((bid, bid + spread))
            write("".join(lines))
            for provider in providers:
                self._set_off(provider, step, stamp, now)
            while self._leaving and self._leaving[0][0] <= step:
                position = heappop(self._leaving)[2]
                if position.open:
                    self._close(position, "market", stamp, step, now, shown=before)
            while opened < self._positions and opened < pace * step:
                opened += 1
                self._open(step, stamp, now, before)
            before = now
        self._rows[Kind.QUOTES] = self._steps * len(PROVIDERS)
        while opened < self._positions:
            opened += 1
            self._open(step, stamp, now, before)
        for position in list(self._open_positions.values()):
            self._close(position, "market", stamp, step, now, shown=before)

    def _set_off(self, provider: int, step: int, stamp: str, now: list[tuple[int, int]]) -> None:
        """Close what has a stop or target that *provider* has reached."""
        bid, ask = now[provider]
        falling, rising, low, high = self._heaps[provider]
        while falling and -falling[0][0] >= bid:
            self._triggered(heappop(falling), step, stamp, now, stop=True)
        while rising and rising[0][0] <= ask:
            self._triggered(heappop(rising), step, stamp, now, stop=True)
        while low and -low[0][0] >= ask:
            self._triggered(heappop(low), step, stamp, now, stop=False)
        while high and high[0][0] <= bid:
            self._triggered(heappop(high), step, stamp, now, stop=False)

    def _moment(self, stamp: str, step: int, milliseconds: int) -> str:
        """*milliseconds* after the provider with the last phase has quoted in this half of a second."""
        return f"{stamp}.{500 * (step % _PER_SECOND) + 471 + milliseconds:03}Z"

    def _open(self, step: int, stamp: str, now: list[tuple[int, int]], before: list[tuple[int, int]]) -> None:
        rng = self._rng
        number, lots, long = next(self._numbers), rng.choice((1, 5, 10, 10, 20, 50, 100, 120)), rng.random() < 0.55
        kind = rng.random()
        # Accounts that are stopped out have one position at a time: their balance is made for it.
        account = 70_000_000 + rng.randrange(self._accounts) if kind > 0.06 else 71_000_000 + number
        provider = account % len(PROVIDERS)
        cents = now[provider][long]
        at = self._moment(stamp, step, rng.randint(0, 28))
        position = _Position(number, account, provider, long, lots, cents, at, f"O-{number}A", f"F-{number}A")
        sign = 1 if long else -1
        falling, rising, low, high = self._heaps[provider]
        if kind <= 0.06:
            position.stop_out, position.stop = True, cents - sign * rng.randint(150, 3_000)
        elif kind < 0.4:
            distance = rng.randint(60, 2_500)
            position.stop, position.target = cents - sign * distance, cents + sign * distance * 2
        if position.stop:
            heappush(falling if long else rising, (-position.stop if long else position.stop, number, position))
        if position.target:
            heappush(high if long else low, (position.target if long else -position.target, number, position))
        held = rng.expovariate(1 / (_PER_SECOND * (40_000 if position.stop else 8_000)))
        heappush(self._leaving, (step + 2 + int(held), number, position))
        self._open_positions[number] = position
        shown = before[provider][long] or cents
        self._order(position, "market", opening=True, asked=shown, price=cents, at=at, stamp=stamp, step=step)

    def _triggered(
        self, entry: tuple[int, int, _Position], step: int, stamp: str, now: list[tuple[int, int]], *, stop: bool
    ) -> None:
        position = entry[2]
        if position.open:
            kind = "stop_out" if position.stop_out else "stop_loss" if stop else "take_profit"
            self._close(position, kind, stamp, step, now, shown=now)

    def _close(
        self,
        position: _Position,
        kind: str,
        stamp: str,
        step: int,
        now: list[tuple[int, int]],
        *,
        shown: list[tuple[int, int]],
    ) -> None:
        position.open = False
        del self._open_positions[position.number]
        cents = now[position.provider][not position.long]
        at = self._moment(stamp, step, self._rng.randint(0, 28))
        asked = {
            "market": shown[position.provider][not position.long] or cents,
            "stop_out": 0,
            "stop_loss": position.stop,
            "take_profit": position.target,
        }[kind]
        self._order(position, kind, opening=False, asked=asked, price=cents, at=at, stamp=stamp, step=step)
        price, account = self._prices, position.account
        level = None
        if position.stop_out:
            margin = position.price * position.lots / (100 * _LEVERAGE)
            owned = margin * _STOP_OUT / 100 + abs(position.price - position.stop) * position.lots / 100
            lost = (position.price - cents) * (1 if position.long else -1) * position.lots / 100
            level = f"{100 * (owned - lost) / margin:.2f}"
            self._add(Kind.BALANCES, f"B-{position.number}", account, position.at, f"{owned:.2f}", "USD")
            self._add(
                Kind.ACCOUNT_TERMS, f"T-{position.number}", account, "2025-01-01T00:00:00Z", "USD", _LEVERAGE,
                _STOP_OUT, "retail",
            )  # fmt: skip
        self._add(
            Kind.POSITIONS,
            f"P-{position.number}",
            account,
            SYMBOL,
            "buy" if position.long else "sell",
            _lots(position.lots),
            price[position.price],
            position.at,
            price[cents],
            at,
            "client" if kind == "market" else kind,
            level if kind == "stop_out" else None,
            _STOP_OUT if kind == "stop_out" else None,
            "0",
            price[position.stop] if position.stop and not position.stop_out else None,
            price[position.target] if position.target else None,
        )

    def _order(
        self, position: _Position, kind: str, *, opening: bool, asked: int, price: int, at: str, stamp: str, step: int
    ) -> None:
        """An order and its fill. What waited in the server was received with the position's opening."""
        end = "A" if opening else "B"
        side = "buy" if position.long == opening else "sell"
        order = f"O-{position.number}{end}"
        sent = f"{stamp}.{500 * (step % _PER_SECOND):03}Z" if kind == "market" else None
        received = f"{stamp}.{500 * (step % _PER_SECOND) + 60:03}Z" if kind == "market" else position.at
        with_stop = opening and not position.stop_out
        self._add(
            Kind.ORDERS,
            order,
            position.account,
            SYMBOL,
            side,
            kind,
            _lots(position.lots),
            self._prices[asked] if asked else None,
            None if opening else f"P-{position.number}",
            sent,
            received,
            self._prices[position.stop] if with_stop and position.stop else None,
            self._prices[position.target] if with_stop and position.target else None,
            "filled",
            at,
        )
        self._add(
            Kind.FILLS,
            f"F-{position.number}{end}",
            order,
            position.account,
            SYMBOL,
            side,
            _lots(position.lots),
            self._prices[price],
            at,
            PROVIDERS[position.provider],
            f"P-{position.number}",
            "open" if opening else "close",
        )


def _lots(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02}"


def trading_second(number: int) -> datetime:
    """The instant of a second of trading, counted from the first."""
    session, second = divmod(number, _SESSION)
    weeks, days = divmod(session, 5)
    return _BEGIN + timedelta(days=7 * weeks + days, seconds=second)
