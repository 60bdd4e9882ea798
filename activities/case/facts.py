"""Writes down what reports count, in the transaction of what it tells of; triggers note what plain columns say."""

from collections.abc import Iterable
from typing import Final

from activities.case.at_once import AtOnce
from domain.case.complaint import Complaint
from domain.ground.base import Instant
from domain.learning.facts import Fact


def add_facts(writing: AtOnce, reference: str, facts: Iterable[Fact]) -> None:
    """Add *facts* of a case to what is written; one that is there already stays as it is."""
    if rows := [(fact.kind, fact.at, fact.key, fact.data) for fact in facts]:
        writing.add(_ADD, reference, *(list(column) for column in zip(*rows, strict=True)))


def described(complaint: Complaint, at: Instant) -> Fact:
    """What a complaint is about, as far as reports count it."""
    known = {"product": complaint.product, "entity": complaint.entity, "residence": complaint.residence}
    return Fact(kind="described", at=at, key="described", data={name: value for name, value in known.items() if value})


_ADD: Final = """
    insert into reporting.facts (reference, kind, at, key, data)
    select $1, new.* from unnest($2::text[], $3::timestamptz[], $4::text[], $5::jsonb[]) as new on conflict do nothing
"""
