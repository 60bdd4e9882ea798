"""What would be due when, for a complaint that need not exist: pure reckoning over given events."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from domain.clocks.deadlines import Deadline, Occurred, Satisfied
from domain.clocks.planning import recount
from domain.ground.base import Instant
from domain.ground.scope import Facts
from domain.ground.words import CaseEvent, Category, Complexity, Priority
from domain.rules.policy import PolicyPack
from runtime.policies import PolicyIncomplete
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


def must_be_whole(pack: PolicyPack) -> None:
    """Raise `runtime.policies.PolicyIncomplete` where nothing can be reckoned, for the firm has not set all of it."""
    if pack.demands:
        raise PolicyIncomplete(
            f"{pack.id}: the firm must set {', '.join(pack.demands)} first: see `redress policy check`"
        )


def early_closure(pack: PolicyPack, facts: Facts, received_at: datetime) -> datetime | None:
    """Until when a complaint with these *facts* may be closed early; ``None`` where it may not."""
    barred = pack.early_closure is not None and pack.early_closure.bars(facts)
    return None if barred else pack.early_until(received_at)


def happening(what: str, at: datetime, pack: PolicyPack, facts: Facts) -> Occurred:
    """What happens to a complaint with these *facts* beside its receipt: an event, such as ``responded``,
    ``extended:CLOCK:EXTENSION`` or ``reclassified:complex``. Its number is given when all are known.

    Raises ``ValueError`` for what cannot happen.
    """
    name, *details = what.split(":")
    if name in {CaseEvent.RECEIVED, CaseEvent.REPLANNED}:
        other = "give --received" if name == CaseEvent.RECEIVED else "see `redress calendar replan`"
        raise ValueError(f"{name} cannot be given here; {other}")
    if name not in set(CaseEvent):
        raise ValueError(f"{name!r} is not one of {', '.join(CaseEvent)}")
    event, more = CaseEvent(name), dict[str, Any]()
    match event, details:
        case CaseEvent.EXTENDED, [clock, extension]:
            _check_extension(pack, clock, extension)
            more = {"clock": clock, "extension": extension}
        case CaseEvent.EXTENDED, _:
            raise ValueError("an extension is given as extended:CLOCK:EXTENSION=TIME")
        case CaseEvent.RECLASSIFIED, [_, *_]:
            more = {"facts": facts.model_copy(update=dict(_assessed(word) for word in details))}
        case CaseEvent.RECLASSIFIED, _:
            raise ValueError("give the new assessment, such as reclassified:complex=TIME or reclassified:fee=TIME")
        case _, [_, *_]:
            raise ValueError(f"{name} takes nothing after a colon")
    return Occurred(event=event, at=at, number=1, **more)


def _assessed(word: str) -> tuple[str, Category | Complexity | Priority]:
    if word in set(Complexity):
        return "complexity", Complexity(word)
    if word in set(Priority):
        return "priority", Priority(word)
    if word not in set(Category):
        known = f"a complexity ({', '.join(Complexity)}) nor a priority ({', '.join(Priority)})"
        raise ValueError(f"{word!r} is neither {known} nor a category")
    return "category", Category(word)


def extensions_of(pack: PolicyPack) -> list[str]:
    """The extensions that *pack* grants, as ``CLOCK:EXTENSION``."""
    return [f"{one.name}:{other.name}" for one in pack.clocks for other in one.extensions]


def _check_extension(pack: PolicyPack, clock: str, extension: str) -> None:
    if f"{clock}:{extension}" not in (able := extensions_of(pack)):
        known = ", ".join(able) or "none"
        raise ValueError(f"the pack has no extension {clock}:{extension}; it has {known}")


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
