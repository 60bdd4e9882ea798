"""Who works here, who may speak for a customer, what is held: it stands only where it is proven who said it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from domain.ground.messages import Message, NotAllowed
from domain.ground.words import Role
from domain.keys.erasure import Hold
from domain.keys.personal import Row
from domain.keys.scopes import ACCESSES, scope_of_customer
from domain.people.actors import Vouched
from domain.people.customers import KeepOnFile
from domain.people.directory import ChangeDirectory
from record.erasing import standing_holds
from record.proofs import hold_proofs, proofs_here
from runtime.identity.verifying import Verifier
from runtime.settings import load_settings
from starter.client.customers import Customers, CustomersFile
from starter.client.directory import People
from starter.upkeep.erasing import hold
from tests.people.support import LEAD, NOW, directory, person
from tests.signing import signed

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]

ACCOUNT = "70012345"
MINE = {"name": "Law Office", "authority": "power of attorney", "email": "office@example.com", "first": "2026-01-01"}
THEIRS = MINE | {"name": "A Thief", "email": "thief@example.com"}


@pytest.fixture(autouse=True)
def signatures_count() -> Iterator[None]:
    before = proofs_here()
    hold_proofs(Verifier.of(load_settings()))
    yield
    hold_proofs(before)


def forgeries(message: Any, of: str, other: Any, elsewhere: str) -> list[tuple[str, str | None]]:
    """Message ids and tokens by which *message* of *of* is not proven: none, of another content, for somebody else."""
    return [("m-0", None), ("m-1", signed(of, other)), ("m-2", signed(elsewhere, message)), ("m-3", "no token")]


async def test_only_what_a_token_proves_stands_in_the_directory_and_what_stood_before_goes_on_standing(
    pool: "Pool",
) -> None:
    with pytest.raises(NotAllowed, match="actor: no token says who sends this"):
        await People(pool).replace(directory(person("h-1")), by=LEAD)
    people = People(pool, signed)
    await people.replace(directory(person("h-1")), by=LEAD)
    stood = (await people.directory()).people
    promoted = person("h-1", "executive")
    said = ChangeDirectory(message_id="m-1", actor=LEAD, kind="person", record=promoted)
    other = said.model_copy(update={"record": person("h-1")})
    insert = """
        insert into casefile.directory (kind, id, record, recorded_at, recorded_by, message_id, token)
        values ('person', 'h-1', $1, $2, $3, $4, $5)
    """
    for message_id, token in forgeries(said.model_copy(update={"message_id": "m-2"}), "h-1", other, "h-2"):
        await pool.execute(insert, promoted, NOW, str(LEAD), message_id, token)
        assert (await people.directory()).people == stood, message_id
    used = await pool.fetchrow("select message_id, token from casefile.directory order by version limit 1")
    assert used
    with pytest.raises(asyncpg.UniqueViolationError):  # what was said once is not said again
        await pool.execute(insert, None, NOW, str(LEAD), used["message_id"], used["token"])
    proven = said.model_copy(update={"message_id": "m-9"})
    await pool.execute(insert, promoted, NOW, str(LEAD), "m-9", signed("h-1", proven))
    assert (await people.directory()).people != stood


async def test_each_row_is_proven_once_and_again_as_soon_as_other_signatures_count(
    pool: "Pool", monkeypatch: pytest.MonkeyPatch
) -> None:
    proven: list[str] = []

    class Counting(Verifier):
        def check_recorded(self, token: str | None, reference: str, message: Message) -> Vouched:
            proven.append(reference)
            return super().check_recorded(token, reference, message)

    monkeypatch.setattr(Counting, "as_of", 1)
    hold_proofs(Counting.of(load_settings()))
    people, staff = People(pool, signed), [person(f"h-{number}") for number in range(5)]
    await people.replace(directory(*staff), by=LEAD)
    proven.clear()
    whole = await people.directory()
    assert await people.directory() == whole
    assert sorted(proven) == sorted([*(one.id for one in whole.people), *(one.name for one in whole.teams)])
    await people.replace(directory(*staff[1:], person("h-0", "executive")), by=LEAD)
    proven.clear()
    assert [one.id for one in (await people.directory()).holders(Role.EXECUTIVE)] == ["h-0"]
    assert proven == ["h-0"]
    assert await people.directory(whole.version) == whole
    assert proven == ["h-0"]
    monkeypatch.setattr(Counting, "as_of", 2)
    assert len((await people.directory()).people) == 5
    assert len(proven) == 1 + 5 + len(whole.teams)


async def test_nobody_speaks_for_a_customer_whom_no_proven_word_authorised(pool: "Pool") -> None:
    def file(*speakers: dict[str, Any]) -> dict[str, Any]:
        return {"account": ACCOUNT, "name": "Chen Wei", "representatives": speakers}

    content = CustomersFile.model_validate({"customers": [file(MINE)]})
    with pytest.raises(NotAllowed, match="actor: no token says who sends this"):
        await Customers(pool).replace(content, by=LEAD)
    customers = Customers(pool, signed)
    await customers.replace(content, by=LEAD)
    record = {"account": ACCOUNT, "representatives": [THEIRS]}
    said = KeepOnFile(message_id="m-2", actor=LEAD, kind="customer", record=record)
    other = said.model_copy(update={"message_id": "m-1", "record": {"account": ACCOUNT}})
    for message_id, token in forgeries(said, ACCOUNT, other, "70012346"):
        row = Row("casefile.customer_files", scope_of_customer(ACCOUNT), f"customer/{ACCOUNT}")
        await pool.execute(
            "insert into casefile.customer_files (kind, subject, accounts, record, recorded_by, message_id, token)"
            " values ('customer', $1, $2, $3, $4, $5, $6)",
            *(ACCOUNT, [ACCOUNT], row("record", record), str(LEAD), message_id, token),
        )
        shown = await customers.show(ACCOUNT)
        assert shown
        assert [one.name for one in shown.on_file.representatives] == ["Law Office"], message_id


async def test_nothing_is_held_or_let_go_by_whom_nobody_knows(pool: "Pool") -> None:
    await hold(pool, load_settings(), ACCOUNT, LEAD, "A court asks.", placed=True)
    for subject, placed in ((ACCOUNT, False), ("70012346", True)):
        said = Hold(message_id="m-2", actor=LEAD, placed=placed, reason="So be it.")
        other = said.model_copy(update={"message_id": "m-1", "placed": not placed})
        for number, (message_id, token) in enumerate(forgeries(said, subject, other, "70099999")):
            reason = Row("casefile.holds", ACCESSES, subject)("reason", said.reason)
            await pool.execute(
                "insert into casefile.holds (subject, placed, reason, at, by, message_id, token)"
                " values ($1, $2, $3, $4, $5, $6, $7)",
                *(subject, placed, reason, NOW + timedelta(number), str(LEAD)),
                *(message_id if placed else f"{message_id}-{subject}", token),
            )
            async with pool.acquire() as connection:
                assert {one["subject"] for one in await standing_holds(connection)} == {ACCOUNT}, message_id
    await hold(pool, load_settings(), ACCOUNT, LEAD, "It is over.", placed=False)
    async with pool.acquire() as connection:
        assert await standing_holds(connection) == []
