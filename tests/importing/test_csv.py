"""Rows of the trade log as CSV: what is understood, what is refused, and in which words."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from domain.ground.base import Identifier, Record
from domain.log.trade_log import (
    AccountEntry,
    AccountMessage,
    EntryKind,
    Fill,
    Instrument,
    Order,
    OrderType,
    Position,
    Quote,
    Side,
)
from starter.importing.formats.cells import Cells, to_cells
from starter.importing.formats.csv_templates import template
from starter.importing.formats.kinds import Kind
from starter.importing.formats.server_clock import ServerClock
from starter.importing.formats.trade_log_csv import BadHeader, ColumnMap, Layout, RowError

GOLD = frozenset({"XAUUSD"})


def parse(kind: Kind, cells: Sequence[str], columns: Sequence[str] | None = None) -> Cells | RowError:
    return Layout.of(columns or kind.columns).parse(7, cells, GOLD)


def error(kind: Kind, /, **cells: str) -> str:
    """What is said of a row with these cells."""
    outcome = parse(kind, tuple(cells.values()), tuple(cells))
    assert isinstance(outcome, RowError)
    assert outcome.line == 7
    return str(outcome)


GOOD: dict[Kind, dict[str, str]] = {
    Kind.INSTRUMENTS: {"symbol": "XAUUSD", "contract_size": "100", "currency": "USD", "digits": "2"},
    Kind.QUOTES: {
        "symbol": "XAUUSD",
        "source": "LP-1",
        "at": "2023-11-12T23:30:00Z",
        "bid": "1935.10",
        "ask": "1935.40",
    },
    Kind.BARS: {
        "symbol": "XAUUSD",
        "source": "LP-1",
        "period": "60",
        "at": "2023-11-12T23:30:00Z",
        "open": "1935.10",
        "high": "1936.00",
        "low": "1934.90",
        "close": "1935.55",
    },
    Kind.ORDERS: {
        "order": "O-1",
        "account": "70012345",
        "symbol": "XAUUSD",
        "side": "sell",
        "type": "stop_out",
        "volume": "1.20",
    },
    Kind.FILLS: {
        "fill": "F-1",
        "order": "O-1",
        "account": "70012345",
        "symbol": "XAUUSD",
        "side": "sell",
        "volume": "1.20",
        "price": "1909.66",
        "at": "2023-11-12T23:30:01Z",
    },
    Kind.POSITIONS: {
        "position": "P-1",
        "account": "70012345",
        "symbol": "XAUUSD",
        "side": "buy",
        "volume": "1.20",
        "open_price": "1935.92",
        "opened_at": "2023-11-12T23:27:00Z",
    },
    Kind.ACCOUNT_ENTRIES: {
        "entry": "E-1",
        "account": "70012345",
        "kind": "withdrawal",
        "amount": "-12000",
        "currency": "USD",
    },
    Kind.MESSAGES: {
        "message": "M-1",
        "account": "70012345",
        "at": "2023-11-12T23:34:00Z",
        "direction": "from_customer",
        "text": "Please look at your price.",
    },
}
for _kind in Kind:
    _header, _row = csv.reader(io.StringIO(template(_kind)))
    GOOD.setdefault(_kind, {name: cell for name, cell in zip(_header, _row, strict=True) if name in _kind.required})


@pytest.mark.parametrize("kind", Kind)
def test_the_kind_of_rows_is_recognised_by_its_header_in_any_order_case_and_spacing(kind: Kind) -> None:
    for columns in (kind.columns, kind.required, tuple(reversed(kind.columns))):
        assert Layout.of([f" {name.upper()} " for name in columns]).kind is kind


@pytest.mark.parametrize("kind", Kind)
def test_the_document_of_the_form_names_the_columns_and_the_key_of_every_kind(kind: Kind) -> None:
    columns = ", ".join(name if name in kind.required else f"[{name}]" for name in kind.columns)
    text = (Path(__file__).parents[2] / "docs" / "trade-log-csv.md").read_text(encoding="utf-8")
    assert f"| `{kind}` | {columns} | {', '.join(kind.key)} |" in text


@pytest.mark.parametrize("kind", Kind)
def test_columns_may_stand_in_any_order(kind: Kind) -> None:
    columns = tuple(reversed(GOOD[kind]))
    assert parse(kind, [GOOD[kind][name] for name in columns], columns) == parse(
        kind, tuple(GOOD[kind].values()), tuple(GOOD[kind])
    )


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("symbol,source,at,bid", "does not fit quotes: no column 'ask'"),
        ("symbol,source,at,bid,ask,volume2", "does not fit quotes: unknown column 'volume2'"),
        ("symbol,source,at,bid,bid,ask", "names bid twice"),
        ("symbol;source;at;bid;ask", "separated by ';': save it with commas"),
        ("symbol\tsource\tat\tbid\task", "save it with commas"),
        (
            "XAGUSD,LP-1,2023-11-12T23:30:00Z,22.1,22.2",
            "not a header of a kind of rows that is known here: instruments, quotes,",
        ),
        ("", "not a header of a kind of rows"),
    ],
)
def test_a_header_that_does_not_fit_is_refused_with_what_to_mend(header: str, said: str) -> None:
    with pytest.raises(BadHeader) as refused:
        Layout.of(header.split(","))
    assert said in str(refused.value)


def test_a_header_is_held_against_the_kind_that_was_named() -> None:
    with pytest.raises(
        BadHeader, match="does not fit fills: unknown column 'type', no column 'fill', no column 'price'"
    ):
        Layout.of(Kind.ORDERS.required, Kind.FILLS)


@pytest.mark.parametrize(
    ("kind", "field", "cell", "said"),
    [
        (Kind.QUOTES, "at", "2023-11-12 23:30:00", "at: has no UTC offset: end it with Z"),
        (Kind.QUOTES, "at", "1699831800", "at: must be an ISO 8601 instant such as 2023-11-12T23:30:00.250Z"),
        (Kind.QUOTES, "at", "12.11.2023 23:30:00", "at: must be an ISO 8601 instant"),
        (Kind.QUOTES, "at", "2023-11-31T23:30:00Z", "at: is not a moment of the calendar and clock"),
        (Kind.QUOTES, "at", "0001-01-01T00:00:00+23:00", "at: is not a moment of the calendar and clock"),
        (Kind.QUOTES, "bid", "1935,10", "bid: must be a decimal number with a point"),
        (Kind.QUOTES, "bid", "1,935.10", "bid: must be a decimal number with a point and no thousands separators"),
        (Kind.QUOTES, "bid", "1e3", "bid: must be a decimal number"),
        (Kind.QUOTES, "bid", "NaN", "bid: must be a decimal number"),
        (Kind.QUOTES, "bid", "１９３５", "bid: must be a decimal number"),
        (Kind.QUOTES, "bid", "9" * 30, "bid: must be a decimal number"),
        (Kind.QUOTES, "bid", "0", "bid: must be above 0"),
        (Kind.QUOTES, "bid", "-5", "bid: must be above 0"),
        (Kind.QUOTES, "bid", "1935.123456789", "bid: has more than 8 digits after the point"),
        (Kind.QUOTES, "bid", "12345678901", "bid: has more than 10 digits before the point"),
        (Kind.QUOTES, "bid", "1935.41", "bid is above ask"),
        (Kind.QUOTES, "bid", "", "bid: is missing"),
        (Kind.QUOTES, "bid", "  ", "bid: is missing"),
        (
            Kind.QUOTES,
            "symbol",
            "XAGUSD",
            "symbol: XAGUSD is not a known instrument: import its instruments file first",
        ),
        (Kind.QUOTES, "source", "a provider", "source: must be 1 to 100 letters, digits and . _ : @ / # -"),
        (Kind.ORDERS, "side", "long", "side: must be one of 'buy' or 'sell'"),
        (
            Kind.ORDERS,
            "type",
            "trailing",
            "type: must be one of 'market', 'limit', 'stop', 'stop_loss', 'take_profit', ",
        ),
        (Kind.ORDERS, "volume", "0.0000001", "volume: has more than 6 digits after the point"),
        (Kind.ORDERS, "symbol", "XAGUSD", "symbol: XAGUSD is not a known instrument"),
        (Kind.FILLS, "symbol", "XAGUSD", "symbol: XAGUSD is not a known instrument"),
        (Kind.POSITIONS, "symbol", "XAGUSD", "symbol: XAGUSD is not a known instrument"),
        (Kind.INSTRUMENTS, "currency", "US$", "currency: must be an ISO 4217 code of three letters such as USD"),
        (Kind.INSTRUMENTS, "currency", "GBp", "currency: GBp is a hundredth of GBP"),
        (Kind.INSTRUMENTS, "currency", "XXQ", "currency: unknown currency: use an ISO 4217 code"),
        (Kind.INSTRUMENTS, "digits", "2.5", "digits: must be a whole number"),
        (Kind.INSTRUMENTS, "digits", "9", "digits: must be 8 or less"),
        (
            Kind.ACCOUNT_ENTRIES,
            "amount",
            "12000",
            "the amount of a withdrawal must be below zero; book a reversal as an",
        ),
        (Kind.ACCOUNT_ENTRIES, "kind", "deposit", "the amount of a deposit must be above zero; book a reversal as an"),
        (Kind.MESSAGES, "direction", "in", "direction: must be one of 'from_customer' or 'to_customer'"),
        (Kind.MESSAGES, "text", "x" * 20_001, "text: is longer than 20000 characters"),
    ],
)
def test_a_bad_value_is_refused_naming_field_reason_and_way_out(kind: Kind, field: str, cell: str, said: str) -> None:
    assert error(kind, **{**GOOD[kind], field: cell}).startswith(said)


def test_a_note_is_one_line() -> None:
    assert (
        error(Kind.ACCOUNT_ENTRIES, **GOOD[Kind.ACCOUNT_ENTRIES], note="a\nb") == "note: must be one line without tabs"
    )


def test_a_position_is_not_closed_before_it_was_opened() -> None:
    said = error(Kind.POSITIONS, **GOOD[Kind.POSITIONS], closed_at="2023-11-12T23:26:59Z")
    assert said == "closed_at is before opened_at"


@pytest.mark.parametrize("cells", [["XAUUSD", "LP-1"], [*GOOD[Kind.QUOTES].values(), ""], []])
def test_a_row_with_other_columns_than_the_header_is_refused_as_a_whole(cells: list[str]) -> None:
    outcome = parse(Kind.QUOTES, cells)
    assert isinstance(outcome, RowError)
    assert outcome.field is None
    assert outcome.reason.startswith(f"has {len(cells)} values where the header has 5")


def test_instants_of_every_offset_are_kept_in_utc_and_absent_values_stay_absent() -> None:
    cells = {**GOOD[Kind.FILLS], "at": "2023-11-13 01:30:01.1234567+02:00", "source": ""}
    outcome = parse(Kind.FILLS, tuple(cells.values()), tuple(cells))
    assert outcome == (
        "F-1",
        "O-1",
        "70012345",
        "XAUUSD",
        "sell",
        "1.20",
        "1909.66",
        "2023-11-12T23:30:01.123456Z",
        *[None] * 7,
    )


def test_words_are_understood_in_any_case() -> None:
    cells = {**GOOD[Kind.ORDERS], "side": "Sell", "type": "STOP_OUT"}
    assert parse(Kind.ORDERS, tuple(cells.values()), tuple(cells)) == parse(
        Kind.ORDERS, tuple(GOOD[Kind.ORDERS].values()), tuple(GOOD[Kind.ORDERS])
    )


# --- files with other columns and times ------------------------------------------------------------------------------

FOREIGN = ["time_server", "time_utc", "open", "high", "low", "close", "tick_volume"]
FOREIGN_BAR = ["2026-02-16 02:07:00", "2026-02-16T00:07:00Z", "5010.5", "5014.78", "5010.5", "5014.77", "271"]
TO_BARS = ColumnMap(
    {"at": "time_utc", "ticks": "tick_volume"}, {"symbol": "XAUUSD", "source": "broker", "period": "60"}
)


def test_columns_of_other_names_are_mapped_to_fields_and_the_rest_is_left_out() -> None:
    layout = Layout.of(FOREIGN, mapping=TO_BARS)
    assert layout.kind is Kind.BARS
    assert layout.parse(2, FOREIGN_BAR, GOLD) == (
        *("XAUUSD", "broker", "60", "2026-02-16T00:07:00Z", "5010.5", "5014.78", "5010.5", "5014.77"),
        *(None, "271"),
    )
    short = layout.parse(3, FOREIGN_BAR[:-1], GOLD)
    assert isinstance(short, RowError)
    assert short.reason.startswith("has 6 values where the header has 7")


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        (ColumnMap({"at": "time"}, {}), "there is no column 'time' for at"),
        (ColumnMap({"moment": "time_utc"}, {}), "there is no field moment to map a column to"),
        (ColumnMap({"at": "time_utc"}, {"at": "2026-02-16T00:07:00Z"}), "at is mapped to a column and has a value"),
        (ColumnMap({"at": "time_utc"}, {}), "name it with --kind"),
    ],
)
def test_a_mapping_that_does_not_fit_the_file_is_refused(mapping: ColumnMap, said: str) -> None:
    with pytest.raises(BadHeader, match=said):
        Layout.of(FOREIGN, mapping=mapping)


def test_times_without_an_offset_are_those_of_the_clock_named() -> None:
    clock = ServerClock.named("NY+7")
    layout = Layout.of(
        FOREIGN, mapping=ColumnMap({**TO_BARS.columns, "at": "time_server"}, TO_BARS.values), clock=clock
    )
    assert layout.parse(2, FOREIGN_BAR, GOLD) == Layout.of(FOREIGN, mapping=TO_BARS).parse(2, FOREIGN_BAR, GOLD)
    for hour, said in (("2026-03-08 09:30:00", "never"), ("2026-11-01 08:30:00", "twice")):
        outcome = layout.parse(2, [hour, *FOREIGN_BAR[1:]], GOLD)
        assert isinstance(outcome, RowError)
        assert outcome.reason == f"the clock NY+7 showed this time {said}: give its offset"


def test_digits_finer_than_microseconds_are_dropped_not_rounded() -> None:
    cells = {**GOOD[Kind.QUOTES], "at": "2023-11-12T23:30:00.9999999Z"}
    outcome = parse(Kind.QUOTES, tuple(cells.values()))
    assert not isinstance(outcome, RowError)
    assert outcome[2] == "2023-11-12T23:30:00.999999Z"


# --- properties -------------------------------------------------------------------------------------------------------

IDENTIFIERS = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._:@/#-]{0,30}\Z")
INSTANTS = st.datetimes(timezones=st.just(UTC))
LATER = st.datetimes(min_value=datetime(2024, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
PRICES = st.decimals(min_value="0.00000001", max_value="9999999999.99999999", places=8)
LOTS = st.decimals(min_value="0.01", max_value="99999", places=2)
SUMS = st.decimals(min_value=-(10**9), max_value=10**9, places=2)
LINES = st.text(max_size=50).map(lambda text: "n" + "".join(text.split()))
SIDES = st.sampled_from(Side)
GOLD_SYMBOL = st.just("XAUUSD")


def positions() -> st.SearchStrategy[Position]:
    reasons = get_args(get_args(Position.model_fields["close_reason"].annotation)[0])
    return st.builds(
        Position,
        position=IDENTIFIERS,
        account=IDENTIFIERS,
        symbol=GOLD_SYMBOL,
        side=SIDES,
        volume=LOTS,
        open_price=PRICES,
        opened_at=st.datetimes(max_value=datetime(2023, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
        close_price=st.none() | PRICES,
        closed_at=st.none() | LATER,
        close_reason=st.none() | st.sampled_from(reasons),
        margin_level=st.none() | SUMS,
        stop_out_level=st.none() | SUMS,
        swap=SUMS,
    )


RECORDS: st.SearchStrategy[Record] = st.one_of(
    st.builds(
        Instrument,
        symbol=IDENTIFIERS,
        contract_size=LOTS,
        currency=st.sampled_from(["USD", "JPY", "HKD"]),
        digits=st.integers(0, 8),
    ),
    st.builds(
        lambda prices, **more: Quote(bid=min(prices), ask=max(prices), **more),
        prices=st.tuples(PRICES, PRICES),
        symbol=GOLD_SYMBOL,
        source=IDENTIFIERS,
        at=INSTANTS,
    ),
    st.builds(
        Order,
        order=IDENTIFIERS,
        account=IDENTIFIERS,
        symbol=GOLD_SYMBOL,
        side=SIDES,
        type=st.sampled_from(OrderType),
        volume=LOTS,
        price=st.none() | PRICES,
        position=st.none() | IDENTIFIERS,
        sent_at=st.none() | INSTANTS,
        received_at=st.none() | INSTANTS,
    ),
    st.builds(
        Fill,
        fill=IDENTIFIERS,
        order=IDENTIFIERS,
        account=IDENTIFIERS,
        symbol=GOLD_SYMBOL,
        side=SIDES,
        volume=LOTS,
        price=PRICES,
        at=INSTANTS,
        source=st.none() | IDENTIFIERS,
    ),
    positions(),
    st.builds(
        AccountEntry,
        entry=IDENTIFIERS,
        account=IDENTIFIERS,
        kind=st.sampled_from([EntryKind.ADJUSTMENT, EntryKind.FEE]),
        amount=SUMS,
        currency=st.just("USD"),
        requested_at=st.none() | INSTANTS,
        booked_at=st.none() | INSTANTS,
        note=st.none() | LINES,
    ),
    st.builds(
        AccountMessage,
        message=IDENTIFIERS,
        account=IDENTIFIERS,
        at=INSTANTS,
        direction=st.sampled_from(["from_customer", "to_customer"]),
        text=st.text(min_size=1).filter(lambda text: bool(text.strip())),
    ),
)


@given(record=RECORDS)
def test_every_row_comes_back_from_csv_as_it_was(record: Record) -> None:
    kind = next(kind for kind in Kind if kind.model is type(record))
    file = io.StringIO()
    csv.writer(file).writerows([kind.columns, to_cells(record)])
    header, row = csv.reader(io.StringIO(file.getvalue(), newline=""))

    cells = Layout.of(header).parse(2, row, GOLD)

    assert cells == to_cells(record)
    given = {name: cell for name, cell in zip(kind.columns, cells, strict=True) if cell is not None}
    assert type(record).model_validate(given) == record


def spoiled(good: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """A good cell, one with a few characters changed, or anything."""
    return st.one_of(
        good,
        st.tuples(good, st.integers(0, 30), st.text(" 0129.,:-+TZe\n٣a", max_size=3)).map(
            lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] :]
        ),
        st.text(max_size=12),
    )


PRICE_TEXT = st.one_of(
    PRICES.map(lambda price: f"{price:f}"), st.from_regex(r"\A[0-9]{1,12}(\.[0-9]{1,10})?\Z"), st.just("0")
)
INSTANT_TEXT = st.one_of(
    INSTANTS.map(lambda at: at.isoformat().replace("+00:00", "Z")),
    st.from_regex(
        r"\A20[0-9]{2}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9](:[0-6][0-9](\.[0-9]{1,9})?)?(Z|[+]02:00)?\Z"
    ),
)


@given(
    cells=st.tuples(
        spoiled(GOLD_SYMBOL), spoiled(IDENTIFIERS), spoiled(INSTANT_TEXT), spoiled(PRICE_TEXT), spoiled(PRICE_TEXT)
    )
)
def test_quotes_in_the_usual_order_of_columns_are_judged_as_the_model_judges_them(cells: tuple[str, ...]) -> None:
    """Quotes with the usual header have a quicker way through, which must make no difference."""
    turned = tuple(reversed(cells)), tuple(reversed(Kind.QUOTES.columns))
    quick, slow = parse(Kind.QUOTES, cells), parse(Kind.QUOTES, *turned)
    if isinstance(quick, RowError) or isinstance(slow, RowError):
        assert isinstance(quick, RowError)
        assert isinstance(slow, RowError)
    else:
        assert values(quick) == values(slow)


def values(cells: Cells) -> tuple[object, ...]:
    symbol, source, at, bid, ask = (cell or "" for cell in cells)
    TypeAdapter(Identifier).validate_python(source)
    return symbol, source, datetime.fromisoformat(at), Decimal(bid), Decimal(ask)


@given(kind=st.sampled_from(Kind), data=st.data())
def test_no_row_breaks_the_reading_and_no_reason_speaks_the_language_of_the_machinery(
    kind: Kind, data: st.DataObject
) -> None:
    cells = [data.draw(spoiled(st.just(GOOD[kind].get(name, "")))) for name in kind.columns]
    outcome = parse(kind, cells)
    if isinstance(outcome, RowError):
        for jargon in ("Input should", "pydantic", "Value error", "datetime", "Decimal", "None", "{", "type="):
            assert jargon not in outcome.reason
    else:
        assert len(outcome) == len(kind.columns)
