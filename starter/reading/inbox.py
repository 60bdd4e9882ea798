"""Somebody's inbox, from the case file."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from domain.ground.base import person_of
from domain.money.amounts import Money
from domain.people.directory import Person
from domain.people.inbox import Item, Standing, in_order, next_step
from domain.rules.policy import PolicyPack
from record.directory import read_directory

if TYPE_CHECKING:
    import asyncpg

    from runtime.database import Connection, Pool


async def read_inbox(pool: "Pool", who: str, at: datetime, *, limit: int = 200) -> list[Item]:
    """What is on the desk of *who* (an id), by next duty: their cases, what waits for their decision, their teams'.

    A case that they are kept out of *at* that moment is in no inbox of theirs. Of the team's cases those that the
    team's own roles can take are there: nobody's, and other people's.
    """
    person = person_of(who)
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        one = (await read_directory(connection)).find(who)
        teams = list(one.teams) if one else []
        rows = await connection.fetch(_OPEN, person, teams, at, bool(one))
        packs: dict[str, PolicyPack] = {}
        found = []
        for row in rows:
            decides = bool(one and row["proposed"] and await _decides(connection, packs, one, row))
            if (why := _why(row, person, decides, teams)) is None:
                continue
            case = Standing(**{name: row[name] for name in Standing.model_fields})
            found.append(Item(why=why, case=case, step=next_step(case, decides=decides)))
    return in_order(found)[:limit]


def _why(row: "asyncpg.Record", person: str, decides: bool, teams: list[str]) -> Any:
    if row["handler"] is not None and person_of(row["handler"]) == person:
        return "mine"
    if decides:
        return "waiting for me"
    return "my team's" if row["team"] in teams else None


async def _decides(connection: "Connection", packs: dict[str, PolicyPack], one: Person, row: "asyncpg.Record") -> bool:
    """Whether *one* may decide the proposal that waits: by role and limit, and proposed by somebody else."""
    if person_of(row["proposer"].partition(":")[2]) == one.person:
        return False
    if row["policy_hash"] not in packs:
        content = await connection.fetchval(_PACK, row["policy_hash"])
        packs[row["policy_hash"]] = PolicyPack.model_validate(content)
    sums = [Money.model_validate(row["compensation"])] if row["compensation"] else []
    if row["awarded"] is not None:
        sums.append(Money(amount=row["awarded"], currency=row["awarded_in"]))
    if len({each.currency for each in sums}) > 1:
        return False
    stake = sums[0] + sums[1] if len(sums) > 1 else sums[0] if sums else None
    return any(packs[row["policy_hash"]].decision.may_approve(role, stake) for role in one.roles)


# Of a case's entries the last that proposes, decides or puts aside says whether a proposal waits.
_OPEN: Final = """
    select c.reference, c.stage, c.category, c.priority, c.team, c.policy_hash,
        c.handler,
        (select min(d.clock_due) from casefile.deadlines d left join casefile.satisfactions s
            using (reference, clock, number)
            where d.reference = c.reference and 'breach' = any(d.actions) and s.at is null) as next_duty,
        coalesce((select event = 'information_requested' from casefile.events e where e.reference = c.reference
            and event in ('information_requested', 'customer_replied', 'wait_ended') order by number desc limit 1),
            false) as asked,
        coalesce(said.kind = 'propose_resolution', false) and c.stage in ('investigating', 'deciding') as proposed,
        said.actor as proposer, said.data -> 'compensation' as compensation,
        c.compensation_amount as awarded, c.compensation_currency as awarded_in,
        exists (select from payments.standing p where p.reference = c.reference and p.ended_at is null) as unpaid
    from casefile.cases c
    left join lateral (
        select kind, actor, data from casefile.timeline t where t.reference = c.reference
            and kind in ('propose_resolution', 'decide_resolution', 'investigate', 'request_information', 'set_aside')
        order by at desc, id desc limit 1) as said on true
    where c.closed_at is null and not casefile.is_kept_out(c.reference, $1, $3)
        and (lower(c.handler) = $1 or c.team = any($2) or ($4 and c.stage in ('investigating', 'deciding')))
"""
_PACK: Final = "select content from casefile.policy_packs where hash = $1"
