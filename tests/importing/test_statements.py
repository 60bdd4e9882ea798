"""Statements of MT4 and reports of MT5: what each row gives the trade log, and the statement reckoned again."""

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.ground.base import Record
from domain.log.trade_log import EntryKind, Instrument, OrderState, OrderType, Side
from starter.importing.formats.html_rows import MOST, html_rows
from starter.importing.formats.kinds import Kind
from starter.importing.formats.mt4_statement import Mt4Statement
from starter.importing.formats.mt5_report import Mt5Report
from starter.importing.formats.reckoning import Reckoning, profit
from starter.importing.formats.server_clock import ServerClock
from starter.importing.formats.source import Options, SourceRow, Unreadable, WallTimes, number
from starter.importing.formats.trade_log_csv import BadRow
from tests.importing.statements import (
    POSITIONS,
    mt4_balance,
    mt4_pending,
    mt4_statement,
    mt4_trade,
    mt5_balance,
    mt5_deal,
    mt5_order,
    mt5_page,
    mt5_report,
)

GOLD = Instrument(symbol="XAUUSD", contract_size=Decimal(100), currency="USD", digits=2)
YEN = Instrument(symbol="USDJPY", contract_size=Decimal(100_000), currency="JPY", digits=3)
KNOWN = {"XAUUSD": GOLD, "USDJPY": YEN}


def clock(*, ordered: bool = False) -> WallTimes:
    return WallTimes(ServerClock.named("NY+7"), ordered=ordered)


def read_mt4(page: str, options: Options | None = None) -> tuple[list[SourceRow], Reckoning]:
    reader = Mt4Statement(options or Options(instruments=KNOWN), clock(), clock())
    return list(reader.rows(html_rows([page]))), reader.reckoning


def read_mt5(rows: Iterable[Sequence[object]], options: Options | None = None) -> tuple[list[SourceRow], Reckoning]:
    reader = Mt5Report(options or Options(account="70012345", instruments=KNOWN), clock(), clock())
    return list(reader.rows(enumerate(rows, start=1))), reader.reckoning


def records(rows: Iterable[SourceRow], kind: Kind) -> list[dict[str, str]]:
    """What the rows give of *kind*, without absent values."""
    found = [cells for row in rows for each, cells in row.records if each is kind]
    return [{name: cell for name, cell in zip(kind.columns, cells, strict=True) if cell is not None} for cells in found]


def checked(rows: Iterable[SourceRow]) -> list[Record]:
    """Every record by its model: nothing the readers give may be refused by it."""
    return [
        kind.model.model_validate(dict(zip(kind.columns, cells, strict=True)))
        for row in rows
        for kind, cells in row.records
    ]


def reasons(rows: Iterable[SourceRow]) -> list[str]:
    return [row.reason for row in rows if row.reason is not None]


# --- MT4 --------------------------------------------------------------------------------------------------------------


def test_a_closed_trade_of_mt4_gives_its_fills_what_closed_it_and_the_position() -> None:
    rows, _ = read_mt4(mt4_statement(mt4_trade(42098168, swap="-1.20", comment="The_4[sl]")))
    id_ = "MT4:70012345:42098168"
    assert records(rows, Kind.FILLS) == [
        {
            **{"fill": f"{id_}:open", "order": id_, "account": "70012345", "symbol": "XAUUSD", "side": "sell"},
            **{"volume": "1.00", "price": "4537.79", "at": "2026-02-02T05:49:19Z", "position": id_, "effect": "open"},
        },
        {
            **{"fill": f"{id_}:close", "order": f"{id_}:close", "account": "70012345", "symbol": "XAUUSD"},
            **{"side": "buy", "volume": "1.00", "price": "4545.79", "at": "2026-02-02T05:49:49Z"},
            **{"position": id_, "effect": "close"},
        },
    ]
    assert records(rows, Kind.ORDERS) == [
        {
            **{"order": f"{id_}:close", "account": "70012345", "symbol": "XAUUSD", "side": "buy", "type": "stop_loss"},
            **{"volume": "1.00", "price": "4545.79", "position": id_, "state": "filled"},
            **{"ended_at": "2026-02-02T05:49:49Z", "comment": "The_4[sl]"},
        }
    ]
    assert records(rows, Kind.POSITIONS) == [
        {
            **{"position": id_, "account": "70012345", "symbol": "XAUUSD", "side": "sell", "volume": "1.00"},
            **{"open_price": "4537.79", "opened_at": "2026-02-02T05:49:19Z"},
            **{"close_price": "4545.79", "closed_at": "2026-02-02T05:49:49Z", "close_reason": "stop_loss"},
            **{"swap": "-1.20", "stop": "4545.79", "target": "4488.79"},
            **{"commission": "0.00", "taxes": "0.00", "profit": "-800.00", "comment": "The_4[sl]"},
        }
    ]


@pytest.mark.parametrize(
    ("comment", "reason", "type_", "price"),
    [
        ("The_4[sl]", "stop_loss", "stop_loss", "4545.79"),
        ("The_4[tp]", "take_profit", "take_profit", "4488.79"),
        ("The_4[sl gap]", "stop_loss", "stop_loss", "4545.79"),
        ("[tp][gap]", "take_profit", "take_profit", "4488.79"),
        ("[so]", "stop_out", "stop_out", None),
        ("so: 47.7%/169.20/354.40", "stop_out", "stop_out", None),
        ("so 47.7%", "stop_out", "stop_out", None),
        ("Stop Out", "stop_out", "stop_out", None),
        ("强平", "stop_out", "stop_out", None),
        ("so what", None, "market", None),
        ("Filled SL", "stop_loss", "stop_loss", "4545.79"),
        ("close hedge by #42098172", None, "close_by", None),
        ("", None, "market", None),
        ("also: mine", None, "market", None),
    ],
)
def test_what_closed_a_trade_stands_in_its_comment(
    comment: str, reason: str | None, type_: str, price: str | None
) -> None:
    rows, _ = read_mt4(mt4_statement(mt4_trade(1, comment=comment)))
    (position,), (order,) = records(rows, Kind.POSITIONS), records(rows, Kind.ORDERS)
    assert (position.get("close_reason"), order["type"], order.get("price")) == (reason, type_, price)
    assert position.get("comment", "") == comment
    assert position.get("margin_level") == ("47.7" if "47.7" in comment else None)


def test_the_comment_below_a_trade_counts_where_its_title_has_none() -> None:
    bare = mt4_trade(1, comment="[tp]").replace('title="#8002 [tp]"', "")
    rows, _ = read_mt4(mt4_statement(bare))
    assert records(rows, Kind.POSITIONS)[0]["close_reason"] == "take_profit"


def test_pending_orders_are_working_cancelled_or_expired() -> None:
    closed = mt4_pending(1) + mt4_pending(2, "sell limit", said="expiration [2026.02.03 10:00]")
    rows, _ = read_mt4(mt4_statement(closed, working=mt4_pending(3, ended="&nbsp;", said="The_4")))
    assert [
        (order["order"], order["side"], order["type"], order["state"], order["price"], order.get("ended_at"))
        for order in records(rows, Kind.ORDERS)
    ] == [
        ("MT4:70012345:1", "buy", "stop", "cancelled", "4600.10", "2026-02-03T08:00:00Z"),
        ("MT4:70012345:2", "sell", "limit", "expired", "4600.10", "2026-02-03T08:00:00Z"),
        ("MT4:70012345:3", "buy", "stop", "working", "4600.10", None),
    ]
    assert {order["received_at"] for order in records(rows, Kind.ORDERS)} == {"2026-02-02T06:00:01Z"}
    assert {order["stop"] for order in records(rows, Kind.ORDERS)} == {"4590.00"}
    assert not any("target" in order for order in records(rows, Kind.ORDERS))  # MT4 writes 0.00


def test_an_open_trade_gives_its_opening_and_nothing_that_is_not_final() -> None:
    rows, _ = read_mt4(mt4_statement(open_=mt4_trade(1, closed="&nbsp;", swap="1.46")))
    (position,) = records(rows, Kind.POSITIONS)
    assert not {"closed_at", "close_price", "profit", "commission"} & set(position)
    assert position["swap"] == "0"
    assert [fill["fill"] for fill in records(rows, Kind.FILLS)] == ["MT4:70012345:1:open"]


@pytest.mark.parametrize(
    ("amount", "note", "type_", "kind"),
    [
        ("10 000.00", "STAR-Deposit", "balance", EntryKind.DEPOSIT),
        ("-35 000.00", "STAR-Withdrawal", "balance", EntryKind.WITHDRAWAL),
        ("-12.00", "Inactivity fee", "balance", EntryKind.FEE),
        ("3.10", "Swap correction", "balance", EntryKind.SWAP),
        ("100.00", "Welcome", "credit", EntryKind.ADJUSTMENT),
        ("0.00", "nothing", "balance", EntryKind.ADJUSTMENT),
    ],
)
def test_rows_of_the_balance_are_account_entries(amount: str, note: str, type_: str, kind: EntryKind) -> None:
    rows, _ = read_mt4(mt4_statement(mt4_balance(41990626, amount, note, type_=type_)))
    (entry,) = records(rows, Kind.ACCOUNT_ENTRIES)
    assert entry == {
        **{"entry": "MT4:70012345:41990626", "account": "70012345", "kind": kind, "currency": "USD"},
        **{"amount": amount.replace(" ", ""), "booked_at": "2026-01-23T09:33:22Z"},
        "note": note if type_ == "balance" else f"credit: {note}",
    }


def test_two_servers_tickets_do_not_meet() -> None:
    rows, _ = read_mt4(
        mt4_statement(mt4_balance(1, "1.00", "x")), Options(source="Live2", account="7", instruments=KNOWN)
    )
    assert records(rows, Kind.ACCOUNT_ENTRIES)[0]["entry"] == "Live2:7:1"


def test_every_row_of_the_page_is_accounted_for() -> None:
    page = mt4_statement(
        mt4_balance(1, "10.00", "x") + mt4_trade(2) + mt4_pending(3),
        closed_profit="-800.00",
        deposits="10.00",
    )
    rows, _ = read_mt4(page)
    assert len(rows) == page.count("<tr")
    assert Counter(row.skipped for row in rows if row.skipped) == {
        "heading": 8,
        "magic number and comment of the row above": 1,
        "no transactions": 2,
        "total": 2,
    }
    assert [row.line for row in rows] == sorted(row.line for row in rows)
    assert len([row for row in rows if row.records]) == 3
    assert checked(rows)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (mt4_trade(1, item="xagusd"), "symbol: xagusd is not a known instrument: add it with --instrument xagusd="),
        (mt4_trade(1, side="hold"), "type: 'hold' is none of buy, sell"),
        (mt4_trade(1, price="4,537"), "price: '4,537' is no number"),
        (mt4_trade(1, opened="2026.02.02"), "time: '2026.02.02' is no time"),
        (mt4_trade(1, opened="2026.03.08 09:10:00"), "time: the clock NY+7 skipped"),
        (mt4_trade(1, closed="2026.02.02 07:49:18"), "closed_at is before opened_at"),
        (mt4_trade(1, size="0.00"), "volume: must be above 0"),
        ("<tr><td>42098168</td><td>x</td></tr>", "type: is missing"),
        ("<tr><td>Rollover</td><td>x</td></tr>", "is neither a trade, an order nor a row of the balance"),
    ],
)
def test_a_bad_row_of_a_statement_is_refused_and_the_others_are_read(row: str, said: str) -> None:
    rows, _ = read_mt4(mt4_statement(row + mt4_trade(2)))
    (reason,) = reasons(rows)
    assert reason.startswith(said)
    assert [position["position"] for position in records(rows, Kind.POSITIONS)] == ["MT4:70012345:2"]


def test_a_page_that_is_no_statement_or_names_no_account_is_refused() -> None:
    with pytest.raises(Unreadable, match="no section 'Closed Transactions:'"):
        read_mt4("<html><table><tr><td>Account: 7</td></tr></table></html>")
    with pytest.raises(Unreadable, match="names no account: say which with --account"):
        read_mt4(mt4_statement(mt4_trade(1), account=None))


def test_what_never_ends_in_a_page_is_refused_before_it_fills_the_memory() -> None:
    for page in ("<table><tr><td>" + "x" * (MOST + 1), "<!-- " + "x" * MOST):
        pieces = (page[start : start + 65_536] for start in range(0, len(page) + 65_536, 65_536))
        with pytest.raises(Unreadable, match=r"line 1: a (table row of more|tag or comment)"):
            list(html_rows([*pieces, "x" * 65_536, "x" * 65_536]))


@given(size=st.integers(1, 200))
def test_a_page_read_in_pieces_is_read_as_in_one(size: int) -> None:
    page = mt4_statement(mt4_trade(1, comment="[sl] 预测 &amp; more") + mt4_pending(2), deposits="1 000.00")
    pieces = [page[start : start + size] for start in range(0, len(page), size)]
    whole = [(row.cells, row.title) for row in html_rows([page])]
    assert [(row.cells, row.title) for row in html_rows(pieces)] == whole


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        *(("10 000.00", "10000.00"), ("10\u00a0000.00", "10000.00"), ("-110 000.00", "-110000.00")),
        *(("1,234,567.89", "1234567.89"), ("1 234,56", "1234.56"), ("0.00000", "0.00000"), ("−5.10", "-5.10")),
        *(("1.234,56", "1234.56"), ("1.234.567,8", "1234567.8"), ("1,234,567", "1234567"), ("1'234.56", "1234.56")),
        *(("1234,567", "1234.567"), ("0,125", "0.125"), ("1.234.567", "1234567"), ("-1.234,5", "-1234.5")),
        *((4353.4, "4353.4"), (0.1 + 0.2, "0.30000000000000004"), (3, "3")),
    ],
)
def test_numbers_are_read_as_the_platforms_write_them(written: object, meant: str) -> None:
    assert number(written, "x") == Decimal(meant)


@pytest.mark.parametrize(
    "written", ["1,234", "1.2.3", "1.23,4", "(1.00)", "1.00-", "", "n/a", "1e5", "0x10", None, "1 234.5.6"]
)
def test_what_could_mean_two_numbers_or_none_is_refused(written: object) -> None:
    with pytest.raises(BadRow, match="is no number"):
        number(written, "x")


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("page", [mt4_statement(mt4_trade(1) * 9), mt5_page(mt5_report(orders=[mt5_order(2)] * 9))])
def test_a_page_that_breaks_off_in_a_table_is_refused_even_at_the_end_of_a_row(page: str, kept: float) -> None:
    for cut in (page[: int(len(page) * kept)], page[: page.rindex("</tr>", 0, int(len(page) * kept)) + 5]):
        with pytest.raises(Unreadable, match="breaks off in the middle of a table"):
            list(html_rows([cut]))


# --- MT5 --------------------------------------------------------------------------------------------------------------


def test_orders_of_mt5_give_the_price_asked_for_and_what_became_of_them() -> None:
    orders = [
        mt5_order(2),
        mt5_order(3, "sell stop", state="canceled"),
        mt5_order(8, "sell", price=0.0, stop=None, comment="sl 4353.90"),
        mt5_order(9, "sell", price=0.0, stop=None, comment="[tp 4366.86]"),
        mt5_order(10, "sell", price=0.0, stop=None, comment="so 19.76%"),
        mt5_order(11, "sell", price=0.0, stop=None, comment="by hand"),
    ]
    rows, _ = read_mt5(mt5_report(orders=orders))
    assert [
        (order["order"], order["type"], order.get("price"), order["state"]) for order in records(rows, Kind.ORDERS)
    ] == [
        ("MT5:70012345:2", OrderType.STOP, "4353.36", OrderState.FILLED),
        ("MT5:70012345:3", OrderType.STOP, "4353.36", OrderState.CANCELLED),
        ("MT5:70012345:8", OrderType.STOP_LOSS, "4353.90", OrderState.FILLED),
        ("MT5:70012345:9", OrderType.TAKE_PROFIT, "4366.86", OrderState.FILLED),
        ("MT5:70012345:10", OrderType.STOP_OUT, None, OrderState.FILLED),
        ("MT5:70012345:11", OrderType.MARKET, None, OrderState.FILLED),
    ]
    first = records(rows, Kind.ORDERS)[0]
    assert (first["received_at"], first["ended_at"]) == ("2026-01-02T00:00:00Z", "2026-01-02T00:45:29Z")
    assert (first["volume"], first["stop"]) == ("1", "4331.36")


def test_deals_of_mt5_give_fills_and_account_entries() -> None:
    deals = [
        mt5_balance(1, 10_000.0, 10_000.0),
        mt5_deal(2, balance=10_000.0, comment="Recon_B"),
        mt5_deal(8, "sell", "out", price=4353.89, profit=49.0, swap=-0.5, balance=10_048.5),
    ]
    rows, _ = read_mt5(mt5_report(deals=deals))
    assert [(fill["fill"], fill["order"], fill["effect"], fill["price"]) for fill in records(rows, Kind.FILLS)] == [
        ("MT5:70012345:2", "MT5:70012345:2", "open", "4353.4"),
        ("MT5:70012345:8", "MT5:70012345:8", "close", "4353.89"),
    ]
    assert records(rows, Kind.FILLS)[1]["profit"] == "49.0"
    assert records(rows, Kind.ACCOUNT_ENTRIES)[0]["kind"] == "deposit"
    assert checked(rows)


def test_positions_of_mt5_give_positions() -> None:
    closed = ["2026.01.02 02:45:29", 2, "XAUUSD", "buy", 1, 4353.4, 4331.36, None, "2026.01.02 02:58:13", 4353.89,
              -7, 0, 49.0]  # fmt: skip
    head: list[Sequence[object]] = [
        ["Account:", None, None, "70012345 (USD, Example-Live, real, Hedge)"],
        ["Positions"],
        POSITIONS,
        closed,
    ]
    rows, reckoning = read_mt5(mt5_report(head=head), Options(instruments=KNOWN))
    (position,) = records(rows, Kind.POSITIONS)
    assert (position["account"], position["close_price"], position["profit"]) == ("70012345", "4353.89", "49.0")
    assert reckoning.summary() == ["1 closed trades and 0 totals reckoned again: all agree"]


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (mt5_order(1, "hold"), "type: 'hold' is none of"),
        (mt5_order(1, state="lost"), "state: 'lost' is none of"),
        (["2026.01.02 02:00:00", None, "XAUUSD", "buy", "1 / 1", None, 1, None, None, "", None, "filled"], "order: is"),
        (["01/02/2026", 1, "XAUUSD", "buy", "1 / 1", None, 1, None, None, "", None, "filled"], "time: '01/02/2026'"),
        (
            ["2026.01.02 02:00:00", 1, "XAGUSD", "buy", "1 / 1", None, 1, None, None, "", None, "filled"],
            "symbol: XAGUSD",
        ),
    ],
)
def test_a_bad_row_of_a_report_is_refused(order: list[object], said: str) -> None:
    rows, _ = read_mt5(mt5_report(orders=[order]))
    (reason,) = reasons(rows)
    assert reason.startswith(said)


def test_a_workbook_that_is_no_report_or_names_no_account_is_refused() -> None:
    with pytest.raises(Unreadable, match="no section 'Orders', 'Deals' or 'Positions'"):
        read_mt5([["Invoice"], ["a", 1]])
    with pytest.raises(Unreadable, match="names no account, as reports of the strategy tester do not"):
        read_mt5(mt5_report(orders=[mt5_order(1)]), Options(instruments=KNOWN))
    with pytest.raises(Unreadable, match="the heading of orders lacks price"):
        read_mt5([["Orders"], ["Open Time", "Order", "Symbol", "Type", "Volume"]])


CELL = st.one_of(st.none(), st.text(max_size=12), st.floats(allow_nan=False), st.integers(), st.booleans())


@given(rows=st.lists(st.lists(CELL, max_size=14), max_size=12), section=st.sampled_from(["orders", "deals"]))
def test_whatever_stands_in_a_report_each_row_is_one_of_one_kind(rows: list[list[object]], section: str) -> None:
    given_ = mt5_report(**{section: rows})
    read, _ = read_mt5(given_)
    assert len(read) == len(given_)
    assert all([bool(row.records), row.reason is not None, row.skipped is not None].count(True) == 1 for row in read)


def test_a_deal_without_its_time_is_a_bad_row_and_the_sums_below_the_deals_are_none() -> None:
    sums = [*[None] * 8, 0.0, 0.0, 0.0, 10_000.0]
    deal = [None, *mt5_deal(2, balance=10_000.0)[1:]]
    rows, reckoning = read_mt5(mt5_report(deals=[mt5_balance(1, 10_000.0, 10_000.0), deal, sums]))
    assert reasons(rows) == ["time: '' is no time such as 2026.02.16 02:07:00"]
    assert rows[-1].skipped == "total"
    assert reckoning.summary() == ["0 closed trades and 4 totals reckoned again: all agree"]


@pytest.mark.parametrize(
    ("stated", "said"),
    [(-12.5, []), (9_987.5, []), (9_987.4, ["sum of profit: states 9,987.4, its rows give -12.5"])],
)
def test_the_sums_below_the_deals_are_those_of_the_trades_or_of_all_that_was_booked(
    stated: float, said: list[str]
) -> None:
    deals = [mt5_balance(1, 10_000.0, 10_000.0), mt5_deal(2, profit=-12.5, swap=-0.4, balance=9_987.1)]
    sums: list[object] = [*[None] * 8, 0.0, -0.4, stated, 9_987.1]
    assert read_mt5(mt5_report(deals=[*deals, sums]))[1].differences == said


@given(
    cells=st.lists(
        st.sampled_from(["", "buy", "0", "-1", "1 000.00", "xauusd", "2026.02.02 07:49:19", "1,2", "x", ":"])
    ),
    section=st.sampled_from(["closed", "open_", "working"]),
)
def test_whatever_stands_in_a_statement_each_row_is_one_of_one_kind(cells: list[str], section: str) -> None:
    page = mt4_statement(**{section: "<tr>" + "".join(f"<td>{cell}</td>" for cell in ["42", *cells]) + "</tr>"})
    rows, _ = read_mt4(page)
    assert len(rows) == page.count("<tr")
    assert all([bool(row.records), row.reason is not None, row.skipped is not None].count(True) == 1 for row in rows)


COMMENTS = st.lists(
    st.sampled_from(
        ["[", "]", "sl", "tp", "so", ":", " ", "47", ".", "%", "/", "#", "2", "from #", "to #", "x", "止损"]
    )
).map("".join)


@given(COMMENTS)
@example("so: 1.2.3%")
@example("[sl 1.2.3]")
def test_no_trade_is_lost_by_its_comment(comment: str) -> None:
    rows, _ = read_mt4(mt4_statement(mt4_trade(1, comment=comment)))
    assert len(records(rows, Kind.POSITIONS)) == 1
    rows, _ = read_mt5(
        mt5_report(orders=[mt5_order(2, comment=comment)], deals=[mt5_deal(2, balance=0, comment=comment)])
    )
    assert (len(records(rows, Kind.ORDERS)), len(records(rows, Kind.FILLS))) == (1, 1)


# --- reckoned again ---------------------------------------------------------------------------------------------------

LONG: dict[str, Any] = {"side": "buy", "price": "4537.79", "close_price": "4540.00"}


def test_a_statement_that_adds_up_agrees_in_every_trade_and_total() -> None:
    page = mt4_statement(
        mt4_balance(1, "10 000.00", "Deposit") + mt4_trade(2) + mt4_trade(3, **LONG, swap="-1.25", profit="221.00"),
        closed_profit="-580.25",
        deposits="10 000.00",
    )
    assert read_mt4(page)[1].differences == []
    assert read_mt4(page)[1].summary() == ["2 closed trades and 2 totals reckoned again: all agree"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"profit": "221.01"}, "profit of 3: states 221.01, its rows give 221.00"),
        ({"profit": "-221.00"}, "profit of 3: states -221.00, its rows give 221.00"),
        ({"swap": "-1.26"}, "Closed PL: states -580.25, its rows give -580.26"),
        ({"size": "1.01"}, "profit of 3: states 221.00, its rows give 223.21"),
    ],
)
def test_a_cent_that_does_not_follow_is_told(changed: dict[str, Any], said: str) -> None:
    trade = mt4_trade(3, **{**LONG, "swap": "-1.25", "profit": "221.00", **changed})
    _, reckoning = read_mt4(mt4_statement(mt4_trade(2) + trade, closed_profit="-580.25"))
    assert said in reckoning.differences
    assert "differ" in reckoning.summary()[0]


def test_profit_in_another_currency_than_the_accounts_is_not_reckoned_and_that_is_said() -> None:
    page = mt4_statement(mt4_trade(2, item="usdjpy", profit="1.00"))
    _, reckoning = read_mt4(page)
    assert reckoning.differences == []
    assert reckoning.summary()[1] == "1 closed trades not reckoned, in USDJPY: quoted in JPY, booked in USD"


def test_the_totals_include_the_trades_that_were_refused() -> None:
    page = mt4_statement(mt4_trade(2, item="xagusd"), closed_profit="-800.00")
    assert read_mt4(page)[1].differences == []


def test_many_differences_are_counted_and_the_first_ones_told() -> None:
    page = mt4_statement("".join(mt4_trade(ticket, profit="1.00") for ticket in range(100, 130)))
    _, reckoning = read_mt4(page)
    assert len(reckoning.differences) == 21
    assert reckoning.differences[-1] == "and 10 more differences"
    assert reckoning.summary() == ["30 closed trades and 0 totals reckoned again: 30 differ"]


def closing(deal: int, profit_: float, balance: float, *, volume: str = "1") -> list[object]:
    return mt5_deal(deal, "sell", "out", price=4355.4, volume=volume, profit=profit_, balance=balance)


def test_the_profit_of_a_deal_follows_from_a_deal_that_opened() -> None:
    opened = [mt5_deal(2, price=4353.4, balance=0.0), mt5_deal(3, price=4350.4, balance=0.0)]
    agreed = [*opened, closing(4, 500.0, 500.0), closing(5, 200.0, 700.0)]
    assert read_mt5(mt5_report(deals=agreed))[1].differences == []
    wrong = [*opened, closing(4, 500.01, 500.01)]
    assert read_mt5(mt5_report(deals=wrong))[1].differences == [
        "profit of deal 4: states 500.01, its rows give 350.00"  # that of the average price
    ]


def test_a_position_may_be_closed_in_parts_or_net() -> None:
    opened = [mt5_deal(2, price=4353.4, balance=0.0), mt5_deal(3, price=4350.4, balance=0.0)]
    in_parts = [*opened, closing(4, 100.0, 100.0, volume="0.5"), closing(5, 100.0, 200.0, volume="0.5")]
    assert read_mt5(mt5_report(deals=in_parts))[1].differences == []
    net = [*opened, closing(4, 700.0, 700.0, volume="2")]
    assert read_mt5(mt5_report(deals=net))[1].differences == []
    too_much = [*opened, closing(4, 700.0, 700.0, volume="3")]
    assert read_mt5(mt5_report(deals=too_much))[1].differences == [
        "deal 4: closes 3 lots, of which 2 were opened in this report"
    ]


def test_the_balance_runs_from_deal_to_deal() -> None:
    deals = [mt5_balance(1, 100.0, 100.0), mt5_balance(2, 50.0, 151.0)]
    assert read_mt5(mt5_report(deals=deals))[1].differences == [
        "balance after deal 2: states 151.0, its rows give 150.0"
    ]


PRICES = st.decimals(min_value=1, max_value=9999, places=2)
VOLUMES = st.decimals(min_value="0.01", max_value=100, places=2)


@given(side=st.sampled_from(Side), volume=VOLUMES, first=PRICES, second=PRICES, part=VOLUMES)
def test_profit_is_symmetric_for_long_and_short_and_additive_over_parts(
    side: Side, volume: Decimal, first: Decimal, second: Decimal, part: Decimal
) -> None:
    made = profit(side, volume, first, second, GOLD)
    assert (
        made
        == -profit(side.opposite, volume, first, second, GOLD)
        == profit(side.opposite, volume, second, first, GOLD)
    )
    assert made + profit(side, part, first, second, GOLD) == profit(side, volume + part, first, second, GOLD)
    assert (made > 0) == (side.sign * (second - first) > 0)
