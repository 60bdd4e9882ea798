"""Small statements and reports as MetaTrader writes them, made up for the tests."""

from collections.abc import Iterable, Sequence
from io import BytesIO

from openpyxl import Workbook

ACCOUNT = "70012345"


def mt4_trade(
    ticket: int,
    side: str = "sell",
    *,
    opened: str = "2026.02.02 07:49:19",
    closed: str = "2026.02.02 07:49:49",
    price: str = "4537.79",
    stop: str = "4545.79",
    target: str = "4488.79",
    close_price: str = "4545.79",
    swap: str = "0.00",
    profit: str = "-800.00",
    size: str = "1.00",
    item: str = "xauusd",
    comment: str = "",
    detailed: bool = True,
) -> str:
    cells = [opened, side, size, item, price, stop, target, closed, close_price, "0.00", "0.00", swap, profit]
    row = f'<tr align=right><td title="#8002 {comment}">{ticket}</td>' + "".join(f"<td>{cell}</td>" for cell in cells)
    below = f"<tr align=right><td colspan=9>&nbsp;</td><td>8002</td><td colspan=3>{comment}</td></tr>\n"
    return f"{row}</tr>\n" + (below if detailed else "")


def mt4_pending(
    ticket: int, type_: str = "buy stop", *, ended: str = "2026.02.03 10:00:00", said: str = "cancelled"
) -> str:
    return (
        f'<tr bgcolor=#E0E0E0 align=right><td title="#8002 {said}">{ticket}</td><td nowrap>2026.02.02 08:00:01</td>'
        f"<td>{type_}</td><td class=mspt>1.00</td><td>xauusd</td><td>4600.10</td><td>4590.00</td><td>0.00</td>"
        f"<td>{ended}</td><td>4434.71</td><td colspan=4>{said}</td></tr>\n"
    )


def mt4_balance(ticket: int, amount: str, note: str, *, type_: str = "balance") -> str:
    return (
        f'<tr align=right><td title="{note}">{ticket}</td><td nowrap>2026.01.23 11:33:22</td><td>{type_}</td>'
        f"<td colspan=10 align=left>{note}</td><td class=mspt>{amount}</td></tr>\n"
    )


def mt4_statement(
    closed: str = "",
    *,
    open_: str = "",
    working: str = "",
    account: str | None = ACCOUNT,
    closed_profit: str | None = None,
    deposits: str | None = None,
    summary: str = "",
    broker: str = "Example Broker",
) -> str:
    heading = (
        "<tr align=center><td>Ticket</td><td nowrap>Open Time</td><td>Type</td><td>Size</td><td>Item</td><td>Price</td>"
        "<td>S / L</td><td>T / P</td><td>{}</td><td>Price</td><td>Commission</td><td>Taxes</td><td>Swap</td>"
        "<td>Profit</td></tr>\n"
    )
    nothing = "<tr align=right><td colspan=13 align=center>No transactions</td></tr>\n"
    named = f"<td colspan=2><b>Account: {account}</b></td>" if account else "<td colspan=2></td>"
    total = "<tr align=right><td colspan=12 align=right><b>{}</b></td><td colspan=2><b>{}</b></td></tr>\n"
    pair = "<tr align=right><td colspan=2><b>{}</b></td><td colspan=2><b>{}</b></td><td colspan=5>&nbsp;</td></tr>\n"
    return (
        f'<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN">\n<html><head><title>Statement</title></head><body>\n'
        f"<div><b>{broker}</b></div>\n<table>\n<tr align=left>{named}<td colspan=5><b>Name: REDACTED</b></td>"
        f"<td colspan=2><b>Currency: USD</b></td><td><b>2026 May 28, 13:05</b></td></tr>\n"
        f"<tr align=left><td colspan=13><b>Closed Transactions:</b></td></tr>\n{heading.format('Close Time')}"
        f"{closed or nothing}{total.format('Closed P/L:', closed_profit) if closed_profit else ''}"
        f"<tr align=left><td colspan=14><b>Open Trades:</b></td></tr>\n{heading.format('&nbsp;')}{open_ or nothing}"
        f"<tr align=left><td colspan=14><b>Working Orders:</b></td></tr>\n"
        f"<tr align=center><td>Ticket</td><td>Open Time</td><td>Type</td><td>Size</td><td>Item</td><td>Price</td>"
        f"<td>S / L</td><td>T / P</td><td colspan=2>Market Price</td><td colspan=4>&nbsp;</td></tr>\n"
        f"{working or nothing}"
        f"<tr align=left><td colspan=14><b>Summary:</b></td></tr>\n"
        f"{pair.format('Deposit/Withdrawal:', deposits) if deposits else ''}{summary}</table></body></html>\n"
    )


ORDERS = [
    "Open Time",
    "Order",
    "Symbol",
    "Type",
    "Volume",
    None,
    "Price",
    "S / L",
    "T / P",
    "Time",
    None,
    "State",
    "Comment",
]
DEALS = [
    *("Time", "Deal", "Symbol", "Type", "Direction", "Volume", "Price", "Order", "Commission", "Swap", "Profit"),
    *("Balance", "Comment"),
]
POSITIONS = [
    *("Time", "Position", "Symbol", "Type", "Volume", "Price", "S / L", "T / P", "Time", "Price"),
    *("Commission", "Swap", "Profit"),
]


def mt5_order(
    order: int,
    type_: str = "buy stop",
    *,
    price: float = 4353.36,
    stop: float | None = 4331.36,
    state: str = "filled",
    comment: str | None = None,
) -> list[object]:
    volume = "1 / 1" if state == "filled" else "1 / 0"
    times = ("2026.01.02 02:00:00", "2026.01.02 02:45:29")
    return [times[0], order, "XAUUSD", type_, volume, None, price, stop, None, times[1], None, state, comment]


def mt5_deal(
    deal: int,
    type_: str = "buy",
    direction: str = "in",
    *,
    price: float = 4353.4,
    volume: str = "1",
    profit: float = 0.0,
    swap: float = 0.0,
    balance: float,
    comment: str | None = None,
) -> list[object]:
    time = "2026.01.02 02:45:29"
    return [time, deal, "XAUUSD", type_, direction, volume, price, deal, 0.0, swap, profit, balance, comment]


def mt5_balance(deal: int, amount: float, balance: float, comment: str | None = None) -> list[object]:
    return ["2026.01.01 00:00:00", deal, None, "balance", None, None, None, None, 0, 0, amount, balance, comment]


def mt5_report(
    *,
    orders: Iterable[Sequence[object]] = (),
    deals: Iterable[Sequence[object]] = (),
    head: Iterable[Sequence[object]] = (),
) -> list[Sequence[object]]:
    return [["Strategy Tester Report"], ["Currency:", None, None, "USD"], *head, ["Orders"], ORDERS, *orders,
            ["Deals"], DEALS, *deals]  # fmt: skip


def mt5_page(rows: Iterable[Sequence[object]], *, comments: bool = True) -> str:
    """The same as HTML, as the terminal writes it: positions have a cell that is not shown, their headings none."""
    written = []
    table = ""
    for cells in rows:
        filled = [cell for cell in cells if cell is not None]
        if len(filled) == 1:
            table = str(filled[0])
            written.append(f'<tr align="center"><th colspan="14"><div><b>{table}</b></div></th></tr>')
            continue
        tags = [f"<td>{'' if cell is None else cell}</td>" for cell in cells]
        if comments and table == "Positions" and str(cells[0])[:1].isdigit():
            tags.insert(4, '<td class="hidden" colspan="8">by an expert</td>')
        written.append(f'<tr bgcolor="#FFFFFF" align="right">{"".join(tags)}</tr>')
    return (
        '<!DOCTYPE html PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd">\r\n<html><head>'
        '<meta name="generator" content="client terminal"></head><body><div align="center"><table>'
        + "\r\n".join(written)
        + "</table></div></body></html>"
    )


def workbook(*sheets: tuple[str, Iterable[Sequence[object]]]) -> bytes:
    book = Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    held = BytesIO()
    book.save(held)
    book.close()
    return held.getvalue()
