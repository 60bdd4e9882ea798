"""Nobody acts as somebody else, whatever they send to Temporal, and nobody is paid by posing as a workflow."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import ActivityFailureError, Client, WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from domain.case.messages.deciding import DecideResolution
from domain.checks.findings import Finding
from domain.ground.messages import Message
from domain.ground.people import SYSTEM, Actor
from domain.ground.words import LetterKind, Role, Stage
from domain.money.amounts import Money
from domain.people.actors import Person
from runtime.identity.speaking import TokenFor, speaking
from starter.client.complaints import Complaints
from starter.client.conversation import Refused
from tests.around import Carry
from tests.runtime.workflows_for_tests import Thief
from tests.signing import the_issuer
from tests.workflows.house import ACCOUNT, APPROVER, HANDLER, House

OTHER = "RD-C6SS-7HAV-35VTA"
PROPOSAL = {
    "outcome": "upheld",
    "compensation": {"amount": "1972.60", "currency": "USD"},
    "reasons": "It was paid a week late.",
}


def stolen(token: str) -> TokenFor:
    return lambda reference, message: token


def of(actor: Actor, **changes: Any) -> TokenFor:
    """Tokens for *actor* whoever the message names, and for a message with *changes*."""

    def token(reference: str, message: Message) -> str:
        made = message.model_copy(update={"actor": actor} | {k: v for k, v in changes.items() if k != "reference"})
        return the_issuer().token(Person.of(actor), changes.get("reference", reference), made)

    return token


ATTACKS: dict[str, tuple[TokenFor, str]] = {
    "no token": (stolen(""), "no signed token"),
    "another case's": (of(APPROVER, reference=OTHER), "another case"),
    "another content's": (of(APPROVER, decision="return", reasons="No."), "another content"),
    "another id's": (of(APPROVER, message_id="other"), "another message id"),
    "somebody else's": (of(Actor(id="a-9", role=Role.APPROVER)), "somebody else"),
    "of another role": (of(Actor(id=APPROVER.id, role=Role.HANDLER)), "does not say that the actor is approver"),
}


async def test_who_does_not_prove_who_they_are_is_refused_and_leaves_no_trace(house: House) -> None:
    await house.late_withdrawal("3000000")
    reference = await house.submit()
    await house.at(reference, Stage.DECIDING)
    await house.complaints.propose_resolution(reference, by=HANDLER, **PROPOSAL)
    before = await house.events(reference, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED)
    for token_for, reason in ATTACKS.values():
        thief = Complaints(speaking(house.client, token_for), task_queue=house.task_queue)
        with pytest.raises(Refused, match=reason):
            await thief.approve(reference, by=APPROVER)
    assert await house.events(reference, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED) == before
    seen = (await house.complaints.status(reference)).proposal_digest
    assert seen
    approval = DecideResolution(message_id="m-1", actor=APPROVER, decision="approve", proposal=seen)
    await house.complaints.send(reference, approval)
    rows = await house.fetch("select kind, token from casefile.timeline where kind like '%_resolution' order by id")
    assert [(row["kind"], row["token"].count(".")) for row in rows] == [
        ("propose_resolution", 2),
        ("decide_resolution", 2),
    ]
    # Sent again with its token, as who listens to the wire can, it counts once.
    again = Complaints(speaking(house.client, stolen(rows[1]["token"])), task_queue=house.task_queue)
    await again.send(reference, approval)
    await house.sent(reference, LetterKind.FINAL_RESPONSE)
    assert await house.fetchval("select count(*) from casefile.timeline where kind = 'decide_resolution'") == 1


def said(case: Any, key: str, actor: Actor, **what: Any) -> dict[str, Any]:
    """An entry of *case*'s timeline, as nobody said it."""
    at = (case["stage_since"] + timedelta(seconds=1)).isoformat()
    return {"key": key, "at": at, "kind": key.partition(":")[0], "actor": str(actor), "text": "-", "data": what}


async def pay_by_posing(house: House, case: Any, award: Any, *entries: dict[str, Any]) -> str:
    """Have a workflow of ours ask the workers to record *entries* and post *award*; returns why it was refused."""
    update = {
        "reference": case["reference"],
        "policy_hash": case["policy_hash"],
        "summary": {name: case[name] for name in ("revision", "stage", "stage_since", "in_scope", "repeat", "breached")}
        | dict.fromkeys(("category", "severity", "priority", "team", "handler", "outcome", "compensation"))
        | {"next_deadline": None, "closed_at": None, "escalation_level": 0},
        "entries": [],
    }
    posted = {
        "key": f"{case['reference']}:compensation:1",
        "number": 90,
        "award": award,
        "announces": ["settled"],
        "update": update,
        "then": update,
        "account": ACCOUNT,
    }
    async with Worker(
        house.client, task_queue="thieves", workflows=[Thief], workflow_runner=UnsandboxedWorkflowRunner()
    ):
        with pytest.raises(WorkflowFailureError) as failure:
            await house.client.execute_workflow(
                "Thief",
                args=[
                    house.task_queue,
                    [("Record", update | {"entries": entries}), ("RecordCompensation", posted)],
                ],
                id="thief",
                task_queue="thieves",
            )
    why = failure.value.__cause__
    return str(getattr(why, "cause", why))


async def test_who_poses_as_a_workflow_and_writes_what_people_decided_is_paid_nothing(house: House) -> None:
    await house.late_withdrawal("3000000")
    case = await house.at(await house.submit(), Stage.DECIDING)
    why = await pay_by_posing(
        house,
        case,
        PROPOSAL["compensation"],
        said(case, "propose_resolution:900", HANDLER, round=1, message_id="m", **PROPOSAL),
        said(case, "decide_resolution:901", APPROVER, round=1, message_id="m", decision="approve"),
    )
    assert "no token says who sends this" in why
    assert await house.fetchval("select count(*) from casefile.timeline where key = 'decide_resolution:901'") == 1
    assert not await house.fetchval("select exists (select from casefile.postings)")


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_who_poses_as_a_workflow_and_writes_what_nobody_found_is_paid_nothing(
    house: House, elsewhere: bool
) -> None:
    await house.late_withdrawal("3000000")
    case = await house.at(await house.submit(), Stage.DECIDING)
    found = await house.fetchval("select data from casefile.timeline where kind = 'finding'")
    if elsewhere:  # it was found, of another account
        await house.late_withdrawal(entry="w-2", account="70012346")
        await house.responded(await house.submit(account="70012346", trades=["w-2"]))
        found = await house.fetchval("select data from casefile.timeline where kind = 'finding' order by id desc")
    else:
        true = Finding.noted(found)
        lost = [part.model_copy(update={"amount": Decimal(100)}) for part in true.parts[:1]]
        less = true.model_copy(update={"harm": Money.of(Decimal(100), "USD"), "parts": tuple(lost)})
        found = {**less.model_dump(mode="json"), "hash": less.hash, "mark": found["mark"]}
    why = await pay_by_posing(
        house,
        case,
        found["harm"],
        said(case, "finding:900", SYSTEM, **found),
        said(case, "proposed:901", SYSTEM, round=1, outcome="upheld", compensation=found["harm"]),
    )
    assert "finding:900: no worker of ours found this" in why
    assert not await house.fetchval(
        "select exists (select from casefile.postings where reference = $1)", case["reference"]
    )


async def test_an_activity_that_no_workflow_asked_for_is_not_done(real_time: House) -> None:
    done: list[Any] = []

    async def do(request: Any, carry: Carry) -> Any:
        answer = await carry()
        done.append(request)
        return answer

    real_time.effects["TakeTurn"] = do
    anybody = Client(real_time.client.service_client, namespace=real_time.client.namespace)
    asked: Any = await anybody.start_activity(
        "TakeTurn",
        {},
        id=f"direct-{real_time.task_queue}",
        task_queue=real_time.task_queue,
        start_to_close_timeout=timedelta(seconds=20),
        retry_policy=RetryPolicy(maximum_attempts=1),
    )
    with pytest.raises(ActivityFailureError):
        await asked.result()
    assert done == []
