"""Keeps a case in the right hands: whoever has an interest is kept out, and somebody named has it.

Called within the transaction that records what calls for it, so that both stand in the record or neither does.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import asyncpg

from activities.people.tasks import BEARING, Giving, write_tasks
from domain.case.hearing import HEARD, said_by_customer, signs_heard
from domain.case.messages.handling import NoteSign
from domain.case.messages.signals import PeopleChanged
from domain.ground.base import person_of
from domain.ground.people import SYSTEM
from domain.ground.timeline import Entry
from domain.ground.words import Role
from domain.keys.personal import Personal, Row
from domain.people.directory import Directory
from domain.people.hands import Hands
from domain.people.recusal import Recusal, Why, kept_out, recusals
from domain.people.routing import Need, Routed, loads, route
from domain.people.signs import Sign, care_for, standing
from domain.rules.policy import PolicyPack
from domain.speech.proposing import Opinion
from record.directory import has_left
from record.hands import WhoseHands, hands_of, read_to_hand_over, read_whose_hands, sign_changes
from record.restrictions import restrictions_in_case

if TYPE_CHECKING:
    from runtime.database import Connection


CALLING: Final = frozenset(
    {
        "stage",
        "escalation",
        "assign",
        "reclassify",
        "add_evidence",
        "investigate",
        "note_sign",
        "propose_resolution",
        "resolve_early",
        "decide_resolution",
        PeopleChanged.name,
    }
    | BEARING
    | set(HEARD)
)
"""The entries of a timeline after which somebody else may have to have the case, or to be kept out of it."""


async def settle(
    connection: "Connection",
    reference: str,
    pack: PolicyPack,
    entries: Collection[Entry],
    opinions: Mapping[str, Opinion],
    *,
    news: Collection[str],
    held: WhoseHands | None = None,
) -> Hands | None:
    """See that the case is in the right hands after *entries*; ``None`` where nothing of them bears on it.

    *opinions* are what a model makes of what the customer says in them, by the entry's key.
    The summary of the case must be written by then. Returns whose hands it is in. Again, it changes nothing; and where
    nothing that bears on it is *news*, the keys of what was not there yet, it is in the hands that it was in, *held* if
    that is known.
    """
    calling = [entry for entry in entries if entry.kind in CALLING]
    if not calling:
        return None
    at = max(entry.at for entry in entries)
    if not any(entry.key in news for entry in calling):
        held = held or await read_whose_hands(connection, reference)
        return await _hands(connection, reference, held, at)
    for entry in entries:
        if entry.kind == "assign":
            await _note_assignment(connection, reference, entry)
        elif entry.kind == NoteSign.name:
            await _note_sign(connection, reference, entry)
        elif text := said_by_customer(entry.kind, entry.actor, entry.data):
            heard = signs_heard(text, opinion=opinions.get(entry.key))
            await raise_signs(connection, reference, heard, entry.key, at)
    await write_tasks(connection, reference, entries)
    due = {entry.data["number"] for entry in entries if entry.kind in {"task_reminded", "task_overdue"}}
    return await hand_over(connection, reference, pack, at, due)


def without_signs(entries: Collection[Entry]) -> list[Entry]:
    """The *entries* as the timeline has them: of a sign it has only that somebody said something of one."""
    return [
        entry.model_copy(update={"data": {"message_id": entry.data.get("message_id")}})
        if entry.kind == NoteSign.name
        else entry
        for entry in entries
    ]


async def hand_over(
    connection: "Connection", reference: str, pack: PolicyPack, at: datetime, due: Collection[int] = ()
) -> Hands:
    """Keep out whom the case has to do without, and give it and its tasks to somebody where nobody has them who may.

    Within a transaction that holds `record.directory.LOCK_DIRECTORY`.
    Of the tasks that are *due* an owner who is away is none.
    """
    held, concerned, directory = await read_to_hand_over(connection, reference)
    out, changed = await keep_out(connection, reference, recusals(directory, concerned), held.kept_out.recusals, at)
    handler = held.handler
    if directory.people:
        if routed := await _Handing(connection, reference, pack, directory, out, at).give_to_somebody():
            handler, changed = routed.person, True
        if any(task["open"] for task in held.tasks):
            await _give_tasks(connection, reference, pack, directory, out, handler, at, due)
            changed = True
    if changed:
        held = await read_whose_hands(connection, reference)
    return await _hands(connection, reference, held, at)


async def _hands(connection: "Connection", reference: str, held: WhoseHands, at: datetime) -> Hands:
    """Whose hands it is in, which the case says, too: its summary may not know it yet."""
    if held.handler and held.handler != held.named:
        await connection.execute(_HAS_IT, reference, held.handler)
    return await hands_of(connection, reference, held, at)


async def _give_tasks(  # noqa: PLR0917 (all that tasks need somebody for)
    connection: "Connection",
    reference: str,
    pack: PolicyPack,
    directory: Directory,
    out: Mapping[str, Recusal],
    handler: str | None,
    at: datetime,
    due: Collection[int],
) -> None:
    """See that every task is with somebody who may have it."""
    barred = {person: one.why.value for person, one in out.items()}

    async def need(role: Role) -> Need:
        return await need_of(connection, reference, pack, directory, barred, role, at)

    await Giving(connection, reference, directory, barred, handler, at, need).see_to_owners(due)


async def keep_out(
    connection: "Connection", reference: str, found: Sequence[Recusal], recorded: Sequence[Recusal], at: datetime
) -> tuple[dict[str, Recusal], bool]:
    """Write down whom the case has to do without, as was *found*, beside those *recorded*; who that is *at* that
    moment, by person, and whether anybody is new.
    """
    known = {one.model_copy(update={"at": None}) for one in recorded}
    new = [one for one in found if one not in known]
    rows = [(reference, one.person, one.why, one.about, one.since, one.first, one.last, at) for one in new]
    await connection.executemany(_KEEP_OUT, rows)
    for one in new:
        if _ID.fullmatch(one.person):
            key, said = f"kept_out:{one.person}:{one.why}:{one.about}", f"{one.person} is kept out: {_WHY[one.why]}"
            await connection.execute(_NOTE, reference, key, at, "kept_out", str(SYSTEM), said, {"about": one.about})
    return dict(kept_out([*recorded, *new], at)), bool(new)


async def raise_signs(
    connection: "Connection", reference: str, heard: Sequence[Sign], source: str, at: datetime
) -> None:
    """Write down the signs that the words of *source* (the complaint, or an entry) raise; again, it changes nothing."""
    rows = []
    for sign in heard:
        key = f"heard:{source}:{sign.key}"
        told = _of_a_person(Row("casefile.signs", reference, f"{reference}/{key}"), sign.model_dump(mode="json"))
        rows.append((reference, key, told, str(SYSTEM), at))
    await connection.executemany(_RAISE, rows)


@dataclass(frozen=True)
class _Handing:
    """A case that is to be in somebody's hands: what is known of it, and who is kept out."""

    connection: "Connection"
    reference: str
    pack: PolicyPack
    directory: Directory
    out: Mapping[str, Recusal]
    at: datetime

    async def give_to_somebody(self) -> Routed | None:
        """Give the case to somebody, where nobody has it who may: to whom."""
        case = await self.connection.fetchrow(_CASE_AND_LAST, self.reference)
        if case is None or case["closed_at"] is not None:
            return None
        level, ladder = case["escalation_level"], [step.role for step in self.pack.escalation]
        role = ladder[level - 1] if level else Role.HANDLER
        left = case["person"] is not None and await has_left(self.connection, self.directory, case["person"])
        if (cause := _cause(case, role, self.directory, self.out, left=left)) is None:
            return None
        out = {person: one.why.value for person, one in self.out.items()}
        need = await need_of(self.connection, self.reference, self.pack, self.directory, out, role, self.at)
        routed = route(need, self.directory)
        if cause == "nobody" and routed.person is None:
            return None  # still nobody; it stands in the record already
        await self._assign(cause, routed, need)
        return routed

    async def _assign(self, cause: str, routed: Routed, need: Need) -> None:
        connection, reference = self.connection, self.reference
        number = await connection.fetchval(_NEXT, reference)
        got = (routed.person, routed.role.value, need.team, str(SYSTEM))
        asked = (self.directory.version, need.model_dump(mode="json"))
        await connection.execute(_ASSIGN, reference, number, self.at, cause, *got, *asked)
        said = f"{routed.spoken} ({_CAUSES[cause]})"
        values = (reference, f"assigned:{number}", self.at, "assigned", str(SYSTEM), said, {"number": number})
        await connection.execute(_NOTE, *values)


async def need_of(  # noqa: PLR0917 (all that a case needs somebody for)
    connection: "Connection",
    reference: str,
    pack: PolicyPack,
    directory: Directory,
    out: Mapping[str, str],
    role: Role,
    at: datetime,
) -> Need:
    """What the case needs of somebody in *role*, or above; *out* are those it has to do without, with the reason."""
    case = await connection.fetchrow(_CASE, reference)
    if case is None:
        raise LookupError(f"there is no case {reference}")
    ladder = [step.role for step in pack.escalation]
    # Whom a role that is no level of the ladder is short of, no role below it can stand in for.
    rank = list(Role).index
    above = ladder[ladder.index(role) + 1 :] if role in ladder else [one for one in ladder if rank(one) > rank(role)]
    open_cases = {row["handler"]: row["cases"] for row in await connection.fetch(_LOAD, reference)}
    restricted = await restrictions_in_case(connection, reference, at)
    only = next((one.contact for one in restricted if one.contact), None)
    earlier = directory.find(only or await connection.fetchval(_EARLIER, reference) or "-")
    return Need(
        day=at.date(),
        role=role,
        ladder=tuple(above),
        team=case["team"],
        category=case["category"],
        language=case["language"],
        priority=case["priority"],
        skilled=care_for(standing(await sign_changes(connection, reference)), at).skilled,
        courses={held: courses for held in (role, *above) if (courses := pack.courses(held))},
        kept_out=dict(sorted(out.items())),
        load=loads(open_cases, directory),
        earlier=earlier.person if earlier else None,
    )


def _cause(
    case: asyncpg.Record,
    role: Role,
    directory: Directory,
    out: Mapping[str, Recusal],
    *,
    left: bool,
) -> str | None:
    """Why somebody is to be looked for; ``None`` where who has the *case*, by its last assignment, can keep it.

    Whoever has it may have *left*.
    """
    if not case["assigned"]:
        return "opened"
    if case["person"] is None:
        return "nobody"
    if person_of(case["person"]) in out:
        return "kept_out"
    if case["level"] < case["escalation_level"]:
        return "escalated"
    if not case["routed"]:
        return "left" if left else None  # somebody said who is to have it
    holder = directory.find(case["person"])
    if holder is None or Role(case["role"]) not in holder.roles:
        return "left"
    if role is Role.HANDLER and case["its_team"] != case["team"] and case["team"] not in holder.teams:
        return "reclassified"
    return None


async def _note_sign(connection: "Connection", reference: str, entry: Entry) -> None:
    """Write down what somebody said of a sign; again, it changes nothing."""
    said = entry.data
    row = Row("casefile.signs", reference, f"{reference}/{entry.key}")
    sign, reason = _of_a_person(row, said["sign"]), row("reason", said.get("reason"))
    await connection.execute(_SAY, reference, entry.key, said["step"], sign, entry.actor, entry.at, reason)


def _of_a_person(row: Row, sign: Mapping[str, Any]) -> Personal:
    """A sign as it is kept: statements look at its kind and its time, and at nothing of the person."""
    return row("sign", dict(sign), {"kind", "confidence", "valid_until"})


async def _note_assignment(connection: "Connection", reference: str, entry: Entry) -> None:
    """Write down what somebody said of who is to have the case; again, it changes nothing."""
    cause = f"assign:{entry.key}"
    if await connection.fetchval(_KNOWN, reference, cause):
        return
    number = await connection.fetchval(_NEXT, reference)
    got = (entry.data["handler"], Role.HANDLER.value, entry.data.get("team"))
    await connection.execute(_ASSIGN, reference, number, entry.at, cause, *got, entry.actor, None, None)


_CAUSES: Final = {
    "opened": "the case was opened",
    "nobody": "nobody had it",
    "kept_out": "who had it is kept out",
    "escalated": "it was escalated",
    "left": "who had it does no longer",
    "reclassified": "it belongs to another team",
}
_KEEP_OUT: Final = """
    insert into casefile.recusals (reference, person, why, about, since, first, last, at)
    values ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_RAISE: Final = """
    insert into casefile.signs (reference, key, step, sign, by, at) values ($1, $2, 'raised', $3, $4, $5)
    on conflict do nothing
"""
_SAY: Final = """
    insert into casefile.signs (reference, key, step, sign, by, at, reason) values ($1, $2, $3, $4, $5, $6, $7)
    on conflict do nothing
"""
_CASE: Final = """
    select category, priority, team, language, escalation_level, closed_at from casefile.cases where reference = $1
"""
_CASE_AND_LAST: Final = """
    select c.team, c.escalation_level, c.closed_at, l.number is not null as assigned, l.person, l.role, l.level,
        l.team as its_team, l.need is not null as routed
    from casefile.cases c left join lateral (
        select * from casefile.assignments a where a.reference = c.reference order by number desc limit 1) as l on true
    where c.reference = $1
"""
_LOAD: Final = """
    select handler, count(*) as cases from casefile.cases
    where closed_at is null and handler is not null and reference <> $1 group by handler
"""
_EARLIER: Final = """
    select handler from casefile.cases
    where reference <> $1 and handler is not null
        and account = (select account from casefile.cases where reference = $1)
    order by received_at desc limit 1
"""
_NEXT: Final = "select coalesce(max(number), 0) + 1 from casefile.assignments where reference = $1"
_KNOWN: Final = "select true from casefile.assignments where (reference, cause) = ($1, $2)"
_ASSIGN: Final = """
    insert into casefile.assignments (reference, number, at, cause, person, role, team, by, directory, need, level)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,
        (select escalation_level from casefile.cases where reference = $1))
"""
_HAS_IT: Final = "update casefile.cases set handler = $2 where reference = $1 and handler is distinct from $2"
_NOTE: Final = """
    insert into casefile.timeline (reference, key, at, kind, actor, text, data)
    values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing
"""
_ID: Final = re.compile(r"[a-z0-9][a-z0-9._:/#-]{0,99}")
_WHY: Final = {
    Why.NAMED: "the customer names them",
    Why.ACTED: "they acted on the trade or the account",
    Why.DECIDED: "they decided on the same before",
    Why.DECLARED: "they declared a conflict of interest",
}
