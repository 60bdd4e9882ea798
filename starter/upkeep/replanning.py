"""Planning open cases anew on a calendar that was extended: what was provisional becomes certain, and may move."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

from pydantic import computed_field

from domain.clocks.calendar import Calendar
from domain.clocks.deadlines import Occurred
from domain.clocks.planning import follow
from domain.ground.base import Instant, Record
from domain.ground.people import Actor
from domain.ground.words import CaseEvent
from domain.rules.policy import PolicyPack
from runtime.calendars import load_calendars
from runtime.policies import calendars_in_use, policy_folders
from starter.reading.cases import get_pack
from starter.reading.deadlines import History, get_calendars, get_histories

if TYPE_CHECKING:
    from runtime.database import Pool
    from starter.client.complaints import Complaints


_AT_A_TIME: Final = 200  # cases read at a time
_AT_ONCE: Final = 16  # cases told at the same time


class Move(Record):
    """A running clock that is counted anew: its end before and after. It may stay, and be no longer provisional."""

    clock: str
    statutory: bool
    before: Instant
    after: Instant
    provisional: bool


class Replan(Record):
    """An open case that is counted on an older version of a calendar, and what would come of counting it anew."""

    reference: str
    calendar: str
    calendar_hash: str
    moves: tuple[Move, ...]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def moved(self) -> bool:
        """Whether an end moves."""
        return any(move.before != move.after for move in self.moves)

    @property
    def message_id(self) -> str:
        """The same for the same calendar and case: told again, it counts once."""
        return f"replan:{self.calendar_hash}:{self.reference}"


class Untold(Record):
    """A case that could not be told, and why."""

    reference: str
    calendar: str
    reason: str


def known_calendars() -> dict[str, Calendar]:
    """The calendars there are now, by id: those in files, and those that packs have of their own under a name.

    Raises :class:`runtime.shelf.PolicyError` and :class:`runtime.calendars.CalendarError`.
    """
    files: dict[str, Calendar] = {}
    for folder in policy_folders():
        files |= load_calendars(folder / "calendars")
    return dict(sorted({**calendars_in_use(), **files}.items()))


async def find_replans(pool: "Pool", calendars: Mapping[str, Calendar], now: datetime) -> list[Replan]:
    """The open cases with a running clock, provisional or internal, that one of *calendars* counts anew. Reads only.

    Those that are hidden from who looks are left out: they could not have them counted anew.
    """
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        packs = {
            row["policy_hash"]: await get_pack(connection, row["policy_hash"])
            for row in await connection.fetch("SELECT DISTINCT policy_hash FROM casefile.cases WHERE closed_at IS NULL")
        }
        concerned = [policy_hash for policy_hash, pack in packs.items() if _ids(pack) & set(calendars)]
        rows = await connection.fetch(
            "SELECT reference FROM casefile.cases WHERE closed_at IS NULL AND policy_hash = ANY ($1)"
            " AND reference NOT IN (SELECT casefile.hidden_cases()) ORDER BY 1",
            concerned,
        )
        references = [row["reference"] for row in rows]
        found: list[Replan] = []
        for start in range(0, len(references), _AT_A_TIME):
            histories = await get_histories(connection, references[start : start + _AT_A_TIME])
            earlier = await get_calendars(connection, histories)
            for history in histories:
                found += _replans(history, packs[history.policy_hash], calendars, earlier, now)
    return found


def _ids(pack: PolicyPack) -> set[str | None]:
    return {pack.calendar_of(clock).id for clock in pack.clocks}


def _replans(
    history: History,
    pack: PolicyPack,
    calendars: Mapping[str, Calendar],
    earlier: Mapping[str, Calendar],
    now: datetime,
) -> Iterable[Replan]:
    running = [one for one in history.rounds if one.ended is None]
    for calendar_id in sorted(_ids(pack) & set(calendars), key=str):
        extended = calendars[str(calendar_id)]
        if not any(
            (one.provisional or clock.kind == "internal")
            and (planned := pack.calendar_of(clock)).id == calendar_id
            and _is_newer(extended, _now_used(planned, history, earlier))
            for one in running
            for clock in [pack.clock(one.clock)]
        ):
            continue
        replanned = Occurred(
            event=CaseEvent.REPLANNED,
            at=now,
            number=max(event.number for event in history.events) + 1,
            calendar=extended.hash,
        )
        known = {**earlier, extended.hash: extended}
        followed = follow(pack, history.rounds, [*history.events, replanned], [replanned], known)
        ends = {one.clock: one for one in followed.planned}
        ended = {one.round for one in followed.satisfied if one.by is CaseEvent.REPLANNED}
        yield Replan(
            reference=history.reference,
            calendar=str(calendar_id),
            calendar_hash=extended.hash,
            moves=tuple(
                Move(
                    clock=one.clock,
                    statutory=pack.clock(one.clock).kind == "statutory",
                    before=one.clock_due,
                    after=ends[one.clock].clock_due,
                    provisional=ends[one.clock].provisional,
                )
                for one in running
                if one.key in ended and one.clock in ends
            ),
        )


def _now_used(planned: Calendar, history: History, earlier: Mapping[str, Calendar]) -> Calendar:
    """The version of a pack's calendar that a case is counted on by now."""
    for event in reversed(history.events):
        later = earlier.get(event.calendar) if event.calendar else None
        if later and later.id == planned.id:
            return later
    return planned


def _is_newer(one: Calendar, other: Calendar) -> bool:
    """Whether *one* says more, or something else, than *other*, and is not known for a shorter time."""
    return one != other and (one.verified_until or date.max) >= (other.verified_until or date.max)


async def add_calendar(pool: "Pool", calendar: Calendar, by: Actor) -> None:
    """Put *calendar* into the case file, where cases that are counted anew find it; again, nothing changes."""
    await pool.execute(
        "INSERT INTO casefile.calendars (hash, id, content, added_at, added_by) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (hash) DO NOTHING",
        calendar.hash,
        calendar.id,
        calendar.model_dump(mode="json"),
        datetime.now(UTC),
        str(by),
    )


async def tell(complaints: "Complaints", replans: Iterable[Replan], by: Actor) -> list[Untold]:
    """Have each case count anew. Returns those that could not be told; a case closed meanwhile needs nothing.

    Once a case was not answered for, those not yet told are not tried: every one would wait as long.
    """
    from runtime.connection import TemporalUnavailable
    from starter.client.complaints import CaseClosed, CaseNotFound
    from starter.client.conversation import NotAnswered, Refused

    untold: list[Untold] = []
    turns = asyncio.Semaphore(_AT_ONCE)
    unanswered: list[str] = []

    async def send(replan: Replan) -> None:
        async with turns:
            reason = unanswered[0] if unanswered else None
            if reason is None:
                try:
                    await complaints.replan_deadlines(
                        replan.reference, replan.calendar_hash, by=by, message_id=replan.message_id
                    )
                except CaseClosed:
                    return
                except (NotAnswered, TemporalUnavailable) as error:
                    unanswered.append(f"not tried, because of: {error}")
                    reason = str(error)
                except (CaseNotFound, Refused) as error:
                    reason = str(error)
            if reason is not None:
                untold.append(Untold(reference=replan.reference, calendar=replan.calendar, reason=reason))

    await asyncio.gather(*(send(replan) for replan in replans))
    return sorted(untold, key=lambda one: one.reference)
