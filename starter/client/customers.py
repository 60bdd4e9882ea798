"""The typed client of the customers on file: read them, replace what is kept of them, record who may speak for them."""

import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field

from domain.ground.base import Line, Record
from domain.ground.people import Actor, Language
from domain.keys.personal import Row, ours
from domain.keys.scopes import scope_of_customer, scope_of_group
from domain.people.customers import CustomerFile, Group, KeepOnFile, OnFile, Speaker
from record.customers import read_customer_file, read_groups, read_on_file
from record.proofs import signed
from runtime.toml_files import read_toml, to_record
from starter.client.directory import packs_in_force
from starter.client.holders import Holder, add_holder, have_found_by

if TYPE_CHECKING:
    from runtime.database import Connection, Pool
    from runtime.identity.speaking import TokenFor


class CustomerUnknown(LookupError):
    """Nobody is on file for the account. The message says how to put somebody there."""


class FiledCustomer(CustomerFile):
    """A customer in a file: with ``name`` (and ``language``) of who holds the account, where that is new or changed."""

    name: Line | None = None
    language: Language | None = None


class CustomersFile(Record):
    """The content of a file of customers. What is kept of an account or a group is replaced as a whole."""

    customers: Annotated[tuple[FiledCustomer, ...], Field(max_length=100_000)] = ()
    groups: Annotated[tuple[Group, ...], Field(max_length=10_000)] = ()


class FileChange(Record):
    """What an import changes: of which account or group, and whether it was there before."""

    kind: Literal["customer", "group", "holder"]
    id: str
    what: Literal["added", "changed"]


class Customer(Record):
    """A customer as they are on file: who holds the account, how they are reached, who speaks for them."""

    on_file: OnFile
    groups: tuple[Group, ...]


def read_customers_file(path: Path) -> CustomersFile:
    """The customers in the TOML file *path*. Raises ``TomlFileError`` naming the fields that do not fit."""
    return to_record(path, read_toml(path), CustomersFile)


def too_many_spokespersons(content: CustomersFile, now: datetime) -> list[str]:
    """The groups of *content* that name more spokespersons than some policy pack in force lets speak."""
    most = min((pack.spokespersons for pack in packs_in_force(now)), default=0)
    return [
        f"groups[{group.id}].spokespersons: {len(group.spokespersons)} are named; the first {most} may speak"
        for group in content.groups
        if len(group.spokespersons) > most
    ]


class Customers:
    """The customers in the record, over a pool of connections. Safe to share between tasks."""

    def __init__(self, pool: "Pool", token_for: "TokenFor | None" = None) -> None:
        """*token_for* makes the token of what is said: the service goes by what is proven, unless anybody may act."""
        self._pool = pool
        self._token_for = token_for

    async def show(self, account: str) -> Customer | None:
        """The customer of an account; ``None`` where nobody is on file for it."""
        async with self._pool.acquire() as connection:
            on_file = await read_on_file(connection, account)
            if on_file is None:
                return None
            return Customer(on_file=on_file, groups=tuple(await read_groups(connection, account)))

    async def replace(self, content: CustomersFile, *, by: Actor, dry_run: bool = False) -> list[FileChange]:
        """Keep of each account and group in *content* what stands there. Repeated, it changes nothing.

        Returns what is different afterwards. Raises :class:`CustomerUnknown` where nobody is on file for an account and
        the file gives no name.
        """
        changes: list[FileChange] = []
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_LOCK)
            for one in content.customers:
                changes += await _keep_holder(connection, one, dry_run=dry_run)
                kept = CustomerFile.model_validate(one.model_dump(exclude={"name", "language"}))
                known = await read_customer_file(connection, one.account)
                if kept != known:
                    new = known == CustomerFile(account=one.account)
                    changes.append(FileChange(kind="customer", id=one.account, what="added" if new else "changed"))
                    if not dry_run:
                        await self._write(connection, "customer", one.account, [one.account], kept, by)
            groups = {group.id: group for group in await read_groups(connection)}
            for group in content.groups:
                if groups.get(group.id) != group:
                    what: Literal["added", "changed"] = "changed" if group.id in groups else "added"
                    changes.append(FileChange(kind="group", id=group.id, what=what))
                    if not dry_run:
                        await self._write(connection, "group", group.id, list(group.accounts), group, by)
        return changes

    async def authorise(self, account: str, speaker: Speaker, *, by: Actor) -> CustomerFile:
        """Record that *speaker* may speak for the customer of *account*; one of the same name is replaced.

        Raises :class:`CustomerUnknown` where nobody is on file for the account.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_LOCK)
            if await read_on_file(connection, account) is None:
                raise CustomerUnknown(_unknown(account))
            known = await read_customer_file(connection, account)
            others = tuple(one for one in known.representatives if one.name != speaker.name)
            kept = known.model_copy(update={"representatives": (*others, speaker)})
            await self._write(connection, "customer", account, [account], kept, by)
            return kept

    async def _write(  # noqa: PLR0917 (one row)
        self,
        connection: "Connection",
        kind: Literal["customer", "group"],
        subject: str,
        accounts: list[str],
        record: CustomerFile | Group,
        by: Actor,
    ) -> None:
        """Raises :class:`~domain.ground.messages.NotAllowed` where who says it is not proven."""
        content: dict[str, Any] = record.model_dump(mode="json", exclude_defaults=True)
        scope = scope_of_customer(subject) if kind == "customer" else scope_of_group(subject)
        said = KeepOnFile(message_id=str(uuid.uuid4()), actor=by, kind=kind, record=content)
        proof = (said.message_id, signed(self._token_for, subject, said))
        record_of = Row("casefile.customer_files", scope, f"{kind}/{subject}")
        row = (accounts, record_of("record", content), datetime.now(UTC), str(by), *proof)
        await connection.execute(_WRITE, kind, subject, *row)
        if isinstance(record, CustomerFile):
            await have_found_by(connection, subject, record.addresses)


async def _keep_holder(connection: "Connection", one: FiledCustomer, *, dry_run: bool) -> list[FileChange]:
    """Have the file's name be that of who holds the account."""
    known = await connection.fetchrow(_HOLDER, one.account)
    name = one.name or (known["name"] if known else None)
    if name is None:
        raise CustomerUnknown(_unknown(one.account))
    language = one.language or (known["language"] if known else "en")
    if known and (known["name"], known["language"]) == (name, language):
        return []
    if not dry_run:
        scope = scope_of_customer(one.account)
        email, phone = (ours(known["email"], scope), ours(known["phone"], scope)) if known else (None, None)
        await add_holder(connection, Holder(one.account, name, email, phone, language))
    return [FileChange(kind="holder", id=one.account, what="changed" if known else "added")]


def _unknown(account: str) -> str:
    return f"account {account}: nobody is on file for it; give name, or load the firm's customers first"


_LOCK: Final = "select pg_advisory_xact_lock(hashtextextended('customers', 0))"
_HOLDER: Final = """
    select name, email, phone, language from casefile.customers where account = $1 order by id desc limit 1
"""
_WRITE: Final = """
    insert into casefile.customer_files (kind, subject, accounts, record, recorded_at, recorded_by, message_id, token)
    values ($1, $2, $3, $4, $5, $6, $7, $8)
"""
