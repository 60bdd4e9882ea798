"""What would be due when, for a complaint that need not exist: pure reckoning over given events."""

from collections.abc import Iterable

from domain.clocks.deadlines import Deadline, Occurred, Satisfied
from domain.clocks.planning import recount
from domain.ground.base import Instant
from domain.ground.words import CaseEvent
from domain.rules.policy import PolicyPack
from starter.reading.deadlines import strictest


class Foretold(Deadline):
    """A rung as it would be planned: since which event, ``local`` in its calendar's zone, and what would end its round.

    ``strictest``: several packs set a time for this duty, and of those that run this one ends first.
    """

    since: CaseEvent
    local: str
    ended_by: CaseEvent | None = None
    ended_at: Instant | None = None
    replaced: bool = False
    strictest: bool = False


def foretell(pack: PolicyPack, events: Iterable[Occurred]) -> list[Foretold]:
    """Every rung that *events* lead to under *pack*, in the order they are due. The numbers of the events are new."""
    in_time = sorted(events, key=lambda event: event.at)
    history = [event.model_copy(update={"number": number}) for number, event in enumerate(in_time, start=1)]
    planned, ended = recount(pack, history)
    duties = {clock.name: clock.keeps for clock in pack.clocks} if pack.parts else {}
    first = strictest([one for one in planned if one.round not in ended], duties)
    return sorted((_told(pack, one, ended.get(one.round), one.round in first) for one in planned), key=_in_order)


def _told(pack: PolicyPack, deadline: Deadline, end: Satisfied | None, is_strictest: bool) -> Foretold:
    clock = pack.clock(deadline.clock)
    return Foretold(
        **deadline.model_dump(),
        since=clock.trigger,
        local=deadline.due.astimezone(pack.calendar_of(clock).zone).isoformat(),
        ended_by=end.by if end else None,
        ended_at=end.at if end else None,
        replaced=end.replaced if end else False,
        strictest=is_strictest,
    )


def _in_order(one: Foretold) -> tuple[object, ...]:
    return one.due, one.clock, one.number
