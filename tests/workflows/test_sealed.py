"""After a life that was full of personal data, neither Temporal nor the case file has any of it in the clear."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.contrib.pydantic import pydantic_data_converter

from domain.ground.reference import reference_for
from domain.ground.words import WORKFLOW, Stage
from domain.incidents.incident import WORKFLOW as INCIDENT
from domain.keys.places import SEALED
from starter.client.complaints import Complaints
from starter.client.conversation import Refused
from tests.incidents.minute import new
from tests.patience import PATIENCE
from tests.scanning import forms, unsealed
from tests.signing import signing
from tests.workflows.conftest import open_house
from tests.workflows.erased import ACCOUNT, once_erased_it_still_counts_and_verifies
from tests.workflows.house import CUSTOMER, House

NAME, EMAIL, PHONE = "Wilhelmina Zott", "wilhelmina@zott.example.org", "+85255500199"
SAID, REPLY, STRANGE = "My withdrawal of Tuesday never arrived", "I have been waiting for weeks now", "a stray remark"
SECRETS = (NAME, EMAIL, PHONE, SAID, REPLY, STRANGE)


async def test_a_life_leaves_nothing_personal_in_the_clear(house: House) -> None:
    await plain_json_is_refused(house)
    reference = await lived(house)
    leaks = [
        (place, secret)
        for place, told in (await everything_in(house, reference)).items()
        for secret in SECRETS
        if any(form in told for form in forms(secret))
    ]
    assert leaks == []
    assert await unsealed(house.pool) == []
    await house.closed(reference)
    await once_erased_it_still_counts_and_verifies(house, reference)


@pytest.fixture
async def house(
    pool: "asyncpg.Pool[asyncpg.Record]",
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[House]:
    """A house that takes no starts in plain JSON."""
    monkeypatch.setenv("REDRESS_PLAIN_JSON", "refused")
    async with open_house(pool, tmp_path, request) as house:
        yield house


async def plain_json_is_refused(house: House) -> None:
    """What comes in the clear opens no case and no incident."""
    plain = Client(house.client.service_client, namespace=house.client.namespace)
    start: dict[str, Any] = {"source": "test", "idempotency_key": "plain", "received_at": "2026-03-02T09:30:00Z"}
    start |= {"channel": "web", "language": "en", "complainant": {"name": "Somebody"}, "description": "It was late."}
    reference = reference_for("test", "plain")
    incident = new()
    for workflow, brought, name in (
        (WORKFLOW, start, reference),
        (INCIDENT, incident.model_dump(mode="json"), incident.reference),
    ):
        handle = await plain.start_workflow(workflow, brought, id=name, task_queue=house.task_queue)
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(WorkflowFailureError) as refused:
                await handle.result()
        assert "plain JSON is refused here" in str(refused.value.cause)
    assert not await house.fetch("select from casefile.incidents")
    assert not await house.fetch("select from casefile.cases where reference = $1", reference)


async def what_is_said_in_plain_json_does_not_count(house: House, reference: str) -> None:
    """An update is refused to its sender, a signal is kept with the reason; what the keys sealed counts."""
    client = house.client
    keyless = Client(
        client.service_client,
        namespace=client.namespace,
        data_converter=pydantic_data_converter,
        interceptors=[signing()],
    )
    plain = Complaints(keyless, task_queue=house.task_queue)
    with pytest.raises(Refused, match="plain JSON is refused here"):
        await plain.correct_contact(reference, by=CUSTOMER, email="other@zott.example.org")
    await plain.reply(reference, by=CUSTOMER, intent="accept", text="What counts?")

    async def kept() -> list[str]:
        rows = await house.fetch("select reason from casefile.rejected_messages where reference = $1", reference)
        return [row["reason"] for row in rows if "plain JSON is refused here" in row["reason"]]

    assert len(await house.eventually(kept)) == 1
    assert len(await house.timeline(reference, "customer_reply")) == 0


async def lived(house: House) -> str:
    """A case in which everybody has said something, and has been written to at two addresses."""
    await house.late_withdrawal("12000", days_late=7, account=ACCOUNT)
    reference = await house.submit(
        complainant={"name": NAME, "email": EMAIL, "phone": PHONE}, account=ACCOUNT, description=f"{SAID}. {SAID}."
    )
    await house.responded(reference)
    await what_is_said_in_plain_json_does_not_count(house, reference)
    await house.client.get_workflow_handle(reference).signal("customer_reply", {"text": STRANGE, "no": "message"})
    await house.complaints.reply(reference, by=CUSTOMER, intent="accept", text=REPLY)
    await house.row(reference, lambda case: bool(case["stage"] == Stage.FOLLOWING_UP))
    await house.complaints.correct_contact(reference, by=CUSTOMER, email=f"new-{EMAIL}")
    found = await house.fetch("select email from casefile.contacts where reference = $1 order by id", reference)
    assert [row["email"] for row in found] == [EMAIL, f"new-{EMAIL}"]
    return reference


async def everything_in(house: House, reference: str) -> dict[str, bytes]:
    """The history of the case, and all rows of the record, as they are kept."""
    history = await house.client.get_workflow_handle(reference).fetch_history()
    everything = {"the history": b"".join(event.SerializeToString() for event in history.events)}
    async with house.pool.acquire() as connection:
        tables = [
            f"{row[0]}.{row[1]}"
            for row in await connection.fetch(
                "select schemaname, tablename from pg_tables"
                " where schemaname in ('casefile', 'payments', 'reporting', 'intake', 'web')"
            )
        ]
        for table in tables:
            rows = await connection.fetch(f"select t::text as told from {table} t")  # noqa: S608 (names of tables)
            everything[table] = "\n".join(row["told"] for row in rows).encode()
    assert all(everything[table] for table in ("casefile.contacts", "casefile.timeline", "casefile.letters"))
    assert everything["casefile.rejected_messages"]
    assert set(SEALED) <= set(everything)
    return everything
