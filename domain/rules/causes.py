"""Root causes: a tree of two levels, and what the checks of a case point to in it."""

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Final, Self

from pydantic import Field, StringConstraints, model_validator

from domain.checks.findings import Check, Verdict
from domain.ground.base import Record
from domain.ground.bilingual import Bilingual
from domain.ground.scope import Sourced

CauseId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]*/[a-z][a-z_]*$", max_length=60)]
"""A cause by its branch and its own name, such as ``pricing/provider_quote``."""

OTHER: Final = "other/other"
_DECIDES: Final = (Verdict.PROVIDER_FAULT, Verdict.FIRM_FAULT, Verdict.CUSTOMER_ACTION, Verdict.MARKET)


class CauseRule(Sourced):
    """Whether a person who upholds a complaint must say its root cause before it is closed, and which causes there are.

    What is upheld by rule has the cause that the checks found.
    """

    required: bool = True
    known: tuple[CauseId, ...] = ()
    """Every cause of the tree; empty: any."""


class Cause(Record):
    """A cause. ``found_by`` are the findings that point to it, as ``check:verdict``."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]*$")]
    title: Bilingual
    found_by: tuple[str, ...] = ()


class Branch(Record):
    """Causes of one sort."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]*$")]
    title: Bilingual
    causes: Annotated[tuple[Cause, ...], Field(min_length=1)]


class CauseTree(Record):
    """The causes that a case may have, by branch."""

    branches: Annotated[tuple[Branch, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        ids = list(self.ids)
        if twice := [one for one, times in Counter(ids).items() if times > 1]:
            raise ValueError(f"{', '.join(twice)}: named twice")
        found = [each for branch in self.branches for cause in branch.causes for each in cause.found_by]
        if twice := [one for one, times in Counter(found).items() if times > 1]:
            raise ValueError(f"found_by: {', '.join(twice)} points to two causes")
        known = {f"{check.value}:{verdict.value}" for check in Check for verdict in Verdict}
        if unknown := sorted(set(found) - known):
            raise ValueError(f"found_by: {', '.join(unknown)}: write check:verdict")
        if OTHER not in ids:
            raise ValueError(f"branches: {OTHER} is for what no other cause is; add it")
        return self

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(f"{branch.name}/{cause.name}" for branch in self.branches for cause in branch.causes)

    def title(self, cause: str) -> Bilingual | None:
        """The cause's title with that of its branch; ``None`` where the tree has no such cause any more."""
        for branch in self.branches:
            for one in branch.causes:
                if cause == f"{branch.name}/{one.name}":
                    return Bilingual(en=f"{branch.title.en}: {one.title.en}", zh=f"{branch.title.zh}：{one.title.zh}")
        return None

    def suggested(self, findings: Iterable[tuple[str, str]]) -> str | None:
        """The cause that *findings*, pairs of check and verdict, point to: ours before those of others."""
        pointing = {
            each: f"{branch.name}/{cause.name}"
            for branch in self.branches
            for cause in branch.causes
            for each in cause.found_by
        }
        told = [(check, verdict) for check, verdict in findings if f"{check}:{verdict}" in pointing]
        for decisive in _DECIDES:
            for check, verdict in told:
                if verdict == decisive:
                    return pointing[f"{check}:{verdict}"]
        return None
