"""Reading the case file: what the command line and the demo show. Nothing here changes anything.

Every answer is a model, so that ``model_dump(mode="json")`` is what ``--json`` prints.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal

import asyncpg
from pydantic import computed_field

from domain.base import Instant, Record
from domain.case import CaseSummary, Entry, Rejected
from domain.complaint import Complaint
from domain.deadlines import Deadline, Occurred, Round
from domain.money import Money
from domain.policy import Calendar, PolicyPack
from domain.words import Action, CaseEvent, Category, LetterKind, Priority, Stage
from runtime.approvals import unfounded_postings
from runtime.histories import events_of, rounds_of

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Pool = asyncpg.Pool[asyncpg.Record]
    Connection = PoolConnectionProxy[asyncpg.Record]


class UnopenedStart(Record):
    """What was sent to start a case and is none: it ``waits`` to become one, or was ``refused``, and why.

    ``since`` is when the reason was written down, ``messages`` how many rows are kept of what was sent.
    """

    workflow_id: str
    state: Literal["waiting", "refused"]
    since: Instant
    reason: str
    messages: int


class CaseNotFound(LookupError):
    """There is no case file of that reference; ``start`` is what was sent to become one, if anything was."""

    def __init__(self, reference: str, start: UnopenedStart | None = None) -> None:
        self.start = start
        text = f"there is no case {reference}"
        if start:
            state = "waits to become one" if start.state == "waiting" else "was refused"
            text += f": what was sent {state} since {start.since:%Y-%m-%d %H:%M:%S} UTC: {start.reason}"
        super().__init__(text)


class ListedCase(Record):
    """A case in a list. ``overdue``: not closed, and a deadline whose missing is a breach has passed unsatisfied."""

    reference: str
    received_at: Instant
    language: str
    channel: str
    policy: str
    policy_version: str
    overdue: bool
    summary: CaseSummary


class Contact(Record):
    """Where letters go."""

    name: str
    email: str | None
    phone: str | None
    at: Instant


class CaseView(ListedCase):
    """A case file's first page. ``letters`` counts those written, ``letters_accepted`` those a channel took over."""

    opened_at: Instant
    complaint: Complaint
    contact: Contact
    letters: int
    letters_accepted: int
    rejected_messages: int


class LedgerRow(Deadline):
    """A rung of the deadline ledger: what was planned, when it acted, and what satisfied its clock.

    ``strictest``: several packs set a time for this duty, and of those that run this one ends first.
    """

    fired_at: Instant | None
    lateness: timedelta | None
    breach: bool
    satisfied_at: Instant | None
    satisfied_by: CaseEvent | None
    replaced: bool
    strictest: bool = False

    @computed_field  # type: ignore[prop-decorator]
    @property
    def kept(self) -> bool | None:
        """Whether the deadline was kept.

        ``None`` while that is open, for rungs that are no duty, and where another round took this one's place.
        """
        if Action.BREACH not in self.actions:
            return None
        if self.breach:
            return False
        if self.replaced:
            return None
        return self.satisfied_at <= self.clock_due if self.satisfied_at else None


class DueRung(Record):
    """A rung that is to act, and whose case it is. ``left`` is negative where it should have acted by now."""

    reference: str
    clock: str
    number: int
    rung: str
    statutory: bool
    due: Instant
    clock_due: Instant
    actions: tuple[Action, ...]
    level: int | None
    provisional: bool
    left: timedelta
    stage: Stage
    priority: Priority | None
    team: str | None
    handler: str | None


class History(Record):
    """What happened in a case, in order, and every round of a clock that it has had."""

    reference: str
    policy_hash: str
    events: tuple[Occurred, ...]
    rounds: tuple[Round, ...]


class Attempt(Record):
    """An attempt to deliver a letter."""

    at: Instant
    channel: str
    outcome: Literal["accepted", "refused", "failed"]
    detail: str


class WrittenLetter(Record):
    """A letter as it was written, and the attempts to deliver it."""

    key: str
    number: int
    kind: LetterKind
    language: str
    recipient: str | None
    subject: str
    body: str
    message_id: str
    rendered_at: Instant
    attempts: tuple[Attempt, ...]


class CurrencyTotal(Record):
    """What was awarded in one currency, and ``paid`` through rails: in how many postings, the sums of their entries."""

    currency: str
    postings: int
    awarded: Decimal
    paid: Decimal
    debits: Decimal
    credits: Decimal


class LedgerFault(Record):
    """Something in the compensation ledger that must not be."""

    reference: str
    problem: str


class LedgerReport(Record):
    """The check of the compensation ledger."""

    totals: tuple[CurrencyTotal, ...]
    faults: tuple[LedgerFault, ...]
    workflows_compared: bool = False
    """Whether it was compared with what closed workflows tell of, too."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def balanced(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


# An aggregate, so that PostgreSQL asks it of one case after another and not of every deadline there ever was.
_OVERDUE = """
    (c.closed_at IS NULL AND (
        SELECT bool_or(s.at IS NULL)
        FROM casefile.deadlines d LEFT JOIN casefile.satisfactions s USING (reference, clock, number)
        WHERE d.reference = c.reference AND 'breach' = ANY (d.actions) AND d.clock_due < coalesce($1, now()))) IS TRUE
"""
_CASES = f"""
    SELECT c.*, (
        SELECT min(due) FROM casefile.deadline_ledger l
        WHERE l.reference = c.reference AND c.closed_at IS NULL AND fired_at IS NULL AND satisfied_at IS NULL
    ) AS next_due, p.id AS policy, p.version AS policy_version, {_OVERDUE} AS overdue
    FROM casefile.cases c JOIN casefile.policy_packs p ON p.hash = c.policy_hash
"""  # noqa: S608 (nothing from outside)


async def list_cases(
    pool: "Pool",
    *,
    stage: Stage | None = None,
    category: Category | None = None,
    handler: str | None = None,
    team: str | None = None,
    overdue: bool | None = None,
    at: datetime | None = None,
    limit: int = 50,
    offset: int = 0,
) -> list[ListedCase]:
    """The cases that fit every filter given, the last received first. Overdue is judged at *at*, by default now."""
    values: list[Any] = [at, limit, offset]
    conditions = ["true"]
    for column, value in (("stage", stage), ("category", category), ("handler", handler), ("team", team)):
        if value is not None:
            values.append(value)
            conditions.append(f"c.{column} = ${len(values)}")
    if overdue is not None:
        conditions.append(f"c.closed_at IS NULL AND {_OVERDUE}" if overdue else f"NOT ({_OVERDUE})")
    rows = await pool.fetch(
        f"{_CASES} WHERE {' AND '.join(conditions)} ORDER BY c.received_at DESC, c.reference LIMIT $2 OFFSET $3",
        *values,
    )
    return [ListedCase(**_listed(row)) for row in rows]


async def get_case(pool: "Pool", reference: str, *, at: datetime | None = None) -> CaseView:
    """The case with its complaint and counts. Raises :class:`CaseNotFound`."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        case = await connection.fetchrow(f"{_CASES} WHERE c.reference = $2", at, reference)
        if case is None:
            raise await not_found(connection, reference)
        contact = await connection.fetchrow(
            "SELECT name, email, phone, at FROM casefile.contacts WHERE reference = $1 ORDER BY id DESC LIMIT 1",
            reference,
        )
        counts = await connection.fetchrow(
            """
            SELECT (SELECT count(*) FROM casefile.letters WHERE reference = $1) AS letters,
                   (SELECT count(*) FROM casefile.letters JOIN casefile.letter_attempts USING (key)
                    WHERE reference = $1 AND outcome = 'accepted') AS letters_accepted,
                   (SELECT count(*) FROM casefile.rejected_messages WHERE reference = $1) AS rejected_messages
            """,
            reference,
        )
    if contact is None or counts is None:
        raise CaseNotFound(reference)
    return CaseView(
        **_listed(case),
        opened_at=case["opened_at"],
        complaint=Complaint.model_validate(case["complaint"]),
        contact=Contact(**contact),
        **counts,
    )


async def get_timeline(pool: "Pool", reference: str) -> list[Entry]:
    """What happened, in order; findings and assessments are in the entries' data. Raises :class:`CaseNotFound`."""
    rows = await _rows_of(
        pool,
        reference,
        "SELECT key, at, kind, actor, text, data FROM casefile.timeline WHERE reference = $1 ORDER BY at, journal, id",
    )
    return [Entry(**row) for row in rows]


async def get_letters(pool: "Pool", reference: str) -> list[WrittenLetter]:
    """The letters in the order in which they were asked for. Raises :class:`CaseNotFound`."""
    attempts: dict[str, list[Attempt]] = {}
    for row in await pool.fetch(
        "SELECT a.key, a.at, channel, outcome, detail FROM casefile.letter_attempts a JOIN casefile.letters USING (key)"
        " WHERE reference = $1 ORDER BY a.id",
        reference,
    ):
        attempt = dict(row)
        attempts.setdefault(attempt.pop("key"), []).append(Attempt(**attempt))
    rows = await _rows_of(
        pool,
        reference,
        "SELECT key, number, kind, language, recipient, subject, body, message_id, rendered_at"
        " FROM casefile.letters WHERE reference = $1 ORDER BY number, rendered_at, key",
    )
    return [WrittenLetter(**row, attempts=tuple(attempts.get(row["key"], ()))) for row in rows]


async def get_deadlines(pool: "Pool", reference: str) -> list[LedgerRow]:
    """The deadline ledger of the case, in the order in which the rungs are due. Raises :class:`CaseNotFound`."""
    rows = await _rows_of(
        pool,
        reference,
        "SELECT clock, number, rung, statutory, started_at, due, clock_due, actions, level, how, fired_at, lateness,"
        " breach, satisfied_at, satisfied_by, provisional, replaced FROM casefile.deadline_ledger"
        " WHERE reference = $1 ORDER BY due, clock, number, rung",
    )
    shared = await pool.fetch(
        """
        SELECT clock ->> 'name' AS name, coalesce(clock ->> 'duty', clock ->> 'name') AS duty
        FROM casefile.cases JOIN casefile.policy_packs ON hash = policy_hash,
             jsonb_array_elements(content -> 'clocks') clock
        WHERE reference = $1 AND jsonb_array_length(content -> 'parts') > 0
        """,
        reference,
    )
    ledger = [LedgerRow(**row) for row in rows]
    first = strictest([row for row in ledger if row.satisfied_at is None], {row["name"]: row["duty"] for row in shared})
    return [row.model_copy(update={"strictest": row.round in first}) for row in ledger]


def strictest(deadlines: Iterable[Deadline], duties: Mapping[str, str]) -> set[str]:
    """The rounds that end first among *deadlines* of several clocks for one duty since one moment.

    *duties* are the duties by clock. Of rounds that end together it is the first by name.
    """
    rivals: dict[tuple[str, datetime], list[Deadline]] = {}
    for one in deadlines:
        if one.clock in duties:
            rivals.setdefault((duties[one.clock], one.started_at), []).append(one)
    return {
        min(several, key=lambda one: (one.clock_due, one.clock)).round
        for several in rivals.values()
        if len({one.clock for one in several}) > 1
    }


# What comes due is read by its due date; what should have acted, of which there is hardly any, from the open cases'
# own rows. Neither reads the deadlines there have ever been. OFFSET keeps PostgreSQL from joining in another order.
_UNDONE = """
    NOT EXISTS (SELECT FROM casefile.firings f
                WHERE (f.reference, f.clock, f.number, f.rung) = (d.reference, d.clock, d.number, d.rung))
    AND NOT EXISTS (SELECT FROM casefile.satisfactions s
                    WHERE (s.reference, s.clock, s.number) = (d.reference, d.clock, d.number))
    AND (d.statutory OR NOT $3)
"""
COMING_DUE = f"""
    SELECT d.reference, d.clock, d.number, d.rung, d.statutory, d.due, d.clock_due, d.actions, d.level, d.provisional,
           d.due - $1 AS left, c.stage, c.priority, c.team, c.handler
    FROM (
        SELECT d.* FROM (SELECT * FROM casefile.deadlines WHERE due > $1 AND due <= $2 OFFSET 0) d WHERE {_UNDONE}
        UNION ALL
        SELECT d.* FROM (SELECT reference FROM casefile.cases WHERE closed_at IS NULL) o, LATERAL (
            SELECT * FROM casefile.deadlines d WHERE d.reference = o.reference AND d.due <= $1 AND {_UNDONE} OFFSET 0) d
    ) d JOIN casefile.cases c ON c.reference = d.reference
    WHERE c.closed_at IS NULL
    ORDER BY d.due, d.reference, d.clock, d.number, d.rung
    LIMIT $4
"""  # noqa: S608 (nothing from outside)


async def get_coming_due(
    pool: "Pool", now: datetime, within: timedelta, *, statutory: bool = False, limit: int = 50
) -> list[DueRung]:
    """The rungs that act until *within* after *now*, in all open cases; first those that should have acted already."""
    rows = await pool.fetch(COMING_DUE, now, now + within, statutory, limit)
    return [DueRung(**row) for row in rows]


async def get_pack(connection: "Connection | Pool", policy_hash: str) -> PolicyPack:
    """The pinned pack of that hash. Raises ``LookupError``."""
    content = await connection.fetchval("SELECT content FROM casefile.policy_packs WHERE hash = $1", policy_hash)
    if content is None:
        raise LookupError(f"no policy pack {policy_hash} is pinned in the case file")
    return PolicyPack.model_validate(content)


async def get_rules(pool: "Pool", reference: str) -> tuple[PolicyPack, datetime | None, bool]:
    """The rules of a case, when its last final response was given, and whether a holding letter was sent.

    Raises :class:`CaseNotFound`.
    """
    row = await pool.fetchrow(
        """
        SELECT content, (SELECT max(at) FROM casefile.events e
                         WHERE e.reference = c.reference AND event = 'responded') AS responded_at,
               EXISTS (SELECT FROM casefile.events e WHERE e.reference = c.reference AND event = 'held') AS held
        FROM casefile.cases c JOIN casefile.policy_packs ON hash = policy_hash WHERE c.reference = $1
        """,
        reference,
    )
    if row is None:
        raise await not_found(pool, reference)
    return PolicyPack.model_validate(row["content"]), row["responded_at"], row["held"]


async def get_histories(connection: "Connection", references: Sequence[str]) -> list[History]:
    """What happened in these cases, in the order of their references."""
    events = await events_of(connection, references)
    rounds = await rounds_of(connection, references)
    return [
        History(
            reference=row["reference"],
            policy_hash=row["policy_hash"],
            events=tuple(events[row["reference"]]),
            rounds=tuple(rounds[row["reference"]]),
        )
        for row in await connection.fetch(
            "SELECT reference, policy_hash FROM casefile.cases WHERE reference = ANY ($1) ORDER BY reference",
            references,
        )
    ]


async def get_calendars(connection: "Connection", histories: Iterable[History]) -> dict[str, Calendar]:
    """The calendars, by hash, that the cases were planned anew on."""
    named = {event.calendar for history in histories for event in history.events if event.calendar}
    rows = await connection.fetch("SELECT hash, content FROM casefile.calendars WHERE hash = ANY ($1)", list(named))
    return {row["hash"]: Calendar.model_validate(row["content"]) for row in rows}


async def get_rejected(pool: "Pool", reference: str) -> list[Rejected]:
    """The messages that did not fit, in order. Raises :class:`CaseNotFound`."""
    rows = await _rows_of(
        pool,
        reference,
        "SELECT key, at, name, reason, payload FROM casefile.rejected_messages WHERE reference = $1 ORDER BY at, key",
    )
    return [Rejected(**row) for row in rows]


async def check_ledger(pool: "Pool") -> LedgerReport:
    """Prove that every posting balances and rests on the record: on an approval, a payment that was made, a report.

    And that the ledger has what cases were awarded and payments were made.
    """
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        totals = await connection.fetch(
            """
            SELECT currency, count(*) AS postings, coalesce(sum(amount) FILTER (WHERE kind = 'award'), 0) AS awarded,
                   coalesce(sum(CASE kind WHEN 'payment' THEN amount WHEN 'reversal' THEN -amount END), 0) AS paid,
                   coalesce(sum(debits), 0) AS debits, coalesce(sum(credits), 0) AS credits
            FROM casefile.postings p LEFT JOIN (
                SELECT posting_key, sum(amount) FILTER (WHERE amount > 0) AS debits,
                       -sum(amount) FILTER (WHERE amount < 0) AS credits
                FROM casefile.ledger_entries GROUP BY posting_key) e ON e.posting_key = p.key
            GROUP BY currency ORDER BY currency
            """
        )
        unbalanced = await connection.fetch(
            """
            SELECT coalesce(p.reference, p.incident) AS reference,
                   format('posting %s of %s does not balance: its entries are %s', p.key,
                                     p.currency || ' ' || p.amount,
                                     coalesce(string_agg(e.currency || ' ' || e.amount, ', '), 'missing')) AS problem
            FROM casefile.postings p LEFT JOIN casefile.ledger_entries e ON e.posting_key = p.key
            GROUP BY p.key
            HAVING NOT coalesce(sum(e.amount) FILTER (WHERE e.amount > 0) = p.amount
                            AND sum(e.amount) FILTER (WHERE e.amount < 0) = -p.amount
                            AND bool_and(e.currency = p.currency), false)
            ORDER BY p.key
            """
        )
        differing = await connection.fetch(
            """
            SELECT c.reference, format(CASE WHEN c.closed_at IS NULL THEN 'its file tells of %s awarded' ELSE
                                            'closed with %s awarded' END || ', but the ledger has %s',
                                       coalesce(c.compensation_currency || ' ' || c.compensation_amount, 'nothing'),
                                       coalesce(string_agg(p.currency || ' ' || p.amount, ', ' ORDER BY p.number),
                                                'nothing')) AS problem
            FROM casefile.cases c LEFT JOIN casefile.postings p ON p.reference = c.reference AND p.kind = 'award'
            WHERE c.closed_at IS NOT NULL OR c.compensation_amount IS NOT NULL
            GROUP BY c.reference
            -- While a case is open the posting comes first, and the summary tells of it a moment later.
            HAVING coalesce(sum(p.amount) FILTER (WHERE p.currency = c.compensation_currency), 0)
                    < coalesce(c.compensation_amount, 0)
                OR c.closed_at IS NOT NULL AND (coalesce(sum(p.amount), 0) <> coalesce(c.compensation_amount, 0)
                                                OR bool_or(p.currency <> c.compensation_currency))
            ORDER BY c.reference
            """
        )
        unpaid = await connection.fetch(
            """
            SELECT reference, format('closed, but %s %s of what a rail was to pay is not paid', p.currency,
                                     sum(CASE kind WHEN 'payment' THEN -p.amount ELSE p.amount END)) AS problem
            FROM casefile.cases c JOIN casefile.postings p USING (reference)
            WHERE c.closed_at IS NOT NULL AND p.rail IS NOT NULL
            GROUP BY reference, p.currency
            HAVING sum(CASE kind WHEN 'payment' THEN -p.amount ELSE p.amount END) <> 0
            ORDER BY reference
            """
        )
        unposted = await connection.fetch(
            """
            SELECT o.reference, format('payment %s of %s %s was made, but the ledger has no posting of it', key,
                                       o.currency, e.paid) AS problem
            FROM payments.outcomes e JOIN payments.orders o USING (key)
            WHERE e.paid > 0 AND NOT EXISTS (SELECT FROM casefile.postings p WHERE p.key = e.key)
            ORDER BY o.reference, key
            """
        )
        unfounded = [LedgerFault(reference=of, problem=why) async for of, why in unfounded_postings(connection)]
    faults = [LedgerFault(**row) for row in [*unbalanced, *differing, *unpaid, *unposted]]
    return LedgerReport(totals=tuple(CurrencyTotal(**row) for row in totals), faults=(*faults, *unfounded))


async def _rows_of(pool: "Pool", reference: str, query: str) -> list[asyncpg.Record]:
    rows = await pool.fetch(query, reference)
    if not rows and not await pool.fetchval("SELECT true FROM casefile.cases WHERE reference = $1", reference):
        raise await not_found(pool, reference)
    return rows


async def list_unopened(pool: "Pool", limit: int = 50) -> list[UnopenedStart]:
    """What was sent to start a case and is none, the newest first."""
    return [UnopenedStart(**row) for row in await pool.fetch(_UNOPENED, limit)]


async def not_found(connection: "Pool | Connection", reference: str) -> CaseNotFound:
    """The error that says that there is no such case, and what was sent to become it, if anything was."""
    row = await connection.fetchrow(_UNOPENED_START, reference)
    return CaseNotFound(reference, UnopenedStart(**row) if row else None)


_UNOPENED_START: Final = """
    select workflow_id, state, at as since, reason, count(*) over () as messages
    from casefile.unopened where workflow_id = $1 order by at desc, state limit 1
"""
_UNOPENED: Final = """
    select * from (
        select distinct on (workflow_id)
            workflow_id, state, at as since, reason, count(*) over (partition by workflow_id) as messages
        from casefile.unopened u
        where not exists (select from casefile.cases c where c.reference = u.workflow_id)
          and not exists (select from casefile.incidents i where i.reference = u.workflow_id)
        order by workflow_id, at desc, state) starts
    order by since desc limit $1
"""


def _listed(row: asyncpg.Record) -> dict[str, Any]:
    """The fields of :class:`ListedCase` in a row of cases."""
    case = dict(row)
    amount, currency = case["compensation_amount"], case["compensation_currency"]
    # From the ledger: a clock that a letter started may be younger than the summary.
    case["next_deadline"] = case["next_due"]
    summary = {name: case[name] for name in CaseSummary.model_fields if name != "compensation"}
    return {
        **{name: case[name] for name in ListedCase.model_fields if name != "summary"},
        "summary": CaseSummary(**summary, compensation=Money(amount=amount, currency=currency) if currency else None),
    }
