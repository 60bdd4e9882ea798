"""The statement that an MT4 terminal or broker writes as HTML: ``Statement.htm``, ``DetailedStatement.htm``.

A closed trade gives the fill that opened it, the order and the fill that closed it, and the position. How it was opened
(at market or by which pending order) the statement does not tell, so it gives no opening order. What closed it stands
in its comment: ``[sl]``, ``[tp]``, ``[so]`` or ``so: 47.7%/169.20/354.40`` (margin level, equity, margin), with or
without a mark that price had gapped; some brokers write ``Filled SL``. A pending order that did not become a trade is
an order, working or ended; rows of the balance are account entries.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from domain.log.trade_log import OrderState, OrderType, Side
from starter.importing.formats.balance_rows import entry_kind, entry_note, makes_good
from starter.importing.formats.cells import Cells
from starter.importing.formats.html_rows import HtmlRow
from starter.importing.formats.kinds import Kind
from starter.importing.formats.reckoning import Reckoning, profit
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

_SECTIONS = {
    "closed transactions:": "closed",
    "open trades:": "open",
    "working orders:": "working",
    "summary:": "summary",
    "details:": "summary",
}
_ACCOUNT = re.compile(r"Account:\s*(\S+)").fullmatch
_CURRENCY = re.compile(r"Currency:\s*([A-Za-z]{3,5})").fullmatch
_TICKET = re.compile(r"\d{1,20}").fullmatch
_MAGIC = re.compile(r"^#-?\d+\s*")
_CLOSED_BY = re.compile(
    r"\[(sl|tp|so)\b|\b(so)(?::|\s+[\d.]+%)|\bfilled (sl|tp|so)\b"
    r"|(\bstop[ -]?out\b|强制平仓|強制平倉|强平|強平|爆仓|爆倉)",
    re.IGNORECASE,
)
_STOP_OUT = re.compile(r"(?:so|stop[ -]?out):?\s*(\d{1,10}(?:\.\d{1,10})?)%", re.IGNORECASE)
_CLOSINGS = {
    "sl": ("stop_loss", OrderType.STOP_LOSS, "stop"),
    "tp": ("take_profit", OrderType.TAKE_PROFIT, "target"),
    "so": ("stop_out", OrderType.STOP_OUT, None),
}
_MONEY = ("commission", "taxes", "swap", "profit")
_LEFT_UNDER = re.compile(r"\bto #(\d{1,20})", re.IGNORECASE).search
_LEFT_OF = re.compile(r"\bfrom #(\d{1,20})", re.IGNORECASE).search
_CLOSED_AGAINST = re.compile(r"\bclose (?:hedge )?by #(\d{1,20})", re.IGNORECASE).search


@dataclass
class Linked:
    """What trades say of each other, by ticket.

    A trade closed in part goes on under another ticket: ``left`` has the volume of the rest, and under which ticket the
    rest of that goes on; ``rests`` are all such tickets. Either of the two may name the other: ``follows`` has the
    ticket under which a trade goes on by what that one says. Of two trades closed against each other one has no volume:
    ``against`` has that of the other.
    """

    left: dict[str, tuple[Decimal, str | None]] = field(default_factory=dict)
    against: dict[str, Decimal] = field(default_factory=dict)
    rests: set[str] = field(default_factory=set)
    follows: dict[str, str] = field(default_factory=dict)

    def see(self, ticket: str, volume: Decimal, comment: str) -> None:
        """A trade and its comment."""
        goes_on, was, closed = _LEFT_UNDER(comment), _LEFT_OF(comment), _CLOSED_AGAINST(comment)
        if goes_on:
            self.rests.add(goes_on[1])
        if was:
            self.rests.add(ticket)
            self.follows[was[1]] = ticket
        if ticket in self.rests:
            self.left[ticket] = (volume, goes_on[1] if goes_on else None)
        if closed and volume:
            self.against[closed[1]] = volume

    def rest(self, ticket: str | None) -> Decimal | None:
        """All that was left open under *ticket*, with the rests of it; ``None`` if not all of it is known."""
        volume, seen = Decimal(0), set[str]()
        while ticket is not None:
            if ticket in seen or ticket not in self.left:
                return None
            seen.add(ticket)
            more, goes_on = self.left[ticket]
            ticket = goes_on or self.follows.get(ticket)
            volume += more
        return volume


class _Closing(NamedTuple):
    """How a trade was closed: ``at`` is the level that its closing order asked for, ``level`` the margin level in %."""

    type: OrderType
    reason: str | None = None
    at: str | None = None
    level: Decimal | None = None


def _closing(comment: str) -> _Closing:
    if _CLOSED_AGAINST(comment):
        return _Closing(OrderType.CLOSE_BY)
    if not (mark := _CLOSED_BY.search(comment)):
        return _Closing(OrderType.MARKET)
    reason, type_, at = _CLOSINGS["so" if mark[4] else next(filter(None, mark.groups())).lower()]
    level = _STOP_OUT.search(comment) if type_ is OrderType.STOP_OUT else None
    return _Closing(type_, reason, at, Decimal(level[1]) if level else None)


class Mt4Statement:
    """Reads one statement. ``told`` is what its first reading found; rows of that reading may be incomplete."""

    def __init__(self, options: Options, times: WallTimes, other_times: WallTimes, told: Linked | None = None) -> None:
        self.reckoning = Reckoning(options.currency)
        self.symbols: set[str] = set()
        self.told = told or Linked()
        self._complete = told is not None
        self._without_opening = 0
        self._options = options
        self._times = times
        self._other_times = other_times
        self._account = NamedAccount(options.account)
        self._section = "head"
        self._columns: dict[str, int] = {}
        self._sums = {(section, name): Decimal(0) for section in ("closed", "open") for name in _MONEY}
        self._gains = self._losses = self._deposits = self._credit = self._made_good = Decimal(0)
        self._trades = 0

    def rows(self, rows: Iterable[HtmlRow]) -> Iterator[SourceRow]:
        """What each row of the page's tables is. Raises :class:`Unreadable` if the page is no statement."""
        held: HtmlRow | None = None
        for row in rows:
            below = self._section in ("closed", "open", "working") and self._is_comment(row)
            if held is not None:
                yield self._data(held, row.cells[-1] if below else "")
                held = None
            if below:
                yield SourceRow(row.line, row.text, skipped="magic number and comment of the row above")
            elif self._section in ("closed", "open", "working") and row.cells and _TICKET(row.cells[0]):
                held = row  # its comment may follow
            else:
                yield self._other(row)
        if held is not None:
            yield self._data(held, "")
        if self._section == "head":
            raise Unreadable("it has no section 'Closed Transactions:', 'Open Trades:' or 'Working Orders:'")
        self._reckon()

    def _is_comment(self, row: HtmlRow) -> bool:
        return len(row.cells) == 13 and not any(row.cells[:9])

    def _other(self, row: HtmlRow) -> SourceRow:
        first = next((cell for cell in row.cells if cell), "")
        if section := _SECTIONS.get(first.lower()):
            self._section = section
            return SourceRow(row.line, row.text, skipped="heading")
        for account in filter(None, map(_ACCOUNT, row.cells)):
            self._account.names(account[1])
        if self._section == "head":
            for cell in row.cells:
                if currency := _CURRENCY(cell):
                    self.reckoning.booked_in(currency[1])
            return SourceRow(row.line, row.text, skipped="heading")
        if row.cells and row.cells[0] == "Ticket":
            names = [cell.lower() for cell in row.cells]
            self._columns = {name: place for place, name in reversed(list(enumerate(names))) if name}
            self._columns["close price"] = len(names) - 1 - names[::-1].index("price") if "price" in names else 9
            return SourceRow(row.line, row.text, skipped="heading")
        if not first:
            return SourceRow(row.line, row.text, skipped="blank")
        if first.lower() == "no transactions":
            return SourceRow(row.line, row.text, skipped="no transactions")
        if self._section == "summary" or first.endswith(":") or not any(row.cells[:10]):
            self._totals(row)
            return SourceRow(row.line, row.text, skipped="total")
        return SourceRow(row.line, row.text, reason="is neither a trade, an order nor a row of the balance")

    @property
    def notes(self) -> list[str]:
        """What somebody should know who looks for what is not there."""
        if not self._without_opening:
            return self._account.notes
        return [
            *self._account.notes,
            f"{self._without_opening:,} trades closed in part go on under a ticket that is not in this statement: their"
            " opening fills are left out, for nobody says here of which volume they were",
        ]

    def _totals(self, row: HtmlRow) -> None:
        for label, value in pairwise(filter(None, row.values)):
            if label.endswith(":") and not value.endswith(":"):
                name = _TOTALS.get(label[:-1].lower())
                try:
                    if name:
                        self._state(name, number(value, label))
                except BadRow:
                    continue  # "8 832.00 (5.15%)": nothing to compare
        if self._section in ("closed", "open") and len(row.values) == len(_MONEY) + 1 and not row.values[0]:
            with suppress(BadRow):
                for name, cell in zip(_MONEY, row.values[1:], strict=True):
                    self._state(f"{self._section}_{name}", number(cell, name))

    def _state(self, name: str, amount: Decimal) -> None:
        self.reckoning.states(name, amount if name == "Total_Trades" else self.reckoning.amount(amount))

    def _reckon(self) -> None:
        """Compare the totals. A statement of a period begins with a balance, which it states nowhere.

        It is what is left of the balance at the end without what happened since: nothing else can be compared with it.
        """
        net = {section: sum(self._sums[section, name] for name in _MONEY) for section in ("closed", "open")}
        sums = {f"{section}_{name}": amount for (section, name), amount in self._sums.items()}
        self.reckoning.follows(
            **sums,
            **dict.fromkeys(("Closed_PL", "Closed_Trade_PL", "Total_Net_Profit"), Decimal(net["closed"])),
            Floating_PL=Decimal(net["open"]),
            Deposit_and_Withdrawal=self._deposits,
            Credit_Facility=self._credit,
            Gross_Profit=self._gains,
            Gross_Loss=-self._losses,
            Total_Trades=Decimal(self._trades),
        )
        self.reckoning.begins(self._deposits + net["closed"], self._made_good)

    # --- rows with a ticket -------------------------------------------------------------------------------------------

    def _data(self, row: HtmlRow, comment_below: str) -> SourceRow:
        if self._account.id is None:
            raise Unreadable("it names no account: say which with --account")
        try:
            return SourceRow(row.line, row.text, tuple(self._records(row, comment_below)))
        except BadRow as bad:
            return SourceRow(row.line, row.text, reason=str(bad))

    def _cell(self, row: HtmlRow, name: str) -> str:
        place = self._columns.get(name, -1)
        if not 0 <= place < len(row.cells):
            raise BadRow(name, "is missing")
        return row.cells[place]

    def _records(self, row: HtmlRow, comment_below: str) -> list[tuple[Kind, Cells]]:
        type_ = self._cell(row, "type").lower()
        comment = _MAGIC.sub("", row.title or "").strip() or comment_below
        id_ = f"{self._options.source or 'MT4'}:{self._account.id}:{row.cells[0]}"
        if type_ in ("buy", "sell"):
            return self._trade(row, id_, Side(type_), comment)
        side, _, kind = type_.partition(" ")
        if side in ("buy", "sell") and kind in ("limit", "stop"):
            return [self._pending(row, id_, Side(side), OrderType(kind), comment)]
        if type_ in ("balance", "credit"):
            return [self._entry(row, id_, type_, comment)]
        raise BadRow("type", f"{type_!r} is none of buy, sell, buy limit, sell stop …, balance, credit")

    def _entry(self, row: HtmlRow, id_: str, type_: str, comment: str) -> tuple[Kind, Cells]:
        amount = self.reckoning.amount(number(row.cells[-1], "profit"))
        if type_ == "credit":
            self._credit += amount
        else:
            self._deposits += amount
        note = comment or row.cells[3]
        if makes_good(amount, note):
            self._made_good += amount
        kind = entry_kind(type_, amount, note)
        return record(
            Kind.ACCOUNT_ENTRIES,
            entry=id_,
            account=self._account.id,
            kind=kind,
            amount=amount,
            currency=self.reckoning.booked(),
            booked_at=moment(self._other_times, self._cell(row, "open time")),
            note=entry_note(type_, kind, note),
        )

    def _pending(self, row: HtmlRow, id_: str, side: Side, type_: OrderType, comment: str) -> tuple[Kind, Cells]:
        said = f"{comment} {row.cells[-1]}".lower()
        working = self._section == "working"
        state = OrderState.WORKING if working else OrderState.EXPIRED if "expir" in said else OrderState.CANCELLED
        ended = None if working else moment(self._other_times, self._cell(row, "close time"))
        return record(
            Kind.ORDERS,
            **{"order": id_, "account": self._account.id, "side": side, "type": type_, "state": state},
            **self._terms(row),
            price=price_or_none(self._cell(row, "price"), "price"),
            received_at=moment(self._other_times, self._cell(row, "open time")),
            ended_at=ended,
            comment=comment or None,
        )

    def _terms(self, row: HtmlRow) -> dict[str, object]:
        return {
            "symbol": self._options.instrument(self._cell(row, "item")).symbol,
            "volume": number(self._cell(row, "volume" if "volume" in self._columns else "size"), "size"),
            "stop": price_or_none(self._cell(row, "s / l"), "S / L"),
            "target": price_or_none(self._cell(row, "t / p"), "T / P"),
        }

    def _trade(self, row: HtmlRow, id_: str, side: Side, comment: str) -> list[tuple[Kind, Cells]]:
        closed = self._section == "closed"
        money = {name: self.reckoning.money(number(self._cell(row, name), name)) for name in _MONEY}
        self._count(money)
        self.symbols.add(self._cell(row, "item"))
        opened_at = moment(self._times, self._cell(row, "open time"))
        terms = self._terms(row)
        volume = terms["volume"] = self._volume(row.cells[0], Decimal(str(terms["volume"])), comment)
        open_price = number(self._cell(row, "price"), "price")
        ids = {"account": self._account.id, "symbol": terms["symbol"]}
        position = {"position": id_, "side": side, "open_price": open_price, "opened_at": opened_at, **terms}
        if comment:
            position["comment"] = comment
        opening = {"position": id_, "side": side, "price": open_price, "at": opened_at, "effect": "open"}
        rows = [
            record(Kind.FILLS, fill=f"{id_}:open", order=id_, volume=opened, **ids, **opening)
            for opened in self._opened(row.cells[0], volume, comment)
        ]
        if not closed:  # swap and profit of an open position are not final
            return [*rows, record(Kind.POSITIONS, account=self._account.id, **position)]
        closing = {"order": f"{id_}:close", "position": id_, "side": side.opposite, "volume": volume, **ids}
        how = _closing(comment)
        close_price = number(self._cell(row, "close price"), "price")
        closed_at = moment(self._times, self._cell(row, "close time"))
        instrument = self._options.instrument(str(terms["symbol"]))
        if self.reckoning.checks(instrument):
            made = profit(side, volume, open_price, close_price, instrument)
            self.reckoning.trade(row.cells[0], money["profit"], made, instrument)
        return [
            record(
                Kind.ORDERS,
                **closing,
                type=how.type,
                price=terms[how.at] if how.at else None,
                state=OrderState.FILLED,
                ended_at=closed_at,
                comment=comment or None,
            ),
            *rows,
            record(Kind.FILLS, fill=f"{id_}:close", price=close_price, at=closed_at, effect="close", **closing),
            record(
                Kind.POSITIONS,
                account=self._account.id,
                **position,
                **money,
                close_price=close_price,
                closed_at=closed_at,
                close_reason=how.reason,
                margin_level=how.level,
            ),
        ]

    def _volume(self, ticket: str, stated: Decimal, comment: str) -> Decimal:
        """The lots of a trade: of one that was closed by an opposite one and has none, those of the other."""
        if self._complete and not stated and (other := _CLOSED_AGAINST(comment)):
            if ticket not in self.told.against:
                raise BadRow(
                    "size", f"is 0.00, and the trade #{other[1]} that it was closed by is not in this statement"
                )
            return self.told.against[ticket]
        self.told.see(ticket, stated, comment)
        return stated

    def _opened(self, ticket: str, volume: Decimal, comment: str) -> list[Decimal]:
        """The volume of the opening fill of a trade, if it has one.

        What is left of a trade closed in part goes on under another ticket, and was opened with that trade: one fill
        has the volume of both, as it stood before anything was closed.
        """
        if ticket in self.told.rests:
            return []
        goes_on = _LEFT_UNDER(comment)
        rest = self.told.rest(goes_on[1] if goes_on else self.told.follows.get(ticket))
        if rest is None:
            self._without_opening += 1
            return []
        return [volume + rest]

    def _count(self, money: dict[str, Decimal]) -> None:
        for name, amount in money.items():
            self._sums[self._section, name] += amount
        if self._section == "closed":
            net = sum(money.values(), Decimal(0))
            self._trades += 1
            self._gains += max(net, Decimal(0))
            self._losses += min(net, Decimal(0))


_TOTALS = {
    "closed p/l": "Closed_PL",
    "closed trade p/l": "Closed_Trade_PL",
    "floating p/l": "Floating_PL",
    "deposit/withdrawal": "Deposit_and_Withdrawal",
    "credit facility": "Credit_Facility",
    "balance": "Balance",
    "gross profit": "Gross_Profit",
    "gross loss": "Gross_Loss",
    "total net profit": "Total_Net_Profit",
    "total trades": "Total_Trades",
}
