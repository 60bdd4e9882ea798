"""Erase a person: one asks, a second decides, what stands against it is looked at, and it is done or refused."""

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from domain.ground.base import Record
from domain.ground.messages import NotAllowed
from domain.ground.people import Actor
from domain.keys.erasure import (
    Certificate,
    DecideErasure,
    Hold,
    Obstacle,
    RequestErasure,
    check_decision,
    check_request,
    review_on,
)
from domain.keys.personal import Gone, Row, ours
from domain.keys.scopes import ACCESSES
from record.erasing import (
    Held,
    carry_out,
    certify,
    held_of,
    list_erasures,
    obstacles,
    refusal_of,
    standing_holds,
    steps_of,
    write_step,
)
from runtime.database import seen_by
from runtime.identity.issuing import TokenIssuer
from runtime.identity.verifying import Verifier
from runtime.keys.here import keys_needed
from runtime.left_behind import left_of
from runtime.mail import Mailer, Outbox, compose, message_id
from runtime.paths import TEMPLATES
from runtime.toml_files import read_toml

if TYPE_CHECKING:
    from runtime.database import Connection, Pool
    from runtime.settings import Settings


def utc_now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


class ErasureNotFound(LookupError):
    """There is no such erasure."""


class Asked(Record):
    """An erasure that waits for a second person: which cases it takes with it, and what stands against it now."""

    erasure: str
    subject: str
    cases: tuple[str, ...]
    against: tuple[Obstacle, ...]


class Answered(Record):
    """What became of an erasure: a certificate, or what stands against it and when it is looked at again."""

    erasure: str
    step: str
    certificate: Certificate | None = None
    against: tuple[Obstacle, ...] = ()
    review_on: date | None = None


async def ask(
    pool: "Pool", settings: "Settings", request: RequestErasure, *, clock: Callable[[], datetime] = utc_now
) -> Asked:
    """Write down that somebody asks. Repeated, it answers as before. *clock* gives the time as an aware datetime.

    Raises `NotAllowed`, `NotProven`, `record.erasing.NobodyHeld`.
    """
    check_request(request)
    token = _signed(settings, request.subject, request)
    now = clock()
    eyes = seen_by(pool, request.actor.person)
    async with eyes.acquire() as connection, connection.transaction():
        held = await held_of(connection, request.subject, request.cases)
        against = await obstacles(connection, held, now)
        data = request.model_dump(mode="json", exclude={"reason"})
        step = (connection, request.erasure, "requested", now, str(request.actor), data)
        await write_step(*step, reason=request.reason, token=token)
    return Asked(erasure=request.erasure, subject=request.subject, cases=held.cases, against=tuple(against))


async def decide(
    pool: "Pool",
    settings: "Settings",
    erasure: str,
    decision: DecideErasure,
    *,
    clock: Callable[[], datetime] = utc_now,
) -> Answered:
    """Decline it, refuse it with a letter where something stands against it, or erase. Broken off, it goes on.

    Raises `NotAllowed`, `NotProven`, `ErasureNotFound`, and to who is kept out of it `record.erasing.NobodyHeld`.
    """
    token = _signed(settings, erasure, decision)
    now = clock()
    async with seen_by(pool, decision.actor.person).acquire() as connection:
        steps = await steps_of(connection, erasure)
        request = _requested(erasure, steps)
        check_decision(request, decision)
        _proven(settings, request.subject, request, steps["requested"]["token"])
        if ended := next((step for step in ("erased", "declined", "refused") if step in steps), None):
            raise NotAllowed(f"{erasure}: it was {ended} on {steps[ended]['at']:%Y-%m-%d}")
        vault = keys_needed()
        if broken_off := (await vault.store.erasures()).get(erasure):  # the keys are destroyed already
            certificate = await certify(connection, vault, erasure, *broken_off, settings.backup_days)
            return Answered(erasure=erasure, step="erased", certificate=certificate)
        step: dict[str, Any] = {"at": now, "by": str(decision.actor), "reason": decision.reason, "token": token}
        if not decision.approve:
            await held_of(connection, request.subject, request.cases)  # who is kept out of it decides nothing
            await write_step(connection, erasure, "declined", data={}, **step)
            return Answered(erasure=erasure, step="declined")
        async with connection.transaction():
            held = await held_of(connection, request.subject, request.cases)
            # whoever writes to a case takes its row first: none is opened anew while this looks
            await connection.execute(_LOCK, list(held.cases))
            against = await obstacles(connection, held, now)
            outbox = Outbox(settings.outbox_dir)
            left = await left_of(connection, outbox, held.account, held.cases, held.letters)
            if not against:
                data = await asyncio.to_thread(left.counted) | {
                    "backup_days": settings.backup_days,
                    "message_id": decision.message_id,
                }
                await write_step(connection, erasure, "approved", data=data, **step)
        if against:
            return await _refuse(connection, settings, erasure, held, against, step)
        await asyncio.to_thread(left.remove)
        certificate = await carry_out(connection, vault, held, erasure)
        return Answered(erasure=erasure, step="erased", certificate=certificate)


async def erasures(pool: "Pool") -> Sequence[Mapping[str, Any]]:
    """The last step of every erasure, the newest first."""
    async with pool.acquire() as connection:
        return await list_erasures(connection)


async def hold(pool: "Pool", settings: "Settings", subject: str, by: Actor, reason: str, *, placed: bool) -> None:
    """Keep what there is of an account or a case from being erased, or no longer.

    Raises `NotAllowed`, also to who is kept out of it, and `NotProven`.
    """
    if not by.role.is_staff:
        raise NotAllowed(f"actor: role {by.role.value} may not; this is for staff")
    said = Hold(message_id=str(uuid.uuid4()), actor=by, placed=placed, reason=reason)
    proof = (said.message_id, _signed(settings, subject, said))
    async with seen_by(pool, by.person).acquire() as connection:
        if subject in {row["subject"] for row in await connection.fetch(_HIDDEN)}:
            raise NotAllowed(f"subject: nothing is kept of {subject}; give an account, or the reference of a case")
        why = Row("casefile.holds", ACCESSES, subject)("reason", said.reason)
        values = (subject, placed, why, datetime.now(UTC), str(by), *proof)
        await connection.execute(_HOLD, *values)


async def holds(pool: "Pool") -> Sequence[Mapping[str, Any]]:
    """What is held, the newest first, without what is hidden from who looks."""
    async with pool.acquire() as connection:
        found = await standing_holds(connection)
        hidden = {row["subject"] for row in await connection.fetch(_HIDDEN)}
    shown = sorted((one for one in found if one["subject"] not in hidden), key=lambda one: one["id"], reverse=True)
    return [{name: one[name] for name in ("subject", "reason", "at", "by")} for one in shown]


async def _refuse(  # noqa: PLR0917 (what is told)
    connection: "Connection",
    settings: "Settings",
    erasure: str,
    held: Held,
    against: Sequence[Obstacle],
    step: Mapping[str, Any],
) -> Answered:
    """Tell the customer, and write it down."""
    day = review_on(against, step["at"])
    data = {"against": [one.model_dump(mode="json") for one in against], "review_on": day.isoformat()}
    row = await connection.fetchrow(_WHO, held.account, list(held.cases))
    if row and not isinstance(row["name"], Gone):
        who = {**row, "email": ours(row["email"], row["scope"])}
        await _write(settings, erasure, who, against, day, step["at"])
    await write_step(connection, erasure, "refused", data=data, **step)
    return Answered(erasure=erasure, step="refused", against=tuple(against), review_on=day)


async def _write(  # noqa: PLR0917 (what is told)
    settings: "Settings", erasure: str, who: Any, against: Sequence[Obstacle], day: date, at: datetime
) -> None:
    words = read_toml(TEMPLATES / who["language"] / "privacy.toml")
    told = dict.fromkeys(
        "- " + words["against"][one.why.value].format(day=f"{one.until:%Y-%m-%d}" if one.until else "")
        for one in against
    )
    parts = (
        words["greeting"].format(name=who["name"]),
        words["opening"],
        "\n".join(told),
        words["closing"].format(day=day.isoformat()),
        words["sign_off"].format(firm=settings.firm.in_language(who["language"])),
    )
    key = refusal_of(erasure)
    identity = message_id(key, settings.mail_from)
    message = compose(
        settings, identity=identity, thread=identity, recipient=who["email"], subject=words["subject"],
        body="\n\n".join(parts) + "\n", language=who["language"], at=at,
    )  # fmt: skip
    mailed = settings.smtp_host and who["email"]
    await (Mailer(settings) if mailed else Outbox(settings.outbox_dir)).deliver(key, message)


def _requested(erasure: str, steps: Mapping[str, Mapping[str, Any]]) -> RequestErasure:
    asked = steps.get("requested")
    if asked is None:
        raise ErasureNotFound(f"there is no erasure {erasure} that somebody asked for; `redress erase list` shows them")
    return RequestErasure.model_validate({**asked["data"], "reason": asked["reason"]})


def _signed(settings: "Settings", reference: str, message: RequestErasure | DecideErasure | Hold) -> str | None:
    """The token of who says it, checked as any other. None where anybody may act, as the settings say in words."""
    voice = TokenIssuer.voice(settings)
    token = voice(reference, message) if voice else None
    if verifier := _verifier(settings):
        verifier.check(token, reference, message)
    return token


def _proven(settings: "Settings", reference: str, message: RequestErasure, token: str | None) -> None:
    """Raises `NotProven` unless who asked signed it."""
    if verifier := _verifier(settings):
        verifier.check_recorded(token, reference, message)


def _verifier(settings: "Settings") -> Verifier | None:
    return Verifier.here(settings) or Verifier.of(settings)


_LOCK: Final = "select from casefile.cases where reference = any($1::text[]) order by reference for no key update"
_WHO: Final = """
    select scope, name, email, language from (
        (select 'customer:' || account as scope, name, email, language, 1 as rank
         from casefile.customers where account = $1 order by id desc limit 1)
        union all
        (select reference, n.name, n.email, c.language, 2
         from casefile.cases c join casefile.contacts n using (reference)
         where c.reference = any($2::text[]) order by c.received_at desc, n.id desc limit 1)
    ) as known order by rank limit 1
"""
_HOLD: Final = """
    insert into casefile.holds (subject, placed, reason, at, by, message_id, token) values ($1, $2, $3, $4, $5, $6, $7)
"""
_HIDDEN: Final = "select casefile.hidden_cases() as subject union select casefile.hidden_accounts()"
