"""Reviews of the complaints process, as the record has them."""

from functools import partial
from typing import TYPE_CHECKING, Final

from domain.ground.people import Actor
from domain.learning.process import ProcessReview, RecordProcessReview
from record.proofs import is_proven

if TYPE_CHECKING:
    from record.connection import Connection


async def read_process_reviews(connection: "Connection", period: str | None = None) -> list[ProcessReview]:
    """Those that were asked for, the newest first; without what nobody is proven to have said."""
    done: dict[str, RecordProcessReview] = {}
    for row in await connection.fetch(_DONE, period):
        said = {
            **row["said"],
            "message_id": row["message_id"],
            "actor": Actor.named(row["by"]),
            "period": row["period"],
        }
        if is_proven(row["token"], scope_of(row["period"]), partial(RecordProcessReview.model_validate, said)):
            done.setdefault(row["period"], RecordProcessReview.model_validate(said))
    return [
        ProcessReview(period=row["period"], due=row["due"], done=done.get(row["period"]))
        for row in await connection.fetch(_ASKED, period)
    ]


def scope_of(period: str) -> str:
    """What the token of who reviews the process is made out for."""
    return f"process-{period}"


_ASKED: Final = """
    select period, due from reporting.process_reviews
    where step = 'asked' and ($1::text is null or period = $1) order by id desc
"""
_DONE: Final = """
    select period, by, said, message_id, token from reporting.process_reviews
    where step = 'done' and ($1::text is null or period = $1) order by id
"""
