"""Who opens an incident or begins a corrective action is who signed for it, whoever the start names."""

import asyncio
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import WorkflowIDReusePolicy

from domain.case.approval import NotApproved
from domain.ground.messages import Message
from domain.ground.people import Actor
from domain.ground.words import IncidentStage, Role
from domain.incidents.incident import WORKFLOW as INCIDENT
from domain.learning.actions import CorrectiveAction
from domain.people.actors import Person
from record.approvals import list_approval
from runtime.identity.speaking import TokenFor, speaking
from runtime.identity.verifying import Verifier
from runtime.settings import load_settings
from starter.client.actions import ACTION
from starter.client.incidents import Incidents
from tests.incidents.minute import APPROVER, DEALER, bad_minute, new
from tests.patience import PATIENCE
from tests.signing import the_issuer
from tests.workflows.house import House


def of(person: Actor, **changes: Any) -> TokenFor:
    """Tokens for *person* whoever the start names, or for a start with *changes*."""

    def token(reference: str, message: Message) -> str:
        made = message.model_copy(update={"actor": person, **{k: v for k, v in changes.items() if k != "reference"}})
        return the_issuer().token(Person.of(person), changes.get("reference", reference), made)

    return token


STRANGER = Actor(id="m-1", role=Role.HANDLER)
ATTACKS: dict[str, tuple[TokenFor | None, str]] = {
    "no token": (None, "no token says who sends this"),
    "somebody else's": (of(STRANGER), "somebody else"),
    "another incident's": (of(DEALER, reference="IN-1"), "another case"),
    "another content's": (of(DEALER, what={}), "another content"),
}


def beginning(kind: str) -> tuple[str, Any]:
    if kind == INCIDENT:
        return new().reference, new()
    action = {
        "action": "CA-1",
        "cause": "payments/own_delay",
        "what": "Pay out daily",
        "why": "Too slow",
        "owner": "h-17",
        "due": "2026-06-01",
        "measure": {"accounts": 1000},
        "opened_at": "2026-03-02T09:30:00Z",
        "opened_by": DEALER,
    }
    return "CA-1", CorrectiveAction.model_validate(action)


@pytest.mark.parametrize("kind", [INCIDENT, ACTION])
async def test_nobody_begins_anything_in_somebody_elses_name(house: House, kind: str) -> None:
    await bad_minute(house.pool)
    reference, begun = beginning(kind)
    config = house.client.config()
    config["interceptors"] = []
    silent = Client(**config)
    for token_for, why in ATTACKS.values():
        client = speaking(silent, token_for) if token_for else silent
        handle = await client.start_workflow(
            kind, begun, id=reference, task_queue=house.task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
        )  # fmt: skip
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(WorkflowFailureError) as refused:
                await handle.result()
        cause = refused.value.cause
        assert why in str(cause if "opened_by" in str(cause) else cause.__cause__)
    assert not await house.fetch("select from casefile.incidents")
    assert not await house.fetch("select from reporting.actions")
    await house.client.start_workflow(
        kind, begun, id=reference, task_queue=house.task_queue,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
    )  # fmt: skip
    of_it = "casefile.incidents" if kind == INCIDENT else "reporting.actions"
    await house.eventually(lambda: house.fetch(f"select from {of_it} where token is not null"))


async def test_a_list_is_not_approved_where_it_is_not_proven_who_opened_the_incident(house: House) -> None:
    """Whoever writes to the record could name somebody else, and be the second person themselves."""
    await bad_minute(house.pool)
    incidents = Incidents(house.client, task_queue=house.task_queue)
    reference = (await incidents.open(new())).reference

    async def listed() -> str | None:
        now = await incidents.progress(reference)
        return now.cohort.hash if now.stage is IncidentStage.APPROVAL and now.cohort else None

    await incidents.approve(reference, await house.eventually(listed), by=APPROVER)
    proofs = Verifier.of(load_settings())
    async with house.pool.acquire() as connection:
        approved = await house.eventually(lambda: list_approval(connection, reference, 1, proofs))
        assert approved.startswith("decide_incident")
        for damage in (
            "update casefile.incidents set token = null",
            """update casefile.incidents set opened = jsonb_set(opened, '{opened_by,id}', '"h-99"')""",
        ):
            async with connection.transaction():
                await connection.execute("set local session_replication_role = replica")
                kept = await connection.fetchrow("select token, opened from casefile.incidents")
                assert kept
                await connection.execute(damage)
            with pytest.raises(NotApproved, match="opened_by: "):
                await list_approval(connection, reference, 1, proofs)
            async with connection.transaction():
                await connection.execute("set local session_replication_role = replica")
                await connection.execute("update casefile.incidents set token = $1, opened = $2", *kept.values())
