"""The typed client of contact restrictions: proposed with reasons, decided high up, kept or lifted."""

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from domain.clocks.reckoning import reach
from domain.ground.messages import NotAllowed
from domain.ground.people import Actor
from domain.ground.words import ContactForm
from domain.keys.personal import Row
from domain.keys.scopes import scope_of_customer
from domain.people.directory import untrained
from domain.people.restrictions import (
    Restriction,
    RestrictionChange,
    RestrictionStep,
    check_proposed,
    check_step,
)
from domain.rules.duties import ContactRestrictions
from domain.rules.policy import PolicyPack
from record.directory import read_directory
from record.proofs import signed
from record.restrictions import read_restrictions, restrictions_of
from starter.client.complaints import CaseNotFound

if TYPE_CHECKING:
    from runtime.database import Connection, Pool
    from runtime.identity.speaking import TokenFor


class Restrictions:
    """Contact restrictions in the record, over a pool of connections. Safe to share between tasks."""

    def __init__(self, pool: "Pool", token_for: "TokenFor | None" = None) -> None:
        """*token_for* makes the token of what is said: workers go by what is proven, unless anybody may act."""
        self._pool = pool
        self._token_for = token_for

    async def show(self, account: str | None = None) -> dict[str, list[Restriction]]:
        """All restrictions by account, or those of one; without what came of a case that is hidden from who looks.

        In place of an account the reference of a case may be given, which is then that of its customer.
        """
        async with self._pool.acquire() as connection:
            account = await connection.fetchval(_ACCOUNT, account) or account
            found = await restrictions_of(connection, account)
            hidden = {row["reference"] for row in await connection.fetch(_HIDDEN)}
        shown = {of: [one for one in each if one.reference not in hidden] for of, each in found.items()}
        return {of: each for of, each in shown.items() if each}

    async def propose(
        self,
        reference: str,
        form: ContactForm,
        reasons: str,
        *,
        until: datetime,
        by: Actor,
        contact: str | None = None,
        at: datetime | None = None,
    ) -> Restriction:
        """Propose a restriction for the customer of the account of that case. It holds once it is approved.

        Raises ``CaseNotFound`` or :class:`NotAllowed`.
        """
        at = at or datetime.now(UTC)
        async with self._pool.acquire() as connection, connection.transaction():
            account, pack = await self._case(connection, reference, by, at)
            rule = _rule(pack)
            check_proposed(form, contact, until, at, reach(pack.calendar, at, rule.longest))
            number = len(await read_restrictions(connection, account)) + 1
            change = RestrictionChange(
                number=number,
                step=RestrictionStep.PROPOSED,
                by=by,
                at=at,
                form=form,
                until=until,
                reference=reference,
                contact=contact,
                reasons=reasons,
                message_id=str(uuid.uuid4()),
            )
            return await self._write(connection, account, change)

    async def decide(
        self,
        account: str,
        number: int,
        step: RestrictionStep,
        reasons: str,
        *,
        by: Actor,
        at: datetime | None = None,
    ) -> Restriction:
        """Approve, return, keep or lift restriction *number* of an account. Raises :class:`NotAllowed`."""
        at = at or datetime.now(UTC)
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_LOCK, account)
            known = {one.number: one for one in await read_restrictions(connection, account)}.get(number)
            if known is None:
                check_step(None, step, by, at, ())
                raise AssertionError
            try:
                _, pack = await self._case(connection, known.reference, by, at)
            except CaseNotFound:
                check_step(None, step, by, at, ())
                raise
            rule = _rule(pack)
            check_step(known, step, by, at, rule.approval)
            goes_on = step in {RestrictionStep.APPROVED, RestrictionStep.KEPT}
            change = RestrictionChange(
                number=number,
                step=step,
                by=by,
                at=at,
                form=known.form,
                until=known.until,
                reference=known.reference,
                contact=known.contact,
                review_by=reach(pack.calendar, at, rule.review) if goes_on else None,
                reasons=reasons,
                message_id=str(uuid.uuid4()),
            )
            return await self._write(connection, account, change)

    async def _write(self, connection: "Connection", account: str, change: RestrictionChange) -> Restriction:
        token = signed(self._token_for, change.reference, change.message)
        step = Row("casefile.restrictions", scope_of_customer(account), f"{account}/{change.number}/{change.step}")
        reasons = step("reasons", {"text": change.reasons})
        row = (change.number, change.step, str(change.by), change.at, change.form, change.contact, change.until)
        said = (change.review_by, change.reference, reasons, change.message_id, token)
        await connection.execute(_WRITE, account, *row, *said)
        return next(one for one in await read_restrictions(connection, account) if one.number == change.number)

    async def _case(self, connection: "Connection", reference: str, by: Actor, at: datetime) -> tuple[str, PolicyPack]:
        """The account and the rules of the case that a restriction comes of, for somebody who may act on it."""
        if not by.role.is_staff:
            raise NotAllowed(f"actor: role {by.role.value} may not restrict contact; staff may")
        case = await connection.fetchrow(_CASE, reference, by.person, at)
        if case is None:
            raise CaseNotFound(f"there is no case {reference}")
        if case["account"] is None:
            raise NotAllowed("reference: the case names no account, so nobody is known whom a restriction would be for")
        pack = PolicyPack.model_validate(case["content"])
        lacking = (await read_directory(connection)).lacking(by.id, pack.courses(by.role), at.date())
        if lacking:
            raise NotAllowed(f"actor: {untrained(by.id, by.role, lacking)}")
        await connection.execute(_LOCK, case["account"])
        return case["account"], pack


def _rule(pack: PolicyPack) -> ContactRestrictions:
    if pack.contact_restrictions is None:
        raise NotAllowed(f"policy pack {pack.id} knows no contact restrictions (contact_restrictions)")
    return pack.contact_restrictions


_LOCK: Final = "select pg_advisory_xact_lock(hashtextextended('restrictions:' || $1, 0))"
_ACCOUNT: Final = "select account from casefile.cases where reference = $1 and not casefile.hidden(reference)"
_HIDDEN: Final = "select casefile.hidden_cases() as reference"
_CASE: Final = """
    select account, content from casefile.cases join casefile.policy_packs on hash = policy_hash
    where reference = $1 and not casefile.hidden(reference) and not casefile.is_kept_out(reference, $2, $3)
"""
_WRITE: Final = """
    insert into casefile.restrictions
        (account, number, step, by, at, form, contact, until, review_by, reference, reasons, message_id,
            token)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
"""
