"""Opens files of every format for the import: their rows one by one, in constant memory."""

import codecs
import contextlib
import csv
import io
import itertools
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, NoReturn, Self, TextIO

from domain.log.trade_log import Instrument
from starter.importing.formats import Format, prices, sniff, ticks
from starter.importing.formats.code_pages import ChineseLikelihood, utf_16
from starter.importing.formats.html_rows import HtmlRow, html_rows
from starter.importing.formats.kinds import Kind
from starter.importing.formats.mt4_statement import Mt4Statement
from starter.importing.formats.mt5_report import Mt5Report, Row
from starter.importing.formats.plain_rows import plain_rows
from starter.importing.formats.server_clock import ServerClock, candidates, fit
from starter.importing.formats.source import Options, SourceRow, Unreadable, WallTimes
from starter.importing.formats.trade_log_csv import BadHeader, BadRow, ColumnMap, Layout, RowError

_CHUNK = 1 << 20  # bytes
_SAMPLE: Final = 200_000  # rows whose times tell which clocks are plausible
# What a workbook may cost is bounded by its own size: a few kilobytes can claim a trillion cells.
_WORKBOOK: Final = 1 << 30  # bytes of a workbook unpacked
_STRINGS: Final = 1 << 28  # bytes of its shared strings, which are kept in memory
_DENSEST: Final = 100  # bytes that a byte of a workbook may unpack to; reports have some 10 to 20 ...
_SMALL: Final = 4 << 20  # ... and up to so many bytes it does not matter
_READINGS: Final = 3  # times that all of a file may be read: sheets may share one part
_COLUMNS: Final = 256  # a report has some 15
_ROWS: Final = 1 << 20  # of all sheets, as many as Excel allows one
_GAP: Final = 10_000  # rows that stand between two and are empty
_METALS: Final = ("XAU", "XAG", "GOLD", "SILVER")
_MALFORMED = "is not well-formed CSV: put a value with commas or quotes in double quotes, and write a quote in it twice"
REPEAT: Final = "Repeat the import when it is mended: rows that are already loaded are recognised."


class ImportFailed(Exception):
    """The import could not be done; the text says why and what to do.

    ``rejects_path`` is the file with the bad rows if a strict import failed because of them.
    """

    def __init__(self, message: str, rejects_path: Path | None = None) -> None:
        super().__init__(message)
        self.rejects_path = rejects_path


@dataclass(frozen=True)
class Reading:
    """How to read a file: what it does not tell itself. Everything may be left out where the file has it.

    ``source`` names who the prices come from, or the server whose tickets a statement has (they become
    ``source:account:ticket``). ``period`` is the length of a bar in seconds. ``columns`` is for CSV with names of its
    own, ``encoding`` for text that is not UTF-8. ``currency`` is that of a statement's amounts, or its cents (USC).
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
    said = (("--period", reading.period, bars), ("--currency", reading.currency, not format_.about.has_lines))
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
_SAY_GMT: Final = frozenset({"UTC", "GMT", "UTC+0", "GMT+0", "UTC-0", "ETC/UTC"})


def _prices(path: Path, format_: Format, reading: Reading, options: Options) -> Source:
    source = Source(path, format_, format_.about.kinds)
    encoding = _text_encoding(path, reading.encoding)
    _check(path, encoding)
    options = _told_by_name(options, path, format_, encoding)
    symbols = {options.symbol or ""}
    clock = _clock_of(path, format_, reading, options, encoding)
    times = WallTimes(clock, ordered=True)
    with contextlib.ExitStack() as stack:
        stream = stack.enter_context(_open(path, encoding))
        source.done = stream.buffer.tell
        rows = _LINES[format_](_lines(stream), options, times)
        source.rows = _readable(rows if clock else _with_instants(rows, times), path.name)
        source.warnings = lambda: _misfit(times.clock, times.counted(), symbols)
        source.push(stack.pop_all())
        return source


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
    clock = stated or format_.about.clock
    if format_ is not Format.TICKS and clock is not None:
        return clock
    times = WallTimes(clock, ordered=True)
    read = 0
    with _open(path, encoding) as stream:
        rows = _readable(_LINES[format_](_lines(stream), options, times), path.name)
        for row in itertools.islice(rows, _SAMPLE if clock is None else 1_000):
            read += bool(row.records)
    if clock is None and times.hours:
        _refuse_without_clock(path.name, times.counted(), {options.symbol or ""})
    if clock is not None and read and not times.hours:
        raise ImportFailed(
            f"{path.name}: each of its times has its own offset: --server-clock {clock.name} does not concern them."
            " Leave it out."
        )
    return clock


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
    encoding = None if _is_workbook(path) else _encoding(path, reading.encoding)
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
            return _Reader(mt5, times, mt5.rows(_sheet_rows(path, source, stack)))
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


def _is_workbook(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def _page_rows(path: Path, encoding: str, source: Source, stack: contextlib.ExitStack) -> Iterator[HtmlRow]:
    file = stack.enter_context(path.open("rb"))
    source.done = file.tell
    return html_rows(_pieces(file, encoding))


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
        with _open(path, encoding) as stream:
            first = [line for _, line in itertools.islice(_lines(stream), 500)]
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


# --- text -------------------------------------------------------------------------------------------------------------


def _open(path: Path, encoding: str) -> TextIO:
    return path.open(encoding=encoding, newline="")


def _lines(stream: TextIO) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(stream, start=1):
        if text := line.rstrip("\r\n"):
            yield number, text


def _known_encoding(path: Path, name: str) -> str:
    try:
        known = codecs.lookup(name).name
        "".encode(known)
    except LookupError:
        raise ImportFailed(f"{path.name}: {name!r} is no encoding known here; try gbk, cp1251 or latin-1.") from None
    return "utf-8-sig" if known == "utf-8" else name


def _text_encoding(path: Path, named: str | None) -> str:
    """The encoding of a file of lines: as named, else as its mark says, else UTF-8. Nothing is guessed."""
    if named is not None:
        return _known_encoding(path, named)
    with path.open("rb") as file:
        return "utf-16" if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"


def _check(path: Path, encoding: str) -> int:
    """Read the whole file once for what would break it off in the middle, so that a broken file loads nothing.

    Returns the number of quote marks in it. Raises `ImportFailed`.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    lines = quotes = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            try:
                text = decoder.decode(chunk)
            except UnicodeError as error:
                before = error.object[: error.start] if isinstance(error, UnicodeDecodeError) else b""
                raise _undecodable(path, lines + before.decode(encoding, "replace").count("\n") + 1, encoding) from None
            if "\0" in text:
                line = lines + text[: text.index("\0")].count("\n") + 1
                raise ImportFailed(
                    f"{path.name}, line {line}: a NUL byte. The file is damaged, or no text: export it again."
                )
            if len(chunk) == _CHUNK and "\n" not in text and "\r" not in text:
                raise ImportFailed(f"{path.name}, line {lines + 1}: longer than a megabyte. This is no CSV of rows.")
            lines += text.count("\n")
            quotes += text.count('"')
    try:
        decoder.decode(b"", final=True)
    except UnicodeError:
        raise ImportFailed(f"{path.name}: ends in the middle of a character. Export it again.") from None
    return quotes


def _undecodable(path: Path, line: int, encoding: str) -> ImportFailed:
    if encoding == "utf-8-sig":
        return ImportFailed(
            f"{path.name}, line {line}: not UTF-8. Name its encoding with --encoding (a Chinese Excel saves gbk), or"
            " save it as UTF-8."
        )
    return ImportFailed(f"{path.name}, line {line}: not in {encoding}: name its encoding with --encoding.")


def _encoding(path: Path, named: str | None) -> str:
    """The encoding of a page: as named, else UTF-16 by its mark or its shape, else UTF-8, else GBK if it reads so."""
    with path.open("rb") as file:
        head = file.read(1 << 10)
    tried = [_known_encoding(path, named)] if named else [utf_16(head) or "utf-8-sig", "gb18030"]
    for encoding in tried:
        chinese = ChineseLikelihood()
        with path.open("rb") as file:
            try:
                for piece in _pieces(file, encoding):
                    if encoding == "gb18030":
                        chinese.see(piece)
            except UnicodeError:
                continue
        if named or encoding != "gb18030" or chinese.likely:
            return encoding
    said = f"is not in {named}" if named else "is not in UTF-8, and does not read as the Chinese of GBK"
    raise ImportFailed(
        f"{path.name}: {said}: name its encoding with --encoding, such as gbk, big5, shift_jis, euc-kr or cp1251."
    )


def _pieces(file: BinaryIO, encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)()
    while chunk := file.read(64 << 10):
        yield decoder.decode(chunk)
    yield decoder.decode(b"", final=True)


# --- workbooks --------------------------------------------------------------------------------------------------------


class _Metered(io.FileIO):
    """A file that cannot be read much more often than once."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._left = _READINGS * path.stat().st_size + (64 << 10)

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(-1 if size is None else size)
        self._left -= len(found)
        if self._left < 0:
            raise ValueError("its parts are used again and again")
        return found


def _sheet_rows(path: Path, source: Source, stack: contextlib.ExitStack) -> Iterator[Row]:
    """The rows of every sheet. A sheet that is called after a section begins it, as its title would."""
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    # Whatever a part of it may hold: openpyxl raises what it stumbles over.
    damaged = (zipfile.BadZipFile, zlib.error, InvalidFileException, SyntaxError, LookupError, ValueError, TypeError,
               AttributeError, ArithmeticError, EOFError, RuntimeError)  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles, which nobody looks at
        try:
            _check_workbook(path)
            file = stack.enter_context(_Metered(path))
            book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        except damaged as error:
            why = str(error).partition("\n")[0]
            raise ImportFailed(f"{path.name}: is no workbook, or a damaged one ({why}): export it again.") from error
    stack.callback(book.close)

    def rows() -> Iterator[Row]:
        read = 0
        total = sum(sheet.max_row or 0 for sheet in book.worksheets) or 1
        source.done = lambda: min(source.size * read // total, source.size)
        try:
            for sheet in book.worksheets:
                if len(book.worksheets) > 1:
                    yield 0, [sheet.title]
                sheet.reset_dimensions()  # what it says of its size would have every row filled up to it
                for number, cells in _bounded(sheet.iter_rows(values_only=True), f"{path.name}, {sheet.title[:40]}"):
                    read += 1
                    if read > _ROWS:
                        raise ImportFailed(f"{path.name}: more than {_ROWS:,} rows: export the report in parts.")
                    yield number, cells
        except damaged as error:
            raise ImportFailed(f"{path.name}: the workbook is damaged ({error}): export it again.") from error

    return rows()


def _check_workbook(path: Path) -> None:
    """Raise `ImportFailed` if it unpacks to more than its size makes likely. Nothing is unpacked for it."""
    with zipfile.ZipFile(path) as archive:
        sizes = {part.filename: part.file_size for part in archive.infolist()}
    whole = sum(sizes.values())
    strings = sum(size for name, size in sizes.items() if name.lower().endswith("sharedstrings.xml"))
    if whole > _WORKBOOK or strings > _STRINGS:
        raise ImportFailed(
            f"{path.name}: more than a workbook may hold here (1 GB unpacked, 256 MB of texts): export it in parts."
        )
    if whole > max(_SMALL, _DENSEST * path.stat().st_size):
        raise ImportFailed(
            f"{path.name}: its {path.stat().st_size:,} bytes unpack to {whole:,}, as no report does: export it again"
            " from the terminal, or open it in a spreadsheet and save it anew."
        )


def _bounded(rows: Iterator[tuple[object, ...]], name: str) -> Iterator[Row]:
    """The *rows* of a sheet, numbered. Raises `ImportFailed` where a cell lies far from all others."""
    way_out = "clear what lies there in a spreadsheet and save it anew, or export it again."
    empty = 0
    for number, cells in enumerate(rows, start=1):
        if len(cells) > _COLUMNS:
            raise ImportFailed(f"{name}, row {number}: {len(cells):,} columns, and a report has some 15: {way_out}")
        empty = 0 if cells else empty + 1
        if empty > _GAP:
            raise ImportFailed(f"{name}, row {number}: after more than {_GAP:,} empty rows there are others: {way_out}")
        yield number, cells


# --- CSV --------------------------------------------------------------------------------------------------------------

_RawRow = tuple[int, str, list[str] | None]
"""Line number, text, cells; without cells it is not well-formed CSV."""


def _csv(path: Path, kind: Kind | None, reading: Reading, known: Mapping[str, Instrument], run: int) -> Source:
    with contextlib.ExitStack() as stack:
        encoding = _text_encoding(path, reading.encoding)
        if _check(path, encoding) % 2:  # very likely a quote that is never closed: find it
            with _open(path, encoding) as stream:
                for _ in _csv_rows(_Lines(stream), path.name):
                    pass
        stream = stack.enter_context(_open(path, encoding))
        lines = _Lines(stream)
        rows = _csv_rows(lines, path.name)
        header = next(rows, None)
        layout = _layout(header, path.name, kind, reading)
        source = Source(path, Format.CSV, (layout.kind,))
        source.done = lambda: max(stream.buffer.tell() - lines.waiting, 0)
        source.rows = judged = _parsed(rows, layout, known)
        text = header[1] if header else ""
        if (line_end := text[len(text.rstrip("\r\n")) :]) and (
            plain := plain_rows(layout, known, line_end=line_end, most=run)
        ):
            source.columns, source.line_end = layout.columns, line_end
            source.rows = _with_runs(judged, lines, plain, partial(PlainRun, layout, known, path.name))
        source.push(stack.pop_all())
        return source


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
        return Layout.of(header[2] or [], kind, mapping=reading.columns, clock=reading.clock)
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
            self._text, self._at = self._stream.read(_CHUNK) + self._stream.readline(), 0


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
