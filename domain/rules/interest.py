"""Which interest on awards the rules of a pack give a case."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime

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
        in_force = (rule.effective_from or day) <= day <= (rule.effective_until or day)
        if rule.holds_by == "day" or in_force:
            found.append(_by(rule, day))
    return tuple(found)


def may_be_given(rules: Iterable[InterestRule], interest: Iterable[Interest], received_at: datetime) -> bool:
    """Whether *rules* give *interest* to some case received then, by events of that day or later."""
    given, day = [rule for rule in rules if rule.on == "award"], day_of(received_at)
    return all(
        (one.since or day) >= day and any(one == _by(rule, one.since or day) for rule in given) for one in interest
    )


def _by(rule: InterestRule, day: date) -> Interest:
    """What *rule* gives when its event happened on *day*."""
    by_day = rule.holds_by == "day"
    return Interest(
        rule=rule.name,
        percent=rule.percent,
        base=rule.base,
        first_day=rule.effective_from if by_day else None,
        last_day=rule.effective_until if by_day else None,
        since=day if rule.runs_from == "trigger" else None,
    )
