"""Which interest on awards the rules of a pack give a case."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from domain.ground.words import CaseEvent
from domain.money.interest import Interest, day_of
from domain.rules.duties import InterestRule


def interest_for(rules: Iterable[InterestRule], happened: Mapping[CaseEvent, datetime]) -> tuple[Interest, ...]:
    """The interest on awards that *rules* give a case in which these events *happened*, the first in front."""
    found = []
    for rule in rules:
        at = happened.get(rule.trigger)
        if rule.on != "award" or at is None:
            continue
        day = day_of(at)
        by_day = rule.holds_by == "day"
        in_force = (rule.effective_from or day) <= day <= (rule.effective_until or day)
        if by_day or in_force:
            found.append(
                Interest(
                    rule=rule.name,
                    percent=rule.percent,
                    base=rule.base,
                    first_day=rule.effective_from if by_day else None,
                    last_day=rule.effective_until if by_day else None,
                    since=day if rule.runs_from == "trigger" else None,
                )
            )
    return tuple(found)
