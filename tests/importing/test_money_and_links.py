"""What the rows of statements mean together: kinds of money, parts of a trade, sizes of lots, cents, code pages."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.log.trade_log import EntryKind, Instrument
from starter.importing.formats.balance_rows import entry_kind, entry_note
from starter.importing.formats.code_pages import ChineseLikelihood, utf_16
from starter.importing.formats.html_rows import html_rows
from starter.importing.formats.kinds import Kind
from starter.importing.formats.mt4_statement import Mt4Statement
from starter.importing.formats.source import Options, SourceRow, Unreadable
from tests.importing.statements import mt4_balance, mt4_statement, mt4_trade
from tests.importing.test_account_reports import money, position, report
from tests.importing.test_account_reports import read as read_mt5
from tests.importing.test_statements import KNOWN, clock, reasons, records

FEE, SWAP, ADJUSTMENT = EntryKind.FEE, EntryKind.SWAP, EntryKind.ADJUSTMENT


def read(page: str, options: Options | None = None) -> tuple[list[SourceRow], Mt4Statement]:
    """What the page gives, read twice as a file is."""
    options = options or Options(instruments=KNOWN)
    first = Mt4Statement(options, clock(), clock())
    list(first.rows(html_rows([page])))
    reader = Mt4Statement(options, clock(), clock(), first.told)
    return list(reader.rows(html_rows([page]))), reader


# --- kinds of money ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "kind"),
    [
        *((each, FEE) for each in ("charge", "commission", "commission daily", "agent", "agent commission monthly")),
        ("interest", SWAP),
        *((each, ADJUSTMENT) for each in ("credit", "bonus", "correction", "dividend", "franked dividend", "tax")),
    ],
)
def test_the_types_of_mt5_tell_the_kind_whatever_the_comment_says(type_: str, kind: EntryKind) -> None:
    assert {entry_kind(type_, Decimal(amount), note) for amount in (-5, 5) for note in ("", "Deposit")} == {kind}


@pytest.mark.parametrize(
    ("note", "kind"),
    [
        *(
            (each, FEE)
            for each in (
                "Inactivity fee",
                "手续费",
                "手續費",
                "手數料",
                "Commission",
                "出金手续费",
                "账户管理费",
                "VPS 03/2026",
                "Signal subscription",
                "Data feed",
                "信号订阅费",
            )
        ),
        *((each, SWAP) for each in ("Interest", "隔夜利息", "Swap", "Rollover 3 days", "库存费", "過夜費")),
        *((each, ADJUSTMENT) for each in ("Negative balance correction", "Dividend XAU", "股息", "负余额清零", "赠金")),
        *((each, ADJUSTMENT) for each in ("Correction", "Welcome bonus", "Tax", "返佣", "手续费返还", "冲正")),
        *((each, ADJUSTMENT) for each in ("Withdrawal #12 cancelled", "Rejected withdrawal", "出金退回", "提现失败")),
        *((each, ADJUSTMENT) for each in ("Reverse withdrawal", "Storno deposit", "NBP", "Reset to zero", "归零")),
        *((each, EntryKind.WITHDRAWAL) for each in ("To a swap-free account", "免隔夜利息账户出金")),
        *((each, EntryKind.WITHDRAWAL) for each in ("Withdrawal", "出金", "", "Payment, no fee", "Credit card")),
    ],
)
def test_the_words_of_a_balance_row_tell_its_kind_in_both_languages_and_platforms_alike(
    note: str, kind: EntryKind
) -> None:
    (mt4,) = records(read(mt4_statement(mt4_balance(1, "-5.00", note)))[0], Kind.ACCOUNT_ENTRIES)
    (mt5,) = records(read_mt5(report(deals=[money(1, "balance", -5, 0, note)]))[0], Kind.ACCOUNT_ENTRIES)
    assert (mt4["kind"], mt4.get("note", "")) == (mt5["kind"], mt5.get("note", "")) == (kind, note)


def test_a_fee_is_noted_alike_whether_by_type_or_by_words_and_an_adjustment_says_its_type() -> None:
    assert (
        entry_note("charge", FEE, "Inactivity fee") == entry_note("balance", FEE, "Inactivity fee") == "Inactivity fee"
    )
    assert entry_note("tax", ADJUSTMENT, "2026") == "tax: 2026"
    assert entry_note("charge", FEE, "") == "charge"


# --- parts of a trade -------------------------------------------------------------------------------------------------


@given(parts=st.lists(st.integers(1, 9), min_size=2, max_size=5), data=st.data())
def test_a_trade_closed_in_parts_was_opened_once_however_many_statements_tell_of_it(
    parts: list[int], data: st.DataObject
) -> None:
    """Each statement is made after some of the closings: the rest is an open trade under the ticket it has then."""
    fills: dict[str, dict[str, str]] = {}
    for closed in sorted(data.draw(st.sets(st.integers(0, len(parts)), min_size=1))):
        rows = []
        for n, lots in enumerate(parts[:closed], start=1):
            comment = f"to #{n + 1}" if n < len(parts) else f"from #{n - 1}"
            rows.append(mt4_trade(n, "buy", size=f"0.{lots:02}", comment=comment))
        left = sum(parts[closed:])
        rest = mt4_trade(closed + 1, "buy", size=f"0.{left:02}", closed="&nbsp;",
                         comment=f"from #{closed}" if closed else "")  # fmt: skip
        found, reader = read(mt4_statement("".join(rows), open_=rest if left else ""))
        assert (reasons(found), reader.notes) == ([], [])
        for fill in records(found, Kind.FILLS):
            assert fills.setdefault(fill["fill"], fill) == fill
    opened = sum(Decimal(fill["volume"]) for fill in fills.values() if fill["effect"] == "open")
    assert opened == Decimal(sum(parts)) / 100


@pytest.mark.parametrize("comment", ["to #2", "partial close", ""])
def test_either_part_of_a_trade_may_name_the_other(comment: str) -> None:
    parts = [mt4_trade(1, size="0.10", comment=comment), mt4_trade(2, size="0.20", comment="split from #1")]
    for page in (mt4_statement("".join(parts)), mt4_statement("".join(reversed(parts)))):
        found, reader = read(page)
        assert [fill["volume"] for fill in records(found, Kind.FILLS) if fill["effect"] == "open"] == ["0.30"]
        assert reader.notes == []


def test_the_opening_of_a_trade_whose_rest_is_in_no_statement_is_left_out_and_that_is_told() -> None:
    found, reader = read(mt4_statement(mt4_trade(1, comment="to #2")))
    assert [fill["effect"] for fill in records(found, Kind.FILLS)] == ["close"]
    assert reader.notes[0].startswith("1 trades closed in part go on under a ticket that is not in this statement")


def test_of_two_trades_closed_against_each_other_the_one_without_lots_has_those_of_the_other() -> None:
    pair = mt4_trade(1, "buy", comment="close hedge by #2", profit="800.00") + mt4_trade(
        2, price="4545.79", size="0.00", comment="close hedge by #1", profit="0.00"
    )
    found, reader = read(mt4_statement(pair))
    assert (reasons(found), reader.reckoning.differences) == ([], [])
    assert [row["volume"] for row in records(found, Kind.POSITIONS)] == ["1.00", "1.00"]
    assert {row["type"] for row in records(found, Kind.ORDERS)} == {"close_by"}
    alone, _ = read(mt4_statement(mt4_trade(2, size="0.00", comment="close hedge by #1")))
    assert reasons(alone) == ["size: is 0.00, and the trade #1 that it was closed by is not in this statement"]


SUMMARY = "<tr><td><b>Balance:</b></td><td><b>{}</b></td></tr>"


def test_a_statement_of_a_period_begins_with_a_balance_and_is_not_blamed_for_it() -> None:
    _, reader = read(mt4_statement(mt4_trade(1), summary=SUMMARY.format("9 200.00")))
    assert reader.reckoning.differences == []
    assert "it begins with a balance of 10,000.00, and cannot be compared with that" in reader.reckoning.summary()
    _, below = read(mt4_statement(mt4_trade(1), summary=SUMMARY.format("-900.00")))
    assert below.reckoning.differences == ["Balance: states -900.00, its rows give -800.00"]


@pytest.mark.parametrize("note", ["Negative balance correction", "NBP", "负余额清零"])
@pytest.mark.parametrize(("stated", "differ"), [("0.00", 0), ("40.00", 0), ("-0.01", 1)])
def test_a_period_may_begin_below_nothing_by_what_the_firm_made_good(note: str, stated: str, differ: int) -> None:
    page = mt4_statement(mt4_balance(1, "120.55", note), summary=SUMMARY.format(stated))
    assert len(read(page)[1].reckoning.differences) == differ


# --- sizes of lots and cents ------------------------------------------------------------------------------------------

TEN = Instrument(symbol="XAUUSD", contract_size=Decimal(10), currency="USD", digits=2)


def test_profits_of_another_size_of_a_lot_name_the_size() -> None:
    _, reader = read(mt4_statement(mt4_trade(1)), Options(instruments={"XAUUSD": TEN}))
    (said,) = reader.reckoning.sizes.misfits()
    assert "a lot of XAUUSD is 100 units, and 10 was given" in said
    assert "--instrument XAUUSD=100,USD,2" in said
    _, deals = read_mt5(report(positions=[position(1), position(2)]), Options(instruments={"XAUUSD": TEN}))
    assert "is 100 units" in deals.reckoning.sizes.misfits()[0]


@pytest.mark.parametrize(
    "trades",
    [
        mt4_trade(1, profit="-800.01"),  # the firm's own mistake
        mt4_trade(1, profit="800.00"),
        mt4_trade(1) + mt4_trade(2, profit="-80.00"),  # one of them agrees
        mt4_trade(1, profit="-80.00") + mt4_trade(2, profit="-8000.00"),  # they disagree with each other
    ],
)
def test_a_wrong_profit_is_no_other_size_of_a_lot(trades: str) -> None:
    _, reader = read(mt4_statement(trades))
    assert reader.reckoning.sizes.misfits() == []
    assert reader.reckoning.differences


def test_amounts_of_a_cent_account_are_booked_as_hundredths_in_the_currency() -> None:
    cents = mt4_statement(mt4_balance(1, "5 000.00", "Deposit") + mt4_trade(2, profit="-80 000.00")).replace(
        "Currency: USD", "Currency: USC"
    )
    found, reader = read(cents)
    (entry,), (closed,) = records(found, Kind.ACCOUNT_ENTRIES), records(found, Kind.POSITIONS)
    assert (Decimal(entry["amount"]), entry["currency"], Decimal(closed["profit"])) == (
        Decimal(50),
        "USD",
        Decimal(-800),
    )
    assert (reader.reckoning.differences, reader.reckoning.sizes.misfits()) == ([], [])
    assert "a cent account" in reader.reckoning.summary()[1]


def test_cents_that_call_themselves_dollars_stop_the_import_and_are_read_when_that_is_said() -> None:
    page = mt4_statement(mt4_trade(2, profit="-80 000.00"))
    (said,) = read(page)[1].reckoning.sizes.misfits()
    assert "if the account is kept in cents, name its currency with --currency, such as USC" in said
    found, reader = read(page, Options(instruments=KNOWN, currency="USC"))
    assert Decimal(records(found, Kind.POSITIONS)[0]["profit"]) == -800
    assert reader.reckoning.sizes.misfits() == []


@pytest.mark.parametrize(("stated", "given_"), [("XYZ", None), ("EUR", "USD"), ("EUR", "USC")])
def test_a_currency_that_is_none_or_not_the_one_named_is_refused(stated: str, given_: str | None) -> None:
    page = mt4_statement(mt4_trade(2)).replace("Currency: USD", f"Currency: {stated}")
    with pytest.raises(Unreadable, match="--currency"):
        read(page, Options(instruments=KNOWN, currency=given_))


def test_money_of_trades_is_of_no_currency_that_nobody_told() -> None:
    page = mt4_statement(mt4_trade(2)).replace("Currency: USD", "")
    assert [row.reason for row in read(page)[0] if row.reason] == [
        "currency: the file does not say it: name it with --currency"
    ]
    assert records(read(page, Options(instruments=KNOWN, currency="USC"))[0], Kind.POSITIONS)[0]["profit"] == "-8.00"


@pytest.mark.parametrize(("stated", "kept"), [("usd", "-800"), ("usc", "-8"), ("eur", "-800")])
def test_a_currency_in_small_letters_is_the_same_one(stated: str, kept: str) -> None:
    page = mt4_statement(mt4_trade(2)).replace("Currency: USD", f"Currency: {stated}")
    found, reader = read(page)
    assert [row.reason for row in found if row.reason] == []
    assert reader.reckoning.currency == stated.upper().replace("USC", "USD")
    assert Decimal(records(found, Kind.POSITIONS)[0]["profit"]) == Decimal(kept)
    assert read(page, Options(instruments=KNOWN, currency=stated.upper()))[1].reckoning.currency == (
        reader.reckoning.currency
    )


def test_pence_are_no_pounds() -> None:
    with pytest.raises(Unreadable, match="GBp, which is no currency known here: say with --currency"):
        read(mt4_statement(mt4_trade(2)).replace("Currency: USD", "Currency: GBp"))


@pytest.mark.parametrize(
    ("account", "currency"),
    [
        ("70012345 (usd, Example-Server, real, Hedge)", "USD"),
        ("70012345 (eur)", "EUR"),
        ("70012345 (USC, Example-Server, real, Hedge)", "USD"),
        ("70012345 (all of it, Example-Server, real, Hedge)", ""),  # the code of the lek, and a word
        ("70012345 (demo, Example-Server, Hedge)", ""),
    ],
)
def test_an_account_tells_its_currency_in_small_letters_and_no_word_is_taken_for_one(
    account: str, currency: str
) -> None:
    _, reader = read_mt5(report(account=account, positions=[position(1)]))
    assert reader.reckoning.currency == currency


# --- code pages -------------------------------------------------------------------------------------------------------


def reads_as_chinese(data: bytes) -> bool:
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        return False
    likelihood = ChineseLikelihood()
    likelihood.see(text)
    return likelihood.likely


@pytest.mark.parametrize("text", ["入金 Deposit", "预测[sl]", "出金手续费", "张伟，上海市浦东新区", "ASCII"])
def test_chinese_in_gbk_is_known_as_such(text: str) -> None:
    assert reads_as_chinese(text.encode("gbk"))


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        *((text, "big5") for text in ("入金手續費", "客戶帳戶餘額調整", "隔夜利息")),
        *((text, "shift_jis") for text in ("口座残高の入金", "ボーナス", "入金")),
        *((text, "cp1251") for text in ("Пополнение счета", "Снятие средств", "Комиссия")),
        *((text, "euc-kr") for text in ("입금 수수료", "계좌 이체", "출금")),
        ("Société Générale", "cp1252"),
    ],
)
def test_other_code_pages_are_not_taken_for_gbk(text: str, encoding: str) -> None:
    assert not reads_as_chinese(text.encode(encoding))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_known_with_and_without_its_mark(encoding: str) -> None:
    assert utf_16("<!DOCTYPE html><html><head><title>成交</title>".encode(encoding)) == encoding
    assert utf_16("<!DOCTYPE html>成交".encode()) is None
