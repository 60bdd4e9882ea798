"""Customers, found by account, name or address: who holds the account, and every case of theirs."""

from typing import TYPE_CHECKING, Final

from domain.ground.base import Instant, Record
from domain.ground.words import Category, Outcome, Stage

if TYPE_CHECKING:
    from runtime.database import Pool


class Holder(Record):
    """Who holds an account, as the firm's own records have it, and since when this service knows."""

    name: str
    email: str | None
    phone: str | None
    language: str
    recorded_at: Instant


class CustomerCase(Record):
    """A case of a customer, and who complained in it, as letters reach them now."""

    reference: str
    received_at: Instant
    stage: Stage
    category: Category | None
    outcome: Outcome | None
    handler: str | None
    name: str
    email: str | None
    phone: str | None


class FoundCustomer(Record):
    """A customer: by account, or where a complaint named none by the address of who complained.

    ``cases`` are all of theirs, the last received first, but for those that are hidden from who looks.
    """

    account: str | None
    holder: Holder | None
    cases: tuple[CustomerCase, ...]


async def find_customers(pool: "Pool", wanted: str, *, limit: int = 20) -> list[FoundCustomer]:
    """The customers whom *wanted* names: an account, an e-mail address, a telephone number, or a part of a name.

    Letter case makes no difference, nor what stands between the digits of a number. Of an account that has no case a
    customer is found by the firm's records.
    """
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        text = " ".join(wanted.split())
        like = "%" + text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
        digits = "".join(letter for letter in text if letter.isdigit())
        phone = digits if len(digits) > 4 and not any(letter.isalpha() for letter in text) else None
        asked = (text, like, phone)
        accounts = [row["account"] for row in await connection.fetch(_HELD, *asked, limit)]
        rows = await connection.fetch(_CASES, *asked, accounts)
        accounts = sorted({*accounts, *(row["account"] for row in rows if row["account"])})
        rows = await connection.fetch(_ALL_CASES, accounts, [row["reference"] for row in rows])
        holders = {row["account"]: row for row in await connection.fetch(_HOLDERS, accounts)}
    cases: dict[tuple[str | None, str | None], list[CustomerCase]] = {(account, None): [] for account in accounts}
    for row in rows:
        address = (row["email"] or row["name"]).casefold()
        one = CustomerCase(**{name: row[name] for name in CustomerCase.model_fields})
        cases.setdefault((row["account"], None if row["account"] else address), []).append(one)
    found = [
        FoundCustomer(
            account=account,
            holder=Holder(**{name: holders[account][name] for name in Holder.model_fields})
            if account in holders
            else None,
            cases=tuple(theirs),
        )
        for (account, _), theirs in cases.items()
    ]
    return [one for one in found if one.holder or one.cases][:limit]


_NEWEST: Final = """
    select distinct on (account) account, name, email, phone, language, recorded_at from casefile.customers
"""
_MATCHES: Final = """
    (account = $1 or lower(email) = lower($1) or name ilike $2
        or ($3::text is not null and regexp_replace(phone, '[^0-9]', '', 'g') like '%' || $3))
"""
_HELD: Final = f"""
    select account from ({_NEWEST} order by account, id desc) newest where {_MATCHES} order by account limit $4
"""  # noqa: S608 (nothing from outside)
_THEIRS: Final = """
    select c.reference, c.account, c.received_at, c.stage, c.category, c.outcome, c.handler, n.name, n.email, n.phone
    from casefile.cases c join lateral (
        select name, email, phone from casefile.contacts where contacts.reference = c.reference order by id desc limit 1
    ) n on true
    where not casefile.hidden(c.reference)
"""
_CASES: Final = f"""
    select * from ({_THEIRS}) theirs where {_MATCHES} or account = any($4) order by received_at desc, reference
"""  # noqa: S608 (nothing from outside)
_ALL_CASES: Final = f"""
    select * from ({_THEIRS}) theirs where account = any($1) or reference = any($2)
    order by received_at desc, reference
"""  # noqa: S608 (nothing from outside)
_HOLDERS: Final = f"""
    {_NEWEST} where account = any($1) order by account, id desc
"""
