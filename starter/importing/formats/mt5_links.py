"""Which position each deal of an MT5 report belongs to, which the report does not say.

An order that opens a position gives it its number, in accounts that hedge. What a closing deal may have closed was open
then, on the other side, with as much volume; where several were, its profit may tell them apart. What is left is sure
only where the parts make up the whole: the deals of a closed position have its volume, its profit and its end.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from domain.log.trade_log import Instrument, Side
from starter.importing.formats.reckoning import profit

_CLOSING: Final = ("out", "in/out")
_END: Final = "9"
"""Later than every time as a terminal writes it."""


@dataclass(frozen=True)
class Row:
    """A row of the positions: ``opened`` and ``closed`` as written, year first; without ``closed`` it is open."""

    id: str
    symbol: str
    side: Side
    volume: Decimal
    opened: str
    open_price: Decimal
    closed: str = ""
    profit: Decimal = Decimal(0)


@dataclass(frozen=True)
class Trade:
    """A deal that traded, at a time as written; ``direction`` is ``in``, ``out`` or ``in/out``."""

    id: str
    order: str
    instrument: Instrument
    side: Side
    direction: str
    at: str
    volume: Decimal
    price: Decimal
    profit: Decimal

    def made(self, row: Row) -> bool:
        """Whether its profit is what closing so much of the position brings, to the last cent."""
        made = profit(row.side, self.volume, row.open_price, self.price, self.instrument)
        return abs(made - self.profit) < Decimal("0.01")


class Links:
    """Collects what a report has; complete when it was read once. ``nets``: its account holds one position a symbol."""

    def __init__(self) -> None:
        self.nets = False
        self._rows: dict[str, Row] = {}
        self._trades: dict[str, Trade] = {}
        self._found: dict[str, str] = {}
        self._of_orders: dict[str, str] = {}

    def position(self, row: Row) -> None:
        self._rows[row.id] = row

    def trade(self, trade: Trade) -> None:
        self._trades[trade.id] = trade

    def of_deal(self, deal: str) -> str | None:
        """The position that the deal opened or closed, if it is sure."""
        return self._found.get(deal)

    def of_order(self, order: str) -> str | None:
        """The position that all of the order's deals closed, if it is sure."""
        return self._of_orders.get(order)

    def ended(self) -> None:
        """The report was read: link what is sure."""
        self._found = self._opened()
        closing = [each for each in self._trades.values() if each.direction in _CLOSING]
        may = {trade.id: rows for trade, rows in self._open_at(closing, own_side=False)}
        self._found |= _Closings(self._rows.values(), {each.id: each for each in closing}, may).sure()
        orders = defaultdict[str, set[str | None]](set)
        for trade in self._trades.values():
            orders[trade.order].add(self._found.get(trade.id) if trade.direction == "out" else None)
        self._of_orders = {order: name for order, (name, *more) in orders.items() if name is not None and not more}

    def _opened(self) -> dict[str, str]:
        found, added = dict[str, str](), list[Trade]()
        for trade in self._trades.values():
            if trade.direction == "in":
                row = self._rows.get(trade.order)
                if row and (row.symbol, row.side) == (trade.instrument.symbol, trade.side):
                    found[trade.id] = row.id
                elif self.nets:
                    added.append(trade)
        return found | {trade.id: rows[0].id for trade, rows in self._open_at(added, own_side=True) if len(rows) == 1}

    def _open_at(self, trades: Iterable[Trade], *, own_side: bool) -> Iterator[tuple[Trade, list[Row]]]:
        """Each of *trades* with the positions of its side, or of the other one, that were open then."""
        waiting = sorted(self._rows.values(), key=lambda row: row.opened, reverse=True)
        active = defaultdict[tuple[str, Side], list[Row]](list)
        for trade in sorted(trades, key=lambda each: each.at):
            while waiting and waiting[-1].opened <= trade.at:
                row = waiting.pop()
                active[row.symbol, row.side].append(row)
            place = trade.instrument.symbol, trade.side if own_side else trade.side.opposite
            active[place] = [row for row in active[place] if (row.closed or _END) >= trade.at]
            yield trade, list(active[place])


class _Closings:
    """The closing deals of a report, of each the positions that it may have closed, and what is left of these."""

    def __init__(self, rows: Iterable[Row], trades: Mapping[str, Trade], may: Mapping[str, list[Row]]) -> None:
        self._trades, self._may = trades, may
        self._left = {row.id: row.volume for row in rows if row.closed}
        self._found: dict[str, Row] = {}
        for deal, candidates in may.items():
            able = [row for row in candidates if self._is_able(deal, row)]
            told = [row for row in able if trades[deal].made(row)] if len(able) > 1 else []
            candidates[:] = told or able

    def sure(self) -> dict[str, str]:
        """The position of each deal of which it is sure."""
        while self._single() or self._last() or self._alike():
            pass
        # A deal for which nothing is left closed what the report does not list: then so may have any like it.
        doubtful = {row.id for deal, rows in self._open() if not rows for row in self._may[deal]}
        closed = defaultdict[str, list[Trade]](list)
        for deal, row in self._found.items():
            closed[row.id].append(self._trades[deal])
        agree = {row.id for row in self._found.values() if self._agree(row, closed[row.id])} - doubtful
        return {deal: row.id for deal, row in self._found.items() if row.id in agree}

    def _agree(self, row: Row, trades: Sequence[Trade]) -> bool:
        if not row.closed:
            return all(trade.made(row) for trade in trades)
        ended, made = max(trade.at for trade in trades), sum((trade.profit for trade in trades), Decimal(0))
        return not self._left[row.id] and (ended, made) == (row.closed, row.profit)

    def _is_able(self, deal: str, row: Row) -> bool:
        trade = self._trades[deal]
        left = self._left.get(row.id, trade.volume)
        return left > 0 if trade.direction == "in/out" else left >= trade.volume

    def _take(self, pairs: Iterable[tuple[str, Row]]) -> bool:
        """Link each deal to its position. Whether there was one."""
        linked = False
        for deal, row in pairs:
            linked = True
            self._found[deal] = row
            if row.closed:
                self._left[row.id] -= min(self._trades[deal].volume, self._left[row.id])
        return linked

    def _open(self) -> Iterator[tuple[str, list[Row]]]:
        """The deals that are not linked yet, with the positions that they may have closed as things stand."""
        for deal, rows in self._may.items():
            if deal not in self._found:
                yield deal, [row for row in rows if self._is_able(deal, row)]

    def _single(self) -> bool:
        """Link each deal that may have closed one position only."""
        return self._take((deal, rows[0]) for deal, rows in self._open() if len(rows) == 1)

    def _last(self) -> bool:
        """Link each deal that alone may have been the last of a position, and of no other one."""
        ended = {row.id for deal, row in self._found.items() if row.closed == self._trades[deal].at}
        last = defaultdict[str, list[tuple[str, Row]]](list)
        for deal, rows in self._open():
            for row in rows:
                if row.closed == self._trades[deal].at and row.id not in ended:
                    last[row.id].append((deal, row))
        alone = [pairs[0] for pairs in last.values() if len(pairs) == 1]
        named = Counter(deal for deal, _ in alone)
        return self._take((deal, row) for deal, row in alone if named[deal] == 1)

    def _alike(self) -> bool:
        """Link as many deals as positions where all of either are the same in everything but their numbers."""
        same = defaultdict[tuple[object, ...], list[str]](list)
        for deal, rows in self._open():
            trade = self._trades[deal]
            ends = {(row.closed, row.volume, row.open_price) for row in rows}
            if (
                len(ends) == 1
                and rows[0].closed == trade.at
                and rows[0].volume == trade.volume == self._left[rows[0].id]
            ):
                same[trade.price, trade.profit, *sorted(row.id for row in rows)].append(deal)
        pairs = list[tuple[str, Row]]()
        for (_, _, *names), deals in same.items():
            if len(names) == len(deals):
                rows_ = {row.id: row for row in self._may[deals[0]]}
                pairs += [(deal, rows_[str(name)]) for deal, name in zip(deals, names, strict=True)]
        return self._take(pairs)
