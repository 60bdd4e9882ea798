"""Reports of MT5 as terminals save them: in every language, as workbook or page, of hedging and netting accounts."""

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starter.importing.formats.html_rows import html_rows
from starter.importing.formats.kinds import Kind
from starter.importing.formats.mt4_statement import Mt4Statement
from starter.importing.formats.mt5_report import Mt5Report
from starter.importing.formats.mt5_words import TERMS, WORDS, plain
from starter.importing.formats.reckoning import Reckoning
from starter.importing.formats.source import Options, SourceRow, Unreadable
from tests.importing.statements import mt4_balance, mt4_statement, mt5_page
from tests.importing.test_statements import KNOWN, clock, reasons, records

Rows = Sequence[Sequence[object]]

ACCOUNT = "70012345 (USD, Example-Server, real, Hedge)"
ORDERS = ["Open Time", "Order", "Symbol", "Type", "Volume", "Price", "S / L", "T / P", "Time", "State", None, None,
          "Comment"]  # fmt: skip
DEALS = ["Time", "Deal", "Symbol", "Type", "Direction", "Volume", "Price", "Order", "Commission", "Fee", "Swap",
         "Profit", "Balance", "Comment"]  # fmt: skip
POSITIONS = ["Time", "Position", "Symbol", "Type", "Volume", "Price", "S / L", "T / P", "Time", "Price", "Commission",
             "Swap", "Profit"]  # fmt: skip
OPEN = ["Time", "Position", "Symbol", "Type", "Volume", "Price", "S / L", "T / P", "Market Price", "Swap", "Profit",
        "Comment"]  # fmt: skip


def at(hour: int) -> str:
    return f"2026.03.03 {hour:02}:00:00"


def order(ticket: int, type_: str = "buy", *, hour: int = 10, price: object = "market", state: str = "filled",
          comment: str | None = None) -> list[object]:  # fmt: skip
    return [at(hour), ticket, "XAUUSD", type_, "0.4 / 0.4", price, 2990, 3020, at(hour), state, None, None, comment]


def deal(ticket: int, type_: str, direction: str | None, price: object, *, order: int | None = None, hour: int = 10,
         volume: str | None = "0.4", profit: object = 0, balance: object = 10_000,
         comment: str | None = None) -> list[object]:  # fmt: skip
    symbol = "XAUUSD" if direction else None
    return [at(hour), ticket, symbol, type_, direction, volume, price, order, 0, 0, 0, profit, balance, comment]


def money(ticket: int, type_: str, amount: object, balance: object, comment: str | None = None) -> list[object]:
    return deal(ticket, type_, None, None, volume=None, hour=9, profit=amount, balance=balance, comment=comment)


def position(ticket: int, side: str = "buy", *, price: object = 3000, close: object = 2990, profit: object = -400,
             closed: int = 11) -> list[object]:  # fmt: skip
    return [at(10), ticket, "XAUUSD", side, "0.4", price, 2990, 3020, at(closed), close, -2.8, 0, profit]


def report(*, positions: Sequence[Sequence[object]] = (), orders: Sequence[Sequence[object]] = (),
           deals: Sequence[Sequence[object]] = (), open_: Sequence[Sequence[object]] = (),
           account: str = ACCOUNT) -> Rows:  # fmt: skip
    parts = (("Positions", POSITIONS, positions), ("Orders", ORDERS, orders), ("Deals", DEALS, deals),
             ("Open Positions", OPEN, open_))  # fmt: skip
    return [
        ["Trade History Report"],
        ["Name:", None, None, "Example"],
        ["Account:", None, None, account],
        *(row for title, heading, rows in parts if rows for row in ([title], heading, *rows)),
        ["Results"],
        ["Balance:", None, 9_600, None, "Equity:", None, 9_600],
    ]


WHOLE = report(
    positions=[position(5001)],
    orders=[order(5001), order(5002, "sell", hour=11, comment="[sl 2990.00]")],
    deals=[
        money(6000, "balance", 10_000, 10_000, "Deposit"),
        deal(6001, "buy", "in", 3000, order=5001),
        deal(6002, "sell", "out", 2990, order=5002, hour=11, profit=-400, balance=9_600, comment="[sl 2990.00]"),
    ],
    open_=[[at(12), 5003, "XAUUSD", "sell", "0.1", 2991, None, None, 2992, 0, -10, None]],
)


def read(rows: Rows, options: Options | None = None) -> tuple[list[SourceRow], Mt5Report]:
    """What the rows give, read twice as a file is."""
    options = options or Options(instruments=KNOWN)
    first = Mt5Report(options, clock(), clock())
    list(first.rows(enumerate(rows, start=1)))
    reader = Mt5Report(options, clock(), clock(), first.told)
    return list(reader.rows(enumerate(rows, start=1))), reader


def reckoned(rows: Rows) -> Reckoning:
    return read(rows)[1].reckoning


def given_by(rows: list[SourceRow]) -> list[object]:
    return [row.records for row in rows if row.records]


# --- languages --------------------------------------------------------------------------------------------------------

HEADINGS = (ORDERS, DEALS, POSITIONS, OPEN)
TITLES = {
    "Positions": "positions",
    "Orders": "orders",
    "Deals": "deals",
    "Open Positions": "positions",
    "Results": "results",
}


def in_language(language: str, choose: "st.DataObject | None" = None) -> Rows:
    """The report with the headings of *language*, one of the words it has for each, or the first."""
    words: dict[str, list[str]] = {term: [] for term in TERMS}
    for each, terms in WORDS[language].items():
        for term in terms:
            words[term].append(each)

    def word(term: str) -> str:
        known = words[plain(term).replace("/", " / ") if plain(term).replace("/", " / ") in words else plain(term)]
        return choose.draw(st.sampled_from(known)) if choose else known[0]

    written: list[Sequence[object]] = []
    for row in WHOLE:
        if row in HEADINGS:
            written.append([cell and word(str(cell)) for cell in row])
        elif len(row) == 1:
            written.append([word(TITLES[str(row[0])])] if row[0] in TITLES else ["?"])
        elif row[0] == "Account:":
            written.append([f"{word('account')}:", None, None, ACCOUNT])
        else:
            written.append(row)
    return written


@cache
def given_by_whole() -> list[object]:
    return given_by(read(WHOLE)[0])


@pytest.mark.parametrize("language", WORDS)
@settings(max_examples=10)  # in each of the languages
@given(data=st.data())
def test_a_report_gives_the_same_in_every_language_and_whichever_of_its_words_the_terminal_has(
    language: str, data: st.DataObject
) -> None:
    rows, reader = read(in_language(language, data))
    assert given_by(rows) == given_by_whole()
    assert (reader.notes, reasons(rows)) == ([], [])


def test_headings_in_no_known_language_are_read_by_their_place_and_that_is_told() -> None:
    unknown = [[f"w{cell}" if cell else cell for cell in row] if row in HEADINGS else row for row in WHOLE]
    unknown = [["wTitle"] if len(row) == 1 else row for row in unknown]
    rows, reader = read(unknown)
    assert given_by(rows) == given_by_whole()
    assert len(reader.notes) == 4
    assert "'wProfit'" in reader.notes[0]


def test_a_heading_that_is_unknown_among_known_ones_is_read_by_its_place() -> None:
    rows, reader = read([["Gewinst" if cell == "Profit" else cell for cell in row] for row in WHOLE])
    assert given_by(rows) == given_by_whole()
    assert reader.notes[0] == "headings in no language known here were read by their place, in positions: 'Gewinst'"


def test_a_table_of_unknown_headings_whose_rows_do_not_fit_is_refused_with_the_way_out() -> None:
    odd = [*report()[:3], ["w"], [f"w{name}" for name in DEALS], ["x" * 3, *range(13)]]
    with pytest.raises(
        Unreadable, match=r"the headings wTime, wDeal, .* are in no language known here: choose English"
    ):
        read(odd)


def test_the_words_of_a_language_do_not_contradict_its_tables() -> None:
    for language, words in WORDS.items():
        essential = {"time", "order", "deal", "position", "symbol", "type", "direction", "volume", "price", "profit"}
        known = set[str]().union(*words.values())
        assert essential <= known, language


# --- pages ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("comments", [True, False])
def test_a_page_gives_what_the_workbook_gives(comments: bool) -> None:
    page = [row.spread for row in html_rows([mt5_page(WHOLE, comments=comments)])]
    assert [cells[1:] for cells in map(str, given_by(read(list(page))[0]))] == [
        cells[1:] for cells in map(str, given_by_whole())
    ]


def test_times_and_tickets_of_a_spreadsheet_are_those_of_the_text() -> None:
    def with_(cell: object, ending: str, *, as_time: bool) -> object:
        if not isinstance(cell, str) or not re.fullmatch(r"2026\.03\.03 \d\d:00:00", cell):
            return float(cell) if as_time and isinstance(cell, int) and 5000 < cell < 7000 else cell
        return datetime.strptime(cell + ending, "%Y.%m.%d %H:%M:%S.%f") if as_time else cell + ending  # noqa: DTZ007

    for ending in (".000000", ".417000"):
        texts, cells = ([[with_(cell, ending, as_time=way) for cell in row] for row in WHOLE] for way in (False, True))
        assert [str(one) for one in given_by(read(cells)[0])] == [str(one) for one in given_by(read(texts)[0])]


@pytest.mark.parametrize("ticket", [1234567890123457000, 1.2345678901234568e18, 12.5, "12a", "1e5", "-3"])
def test_a_ticket_that_a_spreadsheet_rounded_or_that_is_none_is_a_bad_row(ticket: Any) -> None:
    rows, _ = read(report(orders=[order(ticket), order(7)], positions=[position(ticket)]))
    assert len(given_by(rows)) == 1
    assert len(reasons(rows)) == 2
    as_text: Any = "12345678901234567890"  # of a page
    assert len(given_by(read(report(orders=[order(as_text)]))[0])) == 1


# --- orders -----------------------------------------------------------------------------------------------------------


def test_an_order_at_market_asks_for_no_price() -> None:
    rows, _ = read(report(orders=[order(1), order(2, price=3000)]))
    assert [each.get("price") for each in records(rows, Kind.ORDERS)] == [None, "3000"]


@pytest.mark.parametrize(
    ("price", "asked", "limit"),
    [
        (3010, "3010", None),
        ("3010.00 / 3005.00", "3010.00", "3005.00"),
        ("3010 (3005)", "3010", "3005"),
    ],
)
def test_a_stop_limit_order_asks_for_its_stop_and_keeps_its_limit(price: object, asked: str, limit: str | None) -> None:
    (row,) = records(read(report(orders=[order(1, "buy stop limit", price=price)]))[0], Kind.ORDERS)
    assert (row["type"], row["price"], row.get("limit_price")) == ("stop_limit", asked, limit)


def test_what_closed_a_position_stands_with_the_deal_that_closed_it() -> None:
    stopped_out = deal(2, "sell", "out", 2990, order=7, hour=11, profit=-400, comment="[so 18.80%/0.94/5.00]")
    rows, _ = read(report(positions=[position(1)], orders=[order(7, "sell", comment="[so 18.80%/0.94/5.00]")],
                          deals=[stopped_out]))  # fmt: skip
    (closed,), (placed,) = records(rows, Kind.POSITIONS), records(rows, Kind.ORDERS)
    assert (closed["close_reason"], closed["margin_level"]) == ("stop_out", "18.80")
    assert (placed["type"], placed.get("price")) == ("stop_out", None)


def test_a_position_that_several_deals_may_have_closed_for_other_reasons_has_none() -> None:
    marks = [deal(n, "sell", "out", 2990, hour=11, comment=mark) for n, mark in ((2, "[sl 2990.00]"), (3, "[so 40%]"))]
    (closed,) = records(read(report(positions=[position(1)], deals=list(marks)))[0], Kind.POSITIONS)
    assert "close_reason" not in closed


@pytest.mark.parametrize("comment", ["so far so good", "SL moved by hand", "tp soon", "sl 2990 tp 3010"])
def test_what_a_customer_wrote_is_no_mark_of_the_server(comment: str) -> None:
    closing = deal(2, "sell", "out", 2990, order=7, hour=11, profit=-400, comment=comment)
    rows, _ = read(report(positions=[position(1)], orders=[order(7, "sell", comment=comment)], deals=[closing]))
    (closed,), (placed,) = records(rows, Kind.POSITIONS), records(rows, Kind.ORDERS)
    assert (placed["type"], "close_reason" in closed) == ("market", False)


def test_an_order_that_opened_a_position_was_no_stop_of_one_whatever_its_comment_is_like() -> None:
    opening = deal(1, "buy", "in", 3000, order=6, comment="sl 2990")
    (placed,) = records(read(report(orders=[order(6, comment="sl 2990")], deals=[opening]))[0], Kind.ORDERS)
    assert placed["type"] == "market"


# --- whose report it is -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("there", [None, ACCOUNT])
def test_a_file_of_two_accounts_is_refused_whatever_it_is_booked_under(there: str | None) -> None:
    options = Options(instruments=KNOWN, account=there)
    other = report(deals=[money(2, "balance", 5, 5)], account="70099999 (USD, Example-Server, real, Hedge)")
    with pytest.raises(Unreadable, match="it is of two accounts, 70012345 and 70099999"):
        read([*report(deals=[money(1, "balance", 5, 5)]), *other], options)
    statements = mt4_statement(mt4_balance(1, "5.00", "Deposit")) + mt4_statement(account="70099999")
    with pytest.raises(Unreadable, match="it is of two accounts, 70012345 and 70099999"):
        list(Mt4Statement(options, clock(), clock()).rows(html_rows([statements])))


def test_rows_booked_under_another_account_than_the_file_names_are_told() -> None:
    options = Options(instruments=KNOWN, account="C-1")
    rows, reader = read(WHOLE, options)
    assert {each["account"] for each in records(rows, Kind.FILLS)} == {"C-1"}
    statement = Mt4Statement(options, clock(), clock())
    list(statement.rows(html_rows([mt4_statement()])))
    said = "it is of the account 70012345; its rows are booked under C-1, as --account says"
    assert reader.notes == statement.notes == [said]
    assert read(WHOLE)[1].notes == []


# --- what ends a table ------------------------------------------------------------------------------------------------


def test_a_section_that_nobody_knows_ends_the_one_before() -> None:
    more: list[Sequence[object]] = [
        ["Swap Details"],
        ["Symbol", "Days", "Sum"],
        ["XAUUSD", 3, -1.2],
        [at(10), "XAUUSD", "?"],
    ]
    rows, reader = read([*WHOLE[:6], *more, *WHOLE[6:]])
    assert reasons(rows) == []
    assert given_by(rows) == given_by_whole()
    assert reader.reckoning.differences == []


# --- deals ------------------------------------------------------------------------------------------------------------

CLOSE_BY = report(
    positions=[
        [at(10), 7001, "XAUUSD", "buy", "0.4", 3000, None, None, at(11), 2995, 0, 0, -200],
        [at(10), 7002, "XAUUSD", "sell", "0.4", 2995, None, None, at(11), 2995, 0, 0, 0],
    ],
    orders=[order(7001), order(7002, "sell"), order(7003, "close by", price=2995, comment="close #7001 by #7002")],
    deals=[
        money(8000, "balance", 10_000, 10_000),
        deal(8001, "buy", "in", 3000, order=7001),
        deal(8002, "sell", "in", 2995, order=7002),
        deal(
            8003,
            "sell",
            "out by",
            2995,
            order=7003,
            hour=11,
            profit=-200,
            balance=9_800,
            comment="close #7001 by #7002",
        ),
        deal(8004, "buy", "out by", 3000, order=7003, hour=11, balance=9_800, comment="close #7002 by #7001"),
    ],
)


def test_a_position_closed_by_its_opposite_is_kept_and_reckoned_with_it() -> None:
    rows, reader = read(CLOSE_BY)
    assert (reasons(rows), reader.reckoning.differences) == ([], [])
    closing = records(rows, Kind.ORDERS)[2]
    assert (closing["type"], closing["side"], closing["position"]) == ("close_by", "sell", "MT5:70012345:7001")
    assert "price" not in closing
    assert [fill.get("position") for fill in records(rows, Kind.FILLS)][2:] == [
        "MT5:70012345:7001",
        "MT5:70012345:7002",
    ]


def test_a_pair_of_close_by_deals_with_the_wrong_profit_is_told() -> None:
    wrong = [[-201 if cell == -200 else cell for cell in row] for row in CLOSE_BY]
    assert "profit of deals 8003 and 8004: states -201, its rows give -200.00" in reckoned(wrong).differences


def test_a_close_by_order_of_which_no_deal_tells_the_side_is_a_bad_row() -> None:
    rows, _ = read(report(orders=[order(7003, "close by", comment="close #7001 by #7002")]))
    assert reasons(rows) == ["type: 'close by', and no deal of the report tells which side it closed"]


NETTING = report(
    account="70012345 (USD, Example-Server, real, Netting)",
    deals=[
        money(1, "balance", 10_000, 10_000),
        deal(2, "buy", "in", 3000, order=2),
        deal(3, "buy", "in", 3010, order=3),
        deal(4, "sell", "in/out", 3010, order=4, volume="1.0", profit=400, balance=10_400),
        deal(5, "buy", "out", 3000, order=5, volume="0.2", profit=200, balance=10_600),
    ],
)


def test_a_net_position_that_turns_closes_at_its_average_price_and_opens_the_rest() -> None:
    rows, reader = read(NETTING)
    assert (reasons(rows), reader.reckoning.differences) == ([], [])
    assert [fill["effect"] for fill in records(rows, Kind.FILLS)] == ["open", "open", "reverse", "close"]
    assert reader.reckoning.summary()[0].startswith("2 closed trades")


@pytest.mark.parametrize(("profit", "reckoned_again"), [(400, 2), (401, 1)])
def test_a_net_position_that_was_opened_and_turned_within_a_period_is_reckoned(
    profit: int, reckoned_again: int
) -> None:
    """The report begins in the middle of an account: another profit may be that of what was opened before."""
    opened = [deal(2, "buy", "in", 3000, order=2, balance=15_000), deal(3, "buy", "in", 3010, order=3, balance=15_000)]
    turned = deal(4, "sell", "in/out", 3010, order=4, volume="1.0", profit=profit, balance=15_000 + profit)
    closed = deal(5, "buy", "out", 3000, order=5, volume="0.2", profit=200, balance=15_200 + profit)
    of_a_period = reckoned(report(account="70012345 (USD, S, real, Netting)", deals=[*opened, turned, closed]))
    assert of_a_period.differences == []
    assert of_a_period.summary()[0].startswith(f"{reckoned_again} closed trades")


def test_a_report_of_a_period_is_not_blamed_for_what_was_opened_before_it() -> None:
    (period,) = (report(deals=[deal(4, "sell", "out", 3010, order=4, profit=400, balance=15_400)]),)
    assert reckoned(period).differences == []
    assert (
        reckoned(period).summary()[1] == "1 closed trades not reckoned, closed what was opened before the report begins"
    )


@pytest.mark.parametrize("amount", [Decimal("0.01"), Decimal(-3)])
def test_the_balance_runs_from_deal_to_deal_in_a_period_too(amount: Decimal) -> None:
    deals: Rows = [money(1, "balance", 100, 5_100), money(2, "charge", -5, Decimal(5_095) + amount, "fee")]
    assert len(reckoned(report(deals=deals)).differences) == 1


@pytest.mark.parametrize("lent_first", [True, False])
@pytest.mark.parametrize("counted", [True, False])
def test_credit_may_stand_in_the_balance_or_beside_it(lent_first: bool, counted: bool) -> None:
    lent = Decimal(500 if counted else 0)
    if lent_first:
        deals = [money(1, "credit", 500, lent), money(2, "balance", 10_000, 10_000 + lent)]
    else:
        deals = [money(1, "balance", 10_000, 10_000), money(2, "credit", 500, 10_000 + lent)]
    deals += [deal(3, "buy", "in", 3000, order=3, balance=10_000 + lent),
              deal(4, "sell", "out", 2990, order=4, profit=-400, balance=9_600 + lent)]  # fmt: skip
    sums: Rows = [[None] * 8 + [0, 0, 0, 9_600 + lent, None, None]]
    assert reckoned(report(deals=[*deals, *sums])).differences == []
    deals[-1][-2] = 9_600 - lent - 1
    assert len(reckoned(report(deals=deals)).differences) == 1
