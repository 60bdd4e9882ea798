"""What is personal is marked as such where it is written, and with whose key it is sealed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from domain.keys.scopes import LEARNING


@dataclass(frozen=True)
class Personal:
    """A value for a column that holds personal data: text, bytes, or what JSON can say. ``None`` stays null.

    *column* and *row* say where it belongs, and *scope* whose key it is sealed under: it opens nowhere else. Of a JSON
    object the keys in *readable* stay in the clear, for statements that look at them.
    """

    column: str
    row: str
    scope: str
    value: Any = field(repr=False)
    readable: Collection[str] = ()


@dataclass(frozen=True)
class Row:
    """A row with personal data, of *table*, sealed under the key of *scope*.

    *name* is what the row is known by before it is written, and never loses: the database takes what is sealed into no
    other (the newest migration that makes the constraints ``sealed_for`` says by which columns).
    """

    table: str
    scope: str
    name: str

    def __call__(self, column: str, value: Any, readable: Collection[str] = ()) -> Personal:
        """The value of a *column* of it."""
        return Personal(f"{self.table}.{column}", self.name, self.scope, value, readable)


ERASED: Final = "erased"
"""The key of a JSON object whose sealed part was erased: it says when."""


class Gone(str):
    """What stands where text of a person was erased: it says when."""

    __slots__ = ()


class Displaced(str):
    """What stands where something was put that was sealed for another place: it says for which."""

    __slots__ = ()


class Opened(str):
    """Text as it was before somebody who holds the keys sealed it, under that of *scope*."""

    __slots__ = ("scope",)
    scope: str

    def __new__(cls, text: str, scope: str) -> Self:
        one = super().__new__(cls, text)
        one.scope = scope
        return one

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]
        return str(self), self.scope


_only_sealed: Final[list[bool]] = []


def believe_only_sealed(sealed: bool) -> None:
    """Say whether this process holds keys, and so what `ours` goes by."""
    _only_sealed[:] = [True] if sealed else []


def ours(text: str | None, scope: str) -> str | None:
    """*text* of the record, where letters go to or by which somebody is known: as it was sealed under that *scope*.

    ``None`` where whoever wrote it held no keys, or copied what was sealed of another or for another place, and where
    it was erased: that leads nowhere.
    """
    if isinstance(text, Gone):
        return None
    if not _only_sealed:
        return text
    return text if isinstance(text, Opened) and text.scope == scope else None


def is_erased(content: Mapping[str, Any]) -> bool:
    """Whether what was sealed of this JSON is gone with its key. Nobody who can write a row can write that."""
    return isinstance(content.get(ERASED), Gone)


COMPLAINT_READABLE: Final = frozenset(
    {
        "source",
        "idempotency_key",
        "received_at",
        "channel",
        "language",
        "account",
        "product",
        "occurred_from",
        "occurred_until",
        "trades",
        "remedy_sought",
        "amount_claimed",
        "entity",
        "client_class",
        "policy",
    }
)
"""Of a complaint: business keys, categories, amounts and times."""

INCIDENT_READABLE: Final = frozenset({"fault", "title", "opened_by", "policy", "per_minute", "prompted_by"})
"""Of an incident as it was opened: all but the note, in which somebody may name whoever noticed."""

ENVELOPE_READABLE: Final = frozenset({"service", "language", "mark"})
"""Of how something came in: what statements look at."""

_READABLE: Final = frozenset(
    {
        "account",
        "trades",
        "round",
        "category",
        "severity",
        "priority",
        "team",
        "decision",
        "compensation",
        "clock",
        "number",
        "cohort",
        "message_id",
        "unproven",
        "stage",
        "policy",
        "version",
        "hash",
        "outcome",
        "continues",
    }
)
"""Of an entry of a timeline: what statements look at, and what figures are counted from."""
_OF_A_FINDING: Final = frozenset(
    {
        "check",
        "subject",
        "verdict",
        "harm",
        "numbers",
        "missing",
        "formula",
        "confidence",
        "reference_rule",
        "parts",
        "given",
        "owes",
        "hash",
        "mark",
        "instruments",
    }
)
"""Of what was found: all but its reason and the rows that it rests on, which may be what was said on the platform."""
_OURS: Final = frozenset({"received", "rules", "stage"})
"""Kinds of entries whose words are ours alone, and tell nothing of a person."""


RATES: Final = "rates"
"""Of a finding on a list: the exchange rates among its rows. They are of no person, and its sums need them."""


_WORDS_OF_ACTIONS: Final = frozenset({"what", "why", "reason"})


def in_action(action: str, number: int, data: Mapping[str, Any]) -> Personal:
    """The data of a step of a corrective action: in what somebody says of it they may name a customer."""
    row = Row("reporting.actions", LEARNING, f"{action}/{number}")
    return row("data", dict(data), data.keys() - _WORDS_OF_ACTIONS)


def in_article(article: str, said: Mapping[str, Any]) -> Personal:
    """What was said of a question and answer for customers. It is looked at as a whole, but for what it is."""
    return Row("reporting.articles", LEARNING, article)("said", dict(said), {"name"})


def in_a_list(row: Row, finding: Mapping[str, Any], *, erased: bool) -> Any:
    """A finding of an account on an incident's list: as in a timeline, its words and rows are personal.

    Of somebody who was *erased* before, its figures alone are kept.
    """
    rates = [row for row in finding["evidence"] if row["table"] == RATES]
    listed, readable = {**finding, **({RATES: rates} if rates else {})}, _OF_A_FINDING | {RATES}
    if erased:
        return {name: value for name, value in listed.items() if name in readable}
    return row("findings", listed, readable)


def in_timeline(row: Row, kind: str, text: str, data: Mapping[str, Any]) -> tuple[Any, Any]:
    """Text and data of an entry, as they are written: what a person may have said in it is personal."""
    if kind in _OURS:
        return text, data
    if kind == "finding":
        return text, row("data", dict(data), _OF_A_FINDING)
    return row("text", text), row("data", dict(data), _READABLE)
