"""Writes down what reports count, in the transaction of what it tells of; triggers note what plain columns say."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from domain.case.complaint import Complaint
from domain.ground.base import Instant
from domain.learning.facts import Fact

if TYPE_CHECKING:
    from runtime.database import Connection


async def write_facts(connection: "Connection", reference: str, facts: Iterable[Fact]) -> None:
    """Write *facts* of a case; one that is there already stays as it is."""
    rows = [(reference, fact.kind, fact.at, fact.key, fact.data) for fact in facts]
    if rows:
        await connection.executemany(_ADD, rows)


def described(complaint: Complaint, at: Instant) -> Fact:
    """What a complaint is about, as far as reports count it."""
    known = {"product": complaint.product, "entity": complaint.entity, "residence": complaint.residence}
    return Fact(kind="described", at=at, key="described", data={name: value for name, value in known.items() if value})


_ADD: Final = """
    insert into reporting.facts (reference, kind, at, key, data) values ($1, $2, $3, $4, $5) on conflict do nothing
"""
