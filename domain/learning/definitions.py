"""What the words of reports mean, as code: closed, upheld, within three business days. Some differ by policy pack."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Final

from domain.ground.scope import Sourced
from domain.ground.words import Outcome
from domain.learning.facts import CaseFact

UPHELD: Final = frozenset({Outcome.UPHELD, Outcome.PARTLY_UPHELD})
REJECTED: Final = frozenset({Outcome.NOT_UPHELD})
_OPENING: Final = frozenset({"disputed", "reopened"})


class Closed(StrEnum):
    """When a complaint counts as closed."""

    ANSWERED = "answered"
    """With the final response, until it is disputed or the case taken up again; or with the file."""
    FILED = "filed"
    """With the file: nothing is owed, and the time for further questions is over."""


class Definition(Sourced):
    """What a word of a report means. ``name`` is its key in the words of reports."""

    name: str


OPENED: Final = Definition(name="opened", source="ISO 10002:2018, 3.1: by the day of receipt", confirmed=False)
_ANSWERED: Final = "DISP 1 Annex 1R and the glossary: with the final or summary response, or the customer's acceptance"
_FILED: Final = "the firm's own: the file is closed"
_CLOSED: Final[dict[str, tuple[Closed, Definition]]] = {
    "uk": (Closed.ANSWERED, Definition(name="closed_answered", source=_ANSWERED, confirmed=False)),
    "au": (
        Closed.ANSWERED,
        Definition(name="closed_answered", source="ASIC RG 271: IDR response", confirmed=False),
    ),
    "cy": (Closed.ANSWERED, Definition(name="closed_answered", source="CySEC form T144-002", confirmed=False)),
    "us": (Closed.ANSWERED, Definition(name="closed_answered", source="CFPB manual 8.1: the response", confirmed=True)),
}
_OTHERWISE: Final = (Closed.FILED, Definition(name="closed_filed", source=_FILED, confirmed=True))
UPHELD_MEANS: Final = Definition(
    name="upheld", source="DISP 1 Annex 1R, note 8: upheld in part counts as upheld", confirmed=True
)
EARLY_MEANS: Final = Definition(
    name="early", source="DISP 1.5.1R: by close of the third business day after the day of receipt", confirmed=True
)
REDRESS_MEANS: Final = Definition(
    name="redress", source="DISP 1 Annex 1R: with distress, goodwill and interest; when it was posted", confirmed=True
)
RECURRED_MEANS: Final = Definition(
    name="recurred", source="the firm's own: the customer had complained before", confirmed=True
)


def closed_by(policy: str) -> tuple[Closed, Definition]:
    """When a complaint under that pack counts as closed, and where that is said."""
    return _CLOSED.get(policy.partition("-")[0], _OTHERWISE)


def definitions(policies: set[str]) -> list[Definition]:
    """What the words of a report on cases under these packs mean: a word once for each source that says it."""
    closings = dict.fromkeys(definition for _, definition in map(closed_by, sorted(policies)))
    return [OPENED, *closings, UPHELD_MEANS, EARLY_MEANS, REDRESS_MEANS, RECURRED_MEANS]


def turns(case: CaseFact, rule: Closed | None = None) -> Iterator[tuple[datetime, bool]]:
    """When the complaint opened and closed, in order: the instant, and whether it is open from then on.

    It begins open; what is told of a time before its receipt counts from that. By the pack's own rule if no *rule* is
    given.
    """
    rule = rule or closed_by(case.policy)[0]
    yield case.received_at, True
    is_open = True
    told = [(at, name in _OPENING) for name, at in case.turns if name in _OPENING or name == "responded"]
    if rule is Closed.FILED:
        told = []
    if case.closed_at:
        told = [one for one in told if one[0] < case.closed_at] + [(case.closed_at, False)]
    for at, opens in told:
        if opens is not is_open:
            yield max(at, case.received_at), opens
            is_open = opens


def is_open(case: CaseFact, at: datetime, rule: Closed | None = None) -> bool:
    """Whether the complaint was there and not closed just before *at*; by the pack's own rule if no *rule* is given."""
    state = False
    for instant, opens in turns(case, rule):
        if instant >= at:
            break
        state = opens
    return state


def is_upheld(case: CaseFact) -> bool:
    """Upheld in whole or in part."""
    return case.outcome in UPHELD


def is_rejected(case: CaseFact) -> bool:
    return case.outcome in REJECTED
