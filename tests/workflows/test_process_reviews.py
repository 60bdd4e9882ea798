"""People look at the complaints process itself after each half-year: asked once, reminded, raised until it is done."""

from datetime import timedelta

import pytest

from domain.ground.people import Actor
from domain.ground.words import Role
from domain.learning.periods import Period
from domain.learning.process import ProcessReviewOrder, ProcessReviewState
from starter.client.directory import People
from starter.client.process import ROUND, ProcessReviews, ask_now
from starter.upkeep.diagnosis import Kind
from starter.upkeep.doctor import process_overdue
from tests.people.support import LEAD, directory, person
from tests.scanning import unsealed
from tests.signing import signed
from tests.workflows.house import House

OFFICER = Actor(id="c-1", role=Role.COMPLIANCE_OFFICER)


async def test_it_is_asked_for_once_reminded_of_and_raised_until_somebody_says_what_is_to_change(house: House) -> None:
    now = await house.env.get_current_time()
    half = Period.of("half_year", now).before().name
    people = [person("c-1", "compliance_officer", address="c-1@example.com")]
    people.append(person("e-1", "executive", address="e-1@example.com"))
    await People(house.pool, signed).replace(directory(*people), by=LEAD)
    client, queue = house.env.client, house.complaints.task_queue
    reviews = ProcessReviews(house.pool, signed)

    first = await ask_now(client, ProcessReviewOrder(), task_queue=queue)
    await house.sleep(timedelta(days=1))
    second = await ask_now(client, ProcessReviewOrder(within_days=180), task_queue=queue)
    await house.sleep(timedelta(days=1))
    (asked,) = await reviews.all()
    assert (asked.period, asked.due - now < timedelta(days=31)) == (half, True)
    assert {str(mail["To"]) for mail in house.mail()} == {"c-1@example.com"}
    with pytest.raises(ValueError, match="period: no review of the process was asked for then"):
        await reviews.record("2019-H1", "Everything was looked at.", by=OFFICER)
    with pytest.raises(ValueError, match="actor: role handler may not review the process"):
        await reviews.record(half, "Everything was looked at.", by=Actor(id="h-1", role=Role.HANDLER))
    with pytest.raises(ValueError, match="found: one word tells nobody"):
        await reviews.record(half, "Fine.", by=OFFICER)

    await house.sleep(timedelta(days=45))
    (overdue,) = await process_overdue(house.pool, asked.due + timedelta(days=1))
    assert (overdue.kind, overdue.subject) == (Kind.PROCESS_REVIEW_OVERDUE, half)
    assert any("e-1@example.com" in str(mail["To"]) for mail in house.mail())

    await reviews.record(half, "Replies wait for four days.", ["Two more handlers on Mondays."], by=OFFICER)
    with pytest.raises(ValueError, match="period: the process was reviewed for that period already"):
        await reviews.record(half, "Replies wait for four days.", by=OFFICER)
    (done,) = await reviews.all()
    assert await unsealed(house.pool) == []
    assert done.state(asked.due) is ProcessReviewState.DONE
    assert not await process_overdue(house.pool, asked.due + timedelta(days=1))
    told = len(house.mail())
    await house.sleep(timedelta(days=180))
    for workflow in (first, second):
        assert await client.get_workflow_handle(workflow).result() is True
    assert len(house.mail()) == told


async def test_what_nobody_is_proven_to_have_said_does_not_stand(house: House) -> None:
    await ask_now(house.env.client, ProcessReviewOrder(), task_queue=house.complaints.task_queue)
    await house.sleep(timedelta(days=1))
    (asked,) = await ProcessReviews(house.pool).all()
    await house.pool.execute(
        "insert into reporting.process_reviews (period, step, at, by, said, message_id)"
        " values ($1, 'done', now(), 'executive:e-1', $2::jsonb, 'forged')",
        asked.period,
        {"found": "Nothing at all was found."},
    )
    assert not (await ProcessReviews(house.pool).all())[0].done


async def test_nobody_who_does_it_is_told_of_for_eight_weeks_and_then_left_to_the_doctor(house: House) -> None:
    name = await ask_now(house.env.client, ProcessReviewOrder(within_days=7), task_queue=house.complaints.task_queue)
    await house.sleep(timedelta(days=100))
    assert await house.env.client.get_workflow_handle(name).result() is False
    assert len(house.mail()) == 1 + 9


async def test_a_record_that_was_restored_from_before_it_was_asked_for_has_it_again(house: House) -> None:
    name = await ask_now(house.env.client, ProcessReviewOrder(), task_queue=house.complaints.task_queue)
    await house.sleep(timedelta(days=1))
    reviews = ProcessReviews(house.pool)
    (asked,) = await reviews.all()
    async with house.pool.acquire() as connection, connection.transaction():
        await connection.execute("set local session_replication_role = replica")  # as a restore does
        await connection.execute("delete from reporting.process_reviews")
    await house.sleep(timedelta(days=120))
    assert await house.env.client.get_workflow_handle(name).result() is False
    assert await reviews.all() == [asked]


async def test_a_start_that_is_none_is_refused(house: House) -> None:
    with pytest.raises(Exception, match="Workflow execution failed"):
        await house.env.client.execute_workflow(
            ROUND, {"within_days": 0}, id="process-wrong", task_queue=house.complaints.task_queue
        )
