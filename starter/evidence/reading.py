"""All that a pack is made of, read at one moment: the case file, its findings, and the quotes around each order."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from domain.case.complaint import Complaint
from domain.checks.findings import Finding
from domain.checks.recompute import Difference, recompute
from domain.ground.base import Instant, Record
from domain.ground.timeline import Entry
from domain.ground.words import Category, LetterKind, Outcome, Stage
from domain.log.trade_log import Quote
from domain.money.amounts import Money
from starter.evidence.scenes import SILENT, PriceScene, kept_quotes, scenes_of
from starter.reading.database import not_found
from starter.reading.dossier import erased_at, stored_findings

if TYPE_CHECKING:
    import asyncpg

    from runtime.database import Connection, Pool


MOST_POINTS: Final = 1500
"""Quotes drawn of one source; where there are more, four of each stretch of time, see :data:`QUOTES_AROUND`."""


class SentLetter(Record):
    """A letter of the case, without its text. ``accepted_at`` is when a channel took it over."""

    number: int
    kind: LetterKind
    language: str
    rendered_at: Instant
    accepted_at: Instant | None
    channel: str | None


class Posting(Record):
    """An award in the compensation ledger, its payment, or a payment that came back."""

    key: str
    kind: Literal["award", "payment", "reversal"]
    amount: Money
    posted_at: Instant


class Payment(Record):
    """What became of a payment through a rail: ``paid`` of ``amount``."""

    key: str
    rail: str
    amount: Money
    paid: Money
    state: str
    ordered_at: Instant
    ended_at: Instant | None


class StoredFinding(Record):
    """A finding, and the hash that was stored beside it."""

    finding: Finding
    hash: str


class Chart(Record):
    """The quotes of one picture. ``in_log`` counts, by source, those that the trade log has of that time.

    Where it has none, ``quotes`` are those that the finding kept, and ``in_log`` is empty.
    """

    symbol: str
    start: Instant
    end: Instant
    quotes: tuple[Quote, ...]
    in_log: dict[str, int]

    @property
    def from_log(self) -> bool:
        return bool(self.in_log)


class CaseFacts(Record):
    """The data of a pack. ``as_of`` is when the last of it was written: a pack bears that date, not its printing's."""

    reference: str
    revision: int
    as_of: Instant
    received_at: Instant
    stage: Stage
    category: Category | None
    team: str | None
    handler: str | None
    outcome: Outcome | None
    compensation: Money | None
    closed_at: Instant | None
    complaint: Complaint
    policy: str
    policy_version: str
    policy_hash: str
    investigations: int
    findings: tuple[StoredFinding, ...]
    entries: tuple[Entry, ...]
    letters: tuple[SentLetter, ...]
    postings: tuple[Posting, ...]
    payments: tuple[Payment, ...] = ()
    charts: tuple[Chart, ...] = ()

    @property
    def erased_at(self) -> datetime | None:
        """When what was personal in the case was erased; ``None`` if nothing was."""
        return erased_at(self.entries)

    @property
    def content_hash(self) -> str:
        """SHA-256 over everything here: the same data give the same hash, whenever and for whomever it is printed."""
        content = json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(content.encode()).hexdigest()

    def chart(self, scene: PriceScene) -> Chart | None:
        wanted = (scene.symbol, scene.start, scene.end)
        return next((one for one in self.charts if (one.symbol, one.start, one.end) == wanted), None)

    def differences(self) -> tuple[Difference, ...]:
        """What is different when the findings are made again from their evidence."""
        return recompute([one.finding for one in self.findings], [one.hash for one in self.findings])


async def read_facts(pool: "Pool", reference: str, entries: Sequence[Entry] | None = None) -> CaseFacts:
    """The data of the pack of *reference*, as they stand now; *entries* of its timeline where they are read already.

    Raises :class:`~starter.reading.database.CaseNotFound`.
    """
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        facts = await _case(connection, reference, entries)
        charts = {
            (scene.symbol, scene.start, scene.end): await _chart(connection, stored.finding, scene)
            for stored in facts.findings
            for scene in scenes_of(stored.finding)
            if isinstance(scene, PriceScene)
        }
    return facts.model_copy(update={"charts": tuple(charts.values())})


async def _case(connection: "Connection", reference: str, entries: Sequence[Entry] | None) -> CaseFacts:
    case = await connection.fetchrow(_CASE, reference)
    if case is None:
        raise await not_found(connection, reference)
    if entries is None:
        entries = [Entry(**row) for row in await connection.fetch(_TIMELINE, reference)]
    letters = await connection.fetch(_LETTERS, reference)
    postings = await connection.fetch(_POSTINGS, reference)
    payments = await connection.fetch(_PAYMENTS, reference)
    found = stored_findings(entries)
    return CaseFacts(
        **{name: case[name] for name in _COPIED},
        as_of=_latest(case, entries, letters, [*postings, *payments]),
        compensation=_money(case["compensation_amount"], case["compensation_currency"]),
        complaint=Complaint.recorded(case["complaint"]),
        investigations=len({entry.at for entry in entries if entry.kind == "finding"}),
        findings=tuple(StoredFinding(finding=finding, hash=digest) for finding, digest in found),
        entries=tuple(entry for entry in entries if entry.kind != "finding"),
        letters=tuple(SentLetter(**row) for row in letters),
        postings=tuple(
            Posting(
                key=row["key"],
                kind=row["kind"],
                amount=Money(amount=row["amount"], currency=row["currency"]),
                posted_at=row["posted_at"],
            )
            for row in postings
        ),
        payments=tuple(
            Payment(
                **{name: row[name] for name in ("key", "rail", "state", "ordered_at", "ended_at")},
                amount=Money(amount=row["amount"], currency=row["currency"]),
                paid=Money(amount=row["paid"], currency=row["currency"]),
            )
            for row in payments
        ),
    )


_CASE: Final = """
    select c.*, p.id as policy, p.version as policy_version
    from casefile.cases c join casefile.policy_packs p on p.hash = c.policy_hash
    where c.reference = $1 and not casefile.hidden(c.reference)
"""
_TIMELINE: Final = """
    select key, at, kind, actor, text, data from casefile.timeline where reference = $1 order by at, journal, id
"""
_LETTERS: Final = """
    select l.number, l.kind, l.language, l.rendered_at, a.at as accepted_at, a.channel
    from casefile.letters l left join casefile.letter_attempts a on a.key = l.key and a.outcome = 'accepted'
    where l.reference = $1 order by l.number, l.rendered_at, l.key
"""
_POSTINGS: Final = """
    select key, kind, amount, currency, posted_at from casefile.postings where reference = $1 order by number
"""
_PAYMENTS: Final = """
    select key, rail, amount, paid, currency, state, ordered_at, ended_at
    from payments.standing where reference = $1 order by ordered_at, key
"""

_COPIED: Final = (
    "reference",
    "revision",
    "received_at",
    "stage",
    "category",
    "team",
    "handler",
    "outcome",
    "closed_at",
    "policy",
    "policy_version",
    "policy_hash",
)


def _latest(
    case: "asyncpg.Record",
    entries: Iterable[Entry],
    letters: "Iterable[asyncpg.Record]",
    money: "Iterable[asyncpg.Record]",
) -> datetime:
    written: list[datetime] = [case["opened_at"], *(entry.at for entry in entries)]
    written += [row["accepted_at"] or row["rendered_at"] for row in letters]
    written += [at for row in money for name, at in row.items() if name.endswith("_at") and at is not None]
    return max(written)


def _money(amount: Any, currency: str | None) -> Money | None:
    return Money(amount=amount, currency=currency) if currency else None


async def _chart(connection: "Connection", finding: Finding, scene: PriceScene) -> Chart:
    rows = await connection.fetch(
        QUOTES_AROUND, scene.symbol, scene.start, scene.end, MOST_POINTS // 4, MOST_POINTS, SILENT
    )
    quotes = [
        Quote(symbol=scene.symbol, source=row["source"], at=row["at"], bid=row["bid"], ask=row["ask"]) for row in rows
    ]
    if not quotes:
        quotes = list(kept_quotes(finding, scene))
    return Chart(
        symbol=scene.symbol,
        start=scene.start,
        end=scene.end,
        quotes=tuple(quotes),
        in_log={row["source"]: row["quotes"] for row in rows},
    )


# Steps from source to source through the primary key, and reads of each the window alone, with the quote that stood
# when it began ($6: how long a quote is taken to stand). A source with more than $5 quotes in it is cut into $4
# stretches; of each the first, the last, the lowest bid and the highest ask are kept. Every row is one of the log's.
QUOTES_AROUND: Final = """
    with recursive feed as (
        select (select min(source) from tradelog.quotes where symbol = $1::text) as name
        union all
        select (select min(source) from tradelog.quotes where symbol = $1::text and source > feed.name)
        from feed where name is not null
    ), around as (
        select feed.name as source, each.at, each.bid, each.ask
        from feed cross join lateral (
            select at, bid, ask from tradelog.quotes
            where symbol = $1::text and source = feed.name and at between $2::timestamptz and $3::timestamptz
            union all
            (
                select at, bid, ask from tradelog.quotes
                where symbol = $1::text and source = feed.name and at < $2 and at >= $2::timestamptz - $6::interval
                order by at desc limit 1
            )
        ) as each
        where feed.name is not null
    ), stretched as (
        select *, count(*) over (partition by source) as quotes,
            floor($4::integer * extract(epoch from at - $2) / greatest(extract(epoch from $3::timestamptz - $2), 0.001))
                as stretch
        from around
    ), ranked as (
        select *,
            row_number() over (partition by source, stretch order by at) as first,
            row_number() over (partition by source, stretch order by at desc) as last,
            row_number() over (partition by source, stretch order by bid, at) as lowest,
            row_number() over (partition by source, stretch order by ask desc, at) as highest
        from stretched
    )
    select source, at, bid, ask, quotes from ranked
    where quotes <= $5::integer or 1 in (first, last, lowest, highest)
    order by source, at
"""
