"""Loads files into the trade log: streamed through COPY, repeatable, every row accounted for.

A batch of rows first goes straight into its tables. Only when one of its keys is already there does it take the longer
way, through a temporary table, which tells new rows, completions, duplicates and conflicts apart.
"""

import asyncio
import contextlib
import csv
import itertools
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from domain.ground.base import Record
from domain.log.trade_log import Instrument
from runtime.left_behind import REJECTS_HEADER, for_its_owner, made_rejects
from starter.importing.failing import REPEAT, ImportFailed
from starter.importing.formats import Format
from starter.importing.formats.kinds import Kind
from starter.importing.formats.source import SourceRow
from starter.importing.sources import PlainRun, Reading, Source, file_errors, open_source
from starter.importing.tables import Batch, Part, Reject, Tables, Tally

__all__ = ["BATCH_ROWS", "ImportFailed", "ImportReport", "LogRows", "Reading", "import_file"]

Progress = Callable[[int, int, int], object]
"""Told the bytes done, the bytes in all and the rows read, each time another batch is in the database."""

BATCH_ROWS = 20_000


class LogRows(Record):
    """What became of the rows for one table.

    ``completed`` ones finished a row that was recorded unfinished. A newer version of a row is ``loaded``.
    """

    loaded: int = 0
    completed: int = 0
    duplicates: int = 0
    conflicts: int = 0


class ImportReport(Record):
    """What became of the rows of one file: ``loaded + duplicates + rejected == read``.

    A row of the file may give several rows of the trade log, counted in ``log_rows``: it is loaded if one of them is
    new or completes one, rejected if it is bad or one of them is a conflict. ``skipped`` counts, by what they are, the
    rows beside ``read`` that carry nothing for the log, such as headings and totals. ``conflicts`` counts those of the
    rejected whose key is in the trade log with other values. ``kind`` is ``None`` where the format gives several.
    ``reckoned`` tells what of a statement was reckoned again, ``warnings`` what somebody should look at.
    ``rejects_path`` is ``None`` when no row was rejected.
    """

    format: Format
    kind: Kind | None
    read: int
    loaded: int
    duplicates: int
    rejected: int
    conflicts: int
    skipped: dict[str, int]
    log_rows: dict[Kind, LogRows]
    reckoned: tuple[str, ...]
    warnings: tuple[str, ...]
    rejects_path: Path | None
    seconds: float


async def import_file(
    pool: "asyncpg.Pool[asyncpg.Record]",
    path: Path,
    *,
    kind: Kind | None = None,
    reading: Reading | None = None,
    instruments: Sequence[Instrument] = (),
    strict: bool = False,
    rejects: Path | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Load the rows of the file *path* (its formats: ``docs/importing.md``) into the trade log.

    Rows that are already there count as duplicates. Bad rows go to *rejects* (default: the name of the file with
    ``.rejects.csv`` added) with line and reason, while the good ones load; with *strict*, one bad row keeps the whole
    file out. Each batch of rows is a transaction (with *strict*, the whole file is), so an import that was broken off
    is simply repeated. The format, and of CSV the kind of rows, are recognised unless named. *instruments* are made
    known first. Raises `ImportFailed`.
    """
    started = time.monotonic()
    refused = _Rejects(rejects or path.with_name(f"{path.name}.rejects.csv"))
    tally = Tally()
    try:
        async with pool.acquire() as connection:
            known = await _known(connection, instruments, path.name)
            source = await asyncio.to_thread(open_source, path, kind, reading or Reading(), known, run=BATCH_ROWS)
            await made_rejects(connection, refused.path)
            with source, refused:
                tables = Tables(connection, source.kinds)
                async with connection.transaction() if strict else contextlib.nullcontext():
                    await connection.executemany(_ADD_INSTRUMENT, [tuple(dict(each).values()) for each in instruments])
                    await _load(source, tables, tally, refused, progress)
                    if strict and tally.rejected:
                        raise ImportFailed(
                            f"{path.name}: nothing was loaded, because the import is strict and {tally.rejected:,} of"
                            f" {tally.read:,} rows are bad: see {refused.path}.",
                            refused.keep(),
                        )
                rejects_path = refused.keep()
    except asyncpg.UndefinedTableError:
        raise ImportFailed("This database has no trade log: apply the migrations first.") from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise ImportFailed(f"{path.name}: the database broke the import off: {reason}. {REPEAT}") from error
    return ImportReport(
        format=source.format,
        kind=source.kinds[0] if len(source.kinds) == 1 else None,
        read=tally.read,
        loaded=tally.loaded,
        duplicates=tally.read - tally.loaded - tally.rejected,
        rejected=tally.rejected,
        conflicts=tally.conflicts,
        skipped=dict(tally.skipped),
        log_rows={kind: LogRows(**counts) for kind, counts in tally.log_rows.items() if counts.total()},
        reckoned=tuple(source.reckoned()),
        warnings=tuple(source.warnings()),
        rejects_path=rejects_path,
        seconds=time.monotonic() - started,
    )


async def _known(
    connection: "PoolConnectionProxy[asyncpg.Record]", added: Sequence[Instrument], name: str
) -> dict[str, Instrument]:
    """The instruments that rows may name: those of the log and those to be added."""
    rows = await connection.fetch("select symbol, contract_size, currency, digits from tradelog.instruments")
    known = {row["symbol"]: Instrument.model_validate(dict(row)) for row in rows}
    for instrument in added:
        if (there := known.setdefault(instrument.symbol, instrument)) != instrument:
            terms = f"{there.symbol}={there.contract_size.normalize():f},{there.currency},{there.digits}"
            raise ImportFailed(f"{name}: {there.symbol} is in the trade log with other terms: {terms}.")
    return known


_ADD_INSTRUMENT = """
    insert into tradelog.instruments (symbol, contract_size, currency, digits) values ($1, $2, $3, $4)
    on conflict do nothing
"""


class _Rejects:
    """The file of bad rows. It gets its name when the import has ended: what bears the name is whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._partial: Path | None = None
        with file_errors(path):
            if path.exists() and not _is_rejects(path):
                raise ImportFailed(f"{path} is no earlier file of rejects and is left alone: name another one.")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._partial is not None:
            self._partial.unlink(missing_ok=True)

    def write(self, rejects: Sequence[Reject]) -> None:
        with file_errors(self.path):
            first = self._partial is None
            if self._partial is None:
                if not rejects:
                    return
                self._partial = self.path.with_name(f"{self.path.name}.{secrets.token_hex(4)}.partial")
            with open(self._partial, "a", encoding="utf-8", newline="", opener=for_its_owner) as file:
                csv.writer(file).writerows([REJECTS_HEADER, *rejects] if first else rejects)

    def keep(self) -> Path | None:
        """Give the file its name, in place of that of an earlier import. Without bad rows no file stays."""
        with file_errors(self.path):
            if self._partial is not None:
                return self._partial.replace(self.path)
            if self.path.exists():
                self.path.unlink()
            return None


def _is_rejects(path: Path) -> bool:
    with path.open("rb") as file:
        return file.readline().rstrip() == ",".join(REJECTS_HEADER).encode()


def _batches(source: Source) -> Iterator[Batch]:
    while True:
        items: list[SourceRow | PlainRun] = []
        rows = 0
        for item in source.rows:
            items.append(item)
            rows += len(item) if isinstance(item, PlainRun) else 1
            if rows >= BATCH_ROWS:
                break
        if not items:
            return
        yield _batch(source, items, source.done())


def _batch(source: Source, items: Iterable[SourceRow | PlainRun], done: int) -> Batch:
    items = list(items)
    payloads: dict[Kind, list[str]] = {kind: [] for kind in source.kinds}
    owners: dict[Kind, list[int]] = {kind: [] for kind in source.kinds}
    columns = {kind: source.columns or kind.columns for kind in source.kinds}
    adders = {
        kind: (payloads[kind].append, owners[kind].append, _csv_line_of(kind, columns[kind], source.line_end))
        for kind in source.kinds
    }
    rows = 0
    places: list[int] = []
    good: list[SourceRow | PlainRun] = []
    rejects: list[Reject] = []
    skipped: Counter[str] = Counter()
    for item in items:
        if isinstance(item, PlainRun):
            (kind,) = source.kinds
            payloads[kind].append(item.text)
            owners[kind].extend(range(rows, rows + len(item)))
            places.append(rows)
            good.append(item)
            rows += len(item)
        elif item.records:
            for kind, cells in item.records:
                add, own, csv_line = adders[kind]
                add(csv_line(cells))
                own(rows)
            places.append(rows)
            good.append(item)
            rows += 1
        elif item.reason is not None:
            rejects.append(Reject(item.line, item.reason, item.text.rstrip("\r\n")))
        else:
            skipped[item.skipped or "empty"] += 1
    parts = {
        kind: Part("".join(payloads[kind]).encode(), columns[kind], owners[kind])
        for kind in source.kinds
        if owners[kind]
    }
    return Batch(items, parts, rows, places, good, rejects, skipped, done)


def _judged(source: Source, batch: Batch) -> Batch:
    """The same rows, each judged by its model."""
    items = (item.judged() if isinstance(item, PlainRun) else (item,) for item in batch.items)
    return _batch(source, itertools.chain.from_iterable(items), batch.done)


def _csv_line_of(kind: Kind, columns: Sequence[str], line_end: str) -> Callable[[Any], str]:
    """How cells in the order of the columns of *kind* become a line of CSV with *columns*: the rest is absent."""
    if columns != kind.columns:
        pick = [kind.columns.index(name) for name in columns]
        return lambda cells: _csv_line([cells[place] for place in pick]) + line_end
    if kind is Kind.QUOTES:  # has no absent value and nothing to quote
        return lambda cells: ",".join(cells) + line_end
    return lambda cells: _csv_line(cells) + line_end


def _csv_line(cells: Sequence[str | None]) -> str:
    return ",".join(["" if cell is None else '"' + cell.replace('"', '""') + '"' for cell in cells])


async def _load(source: Source, tables: "Tables", tally: Tally, refused: _Rejects, progress: Progress | None) -> None:
    """Load every batch; a thread reads the next one while the database works on this one."""
    batches = _batches(source)
    upcoming = asyncio.create_task(asyncio.to_thread(next, batches, None))
    try:
        while batch := await upcoming:
            upcoming = asyncio.create_task(asyncio.to_thread(next, batches, None))
            try:
                conflicts = await tables.load(batch, tally)
            except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError):
                if not batch.has_runs:
                    raise
                batch = await asyncio.to_thread(_judged, source, batch)
                conflicts = await tables.load(batch, tally)
            rejects = batch.rejects + [batch.reject(row, reason) for row, reason in conflicts.items()]
            refused.write(sorted(rejects))
            tally.read += batch.rows + len(batch.rejects)
            tally.rejected += len(rejects)
            tally.conflicts += len(conflicts)
            tally.skipped += batch.skipped
            if progress is not None:
                progress(batch.done, source.size, tally.rows)
    finally:
        upcoming.cancel()  # its thread ends when the file is closed under it
