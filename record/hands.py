"""What the record holds of a case that bears on whose hands it may be in: recusals, signs, and what they rest on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import asyncpg

from domain.case.approval import PROPOSING
from domain.case.complaint import Complaint
from domain.case.hearing import HEARD, said_by_customer
from domain.ground.base import person_of
from domain.ground.people import Actor
from domain.people.directory import Directory
from domain.people.hands import Hands
from domain.people.recusal import Acted, Concerned, Recusal, Why, kept_out, recusals
from domain.people.signs import SignChange, care_for, standing
from record.accounts import ACCOUNT, TRADES
from record.directory import DIRECTORY_DIGEST, directory_of, read_directory
from record.restrictions import restrictions_in_case

if TYPE_CHECKING:
    from record.connection import Connection


DECIDING: Final = (*PROPOSING, "decide_resolution")
"""The entries of a timeline by which somebody decides, or proposes what is decided."""


async def recusals_of(connection: "Connection", references: Sequence[str]) -> dict[str, list[Recusal]]:
    """The recusals of these cases, the first first."""
    found: dict[str, list[Recusal]] = {}
    for row in await connection.fetch(_RECUSALS, references):
        found.setdefault(row["reference"], []).append(Recusal(**{name: row[name] for name in Recusal.model_fields}))
    return found


async def recorded_recusals(connection: "Connection", reference: str) -> list[Recusal]:
    """The recusals of a case, the first first."""
    return (await recusals_of(connection, [reference])).get(reference, [])


async def sign_changes(connection: "Connection", reference: str) -> list[SignChange]:
    """What became of the signs of a case, in order."""
    rows = await connection.fetch(_SIGN_CHANGES, reference)
    return [SignChange(**dict(row) | {"by": Actor.named(row["by"])}) for row in rows]


async def recusals_of_list(connection: "Connection", incident: str, number: int) -> list[Recusal]:
    """Who is kept out of list *number* of an incident: of a complaint about it, or of an account on it, whatever its
    state, for whoever approves the list says of the others that they get nothing."""
    of_cases = [Recusal(**row) for row in await connection.fetch(_RECUSALS_OF_CASES, incident)]
    directory = await read_directory(connection)
    acted = [Acted(**row) for row in await connection.fetch(_ACTED_ON_LIST, incident, number)]
    of_trades = [
        one.model_copy(update={"at": one.since})
        for one in recusals(directory, Concerned(account=None, texts=(), acted=tuple(acted)))
    ]
    declared = [
        Recusal(person=one.person, why=Why.DECLARED, about=conflict.account, first=conflict.first, last=conflict.last)
        for one in directory.people
        for conflict in one.conflicts
    ]
    rows = await connection.fetch(_LISTED, incident, number, [one.about for one in declared])
    listed = {row["account"] for row in rows}
    return [*of_cases, *of_trades, *(one for one in declared if one.about in listed)]


class KeptOut(NamedTuple):
    """What the record holds of who may decide on a case."""

    recusals: Sequence[Recusal]
    signs: Sequence[SignChange]
    had: Mapping[str, int]
    """In which round each person had it first."""


def kept_out_columns(case: str) -> str:
    """The columns of a query for `kept_out_of`; *case* is SQL for the reference."""
    return f"""
        (select coalesce(jsonb_agg(jsonb_build_object('person', person, 'why', why, 'about', about, 'since', since,
            'first', first, 'last', last, 'at', at) order by id), '[]')
         from casefile.recusals where reference = {case}) as recusals,
        (select coalesce(jsonb_agg(jsonb_build_object('step', step, 'sign', sign, 'by', by, 'at', at,
            'reason', reason) order by id), '[]')
         from casefile.signs where reference = {case}) as signs,
        (select coalesce(jsonb_agg(jsonb_build_object('person', person, 'round', {ROUND})), '[]')
         from casefile.assignments a where reference = {case} and person is not null) as had
    """  # noqa: S608 (constants)


def kept_out_of(row: asyncpg.Record) -> KeptOut:
    """What the columns of `kept_out_columns` say."""
    return KeptOut(
        recusals=[Recusal(**one) for one in row["recusals"]],
        signs=[SignChange(**one | {"by": Actor.named(one["by"])}) for one in row["signs"]],
        had=_first_rounds(row["had"]),
    )


def _first_rounds(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    had: dict[str, int] = {}
    for row in rows:
        person = person_of(row["person"])
        had[person] = min(row["round"], had.get(person, row["round"]))
    return dict(sorted(had.items()))


@dataclass(frozen=True)
class WhoseHands:
    """What the record holds of whose hands a case is in, read at once."""

    assigned: int
    """The number of its last assignment, 0 where there is none."""
    handler: str | None
    named: str | None
    """Who has it by the case's own row."""
    kept_out: KeptOut
    tasks: Sequence[Mapping[str, Any]]
    """``number``, ``owner``, ``turns``, ``open`` of each."""
    restrictable: bool
    """Whether anything was ever said of restricting the customer."""


async def read_whose_hands(connection: "Connection", reference: str) -> WhoseHands:
    """What the record holds of whose hands a case is in."""
    row = await connection.fetchrow(_WHOSE_HANDS, reference)
    assert row is not None  # noqa: S101 (one row, whatever there is)
    return whose_hands(row)


def whose_hands(row: asyncpg.Record) -> WhoseHands:
    """What the columns of `HANDS_COLUMNS` say."""
    assigned = row["assigned"] or {"number": 0, "person": None}
    return WhoseHands(
        assigned=assigned["number"],
        handler=assigned["person"],
        named=row["named"],
        kept_out=kept_out_of(row),
        tasks=row["tasks"],
        restrictable=row["restrictable"],
    )


async def hands_of(connection: "Connection", reference: str, held: WhoseHands, at: datetime) -> Hands:
    """Whose hands the case is in *at* that moment, by what is *held* of it."""
    restricted = await restrictions_in_case(connection, reference, at) if held.restrictable else []
    turns = sum(task["turns"] for task in held.tasks)
    recorded, signs, had = held.kept_out
    return Hands(
        version=held.assigned + len(recorded) + len(signs) + turns,
        handler=held.handler,
        kept_out={person: one.why for person, one in sorted(kept_out(recorded, at).items())},
        care=care_for(standing(signs), at),
        tasks={task["number"]: task["owner"] for task in held.tasks if task["owner"] and task["open"]},
        restricted=tuple(sorted({one.form for one in restricted})),
        had=dict(had),
    )


async def read_hands(connection: "Connection", reference: str, at: datetime) -> Hands:
    """Whose hands the case is in *at* that moment."""
    return await hands_of(connection, reference, await read_whose_hands(connection, reference), at)


async def read_to_hand_over(connection: "Connection", reference: str) -> tuple[WhoseHands, Concerned, Directory]:
    """All that it takes to say whose hands a case belongs in: whose it is in, what it concerns (the customer's words so
    far, those of a closed case that it goes on from among them, and who acted or decided on the same), and who there
    is; within a transaction that holds `LOCK_DIRECTORY`.
    """
    case = await connection.fetchrow(_CASE, reference, list(DECIDING), list(HEARD))
    if case is None:
        raise LookupError(f"there is no case {reference}")
    complaint = Complaint.recorded(case["complaint"])
    later = map(said_by_customer, case["said_in"], case["said_by"], case["told"])
    written = [complaint, *map(Complaint.recorded, case["before"])]
    told = [text for text in (*(text for one in written for text in (one.subject, one.description)), *later) if text]
    concerned = Concerned(
        account=case["account"],
        texts=tuple(told),
        acted=tuple(Acted(**one) for one in case["acted"]),
        decided=tuple(Acted(**one) for one in case["decided"]),
    )
    return whose_hands(case), concerned, await directory_of(connection, case["directory"])


_RECUSALS: Final = """
    select reference, person, why, about, since, first, last, at from casefile.recusals
    where reference = any($1) order by id
"""
_RECUSALS_OF_CASES: Final = """
    select person, why, about, since, first, last, at from casefile.recusals
    where about <> $1 and reference in (select reference from casefile.incident_cases where incident = $1) order by id
"""
_LISTED: Final = """
    select account from casefile.cohort_members
    where (reference, number) = ($1, $2) and account = any($3)
"""
_ACTED_ON_LIST: Final = """
    select decided_by as who, coalesce("order", "position", cancellation) as about,
        min(coalesce(recorded_at, at)) as since
    from casefile.cohort_members as members join tradelog.cancellations using (account)
    where (members.reference, members.number) = ($1, $2) and decided_by is not null
        and array[cancellation, "order", "position"] && members.trades
    group by 1, 2 order by 3, 1, 2
"""
_SIGN_CHANGES: Final = """
    select step, sign, by, at, reason from casefile.signs where reference = $1 order by id
"""
ROUND: Final = """
    (select coalesce(max((data ->> 'round')::integer), 1) from casefile.timeline t
     where t.reference = a.reference and t.kind = 'stage' and t.at <= a.at)
"""
"""In which round an assignment ``a`` was: a round begins with the stage that it is entered by."""
HANDS_COLUMNS: Final = f"""
        (select jsonb_build_object('number', number, 'person', person) from casefile.assignments
         where reference = $1 order by number desc limit 1) as assigned,
        (select handler from casefile.cases where reference = $1) as named,
        (select coalesce(jsonb_agg(jsonb_build_object('number', number, 'owner', owner, 'turns', turns,
            'open', ended_at is null) order by number), '[]')
         from casefile.tasks where reference = $1) as tasks,
        {kept_out_columns("$1")},
        exists (select from casefile.restrictions join casefile.cases using (account)
                where cases.reference = $1) as restrictable
"""  # noqa: S608 (constants)
"""The columns of a query for `whose_hands`, of the case ``$1``."""
_WHOSE_HANDS: Final = f"select {HANDS_COLUMNS}"
# Who decided in a round that has had its final response: once the case is taken up again, that is before. The case may
# be at that stage still while its response is sent, and what is written of it is older than what the record has.
_CASE: Final = f"""
    with recursive this as (
        select reference, complaint, stage,
            {ACCOUNT} as account,
            {TRADES} as trades
        from casefile.cases c where reference = $1
    ), here as (
        select 1 as place, id as ordered, actor as who, key as about, at as since
        from casefile.timeline join this using (reference)
        where kind = any($2) and stage in ('investigating', 'deciding')
            and (data ->> 'round')::integer <= (
                select count(*) from casefile.events where reference = $1 and event = 'responded')
            and 'responded' is distinct from (
                select text from casefile.timeline where reference = $1 and kind = 'stage' order by id desc limit 1)
    ), continued (reference) as (
        select data ->> 'continues' from casefile.timeline where reference = $1 and kind = 'continues'
        union
        select continues from continued cross join lateral (
            select data ->> 'continues' as continues from casefile.timeline t
            where t.reference = continued.reference and kind = 'continues' offset 0) as before
    ), elsewhere as (
        select 2 as place, 0 as ordered, actor as who, timeline.reference as about, min(at) as since
        from this join casefile.cases on cases.account = this.account and cases.reference <> this.reference
            join casefile.timeline on timeline.reference = cases.reference
        where (cases.complaint -> 'trades' ?| this.trades or cases.reference in (select reference from continued))
            and kind = any($2)
        group by 3, 4
    ), incidents as (
        select 3 as place, 0 as ordered, actor as who, members.reference as about, min(timeline.at) as since
        from this join casefile.cohort_members as members using (account)
            join casefile.incident_timeline as timeline on timeline.reference = members.reference
        where members.trades && this.trades and kind = 'decide_incident' and data ->> 'decision' = 'approve'
        group by 3, 4
    ), acted as (
        select distinct decided_by as who, coalesce("order", "position", cancellation) as about
        from this join tradelog.cancellations using (account)
        where decided_by is not null
            and (cardinality(trades) = 0 or array[cancellation, "order", "position"] && trades)
    ), said as (
        select coalesce(array_agg(kind order by id), '{{}}') as said_in,
            coalesce(array_agg(actor order by id), '{{}}') as said_by,
            coalesce(array_agg(data order by id), '{{}}') as told
        from casefile.timeline
        where reference = any (array(select $1 union all select reference from continued)) and kind = any($3)
    )
    select complaint, account,
        array(select complaint from casefile.cases
              where reference = any (array(select reference from continued))) as before,
        said_in, said_by, told,
        (select coalesce(jsonb_agg(jsonb_build_object('who', who, 'about', about) order by about, who), '[]')
         from acted) as acted,
        (select coalesce(jsonb_agg(jsonb_build_object('who', who, 'about', about, 'since', since)
            order by place, ordered, about, who), '[]')
         from (select * from here union all select * from elsewhere union all select * from incidents) as decided
        ) as decided,
        ({DIRECTORY_DIGEST}) as directory,
        {HANDS_COLUMNS}
    from this cross join said
"""  # noqa: S608 (constants)
