"""A customer is found by account, name or address, with every case, and nothing that is hidden from who looks."""

from typing import TYPE_CHECKING

import asyncpg
import pytest

from runtime.database import open_pool
from starter.client.customers import Customers, CustomersFile, FiledCustomer
from starter.client.directory import People
from starter.client.holders import Holder, add_holder
from starter.reading.customers import find_customers
from tests.case.support import OPENED_AT, keeping, opened
from tests.people.support import LEAD, directory, person
from tests.signing import signed

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]

CHAN = {"name": "陈大文", "email": "Chan@Example.com", "phone": "+852 5555-0100"}


@pytest.fixture
async def known(pool: "Pool") -> "Pool":
    """Chan has two cases and an account, somebody else a case without one, and a holder has never complained."""
    people = directory(person("h-1", names=["Jane Doe"]), person("h-2"))
    await People(pool, signed).replace(people, by=LEAD, at=OPENED_AT)
    case_file = keeping(pool)
    await opened(case_file, "1", complainant=CHAN, account="A-1")
    await opened(case_file, "2", complainant=CHAN, account="A-1", description="Jane Doe gave me a wrong price.")
    other = {"name": "100% Trading_Co", "email": "other@example.com"}
    await opened(case_file, "3", complainant=other, account=None)
    async with pool.acquire() as connection:
        for holder in (
            Holder("A-1", "Old Name", None, None, "en"),
            Holder("A-1", "Chan Tai Man", None, None, "zh-CN"),
            Holder("A-2", "Silent Holder", "silent@example.com", None, "en"),
        ):
            await add_holder(connection, holder)
    return pool


@pytest.mark.parametrize(
    "wanted", ["A-1", "chan@example.com", "陈大文", "大文", "chan tai", "+852 5555 0100", "5555-0100"]
)
async def test_every_way_leads_to_the_same_customer_with_all_their_cases(known: "Pool", wanted: str) -> None:
    (found,) = await find_customers(known, wanted)
    assert found.account == "A-1"
    assert found.holder is not None
    assert (found.holder.name, found.holder.language) == ("Chan Tai Man", "zh-CN")
    assert len(found.cases) == 2


@pytest.mark.parametrize(
    ("wanted", "count"), [("Old Name", 0), ("A-", 0), ("%", 0), ("g_C", 0), ("s_lent", 0), ("100% trading", 1)]
)
async def test_what_was_is_not_found_and_marks_stand_for_themselves(known: "Pool", wanted: str, count: int) -> None:
    assert len(await find_customers(known, wanted)) == count


async def test_who_never_complained_and_who_has_no_account_are_found_too(known: "Pool") -> None:
    (silent,) = await find_customers(known, "silent holder")
    assert (silent.account, silent.cases) == ("A-2", ())
    (other,) = await find_customers(known, "OTHER@example.com")
    assert (other.account, other.holder, len(other.cases)) == (None, None, 1)


async def test_a_further_verified_address_leads_to_the_customer_as_long_as_it_is_on_file(known: "Pool") -> None:
    how = {"how": "a code that came back", "at": OPENED_AT}
    addresses: list[dict[str, object]] = [
        {"email": "Second@example.org", **how},
        {"phone": "+44 20 7946 0001", **how},
        {"email": "no@example.org"},
    ]
    people = Customers(known, signed)

    async def keep(kept: list[dict[str, object]]) -> None:
        one = FiledCustomer.model_validate({"account": "A-2", "addresses": kept})
        await people.replace(CustomersFile(customers=(one,)), by=LEAD)

    await keep(addresses)
    for wanted in ("second@example.org", "7946 0001"):
        (found,) = await find_customers(known, wanted)
        assert (found.account, found.holder and found.holder.name) == ("A-2", "Silent Holder")
    assert not await find_customers(known, "no@example.org")
    await keep([])
    assert not await find_customers(known, "second@example.org")


async def test_a_case_that_is_hidden_from_who_looks_is_neither_found_nor_counted(
    known: "Pool", database_url: str
) -> None:
    for viewer, count in (("h-1", 1), ("h-2", 2)):
        pool = await open_pool(database_url, viewer=viewer)
        try:
            (found,) = await find_customers(pool, "A-1")
        finally:
            await pool.close()
        assert len(found.cases) == count
