"""Cases that were drawn for review, and what the reviews found, as the record has them."""

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from domain.ground.people import Actor
from domain.keys.personal import Gone
from domain.learning.reviewing import RecordReview, Review, ReviewFinding
from domain.people.recusal import kept_out
from domain.rules.policy import PolicyPack
from record.hands import recusals_of
from record.proofs import is_proven

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from record.connection import Connection


async def read_reviews(
    connection: "Connection", period: str | None = None, reference: str | None = None
) -> list[Review]:
    """The reviews of a period or of a case, or all; without what nobody is proven to have said."""
    done: dict[tuple[str, str], RecordReview] = {}
    for row in await connection.fetch(_REVIEWED, period, reference):
        said = _said(dict(row))
        if is_proven(row["token"], row["reference"], partial(RecordReview.model_validate, said)):
            done.setdefault((row["reference"], row["period"]), said)
    return [
        Review(
            reference=row["reference"],
            period=row["period"],
            stratum=row["data"]["stratum"],
            reviewer=row["reviewer"],
            due=row["due"],
            handlers=tuple(row["handlers"] or ()),
            rule=PolicyPack.model_validate(row["content"]).review,
            reviewed=done.get((row["reference"], row["period"])),
        )
        for row in await connection.fetch(_DRAWN, period, reference)
    ]


async def barred_from(connection: "Connection", references: "Sequence[str]", at: datetime) -> dict[str, set[str]]:
    """Who may not review which of these cases *at* that moment: who is kept out of it, had it or decided on it."""
    recorded = await recusals_of(connection, references)
    out = {reference: set(kept_out(each, at)) for reference, each in recorded.items()}
    for row in await connection.fetch(_HANDLERS, list(references)):
        out.setdefault(row["reference"], set()).update(row["handlers"])
    return out


def _said(row: "Mapping[str, Any]") -> RecordReview:
    notes = row["words"] if isinstance(row["words"], dict) else {}
    gone = next((str(one) for one in notes.values() if isinstance(one, Gone)), "[erased]")
    return RecordReview(
        message_id=row["message_id"],
        actor=Actor.named(row["by"]),
        period=row["period"],
        answers=row["data"]["answers"],
        findings=tuple(
            ReviewFinding(question=one["question"], cause=one.get("cause"), note=notes.get(one["question"], gone))
            for one in row["data"]["findings"]
        ),
    )


_HANDLERS: Final = "select reference, casefile.handlers_of(reference) as handlers from unnest($1::text[]) as reference"
_DRAWN: Final = """
    select d.reference, d.period, d.reviewer, d.due, d.data, p.content, casefile.handlers_of(d.reference) as handlers
    from casefile.reviews d join casefile.cases c using (reference)
    join casefile.policy_packs p on p.hash = c.policy_hash
    where d.step = 'drawn' and not casefile.hidden(d.reference)
        and ($1::text is null or d.period = $1) and ($2::text is null or d.reference = $2)
    order by d.period desc, d.due, d.reference
"""
_REVIEWED: Final = """
    select reference, period, by, data, words, message_id, token from casefile.reviews
    where step = 'reviewed' and not casefile.hidden(reference)
        and ($1::text is null or period = $1) and ($2::text is null or reference = $2)
    order by id
"""
