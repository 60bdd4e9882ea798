"""Compliance looks again at closed cases: drawn once a month, never reviewed by who had them, raised when late."""

import asyncio
from datetime import datetime, timedelta

import pytest

from domain.ground.people import Actor
from domain.ground.words import Role, Stage
from domain.learning.periods import Period
from domain.learning.reviewing import Kept, ReviewFinding, ReviewOrder
from record.facts import cut_off, reviewed_in
from starter.client.directory import People
from starter.client.reviews import ROUND, Reviews, draw_now
from starter.reports.making import make_report, open_figure
from tests.case.support import keeping, opened, summary, update
from tests.learning.test_facts import noted
from tests.people.support import LEAD, directory, person
from tests.signing import signed
from tests.workflows.house import House

C1, C2 = (Actor(id=one, role=Role.COMPLIANCE_OFFICER) for one in ("c-1", "c-2"))


async def closed(house: House, number: int, at: datetime, *, decided_by: str = "h-17") -> str:
    """A case that was closed at that moment, and who proposed how."""
    case_file = keeping(house.pool)
    reference = await opened(case_file, f"review {number}", account=f"7009{number:04}")
    proposed = noted("propose_resolution", outcome="upheld").model_copy(
        update={"actor": f"compliance_officer:{decided_by}"}
    )
    told = summary(2, stage=Stage.CLOSED, outcome="upheld", closed_at=at)
    await case_file.record(update(reference, 2, summary=told, entries=(proposed,)))
    return reference


async def test_reviews_are_drawn_once_made_by_somebody_else_taught_from_and_raised_while_they_wait(
    house: House,
) -> None:
    now = await house.env.get_current_time()
    month = Period.of("month", now, "UTC").before()
    at = month.start + timedelta(days=3)
    own = await closed(house, 1, at, decided_by="C-1")
    other = await closed(house, 2, at)
    people = [person(one, "compliance_officer", address=f"{one}@example.com") for one in ("c-1", "c-2")]
    people.append(person("e-1", "executive", address="e-1@example.com"))
    await People(house.pool, signed).replace(directory(*people), by=LEAD)
    client, queue = house.env.client, house.complaints.task_queue
    first = await draw_now(client, ReviewOrder(), task_queue=queue)
    reviews = Reviews(house.pool, signed)

    async def drawn() -> bool:
        return len(await reviews.all(month.name)) == 2

    await house.eventually(drawn)
    of = {one.reference: one for one in await reviews.all(month.name)}
    assert (of[own].reviewer, of[other].reviewer) == ("c-2", "c-1")
    again = await draw_now(client, ReviewOrder(per_kind=1), task_queue=queue)
    rule = of[own].rule
    assert rule
    met = {one.name: Kept.MET for one in rule.checklist}
    with pytest.raises(ValueError, match="who had the case or decided on it does not review it"):
        await reviews.record(own, month.name, met, by=C1)
    with pytest.raises(ValueError, match="answers: cause: answer each question"):
        await reviews.record(own, month.name, {name: met[name] for name in met if name != "cause"}, by=C2)
    with pytest.raises(ValueError, match="findings: reasons: say what is wrong"):
        await reviews.record(own, month.name, met | {"reasons": Kept.NOT_MET}, by=C2)
    found = ReviewFinding(question="reasons", note="A Customer was told nothing.", cause="people/wrong_information")
    await reviews.record(own, month.name, met | {"reasons": Kept.NOT_MET}, [found], by=C2)
    with pytest.raises(ValueError, match="was reviewed for that period already"):
        await reviews.record(own, month.name, met, by=C2)
    assert await reviews.notes(month.name) == {"reasons": ["A Customer was told nothing."]}

    this_month = Period.of("month", datetime.now(now.tzinfo), "UTC")
    report = await make_report(house.pool, this_month)
    for key in ("reviews.reasons.cases", "review_causes.people/wrong_information.cases"):
        assert report.figure(key).value == 1
        assert (await open_figure(house.pool, report, key)).references == (own,)
    (fact,) = await reviewed_in(house.pool, this_month.start, this_month.end, await cut_off(house.pool))
    assert "Customer" not in str(fact)

    await house.sleep(timedelta(days=40))
    results = await asyncio.gather(*(client.get_workflow_handle(one).result() for one in (first, again)))
    assert results == [1, 1]
    told = sorted({str(mail["To"]) for mail in house.mail()})
    assert told == ["c-1@example.com", "c-2@example.com", "e-1@example.com"]


async def test_a_start_that_is_none_is_refused(house: House) -> None:
    with pytest.raises(Exception, match="Workflow execution failed"):
        await house.env.client.execute_workflow(
            ROUND, {"per_kind": 0}, id="reviews-wrong", task_queue=house.complaints.task_queue
        )
