"""The month's sample for compliance review: drawn by a seed that anybody can use again, from each kind of case."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Annotated, Final

from pydantic import Field

from domain.ground.base import Identifier, Record, person_of
from domain.learning.definitions import turns
from domain.learning.facts import CaseFact
from domain.learning.periods import Period

_OPEN: Final = "-"


class Sampled(Record):
    """A case to be reviewed. ``stratum`` is what kind of case it stands for, ``reviewer`` never its handler."""

    reference: Identifier
    stratum: str
    handler: str | None
    reviewer: str | None


class Sample(Record):
    """A sample of a period: how it was drawn, from how many cases of each stratum, and the cases."""

    period: str
    seed: str
    cut_off: int
    per_stratum: Annotated[int, Field(ge=1)]
    strata: dict[str, int]
    cases: tuple[Sampled, ...]


def stratum_of(case: CaseFact) -> str:
    """What kind of case it is: how it ended, whether the customer is vulnerable, whether a deadline was missed."""
    marks = [case.outcome or _OPEN]
    marks += ["vulnerable"] if case.vulnerable else []
    marks += ["late"] if any(clock.missed and clock.statutory for clock in case.clocks) else []
    return "+".join(marks)


def draw(
    cases: Iterable[CaseFact],
    period: Period,
    cut_off: int,
    *,
    seed: str,
    per_stratum: int,
    reviewers: Sequence[str],
    kept_out: Mapping[str, Collection[str]] | None = None,
) -> Sample:
    """So many cases of each stratum of those closed in *period*, in an order that the *seed* alone decides.

    The same seed and facts give the same sample. Of few handlers in a stratum each is drawn once before any twice. A
    reviewer is never the case's handler, nor *kept_out* of it (persons by reference); where nobody else is there, it
    has none.
    """
    strata: dict[str, list[CaseFact]] = {}
    for case in cases:
        if any(at in period for at, opens in turns(case) if not opens):
            strata.setdefault(stratum_of(case), []).append(case)
    chosen: list[Sampled] = []
    for stratum in sorted(strata):
        ordered = sorted(strata[stratum], key=lambda case: _lot(seed, case.reference))
        for case in _spread(ordered)[:per_stratum]:
            barred = {person_of(one) for one in ((kept_out or {}).get(case.reference) or ())}
            barred |= {person_of(case.handler)} if case.handler else set()
            able = sorted(
                (one for one in reviewers if person_of(one) not in barred),
                key=lambda one: _lot(seed, case.reference, one),
            )
            reviewer = min(able, key=lambda one: sum(each.reviewer == one for each in chosen), default=None)
            chosen.append(Sampled(reference=case.reference, stratum=stratum, handler=case.handler, reviewer=reviewer))
    return Sample(
        period=period.name,
        seed=seed,
        cut_off=cut_off,
        per_stratum=per_stratum,
        strata={name: len(found) for name, found in sorted(strata.items())},
        cases=tuple(chosen),
    )


def _spread(ordered: Sequence[CaseFact]) -> list[CaseFact]:
    """The cases so that each handler's first comes before anybody's second."""
    turns_of: dict[str | None, int] = {}
    ranked = []
    for place, case in enumerate(ordered):
        turn = turns_of[case.handler] = turns_of.get(case.handler, 0) + 1
        ranked.append((turn, place, case))
    return [case for _, _, case in sorted(ranked, key=lambda one: one[:2])]


def _lot(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
