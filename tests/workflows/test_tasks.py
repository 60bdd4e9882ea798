"""Tasks in the life of a case: with somebody named, on a clock of their own, raised when overdue, ended by name."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.case.messages.signals import Arrived
from domain.ground.people import SYSTEM, Actor
from domain.ground.words import Role, Stage, TaskKind
from starter.client.conversation import Refused
from starter.client.directory import People
from starter.reading.tasks import TaskView, get_tasks
from tests.around import Carry
from tests.people.support import LEAD, directory, person
from tests.signing import signed
from tests.workflows.house import CUSTOMER, House
from workflows.search_attributes import NEXT_TASK, TASK_DUE

TEAMS = ("dealing", "payments", "accounts", "conduct", "customer-care")
H1, C2 = Actor(id="h-1", role=Role.HANDLER), Actor(id="c-2", role=Role.COMPLIANCE_OFFICER)
LEFT = [{"first": "2000-01-01", "last": "2999-12-31"}]


@pytest.fixture
async def staffed(house: House) -> House:
    await staff(house.pool)
    return house


async def staff(pool: Any) -> None:
    """Have a directory."""
    people = [
        person("h-1", teams=TEAMS),
        person("h-2", "handler", teams=TEAMS, absences=LEFT),
        person("l-1", "team_lead", teams=TEAMS),
        person("c-1", "compliance_officer", teams=TEAMS, names=["Carol Example"]),
        person("c-2", "compliance_officer", teams=TEAMS),
        person("e-1", "executive", teams=TEAMS),
    ]
    await People(pool, signed).replace(directory(*people, teams=TEAMS), by=LEAD)


async def consulting(house: House, reference: str) -> TaskView:
    """An expert of the case is to be consulted, who has that by now; it is undecided as well."""
    await given(house, reference, TaskKind.DECIDE, "h-1")
    await house.complaints.give_task(reference, TaskKind.CONSULT, by=H1, what="In time?", role=Role.COMPLIANCE_OFFICER)
    return await given(house, reference, TaskKind.CONSULT, "c-1")


async def stand_once(house: House, reference: str, *, decider: str = "h-1") -> TaskView:
    """Both tasks of :func:`consulting` are there once, each with who has it and one clock. Returns the expert's."""

    async def both() -> list[TaskView]:
        known = await get_tasks(house.pool, datetime.now(UTC), reference=reference)
        there = [one for one in known if one.state == "open"]
        query = """
            select distinct number from casefile.deadlines d where (reference, clock) = ($1, 'task') and not exists (
                select from casefile.satisfactions s where (s.reference, s.clock, s.number) = ($1, 'task', d.number))
        """
        clocks = {row["number"] for row in await house.pool.fetch(query, reference)}
        said = sorted((one.kind, one.owner) for one in there)
        whole = said == [(TaskKind.CONSULT, "c-1"), (TaskKind.DECIDE, decider)] and all(one.due for one in there)
        listed = any([await in_lists(house, reference, one) for one in there])
        return there if whole and listed and clocks == {one.number for one in there} else []

    tasks: list[TaskView] = await house.eventually(both)
    (expert,) = [one for one in tasks if one.kind is TaskKind.CONSULT]
    assert expert.what == "In time?"
    return expert


async def done(house: House, reference: str, task: TaskView) -> None:
    """Whoever has the task says that it is done, and the case knows which one."""
    await house.complaints.finish_task(reference, task.number, "By two days.", by=C2)
    ended = (await tasks_of(house, reference))[TaskKind.CONSULT]
    assert (ended.number, ended.state, ended.result) == (task.number, "ended", "By two days.")


async def tasks_of(house: House, reference: str) -> dict[TaskKind, TaskView]:
    return {
        one.kind: one for one in await get_tasks(house.pool, await house.env.get_current_time(), reference=reference)
    }


async def given(house: House, reference: str, kind: TaskKind, owner: str) -> TaskView:
    """The task of that kind, once it is with *owner*."""

    async def with_owner() -> TaskView | None:
        one = (await tasks_of(house, reference)).get(kind)
        return one if one and one.owner == owner else None

    found: TaskView = await house.eventually(with_owner)
    return found


async def told_of(house: House, reference: str, number: int) -> set[str]:
    """Who was told of a task."""
    query = "select addressee, body from casefile.letters where (reference, kind) = ($1, 'staff_notice')"
    rows = await house.fetch(query, reference)
    return {row["addressee"] for row in rows if f"(task {number})" in " ".join(row["body"].split())}


async def told(house: House, reference: str, number: int) -> None:
    """Two messages of the customer are there, and their reader was told, of one task for both."""

    async def there() -> bool:
        replies = await house.timeline(reference, "customer_reply")
        return len(replies) == 2 and await told_of(house, reference, number) == {"h-1"}

    await house.eventually(there)
    query = "select count(*) from casefile.tasks where (reference, kind) = ($1, 'answer_customer')"
    assert await house.fetchval(query, reference) == 1


async def in_lists(house: House, reference: str, task: TaskView) -> bool:
    """Whether Temporal's lists have *task* as the next one of its case."""
    said = (await house.client.get_workflow_handle(reference).describe()).typed_search_attributes
    return (said.get(NEXT_TASK), said.get(TASK_DUE)) == ([task.kind, task.owner], task.due)


async def refused(house: House, reference: str, expert: TaskView, undecided: TaskView) -> None:
    """What nobody may say of tasks."""
    say = house.complaints
    with pytest.raises(Exception, match="ends by itself with propose_resolution"):
        await say.finish_task(reference, undecided.number, "Done.", by=H1)
    with pytest.raises(Exception, match="c-1 is kept out"):
        await say.reassign_task(reference, expert.number, "c-1", by=H1)
    with pytest.raises(Exception, match="until: it has passed"):
        await say.give_task(reference, TaskKind.REVIEW, by=H1, until="2020-01-01T00:00:00Z")
    with pytest.raises(Exception, match="999 is not open; open are"):
        await say.finish_task(reference, 999, "Done.", by=H1)


async def test_tasks_have_owners_and_clocks_climb_when_overdue_and_end_by_name(staffed: House) -> None:
    house, say = staffed, staffed.complaints
    await house.late_withdrawal("3000000")
    reference = await house.submit(description="My withdrawal was paid far too late, Carol Example told me to wait.")
    await house.at(reference, Stage.DECIDING)
    undecided = await given(house, reference, TaskKind.DECIDE, "h-1")
    assert undecided.due
    await say.give_task(reference, TaskKind.CONSULT, by=H1, what="Was it in time?", role=Role.COMPLIANCE_OFFICER)
    expert = await given(house, reference, TaskKind.CONSULT, "c-2")  # never c-1, whom the customer names
    await house.eventually(lambda: in_lists(house, reference, undecided))
    await say.reply(
        reference, by=CUSTOMER, intent="information", text="The bank confirms the date."
    )  # nobody asked: it is read
    to_answer = await given(house, reference, TaskKind.ANSWER, "h-1")
    await say.reply(reference, by=CUSTOMER, intent="dispute")  # there is no response yet: somebody reads it
    await told(house, reference, to_answer.number)
    await refused(house, reference, expert, undecided)
    await say.escalate(reference, "At once.", by=Actor(id="c-1", role=Role.COMPLIANCE_OFFICER))
    assert "c-1 is kept out" in (await house.eventually(lambda: house.timeline(reference, "rejected")))[0]
    assert not await house.timeline(reference, "escalation")
    await say.give_task(reference, TaskKind.REVIEW, by=H1, owner="h-2")
    await given(house, reference, TaskKind.REVIEW, "h-2")

    # Time passes: who is away has it no longer, and what is overdue goes up to named persons, level by level.
    await house.sleep(timedelta(days=25))
    raised = await given(house, reference, TaskKind.CONSULT, "e-1")
    assert (raised.state, raised.level) == ("overdue", 3)
    await given(house, reference, TaskKind.REVIEW, "e-1")
    hands = [line for line in await house.timeline(reference, "task_owner") if "review" in line]
    assert [line.partition(" is with ")[2] for line in hands] == [
        "l-1 (who had it is away)",
        "c-2 (it was raised)",
        "e-1 (it was raised)",
    ]
    assert await told_of(house, reference, expert.number) == {"c-2", "e-1"}
    assert not [line for line in await house.timeline(reference) if line.startswith("breach: task")]

    await say.finish_task(reference, expert.number, "By two days.", by=C2)
    ended = (await tasks_of(house, reference))[TaskKind.CONSULT]
    assert (ended.state, ended.result, ended.what) == ("ended", "By two days.", "Was it in time?")
    await say.withdraw(reference, by=H1, reason="They rang to say so.")
    await house.closed(reference)
    assert {one.kind: one.how for one in (await tasks_of(house, reference)).values()} == {
        TaskKind.DECIDE: "the case was closed",
        TaskKind.CONSULT: "done",
        TaskKind.REVIEW: "the case was closed",
        TaskKind.ANSWER: "the case was closed",
    }
    query = "select by_event from casefile.satisfactions where reference = $1 and clock = 'task' and number = $2"
    assert await house.fetchval(query, reference, expert.number) == "task_ended"


async def returned(house: House, reference: str) -> None:
    """A mail server sends the acknowledgement back."""
    await house.complaints.send(reference, Arrived(message_id="m-returned", actor=SYSTEM, what="returned", letter=2))


async def refused_address(house: House, reference: str) -> None:
    """The next letter is not taken at the address on file."""

    async def doubt(_letter: Any, send: Carry) -> Any:
        return (await send()).model_copy(update={"in_doubt": True})

    house.effects["SendLetter"] = doubt
    await house.complaints.request_information(reference, "Which trade?", by=H1)


@pytest.mark.parametrize("happens", [returned, refused_address])
async def test_whoever_has_the_case_has_to_correct_an_address_that_a_letter_did_not_arrive_at(
    staffed: House, happens: Callable[[House, str], Awaitable[None]]
) -> None:
    house = staffed
    reference = await house.submit(description="Something is wrong, nobody says why.", trades=())
    await house.at(reference, Stage.DECIDING)
    await happens(house, reference)
    await given(house, reference, TaskKind.ADDRESS, "h-1")
    notices = "select body from casefile.letters where (reference, kind) = ($1, 'staff_notice')"

    async def told() -> bool:
        said = [" ".join(row["body"].split()) for row in await house.fetch(notices, reference)]
        return sum("next way on file" in one or "by another way" in one for one in said) == 1

    await house.eventually(told)
    await house.complaints.correct_contact(reference, by=H1, email="right@example.org")

    async def over() -> bool:
        return (await tasks_of(house, reference))[TaskKind.ADDRESS].state == "ended"

    await house.eventually(over)


async def test_who_has_a_task_hears_that_somebody_else_ended_it_or_gave_it_away_and_colleagues_do_neither(
    staffed: House,
) -> None:
    house, say = staffed, staffed.complaints
    reference = await house.submit(description="Something is wrong, nobody says why.", trades=())
    await house.at(reference, Stage.DECIDING)
    await given(house, reference, TaskKind.DECIDE, "h-1")
    await say.give_task(reference, TaskKind.CALL_BACK, by=LEAD, owner="h-1")
    call = await given(house, reference, TaskKind.CALL_BACK, "h-1")
    colleague = Actor(id="h-2", role=Role.HANDLER)
    with pytest.raises(Refused, match=f"task {call.number} is h-1's; who has it or gave it, who has the case, or one"):
        await say.finish_task(reference, call.number, "I called.", by=colleague)
    with pytest.raises(Refused, match="gives it to somebody else"):
        await say.reassign_task(reference, call.number, "h-2", by=colleague)
    chief = Actor(id="e-1", role=Role.EXECUTIVE)
    await say.reassign_task(reference, call.number, "l-1", by=chief)
    await given(house, reference, TaskKind.CALL_BACK, "l-1")
    await say.finish_task(reference, call.number, "The customer is content.", by=chief)

    async def heard() -> bool:
        query = "select addressee, body from casefile.letters where (reference, kind) = ($1, 'staff_notice')"
        told = {(row["addressee"], " ".join(row["body"].split())) for row in await house.fetch(query, reference)}
        return {who for who, text in told if "e-1 gave to somebody else a task of yours: call" in text} == {"h-1"} and {
            who for who, text in told if "e-1 ended a task of yours: call" in text
        } == {"l-1"}

    await house.eventually(heard)
