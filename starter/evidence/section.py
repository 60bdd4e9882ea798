"""What every section of a page has at hand: the facts, the reader, the words, and what is hidden from that reader."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from domain.checks.findings import ALL_CUSTOMERS
from domain.checks.recompute import Difference
from domain.ground.words import Outcome, Stage
from starter.evidence.blocks import Heading
from starter.evidence.reading import CaseFacts
from starter.evidence.redaction import Reader, Redaction
from starter.evidence.words import Words

MOST_QUOTES: Final = 40
"""Rows of a finding's evidence that are listed."""
TOLD: Final = frozenset({Stage.RESPONDED, Stage.SETTLING, Stage.FOLLOWING_UP, Stage.CLOSED})
"""Stages in which the customer has been told the decision."""
PROPOSALS: Final = frozenset({"proposed", "propose_resolution", "resolve_early"})
FIELDS: Final[Mapping[str, Iterable[str]]] = {
    "orders": (
        *("order", "account", "symbol", "type", "side", "volume", "price", "position", "sent_at", "received_at"),
        *("stop", "target", "state", "ended_at", "comment", "limit_price"),
    ),
    "fills": (
        *("fill", "order", "at", "side", "volume", "price", "source", "position", "effect", "commission", "swap"),
        *("profit", "comment"),
    ),
    "positions": (
        *("position", "symbol", "side", "volume", "open_price", "opened_at", "close_price", "closed_at"),
        *("close_reason", "margin_level", "stop_out_level", "stop", "target", "swap", "profit"),
    ),
    "account_entries": ("entry", "account", "kind", "amount", "currency", "requested_at", "booked_at", "note"),
    "binary_options": ("option", "symbol", "direction", "stake", "strike", "struck_at", "expires_at", "paid"),
    "cancellations": ("cancellation", "at", "amount", "currency", "clause", "evidence", "reason", "decided_by"),
    "account_log": ("event", "at", "kind", "reason", "told_at", "country"),
    "messages": ("message", "at", "direction", "text"),
}


class Given(NamedTuple):
    """What a page is made of, for one reader in one language."""

    facts: CaseFacts
    reader: Reader
    words: Words
    differences: Sequence[Difference]
    hide: Redaction


class Section:
    """A part of the page of one language."""

    def __init__(self, given: Given) -> None:
        self.facts, self.reader, self.words, self.differences, self.hide = given
        self.for_customer = self.reader is Reader.CUSTOMER

    def named(self, name: str) -> str:
        """What a finding is about, or what the log lacks: in words where it is no number of the log."""
        if name.startswith(ALL_CUSTOMERS):
            of = name.removeprefix(ALL_CUSTOMERS).split(" ")
            told = (self.words("value", one) if self.words.has("value", one) else one for one in of)
            return self.words("finding", "all_customers", of=" ".join(told))
        return self.hide.text(self.words.missing(name))

    def heading(self, name: str) -> Heading:
        return Heading(level=2, text=self.words("page", name), anchor=f"{name}-{self.words.language}")

    def columns(self, *names: str) -> tuple[str, ...]:
        return tuple(self.words("column", name) for name in names)

    def column(self, name: str) -> str:
        return self.words("column_of_row", name)

    def cell(self, text: str) -> str:
        return self.words.value(text)

    def outcome(self) -> str:
        told = self.facts.stage in TOLD or not self.for_customer
        outcome = self.facts.outcome or self._answered()
        if outcome is None or not told:
            return self.words("glance", "pending")
        return self.words("outcome", outcome)

    def _answered(self) -> Outcome | None:
        """What was answered and waits for the customer: it stands in the case once they accept it."""
        proposals = [one for one in self.facts.entries if one.kind in PROPOSALS | {"propose_draft"}]
        if self.facts.stage is not Stage.RESPONDED or not proposals:
            return None
        return Outcome(proposals[-1].data["outcome"]) if "outcome" in proposals[-1].data else None
