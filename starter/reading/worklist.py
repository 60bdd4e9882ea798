"""Lists of open cases, recurrences first, then in the order of their duties, read by index, however many there are."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from domain.ground.base import Instant, Record, person_of
from domain.ground.people import Actor
from domain.ground.words import Category, Priority, Role, SignKind, Stage
from domain.money.amounts import Money
from domain.people.directory import Directory
from domain.people.inbox import Item, NextStep, Standing, next_step
from domain.rules.policy import PolicyPack
from record.directory import read_directory
from record.hands import ROUND

if TYPE_CHECKING:
    import asyncpg

    from runtime.database import Connection, Pool


class View(StrEnum):
    """Which open cases somebody looks at."""

    MINE = "mine"
    APPROVAL = "approval"
    """Proposals that wait for their decision: by role and limit, and never their own."""
    TEAM = "team"
    """Those of their teams, in whosever hands."""
    UNASSIGNED = "unassigned"
    ALL = "all"


class Filters(Record):
    """What the cases must fit; nothing given fits all. ``overdue``: a duty has passed; ``breached``: one was missed."""

    priority: Priority | None = None
    stage: Stage | None = None
    category: Category | None = None
    sign: SignKind | None = None
    breached: bool | None = None
    overdue: bool | None = None


class Place(NamedTuple):
    """Where a page of a list ends. ``duty`` is None among the cases that have no duty."""

    repeat: bool
    duty: datetime | None
    priority: str
    reference: str


class Page(Record):
    """A page of a list; ``more``: others follow the last."""

    items: tuple[Item, ...]
    more: bool

    @property
    def end(self) -> Place | None:
        """What to go on after."""
        if not (self.more and self.items):
            return None
        last = self.items[-1].case
        return Place(last.repeat, last.next_duty, last.priority or "", last.reference)


class Counts(Record):
    """How many open cases somebody has in each view, counted up to :func:`most_counted`."""

    mine: int
    approval: int
    team: int
    unassigned: int
    all: int
    at: Instant


def most_counted(view: View) -> int:
    """How many cases of that *view* are counted at most: reading a hundred thousand for one number helps nobody, and
    proposals are counted one by one, because role and limit decide.
    """
    return 50 if view is View.APPROVAL else 1_000


async def read_worklist(
    pool: "Pool",
    who: str,
    view: View,
    at: datetime,
    *,
    filters: Filters | None = None,
    after: Place | None = None,
    limit: int = 50,
) -> Page:
    """The open cases of that *view* of *who* (an id),: recurrences first, then by next duty and priority.

    *after* is the end of another page.

    A case that they are kept out of *at* that moment is in no list of theirs.
    """
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        desk = _Desk(connection, who, await read_directory(connection), at)
        items: list[Item] = []
        async for item in desk.items(view, filters or Filters(), after, limit + 1):
            items.append(item)
            if len(items) > limit:
                break
    return Page(items=tuple(items[:limit]), more=len(items) > limit)


async def count_worklist(pool: "Pool", who: str, at: datetime, *, approval: int | None = None) -> Counts:
    """How many open cases *who* has in each view; what waits for their *approval* may be counted already."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        directory = await read_directory(connection)
        one = directory.find(who)
        row = await connection.fetchrow(
            _COUNTS, person_of(who), list(one.teams) if one else [], at, most_counted(View.ALL)
        )
        most = most_counted(View.APPROVAL)
        if approval is None:
            approval = 0
            async for _ in _Desk(connection, who, directory, at).to_decide(Filters(), None, most, counted=True):
                approval += 1
                if approval == most:
                    break
    return Counts(**dict(row or {}), approval=min(approval, most), at=at)


class _Desk:
    """The lists of one person at one moment."""

    def __init__(self, connection: "Connection", who: str, directory: Directory, at: datetime) -> None:
        self._connection = connection
        self._person = person_of(who)
        self._directory = directory
        self._one = directory.find(who)
        self._at = at

    async def items(self, view: View, filters: Filters, after: Place | None, batch: int) -> AsyncIterator[Item]:
        """What is in the *view*, in order; *batch* are fetched first, then more at once."""
        if view is View.APPROVAL:
            async for row in self.to_decide(filters, after, batch):
                yield await self._item(row, decides=True)
            return
        async for row in self._rows(view, filters, after, batch):
            yield await self._item(row, decides=await self._decides(row))

    async def to_decide(
        self, filters: Filters, after: Place | None, batch: int, *, counted: bool = False
    ) -> "AsyncIterator[asyncpg.Record]":
        """The rows of what waits for their decision; to be *counted*, without what only shows."""
        roles = list(self._one.roles) if self._one else []
        if not await self._connection.fetchval(_DECIDE_SOMEWHERE, roles):
            return  # and the proposals of everybody are not gone through for nothing
        async for row in self._rows(View.APPROVAL, filters, after, batch, counted=counted):
            if await self._decides(row):
                yield row

    async def _rows(
        self, view: View, filters: Filters, after: Place | None, batch: int, *, counted: bool = False
    ) -> "AsyncIterator[asyncpg.Record]":
        while rows := await self._fetch(view, filters, after, batch, _COUNTED if counted else _SHOWN):
            for row in rows:
                yield row
            if len(rows) < batch:
                return
            last, batch = rows[-1], min(2 * batch, _MOST)
            after = Place(last["repeat"], last["next_duty"], last["priority"] or "", last["reference"])

    async def _fetch(
        self, view: View, filters: Filters, after: Place | None, limit: int, columns: str
    ) -> "Sequence[asyncpg.Record]":
        one = self._one
        values: list[Any] = [
            self._person,
            self._at,
            limit,
            list(one.teams) if one else [],
            list(one.roles) if one else [],
        ]

        def value(of: Any) -> str:
            values.append(of)
            return f"${len(values)}"

        conditions = [_OF_VIEWS[view]]
        for name, wanted in filters:
            if wanted is not None:
                conditions.append(_OF_FILTERS[name].format(value(wanted)))
        if after:
            place = [value(not after.repeat), value(after.duty), value(after.priority), value(after.reference)]
            conditions.append(_FURTHER.format(*place))
        return await self._connection.fetch(_PAGE.format(columns, ROUND, " and ".join(conditions)), *values)

    async def _item(self, row: "asyncpg.Record", *, decides: bool) -> Item:
        case = Standing(**{name: row[name] for name in Standing.model_fields})
        mine = case.handler is not None and person_of(case.handler) == self._person
        has_it = mine or case.handler is None or case.handler in set(Role)
        lacking = await self._lacking(row, self._one.roles if self._one else (Role.HANDLER,)) if has_it else ()
        step = next_step(case, decides=decides, has_it=has_it, trained=not lacking)
        why = "mine" if mine else "waiting for me" if decides else "my team's" if row["of_my_team"] else "another's"
        lacking = lacking if step is NextStep.HAND_ON else ()
        return Item.model_validate({"why": why, "case": case, "step": step, "lacking": lacking})

    async def _lacking(self, row: "asyncpg.Record", roles: Iterable[Role]) -> tuple[str, ...]:
        """The courses that they lack in each of these *roles*: those of the role in which they lack fewest."""
        pack = await self._pack(row["policy_hash"])
        each = (self._directory.lacking(self._person, pack.courses(role), self._at.date()) for role in roles)
        return min(each, key=len, default=())

    async def _decides(self, row: "asyncpg.Record") -> bool:
        """Whether they may decide the proposal that waits.

        By role, limit and training; it is somebody else's, and nothing that they had before, or a superior did.
        """
        if self._one is None or not row["proposed"]:
            return False
        if person_of(row["proposer"].partition(":")[2]) == self._one.person:
            return False
        if row["had"] is not None and row["had"] < row["round"]:
            return False
        sums = [Money.model_validate(row["compensation"])] if row["compensation"] else []
        if row["awarded"] is not None:
            sums.append(Money(amount=row["awarded"], currency=row["awarded_in"]))
        if len({each.currency for each in sums}) > 1:
            return False
        stake = sums[0] + sums[1] if len(sums) > 1 else sums[0] if sums else None
        decision = (await self._pack(row["policy_hash"])).decision
        if row["category"] and row["priority"]:
            decision = decision.of(Category(row["category"]), Priority(row["priority"]))
        before = [Actor.named(one).role for one in row["approved_before"]]
        able = [role for role in decision.approvers(stake, after=before) if role in self._one.roles]
        return bool(able) and not await self._lacking(row, able)

    async def _pack(self, policy_hash: str) -> PolicyPack:
        if policy_hash not in _PACKS:
            content = await self._connection.fetchval(_PACK, policy_hash)
            _PACKS[policy_hash] = PolicyPack.model_validate(content)
        return _PACKS[policy_hash]


_MOST: Final = 1_000
_PACKS: Final = dict[str, PolicyPack]()
"""By the hash of their content: the few that open cases have, read once."""
_DECIDED_BY: Final = """
    select hash from casefile.policy_packs, jsonb_path_query(content, '$.decision.**.role') as role
    where role #>> '{{}}' = any({}::text[])
"""
_DECIDE_SOMEWHERE: Final = f"select exists ({_DECIDED_BY.format('$1')})"
_OF_VIEWS: Final[Mapping[View, str]] = {
    View.MINE: "handler = $1",
    View.APPROVAL: f"""proposer is not null and stage in ('investigating', 'deciding') and policy_hash in (
        {_DECIDED_BY.format("$5")})""",
    View.TEAM: "team = any($4)",
    View.UNASSIGNED: "handler is null",
    View.ALL: "true",
}
_OF_FILTERS: Final[Mapping[str, str]] = {
    "priority": "priority = {}",
    "stage": "stage = {}",
    "category": "category = {}",
    "breached": "breached = {}",
    "overdue": "(next_duty < $2) = {}",
    # What a person said of a sign counts before what the words said.
    "sign": """reference in (select reference from casefile.signs where sign ->> 'kind' = {0}) and 'withdrawn' <> (
        select step from casefile.signs s where s.reference = worklist.reference and s.sign ->> 'kind' = {0}
            and coalesce((s.sign ->> 'valid_until')::timestamptz, 'infinity') > $2
        order by s.by <> 'system:redress' desc, s.id desc limit 1)""",
}
_FURTHER: Final = "(first_time, next_duty, priority, reference) > ({}, coalesce({}, 'infinity'::timestamptz), {}, {})"
_SHOWN: Final = """
        coalesce((select event = 'information_requested' from casefile.events e where e.reference = w.reference
            and event in ('information_requested', 'customer_replied', 'wait_ended') order by number desc limit 1),
            false) as asked,
        exists (select from payments.standing p where p.reference = w.reference and p.ended_at is null) as unpaid
"""
_COUNTED: Final = "false as asked, false as unpaid"
_PAGE: Final = """
    select w.reference, w.stage, w.category, nullif(w.priority, '') as priority, w.team, w.breached, w.received_at,
        not w.first_time as repeat,
        nullif(w.next_duty, 'infinity') as next_duty, w.next_duty < $2 as overdue, c.policy_hash, c.handler,
        w.team = any($4::text[]) as of_my_team, cardinality($5::text[]) as roles,
        {},
        w.proposer is not null and w.stage in ('investigating', 'deciding') as proposed, w.proposer,
        coalesce((said.data ->> 'round')::integer, 1) as round,
        (select min({}) from casefile.assignments a where a.reference = w.reference and lower(a.person) = $1) as had,
        array(select actor from casefile.timeline t where t.reference = w.reference and t.kind = 'decide_resolution'
            and t.data ->> 'decision' = 'approve'
            and (t.data ->> 'round')::integer < (said.data ->> 'round')::integer) as approved_before,
        said.data -> 'compensation' as compensation,
        c.compensation_amount as awarded, c.compensation_currency as awarded_in
    from (
        select * from casefile.worklist
        where reference not in (select casefile.kept_out_of($1, $2)) and {}
        order by first_time, next_duty, priority, reference limit $3
    ) as w
    join casefile.cases c using (reference)
    left join lateral (
        select data from casefile.timeline t where t.reference = w.reference and kind = 'propose_resolution'
            and w.proposer is not null
        order by at desc, journal desc, id desc limit 1) as said on true
    order by w.first_time, w.next_duty, w.priority, w.reference
"""
_COUNT: Final = """
    (select count(*) from (select from casefile.worklist
        where {} and reference not in (select reference from barred) limit $4) as counted) as {}
"""
_COUNTS: Final = f"""
    with barred as materialized (select casefile.kept_out_of($1, $3) as reference)
    select {_COUNT.format("handler = $1", "mine")}, {_COUNT.format("team = any($2)", "team")},
        {_COUNT.format("handler is null", "unassigned")}, {_COUNT.format("true", "all")}
"""
_PACK: Final = "select content from casefile.policy_packs where hash = $1"
