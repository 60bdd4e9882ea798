"""The report that an MT5 terminal writes, as a workbook or as HTML: history of an account, or of the strategy tester.

Orders give orders, deals give fills and account entries, positions (which the tester does not list) give positions.
Which position a deal of the tester closed is nowhere stated, and is not guessed. The report is read twice: what tells
of a row may stand below it (see :class:`Told`).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from domain.log.trade_log import Instrument, OrderState, OrderType, Side
from domain.money.currencies import DIGITS
from starter.importing.formats.balance_rows import entry_kind, entry_note
from starter.importing.formats.cells import Cells
from starter.importing.formats.kinds import Kind
from starter.importing.formats.mt5_deals import Deal, Deals
from starter.importing.formats.mt5_links import Links, Trade
from starter.importing.formats.mt5_links import Row as Held
from starter.importing.formats.mt5_tables import (
    DEALS,
    DIRECTIONS,
    OPEN_POSITIONS,
    ORDERS,
    POSITIONS,
    WAY_OUT,
    Table,
    chosen,
    missing,
    tables,
    text,
)
from starter.importing.formats.mt5_volumes import Volumes, is_short, volume_of
from starter.importing.formats.mt5_words import SECTIONS, meanings
from starter.importing.formats.reckoning import CENTS, Reckoning, profit
from starter.importing.formats.source import (
    NamedAccount,
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
"""The number of a row in its sheet or page, and the values of its cells."""

_STATES = {
    "filled": OrderState.FILLED,
    "partial": OrderState.FILLED,
    "canceled": OrderState.CANCELLED,
    "cancelled": OrderState.CANCELLED,
    "expired": OrderState.EXPIRED,
    "rejected": OrderState.REJECTED,
    **dict.fromkeys(("started", "placed", "request_add", "request_modify", "request_cancel"), OrderState.WORKING),
}
_MARK = re.compile(
    r"(?:\[|^(?=(?:sl|tp)(?: [\d.]+)?$|so:? [\d.]+%|so$))(sl|tp|so)\b:?\s*(?:(\d{1,10}(?:\.\d{0,10})?)(?![\d.]))?(%)?",
    re.IGNORECASE,
).search
"""The server's marks stand in brackets, and those of the tester alone: customers write ``so far so good`` as well."""
_MARKS = {"sl": OrderType.STOP_LOSS, "tp": OrderType.TAKE_PROFIT, "so": OrderType.STOP_OUT}
_AT_ONCE = {*_MARKS.values(), OrderType.MARKET}
"""Orders that no report shows before they were filled: what they close does not become known later."""
_CLOSE_BY = re.compile(r"close #?(\d{1,20}) by #?(\d{1,20})", re.IGNORECASE).search
_LOWER = "|".join(sorted(code.lower() for code in {*DIGITS, *CENTS}))
_ACCOUNT = re.compile(
    rf"\s*(\d{{1,20}})\b(?:\s*\(\s*([A-Z]{{3,5}}\b|(?:{_LOWER})(?=\s*[,)]))|.*?\b([A-Z]{{3}})\b)?"
).match
_NAMES_ACCOUNT = re.compile(rf"\s*\d{{3,20}}\s*\((?:[A-Z]{{3,5}}|{_LOWER})\s*,.*\)\s*").fullmatch
_TITLE = re.compile(r"(?!\d{4}[.\-/])(?![\d.,\s-]+$).+", re.DOTALL).fullmatch
_HEADINGS = 8
_TICKET = re.compile(r"\d{1,20}").fullmatch
_DIGITS_OF_A_CELL = 15  # of a longer number a spreadsheet makes the last digits nothing
"""So many filled cells make a row of headings; labels with their values are fewer."""
_TOTALS = {
    **dict.fromkeys(("total net profit", "总净盈利", "lucro líquido total", "чистая прибыль"), "Total_Net_Profit"),
    **dict.fromkeys(("gross profit", "毛利", "lucro bruto", "общая прибыль"), "Gross_Profit"),
    **dict.fromkeys(("gross loss", "毛损", "perda bruta", "общий убыток"), "Gross_Loss"),
    **dict.fromkeys(("total deals", "ofertas total"), "Total_Deals"),
}
_TRADING = ("buy", "sell")
_IDENTIFYING = ("time", "order", "deal", "position", "symbol", "type")


class Mark(NamedTuple):
    """What the server noted of why it closed: ``level`` is the margin level of a stop-out in percent."""

    type: OrderType
    price: Decimal | None
    level: Decimal | None


Closing = tuple[str, Side, str, Decimal]
"""What a closing deal and the position that it closed share: symbol, side of the position, time as written, price."""


@dataclass
class Told:
    """What other rows of the report tell of a row: why positions were closed, and the side of close-by orders.

    ``opening`` are the orders that opened something, which no stop or target of a position did; ``volumes`` tells what
    those of orders are in, ``links`` which position a deal belongs to.
    """

    marks: dict[Closing, set[Mark]] = field(default_factory=dict)
    sides: dict[str, Side] = field(default_factory=dict)
    opening: set[str] = field(default_factory=set)
    volumes: Volumes = field(default_factory=Volumes)
    links: Links = field(default_factory=Links)

    def closed_by(self, closing: Closing) -> Mark | None:
        """Why a position was closed, if all deals that may have closed it say the same."""
        marks = self.marks.get(closing, set())
        return next(iter(marks)) if len(marks) == 1 else None


class Mt5Report:
    """Reads one report. ``told`` is what its first reading found; rows of the first reading may be incomplete."""

    def __init__(self, options: Options, times: WallTimes, other_times: WallTimes, told: Told | None = None) -> None:
        self.reckoning = Reckoning(options.currency)
        self.symbols: set[str] = set()
        self.told = told or Told()
        self._by_place: list[str] = []
        self._options = options
        self._times = times
        self._other_times = other_times
        self._account = NamedAccount(options.account)
        self._candidates: list[Table] = []
        self._table: Table | None = None
        self._titled = ""
        self._found = False
        self._deals = Deals(self.reckoning)
        self._shortened = ""

    def rows(self, rows: Iterable[Row]) -> Iterator[SourceRow]:
        """What each row of the sheets is. Raises :class:`Unreadable` if this is no report."""
        for line, cells in rows:
            yield self._row(line, cells)
        if not self._found:
            raise Unreadable(
                f"it has no section 'Orders', 'Deals' or 'Positions' in a language known here (if it has, {WAY_OUT})"
            )
        self._deals.ended()
        self.told.volumes.ended()
        self.told.links.ended()

    def _row(self, line: int, cells: Sequence[object]) -> SourceRow:
        said = "\t".join(text(cell) for cell in cells).rstrip("\t")
        filled = [cell for cell in cells if text(cell)]
        if not filled:
            return SourceRow(line, said, skipped="blank")
        if len(filled) == 1 and _TITLE(text(filled[0])):
            self._begin(text(filled[0]))
            return SourceRow(line, said, skipped="heading")
        if heading := self._heading(line, cells, filled):
            return SourceRow(line, said, skipped=heading)
        if self._table is None and not self._candidates:
            self._note(filled)
            return SourceRow(line, said, skipped="total" if "results" in self._titled else "heading")
        row = self._data(line, cells)
        if not any(text(row.get(name)) for name in _IDENTIFYING):
            return self._total(line, said, row)
        if text(row.get("time")).endswith((":", "：")):  # what follows the last table
            self._begin("")
            self._note(filled)
            return SourceRow(line, said, skipped="total")
        if self._account.id is None:
            raise Unreadable("it names no account, as reports of the strategy tester do not: say which with --account")
        try:
            return SourceRow(line, said, tuple(_READ[self._section](self, row)))
        except BadRow as bad:
            return SourceRow(line, said, reason=str(bad))

    @property
    def notes(self) -> list[str]:
        """What somebody should know who looks for what is not there, or stands elsewhere."""
        shortened = [f"volumes such as {self._shortened} were read as lots"] if self._shortened else []
        return [*self._account.notes, *self._by_place, *shortened]

    @property
    def _section(self) -> str:
        return self._table.section if self._table else ""

    def _begin(self, title: str) -> None:
        """A title ends the table before it, whether or not it is known itself."""
        known = SECTIONS & meanings(title)
        self._table, self._candidates = None, []
        self._titled = next(iter(known), "")
        self._found = self._found or bool(known - {"results"})

    def _heading(self, line: int, cells: Sequence[object], filled: Sequence[object]) -> str | None:
        """What to say of the row if it is one of headings. Raises :class:`Unreadable`."""
        titled = self._titled in (ORDERS, DEALS, POSITIONS) and not self._candidates and self._table is None
        if not titled and len(filled) < _HEADINGS:
            return None
        found = tables(cells)
        if self._table is not None or self._candidates:  # within a table only what is surely a heading is one
            found = [table for table in found if not table.by_place]
        if found:
            self._table, self._candidates, self._found = None, found, True
            return "heading"
        if titled and len(filled) > 2:
            lacking = ", ".join(missing(cells)) or "what tells which table it is"
            raise Unreadable(f"row {line}: the heading of {self._titled} lacks {lacking}: {WAY_OUT}")
        return None

    def _data(self, line: int, cells: Sequence[object]) -> dict[str, object]:
        if self._table is None:
            self._table = chosen(self._candidates, cells, line)
            if self._table.by_place:
                self._by_place.append(
                    f"headings in no language known here were read by their place, in {self._section}: "
                    + ", ".join(f"{heading!r}" for heading in self._table.by_place)
                )
        return self._table.row(cells)

    def _note(self, filled: Sequence[object]) -> None:
        """Labels with values: of the account, or totals that can be reckoned again."""
        for label, value in pairwise(filled):
            name = text(label).rstrip(":： ").lower()
            means = meanings(text(label))
            if _NAMES_ACCOUNT(text(value)) or ("account" in means and _ACCOUNT(text(value))):
                self._of_account(text(value))
            elif "currency" in means and text(label).endswith((":", "：")):
                self.reckoning.booked_in(text(value))
            elif text(label).endswith((":", "：")) and name in _TOTALS:
                try:
                    self._deals.stated(_TOTALS[name], number(value, name))
                except BadRow:
                    continue

    def _of_account(self, value: str) -> None:
        if shape := _ACCOUNT(value):
            self._account.names(shape[1])
            self.told.links.nets = self.told.links.nets or "netting" in value.lower()
            if currency := shape[2] or shape[3]:
                self.reckoning.booked_in(currency)

    def _total(self, line: int, said: str, row: dict[str, object]) -> SourceRow:
        """The last row of a table has the sums of its columns; below the deals, those of the trades alone."""
        if self._section == DEALS:
            try:
                self._deals.totals({name: number(row[name], name) for name in self._deals.sums if text(row.get(name))})
            except BadRow as bad:
                return SourceRow(line, said, reason=str(bad))
        return SourceRow(line, said, skipped="total")

    # --- the sections -------------------------------------------------------------------------------------------------

    def _id(self, row: dict[str, object], name: str) -> str:
        cell = row.get(name)
        if not (ticket := _whole(cell)):
            raise BadRow(name, "is missing")
        if not _TICKET(ticket):
            raise BadRow(name, f"{ticket[:40]!r} is no ticket: it has digits only")
        if not isinstance(cell, str) and len(ticket) > _DIGITS_OF_A_CELL:
            raise BadRow(name, f"a spreadsheet keeps {_DIGITS_OF_A_CELL} digits of a number: save the report as HTML")
        return self._id_of(ticket)

    def _id_of(self, ticket: str) -> str:
        return f"{self._options.source or 'MT5'}:{self._account.id}:{ticket}"

    def _order(self, row: dict[str, object]) -> list[tuple[Kind, Cells]]:
        comment = text(row.get("comment"))
        side, type_ = self._order_type(row)
        state = _STATES.get(text(row.get("state")).lower())
        if state is None:
            raise BadRow("state", f"{text(row.get('state'))!r} is none of {', '.join(_STATES)}")
        price, limit = _prices(row.get("price"))
        if type_ is OrderType.CLOSE_BY:
            price = None  # it is closed at what the other one was opened at
        opens = _whole(row.get("order")) in self.told.opening
        if type_ is OrderType.MARKET and not opens and (mark := _mark(comment)):
            # the server's own order: the comment has the price that set it off
            type_, price = mark.type, mark.price or price
        by = _CLOSE_BY(comment) if type_ is OrderType.CLOSE_BY else None
        closed = by[1] if by else self.told.links.of_order(_whole(row.get("order"))) if type_ in _AT_ONCE else None
        ended, instrument = row.get("time 2"), self._instrument(row)
        return [
            record(
                Kind.ORDERS,
                order=self._id(row, "order"),
                account=self._account.id,
                symbol=instrument.symbol,
                side=side,
                type=type_,
                volume=self.told.volumes.of_order(_whole(row.get("order")), text(row.get("volume")), instrument),
                price=price,
                position=self._id_of(closed) if closed else None,
                received_at=_moment(self._other_times, row.get("time")),
                stop=price_or_none(row.get("s / l"), "S / L"),
                target=price_or_none(row.get("t / p"), "T / P"),
                state=state,
                ended_at=_moment(self._other_times, ended) if text(ended) else None,
                comment=comment or None,
                limit_price=limit if type_ is OrderType.STOP_LIMIT else None,
            )
        ]

    def _order_type(self, row: dict[str, object]) -> tuple[Side, OrderType]:
        if text(row.get("type")).lower() != "close by":
            return _side_and_type(row)
        side = self.told.sides.get(_whole(row.get("order")))
        if side is None:
            raise BadRow("type", "'close by', and no deal of the report tells which side it closed")
        return side, OrderType.CLOSE_BY

    def _deal(self, row: dict[str, object]) -> list[tuple[Kind, Cells]]:
        money = {name: self.reckoning.money(number(row.get(name) or 0, name)) for name in self._deals.sums}
        stated = text(row.get("type")).lower()
        balance = self.reckoning.amount(number(row["balance"], "balance")) if text(row.get("balance")) else None
        self._deals.book(_whole(row.get("deal")), money, balance, trades=stated in _TRADING, credit=stated == "credit")
        if stated not in _TRADING:
            return [self._entry(row, stated, sum(money.values(), Decimal(0)))]
        self.symbols.add(text(row.get("symbol")))
        at = _moment(self._times, row.get("time"))
        side, instrument = Side(stated), self._instrument(row)
        direction = text(row.get("direction")).lower()
        if direction not in DIRECTIONS:
            raise BadRow("direction", f"{direction!r} is none of {', '.join(DIRECTIONS)}")
        volume, price = self._lots(row), number(row.get("price"), "price")
        comment = text(row.get("comment"))
        self._tell(row, side, direction, price, comment)
        deal, order = _whole(row.get("deal")), _whole(row.get("order"))
        self.told.volumes.dealt(order, deal, volume)
        self._deals.trade(Deal(deal, order, instrument, side, direction, volume, price, money["profit"]))
        self.told.links.trade(
            Trade(deal, order, instrument, side, direction, _shown(row.get("time")), volume, price, money["profit"])
        )
        by = _CLOSE_BY(comment) if direction == "out by" else None
        position = by[1] if by else self.told.links.of_deal(deal)
        return [
            record(
                Kind.FILLS,
                fill=self._id(row, "deal"),
                order=self._id(row, "order"),
                account=self._account.id,
                symbol=instrument.symbol,
                side=side,
                volume=volume,
                price=price,
                at=at,
                position=self._id_of(position) if position else None,
                effect=DIRECTIONS[direction],
                commission=money["commission"] + money["fee"],
                swap=money["swap"],
                profit=money["profit"],
                comment=comment or None,
            )
        ]

    def _tell(self, row: dict[str, object], side: Side, direction: str, price: Decimal, comment: str) -> None:
        """Keep for the other rows what a deal says of them."""
        if direction == "in":
            self.told.opening.add(_whole(row.get("order")))
        if direction == "out by":
            self.told.sides.setdefault(_whole(row.get("order")), side)
        if direction == "out" and (mark := _mark(comment)):
            closing = (text(row.get("symbol")), side.opposite, text(row.get("time")), price)
            self.told.marks.setdefault(closing, set()).add(mark)

    def _entry(self, row: dict[str, object], stated: str, amount: Decimal) -> tuple[Kind, Cells]:
        note = text(row.get("comment"))
        kind = entry_kind(stated, amount, note)
        return record(
            Kind.ACCOUNT_ENTRIES,
            entry=self._id(row, "deal"),
            account=self._account.id,
            kind=kind,
            amount=amount,
            currency=self.reckoning.booked(),
            booked_at=_moment(self._other_times, row.get("time")),
            note=entry_note(stated, kind, note),
        )

    def _position(self, row: dict[str, object]) -> list[tuple[Kind, Cells]]:
        side, _ = _side_and_type(row)
        instrument = self._instrument(row)
        volume = self._lots(row)
        opened = number(row.get("price"), "price")
        given: dict[str, object] = {}
        held = Held(_whole(row.get("position")), instrument.symbol, side, volume, _shown(row.get("time")), opened)
        if self._section == POSITIONS:
            given = self._closed(row, side, instrument, volume, opened)
            held = replace(held, closed=_shown(row.get("time 2")), profit=Decimal(str(given["profit"])))
        self.told.links.position(held)
        return [
            record(
                Kind.POSITIONS,
                position=self._id(row, "position"),
                account=self._account.id,
                symbol=instrument.symbol,
                side=side,
                volume=volume,
                open_price=opened,
                opened_at=_moment(self._times, row.get("time")),
                stop=price_or_none(row.get("s / l"), "S / L"),
                target=price_or_none(row.get("t / p"), "T / P"),
                comment=text(row.get("comment")) or None,
                **given,
            )
        ]

    def _closed(
        self, row: dict[str, object], side: Side, instrument: Instrument, volume: Decimal, opened: Decimal
    ) -> dict[str, object]:
        closed = number(row.get("price 2"), "price")
        names = ("commission", "fee", "swap", "profit")
        money = {name: self.reckoning.money(number(row.get(name) or 0, name)) for name in names}
        mark = self.told.closed_by((text(row.get("symbol")), side, text(row.get("time 2")), closed))
        if self.reckoning.checks(instrument):
            made = profit(side, volume, opened, closed, instrument)
            self.reckoning.trade(_whole(row.get("position")), money["profit"], made, instrument)
        return {
            "close_price": closed,
            "closed_at": _moment(self._times, row.get("time 2")),
            "close_reason": mark.type.value if mark else None,
            "margin_level": mark.level if mark else None,
            "commission": money["commission"] + money["fee"],
            "swap": money["swap"],
            "profit": money["profit"],
        }

    def _lots(self, row: dict[str, object]) -> Decimal:
        """The volume of a deal or position. In units it is another size of a lot, which its profit shows."""
        stated = text(row.get("volume")).partition("/")[0].strip()
        if is_short(stated):
            self._shortened = self._shortened or stated
        return volume_of(stated)

    def _instrument(self, row: dict[str, object]) -> Instrument:
        return self._options.instrument(text(row.get("symbol")))


_READ = {
    ORDERS: Mt5Report._order,
    DEALS: Mt5Report._deal,
    POSITIONS: Mt5Report._position,
    OPEN_POSITIONS: Mt5Report._position,
}


def _side_and_type(row: dict[str, object]) -> tuple[Side, OrderType]:
    stated = text(row.get("type")).lower()
    side, _, kind = stated.partition(" ")
    try:
        return Side(side), OrderType(kind.replace(" ", "_") or "market")
    except ValueError:
        raise BadRow("type", f"{stated!r} is none of buy, sell, buy limit, sell stop, buy stop limit …") from None


def _mark(comment: str) -> Mark | None:
    """``[sl 4353.90]``, ``tp 4366.86``, ``[so 18.80%/0.94/5.00]``: why, at what price, at which margin level."""
    if not (shape := _MARK(comment)):
        return None
    type_, stated = _MARKS[shape[1].lower()], (shape[2] or "").rstrip(".")
    if not stated:
        return Mark(type_, None, None)
    value = number(stated, "comment")
    if type_ is OrderType.STOP_OUT or shape[3]:
        return Mark(type_, None, value if shape[3] else None)
    return Mark(type_, value, None)


def _prices(cell: object) -> tuple[Decimal | None, Decimal | None]:
    """The price that an order asks for, ``None`` for one at market, and the limit of a stop-limit order beside it."""
    if text(cell).lower() == "market":
        return None, None
    if pair := re.fullmatch(r"([\d., ]+?)\s*[/(]\s*([\d., ]+?)\s*\)?", text(cell)):
        return price_or_none(pair[1], "price"), price_or_none(pair[2], "price")
    return price_or_none(cell, "price"), None


def _whole(cell: object) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else text(cell)


def _shown(cell: object) -> str:
    """A time as written, year first with points: of two, the later one is the greater text."""
    return text(cell).replace("-", ".").replace("/", ".").replace("T", " ")


def _moment(times: WallTimes, cell: object) -> str:
    return moment(times, text(cell))
