"""Closed complaints with the category they ended in, for the model of the first assessment to learn from."""

from typing import TYPE_CHECKING, Final

from domain.case.complaint import Complaint
from domain.ground.base import Record
from domain.ground.words import Category

if TYPE_CHECKING:
    from runtime.database import Pool

MOST: Final = 20_000
"""So many of the last closed ones are read."""


class Labelled(Record):
    """What a customer wrote, and the category that the case was closed in."""

    reference: str
    language: str
    category: Category
    text: str


async def closed_complaints(pool: "Pool") -> list[Labelled]:
    """The last closed cases that whoever asks may see and whose complaints were not erased, oldest first."""
    rows = await pool.fetch(_CLOSED, MOST)
    read = []
    for row in reversed(rows):
        if not isinstance(row["complaint"], dict) or not row["complaint"].get("description"):
            continue
        complaint = Complaint.model_validate(row["complaint"])
        text = "\n\n".join(filter(None, (complaint.subject, complaint.description)))
        read.append(
            Labelled(reference=row["reference"], language=complaint.language, category=row["category"], text=text)
        )
    return read


_CLOSED: Final = """
    select reference, complaint, category from casefile.cases
    where closed_at is not null and reference not in (select casefile.hidden_cases())
    order by closed_at desc, reference limit $1
"""
