"""Loads files into the trade log: streamed through COPY, repeatable, every row accounted for.

A batch of rows first goes straight into its tables. Only when one of its keys is already there does it take the longer
way, through a temporary table, which tells new rows, completions, duplicates and conflicts apart.
"""

import asyncio
import contextlib
import csv
import io
import itertools
import os
import secrets
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, Self

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from domain.base import Record
from domain.readers import Format
from domain.readers.source import SourceRow
from domain.trade_log import Instrument
from domain.trade_log_csv import Completion, Kind
from starter.sources import REPEAT, ImportFailed, PlainRun, Reading, Source, file_errors, open_source

__all__ = ["BATCH_ROWS", "ImportFailed", "ImportReport", "LogRows", "Reading", "import_file"]

Progress = Callable[[int, int, int], object]
"""Told the bytes done, the bytes in all and the rows read, each time another batch is in the database."""

REJECTS_HEADER = ("line", "reason", "original")
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
    tally = _Tally()
    try:
        async with pool.acquire() as connection:
            known = await _known(connection, instruments, path.name)
            source = await asyncio.to_thread(open_source, path, kind, reading or Reading(), known, run=BATCH_ROWS)
            with source, refused:
                tables = _Tables(connection, source.kinds)
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


# --- the file of bad rows ---------------------------------------------------------------------------------------------


class _Reject(NamedTuple):
    line: int
    reason: str
    original: str


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

    def write(self, rejects: Sequence[_Reject]) -> None:
        with file_errors(self.path):
            first = self._partial is None
            if self._partial is None:
                if not rejects:
                    return
                self._partial = self.path.with_name(f"{self.path.name}.{secrets.token_hex(4)}.partial")
            with open(self._partial, "a", encoding="utf-8", newline="", opener=_for_its_owner) as file:
                csv.writer(file).writerows([REJECTS_HEADER, *rejects] if first else rejects)

    def keep(self) -> Path | None:
        """Give the file its name, in place of that of an earlier import. Without bad rows no file stays."""
        with file_errors(self.path):
            if self._partial is not None:
                return self._partial.replace(self.path)
            if self.path.exists():
                self.path.unlink()
            return None


def _for_its_owner(path: str, flags: int) -> int:
    """Open a file that nobody else may read: rejected rows hold what customers are called and how to reach them."""
    return os.open(path, flags, 0o600)


def _is_rejects(path: Path) -> bool:
    with path.open("rb") as file:
        return file.readline().rstrip() == ",".join(REJECTS_HEADER).encode()


# --- the database -----------------------------------------------------------------------------------------------------


class _Part(NamedTuple):
    """The rows of a batch for one table."""

    payload: bytes  # CSV without a header
    columns: Sequence[str]
    rows: list[int]  # of which row of the batch each comes


class _Batch(NamedTuple):
    items: Sequence[SourceRow | PlainRun]  # all that was read
    parts: dict[Kind, _Part]
    rows: int  # good ones
    places: list[int]  # of each item with good rows, which row of the batch is its first
    good: list[SourceRow | PlainRun]
    rejects: list[_Reject]
    skipped: Counter[str]
    done: int  # bytes of the file read so far

    @property
    def has_runs(self) -> bool:
        return any(isinstance(item, PlainRun) for item in self.good)

    def reject(self, row: int, reason: str) -> _Reject:
        """The good row *row*, which turned out to be bad."""
        which = bisect_right(self.places, row) - 1
        item, offset = self.good[which], row - self.places[which]
        if isinstance(item, PlainRun):
            return _Reject(item.line + offset, reason, item.text.splitlines()[offset])
        return _Reject(item.line, reason, item.text.rstrip("\r\n"))


class _Tally:
    def __init__(self) -> None:
        self.read = self.loaded = self.rejected = self.conflicts = 0
        self.skipped: Counter[str] = Counter()
        self.log_rows: dict[Kind, Counter[str]] = {}

    @property
    def rows(self) -> int:
        return self.read + self.skipped.total()


def _batches(source: Source) -> Iterator[_Batch]:
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


def _batch(source: Source, items: Iterable[SourceRow | PlainRun], done: int) -> _Batch:
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
    rejects: list[_Reject] = []
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
            rejects.append(_Reject(item.line, item.reason, item.text.rstrip("\r\n")))
        else:
            skipped[item.skipped or "empty"] += 1
    parts = {
        kind: _Part("".join(payloads[kind]).encode(), columns[kind], owners[kind])
        for kind in source.kinds
        if owners[kind]
    }
    return _Batch(items, parts, rows, places, good, rejects, skipped, done)


def _judged(source: Source, batch: _Batch) -> _Batch:
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


async def _load(source: Source, tables: "_Tables", tally: _Tally, refused: _Rejects, progress: Progress | None) -> None:
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


class _Tables:
    """The tables of the kinds of rows that a file may have, written over one connection."""

    def __init__(self, connection: "PoolConnectionProxy[asyncpg.Record]", kinds: Sequence[Kind]) -> None:
        self._connection = connection
        self._tables = {kind: _Table(connection, kind) for kind in Kind if kind in kinds}

    async def load(self, batch: _Batch, tally: _Tally) -> dict[int, str]:
        """Add the new rows of *batch* and count them. Returns which rows conflict with what is there, and how."""
        if not batch.rows:
            return {}
        new: set[int] = set()
        conflicts: dict[int, str] = {}
        async with self._connection.transaction():
            for kind in self._tables:
                # One import of a kind at a time writes: two with the same rows in another order would deadlock. Every
                # import takes all its kinds in the order of their names in `Kind`.
                await self._connection.execute(_LOCK, f"{kind.schema}.{kind}")
            outcomes = {kind: await self._tables[kind].load(part) for kind, part in batch.parts.items()}
        for kind, outcome in outcomes.items():
            owners = batch.parts[kind].rows
            counts = tally.log_rows.setdefault(kind, Counter())
            given = {"loaded": outcome.loaded, "completed": outcome.completed, "conflicts": outcome.conflicts}
            counts.update({name: len(rows) for name, rows in given.items()})
            counts["duplicates"] += len(owners) - sum(map(len, given.values()))
            new.update(map(owners.__getitem__, outcome.loaded))
            new.update(map(owners.__getitem__, outcome.completed))
            key = ", ".join(kind.key)
            for n, differing in outcome.conflicts.items():
                conflicts[owners[n]] = f"{key}: is in the trade log with other values of {', '.join(differing)}"
        tally.loaded += len(new - conflicts.keys())
        return conflicts


_LOCK = "select pg_advisory_xact_lock(hashtextextended($1, 0))"


_Differing = Mapping[int, Sequence[str]]
"""Of rows, by their place, the columns that have other values than the row that is there."""


class _Outcome(NamedTuple):
    """Of the rows of a part, by their place in it: the new ones, those that complete another, those in conflict."""

    loaded: Sequence[int]
    completed: Sequence[int] = ()
    conflicts: _Differing = MappingProxyType({})


class _Table:
    """The table of one kind of rows."""

    def __init__(self, connection: "PoolConnectionProxy[asyncpg.Record]", kind: Kind) -> None:
        self._kind = kind
        self._connection = connection
        self._name = f"{kind.schema}.{kind}"
        self._columns = ", ".join(map(_quoted, kind.columns))
        self._key = ", ".join(map(_quoted, kind.key))
        self._all_new = not kind.has_versions  # whose keys do not tell

    async def load(self, part: _Part) -> _Outcome:
        """Add the new rows of *part*."""
        if self._all_new:
            with contextlib.suppress(asyncpg.UniqueViolationError):
                async with self._connection.transaction():
                    await self._copy(part, self._kind, schema=self._kind.schema)
                return _Outcome(range(len(part.rows)))
        outcome = await self._merge(part)
        self._all_new = len(outcome.loaded) == len(part.rows) and not self._kind.has_versions
        return outcome

    async def _copy(self, part: _Part, table: str, *, schema: str | None = None) -> None:
        with io.BytesIO(part.payload) as source:  # closed, because asyncpg holds on to it until garbage is collected
            await self._connection.copy_to_table(
                table, schema_name=schema, columns=part.columns, source=source, format="csv"
            )

    async def _merge(self, part: _Part) -> _Outcome:
        await self._connection.execute(
            f"create temporary table incoming as select {self._columns} from {self._name} with no data;"  # noqa: S608
            " alter table incoming add n integer generated always as identity (minvalue 0 start 0)"
        )
        await self._copy(part, "incoming")
        if self._kind.has_versions:
            outcome = _Outcome(await self._insert_newer())
        else:
            outcome = await self._sort_out(len(part.rows))
        await self._connection.execute("drop table incoming")
        return outcome

    async def _sort_out(self, rows: int) -> _Outcome:
        """Tell the incoming *rows* apart: new, completing another, known, in conflict."""
        loaded = await self._insert(self._name)
        differing = await self._differing() if len(loaded) < rows else {}
        completed: list[int] = []
        if differing and (completion := self._kind.completion):
            differing, completed = await self._complete(list(differing), completion)
        return _Outcome(loaded, completed, differing)

    async def _insert_newer(self) -> list[int]:
        """Add those of the incoming rows that are newer versions of what is there, in their order.

        As many of the first incoming rows of a key as repeat the last ones there, in their order, say nothing new. So
        what tells several versions may come again, and one that goes back to an earlier version is another version.
        """
        told = f"jsonb_build_array({self._columns})"
        newer = await self._connection.fetchval(
            f"""
            with given as (
                select {self._key}, array_agg(told order by n) as told, array_agg(n order by n) as n
                from (select {self._key}, n, told, lag(told) over (partition by {self._key} order by n) as before
                      from (select {self._key}, n, {told} as told from incoming) as incoming) as incoming
                where told is distinct from before group by {self._key}
            ), compared as (
                select given.n, given.told, array(
                    select told from (select id, {told} as told from {self._name} as kept
                                      where {self._this("kept", "given")}
                                      order by id desc limit cardinality(given.told)) as last order by id) as kept
                from given
            )
            select array_agg(newer order by newer) from compared cross join lateral unnest(n[1 + (
                select coalesce(max(same), 0) from generate_series(1, cardinality(kept)) as same
                where told[1:same] = kept[cardinality(kept) - same + 1:]):]) as newer
            """  # noqa: S608 (nothing from outside)
        )
        await self._connection.execute(
            f"insert into {self._name} ({self._columns})"  # noqa: S608
            f" select {self._columns} from incoming where n = any($1) order by n",
            newer or [],
        )
        return newer or []

    async def _insert(self, table: str, only: Sequence[int] | None = None) -> list[int]:
        """Put those of the incoming rows whose keys are new into *table*; of several with one key, the first."""
        rows = await self._connection.fetch(
            f"with added as (insert into {table} ({self._columns}) select {self._columns} from incoming"  # noqa: S608
            f" where $1::int[] is null or n = any($1) order by n on conflict do nothing returning {self._key})"
            f" select min(n) as n from incoming join added using ({self._key})"
            f" where $1::int[] is null or n = any($1) group by {self._key}",
            only,
        )
        return [row["n"] for row in rows]

    async def _differing(self) -> _Differing:
        # `limit 1` keeps the planner to one index look-up a row, whatever it believes of the temporary table.
        rows = await self._connection.fetch(
            f"select n, {self._other('kept')} as other from incoming cross join lateral"  # noqa: S608
            f" (select * from {self._name} as kept where {self._this('kept')} limit 1) as kept"
            f" where {self._differ('kept')} order by n"
        )
        return {row["n"]: row["other"] for row in rows}

    async def _complete(self, differing: list[int], completion: Completion) -> tuple[_Differing, list[int]]:
        """Of the rows that differ from what was recorded, those that conflict with it and those that completed it."""
        conflicts, ending = await self._judge(differing, completion)
        if not ending:
            return conflicts, []
        completed = await self._insert(f"tradelog.{completion.table}", ending)
        more, _ = await self._judge(sorted(set(ending) - set(completed)), completion)
        return {**conflicts, **more}, completed

    async def _judge(self, differing: list[int], completion: Completion) -> tuple[_Differing, list[int]]:
        """The conflicts among *differing*, and the rows that could end one which was recorded unfinished.

        What is neither says nothing new: it is the end that is known, or an earlier state than that.
        """
        fixed = [name for name in self._kind.columns if name not in completion.open_]
        mark, ends = _quoted(completion.mark), f"tradelog.{completion.table}"
        rows = await self._connection.fetch(
            f"select n, {_row('incoming', fixed)} is not distinct from {_row('kept', fixed)} as same,"  # noqa: S608
            f" incoming.{mark} is not distinct from $2 as unfinished, kept.{mark} is not distinct from $2 as open,"
            f" ended.recorded_at is not null as ended, not {self._differ('ended')} as known,"
            f" {self._other('kept')} as other, {self._other('ended')} as other_end"
            f" from incoming"
            f" cross join lateral (select * from {self._name} as kept where {self._this('kept')} limit 1) as kept"
            f" left join lateral (select * from {ends} as ended where {self._this('ended')} limit 1) as ended on true"
            " where n = any($1) order by n",
            differing,
            completion.while_,
        )
        conflicts: dict[int, Sequence[str]] = {}
        for row in rows:
            if not row["same"]:
                conflicts[row["n"]] = [name for name in row["other"] if name in fixed]
            elif not row["unfinished"] and (not row["open"] or (row["ended"] and not row["known"])):
                conflicts[row["n"]] = row["other_end"] if row["ended"] else row["other"]
        ending = [
            row["n"] for row in rows if row["same"] and not row["unfinished"] and row["open"] and not row["ended"]
        ]
        return conflicts, ending

    def _differ(self, table: str) -> str:
        """That the row of *table* has other values than the incoming one."""
        return f"({_row('incoming', self._kind.columns)} is distinct from {_row(table, self._kind.columns)})"

    def _other(self, table: str) -> str:
        """The names of the columns that have another value in the row of *table* than in the incoming one."""
        names = map(_quoted, self._kind.columns)
        cases = (f"case when incoming.{name} is distinct from {table}.{name} then '{name[1:-1]}' end" for name in names)
        return f"array_remove(array[{', '.join(cases)}], null)"

    def _this(self, table: str, given: str = "incoming") -> str:
        """That the row of *table* has the key of the one of *given*."""
        return " and ".join(f"{table}.{_quoted(name)} = {given}.{_quoted(name)}" for name in self._kind.key)


def _row(table: str, columns: Sequence[str]) -> str:
    return f"row({', '.join(f'{table}.{_quoted(name)}' for name in columns)})"


def _quoted(name: str) -> str:
    return f'"{name}"'  # `order` is a word of SQL
