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
from decimal import Decimal
from itertools import pairwise

from domain.log.trade_log import EntryKind, OrderState, OrderType, Side
from starter.importing.formats.cells import Cells
from starter.importing.formats.html_rows import HtmlRow
from starter.importing.formats.kinds import Kind
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

_SECTIONS = {
    "closed transactions:": "closed",
    "open trades:": "open",
    "working orders:": "working",
    "summary:": "summary",
    "details:": "summary",
}
_ACCOUNT = re.compile(r"Account:\s*(\S+)").fullmatch
_CURRENCY = re.compile(r"Currency:\s*([A-Z]{3})").fullmatch
_TICKET = re.compile(r"\d{1,20}").fullmatch
_MAGIC = re.compile(r"^#-?\d+\s*")
_CLOSED_BY = re.compile(r"\[(sl|tp|so)\b|\b(so):|\bfilled (sl|tp|so)\b", re.IGNORECASE)
_STOP_OUT = re.compile(r"so:?\s*([\d.]+)%", re.IGNORECASE)
_CLOSINGS = {
    "sl": ("stop_loss", OrderType.STOP_LOSS, "stop"),
    "tp": ("take_profit", OrderType.TAKE_PROFIT, "target"),
    "so": ("stop_out", OrderType.STOP_OUT, None),
}
_FEE = re.compile(r"\b(commission|fee|fees|charge|inactivity)\b", re.IGNORECASE)
_SWAP = re.compile(r"\b(swap|swaps|rollover|overnight)\b", re.IGNORECASE)
_MONEY = ("commission", "taxes", "swap", "profit")


def entry_kind(stated: str, amount: Decimal, note: str) -> EntryKind:
    """What a row of the balance was. The platforms only know its sign; the comment may tell more."""
    if stated != "balance" or not amount:
        return EntryKind.ADJUSTMENT
    if _FEE.search(note):
        return EntryKind.FEE
    if _SWAP.search(note):
        return EntryKind.SWAP
    return EntryKind.DEPOSIT if amount > 0 else EntryKind.WITHDRAWAL


class Mt4Statement:
    """Reads one statement."""

    def __init__(self, options: Options, times: WallTimes, other_times: WallTimes) -> None:
        self.reckoning = Reckoning()
        self.symbols: set[str] = set()
        self._options = options
        self._times = times
        self._other_times = other_times
        self._account = options.account
        self._section = "head"
        self._columns: dict[str, int] = {}
        self._sums = {(section, name): Decimal(0) for section in ("closed", "open") for name in _MONEY}
        self._gains = self._losses = self._deposits = self._credit = Decimal(0)
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
        if self._section == "head":
            for cell in row.cells:
                if (account := _ACCOUNT(cell)) and self._account is None:
                    self._account = account[1]
                if currency := _CURRENCY(cell):
                    self.reckoning.currency = currency[1]
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

    def _totals(self, row: HtmlRow) -> None:
        for label, value in pairwise(filter(None, row.values)):
            if label.endswith(":") and not value.endswith(":"):
                name = _TOTALS.get(label[:-1].lower())
                try:
                    if name:
                        self.reckoning.states(name, number(value, label))
                except BadRow:
                    continue  # "8 832.00 (5.15%)": nothing to compare
        if self._section in ("closed", "open") and len(row.values) == len(_MONEY) + 1 and not row.values[0]:
            with suppress(BadRow):
                for name, cell in zip(_MONEY, row.values[1:], strict=True):
                    self.reckoning.states(f"{self._section}_{name}", number(cell, name))

    def _reckon(self) -> None:
        net = {section: sum(self._sums[section, name] for name in _MONEY) for section in ("closed", "open")}
        sums = {f"{section}_{name}": amount for (section, name), amount in self._sums.items()}
        self.reckoning.follows(
            **sums,
            **dict.fromkeys(("Closed_PL", "Closed_Trade_PL", "Total_Net_Profit"), Decimal(net["closed"])),
            Floating_PL=Decimal(net["open"]),
            Deposit_and_Withdrawal=self._deposits,
            Credit_Facility=self._credit,
            Balance=self._deposits + net["closed"],
            Gross_Profit=self._gains,
            Gross_Loss=-self._losses,
            Total_Trades=Decimal(self._trades),
        )

    # --- rows with a ticket -------------------------------------------------------------------------------------------

    def _data(self, row: HtmlRow, comment_below: str) -> SourceRow:
        if self._account is None:
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
        id_ = f"{self._options.source or 'MT4'}:{self._account}:{row.cells[0]}"
        if type_ in ("buy", "sell"):
            return self._trade(row, id_, Side(type_), comment)
        side, _, kind = type_.partition(" ")
        if side in ("buy", "sell") and kind in ("limit", "stop"):
            return [self._pending(row, id_, Side(side), OrderType(kind), comment)]
        if type_ in ("balance", "credit"):
            return [self._entry(row, id_, type_, comment)]
        raise BadRow("type", f"{type_!r} is none of buy, sell, buy limit, sell stop …, balance, credit")

    def _entry(self, row: HtmlRow, id_: str, type_: str, comment: str) -> tuple[Kind, Cells]:
        amount = number(row.cells[-1], "profit")
        if type_ == "credit":
            self._credit += amount
        else:
            self._deposits += amount
        note = comment or row.cells[3]
        return record(
            Kind.ACCOUNT_ENTRIES,
            entry=id_,
            account=self._account,
            kind=entry_kind(type_, amount, note),
            amount=amount,
            currency=self.reckoning.currency or None,
            booked_at=moment(self._other_times, self._cell(row, "open time")),
            note=note if type_ == "balance" else f"{type_}: {note}",
        )

    def _pending(self, row: HtmlRow, id_: str, side: Side, type_: OrderType, comment: str) -> tuple[Kind, Cells]:
        said = f"{comment} {row.cells[-1]}".lower()
        working = self._section == "working"
        state = OrderState.WORKING if working else OrderState.EXPIRED if "expir" in said else OrderState.CANCELLED
        ended = None if working else moment(self._other_times, self._cell(row, "close time"))
        return record(
            Kind.ORDERS,
            **{"order": id_, "account": self._account, "side": side, "type": type_, "state": state},
            **self._terms(row),
            price=price_or_none(self._cell(row, "price"), "price"),
            received_at=moment(self._other_times, self._cell(row, "open time")),
            ended_at=ended,
            comment=comment or None,
        )

    def _terms(self, row: HtmlRow) -> dict[str, object]:
        return {
            "symbol": self._options.instrument(self._cell(row, "item")).symbol,
            "volume": number(self._cell(row, "size"), "size"),
            "stop": price_or_none(self._cell(row, "s / l"), "S / L"),
            "target": price_or_none(self._cell(row, "t / p"), "T / P"),
        }

    def _trade(self, row: HtmlRow, id_: str, side: Side, comment: str) -> list[tuple[Kind, Cells]]:
        closed = self._section == "closed"
        money = {name: number(self._cell(row, name), name) for name in _MONEY}
        self._count(money)
        self.symbols.add(self._cell(row, "item"))
        opened_at = moment(self._times, self._cell(row, "open time"))
        terms = self._terms(row)
        open_price = number(self._cell(row, "price"), "price")
        ids = {"account": self._account, "symbol": terms["symbol"], "volume": terms["volume"]}
        opening = {"position": id_, "side": side, "price": open_price, "at": opened_at, "effect": "open"}
        position = {"position": id_, "side": side, "open_price": open_price, "opened_at": opened_at, **terms}
        if comment:
            position["comment"] = comment
        rows = [record(Kind.FILLS, fill=f"{id_}:open", order=id_, **ids, **opening)]
        if not closed:  # swap and profit of an open position are not final
            return [*rows, record(Kind.POSITIONS, account=self._account, **position)]
        mark = _CLOSED_BY.search(comment)
        reason, type_, at_price = _CLOSINGS.get(
            next(filter(None, mark.groups())).lower() if mark else "", (None, OrderType.MARKET, None)
        )
        level = _STOP_OUT.search(comment) if reason == "stop_out" else None
        close_price = number(self._cell(row, "close price"), "price")
        closed_at = moment(self._times, self._cell(row, "close time"))
        closing = {"order": f"{id_}:close", "position": id_, "side": side.opposite, **ids}
        instrument = self._options.instrument(str(terms["symbol"]))
        if self.reckoning.checks(instrument):
            made = profit(side, Decimal(str(terms["volume"])), open_price, close_price, instrument)
            self.reckoning.trade(row.cells[0], money["profit"], made)
        return [
            record(
                Kind.ORDERS,
                **closing,
                type=type_,
                price=terms[at_price] if at_price else None,
                state=OrderState.FILLED,
                ended_at=closed_at,
                comment=comment or None,
            ),
            *rows,
            record(Kind.FILLS, fill=f"{id_}:close", price=close_price, at=closed_at, effect="close", **closing),
            record(
                Kind.POSITIONS,
                account=self._account,
                **position,
                **money,
                close_price=close_price,
                closed_at=closed_at,
                close_reason=reason,
                margin_level=Decimal(level[1]) if level else None,
            ),
        ]

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
