"""What comes in by the pages: committed first, and only then dealt with. How it is sent, and that it had one end."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from domain.case.complaint import Complaint
from domain.ground.messages import Message
from domain.intake.received import Door
from starter.intake.receiving import receive_complaint, receive_message

if TYPE_CHECKING:
    from runtime.database import Pool
    from trial.report import Report


class Entrance:
    """The pages' way in, over the *pool* that pages would have."""

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool

    async def submit(self, complaint: Complaint) -> None:
        """Have *complaint* received. Raises what the database raises."""
        await receive_complaint(self._pool, Door.PAGES, complaint)

    async def send(self, reference: str, message: Message) -> None:
        """Have *message* received for the case. Raises what the database raises."""
        await receive_message(self._pool, Door.PAGES, reference, message, at=datetime.now(UTC))


async def endings(pool: "Pool", report: "Report") -> dict[str, str]:
    """Whatever was received has been dealt with, once, and with the end that it had to have.

    Returns how each message ended, by what stands in it byte for byte.
    """
    ended = {}
    for row in await pool.fetch(_RECEIVED):
        reference, found = row["reference"], row["endings"]
        what = f"a {row['kind']} that was received"
        if row["waits"] or not found:
            report.add("not dealt with", reference, f"{what} still waits, after {row['tries']} tries")
            continue
        for why in _wrong(row["kind"], found, known=row["known"]):
            report.add("dealt with wrongly", reference, f"{what} ended as {found}: {why}; {row['reason']}")
        report.counted[f"received: {found[-1]}"] += 1
        if row["kind"] == "message":
            ended[row["raw"].decode()] = found[-1]
    return ended


def _wrong(kind: str, found: list[str], *, known: bool) -> Iterator[str]:
    if len(found) > 1:
        yield "it was dealt with more than once"
    if found[-1] == "unreadable":
        yield "it can be read"
    if kind == "complaint" and found[-1] not in {"case_opened", "already_known"}:
        yield "a complaint is a case"
    if kind == "message" and found[-1] == "set_aside" and known:
        yield "its case had been received before"


HEARD: Final = "on_case"
_RECEIVED: Final = """
    select r.kind, r.reference, r.raw, w.key is not null as waits, coalesce(w.tries, 0) as tries,
        array(select ending from intake.endings as e where e.key = r.key order by id) as endings,
        (select reason from intake.endings as e where e.key = r.key order by id desc limit 1) as reason,
        exists (select from intake.received as c where c.reference = r.reference and c.kind = 'complaint'
            and current_setting('track_commit_timestamp') = 'on'
            and pg_xact_commit_timestamp(c.xmin) < r.received_at) as known
    from intake.received as r left join intake.waiting as w using (key)
"""
