"""The report that an MT5 terminal writes as a workbook: history of an account, or of the strategy tester.

Orders give orders, deals give fills and account entries, positions (which the tester does not list) give positions.
Which position a deal of the tester closed is nowhere stated, and is not guessed.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from domain.log.trade_log import Instrument, OrderState, OrderType, Side
from starter.importing.formats.cells import Cells
from starter.importing.formats.kinds import Kind
from starter.importing.formats.mt4_statement import entry_kind
from starter.importing.formats.reckoning import Reckoning, profit
from starter.importing.formats.source import (
    Options,
    SourceRow,
    Unreadable,
    WallTimes,
    moment,
    number,
    price_or_none,
    record,
)
from starter.importing.formats.trade_log_csv import BadRow

KINDS = (Kind.ORDERS, Kind.FILLS, Kind.POSITIONS, Kind.ACCOUNT_ENTRIES)

Row = tuple[int, Sequence[object]]
"""The number of a row in its sheet, and the values of its cells."""

_SECTIONS = {
    "orders": "orders",
    "working orders": "orders",
    "deals": "deals",
    "positions": "positions",
    "closed positions": "positions",
    "open positions": "open positions",
    "results": "results",
    "summary": "results",
    "settings": "settings",
}
_STATES = {
    "filled": OrderState.FILLED,
    "partial": OrderState.FILLED,
    "canceled": OrderState.CANCELLED,
    "cancelled": OrderState.CANCELLED,
    "expired": OrderState.EXPIRED,
    "rejected": OrderState.REJECTED,
    "started": OrderState.WORKING,
    "placed": OrderState.WORKING,
}
_EFFECTS = {"in": "open", "out": "close", "out by": "close", "in/out": "reverse"}
_MARK = re.compile(r"\[?(sl|tp|so)\b:?\s*([\d.]+)?(%)?", re.IGNORECASE).match
_MARKS = {"sl": OrderType.STOP_LOSS, "tp": OrderType.TAKE_PROFIT, "so": OrderType.STOP_OUT}
_ACCOUNT = re.compile(r"\s*(\d{1,20})\b(?:.*?\b([A-Z]{3})\b)?")
_TOTALS = {
    "total net profit": "Total_Net_Profit",
    "gross profit": "Gross_Profit",
    "gross loss": "Gross_Loss",
    "total deals": "Total_Deals",
}
_TRADING = ("buy", "sell")
_IDENTIFYING = ("time", "order", "deal", "position", "symbol", "type")


class Mt5Report:
    """Reads one report."""

    def __init__(self, options: Options, times: WallTimes, other_times: WallTimes) -> None:
        self.reckoning = Reckoning()
        self.symbols: set[str] = set()
        self._options = options
        self._times = times
        self._other_times = other_times
        self._account = options.account
        self._section = "head"
        self._columns: list[str] = []
        self._balance: Decimal | None = None
        self._gains = self._losses = Decimal(0)
        self._deals = 0
        self._sums = dict.fromkeys(("commission", "fee", "swap", "profit"), Decimal(0))
        self._open: dict[tuple[str, Side], list[tuple[Decimal, Decimal]]] = {}

    def rows(self, rows: Iterable[Row]) -> Iterator[SourceRow]:
        """What each row of the sheets is. Raises :class:`Unreadable` if the workbook is no report."""
        found = False
        for line, cells in rows:
            found = found or self._section in ("orders", "deals", "positions", "open positions")
            yield self._row(line, cells)
        if not found:
            raise Unreadable("it has no section 'Orders', 'Deals' or 'Positions'")
        self.reckoning.follows(
            Total_Net_Profit=self._gains + self._losses,
            Gross_Profit=self._gains,
            Gross_Loss=self._losses,
            Total_Deals=Decimal(self._deals),
        )

    def _row(self, line: int, cells: Sequence[object]) -> SourceRow:
        text = "\t".join("" if cell is None else str(cell) for cell in cells).rstrip("\t")
        filled = [cell for cell in cells if cell is not None and str(cell).strip()]
        if not filled:
            return SourceRow(line, text, skipped="blank")
        if len(filled) == 1 and (section := _SECTIONS.get(str(filled[0]).strip().rstrip(":").lower())):
            self._section, self._columns = section, []
            return SourceRow(line, text, skipped="heading")
        if self._section in ("head", "results", "settings"):
            self._note(filled)
            return SourceRow(line, text, skipped="total" if self._section == "results" else "heading")
        if not self._columns:
            self._columns = _columns(cells)
            missing = {"time", "symbol", "type", "volume", "price"} - set(self._columns)
            if missing:
                raise Unreadable(f"row {line}: the heading of {self._section} lacks {', '.join(sorted(missing))}")
            return SourceRow(line, text, skipped="heading")
        row = {name: cell for name, cell in zip(self._columns, cells, strict=False) if name}
        if not any(_text(row.get(name)) for name in _IDENTIFYING):
            return self._total(line, text, row)
        if _text(row.get("time")).endswith(":"):  # what follows the last table
            self._section = "results"
            self._note(filled)
            return SourceRow(line, text, skipped="total")
        if self._account is None:
            raise Unreadable("it names no account, as reports of the strategy tester do not: say which with --account")
        try:
            return SourceRow(line, text, tuple(_READ[self._section](self, row)))
        except BadRow as bad:
            return SourceRow(line, text, reason=str(bad))

    def _note(self, filled: Sequence[object]) -> None:
        """Labels with values: of the account, or totals that can be reckoned again."""
        for label, value in pairwise(filled):
            name = str(label).strip().rstrip(":").lower()
            if name == "account" and (shape := _ACCOUNT.match(str(value))):
                self._account = self._account or shape[1]
                self.reckoning.currency = shape[2] or self.reckoning.currency
            elif name == "currency":
                self.reckoning.currency = str(value).strip()
            elif str(label).strip().endswith(":") and name in _TOTALS:
                try:
                    self.reckoning.states(_TOTALS[name], number(value, name))
                except BadRow:
                    continue

    def _total(self, line: int, text: str, row: dict[str, object]) -> SourceRow:
        """The last row of a table has the sums of its columns; below the deals of trades only: no deposit is profit."""
        if self._section == "deals":
            try:
                stated = {name: number(row[name], name) for name in self._sums if _text(row.get(name))}
            except BadRow as bad:
                return SourceRow(line, text, reason=str(bad))
            for name, amount in stated.items():
                self.reckoning.total(f"sum of {name}", amount, self._sums[name])
        return SourceRow(line, text, skipped="total")

    # --- the sections -------------------------------------------------------------------------------------------------

    def _id(self, row: dict[str, object], name: str) -> str:
        ticket = row.get(name)
        if ticket is None or not str(ticket).strip():
            raise BadRow(name, "is missing")
        return f"{self._options.source or 'MT5'}:{self._account}:{_whole(ticket)}"

    def _order(self, row: dict[str, object]) -> list[tuple[Kind, Cells]]:
        side, type_ = _side_and_type(row)
        comment = _text(row.get("comment"))
        state = _STATES.get(_text(row.get("state")).lower())
        if state is None:
            raise BadRow("state", f"{_text(row.get('state'))!r} is none of {', '.join(_STATES)}")
        price = price_or_none(row.get("price"), "price")
        mark = _MARK(comment) if type_ is OrderType.MARKET else None
        if mark:  # the server's own order: the comment has the price that set it off
            type_ = _MARKS[mark[1].lower()]
            stated = mark[2] if not mark[3] and type_ is not OrderType.STOP_OUT else None
            price = number(stated.rstrip("."), "comment") if stated else price
        ended = row.get("time 2")
        return [
            record(
                Kind.ORDERS,
                order=self._id(row, "order"),
                account=self._account,
                symbol=self._instrument(row).symbol,
                side=side,
                type=type_,
                volume=number(_text(row.get("volume")).partition("/")[0], "volume"),
                price=price,
                received_at=_moment(self._other_times, row.get("time")),
                stop=price_or_none(row.get("s / l"), "S / L"),
                target=price_or_none(row.get("t / p"), "T / P"),
                state=state,
                ended_at=_moment(self._other_times, ended) if _text(ended) else None,
                comment=comment or None,
            )
        ]

    def _deal(self, row: dict[str, object]) -> list[tuple[Kind, Cells]]:
        money = {name: number(row.get(name) or 0, name) for name in ("commission", "fee", "swap", "profit")}
        self._book(row, money)
        stated = _text(row.get("type")).lower()
        if stated not in _TRADING:
            return [self._entry(row, stated, money["profit"])]
        self.symbols.add(_text(row.get("symbol")))
        at = _moment(self._times, row.get("time"))
        side, instrument = Side(stated), self._instrument(row)
        direction = _text(row.get("direction")).lower()
        if direction not in _EFFECTS:
            raise BadRow("direction", f"{direction!r} is none of {', '.join(_EFFECTS)}")
        volume, price = number(row.get("volume"), "volume"), number(row.get("price"), "price")
        terms = {"volume": volume, "price": price}
        self._check(
            _whole(row.get("deal")), instrument, side=side, opens=direction == "in", stated=money["profit"], **terms
        )
        return [
            record(
                Kind.FILLS,
                fill=self._id(row, "deal"),
                order=self._id(row, "order"),
                account=self._account,
                symbol=instrument.symbol,
                side=side,
                volume=volume,
                price=price,
                at=at,
                effect=_EFFECTS[direction],
                commission=money["commission"] + money["fee"],
                swap=money["swap"],
                profit=money["profit"],
                comment=_text(row.get("comment")) or None,
            )
        ]

    def _entry(self, row: dict[str, object], stated: str, amount: Decimal) -> tuple[Kind, Cells]:
        note = _text(row.get("comment"))
        return record(
            Kind.ACCOUNT_ENTRIES,
            entry=self._id(row, "deal"),
            account=self._account,
            kind=entry_kind(stated, amount, note),
            amount=amount,
            currency=self.reckoning.currency or None,
            booked_at=_moment(self._other_times, row.get("time")),
            note=(note if stated == "balance" else f"{stated}: {note}".rstrip(": ")) or None,
        )

    def _position(self, row: dict[str, object]) -> list[tuple[Kind, Cells]]:
        side, _ = _side_and_type(row)
        instrument = self._instrument(row)
        volume, opened = number(row.get("volume"), "volume"), number(row.get("price"), "price")
        given: dict[str, object] = {}
        if self._section == "positions":
            closed, made = number(row.get("price 2"), "price"), number(row.get("profit") or 0, "profit")
            given = {
                "close_price": closed,
                "closed_at": _moment(self._times, row.get("time 2")),
                "commission": number(row.get("commission") or 0, "commission"),
                "swap": number(row.get("swap") or 0, "swap"),
                "profit": made,
            }
            if self.reckoning.checks(instrument):
                self.reckoning.trade(
                    _whole(row.get("position")), made, profit(side, volume, opened, closed, instrument)
                )
        return [
            record(
                Kind.POSITIONS,
                position=self._id(row, "position"),
                account=self._account,
                symbol=instrument.symbol,
                side=side,
                volume=volume,
                open_price=opened,
                opened_at=_moment(self._times, row.get("time")),
                stop=price_or_none(row.get("s / l"), "S / L"),
                target=price_or_none(row.get("t / p"), "T / P"),
                comment=_text(row.get("comment")) or None,
                **given,
            )
        ]

    def _instrument(self, row: dict[str, object]) -> Instrument:
        return self._options.instrument(_text(row.get("symbol")))

    # --- reckoning ----------------------------------------------------------------------------------------------------

    def _book(self, row: dict[str, object], money: dict[str, Decimal]) -> None:
        """Follow the balance: each deal states what it is after it."""
        net = sum(money.values(), Decimal(0))
        if _text(row.get("type")).lower() in _TRADING:
            for name, amount in money.items():
                self._sums[name] += amount
            self._deals += 1
            self._gains += max(net, Decimal(0))
            self._losses += min(net, Decimal(0))
        if row.get("balance") is not None:
            stated = number(row["balance"], "balance")
            if self._balance is not None:
                self.reckoning.total(f"balance after deal {_text(row.get('deal'))}", stated, self._balance + net)
            self._balance = stated

    def _check(
        self,
        deal: str,
        instrument: Instrument,
        *,
        side: Side,
        opens: bool,
        volume: Decimal,
        price: Decimal,
        stated: Decimal,
    ) -> None:
        """Whether the profit of a closing deal follows from one of the deals that opened a position.

        The report does not name it, so the profit must be that of an open position of this volume or more; where the
        account nets its positions, that of their average price.
        """
        if opens:
            self._open.setdefault((instrument.symbol, side), []).append((volume, price))
            return
        held = self._open.get((instrument.symbol, side.opposite), [])
        if not self.reckoning.checks(instrument):
            return
        for place, (lots, opened) in enumerate(held):
            made = profit(side.opposite, volume, opened, price, instrument)
            if lots >= volume and self.reckoning.rounded(made) == stated:
                held[place : place + 1] = [(lots - volume, opened)] if lots > volume else []
                self.reckoning.trade(f"deal {deal}", stated, made)
                return
        lots = sum((each for each, _ in held), Decimal(0))
        if lots >= volume > 0:
            average = sum((each * opened for each, opened in held), Decimal(0)) / lots
            held[:] = [(lots - volume, average)] if lots > volume else []
            self.reckoning.trade(f"deal {deal}", stated, profit(side.opposite, volume, average, price, instrument))
        else:
            self.reckoning.differs(f"deal {deal}: closes {volume} lots, of which {lots} were opened in this report")


_READ = {
    "orders": Mt5Report._order,
    "deals": Mt5Report._deal,
    "positions": Mt5Report._position,
    "open positions": Mt5Report._position,
}


def _columns(cells: Sequence[object]) -> list[str]:
    """The names of the columns; of two with the same name the second one has ``2`` added."""
    names: list[str] = []
    for cell in cells:
        name = _text(cell).lower()
        name = {"open time": "time", "market price": "price 2"}.get(name, name)
        names.append(f"{name} 2" if name and name in names else name)
    return names


def _side_and_type(row: dict[str, object]) -> tuple[Side, OrderType]:
    stated = _text(row.get("type")).lower()
    side, _, kind = stated.partition(" ")
    try:
        return Side(side), OrderType(kind or "market")
    except ValueError:
        raise BadRow("type", f"{stated!r} is none of buy, sell, buy limit, sell stop …") from None


def _text(cell: object) -> str:
    return "" if cell is None else str(cell).strip()


def _whole(cell: object) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else _text(cell)


def _moment(times: WallTimes, cell: object) -> str:
    return moment(times, cell.strftime("%Y.%m.%d %H:%M:%S") if isinstance(cell, datetime) else _text(cell))
