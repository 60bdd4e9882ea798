"""Several packs for one case, as one."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from domain.clocks.clock import Clock, Rung
from domain.rules.duties import EarlyClosure, LetterRule, Route
from domain.rules.policy import Part, PolicyPack

N = TypeVar("N", LetterRule, Route)


def combine(packs: Sequence[PolicyPack]) -> PolicyPack:
    """The rules of several packs for one case, as one pack.

    The first is the case's own: its ladders, teams, checks, procedure and wording hold. Each other one adds its
    statutory clocks, in its own calendar, its letter rules and routes, all for the complaints it applies to, and its
    interest and retention; names are prefixed with its id. What the first has in the same words is not added again.
    Routes are counted in the first's calendar. Raises ``ValueError`` if *packs* is empty or names a pack twice.
    """
    first, *others = packs
    if not others:
        return first
    if len({pack.id for pack in packs}) < len(packs):
        raise ValueError("policy: a pack is named twice")

    kept = [pack.retention for pack in packs if pack.retention]
    combined = first.model_copy(
        update={
            "id": "/".join(pack.id for pack in packs),
            "version": "/".join(pack.version for pack in packs),
            "clocks": (*first.clocks, *_clocks(first, others)),
            "letters": (
                *first.letters,
                *(_named(rule, pack) for pack in others for rule in pack.letters if rule not in first.letters),
            ),
            "routes": (
                *first.routes,
                *(_named(route, pack) for pack in others for route in pack.routes if route not in first.routes),
            ),
            "interest": (
                *first.interest,
                *(rule.model_copy(update={"name": _of(pack, rule.name)}) for pack in others for rule in pack.interest),
            ),
            "early_closure": _early_closure(packs),
            "returns": (
                *first.returns,
                *(one.model_copy(update={"name": _of(pack, one.name)}) for pack in others for one in pack.returns),
            ),
            "retention": max(kept, key=lambda one: one.after_closing.at_least_days, default=None),
            "parts": tuple(Part(id=pack.id, version=pack.version, hash=pack.hash) for pack in packs),
        }
    )
    return PolicyPack.model_validate(combined.model_dump())


def _early_closure(packs: Sequence[PolicyPack]) -> EarlyClosure | None:
    """That of the first pack, but for what is owed a final response by any of them."""
    closures = [pack.early_closure for pack in packs if pack.early_closure]
    return packs[0].early_closure and packs[0].early_closure.model_copy(
        update={
            "not_for": tuple(dict.fromkeys(category for one in closures for category in one.not_for)),
            "not_for_matters": tuple(dict.fromkeys(matter for one in closures for matter in one.not_for_matters)),
        }
    )


def _clocks(first: PolicyPack, others: Sequence[PolicyPack]) -> Iterator[Clock]:
    """The statutory clocks that the *others* add."""
    for pack in others:
        for clock in pack.clocks:
            if clock.kind == "statutory" and clock not in first.clocks:
                rungs = tuple(_rung(rung, pack, first) for rung in clock.rungs)
                yield clock.model_copy(
                    update={
                        "name": _of(pack, clock.name),
                        "duty": clock.keeps,
                        "calendar": pack.calendar_of(clock),
                        "scope": pack.applies_to,
                        "rungs": rungs,
                    }
                )


def _rung(rung: Rung, pack: PolicyPack, first: PolicyPack) -> Rung:
    """A rung of *pack*: by its letter as that is named now, and up the ladder of the *first*."""
    letter = next((rule for rule in pack.letters if rule.name == rung.letter), None)
    return rung.model_copy(
        update={
            "letter": letter and (letter.name if letter in first.letters else _of(pack, letter.name)),
            "level": rung.level and min(rung.level, first.top_level),
        }
    )


def _named(rule: N, pack: PolicyPack) -> N:
    """The letter rule or route of *pack* under a name of its own, for the complaints that the pack is for."""
    return rule.model_copy(update={"name": _of(pack, rule.name), "scope": pack.applies_to})


def _of(pack: PolicyPack, name: str) -> str:
    return f"{pack.id}/{name}"
