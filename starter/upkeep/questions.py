"""What the doctor asks the record: each question by an index or of so many rows at most."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

import asyncpg

from runtime.watch.readings import LETTERS_WAITING, PAYMENTS_IN_DOUBT, WINDOW
from starter.upkeep.diagnosis import Kind, Trouble

if TYPE_CHECKING:
    from runtime.database import Pool

BATCH: Final = 1000
LETTER_LATE: Final = timedelta(hours=1)
WEBHOOK_LATE: Final = timedelta(hours=1)
MAILBOX_LATE: Final = timedelta(minutes=30)
PAYMENT_LATE: Final = timedelta(hours=24)


class Question(NamedTuple):
    """What the record is asked: ``sql`` answers with a ``subject`` and ``since`` when; ``what`` is said of a row.

    Its parameters are the instant that lies ``age`` back, and how many rows at most.
    """

    kind: Kind
    age: timedelta
    sql: str
    what: Callable[[asyncpg.Record], str]


async def ask(pool: "Pool", question: Question, now: datetime) -> list[Trouble]:
    return [
        Trouble(kind=question.kind, subject=row["subject"], what=question.what(row), since=row["since"])
        for row in await pool.fetch(question.sql, now - question.age, BATCH)
    ]


_UNOPENED: Final = """
    select distinct on (workflow_id) workflow_id as subject, state, reason, at as since from casefile.unopened u
    where at > $1 and not exists (select from casefile.cases c where c.reference = u.workflow_id)
    order by workflow_id, at desc limit $2
"""
_OVERDUE: Final = """
    select reference as subject, count(*) as rungs, min(due) as since, (array_agg(clock order by due))[1] as clock
    from (select reference from casefile.worklist where next_rung < $1 order by next_rung limit $2) c, lateral (
        select d.due, d.clock from casefile.deadlines d
        where d.reference = c.reference and d.due < $1
          and not exists (select from casefile.firings f where (f.reference, f.clock, f.number, f.rung)
                          = (d.reference, d.clock, d.number, d.rung))
          and not exists (select from casefile.satisfactions s where (s.reference, s.clock, s.number)
                          = (d.reference, d.clock, d.number)) offset 0) d
    group by reference order by min(due)
"""
_WITH_NOBODY: Final = """
    select reference as subject, at as since from casefile.assignments a join casefile.worklist using (reference)
    where a.person is null and a.at < $1
      and not exists (select from casefile.assignments l where l.reference = a.reference and l.number > a.number)
    order by at limit $2
"""
_REJECTED: Final = """
    select reference as subject, count(*) as messages, min(at) as since from casefile.rejected_messages
    where at > $1 group by reference order by count(*) desc limit $2
"""
_LETTERS: Final = f"""
    select reference as subject, rendered_at as since, kind from ({LETTERS_WAITING}) l
    where rendered_at < $1 order by rendered_at limit $2
"""  # noqa: S608
_PAYMENTS: Final = f"""
    select reference as subject, ordered_at as since from ({PAYMENTS_IN_DOUBT}) p
    where ordered_at < $1 order by ordered_at limit $2
"""  # noqa: S608
_WEBHOOKS: Final = """
    select service as subject, failing_since as since, id, failing from web.subscriptions
    where failing_since < $1 and ended_at is null order by failing_since limit $2
"""

_MAILBOXES: Final = """
    select mailbox as subject, fetched_at as since from intake.mailboxes
    where fetched_at < $1 and fetched_at > $1 - interval '30 days' order by 2 limit $2
"""
QUESTIONS: Final[Mapping[str, Question]] = {
    "starts": Question(
        Kind.START_NOT_OPENED, timedelta(days=30), _UNOPENED, lambda row: f"{row['state']}: {row['reason']}"
    ),
    "deadlines": Question(
        Kind.DEADLINE_OVERDUE,
        timedelta(minutes=1),
        _OVERDUE,
        lambda row: f"{row['rungs']} rungs of its deadlines have not acted, the first of {row['clock']}",
    ),
    "people": Question(
        Kind.CASE_WITH_NOBODY,
        timedelta(minutes=1),
        _WITH_NOBODY,
        lambda _row: "everybody who could have it is away, kept out or not in the directory",
    ),
    "letters": Question(
        Kind.LETTER_WAITING,
        LETTER_LATE,
        _LETTERS,
        lambda row: f"no channel has accepted the letter {row['kind'].replace('_', ' ')}",
    ),
    "payments": Question(
        Kind.PAYMENT_IN_DOUBT, PAYMENT_LATE, _PAYMENTS, lambda _row: "nobody has said how the payment ended"
    ),
    "webhooks": Question(
        Kind.WEBHOOK_FAILING,
        WEBHOOK_LATE,
        _WEBHOOKS,
        lambda row: f"no webhook of {row['id']} is taken: {row['failing']}",
    ),
    "mailboxes": Question(
        Kind.MAILBOX_SILENT, MAILBOX_LATE, _MAILBOXES, lambda _row: "it has not been read to its end since then"
    ),
    "messages": Question(
        Kind.MESSAGES_REJECTED, WINDOW, _REJECTED, lambda row: f"{row['messages']} messages of the last day did not fit"
    ),
}
