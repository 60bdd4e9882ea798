"""Opens files of every format for the import: their rows one by one, in constant memory."""

import contextlib
import csv
import io
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple, NoReturn, Self, TextIO

from domain.log.trade_log import Instrument
from starter.importing import texts
from starter.importing.failing import REPEAT, ImportFailed
from starter.importing.formats import Format, prices, sniff, ticks
from starter.importing.formats.date_order import Contradiction, DateOrder, order_of
from starter.importing.formats.html_rows import HtmlRow, html_rows
from starter.importing.formats.kinds import Kind
from starter.importing.formats.mt4_statement import Mt4Statement
from starter.importing.formats.mt5_report import Mt5Report
from starter.importing.formats.own_profits import OwnProfits
from starter.importing.formats.plain_rows import plain_rows
from starter.importing.formats.server_clock import ServerClock, candidates, fit
from starter.importing.formats.source import Options, SourceRow, Unreadable, WallTimes, counted
from starter.importing.formats.trade_log_csv import BadHeader, BadRow, ColumnMap, Layout, RowError
from starter.importing.texts import (
    breaks_off,
    check_text,
    ends_its_line,
    numbered_lines,
    open_text,
    page_encoding,
    pieces_of,
    text_encoding,
)
from starter.importing.workbooks import is_workbook, sheet_rows

_CUT_OFF: Final = (
    "its last line does not end and is shorter than the one before: if the file was cut off there, the price in it is"
    " wrong"
)
_DOES_NOT_END: Final = "does not end: if the file was cut off there, the last value in it is wrong or missing"
_SAMPLE: Final = 200_000  # rows whose times tell which clocks are plausible
_METALS: Final = ("XAU", "XAG", "GOLD", "SILVER")
_MALFORMED = "is not well-formed CSV: put a value with commas or quotes in double quotes, and write a quote in it twice"


@dataclass(frozen=True)
class Reading:
    """How to read a file: what it does not tell itself. Everything may be left out where the file has it.

    ``source`` names who the prices come from, or the server whose tickets a statement has (they become
    ``source:account:ticket``). ``period`` is the length of a bar in seconds. ``columns`` is for CSV with names of its
    own, ``encoding`` for text that is not UTF-8. ``currency`` is that of a statement's amounts, or its cents (USC).
    ``dates`` says which of the first two numbers of a date is the day, where its year is last.
    """

    format: Format | None = None
    clock: ServerClock | None = None
    source: str | None = None
    account: str | None = None
    symbol: str | None = None
    period: int | None = None
    columns: ColumnMap = field(default_factory=ColumnMap)
    encoding: str | None = None
    currency: str | None = None
    dates: DateOrder | None = None


@dataclass(frozen=True)
class PlainRun:
    """Rows that follow each other in a CSV file, each plain on a line of its own: see
    `starter.importing.formats.plain_rows`.

    The database may take ``text`` as it stands; where it does not, ``judged`` has the rows one by one, as their model
    judges them.
    """

    layout: Layout
    known: Mapping[str, Instrument]
    name: str
    line: int
    text: str

    def __len__(self) -> int:
        return _lines_in(self.text)

    def judged(self) -> Iterator[SourceRow]:
        lines = _Lines(io.StringIO(self.text, newline=""), read=self.line - 1)
        return _parsed(_csv_rows(lines, self.name), self.layout, self.known)


class Source(contextlib.ExitStack):
    """An open file. ``rows`` may raise `ImportFailed`; the last two are complete when the rows have ended.

    A file with runs of plain rows has only one kind of rows, with the columns ``columns``, each ended by ``line_end``.
    """

    def __init__(self, path: Path, format_: Format, kinds: Sequence[Kind]) -> None:
        super().__init__()
        self.name = path.name
        self.size = path.stat().st_size
        self.format = format_
        self.kinds = kinds
        self.rows: Iterator[SourceRow | PlainRun] = iter(())
        self.columns: Sequence[str] | None = None
        self.line_end = "\n"
        self.done: Callable[[], int] = lambda: self.size
        self.reckoned: Callable[[], list[str]] = list
        self.warnings: Callable[[], list[str]] = list


@contextlib.contextmanager
def file_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ImportFailed(f"{path}: {error.strerror or error}.") from error


def open_source(
    path: Path, kind: Kind | None, reading: Reading, known: Mapping[str, Instrument], *, run: int = 1_000_000
) -> Source:
    """Open the file *path*; *known* are the instruments its rows may name. Raises `ImportFailed`.

    A `PlainRun` of its rows has at most *run* of them.
    """
    with file_errors(path):
        format_ = reading.format or _sniffed(path)
        if reading.format is None and format_ is Format.TICKS and (kind is not None or reading.columns):
            format_ = Format.CSV  # which was said: a guess gives way
        _refuse_what_concerns_nothing(path, format_, reading)
        if format_ is Format.CSV:
            return _csv(path, kind, reading, known, run)
        if kind is not None:
            raise ImportFailed(f"{path.name}: --kind is for CSV; this is {format_}, whose rows are of known kinds.")
        if reading.columns:
            raise ImportFailed(f"{path.name}: --map and --set are for CSV, and this is {format_}.")
        options = Options(reading.source, reading.account, reading.symbol, reading.period, known, reading.currency)
        if format_.about.has_lines:
            return _prices(path, format_, reading, options)
        return _report(path, format_, reading, options)


def _refuse_what_concerns_nothing(path: Path, format_: Format, reading: Reading) -> None:
    """Raise `ImportFailed` if something was said that nothing in a file of this format is read by."""
    bars = format_ is not Format.CSV and Kind.BARS in format_.about.kinds
    said = (
        ("--period", reading.period, bars),
        ("--currency", reading.currency, not format_.about.has_lines),
        ("--dates", reading.dates, format_ in _DATED or format_ is Format.CSV),
    )
    for option, given, concerns in said:
        if given is not None and not concerns:
            raise ImportFailed(f"{path.name}: {option} does not concern {format_}: leave it out.")


def _sniffed(path: Path) -> Format:
    with path.open("rb") as file:
        return sniff(file.read(64 << 10))


# --- prices of platforms and vendors ----------------------------------------------------------------------------------

_LINES = {
    Format.MT5_BARS: prices.mt5_bars,
    Format.MT5_TICKS: prices.mt5_ticks,
    Format.DUKASCOPY_TICKS: prices.dukascopy_ticks,
    Format.HISTDATA_TICKS: prices.histdata_ticks,
    Format.HISTDATA_BARS: prices.histdata_bars,
    Format.MT4_BARS: prices.mt4_bars,
    Format.TRUEFX_TICKS: ticks.truefx_ticks,
    Format.FXCM_TICKS: ticks.fxcm_ticks,
    Format.TICKS: ticks.plain_ticks,
}
_BARS: Final = frozenset({Format.MT5_BARS, Format.MT4_BARS})
_DATED: Final = frozenset({Format.TICKS, Format.FXCM_TICKS})
_UTC: Final = ServerClock.named("UTC")
_SAY_GMT: Final = frozenset({"UTC", "GMT", "UTC+0", "GMT+0", "UTC-0", "ETC/UTC"})


def _prices(path: Path, format_: Format, reading: Reading, options: Options) -> Source:
    encoding = text_encoding(path, reading.encoding)
    check_text(path, encoding)
    if format_ in _DATED:
        options = replace(options, dates=_date_order(path, reading, encoding))
        if reading.format is None and options.dates is DateOrder.DAY_FIRST:
            format_ = Format.TICKS  # FXCM writes the month first
    source = Source(path, format_, format_.about.kinds)
    options = _told_by_name(options, path, format_, encoding)
    symbols = {options.symbol or ""}
    clock = _clock_of(path, format_, reading, options, encoding)
    times = WallTimes(clock, ordered=True)
    with contextlib.ExitStack() as stack:
        stream = stack.enter_context(open_text(path, encoding))
        source.done = stream.buffer.tell
        rows = _LINES[format_](numbered_lines(stream), options, times)
        source.rows = _readable(rows if clock else _with_instants(rows, times), path.name)
        cut = [_CUT_OFF] if breaks_off(path, encoding) else []
        source.warnings = lambda: [
            *cut,
            *_misfit(times.clock, times.counted(), symbols),
            *(f"its seconds since 1970 {each}" for each in _misfit(_UTC, counted(times.since_1970), symbols)),
        ]
        source.push(stack.pop_all())
        return source


def _date_order(path: Path, reading: Reading, encoding: str) -> DateOrder | None:
    fxcm = DateOrder.MONTH_FIRST if reading.format is Format.FXCM_TICKS else None
    with open_text(path, encoding) as stream:
        try:
            return ticks.date_order(numbered_lines(stream), reading.dates or fxcm)
        except Unreadable as error:
            raise ImportFailed(f"{path.name}: {error}.") from None


def _clock_of(path: Path, format_: Format, reading: Reading, options: Options, encoding: str) -> ServerClock | None:
    """The clock of a file's times, ``None`` where each says itself when it was.

    What is stated counts before what a format is known for. A clock that concerns none of the times is refused, as are
    times of a clock that nobody named. Raises `ImportFailed`.
    """
    stated = reading.clock
    if format_ is Format.DUKASCOPY_TICKS:
        if stated is not None and stated.name.upper() not in _SAY_GMT:
            raise ImportFailed(
                f"{path.name}: its header says that its times are in GMT, or have their offset: --server-clock"
                f" {stated.name} does not concern them. Leave it out."
            )
        return format_.about.clock
    own = _own_clock(path, encoding) if format_ is Format.TICKS else format_.about.clock
    if format_ is Format.TICKS and own and stated and not _alike(own, stated):
        raise ImportFailed(
            f"{path.name}: its header says that its times are those of {own.name}: --server-clock {stated.name} does"
            " not concern them. Leave it out."
        )
    clock = stated or own
    if format_ is not Format.TICKS and clock is not None:
        return clock
    times = WallTimes(clock, ordered=True)
    read = 0
    with open_text(path, encoding) as stream:
        rows = _readable(_LINES[format_](numbered_lines(stream), options, times), path.name)
        for row in itertools.islice(rows, _SAMPLE if clock is None else 1_000):
            read += bool(row.records)
    if clock is None and times.hours:
        _refuse_without_clock(path.name, times.counted(), {options.symbol or ""})
    if stated is not None and read and not times.hours:
        raise ImportFailed(
            f"{path.name}: each of its times has its own offset: --server-clock {stated.name} does not concern them."
            " Leave it out."
        )
    return clock


def _alike(one: ServerClock, other: ServerClock) -> bool:
    names = {one.name.upper(), other.name.upper()}
    return len(names) == 1 or names <= _SAY_GMT


def _own_clock(path: Path, encoding: str) -> ServerClock | None:
    """The clock that the header of a file of ticks names."""
    with open_text(path, encoding) as stream:
        return next((ticks.clock_of(line) for _, line in numbered_lines(stream)), None)


def _with_instants(rows: Iterator[SourceRow], times: WallTimes) -> Iterator[SourceRow]:
    """The *rows*, without those whose time is of a clock that nobody named: they come after many that are instants."""
    for row in rows:
        if times.hours:
            times.hours.clear()
            yield SourceRow(row.line, row.text, reason=f"time: {ticks.WITHOUT_CLOCK}")
        else:
            yield row


# --- statements and reports -------------------------------------------------------------------------------------------


def _report(path: Path, format_: Format, reading: Reading, options: Options) -> Source:
    """A statement or report, read twice: once for what its rows tell of each other, and for what is wrong with it.

    So one that cannot be read to its end, or whose profits are those of another size of a lot, loads nothing.
    """
    source = Source(path, format_, format_.about.kinds)
    encoding = None if is_workbook(path) else page_encoding(path, reading.encoding)
    if encoding is None and reading.encoding is not None:
        raise ImportFailed(f"{path.name}: --encoding is for text, and this is a workbook.")

    def once(clock: ServerClock, stack: contextlib.ExitStack, before: _Reader | None = None) -> _Reader:
        times, other_times = (WallTimes(clock, ordered=False) for _ in range(2))
        if format_ is Format.MT4_STATEMENT:
            told = before.reader.told if before and isinstance(before.reader, Mt4Statement) else None
            mt4 = Mt4Statement(options, times, other_times, told)
            return _Reader(mt4, times, mt4.rows(_page_rows(path, encoding or "utf-8", source, stack)))
        told_ = before.reader.told if before and isinstance(before.reader, Mt5Report) else None
        mt5 = Mt5Report(options, times, other_times, told_)
        if encoding is None:
            rows, source.done = sheet_rows(path, stack)
            return _Reader(mt5, times, mt5.rows(rows))
        page = _page_rows(path, encoding, source, stack)
        return _Reader(mt5, times, mt5.rows((row.line, row.spread) for row in page))

    with contextlib.ExitStack() as stack:
        first = once(reading.clock or ServerClock.named("UTC"), stack)
        for _ in _readable(first.rows, path.name):
            pass
    if (clock := reading.clock) is None:
        _refuse_without_clock(path.name, first.times.counted(), first.reader.symbols)
    if misfits := first.reader.reckoning.sizes.misfits():
        raise ImportFailed(f"{path.name}: nothing was loaded: {'; '.join(misfits)}.")
    with contextlib.ExitStack() as stack:
        reader, times, rows = once(clock, stack, first)
        source.rows = _readable(rows, path.name)
        source.reckoned = reader.reckoning.summary
        source.warnings = lambda: [
            *reader.notes,
            *_misfit(clock, times.counted(), reader.symbols),
            *reader.reckoning.differences,
        ]
        source.push(stack.pop_all())
        return source


class _Reader(NamedTuple):
    """A reader at work, with the times it counts and the rows it gives."""

    reader: Mt4Statement | Mt5Report
    times: WallTimes
    rows: Iterator[SourceRow]


def _page_rows(path: Path, encoding: str, source: Source, stack: contextlib.ExitStack) -> Iterator[HtmlRow]:
    file = stack.enter_context(path.open("rb"))
    source.done = file.tell
    return html_rows(pieces_of(file, encoding))


def _readable(rows: Iterator[SourceRow], name: str) -> Iterator[SourceRow]:
    try:
        yield from rows
    except Unreadable as error:
        raise ImportFailed(f"{name}: {error}.") from None
    except (UnicodeDecodeError, OSError) as error:
        raise ImportFailed(f"{name}: cannot be read to its end ({error}). {REPEAT}") from error


def _told_by_name(options: Options, path: Path, format_: Format, encoding: str) -> Options:
    """The symbol, if it is a known one, and the period, as the file's name has them."""
    shorter, period = prices.mt4_name(path.name)
    for symbol in (prices.symbol_of(path.name), shorter):
        if options.symbol is None:
            with contextlib.suppress(BadRow):
                options = replace(options, symbol=options.instrument(symbol).symbol)
    if options.period is None and format_ is Format.MT4_BARS and period and options.symbol == shorter:
        options = replace(options, period=period)
    if options.period is None and format_ in _BARS:
        with open_text(path, encoding) as stream:
            first = [line for _, line in itertools.islice(numbered_lines(stream), 500)]
        options = replace(options, period=prices.period_of(path.name, first))
    return options


def _trades_at_night(symbols: set[str]) -> bool:
    """Whether one of *symbols* is none of the metals, which all have the daily break."""
    return not all(symbol.upper().startswith(_METALS) for symbol in symbols)


def _misfit(clock: ServerClock, hours: Mapping[datetime, int], symbols: set[str]) -> list[str]:
    """A warning if times lie where nobody trades."""
    daily_break = not _trades_at_night(symbols)
    ours = fit(clock, hours, daily_break=daily_break)
    if not ours.outside:
        return []
    better = [each for each in candidates(hours, daily_break=daily_break) if each.outside < ours.outside]
    said = f"read with the clock {clock.name}, times lie outside the market's hours: {ours}"
    return [said + "".join(f"; with {each.clock.name}, {each}" for each in better)]


def _refuse_without_clock(name: str, hours: Mapping[datetime, int], symbols: set[str]) -> NoReturn:
    fits = [each for each in candidates(hours, daily_break=not _trades_at_night(symbols)) if each.times]
    fitting = ", ".join(f"{each.clock.name} ({each} outside the market's hours)" for each in fits)
    raise ImportFailed(
        f"{name}: its times are those of the server's clock, and the file does not say which clock that is."
        " Name it with --server-clock: NY+7 is New York plus seven hours, changing on the US dates; EET changes on the"
        " European dates, UTC+2 never; any zone such as Asia/Hong_Kong will do. The broker knows."
        + (f" By its weekends and breaks the file may be in {fitting}." if fits else "")
    )


# --- CSV --------------------------------------------------------------------------------------------------------------

_RawRow = tuple[int, str, list[str] | None]
"""Line number, text, cells; without cells it is not well-formed CSV."""


def _csv(path: Path, kind: Kind | None, reading: Reading, known: Mapping[str, Instrument], run: int) -> Source:
    with contextlib.ExitStack() as stack:
        encoding = text_encoding(path, reading.encoding)
        if check_text(path, encoding) % 2:  # very likely a quote that is never closed: find it
            with open_text(path, encoding) as stream:
                for _ in _csv_rows(_Lines(stream), path.name):
                    pass
        stream = stack.enter_context(open_text(path, encoding))
        lines = _Lines(stream)
        rows = _csv_rows(lines, path.name)
        header = next(rows, None)
        layout = _layout(header, path.name, kind, reading)
        layout = replace(layout, dates=_csv_dates(path, encoding, layout))
        source = Source(path, Format.CSV, (layout.kind,))
        source.done = lambda: max(stream.buffer.tell() - lines.waiting, 0)
        profits = _own_profits(path, encoding, layout, known)
        source.reckoned = profits.summary
        cut_off = not ends_its_line(path, encoding)
        source.warnings = lambda: [
            *([f"line {lines.read:,}, the last, {_DOES_NOT_END}"] if cut_off else []),
            *profits.differences,
        ]
        source.rows = judged = _parsed(rows, layout, known)
        text = header[1] if header else ""
        if (line_end := text[len(text.rstrip("\r\n")) :]) and (
            plain := plain_rows(layout, known, line_end=line_end, most=run)
        ):
            source.columns, source.line_end = layout.columns, line_end
            source.rows = _with_runs(judged, lines, plain, partial(PlainRun, layout, known, path.name))
        source.push(stack.pop_all())
        return source


def _own_profits(path: Path, encoding: str, layout: Layout, known: Mapping[str, Instrument]) -> OwnProfits:
    """The profits that the file states, reckoned before anything is loaded. Raises `ImportFailed`.

    So positions whose profits are those of another size of a lot load nothing, as those of a statement.
    """
    profits = OwnProfits(layout, known)
    if layout.told_beside:
        with open_text(path, encoding) as stream:
            rows = _csv_rows(_Lines(stream), path.name)
            next(rows, None)
            profits.see((line, cells) for line, _, cells in rows if cells is not None)
    if misfits := profits.misfits:
        raise ImportFailed(f"{path.name}: nothing was loaded: {'; '.join(misfits)}.")
    return profits


def _csv_dates(path: Path, encoding: str, layout: Layout) -> DateOrder | None:
    """How the dates of a CSV file are written whose year is last, as ticks tell it. Raises `ImportFailed`."""
    places = layout.dated
    with open_text(path, encoding) as stream:
        rows = csv.reader(stream)
        next(rows, None)
        cells = (row[place].strip() for row in rows for place in places if place < len(row))
        try:
            return order_of(filter(None, cells), layout.dates)
        except Contradiction as error:
            raise ImportFailed(f"{path.name}: {error}.") from None
        except csv.Error:
            return layout.dates  # the row is told when it is read


def _with_runs(
    rows: Iterator[SourceRow], lines: "_Lines", plain: re.Pattern[str], run: Callable[[int, str], PlainRun]
) -> Iterator[SourceRow | PlainRun]:
    """The rows of *lines*; *rows* has those that are not plain."""
    while True:
        line = lines.read + 1
        if text := lines.take(plain):
            yield run(line, text)
        elif row := next(rows, None):
            yield row
        else:
            return


def _layout(header: _RawRow | None, name: str, kind: Kind | None, reading: Reading) -> Layout:
    if header is None:
        raise ImportFailed(f"{name}: the file is empty. Its first line must name the columns.")
    try:
        return Layout.of(header[2] or [], kind, mapping=reading.columns, clock=reading.clock, dates=reading.dates)
    except BadHeader as error:
        raise ImportFailed(f"{name}: {error}.") from None


def _parsed(rows: Iterator[_RawRow], layout: Layout, known: Mapping[str, Instrument]) -> Iterator[SourceRow]:
    kind = layout.kind
    for line, text, cells in rows:
        outcome = RowError(line, None, _MALFORMED) if cells is None else layout.parse(line, cells, known)
        if isinstance(outcome, RowError):
            yield SourceRow(line, text, reason=str(outcome))
        else:
            yield SourceRow(line, text, ((kind, outcome),))


class _Lines:
    """The lines of a text as they stand, line ends included. ``read`` is the number of those that were read."""

    def __init__(self, stream: TextIO, *, read: int = 0) -> None:
        self.read = read
        self._stream = stream
        self._text = ""
        self._at = 0

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        self._fill()
        if not (line := _LINE(self._text, self._at)):
            raise StopIteration
        self._at = line.end()
        self.read += 1
        return line[0]

    def take(self, plain: re.Pattern[str]) -> str:
        """Read the lines that come next and match."""
        self._fill()
        if not (found := plain.match(self._text, self._at)):
            return ""
        self._at = found.end()
        self.read += _lines_in(found[0])
        return found[0]

    @property
    def waiting(self) -> int:
        """Characters that are out of the stream and not read."""
        return len(self._text) - self._at

    def _fill(self) -> None:
        if self._at == len(self._text):
            self._text, self._at = self._stream.read(texts.CHUNK) + self._stream.readline(), 0


_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+\Z").match


def _lines_in(text: str) -> int:
    """How many lines *text* has, which all end alike."""
    return text.count("\n") or text.count("\r")


def _csv_rows(lines: _Lines, name: str) -> Iterator[_RawRow]:
    """The rows of the file, each with the number of its first line and its text as it stands; blank lines are none."""
    texts, read = itertools.tee(lines)
    reader = csv.reader(read, strict=True)
    while True:
        before = lines.read
        cells: list[str] | None = None
        fault = ""
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            fault = str(error)
        except (UnicodeDecodeError, OSError) as error:
            raise ImportFailed(f"{name}: cannot be read to its end ({error}). {REPEAT}") from error
        taken = lines.read - before
        if fault and (taken > 1 or fault == "unexpected end of data"):
            where = f"{name}, line {before + 1}"
            raise ImportFailed(f"{where}: a quoted value begins there and its closing quote is missing. {REPEAT}")
        text = next(texts) if taken == 1 else "".join(itertools.islice(texts, taken))
        if cells != []:
            yield before + 1, text, cells
