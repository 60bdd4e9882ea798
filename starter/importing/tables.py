"""The tables of the trade log: batches of rows brought in by COPY, and what became of each row."""

import contextlib
import io
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from starter.client.holders import FINDABLE, Token
from starter.importing.formats.kinds import Completion, Kind
from starter.importing.formats.source import SourceRow
from starter.importing.sealing import FINGERPRINT, sealed_rows
from starter.importing.sources import PlainRun


class Reject(NamedTuple):
    """A row that was not taken: its line in the file, why, and the row as it was."""

    line: int
    reason: str
    original: str


class Part(NamedTuple):
    """The rows of a batch for one table."""

    payload: bytes  # CSV without a header
    columns: Sequence[str]
    rows: list[int]  # of which row of the batch each comes


class Batch(NamedTuple):
    """Rows that go to the database together."""

    items: Sequence[SourceRow | PlainRun]  # all that was read
    parts: dict[Kind, Part]
    rows: int  # good ones
    places: list[int]  # of each item with good rows, which row of the batch is its first
    good: list[SourceRow | PlainRun]
    rejects: list[Reject]
    skipped: Counter[str]
    done: int  # bytes of the file read so far

    @property
    def has_runs(self) -> bool:
        return any(isinstance(item, PlainRun) for item in self.good)

    def reject(self, row: int, reason: str) -> Reject:
        """The good row *row*, which turned out to be bad."""
        which = bisect_right(self.places, row) - 1
        item, offset = self.good[which], row - self.places[which]
        if isinstance(item, PlainRun):
            return Reject(item.line + offset, reason, item.text.splitlines()[offset])
        return Reject(item.line, reason, item.text.rstrip("\r\n"))


class Tally:
    """How many rows were read, loaded and rejected so far."""

    def __init__(self) -> None:
        self.read = self.loaded = self.rejected = self.conflicts = 0
        self.skipped: Counter[str] = Counter()
        self.log_rows: dict[Kind, Counter[str]] = {}

    @property
    def rows(self) -> int:
        return self.read + self.skipped.total()


class Tables:
    """The tables of the kinds of rows that a file may have, written over one connection."""

    def __init__(self, connection: "PoolConnectionProxy[asyncpg.Record]", kinds: Sequence[Kind]) -> None:
        self._connection = connection
        self._tables = {kind: _Table(connection, kind) for kind in Kind if kind in kinds}

    async def load(self, batch: Batch, tally: Tally) -> dict[int, str]:
        """Add the new rows of *batch* and count them. Returns which rows conflict with what is there, and how.

        A row of the file may give rows of several tables. All of them are added, or, where one is in conflict, none.
        """
        if not batch.rows:
            return {}
        erased: dict[int, str] = {}
        tokens: list[list[Token]] = []
        if Kind.CUSTOMERS in batch.parts:
            batch, erased, tokens = await _sealed(batch)
        async with self._connection.transaction():
            for kind in self._tables:
                # One import of a kind at a time writes: two with the same rows in another order would deadlock. Every
                # import takes all its kinds in the order of their names in `Kind`.
                await self._connection.execute(_LOCK, f"{kind.schema}.{kind}")
            if len(batch.parts) == 1 and len(owners := next(iter(batch.parts.values())).rows) == len(set(owners)):
                outcomes = {kind: await self._tables[kind].load(part) for kind, part in batch.parts.items()}
            else:
                outcomes = await self._load_whole(batch.parts)
            if tokens:
                found_by = [token for n in outcomes[Kind.CUSTOMERS].loaded for token in tokens[n]]
                await self._connection.executemany(FINDABLE, found_by)
        conflicts = erased
        for kind, outcome in outcomes.items():
            owners, key = batch.parts[kind].rows, ", ".join(kind.key)
            for n, differing in outcome.conflicts.items():
                told = f"{key}: is in the trade log with other values of {', '.join(differing)}"
                conflicts.setdefault(owners[n], told)
        new: set[int] = set()
        for kind, outcome in outcomes.items():
            owners = batch.parts[kind].rows
            added = {*outcome.loaded, *outcome.completed}
            taken = sum(owner not in conflicts for owner in owners)
            counts = tally.log_rows.setdefault(kind, Counter())
            counts.update(
                loaded=len(outcome.loaded),
                completed=len(outcome.completed),
                conflicts=len(outcome.conflicts),
                duplicates=taken - len(added),
            )
            new.update(map(owners.__getitem__, added))
        tally.loaded += len(new)
        return conflicts

    async def _load_whole(self, parts: Mapping[Kind, Part]) -> "dict[Kind, _Outcome]":
        """Add rows that belong together in several tables."""
        if all(self._tables[kind].all_new for kind in parts):
            with contextlib.suppress(asyncpg.UniqueViolationError):
                async with self._connection.transaction():
                    return {kind: await self._tables[kind].copy_new(part) for kind, part in parts.items()}
        for kind, part in parts.items():
            await self._tables[kind].bring(part)
        outcomes = await self._sort_out(parts)
        for kind in parts:
            await self._tables[kind].drop()
        return outcomes

    async def _sort_out(self, parts: Mapping[Kind, Part]) -> "dict[Kind, _Outcome]":
        """Add those of the rows brought that are in conflict with nothing, neither there nor among themselves.

        What is in conflict with what is there is out for good. What is so with an earlier row of the batch is tried
        again when the others are in: that earlier row may be out itself.
        """
        pending = {row for part in parts.values() for row in part.rows}
        found: dict[Kind, list[_Outcome]] = {kind: [] for kind in parts}
        while pending:
            out: set[int] = set()
            for kind, part in parts.items():
                conflicts = await self._tables[kind].conflicts(_places(part, pending))
                found[kind].append(_Outcome((), (), conflicts))
                out.update(part.rows[n] for n in conflicts)
            pending -= out
            if not pending:
                break
            clashing: set[int] = set()
            with contextlib.suppress(_ClashError):
                async with self._connection.transaction():
                    outcomes = await self._add(parts, pending)
                    clashing = {parts[kind].rows[n] for kind, each in outcomes.items() for n in each.conflicts}
                    if clashing:
                        raise _ClashError
            if clashing == pending:  # the first of them can only be in conflict with itself
                first = min(pending)
                for kind, outcome in outcomes.items():
                    own = {n: differing for n, differing in outcome.conflicts.items() if parts[kind].rows[n] == first}
                    found[kind].append(_Outcome((), (), own))
                pending = clashing - {first}
                continue
            if clashing:
                outcomes = await self._add(parts, pending - clashing)
            for kind, outcome in outcomes.items():
                found[kind].append(outcome)
            pending = clashing
        return {kind: _together(each) for kind, each in found.items()}

    async def _add(self, parts: Mapping[Kind, Part], rows: set[int]) -> "dict[Kind, _Outcome]":
        return {kind: await self._tables[kind].add(_places(part, rows)) for kind, part in parts.items()}


async def _sealed(batch: Batch) -> tuple[Batch, dict[int, str], list[list[Token]]]:
    """The *batch* with its customers sealed; which rows are refused and why; by what each of the others is found."""
    part = batch.parts[Kind.CUSTOMERS]
    found = await sealed_rows(part.payload, part.columns, part.rows)
    refused = {row: f"account: was erased on {day}; nothing more is kept of them" for row, day in found.erased.items()}
    parts = {**batch.parts, Kind.CUSTOMERS: Part(found.payload, found.columns, found.rows)}
    return batch._replace(parts=parts), refused, found.tokens


class _ClashError(Exception):
    """Rows of one batch are in conflict with each other: what was added is taken back."""


def _places(part: Part, rows: set[int]) -> list[int]:
    """The places of those rows of *part* that come of the *rows* of the batch."""
    return [n for n, row in enumerate(part.rows) if row in rows]


def _together(outcomes: "Sequence[_Outcome]") -> "_Outcome":
    return _Outcome(
        [n for each in outcomes for n in each.loaded],
        [n for each in outcomes for n in each.completed],
        {n: differing for each in outcomes for n, differing in each.conflicts.items()},
    )


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
        self._incoming = f"incoming_{kind}"
        self._columns = ", ".join(map(_quoted, (*kind.columns, FINGERPRINT) if kind.has_versions else kind.columns))
        self._key = ", ".join(map(_quoted, kind.key))
        self.all_new = not kind.has_versions  # whose keys do not tell

    async def load(self, part: Part) -> _Outcome:
        """Add the new rows of *part*."""
        if self.all_new:
            with contextlib.suppress(asyncpg.UniqueViolationError):
                async with self._connection.transaction():
                    return await self.copy_new(part)
        outcome = await self._merge(part)
        self.all_new = len(outcome.loaded) == len(part.rows) and not self._kind.has_versions
        return outcome

    async def copy_new(self, part: Part) -> _Outcome:
        """Add the rows of *part* straight. Raises `asyncpg.UniqueViolationError` if one of their keys is there."""
        await self._copy(part, self._kind, schema=self._kind.schema)
        return _Outcome(range(len(part.rows)))

    async def bring(self, part: Part) -> None:
        """Bring the rows of *part* beside the table, to be compared."""
        await self._connection.execute(
            f"create temporary table {self._incoming} as select {self._columns} from {self._name} with no data;"  # noqa: S608
            f" alter table {self._incoming} add n integer generated always as identity (minvalue 0 start 0)"
        )
        await self._copy(part, self._incoming)
        # A plan that knows neither the rows nor the places asked for compares every one with every other.
        await self._connection.execute(f"set local plan_cache_mode = force_custom_plan; analyze {self._incoming}")
        self.all_new = False

    async def drop(self) -> None:
        await self._connection.execute(f"drop table {self._incoming}")

    async def conflicts(self, only: Sequence[int]) -> _Differing:
        """Those of the rows brought, at the places *only*, that are in conflict with what is there."""
        differing = await self._differing(only)
        if differing and (completion := self._kind.completion):
            return (await self._judge(list(differing), completion))[0]
        return differing

    async def add(self, only: Sequence[int]) -> _Outcome:
        """Add those of the rows brought at the places *only*, which may be in conflict with each other."""
        return await self._sort_out(only)

    async def _copy(self, part: Part, table: str, *, schema: str | None = None) -> None:
        with io.BytesIO(part.payload) as source:  # closed, because asyncpg holds on to it until garbage is collected
            await self._connection.copy_to_table(
                table, schema_name=schema, columns=part.columns, source=source, format="csv"
            )

    async def _merge(self, part: Part) -> _Outcome:
        await self.bring(part)
        if self._kind.has_versions:
            outcome = _Outcome(await self._insert_newer())
        else:
            outcome = await self._sort_out(range(len(part.rows)))
        await self.drop()
        return outcome

    async def _sort_out(self, only: Sequence[int]) -> _Outcome:
        """Tell the incoming rows at the places *only* apart: new, completing another, known, in conflict."""
        loaded = await self._insert(self._name, only)
        differing = await self._differing(only) if len(loaded) < len(only) else {}
        completed: list[int] = []
        if differing and (completion := self._kind.completion):
            differing, completed = await self._complete(list(differing), completion)
        return _Outcome(loaded, completed, differing)

    async def _insert_newer(self) -> list[int]:
        """Add those of the incoming rows that are newer versions of what is there, in their order.

        As many of the first incoming rows of a key as repeat the last ones there, in their order, say nothing new. So
        what tells several versions may come again, and one that goes back to an earlier version is another version.
        """
        told = _quoted(FINGERPRINT)
        newer = await self._connection.fetchval(
            f"""
            with given as (
                select {self._key}, array_agg(told order by n) as told, array_agg(n order by n) as n
                from (select {self._key}, n, told, lag(told) over (partition by {self._key} order by n) as before
                      from (select {self._key}, n, {told} as told from {self._incoming}) as incoming) as incoming
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
            f" select {self._columns} from {self._incoming} where n = any($1) order by n",
            newer or [],
        )
        return newer or []

    async def _insert(self, table: str, only: Sequence[int]) -> list[int]:
        """Put those of the rows *only* whose keys are new into *table*; of several with one key, the first."""
        rows = await self._connection.fetch(
            f"with added as (insert into {table} ({self._columns}) select {self._columns} from {self._incoming}"  # noqa: S608
            f" where n = any($1) order by n on conflict do nothing returning {self._key})"
            f" select min(n) as n from {self._incoming} as incoming join added using ({self._key})"
            f" where n = any($1) group by {self._key}",
            list(only),
        )
        return [row["n"] for row in rows]

    async def _differing(self, only: Sequence[int]) -> _Differing:
        # `limit 1` keeps the planner to one index look-up a row, whatever it believes of the temporary table.
        rows = await self._connection.fetch(
            f"select n, {self._other('kept')} as other from {self._incoming} as incoming cross join lateral"  # noqa: S608
            f" (select * from {self._name} as kept where {self._this('kept')} limit 1) as kept"
            f" where n = any($1) and {self._differ('kept')} order by n",
            list(only),
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
            f"select n, not {self._differ('kept', fixed)} as same,"  # noqa: S608
            f" incoming.{mark} is not distinct from $2 as unfinished, kept.{mark} is not distinct from $2 as open,"
            f" ended.recorded_at is not null as ended, not {self._differ('ended')} as known,"
            f" {self._other('kept')} as other, {self._other('ended')} as other_end"
            f" from {self._incoming} as incoming"
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

    def _differ(self, table: str, columns: Sequence[str] | None = None) -> str:
        """That the row of *table* has other values than the incoming one."""
        apart = self._kind.told_apart
        sure = [name for name in columns or self._kind.columns if name not in apart]
        whole = f"{_row('incoming', sure)} is distinct from {_row(table, sure)}"
        return "(" + " or ".join([whole, *(self._other_value(name, table) for name in apart)]) + ")"

    def _other(self, table: str) -> str:
        """The names of the columns that have another value in the row of *table* than in the incoming one."""
        cases = (f"case when {self._other_value(name, table)} then '{name}' end" for name in self._kind.columns)
        return f"array_remove(array[{', '.join(cases)}], null)"

    def _other_value(self, name: str, table: str) -> str:
        one, other = f"incoming.{_quoted(name)}", f"{table}.{_quoted(name)}"
        return (
            f"coalesce({one} <> {other}, false)" if name in self._kind.told_apart else f"{one} is distinct from {other}"
        )

    def _this(self, table: str, given: str = "incoming") -> str:
        """That the row of *table* has the key of the one of *given*."""
        return " and ".join(f"{table}.{_quoted(name)} = {given}.{_quoted(name)}" for name in self._kind.key)


def _row(table: str, columns: Sequence[str]) -> str:
    return f"row({', '.join(f'{table}.{_quoted(name)}' for name in columns)})"


def _quoted(name: str) -> str:
    return f'"{name}"'  # `order` is a word of SQL
