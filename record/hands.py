"""What the record holds of a case that bears on whose hands it may be in: recusals, signs, and what they rest on."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from domain.case.approval import PROPOSING
from domain.case.complaint import Complaint
from domain.ground.people import Actor
from domain.people.hands import Hands
from domain.people.recusal import Acted, Concerned, Recusal, Why, kept_out
from domain.people.signs import SignChange, care_for, standing
from record.directory import read_directory
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


async def signs_of(connection: "Connection", references: Sequence[str]) -> dict[str, list[SignChange]]:
    """What became of the signs of these cases, in order."""
    found: dict[str, list[SignChange]] = {}
    for row in await connection.fetch(_SIGN_CHANGES, references):
        said = {name: row[name] for name in SignChange.model_fields} | {"by": Actor.named(row["by"])}
        found.setdefault(row["reference"], []).append(SignChange(**said))
    return found


async def recorded_recusals(connection: "Connection", reference: str) -> list[Recusal]:
    """The recusals of a case, the first first."""
    return (await recusals_of(connection, [reference])).get(reference, [])


async def sign_changes(connection: "Connection", reference: str) -> list[SignChange]:
    """What became of the signs of a case, in order."""
    return (await signs_of(connection, [reference])).get(reference, [])


async def recusals_of_list(connection: "Connection", incident: str, number: int) -> list[Recusal]:
    """Who is kept out of list *number* of an incident: of a complaint about it, or of an account on it."""
    of_cases = [Recusal(**row) for row in await connection.fetch(_RECUSALS_OF_CASES, incident)]
    declared = [
        Recusal(person=one.person, why=Why.DECLARED, about=conflict.account, first=conflict.first, last=conflict.last)
        for one in (await read_directory(connection)).people
        for conflict in one.conflicts
    ]
    rows = await connection.fetch(_LISTED, incident, number, [one.about for one in declared])
    listed = {row["account"] for row in rows}
    return [*of_cases, *(one for one in declared if one.about in listed)]


async def read_hands(connection: "Connection", reference: str, at: datetime) -> Hands:
    """Whose hands the case is in *at* that moment."""
    assigned = await connection.fetchrow(_ASSIGNED, reference)
    recorded, changes = await recorded_recusals(connection, reference), await sign_changes(connection, reference)
    tasks = await connection.fetch(_TASKS, reference)
    turns = sum(row["turns"] for row in tasks)
    restricted = await restrictions_in_case(connection, reference, at)
    return Hands(
        version=(assigned["number"] if assigned else 0) + len(recorded) + len(changes) + turns,
        handler=assigned["person"] if assigned else None,
        kept_out={person: one.why for person, one in sorted(kept_out(recorded, at).items())},
        care=care_for(standing(changes), at),
        tasks={row["number"]: row["owner"] for row in tasks if row["owner"] and row["ended_at"] is None},
        restricted=tuple(sorted({one.form for one in restricted})),
    )


async def concerned_by(connection: "Connection", reference: str) -> Concerned:
    """What the case concerns: the customer's words so far, and who acted or decided on the same."""
    case = await connection.fetchrow(_CASE, reference)
    if case is None:
        raise LookupError(f"there is no case {reference}")
    complaint = Complaint.recorded(case["complaint"])
    account = case["account"] or complaint.account
    trades = [*complaint.trades, *case["trades"]]
    told = [
        text
        for text in (complaint.subject, complaint.description, *(one.get("text") for one in case["replies"]))
        if text
    ]
    decided = [
        *await connection.fetch(_DECIDED_HERE, reference, list(DECIDING)),
        *await connection.fetch(_DECIDED_ELSEWHERE, reference, account, trades, list(DECIDING)),
        *await connection.fetch(_DECIDED_INCIDENTS, account, trades),
    ]
    acted = await connection.fetch(_ACTED, account, trades)
    return Concerned(
        account=account,
        texts=tuple(told),
        acted=tuple(Acted(**row) for row in acted),
        decided=tuple(Acted(**row) for row in decided),
    )


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
    where (reference, number) = ($1, $2) and account = any($3) and state = 'harmed'
"""
_SIGN_CHANGES: Final = """
    select reference, step, sign, by, at, reason from casefile.signs where reference = any($1) order by id
"""
_ASSIGNED: Final = """
    select number, person from casefile.assignments where reference = $1 order by number desc limit 1
"""
_TASKS: Final = "select number, owner, turns, ended_at from casefile.tasks where reference = $1"
_CASE: Final = """
    select complaint,
        (select data ->> 'account' from casefile.timeline t
         where t.reference = c.reference and kind = 'add_evidence' and data ? 'account'
         order by journal desc, id desc limit 1) as account,
        array(select jsonb_array_elements_text(data -> 'trades') from casefile.timeline t
              where t.reference = c.reference and kind in ('add_evidence', 'customer_reply', 'investigate')
                and data ? 'trades') as trades,
        array(select data from casefile.timeline t
              where t.reference = c.reference and kind = 'customer_reply' order by id) as replies
    from casefile.cases c where reference = $1
"""
# Who decided in a round that has had its final response: once the case is taken up again, that is before.
_DECIDED_HERE: Final = """
    select actor as who, key as about, at as since from casefile.timeline
    where reference = $1 and kind = any($2)
        and (data ->> 'round')::integer <= (
            select count(*) from casefile.events where reference = $1 and event = 'responded')
        and (select stage from casefile.cases where reference = $1) in ('investigating', 'deciding')
    order by id
"""
_DECIDED_ELSEWHERE: Final = """
    select actor as who, timeline.reference as about, min(at) as since
    from casefile.cases join casefile.timeline using (reference)
    where account = $2 and reference <> $1 and complaint -> 'trades' ?| $3::text[] and kind = any($4)
    group by 1, 2 order by 2, 1
"""
_DECIDED_INCIDENTS: Final = """
    select actor as who, members.reference as about, min(timeline.at) as since
    from casefile.cohort_members as members join casefile.incident_timeline as timeline using (reference)
    where account = $1 and members.trades && $2::text[] and kind = 'decide_incident'
        and data ->> 'decision' = 'approve'
    group by 1, 2 order by 2, 1
"""
_ACTED: Final = """
    select distinct decided_by as who, coalesce("order", "position", cancellation) as about
    from tradelog.cancellations
    where account = $1 and decided_by is not null
        and (cardinality($2::text[]) = 0 or array[cancellation, "order", "position"] && $2::text[])
    order by 2, 1
"""
