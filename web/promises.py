"""By when a customer hears from us, reckoned from the rules before there is a case."""

from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from domain.clocks.deadlines import Occurred
from domain.ground.scope import Facts
from domain.ground.words import CaseEvent, Category, Complexity, RouteKind
from domain.rules.duties import Route
from domain.rules.policy import PolicyPack
from runtime.policies import PolicyIncomplete, UnknownPolicyPack, find_policy
from runtime.settings import Settings
from starter.reading.foretelling import foretell


class Promise(NamedTuple):
    """The latest moments by which we confirm and answer a complaint, where the rules name them, and in which zone."""

    confirmed_by: datetime | None
    answered_by: datetime | None
    zone: ZoneInfo
    routes: tuple[Route, ...]


def rules_of_the_house(settings: Settings, at: datetime) -> PolicyPack | None:
    """The pack of a complaint that names none; None where it leaves something to the firm that is not set."""
    try:
        return find_policy(settings.default_policies, at)
    except (PolicyIncomplete, UnknownPolicyPack):
        return None


def promise(settings: Settings, received_at: datetime) -> Promise:
    """What holds for a complaint received at this moment. It is not assessed yet, so the longest time is told."""
    pack = rules_of_the_house(settings, received_at)
    if pack is None:
        return Promise(None, None, ZoneInfo("UTC"), ())
    told = [
        deadline
        for complexity in Complexity
        for deadline in foretell(
            pack,
            [
                Occurred(
                    event=CaseEvent.RECEIVED,
                    at=received_at,
                    number=1,
                    facts=Facts(category=Category.OTHER, complexity=complexity),
                )
            ],
        )
    ]

    def latest(event: CaseEvent) -> datetime | None:
        ends = [one.clock_due for one in told if event in pack.clock(one.clock).satisfied_by]
        return max(ends, default=None)

    outside = tuple(
        route
        for route in pack.routes
        if route.kind is not RouteKind.REVIEW and route.contact and route.firm_belongs is not False
    )
    return Promise(latest(CaseEvent.ACKNOWLEDGED), latest(CaseEvent.RESPONDED), pack.calendar.zone, outside)
