"""Notes on risks: how customers whose own action was the cause avoid it another time."""

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Final, Self

from pydantic import Field, StringConstraints, model_validator

from domain.checks.findings import Check, Finding, Verdict
from domain.ground.base import Record
from domain.ground.bilingual import Bilingual

NOT_OURS: Final = (Verdict.CUSTOMER_ACTION, Verdict.MARKET)


class Note(Record):
    """A note. ``found_by`` are the findings that it is for, as ``check:verdict``."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]*$")]
    title: Bilingual
    text: Bilingual
    found_by: Annotated[tuple[str, ...], Field(min_length=1)]

    @property
    def anchor(self) -> str:
        """Where it stands on the public page."""
        return f"note-{self.name}"


class Advice(Record):
    """The notes that there are."""

    notes: tuple[Note, ...]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        found = [each for note in self.notes for each in note.found_by]
        if twice := [one for one, times in Counter([*found, *(note.name for note in self.notes)]).items() if times > 1]:
            raise ValueError(f"{', '.join(twice)}: named twice")
        known = {f"{check.value}:{verdict.value}" for check in Check for verdict in NOT_OURS}
        if unknown := sorted(set(found) - known):
            raise ValueError(f"found_by: {', '.join(unknown)}: write check:verdict, of {', '.join(NOT_OURS)}")
        return self

    def on(self, findings: Iterable[Finding]) -> list[Note]:
        """The notes for what was found."""
        told = {f"{found.check.value}:{found.verdict.value}" for found in findings}
        return [note for note in self.notes if told & set(note.found_by)]
