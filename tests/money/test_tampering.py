"""Whatever a superuser does to a posting or an entry of it, `ledger check` reads all of them and names that one."""

from itertools import product

import pytest

from domain.ground.words import PaymentReason, PaymentState
from starter.reading.ledger import check_ledger
from tests.importing.support import Pool
from tests.money.rail import open_rail
from tests.money.test_settling import owing, paying, report, request

KEYS = {"postings": "key", "ledger_entries": "posting_key"}
COLUMNS = {
    "postings": [
        *("key", "reference", "number", "amount", "currency", "posted_at", "kind", "rail", "incident", "account"),
        "decision",
    ],
    "ledger_entries": ["posting_key", "account", "amount", "currency"],
}
OTHERS = {
    "amount": ("null", "0", "-amount", "amount + 0.01", "'NaN'", "'Infinity'", "'-Infinity'", "1e30"),
    "number": ("null", "-1"),
    "posted_at": ("null", "'infinity'", "'1970-01-01Z'"),
    "kind": ("null", "'x'", "'award'", "'payment'", "'reversal'"),
}
"""Other values of a column; of the others these."""
TEXTS = ("null", "'x'", "E'\\x01'")


@pytest.fixture
async def settled(pool: Pool) -> list[str]:
    """The postings of a case that was awarded USD 812.50, paid and had it come back; another case is beside it.

    Nothing holds the rows to anything: neither constraints nor triggers.
    """
    async with open_rail() as rail:
        reference = await owing(pool)
        await owing(pool, "2")
        payments = paying(pool, rail)
        await payments.pay_compensation(request(reference))
        back = report(reference, PaymentState.REVERSED, number=30, cause=PaymentReason.ACCOUNT_CLOSED)
        await payments.book_payment(back)
    for table in KEYS:
        await pool.execute(f"alter table casefile.{table} rename to kept_{table}")
        await pool.execute(f"create table casefile.{table} as table casefile.kept_{table}")
    assert (await check_ledger(pool)).faults == ()
    keys = await pool.fetch("select key from casefile.postings where reference = $1 order by number", reference)
    return [row["key"] for row in keys]


async def faults_of(pool: Pool, statement: str, key: str) -> list[str]:
    """What the check says after *statement*, which is taken back, of the posting that it changed, and of others."""
    changed = await pool.execute(statement, key)
    faults = (await check_ledger(pool)).faults
    for table in KEYS:
        await pool.execute(f"delete from casefile.{table}")  # noqa: S608
        await pool.execute(f"insert into casefile.{table} table casefile.kept_{table}")
    return [fault.problem for fault in faults] if not changed.endswith(" 0") else [key]


def words(told: list[str]) -> set[str]:
    return {word for problem in told for word in problem.split()}


# The tables are others afterwards and the database is no use to the next test: all columns in one, then.
async def test_a_value_that_was_rewritten_is_told_with_its_posting(pool: Pool, settled: list[str]) -> None:
    columns = [(table, name) for table, names in COLUMNS.items() for name in names]
    for (table, column), key in product(columns, settled):
        for value in OTHERS.get(column, TEXTS):
            change = f'update casefile.{table} set "{column}" = {value} where {KEYS[table]} = $1'  # noqa: S608
            told = await faults_of(pool, f'{change} and "{column}" is distinct from {value}', key)
            assert key in words(told), (change, told)


async def test_what_was_removed_doubled_or_added_is_told(pool: Pool, settled: list[str]) -> None:
    for table, key in product(KEYS, settled):
        names = ", ".join(name for name in COLUMNS[table] if name != KEYS[table])
        of = f"from casefile.{table} where {KEYS[table]} = $1"
        for change in (
            f"delete {of}",
            f"delete from casefile.{table} where ctid = (select min(ctid) {of})",  # noqa: S608
            f"insert into casefile.{table} select * {of}",
        ):
            told = await faults_of(pool, change, key)
            assert key in words(told), (change, told)
        added = f"insert into casefile.{table} ({KEYS[table]}, {names}) select $1 || '0', {names} {of}"
        assert f"{key}0" in words(await faults_of(pool, added, key))


async def test_a_ledger_that_was_emptied_tells_of_every_posting(pool: Pool, settled: list[str]) -> None:
    told = await faults_of(pool, "delete from casefile.ledger_entries where $1 <> ''", "all")
    assert len(told) == len(settled) + 1
    told = await faults_of(pool, "delete from casefile.postings where $1 <> ''", "all")
    assert words(told) >= set(settled)
