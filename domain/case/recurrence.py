"""Recurrence: whether a customer complains of the same matter again, and what takes up a closed case."""

from typing import Final

from domain.case.complaint import MOST_NAMED, Complainant, Complaint
from domain.case.messages.signals import CustomerReply
from domain.ground.base import Instant

CONTINUES: Final = "continues"
"""The entry that links a case to the closed one that it goes on from."""


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
