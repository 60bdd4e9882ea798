"""Recurrence: whether a customer complains of the same matter again, and what takes up a closed case."""

import hashlib
from collections.abc import Iterator
from typing import Final

from domain.case.complaint import MOST_NAMED, Complainant, Complaint
from domain.case.messages.signals import CustomerReply
from domain.ground.base import Instant
from domain.ground.phrases import folded
from domain.ground.reference import references_in
from domain.keys.finding import MATTER, TEXT

CONTINUES: Final = "continues"
"""The entry that links a case to the closed one that it goes on from."""


_PIECE: Final = 8
"""Letters of a piece of a text."""
_SKETCH: Final = 16
ALIKE: Final = 6
"""Two texts with so many marks in common of `_SKETCH` are nearly the same: a third of their pieces or more are."""
_FEWEST_PIECES: Final = 24
"""Of a shorter text many are the same by chance."""


def marks_of(complaint: Complaint) -> Iterator[tuple[str, str]]:
    """Purposes and values by which another complaint about the same matter is found, whoever sends it by whatever way.

    Those of a `MATTER` are trades and references, of which one in common is enough. Those of a `TEXT` are its pieces
    whose hashes are the smallest: of two texts that are nearly the same nearly the same ones.
    """
    yield MATTER, complaint.reference
    named, _ = references_in(f"{complaint.subject or ''}\n{complaint.description}")
    yield from ((MATTER, each) for each in named if each != complaint.reference)
    yield from ((MATTER, f"trade {each.casefold()}") for each in dict.fromkeys(complaint.trades))
    letters = "".join(letter for letter in folded(complaint.description.casefold()) if letter.isalnum())
    pieces = {letters[at : at + _PIECE] for at in range(len(letters) - _PIECE + 1)}
    if len(pieces) >= _FEWEST_PIECES:
        smallest = sorted(pieces, key=lambda piece: hashlib.sha256(piece.encode()).digest())[:_SKETCH]
        yield from ((TEXT, piece) for piece in smallest)


def same_subject(one: Complaint, other: Complaint) -> bool:
    """Whether two complaints of one customer are about the same: a trade in common, or one product.

    In one category and within the time of the pack it is the same matter, and the later a recurrence.

    Where one names no trade, or no product, nothing tells them apart.
    """
    if one.trades and other.trades:
        return not set(one.trades).isdisjoint(other.trades)
    return not (one.product and other.product) or one.product.casefold() == other.product.casefold()


def takes_up(closed: Complaint, who: Complainant, reply: CustomerReply, received_at: Instant) -> Complaint | None:
    """What *reply* to a case that is *closed* comes to: a complaint that goes on from it, about the same trades.

    ``None`` where it says nothing that a complaint could be: an acceptance, a question how far it is, or no words.
    """
    if reply.intent in {"accept", "progress"} or not reply.text:
        return None
    return closed.model_copy(
        update={
            "source": "reply",
            "idempotency_key": f"{closed.reference}/{reply.message_id}",
            "received_at": received_at,
            "complainant": who,
            "description": reply.text,
            "trades": tuple(dict.fromkeys((*reply.trades, *closed.trades)))[:MOST_NAMED],
            "continues": closed.reference,
        }
    )
