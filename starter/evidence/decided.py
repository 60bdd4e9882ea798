"""What was decided: reasons, steps, letters, postings and payments."""

from collections.abc import Iterator
from typing import Final

from domain.ground.timeline import Entry
from domain.ground.words import Role
from domain.letters.kinds import LETTERS
from domain.money.amounts import Money
from starter.evidence.blocks import (
    Block,
    Grid,
    Heading,
    Pairs,
    Prose,
)
from starter.evidence.redaction import Reader
from starter.evidence.section import PROPOSALS, TOLD, Section
from starter.evidence.words import second

_LONGEST: Final = 600
"""Characters of a step's particulars that are shown."""


class Decided(Section):
    """The decision, and what was done about it."""

    def decision(self) -> Iterator[Block]:
        words, facts = self.words, self.facts
        yield self.heading("decided")
        pairs = {
            "stage": words("stage", facts.stage),
            "outcome": self.outcome(),
            "awarded": str(facts.compensation) if facts.compensation else words("glance", "none_awarded"),
            "closed": second(facts.closed_at) if facts.closed_at else None,
        }
        yield Pairs(title="", pairs=tuple((words("decision", name), text) for name, text in pairs.items() if text))
        if reasons := self.reasons():
            yield Heading(level=3, text=words("decision", "reasons"))
            yield Prose(text=reasons, quote=True)
        if not self.for_customer and (steps := self.steps()):
            yield Grid(
                title=words("decision", "steps"),
                columns=self.columns("at", "what", "who", "text"),
                rows=tuple(steps),
                share=(20, 15, 17, 48),
            )
        yield from self.letters()
        if facts.postings:
            yield Grid(
                title=words("decision", "postings"),
                columns=self.columns("posted", "what", "amount", "key"),
                rows=tuple(
                    (second(one.posted_at), words("posting", one.kind), str(one.amount), self.hide.text(one.key))
                    for one in facts.postings
                ),
                numeric=(2,),
                code=(3,),
                share=(26, 16, 18, 40),
            )
        else:
            yield Prose(text=words("decision", "no_postings"), tone="quiet")
        yield from self.payments()

    def payments(self) -> Iterator[Block]:
        """What became of each payment; through which rail is the firm's own affair."""
        words = self.words
        if not self.facts.payments:
            return
        names = ["ordered", "state", "amount", "paid", "ended", *([] if self.for_customer else ["rail"])]
        yield Grid(
            title=words("decision", "payments"),
            columns=self.columns(*names),
            rows=tuple(
                (
                    second(one.ordered_at),
                    words("payment", one.state),
                    str(one.amount),
                    str(one.paid),
                    second(one.ended_at) if one.ended_at else "–",
                    *([] if self.for_customer else [one.rail]),
                )
                for one in self.facts.payments
            ),
            numeric=(2, 3),
        )

    def reasons(self) -> str:
        """The reasons of the last proposal: for the customer only once they have been told of it."""
        if self.for_customer and self.facts.stage not in TOLD:
            return ""
        proposals = [entry for entry in self.facts.entries if entry.kind in PROPOSALS]
        found = proposals[-1].data.get("reasons") if proposals else None
        return self.hide.text(found) if isinstance(found, str) else ""

    def steps(self) -> Iterator[tuple[str, ...]]:
        words = self.words
        for entry in self.facts.entries:
            if entry.kind not in set(words.names("step")):
                continue
            role, _, name = entry.actor.partition(":")
            if role == Role.SYSTEM or self.reader is not Reader.HANDLER or name in {"", role}:
                who = words("role", role)
            else:
                who = f"{words('role', role)} {name}"
            yield second(entry.at), words("step", entry.kind), who, self.particulars(entry)

    def particulars(self, entry: Entry) -> str:
        """What the step says, in words of ours where it is an outcome."""
        words, data = self.words, entry.data
        told = [self.hide.text(entry.text)]
        if isinstance(data.get("outcome"), str):
            money = data.get("compensation")
            told = [words("outcome", data["outcome"]), *([str(Money.model_validate(money))] if money else [])]
        for name in ("note", "reason", "reasons", "questions", "text"):
            text = data.get(name)
            if isinstance(text, str) and text and text not in told and entry.kind not in PROPOSALS:
                told.append(self.hide.text(text))
        text = " · ".join(one for one in told if one)
        return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"

    def letters(self) -> Iterator[Block]:
        words = self.words
        sent = [one for one in self.facts.letters if self.reader is Reader.HANDLER or not LETTERS[one.kind].to_staff]
        if not sent:
            yield Prose(text=words("decision", "no_letters"), tone="quiet")
            return
        yield Grid(
            title=words("decision", "letters"),
            columns=self.columns("number", "letter", "written", "delivered", "channel"),
            rows=tuple(
                (
                    str(number),
                    LETTERS[one.kind].name.in_language(self.words.language),
                    second(one.rendered_at),
                    second(one.accepted_at) if one.accepted_at else "–",
                    words("channel", one.channel) if one.channel else "–",
                )
                for number, one in enumerate(sent, start=1)
            ),
            share=(6, 26, 28, 28, 12),
        )
