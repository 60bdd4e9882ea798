"""Comparing policy packs: which duties of closed cases another pack would have seen kept or missed. Changes nothing."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from pydantic import computed_field

from domain.clocks.calendar import Calendar
from domain.clocks.clock import Clock
from domain.clocks.deadlines import Occurred, Round
from domain.clocks.planning import replay
from domain.ground.base import Instant, Record
from domain.ground.scope import Facts
from domain.ground.words import Action, CaseEvent
from domain.rules.policy import PolicyPack
from starter.reading.cases import get_pack
from starter.reading.deadlines import get_calendars, get_histories

if TYPE_CHECKING:
    from runtime.database import Pool


class NothingPinned(LookupError):
    """No case has that policy pack. The message names those that cases have."""


class Judged(Record):
    """How a duty was done under one pack. ``hours`` were left when it was done; negative, it was that much too late."""

    clock: str
    statutory: bool
    due: Instant
    ended_at: Instant
    ended_by: CaseEvent
    kept: bool
    hours: float


class Duty(Record):
    """A duty of a case since one moment, under the case's own pack and under the other one, where they have it."""

    duty: str
    since: CaseEvent
    started_at: Instant
    before: Judged | None
    after: Judged | None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def change(self) -> "Change":
        """What the other pack makes of it."""
        match self.before, self.after:
            case None, _:
                return "new"
            case _, None:
                return "gone"
            case Judged(kept=before), Judged(kept=after) if before != after:
                return "now kept" if after else "now missed"
        return "same"


Change = Literal["same", "now kept", "now missed", "new", "gone"]


class Compared(Record):
    """A closed case, replayed."""

    reference: str
    closed_at: Instant
    duties: tuple[Duty, ...]


class DutyTotal(Record):
    """A duty over all cases: how often each pack has it kept or missed, and how often it changes."""

    duty: str
    kept_before: int
    missed_before: int
    kept_after: int
    missed_after: int
    now_kept: int
    now_missed: int
    new: int
    gone: int


class Comparison(Record):
    """Closed cases under their own pack and under another one. ``more``: there are cases beyond the limit."""

    old: str
    new: str
    new_hash: str
    more: bool
    totals: tuple[DutyTotal, ...]
    cases: tuple[Compared, ...]


async def compare(
    pool: "Pool", old: str, version: str | None, new: PolicyPack, *, since: date | None = None, limit: int = 1000
) -> Comparison:
    """Replay the closed cases that are pinned to the pack *old* through *new*, those closed last first.

    *version* and *since*, the day (UTC) they were closed on, say which. Raises :class:`NothingPinned`.
    What is hidden from who looks counts nowhere.
    """
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        known = await connection.fetch("SELECT id, version FROM casefile.policy_packs ORDER BY id, version")
        if not any(row["id"] == old and version in {None, row["version"]} for row in known):
            names = ", ".join(dict.fromkeys(f"{row['id']}@{row['version']}" for row in known)) or "none"
            raise NothingPinned(
                f"OLD: no case has the pack {old}{f'@{version}' if version else ''}; cases have {names}"
            )
        rows = await connection.fetch(
            """
            SELECT c.reference, c.closed_at, c.category, t.data ->> 'category' AS assessed
            FROM casefile.cases c JOIN casefile.policy_packs p ON p.hash = c.policy_hash
                 LEFT JOIN casefile.timeline t ON t.reference = c.reference AND t.key = 'assessed'
            WHERE p.id = $1 AND ($2::text IS NULL OR p.version = $2) AND c.closed_at IS NOT NULL
              AND c.reference NOT IN (SELECT casefile.hidden_cases())
              AND ($3::date IS NULL OR (c.closed_at AT TIME ZONE 'UTC')::date >= $3)
            ORDER BY c.closed_at DESC, c.reference LIMIT $4 + 1
            """,
            old,
            version,
            since,
            limit,
        )
        more, rows = len(rows) > limit, rows[:limit]
        histories = await get_histories(connection, [row["reference"] for row in rows])
        calendars = await get_calendars(connection, histories)
        packs = {
            policy_hash: await get_pack(connection, policy_hash)
            for policy_hash in {one.policy_hash for one in histories}
        }
    by_reference = {history.reference: history for history in histories}

    def replayed() -> list[Compared]:
        found = []
        for row in rows:
            history = by_reference[row["reference"]]
            events = _assessed(history.events, row["assessed"] or row["category"])
            duties = compare_history(events, packs[history.policy_hash], new, calendars)
            found.append(Compared(reference=history.reference, closed_at=row["closed_at"], duties=tuple(duties)))
        return found

    compared = await asyncio.to_thread(replayed)  # whoever else is served meanwhile does not wait for it
    return Comparison(
        old=f"{old} {version}" if version else old,
        new=f"{new.id} {new.version}",
        new_hash=new.hash,
        more=more,
        totals=tuple(_totals(compared)),
        cases=tuple(compared),
    )


def compare_history(
    events: Sequence[Occurred], old: PolicyPack, new: PolicyPack, calendars: Mapping[str, Calendar]
) -> list[Duty]:
    """Every duty of a closed case with these *events*, under *old* and under *new*, in the order they began."""
    before, after = (_judge(pack, replay(pack, events, calendars)) for pack in (old, new))
    return [
        Duty(duty=key[0], since=key[1], started_at=key[2], before=before.get(key), after=after.get(key))
        for key in sorted({*before, *after}, key=lambda key: (key[2], key[0], key[1]))
    ]


_Key = tuple[str, CaseEvent, datetime]


def _judge(pack: PolicyPack, rounds: Iterable[Round]) -> dict[_Key, Judged]:
    """How each duty was done: a duty is a clock that can be breached; of several clocks the one that was missed counts,
    otherwise the strictest.
    """
    runs: dict[tuple[str, datetime], list[Round]] = {}
    for one in rounds:
        runs.setdefault((one.clock, one.started_at), []).append(one)
    judged: dict[_Key, Judged] = {}
    for (name, started_at), run in runs.items():
        clock = pack.clock(name)
        if not any(Action.BREACH in rung.actions for rung in clock.rungs):
            continue
        key = clock.keeps, clock.trigger, started_at
        end = _how_it_ended(clock, sorted(run, key=lambda one: one.number))
        if end and (key not in judged or (end.kept, end.due) < (judged[key].kept, judged[key].due)):
            judged[key] = end
    return judged


def _how_it_ended(clock: Clock, run: Sequence[Round]) -> Judged | None:
    """The rounds of one clock since one moment: that which was missed, or the last; ``None`` if it stands still."""
    missed = (one for one in run if one.ended and one.ended.at > one.clock_due)
    decisive = next(missed, run[-1])
    ended = decisive.ended
    if ended is None or (ended.replaced and ended.at <= decisive.clock_due):
        return None
    return Judged(
        clock=clock.name,
        statutory=clock.kind == "statutory",
        due=decisive.clock_due,
        ended_at=ended.at,
        ended_by=ended.by,
        kept=ended.at <= decisive.clock_due,
        hours=round((decisive.clock_due - ended.at).total_seconds() / 3600, 1),
    )


def _assessed(events: Sequence[Occurred], category: str | None) -> list[Occurred]:
    """*events*; a receipt recorded without its assessment, by an earlier version, gets the *category* of the file."""
    return [
        event.model_copy(update={"facts": Facts.model_validate({"category": category})})
        if event.event is CaseEvent.RECEIVED and event.facts is None and category
        else event
        for event in events
    ]


def _totals(cases: Iterable[Compared]) -> Iterable[DutyTotal]:
    duties = [duty for case in cases for duty in case.duties]
    for name in sorted({duty.duty for duty in duties}):
        mine = [duty for duty in duties if duty.duty == name]
        before, after = (
            Counter(one.kept for one in side if one) for side in zip(*((d.before, d.after) for d in mine), strict=True)
        )
        changes = Counter(duty.change for duty in mine)
        yield DutyTotal(
            duty=name,
            kept_before=before[True],
            missed_before=before[False],
            kept_after=after[True],
            missed_after=after[False],
            now_kept=changes["now kept"],
            now_missed=changes["now missed"],
            new=changes["new"],
            gone=changes["gone"],
        )
