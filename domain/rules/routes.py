"""Where the customer can go next: which of a pack's routes are open, since when and until when, and why not."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from domain.clocks.business_days import local_day
from domain.clocks.calendar import Calendar
from domain.clocks.clock import Length
from domain.clocks.reckoning import reach
from domain.ground.base import Identifier, Instant, Record
from domain.ground.bilingual import Bilingual
from domain.ground.scope import Facts
from domain.ground.spoken import DUTIES, in_units
from domain.ground.words import CaseEvent, Category, Element, Matter, RouteKind
from domain.money.amounts import Money
from domain.rules.duties import Route
from domain.rules.policy import PolicyPack

# Somewhere outside to which firms belong, or do not.
_OUTSIDE = frozenset({RouteKind.OMBUDSMAN, RouteKind.MEDIATION, RouteKind.ARBITRATION})


class Access(StrEnum):
    """Whether a route is open to a customer."""

    OPEN = "open"
    NOT_YET = "not_yet"
    OVER = "over"
    NOT_ELIGIBLE = "not_eligible"
    UNKNOWN = "unknown"
    """The firm has not said whether it belongs."""


class Eligibility(Record):
    """What holds for one route: ``opens`` and ``closes`` are its first and last moment, where they are known.

    ``opens`` without a final response is the moment from which the customer may go there in spite of that. ``why`` says
    what the status rests on, in a sentence or two.
    """

    route: Identifier
    kind: RouteKind
    title: Bilingual
    status: Access
    opens: Instant | None = None
    closes: Instant | None = None
    why: Bilingual


def eligibility(
    pack: PolicyPack,
    *,
    category: Category,
    claimed: Money | None,
    received_at: datetime,
    responded_at: datetime | None,
    at: datetime,
    product: str | None = None,
    matters: tuple[Matter, ...] = (),
    extended: bool = False,
) -> tuple[Eligibility, ...]:
    """Which ways to go further are open *at* that moment, one answer for each of the pack's routes, in its order.

    A claim in another currency than a route's limit is not held against it, nor is one without an amount: the answer
    then names the limit. Whatever else a body asks of a customer is for the body to decide. *extended* says that the
    customer was told of a lawful extension.
    """
    facts = Facts(category=category, product=product, matters=matters)
    # The law gives and takes days here, never the firm by closing.
    case = _Case(pack.calendar.of_the_law, facts, extended, claimed, received_at, responded_at, at)
    return tuple(_eligibility(route, case) for route in pack.routes)


def names(pack: PolicyPack, element: Element) -> list[Route]:
    """The routes by which a letter can name *element*: of that kind, with a contact, and open to the firm's customers.

    None for the elements that are no kinds of routes.
    """
    return [route for route in pack.routes if route.kind == element.value and route.contact and _belongs(route)]


def _belongs(route: Route) -> bool | None:
    """Whether the firm belongs; ``None`` if it has not said so. Where there are no members, everybody does."""
    if route.firm_belongs is None and (route.members is None or route.kind not in _OUTSIDE):
        return True
    return route.firm_belongs


class _Case(NamedTuple):
    calendar: Calendar
    facts: Facts
    extended: bool
    claimed: Money | None
    received_at: datetime
    responded_at: datetime | None
    at: datetime

    def after(self, start: datetime | None, length: Length | None) -> datetime | None:
        return None if start is None or length is None else reach(self.calendar, start, length)

    def day(self, moment: datetime) -> str:
        return local_day(self.calendar, moment).isoformat()


def _eligibility(route: Route, case: _Case) -> Eligibility:
    def answer(
        status: Access, why: Bilingual, opens: datetime | None = None, closes: datetime | None = None
    ) -> Eligibility:
        return Eligibility(
            route=route.name, kind=route.kind, title=route.title, status=status, opens=opens, closes=closes, why=why
        )

    if (barred := _barred(route, case)) is not None:
        return answer(Access.NOT_ELIGIBLE, barred)
    opens, closes = _window(route, case)
    if _belongs(route) is None:
        why = _say("The firm has not said whether it belongs to this body.", "公司尚未说明其是否加入该机构。")
        return answer(Access.UNKNOWN, _and(why, _members(route)), opens, closes)
    if closes is not None and case.at > closes:
        day = case.day(closes)
        return answer(Access.OVER, _say(f"Its time ended on {day}.", f"期限已于 {day} 届满。"), opens, closes)
    if opens is None or case.at < opens:
        return answer(Access.NOT_YET, _awaited(case, opens), opens, closes)
    why = _and(_since(route, case), _until(route, case, closes), _limit(route, case))
    return answer(Access.OPEN, why, opens, closes)


def _barred(route: Route, case: _Case) -> Bilingual | None:
    """Why this complaint of this firm can never go there."""
    if route.firm_belongs is False:
        return _and(_say("The firm does not belong to this body.", "公司未加入该机构。"), _members(route))
    if route.categories and case.facts.category not in route.categories:
        return _say("It does not take complaints of this kind.", "该途径不受理此类投诉。")
    if route.limit and _comparable(route, case) and case.claimed and route.limit < case.claimed:
        return _say(f"The claim exceeds its limit of {route.limit}.", f"索赔金额超出其上限 {route.limit}。")
    return None


def _window(route: Route, case: _Case) -> tuple[datetime | None, datetime | None]:
    """From when until when the route is open, as far as that is known by now."""
    silent = case.after(case.received_at, route.opens_after(case.facts, extended=case.extended))
    opens = min((moment for moment in (silent, case.responded_at) if moment is not None), default=None)
    began = {CaseEvent.RECEIVED: case.received_at, CaseEvent.RESPONDED: case.responded_at}.get(route.since)
    return opens, case.after(began, route.within)


def _comparable(route: Route, case: _Case) -> bool:
    return route.limit is not None and case.claimed is not None and case.claimed.currency == route.limit.currency


# -- in words ----------------------------------------------------------------------------------------------------------


def _say(en: str, zh: str) -> Bilingual:
    return Bilingual(en=en, zh=zh)


def _and(*parts: Bilingual | None) -> Bilingual:
    said = [part for part in parts if part is not None]
    return Bilingual(en=" ".join(part.en for part in said), zh="".join(part.zh for part in said))


def _members(route: Route) -> Bilingual | None:
    if route.members is None:
        return None
    return _say(f"Its members are {route.members.en}.", f"其成员为{route.members.zh}。")


def _limit(route: Route, case: _Case) -> Bilingual | None:
    if route.limit is None or _comparable(route, case):
        return None
    return _say(f"It takes claims up to {route.limit}.", f"其受理的索赔金额上限为 {route.limit}。")


def _since(route: Route, case: _Case) -> Bilingual:
    if case.responded_at is not None and case.responded_at <= case.at:
        return _say("The final response was given.", "已作出处理决定。")
    if route.after_silence and route.after_silence.count == 0:
        return _say("It needs no final response.", "无须等待处理决定。")
    return _say("There was no final response in time.", "未在规定时间内作出处理决定。")


def _until(route: Route, case: _Case, closes: datetime | None) -> Bilingual | None:
    if closes is not None:
        return _say(f"It is open until {case.day(closes)}.", f"截止日期为 {case.day(closes)}（含当日）。")
    if route.within is None:
        return None
    length = in_units(route.within.count, route.within.unit)
    if route.since is CaseEvent.RESPONDED:
        return _say(f"It stays open until {length.en} after one.", f"处理决定作出后{length.zh}内仍可提出。")
    return _say(
        f"It is open for {length.en} from the {DUTIES[route.since].en}.",
        f"期限自{DUTIES[route.since].zh}之日起{length.zh}。",
    )


def _awaited(case: _Case, opens: datetime | None) -> Bilingual:
    if opens is None:
        return _say("It opens with the final response.", "须在作出处理决定之后提出。")
    return _say(
        f"It opens with the final response or, without one, when {case.day(opens)} is over.",
        f"须在作出处理决定之后提出；届时仍未答复的，{case.day(opens)} 之后即可提出。",
    )
