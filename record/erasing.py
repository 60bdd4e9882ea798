"""What the record has of a person, what stands against erasing it, and what an erasure leaves of it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import structlog

from domain.clocks.reckoning import reach
from domain.ground.people import Actor
from domain.keys.erasure import (
    REMAINS,
    Against,
    Certificate,
    DecideErasure,
    Hold,
    Obstacle,
    RequestErasure,
    check_decision,
    person_scopes,
)
from domain.keys.personal import Gone, Row
from domain.keys.scopes import ACCESSES
from domain.rules.policy import PolicyPack
from record.packs import pinned_pack
from record.proofs import is_proven, proofs_here

if TYPE_CHECKING:
    from record.connection import Connection


log = structlog.get_logger(__name__)


class Destroys(Protocol):
    """The keys of this process."""

    async def destroy(self, scopes: Collection[str], erasure: str | None = None) -> datetime:
        """Destroy all keys of these scopes, for good, and say when."""

    async def attest(self, erasure: str, scopes: Collection[str]) -> str:
        """What proves to who holds the keys that an erasure destroyed those of these scopes."""

    async def attested(self, proof: str) -> tuple[str, list[str]] | None:
        """The erasure and the scopes that it is of, if it proves anything."""


class Undone(NamedTuple):
    """An erasure that stands in the record and was not carried out: why, and what to do."""

    erasure: str
    why: str


class Held(NamedTuple):
    """What is kept of a person: their account, cases and messages that came in, and the keys of their letters."""

    account: str | None
    cases: tuple[str, ...]
    messages: tuple[str, ...]
    letters: tuple[str, ...]

    @property
    def scopes(self) -> tuple[str, ...]:
        """Whose keys it is sealed under."""
        return person_scopes(self.account, self.cases, self.messages)


class NobodyHeld(LookupError):
    """Nothing is kept under that name. The message says what to give."""


async def held_of(connection: "Connection", subject: str, cases: Sequence[str] = ()) -> Held:
    """What is kept of who has the account *subject*, or of who complained in the case *subject*, with other *cases*.

    Raises `NobodyHeld`, also where any of it is hidden from who looks.
    """
    row = await connection.fetchrow(_SUBJECT, subject, cases)
    assert row  # noqa: S101 (it is an aggregate)
    if row["hidden"] or not (row["is_account"] or row["is_case"]):
        raise NobodyHeld(f"subject: nothing is kept of {subject}; give an account, or the reference of a case")
    if row["is_case"] and row["account"]:
        raise NobodyHeld(f"subject: {subject} is a case of account {row['account']}; give the account")
    account = subject if row["is_account"] else None
    mine = [one["reference"] for one in await connection.fetch(_CASES, account, [subject, *cases])]
    if missing := set(cases) - set(mine):
        raise NobodyHeld(f"cases: there is no case {min(missing)}")
    others = [
        one["account"] for one in await connection.fetch(_ACCOUNTS, mine) if one["account"] not in {None, account}
    ]
    if others:
        raise NobodyHeld(f"cases: one is of account {others[0]}, whose holder is erased by themselves")
    messages = [one["key"] for one in await connection.fetch(_MESSAGES, mine)]
    letters = [one["key"] for one in await connection.fetch(_LETTERS, mine, account)]
    return Held(account, tuple(mine), tuple(messages), tuple(letters))


async def obstacles(connection: "Connection", held: Held, now: datetime) -> list[Obstacle]:
    """What stands against erasing it *now* (aware)."""
    found = [
        Obstacle(why=Against(row["why"]), of=row["of"])
        for row in await connection.fetch(_AGAINST, list(held.cases), held.account)
    ]
    subjects = [*held.cases, *filter(None, [held.account])]
    found += [Obstacle(why=Against.HOLD, of=one["subject"]) for one in await standing_holds(connection, subjects)]
    for row in await connection.fetch(_KEPT, list(held.cases)):
        until = kept_until(await pinned_pack(connection, row["policy_hash"]), row["closed_at"])
        if until and until > now:
            found.append(Obstacle(why=Against.RETENTION, of=row["reference"], until=until))
    return found


async def standing_holds(connection: "Connection", subjects: Sequence[str] | None = None) -> list[Mapping[str, Any]]:
    """What is held of these *subjects*, or of all: the newest word of each that is proven, where signatures count."""
    newest: dict[str, Mapping[str, Any]] = {}
    for row in map(dict, await connection.fetch(_HOLDS, subjects)):
        if row["subject"] not in newest and _is_proven(row):
            newest[row["subject"]] = row
    return [row for row in newest.values() if row["placed"]]


def _is_proven(row: Mapping[str, Any]) -> bool:
    if isinstance(row["reason"], Gone):  # what it was signed with can be read no more: what was held stays so
        return bool(row["placed"])
    said = {"message_id": row["message_id"], "placed": row["placed"], "reason": row["reason"]}
    return is_proven(
        row["token"], row["subject"], lambda: Hold.model_validate(said | {"actor": Actor.named(row["by"])})
    )


def kept_until(pack: PolicyPack, closed_at: datetime) -> datetime | None:
    """Until when the *pack* has the file of a case kept; ``None`` if it says nothing."""
    return reach(pack.calendar, closed_at, pack.retention.after_closing) if pack.retention else None


async def run_out(connection: "Connection", now: datetime, most: int) -> list[str]:
    """Cases whose time is over and that are not erased, at most so many; those that must wait are left out."""
    due: list[str] = []
    held = {one["subject"] for one in await standing_holds(connection)}
    async with connection.transaction():
        async for row in connection.cursor(_CLOSED):
            try:
                until = kept_until(await pinned_pack(connection, row["policy_hash"]), row["closed_at"])
            except LookupError as error:  # nothing is destroyed by a rule that somebody made up
                log.error("a case is kept: its policy pack is not known", of=row["reference"], why=str(error))  # noqa: TRY400
                continue
            if until and until <= now and not {row["reference"], row["account"]} & held:
                due.append(row["reference"])
            if len(due) == most:
                break
    return due


async def write_step(  # noqa: PLR0917 (one row)
    connection: "Connection",
    erasure: str,
    step: str,
    at: datetime,
    by: str,
    data: Mapping[str, Any],
    reason: str | None = None,
    token: str | None = None,
) -> bool:
    """Write down a step, unless it is there."""
    sealed = Row("casefile.erasures", ACCESSES, f"{erasure}/{step}")("reason", reason)
    row = (erasure, step, at, by, sealed, token, dict(data))
    return bool(await connection.fetchval(_STEP, *row))


async def forget(connection: "Connection", scopes: Sequence[str]) -> int:
    """Remove what these are found by. Returns how many rows that were."""
    removed = await connection.fetchval(_FORGET, list(scopes))
    return int(removed)


async def carry_out(connection: "Connection", keys: Destroys, held: Held, erasure: str) -> Certificate:
    """Destroy the keys, remove what they were found by, and write it down. Repeated, it ends what was broken off.

    It was approved before, and files of theirs were removed: the step says how many, and how long keys are backed up.
    """
    at = await keys.destroy(held.scopes, erasure)
    return await certify(connection, keys, erasure, at, held.scopes, 0)


async def certify(  # noqa: PLR0917 (what is certified)
    connection: "Connection", keys: Destroys, erasure: str, at: datetime, scopes: Sequence[str], backup_days: int
) -> Certificate:
    """Remove what these scopes, whose keys were destroyed, were found by, and write the certificate.

    *backup_days* count where the record has lost what was approved.
    """
    proof = await keys.attest(erasure, scopes)
    async with connection.transaction():
        removed = await forget(connection, scopes)
        certificate = await _certificate(connection, erasure, at, scopes, removed, backup_days)
        await write_erased(connection, certificate, proof)
    return certificate


async def steps_of(connection: "Connection", erasure: str) -> dict[str, Mapping[str, Any]]:
    """The steps of an erasure, in order."""
    return {row["step"]: dict(row) for row in await connection.fetch(_STEPS, erasure)}


async def list_erasures(connection: "Connection") -> list[Mapping[str, Any]]:
    """The last step of every erasure, the newest first, without those of cases that are hidden from who looks."""
    return [dict(row) for row in await connection.fetch(_NEWEST)]


async def write_erased(connection: "Connection", certificate: Certificate, proof: str) -> None:
    """Write down that it is done, with the *proof* of it, and into the timeline of each case."""
    data = certificate.model_dump(mode="json")
    step = (connection, certificate.erasure, "erased", certificate.erased_at, certificate.approved_by, data)
    if await write_step(*step, token=proof):
        lines = (list(certificate.cases), f"erased:{certificate.erasure}", certificate.erased_at)
        await connection.execute(_LINES, *lines, certificate.approved_by, _TOLD)


async def held_of_case(connection: "Connection", reference: str) -> Held:
    """What is kept of a case alone."""
    messages = [one["key"] for one in await connection.fetch(_MESSAGES, [reference])]
    letters = [one["key"] for one in await connection.fetch(_LETTERS, [reference], None)]
    return Held(None, (reference,), tuple(messages), tuple(letters))


async def apply_again(
    connection: "Connection",
    keys: Destroys,
    logged: Mapping[str, tuple[datetime, Sequence[str]]],
    outside: Iterable[str],
    backup_days: int,
) -> list[str]:
    """Have every erasure that the record, the log beside the keys or *outside* know be one in both; returns which.

    For after a restore: of the record, in whose backup rows are that were removed; of the keys, in whose backup keys
    are that were destroyed; of both in any order. *outside* are the proofs that left, in none of the backups.
    """
    done = {row["erasure"]: row["data"]["scopes"] for row in await connection.fetch(_ERASED)}
    again = await _to_destroy(connection, keys, done, logged, outside)
    known = dict(logged) | {name: (await keys.destroy(scopes, name), scopes) for name, scopes in again.items()}
    found_by = await _found_by(connection, {one for _, scopes in known.values() for one in scopes})
    for name, (at, scopes) in known.items():
        if name not in done:
            await certify(connection, keys, name, at, scopes, backup_days)
        elif not found_by.isdisjoint(scopes):
            await forget(connection, scopes)
        else:
            continue
        again[name] = scopes
    return list(again)


async def undone(connection: "Connection", keys: Destroys, logged: Collection[str], now: datetime) -> list[Undone]:
    """The erasures that were not carried out, though the record says that they were, or that they were approved.

    *logged* are those that are known beside the keys. What was approved a moment before *now* (aware) is on its way.
    """
    found = []
    for row in await connection.fetch(_STANDING, now - ON_ITS_WAY):
        name, steps = row["erasure"], set(row["steps"])
        if name in logged:
            continue
        if "erased" not in steps:
            why = f"it was approved and then broken off: `redress erase approve {name} --reason … --as ROLE:ID` ends it"
        elif why_not := await _not_decided(connection, keys, name, row["data"]["scopes"]):
            why = f"the record says erased, the keys are there, and {why_not}: {_ASK_AGAIN}"
        else:
            continue
        found.append(Undone(name, why))
    return found


async def _found_by(connection: "Connection", scopes: Collection[str]) -> set[str]:
    """Those of the *scopes* that rows are left of by which they are found."""
    return {row["scope"] for row in await connection.fetch(_FOUND_BY, list(scopes))}


async def _to_destroy(
    connection: "Connection",
    keys: Destroys,
    done: Mapping[str, Sequence[str]],
    logged: Collection[str],
    outside: Iterable[str],
) -> dict[str, Sequence[str]]:
    """The scopes, by erasure, whose keys are to be destroyed again: the record or *outside* prove it, no log has it."""
    proven: dict[str, Sequence[str]] = {}
    for proof in outside:
        name = proof.partition(":")[0]
        if name not in logged and name not in proven and (attested := await keys.attested(proof)):
            proven[name] = attested[1]
    for name, scopes in done.items():
        if name in logged or name in proven:
            continue
        if problem := await _not_decided(connection, keys, name, scopes):
            log.error("an erasure is not applied again: nobody is proven to have decided it", of=name, why=problem)
        else:
            proven[name] = scopes
    return proven


async def _not_decided(connection: "Connection", keys: Destroys, erasure: str, scopes: Sequence[str]) -> str | None:
    """Why it is not proven that the keys of these *scopes* were to be destroyed; ``None`` where it is.

    Who holds the keys has said so when they were, or two persons signed for it, or the time for which the pack keeps
    the case is over. Whoever writes to the record has no keys destroyed by a row.
    """
    if proofs_here() is None:
        return None
    steps = await steps_of(connection, erasure)
    proof = steps["erased"]["token"]
    if proof and await keys.attested(proof) == (erasure, sorted(scopes)):
        return None
    try:
        if "requested" in steps:
            held = await _signed_for(connection, erasure, steps["requested"], steps["approved"])
        else:
            held = await held_of_case(connection, erasure.removeprefix("ER-"))
            kept = await connection.fetch(_KEPT, list(held.cases))
            ends = [kept_until(await pinned_pack(connection, row["policy_hash"]), row["closed_at"]) for row in kept]
            if not ends or ends[0] is None or ends[0] > await connection.fetchval("select now()"):
                return "the time for which its pack keeps it is not over"
    except (ValueError, LookupError) as error:
        return str(error) or type(error).__name__
    return None if set(scopes) <= set(held.scopes) else "it is of others as well"


async def _signed_for(
    connection: "Connection", erasure: str, asked: Mapping[str, Any], approved: Mapping[str, Any]
) -> Held:
    """What two persons had erased. Raises ``ValueError`` unless both signed for it."""
    request = RequestErasure.model_validate({**asked["data"], "reason": asked["reason"]})
    decision = DecideErasure(
        message_id=approved["data"]["message_id"],
        actor=Actor.named(approved["by"]),
        approve=True,
        reason=approved["reason"],
    )
    check_decision(request, decision)
    if request.erasure != erasure or not is_proven(asked["token"], request.subject, lambda: request):
        raise ValueError("nobody is proven to have asked for it")
    if not is_proven(approved["token"], erasure, lambda: decision):
        raise ValueError("nobody is proven to have approved it")
    return await held_of(connection, request.subject, request.cases)


def refusal_of(erasure: str) -> str:
    """The key of the letter that tells the customer that the *erasure* was refused."""
    return f"{erasure}{_REFUSED}"


async def letters_of(connection: "Connection", erasures: Sequence[str]) -> list[str]:
    """The keys of the letters to whom these *erasures* erased."""
    return [row["key"] for row in await connection.fetch(_LETTERS_OF, list(erasures))]


async def _certificate(  # noqa: PLR0917 (what is certified)
    connection: "Connection", erasure: str, at: datetime, scopes: Sequence[str], removed: int, backup_days: int
) -> Certificate:
    """What the steps and the scopes of an erasure say of it, also where the record has lost some of the steps."""
    steps = await steps_of(connection, erasure)
    cases = [row["reference"] for row in await connection.fetch(_CASES, None, list(scopes))]
    asked, approved = steps.get("requested"), steps.get("approved")
    kept = approved["data"] if approved else {"backup_days": backup_days}
    return Certificate(
        erasure=erasure,
        subject=asked["data"]["subject"] if asked else (cases or [erasure])[0],
        cases=tuple(cases),
        scopes=tuple(scopes),
        erased_at=at,
        requested_by=asked["by"] if asked else SYSTEM,
        approved_by=approved["by"] if approved else SYSTEM,
        backups_until=(at + timedelta(days=kept["backup_days"])).date(),
        index_rows=removed,
        files=kept.get("files", 0),
        rejected_rows=kept.get("rejected_rows", 0),
        remains=REMAINS if approved else (*REMAINS, "what the record has lost: this was applied again after a restore"),
    )


SYSTEM: Final = "system:redress"
ON_ITS_WAY: Final = timedelta(minutes=10)
"""So long what was approved may take until it is done."""
_ASK_AGAIN: Final = "if they are to be erased, `redress erase request` and `redress erase approve` do it by two persons"
_TOLD: Final = "What was personal in this case is erased"
_SUBJECT: Final = """
    select exists (select from casefile.customers where account = $1::text)
            or exists (select from casefile.cases where account = $1)
            or exists (select from casefile.incident_letters where account = $1) as is_account,
        exists (select from casefile.cases where reference = $1) as is_case,
        (select account from casefile.cases where reference = $1) as account,
        exists (select casefile.hidden_accounts() intersect select $1)
            or exists (select casefile.hidden_cases() intersect select unnest($1 || $2::text[])) as hidden
"""
_REFUSED: Final = ":refused"
_CASES: Final = """
    select reference from casefile.cases where account = $1 or reference = any($2::text[]) order by reference
"""
_ACCOUNTS: Final = "select distinct account from casefile.cases where reference = any($1::text[])"
_MESSAGES: Final = """
    select key from intake.received where reference = any($1::text[])
    union
    select key from intake.endings where reference = any($1::text[])
    union
    select key from intake.decisions where reference = any($1::text[])
    order by key
"""
_LETTERS: Final = f"""
    select key from casefile.letters where reference = any($1::text[])
    union all
    select key from casefile.incident_letters where account = $2
    union all
    select erasure || '{_REFUSED}' from casefile.erasures
    where step = 'requested' and (data ->> 'subject' = any($1::text[]) or data ->> 'subject' = $2
        or data ->> 'subject' in (
            select account from casefile.cases mine where mine.reference = any($1::text[]) and not exists (
                select from casefile.cases other
                where other.account = mine.account and other.reference <> all($1::text[]) and not exists (
                    select from casefile.timeline where reference = other.reference and kind = 'erased'))))
"""  # noqa: S608 (a constant)
"""Those that refused an erasure, too: of an account where nothing else is kept of it."""
_LETTERS_OF: Final = f"""
    with erased as (select data from casefile.erasures where step = 'erased' and erasure = any($1::text[]))
    select key from casefile.letters join erased on data->'cases' ? reference
    union all
    select key from casefile.incident_letters join erased on data->'scopes' ? ('customer:' || account)
    union all
    select asked.erasure || '{_REFUSED}' from casefile.erasures asked join erased
        on erased.data->'cases' ? (asked.data ->> 'subject')
        or erased.data->'scopes' ? ('customer:' || (asked.data ->> 'subject'))
    where asked.step = 'requested'
"""  # noqa: S608 (a constant)
_AGAINST: Final = """
    select 'open_case' as why, reference as of from casefile.cases
    where reference = any($1::text[]) and closed_at is null
    union all
    select distinct 'open_incident', reference
    from casefile.incidents i join casefile.cohort_members m using (reference)
    where m.account = $2 and i.stage not in ('closed', 'dismissed')
    union all
    select 'open_payment', coalesce(reference, key) from payments.standing
    where ended_at is null and (reference = any($1::text[]) or payee = $2)
    union all
    select distinct 'waiting', r.reference from intake.received r join intake.waiting using (key)
    where r.reference = any($1::text[])
"""
_CLOSED_AT: Final = """
    greatest(c.closed_at, (select max(at) from casefile.events e where e.reference = c.reference and event = 'closed'))
"""
"""Whoever writes to the record may change the first, and not the second."""
_KEPT: Final = f"""
    select c.reference, {_CLOSED_AT} as closed_at, c.policy_hash from casefile.cases c
    where c.reference = any($1::text[]) and c.closed_at is not null
"""  # noqa: S608 (constants)
_CLOSED: Final = f"""
    select c.reference, c.account, {_CLOSED_AT} as closed_at, c.policy_hash from casefile.cases c
    where c.closed_at is not null
        and not exists (select from casefile.timeline t where t.reference = c.reference and t.kind = 'erased')
        and not exists (select from payments.standing s where s.reference = c.reference and s.ended_at is null)
        and not exists (select from intake.received r join intake.waiting w using (key) where r.reference = c.reference)
    order by c.closed_at, c.reference
"""  # noqa: S608 (constants)
_HOLDS: Final = """
    select id, subject, placed, reason, at, by, message_id, token from casefile.holds
    where $1::text[] is null or subject = any($1) order by subject, id desc
"""
_STEP: Final = """
    insert into casefile.erasures (erasure, step, at, by, reason, token, data) values ($1, $2, $3, $4, $5, $6, $7)
    on conflict do nothing returning true
"""
_STEPS: Final = "select step, at, by, reason, token, data from casefile.erasures where erasure = $1 order by id"
_NEWEST: Final = """
    select * from (
        select distinct on (erasure) id, erasure, step, at, by, data from casefile.erasures order by erasure, id desc
    ) as newest where not exists (
        select from casefile.erasures e, (
            select casefile.hidden_accounts() union select casefile.hidden_cases()
        ) as hidden (name)
        where e.erasure = newest.erasure and (e.data ->> 'subject' = hidden.name or e.data -> 'cases' ? hidden.name)
    ) order by id desc
"""
_ERASED: Final = "select erasure, data from casefile.erasures where step = 'erased'"
_STANDING: Final = """
    select erasure, array_agg(step) as steps, (array_agg(data order by id desc))[1] as data from casefile.erasures
    group by erasure having bool_or(step = 'erased') or bool_or(step = 'approved') and max(at) < $1 order by min(id)
"""
_FOUND_BY: Final = """
    select scope from casefile.lookups where scope = any($1::text[])
    union
    select reference from casefile.search_terms where reference = any($1::text[])
"""
_FORGET: Final = """
    with tokens as (delete from casefile.lookups where scope = any($1::text[]) returning true),
        terms as (delete from casefile.search_terms where reference = any($1::text[]) returning true)
    select (select count(*) from tokens) + (select count(*) from terms)
"""
_LINES: Final = """
    insert into casefile.timeline (reference, key, at, kind, actor, text, data)
    select reference, $2, $3, 'erased', $4, $5, '{}' from unnest($1::text[]) as reference order by reference
    on conflict do nothing
"""
