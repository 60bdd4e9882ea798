"""Reading the case file: what the command line and the demo show. Nothing here changes anything.

Every answer is a model, so that ``model_dump(mode="json")`` is what ``--json`` prints.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal

import asyncpg

from domain.case.complaint import Complaint
from domain.case.file import Rejected
from domain.case.summary import CaseSummary
from domain.ground.base import Instant, Record
from domain.ground.timeline import Entry
from domain.ground.words import Category, LetterKind, Stage
from domain.money.amounts import Money
from domain.rules.policy import PolicyPack
from record.customers import chosen_by, last_chosen, read_on_file
from runtime.letters.way_names import way_of_contact, way_on_file
from starter.reading.database import CaseNotFound, masking, must_see, not_found, rows_of
from starter.reading.responses import RESPONSE

if TYPE_CHECKING:
    from runtime.database import Connection, Pool


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
    written_in: str
    """The language of letters to the customer."""
    letters: int
    letters_accepted: int
    rejected_messages: int
    response: int | None = None
    """The number of the final response that the customer has; what they say of it names it."""


_TAKEN: Final = frozenset(["accepted", "sent_again"])


class Attempt(Record):
    """An attempt to deliver a letter."""

    at: Instant
    channel: str
    outcome: Literal["accepted", "refused", "failed", "returned", "sent_again"]
    detail: str

    @property
    def taken(self) -> bool:
        """Whether the channel took the letter, or a copy of it, over."""
        return self.outcome in _TAKEN


class WrittenLetter(Record):
    """A letter as it was written, and the attempts to deliver it.

    ``recipient`` is the address that it went to last; before it went, the one that it was written for.
    """

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


_ATTEMPTS: Final = """
    select a.key, a.at, channel, outcome, detail, way from casefile.letter_attempts a join casefile.letters using (key)
    where reference = $1 order by a.id
"""
_OVERDUE: Final = "coalesce(w.next_duty < coalesce($1, now()), false)"
CASES: Final = f"""
    select c.*, w.next_rung as next_due, p.id as policy, p.version as policy_version, {_OVERDUE} as overdue
    from casefile.cases c join casefile.policy_packs p on p.hash = c.policy_hash
        left join casefile.worklist w using (reference)
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
    conditions = ["c.reference not in (select casefile.hidden_cases())"]
    for column, value in (("stage", stage), ("category", category), ("handler", handler), ("team", team)):
        if value is not None:
            values.append(value)
            conditions.append(f"c.{column} = ${len(values)}")
    if overdue is not None:
        conditions.append("w.next_duty < coalesce($1, now())" if overdue else f"not {_OVERDUE}")
    rows = await pool.fetch(
        f"{CASES} where {' and '.join(conditions)} order by c.received_at desc, c.reference limit $2 offset $3",
        *values,
    )
    return [ListedCase(**listed_in(row)) for row in rows]


async def get_case(pool: "Pool", reference: str, *, at: datetime | None = None) -> CaseView:
    """The case with its complaint and counts. Raises :class:`CaseNotFound`."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        await must_see(connection, reference)
        case = await connection.fetchrow(f"{CASES} WHERE c.reference = $2", at, reference)
        if case is None:
            raise await not_found(connection, reference)
        contact = await connection.fetchrow(
            "SELECT name, email, phone, at FROM casefile.contacts WHERE reference = $1 ORDER BY id DESC LIMIT 1",
            reference,
        )
        counts = await connection.fetchrow(
            f"""
            SELECT {chosen_by("$1")},
                   (SELECT count(*) FROM casefile.letters WHERE reference = $1) AS letters,
                   (SELECT count(*) FROM casefile.letters JOIN casefile.letter_attempts USING (key)
                    WHERE reference = $1 AND outcome = 'accepted') AS letters_accepted,
                   (SELECT count(*) FROM casefile.rejected_messages WHERE reference = $1) AS rejected_messages,
                   {RESPONSE} AS response
            """,  # noqa: S608 (nothing from outside)
            reference,
        )
    if contact is None or counts is None:
        raise CaseNotFound(reference)
    chosen = last_chosen(counts["chosen"], "language")
    return CaseView(
        **listed_in(case),
        opened_at=case["opened_at"],
        complaint=Complaint.recorded(case["complaint"]),
        contact=Contact(**contact),
        written_in=chosen or case["language"],
        **{name: count for name, count in counts.items() if name != "chosen"},
    )


async def get_timeline(pool: "Pool", reference: str) -> list[Entry]:
    """What happened, in order; findings and assessments are in the entries' data. Raises :class:`CaseNotFound`.

    Other cases that are hidden from who looks are not named.
    """
    rows = await rows_of(
        pool,
        reference,
        "SELECT key, at, kind, actor, text, data FROM casefile.timeline WHERE reference = $1 ORDER BY at, journal, id",
    )
    masked = await masking(pool)
    return [Entry(**dict(row) | {"text": masked(row["text"])}) for row in rows]


async def get_letters(pool: "Pool", reference: str) -> list[WrittenLetter]:
    """The letters in the order in which they were asked for. Raises :class:`CaseNotFound`.

    Other cases that are hidden from who looks are not named.
    """
    attempts: dict[str, list[asyncpg.Record]] = {}
    for row in await pool.fetch(_ATTEMPTS, reference):
        attempts.setdefault(row["key"], []).append(row)
    rows = await rows_of(
        pool,
        reference,
        "SELECT key, number, kind, language, recipient, subject, body, message_id, rendered_at"
        " FROM casefile.letters WHERE reference = $1 ORDER BY number, rendered_at, key",
    )
    masked, addresses = await masking(pool), await _addresses(pool, reference)
    return [
        WrittenLetter(
            **dict(row)
            | {"subject": masked(row["subject"]), "body": masked(row["body"])}
            | {"recipient": _went_to(row["recipient"], attempts.get(row["key"], ()), addresses)},
            attempts=tuple(
                Attempt(**{name: one[name] for name in Attempt.model_fields}) for one in attempts.get(row["key"], ())
            ),
        )
        for row in rows
    ]


def _went_to(
    written_for: str | None, attempts: Sequence[asyncpg.Record], addresses: Mapping[str, str | None]
) -> str | None:
    """The address that a letter *written_for* one went to last, by the name of the way; ``None`` where it was none, or
    is not known any more.
    """
    taken = next((one["way"] for one in reversed(attempts) if one["outcome"] in _TAKEN), None)
    if taken is None or taken == attempts[0]["way"]:
        return written_for
    return addresses.get(taken)


async def _addresses(pool: "Pool", reference: str) -> dict[str, str | None]:
    """The addresses by which letters of a case can have gone, by the names of the ways."""
    rows = await pool.fetch("select id, email from casefile.contacts where reference = $1", reference)
    known = {way_of_contact(row["id"]): row["email"] for row in rows}
    async with pool.acquire() as connection:
        account = await connection.fetchval("select account from casefile.cases where reference = $1", reference)
        on_file = await read_on_file(connection, account)
    for address in on_file.addresses if on_file else ():
        if address.email:
            known[await way_on_file(reference, address.email)] = address.email
    return known


async def get_pack(connection: "Connection | Pool", policy_hash: str) -> PolicyPack:
    """The pinned pack of that hash. Raises ``LookupError``."""
    content = await connection.fetchval("SELECT content FROM casefile.policy_packs WHERE hash = $1", policy_hash)
    if content is None:
        raise LookupError(f"no policy pack {policy_hash} is pinned in the case file")
    return PolicyPack.model_validate(content)


async def get_rules(pool: "Pool", reference: str) -> tuple[PolicyPack, datetime | None, bool]:
    """The rules of a case, when its last final response was given, and whether an extension was told.

    Raises :class:`CaseNotFound`.
    """
    await must_see(pool, reference)
    row = await pool.fetchrow(
        """
        SELECT content, (SELECT max(at) FROM casefile.events e
                         WHERE e.reference = c.reference AND event = 'responded') AS responded_at,
               EXISTS (SELECT FROM casefile.events e WHERE e.reference = c.reference AND event = 'extended') AS extended
        FROM casefile.cases c JOIN casefile.policy_packs ON hash = policy_hash WHERE c.reference = $1
        """,
        reference,
    )
    if row is None:
        raise await not_found(pool, reference)
    return PolicyPack.model_validate(row["content"]), row["responded_at"], row["extended"]


async def get_rejected(pool: "Pool", reference: str) -> list[Rejected]:
    """The messages that did not fit, in order. Raises :class:`CaseNotFound`."""
    rows = await rows_of(
        pool,
        reference,
        "SELECT key, at, name, reason, payload FROM casefile.rejected_messages WHERE reference = $1 ORDER BY at, key",
    )
    return [Rejected(**row) for row in rows]


def listed_in(row: asyncpg.Record) -> dict[str, Any]:
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
