"""Several packs for one case, as one."""

from collections.abc import Sequence

from domain.rules.policy import Part, PolicyPack


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

    def of(pack: PolicyPack, name: str) -> str:
        return f"{pack.id}/{name}"

    def letter_of(pack: PolicyPack, name: str) -> str:
        rule = next(rule for rule in pack.letters if rule.name == name)
        return name if rule in first.letters else of(pack, name)

    clocks = [
        clock.model_copy(
            update={
                "name": of(pack, clock.name),
                "duty": clock.keeps,
                "calendar": pack.calendar_of(clock),
                "scope": pack.applies_to,
                "rungs": tuple(
                    rung.model_copy(
                        update={
                            "letter": rung.letter and letter_of(pack, rung.letter),
                            "level": rung.level and min(rung.level, first.top_level),
                        }
                    )
                    for rung in clock.rungs
                ),
            }
        )
        for pack in others
        for clock in pack.clocks
        if clock.kind == "statutory" and clock not in first.clocks
    ]
    letters = [
        rule.model_copy(update={"name": of(pack, rule.name), "scope": pack.applies_to})
        for pack in others
        for rule in pack.letters
        if rule not in first.letters
    ]
    routes = [
        route.model_copy(update={"name": of(pack, route.name), "scope": pack.applies_to})
        for pack in others
        for route in pack.routes
        if route not in first.routes
    ]
    interest = [rule.model_copy(update={"name": of(pack, rule.name)}) for pack in others for rule in pack.interest]
    kept = [pack.retention for pack in packs if pack.retention]
    not_early = tuple(
        dict.fromkeys(category for pack in packs if pack.early_closure for category in pack.early_closure.not_for)
    )
    early = first.early_closure and first.early_closure.model_copy(update={"not_for": not_early})
    combined = first.model_copy(
        update={
            "id": "/".join(pack.id for pack in packs),
            "version": "/".join(pack.version for pack in packs),
            "clocks": (*first.clocks, *clocks),
            "letters": (*first.letters, *letters),
            "routes": (*first.routes, *routes),
            "interest": (*first.interest, *interest),
            "early_closure": early,
            "retention": max(kept, key=lambda one: one.after_closing.at_least_days, default=None),
            "parts": tuple(Part(id=pack.id, version=pack.version, hash=pack.hash) for pack in packs),
        }
    )
    return PolicyPack.model_validate(combined.model_dump())
