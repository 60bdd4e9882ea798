"""Early warning: several complaints in a short time that point to the same thing propose an incident."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import asyncpg

from activities.case.at_once import AtOnce
from domain.case.complaint import Complaint
from domain.case.requests import EarlyWarning
from domain.ground.words import Category
from domain.incidents.incident import topics_of
from domain.rules.policy import PolicyPack

if TYPE_CHECKING:
    from runtime.database import Connection


def topics_in(complaint: Complaint, category: Category, symbols: asyncpg.Record) -> tuple[str, ...]:
    """What the complaint points to, by the columns of `SYMBOLS`."""
    texts = [text for text in (complaint.product, complaint.subject, complaint.description) if text]
    return topics_of(category, texts, symbols["traded"], symbols["known"])


def add_topics(writing: AtOnce, reference: str, complaint: Complaint, topics: Sequence[str]) -> None:
    """Add to what is written what the complaint points to; whoever else adds a complaint about that waits for the end.

    Of complaints that arrive together one gives the warning.
    """
    if topics:
        writing.add(_POINTS_TO, reference, list(topics), complaint.received_at)


async def warn(
    connection: "Connection", reference: str, complaint: Complaint, topics: Sequence[str], pack: PolicyPack
) -> EarlyWarning | None:
    """Warn if the complaint, whose topics are written, is one of so many.

    One warning a topic within the pack's time; none where an incident of the instrument was opened within it.
    """
    if not topics or pack.early_warning is None:
        return None
    since = complaint.received_at - timedelta(hours=pack.early_warning.hours)
    for row in await connection.fetch(_ALIKE, topics, since, complaint.received_at):
        if len(row["alike"]) >= pack.early_warning.complaints:
            warning = EarlyWarning(topic=row["topic"], complaints=tuple(row["alike"]))
            await connection.execute(_WARN, warning.topic, complaint.received_at, row["alike"], reference)
            return warning
    return None


SYMBOLS: Final = """
    array(
        with asked as (select tradelog.ticket(id) as ticket from unnest($2::text[]) as id)
        select symbol from asked join tradelog.orders on account = $1 and tradelog.ticket("order") = asked.ticket
        union
        select symbol from asked join tradelog.fills on account = $1 and tradelog.ticket(fill) = asked.ticket
        union
        select symbol from asked join tradelog.positions on account = $1 and tradelog.ticket("position") = asked.ticket
    ) as traded, array(select symbol from tradelog.instruments) as known
"""
"""The columns of a query for `topics_in`, of the account ``$1`` and the trades ``$2``."""
# Evaluated for each row as it is added, topics in their order: the lock is held before anybody reads who else there is.
_POINTS_TO: Final = """
    insert into casefile.case_topics (reference, topic, received_at)
    select $1, topic, $3 from (select topic from unnest($2::text[]) as topic order by topic) as asked
    on conflict do nothing returning pg_advisory_xact_lock(hashtextextended('topic:' || topic, 0))
"""
# Once a warning stands nobody asks how many there are: else each complaint of a burst would read all before it.
_ALIKE: Final = """
    select topic, array(
        select reference from (
            select distinct on (coalesce(account, reference)) reference, case_topics.received_at
            from casefile.case_topics join casefile.cases using (reference)
            where case_topics.topic = asked.topic and case_topics.received_at between $2 and $3
            order by coalesce(account, reference), case_topics.received_at, reference
        ) as first order by received_at, reference
    ) as alike
    from unnest($1::text[]) with ordinality as asked (topic, nth)
    where not exists (
        select from casefile.incident_warnings known where known.topic = asked.topic and warned_at >= $2
    ) and not exists (
        select from casefile.incidents
        where asked.topic = 'symbol:' || symbol and opened_at >= $2 and stage <> 'dismissed'
    )
    order by nth
"""
_WARN: Final = """
    insert into casefile.incident_warnings (topic, warned_at, complaints, last) values ($1, $2, $3, $4)
    on conflict do nothing
"""
