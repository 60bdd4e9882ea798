"""Corrective actions are followed until they help, and the report of the month is mailed."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from email.message import EmailMessage

import pytest

from bench.reporting import facts_rows
from domain.ground.people import Actor
from domain.ground.words import Role
from domain.learning.actions import ActionState, CorrectiveAction, ReportOrder
from domain.learning.effects import LOOKS, EffectMeasure
from domain.learning.facts import CaseFact
from starter.client.actions import ActionNotFound, end_action, mail_now, open_action
from starter.client.conversation import Refused
from starter.client.directory import People
from starter.reading.actions import steps_of
from starter.reports.making import standing_actions
from tests.people.support import directory, person
from tests.signing import signed
from tests.workflows.house import CUSTOMER, House

LEAD = Actor(id="tl-2", role=Role.TEAM_LEAD)
CAUSE = "payments/own_delay"


async def upheld(house: House, count: int, closed_at: datetime, begin: int) -> None:
    """So many upheld cases of the cause, closed at that moment."""
    cases = (
        CaseFact(
            f"RD-{begin + number}", closed_at - timedelta(days=9), "cn-banking", "web",
            stage="closed", outcome="upheld", closed_at=closed_at, cause=CAUSE,
        )
        for number in range(count)
    )  # fmt: skip
    rows = [row for case in cases for row in facts_rows(case)]
    await house.pool.executemany(
        "insert into reporting.facts (reference, kind, at, key, data) values ($1, $2, $3, $4, $5)", rows
    )


async def until(house: House, action: str, *steps: str) -> None:
    async def there() -> bool:
        return tuple(one.step for one in await steps_of(house.pool, action)) == steps

    await house.eventually(there)


def titles(mails: Iterable[EmailMessage]) -> list[str]:
    return [str(mail["Subject"]).partition(" · ")[0] for mail in mails]


async def test_an_action_is_overdue_aloud_judged_by_its_measure_and_begun_again_until_it_helps(house: House) -> None:
    now = await house.env.get_current_time()
    client, queue = house.env.client, house.complaints.task_queue
    await upheld(house, 40, now - timedelta(days=3), 0)
    action = CorrectiveAction(
        action="CA-PAYMENTS-1",
        cause=CAUSE,
        what="Two people release withdrawals",
        why="One person alone was away too often.",
        owner="h-17",
        due=(now + timedelta(days=10)).date(),
        measure=EffectMeasure(days=30, accounts=10_000),
        opened_at=now,
        opened_by=LEAD,
    )
    await open_action(client, action, task_queue=queue)
    with pytest.raises(Refused, match="there is a CA-PAYMENTS-1 already"):
        await open_action(client, action, task_queue=queue)
    await until(house, action.action, "opened")
    kept = await house.fetchval("select string_agg(a::text, '') from reporting.actions a")
    assert not [words for words in (action.what, action.why) if words in kept]
    people = [person("h-17", address="h-17@example.com"), person("tl-2", "team_lead", address="tl-2@example.com")]
    people.append(person("c-1", "compliance_officer"))
    await People(house.pool, signed).replace(directory(*people), by=LEAD)
    await house.sleep(timedelta(days=12))
    await until(house, action.action, "opened", "overdue")
    await house.sleep(timedelta(days=30))
    raised = ["overdue"] * 4
    await until(house, action.action, "opened", *raised)
    with pytest.raises(Refused, match="role customer may not"):
        await end_action(client, action.action, "done", "So I heard.", by=CUSTOMER)

    await end_action(client, action.action, "done", "They do.", by=LEAD, message_id="m-1")
    await end_action(client, action.action, "done", "They do.", by=LEAD, message_id="m-1")
    await upheld(house, 60, now + timedelta(days=60), 100)
    await house.sleep(timedelta(days=31))
    await until(house, action.action, "opened", *raised, "done", "reopened")
    judged = (await steps_of(house.pool, action.action))[-1].data
    assert (judged["before"], judged["after"], judged["effective"]) == (40, 60, False)
    (standing,) = await standing_actions(house.pool, now + timedelta(days=400))
    assert (standing.state, standing.reopened, str(standing.due)) == (ActionState.REOPENED, 1, judged["due"])

    await end_action(client, action.action, "done", "And the bank's cut-off is watched.", by=LEAD)
    await house.sleep(timedelta(days=31))
    result = await client.get_workflow_handle(action.action).result()
    assert result == "effective"
    told = [f"{mail['To']}: {title.rpartition(' ')[2]}" for mail in house.mail() for title in titles([mail])]
    assert sorted(told) == [
        *["h-17@example.com: overdue"] * 4,
        "h-17@example.com: reopened",
        "tl-2@example.com: overdue",
    ]
    with pytest.raises(ActionNotFound):
        await end_action(client, action.action, "dropped", "Over.", by=LEAD)


async def test_what_may_be_chance_is_measured_on_and_at_the_last_look_people_are_asked(house: House) -> None:
    now = await house.env.get_current_time()
    client = house.env.client
    await upheld(house, 1, now - timedelta(days=3), 0)
    action = CorrectiveAction(
        action="CA-PAYMENTS-2",
        cause=CAUSE,
        what="Two people release withdrawals",
        why="One person alone was away too often.",
        owner="h-17",
        due=(now + timedelta(days=10)).date(),
        measure=EffectMeasure(days=30, accounts=1_000),
        opened_at=now,
        opened_by=LEAD,
    )
    await open_action(client, action, task_queue=house.complaints.task_queue)
    people = [person("h-17", address="h-17@example.com")]
    people.append(person("c-1", "compliance_officer", address="c-1@example.com"))
    await People(house.pool, signed).replace(directory(*people), by=LEAD)
    await end_action(client, action.action, "done", "They do.", by=LEAD)
    await house.sleep(timedelta(days=31 * LOOKS))
    await until(house, action.action, "opened", "done", *["not_shown"] * LOOKS)
    last = (await steps_of(house.pool, action.action))[-1].data
    assert (last["before"], last["after"], last["spans"]) == (1, 0, LOOKS)
    assert "no effect is shown yet" in last["words"]["en"]
    (standing,) = await standing_actions(house.pool, now + timedelta(days=400))
    assert (standing.state, standing.reopened) == (ActionState.NOT_SHOWN, 0)
    told = [(str(mail["To"]), mail.get_content()) for mail in house.mail()]
    assert [to for to, _ in told].count("h-17@example.com") == LOOKS
    assert [to for to, _ in told].count("c-1@example.com") == 1
    assert all("效果尚未证实" in words for _, words in told)

    await end_action(client, action.action, "dropped", "Nothing more to see.", by=LEAD)
    assert await client.get_workflow_handle(action.action).result() == "dropped"


async def test_the_report_on_last_month_is_mailed_as_page_pdf_and_workbook_and_noted_as_issued(house: House) -> None:
    name = await mail_now(house.env.client, ReportOrder(languages=("en",)), task_queue=house.complaints.task_queue)
    (mail,) = house.mail()
    assert str(mail["Subject"]).startswith("Complaints, ")
    files = [part.get_filename() for part in mail.iter_attachments()]
    assert files == [f"complaints-{name}.{form}" for form in ("html", "pdf", "xlsx")]
    issued = await house.fetch("select report, period, by from reporting.issued")
    assert [tuple(row) for row in issued] == [("complaints", name, "system:redress")]
