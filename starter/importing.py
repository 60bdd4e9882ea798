"""Loads CSV files into the trade log: streamed through COPY, repeatable, every row accounted for.

A batch of rows first goes straight into its table. Only when one of its keys is already there does it take the longer
way, through a temporary table, which tells new rows, duplicates and conflicts apart.
"""

import asyncio
import codecs
import contextlib
import csv
import io
import itertools
import secrets
import time
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self, TextIO

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from domain.base import Record
from domain.trade_log_csv import BadHeader, Cells, Kind, Layout, RowError

Progress = Callable[[int, int], None]
"""Told the bytes done and the bytes in all, each time another batch is in the database."""

REJECTS_HEADER = ("line", "reason", "original")
BATCH_ROWS = 20_000
_CHUNK = 1 << 20  # bytes
_ESCAPED = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_MALFORMED = "is not well-formed CSV: put a value with commas or quotes in double quotes, and write a quote in it twice"
_REPEAT = "Repeat the import when it is mended: rows that are already loaded are recognised."


class ImportFailed(Exception):
    """The import could not be done; the text says why and what to do.

    ``rejects_path`` is the file with the bad rows if a strict import failed because of them.
    """

    def __init__(self, message: str, rejects_path: Path | None = None) -> None:
        super().__init__(message)
        self.rejects_path = rejects_path


class ImportReport(Record):
    """What became of the rows of one file: ``loaded + duplicates + rejected == read``.

    ``conflicts`` counts those of the rejected whose key is in the trade log with other values. ``rejects_path`` is
    ``None`` when no row was rejected.
    """

    kind: Kind
    read: int
    loaded: int
    duplicates: int
    rejected: int
    conflicts: int
    rejects_path: Path | None
    seconds: float


async def import_file(
    pool: "asyncpg.Pool[asyncpg.Record]",
    path: Path,
    *,
    kind: Kind | None = None,
    strict: bool = False,
    rejects: Path | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Load the rows of the CSV file *path* (its format: ``docs/trade-log-csv.md``) into the trade log.

    Rows that are already there count as duplicates. Bad rows go to *rejects* (default: the name of the file with
    ``.rejects.csv`` added) with line and reason, while the good ones load; with *strict*, one bad row keeps the whole
    file out. Each batch of rows is a transaction (with *strict*, the whole file is), so an import that was broken off
    is simply repeated. The kind of rows is recognised by the header unless *kind* names it. Raises `ImportFailed`.
    """
    started = time.monotonic()
    rejects = rejects or path.with_name(f"{path.name}.rejects.csv")
    with _file_errors(path):
        size = await asyncio.to_thread(_check, path)
        stream = _open(path)
    report = _Tally()
    with stream, _Rejects(rejects) as refused:
        rows = _rows(stream, path.name)
        layout = _layout(rows, path.name, kind)
        try:
            async with pool.acquire() as connection:
                table = _Table(connection, layout.kind)
                batches = _batches(rows, layout, await table.symbols(), stream)
                async with connection.transaction() if strict else contextlib.nullcontext():
                    await _load(batches, table, report, refused, lambda done: progress and progress(done, size))
                    if strict and report.rejected:
                        raise ImportFailed(
                            f"{path.name}: nothing was loaded, because the import is strict and {report.rejected:,} of"
                            f" {report.read:,} rows are bad: see {rejects}.",
                            refused.keep(),
                        )
        except asyncpg.UndefinedTableError:
            raise ImportFailed("This database has no trade log: apply the migrations first.") from None
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            raise ImportFailed(f"{path.name}: the database broke the import off: {reason}. {_REPEAT}") from error
        rejects_path = refused.keep()
    return ImportReport(
        kind=layout.kind, rejects_path=rejects_path, seconds=time.monotonic() - started, **asdict(report)
    )


# --- the file ---------------------------------------------------------------------------------------------------------


_RawRow = tuple[int, str, list[str] | None]
"""Line number, text, cells; without cells it is not well-formed CSV."""


@contextlib.contextmanager
def _file_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ImportFailed(f"{path}: {error.strerror}.") from error


def _open(path: Path) -> TextIO:
    return path.open(encoding="utf-8-sig", newline="")


def _check(path: Path) -> int:
    """Read the whole file once for what would break it off in the middle, so that a broken file loads nothing.

    Returns its size in bytes. Raises `ImportFailed`.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    size = lines = quotes = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            if size == 0 and chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                raise ImportFailed(f"{path.name}: the file is in UTF-16: save it as UTF-8.")
            if b"\0" in chunk:
                line = lines + chunk[: chunk.index(b"\0")].count(b"\n") + 1
                raise ImportFailed(
                    f"{path.name}, line {line}: a NUL byte. The file is damaged, or no text: export it again."
                )
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                line = lines + error.object[: error.start].count(b"\n") + 1
                raise ImportFailed(f"{path.name}, line {line}: not UTF-8. Save the file as UTF-8.") from None
            if len(chunk) == _CHUNK and b"\n" not in chunk and b"\r" not in chunk:
                raise ImportFailed(f"{path.name}, line {lines + 1}: longer than a megabyte. This is no CSV of rows.")
            size += len(chunk)
            lines += chunk.count(b"\n")
            quotes += chunk.count(b'"')
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise ImportFailed(f"{path.name}: ends in the middle of a character. Export it again.") from None
    if quotes % 2:  # very likely one that is never closed: find it
        with _open(path) as stream:
            for _ in _rows(stream, path.name):
                pass
    return size


def _rows(stream: TextIO, name: str) -> Iterator[_RawRow]:
    """The rows of the file, each with the number of its first line and its text as it stands; blank lines are none."""
    texts, lines = itertools.tee(stream)
    reader = csv.reader(lines, strict=True)
    before = 0
    while True:
        cells: list[str] | None = None
        fault = ""
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            fault = str(error)
        except (UnicodeDecodeError, OSError) as error:
            raise ImportFailed(f"{name}: cannot be read to its end ({error}). {_REPEAT}") from error
        taken = reader.line_num - before
        if fault and (taken > 1 or fault == "unexpected end of data"):
            where = f"{name}, line {before + 1}"
            raise ImportFailed(f"{where}: a quoted value begins there and its closing quote is missing. {_REPEAT}")
        text = next(texts) if taken == 1 else "".join(itertools.islice(texts, taken))
        if cells != []:
            yield before + 1, text, cells
        before += taken


def _layout(rows: Iterator[_RawRow], name: str, kind: Kind | None) -> Layout:
    header = next(rows, None)
    if header is None:
        raise ImportFailed(f"{name}: the file is empty. Its first line must name the columns.")
    try:
        return Layout.of(header[2] or [], kind)
    except BadHeader as error:
        raise ImportFailed(f"{name}: {error}.") from None


class _Reject(NamedTuple):
    line: int
    reason: str
    original: str


class _Rejects:
    """The file of bad rows. It gets its name when the import has ended: what bears the name is whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._partial: Path | None = None
        with _file_errors(path):
            if path.exists() and not _is_rejects(path):
                raise ImportFailed(f"{path} is no earlier file of rejects and is left alone: name another one.")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._partial is not None:
            self._partial.unlink(missing_ok=True)

    def write(self, rejects: Sequence[_Reject]) -> None:
        with _file_errors(self._path):
            first = self._partial is None
            if self._partial is None:
                if not rejects:
                    return
                self._partial = self._path.with_name(f"{self._path.name}.{secrets.token_hex(4)}.partial")
            with self._partial.open("a", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows([REJECTS_HEADER, *rejects] if first else rejects)

    def keep(self) -> Path | None:
        """Give the file its name, in place of that of an earlier import. Without bad rows no file stays."""
        with _file_errors(self._path):
            if self._partial is not None:
                return self._partial.replace(self._path)
            if self._path.exists():
                self._path.unlink()
            return None


def _is_rejects(path: Path) -> bool:
    with path.open("rb") as file:
        return file.readline().rstrip() == ",".join(REJECTS_HEADER).encode()


# --- the database -----------------------------------------------------------------------------------------------------


class _Batch(NamedTuple):
    payload: bytes  # the good rows in COPY's text format
    lines: list[int]  # where in the file they stand
    texts: list[str]  # and how
    rejects: list[_Reject]
    done: int  # bytes of the file read so far


@dataclass
class _Tally:
    read: int = 0
    loaded: int = 0
    duplicates: int = 0
    rejected: int = 0
    conflicts: int = 0


def _batches(rows: Iterator[_RawRow], layout: Layout, instruments: Container[str], stream: TextIO) -> Iterator[_Batch]:
    # A quote has no absent value and nothing to escape.
    copy_line: Callable[[Any], str] = "\t".join if layout.kind is Kind.QUOTES else _copy_line
    while True:
        payload: list[str] = []
        lines: list[int] = []
        texts: list[str] = []
        rejects: list[_Reject] = []
        for line, text, cells in itertools.islice(rows, BATCH_ROWS):
            outcome = RowError(line, None, _MALFORMED) if cells is None else layout.parse(line, cells, instruments)
            if isinstance(outcome, RowError):
                rejects.append(_Reject(line, str(outcome), text.rstrip("\r\n")))
            else:
                payload.append(copy_line(outcome))
                lines.append(line)
                texts.append(text)
        if not lines and not rejects:
            return
        yield _Batch("\n".join(payload).encode(), lines, texts, rejects, stream.buffer.tell())


def _copy_line(cells: Cells) -> str:
    return "\t".join([r"\N" if cell is None else cell.translate(_ESCAPED) for cell in cells])


async def _load(
    batches: Iterator[_Batch], table: "_Table", tally: _Tally, refused: _Rejects, report: Callable[[int], object]
) -> None:
    """Load every batch; a thread reads the next one while the database works on this one."""
    upcoming = asyncio.create_task(asyncio.to_thread(next, batches, None))
    try:
        while batch := await upcoming:
            upcoming = asyncio.create_task(asyncio.to_thread(next, batches, None))
            loaded, conflicts = await table.load(batch)
            rejects = batch.rejects + [
                _Reject(batch.lines[index], table.conflict, batch.texts[index].rstrip("\r\n")) for index in conflicts
            ]
            refused.write(sorted(rejects))
            tally.read += len(batch.lines) + len(batch.rejects)
            tally.loaded += loaded
            tally.duplicates += len(batch.lines) - loaded - len(conflicts)
            tally.rejected += len(rejects)
            tally.conflicts += len(conflicts)
            report(batch.done)
    finally:
        upcoming.cancel()  # its thread ends when the file is closed under it


class _Table:
    """The table of one kind of rows, written over one connection."""

    def __init__(self, connection: "PoolConnectionProxy[asyncpg.Record]", kind: Kind) -> None:
        self.kind = kind
        self._connection = connection
        self._name = f"tradelog.{kind}"
        self._columns = ", ".join(map(_quoted, kind.columns))
        self._all_new = True
        self.conflict = f"{', '.join(kind.key)}: is in the trade log with other values"

    async def symbols(self) -> frozenset[str]:
        """The instruments that rows of this kind may name."""
        rows = await self._connection.fetch("select symbol from tradelog.instruments")
        return frozenset(row["symbol"] for row in rows)

    async def load(self, batch: _Batch) -> tuple[int, list[int]]:
        """Add the new rows of *batch*. Returns their number, and which rows conflict with what is there."""
        if not batch.lines:
            return 0, []
        async with self._connection.transaction():
            # One import of a kind at a time writes: two with the same rows in another order would deadlock.
            await self._connection.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", self._name)
            if self._all_new:
                with contextlib.suppress(asyncpg.UniqueViolationError):
                    async with self._connection.transaction():
                        await self._copy(batch, self.kind, schema="tradelog")
                    return len(batch.lines), []
            loaded, conflicts = await self._merge(batch)
        self._all_new = loaded == len(batch.lines)
        return loaded, conflicts

    async def _copy(self, batch: _Batch, table: str, *, schema: str | None = None) -> None:
        with io.BytesIO(batch.payload) as source:  # closed, because asyncpg holds on to it until garbage is collected
            await self._connection.copy_to_table(
                table, schema_name=schema, columns=self.kind.columns, source=source, format="text"
            )

    async def _merge(self, batch: _Batch) -> tuple[int, list[int]]:
        await self._connection.execute(
            f"create temporary table incoming (like {self._name}, n integer generated always as identity)"
        )
        await self._copy(batch, "incoming")
        added = await self._connection.execute(
            f"insert into {self._name} ({self._columns}) select {self._columns} from incoming order by n"  # noqa: S608
            " on conflict do nothing"
        )
        loaded = int(added.removeprefix("INSERT 0 "))
        conflicts = await self._conflicts() if loaded < len(batch.lines) else []
        await self._connection.execute("drop table incoming")
        return loaded, conflicts

    async def _conflicts(self) -> list[int]:
        same_key = " and ".join(f"kept.{_quoted(name)} = incoming.{_quoted(name)}" for name in self.kind.key)
        values = [_quoted(name) for name in self.kind.columns if name not in self.kind.key]
        kept, incoming = (", ".join(f"{side}.{name}" for name in values) for side in ("kept", "incoming"))
        # `limit 1` keeps the planner to one index look-up a row, whatever it believes of the temporary table.
        rows = await self._connection.fetch(
            f"select n from incoming cross join lateral"  # noqa: S608
            f" (select * from {self._name} as kept where {same_key} limit 1) as kept"
            f" where row({incoming}) is distinct from row({kept}) order by n"
        )
        return [row["n"] - 1 for row in rows]


def _quoted(name: str) -> str:
    return f'"{name}"'  # `order` is a word of SQL
