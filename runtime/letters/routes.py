"""Where a letter says that the customer can go next."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from domain.case.complaint import Complaint
from domain.case.matters import matters_of
from domain.ground.words import CaseEvent, Category, Element, RouteKind
from domain.money.amounts import Money
from domain.rules.duties import Route
from domain.rules.policy import PolicyPack
from domain.rules.routes import Eligibility, eligibility, names


class RouteTold(NamedTuple):
    """A way to go further, as the letter tells of it; without ``contact`` only that it is not open."""

    element: Element
    title: str
    contact: str | None
    limit: Money | None
    eligible: Eligibility
    why: str
    ends_after_response: bool


def routes_told(
    pack: PolicyPack,
    complaint: Complaint,
    category: Category | None,
    responded_at: datetime | None,
    *,
    at: datetime,
    extended: bool,
    language: str,
    demanded: Collection[Element],
) -> list[RouteTold]:
    """The routes that concern the complaint and can be named, and those that the firm does not belong to."""
    told = []
    routes = {route.name: route for route in pack.routes}
    nameable = {route.name for kind in RouteKind for route in may_be_named(pack, kind, language)}
    for eligible in eligibility(
        pack,
        category=category or Category.OTHER,
        claimed=complaint.amount_claimed,
        received_at=complaint.received_at,
        responded_at=responded_at,
        at=at,
        product=complaint.product,
        matters=matters_of(complaint),
        extended=extended,
    ):
        route, element = routes[eligible.route], Element(eligible.kind.value)
        concerns = element in demanded or not route.categories or category in route.categories
        if concerns and (route.name in nameable or route.firm_belongs is False):
            told.append(
                RouteTold(
                    element=element,
                    title=route.title.in_language(language),
                    contact=route.contact.in_language(language) if route.contact and route.name in nameable else None,
                    limit=route.limit,
                    eligible=eligible,
                    why=eligible.why.in_language(language),
                    ends_after_response=route.within is not None and route.since is CaseEvent.RESPONDED,
                )
            )
    return told


def may_be_named(pack: PolicyPack, kind: RouteKind, language: str) -> list[Route]:
    """The routes of this kind that a letter in this language can name."""
    return [
        route
        for route in names(pack, Element(kind.value))
        if route.contact and route.contact.in_language(language).strip()
    ]
