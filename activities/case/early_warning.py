"""Early warning: several complaints in a short time that point to the same thing propose an incident."""

from datetime import timedelta
from typing import TYPE_CHECKING

from domain.case.complaint import Complaint
from domain.ground.words import Category
from domain.incidents.incident import topics_of
from domain.rules.policy import PolicyPack

if TYPE_CHECKING:
    from runtime.database import Connection


async def note_topics(
    connection: "Connection", reference: str, complaint: Complaint, category: Category, pack: PolicyPack
) -> None:
    """Write down what the complaint points to, and warn if it is one of so many.

    One warning a topic within the pack's time; none where an incident of the instrument was opened within it.
    """
    warning = pack.early_warning
    if warning is None:
        return
    symbols = await connection.fetchrow(_SYMBOLS, complaint.account, list(complaint.trades))
    assert symbols is not None  # noqa: S101 (one row, whatever there is)
    texts = [text for text in (complaint.product, complaint.subject, complaint.description) if text]
    topics = topics_of(category, texts, symbols["traded"], symbols["known"])
    await connection.executemany(
        "INSERT INTO casefile.case_topics (reference, topic, received_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        [(reference, topic, complaint.received_at) for topic in topics],
    )
    since = complaint.received_at - timedelta(hours=warning.hours)
    for topic in topics:
        # Of complaints that arrive together one gives the warning.
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('topic:' || $1, 0))", topic)
        alike = await connection.fetch(_ALIKE, topic, since, complaint.received_at)
        if len(alike) >= warning.complaints and not await connection.fetchval(_KNOWN, topic, since):
            await connection.execute(
                "INSERT INTO casefile.incident_warnings (topic, warned_at, complaints, last) VALUES ($1, $2, $3, $4)"
                " ON CONFLICT DO NOTHING",
                topic,
                complaint.received_at,
                [row["reference"] for row in sorted(alike, key=lambda row: (row["received_at"], row["reference"]))],
                reference,
            )
            return


_SYMBOLS = """
    with asked as (select tradelog.ticket(id) as ticket from unnest($2::text[]) as id), traded as (
        select symbol from asked join tradelog.orders on account = $1 and tradelog.ticket("order") = asked.ticket
        union
        select symbol from asked join tradelog.fills on account = $1 and tradelog.ticket(fill) = asked.ticket
        union
        select symbol from asked join tradelog.positions on account = $1 and tradelog.ticket("position") = asked.ticket
    )
    select array(select symbol from traded) as traded, array(select symbol from tradelog.instruments) as known
"""

_ALIKE = """
    select distinct on (coalesce(account, reference)) reference, case_topics.received_at
    from casefile.case_topics join casefile.cases using (reference)
    where topic = $1 and case_topics.received_at >= $2 and case_topics.received_at <= $3
    order by coalesce(account, reference), case_topics.received_at, reference
"""

_KNOWN = """
    select exists (select from casefile.incident_warnings where topic = $1 and warned_at >= $2)
        or exists (
            select from casefile.incidents
            where $1 = 'symbol:' || symbol and opened_at >= $2 and stage <> 'dismissed'
        )
"""
