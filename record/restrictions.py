"""Contact restrictions, as the record has them."""

import contextlib
from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Final

from domain.ground.people import Actor
from domain.ground.words import Role
from domain.keys.personal import Gone
from domain.people.restrictions import Restriction, RestrictionChange, founded, in_force, standing
from record.packs import pinned_pack
from record.proofs import proofs_here

if TYPE_CHECKING:
    from record.connection import Connection


async def read_restrictions(connection: "Connection", account: str | None) -> list[Restriction]:
    """The restrictions of an account, by number."""
    return (await restrictions_of(connection, account)).get(account, []) if account else []


async def restrictions_of(connection: "Connection", of: str | None = None) -> dict[str, list[Restriction]]:
    """The restrictions by account: of one, or of all; without what is not proven, where signatures count."""
    changes = await _changes(connection, of)
    if changes and (proofs := proofs_here()):
        approval = await _approval(connection, {one.reference for each in changes.values() for one in each})
        changes = {account: founded(each, proofs, approval) for account, each in changes.items()}
    return {account: standing(each) for account, each in changes.items()}


async def _changes(connection: "Connection", of: str | None) -> dict[str, list[RestrictionChange]]:
    changes: dict[str, list[RestrictionChange]] = {}
    for row in await connection.fetch(_CHANGES, of):
        said = dict(row)
        account, reasons = said.pop("account"), said.pop("reasons")
        told = "erased" if isinstance(reasons, Gone) else reasons.get("text", "erased")
        change = RestrictionChange(**said | {"by": Actor.named(said["by"]), "reasons": told})
        changes.setdefault(account, []).append(change)
    return changes


async def _approval(connection: "Connection", references: Collection[str]) -> dict[str, tuple[Role, ...]]:
    """The roles that approve restrictions, by case."""
    roles = {}
    for row in await connection.fetch(_PACKS, list(references)):
        with contextlib.suppress(LookupError):  # by a pack that somebody made up nobody approves anything
            if rule := (await pinned_pack(connection, row["policy_hash"])).contact_restrictions:
                roles[row["reference"]] = tuple(rule.approval)
    return roles


async def restrictions_in_case(connection: "Connection", reference: str, at: datetime) -> list[Restriction]:
    """Those in force *at* that moment for the account of a case."""
    account = await connection.fetchval(_ACCOUNT, reference)
    return in_force(await read_restrictions(connection, account), at)


_ACCOUNT: Final = "select account from casefile.cases where reference = $1"
_PACKS: Final = """
    select reference, policy_hash from casefile.cases where reference = any($1)
"""
_CHANGES: Final = """
    select account, number, step, by, at, form, contact, until, review_by, reference, reasons,
        message_id, token
    from casefile.restrictions where $1::text is null or account = $1 order by account, id
"""
