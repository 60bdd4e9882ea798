"""A customer whose contact is restricted: the next complaint is read, answered by post, and a review is due."""

from datetime import timedelta

import pytest

from domain.ground.messages import NotAllowed
from domain.ground.people import Actor
from domain.ground.words import ContactForm, LetterKind, Role, Stage, TaskKind
from domain.people.restrictions import RestrictionStep
from starter.client.restrictions import Restrictions
from starter.reading.tasks import get_tasks
from starter.upkeep.people_changes import PeopleChanges
from tests.signing import the_issuer
from tests.workflows.house import ACCOUNT, HANDLER, House

_BODY = "select body from casefile.letters where (reference, kind) = ($1, 'acknowledgement')"
OFFICER = Actor(id="c-1", role=Role.COMPLIANCE_OFFICER)


async def test_every_complaint_of_a_restricted_customer_is_read_and_answered_by_the_allowed_form(house: House) -> None:
    await house.late_withdrawal("3000000")
    first = await house.submit()
    await house.sent(first, LetterKind.ACKNOWLEDGEMENT)
    restrictions = Restrictions(house.pool, the_issuer().speaks_for_its_user)
    now = await house.env.get_current_time()
    until = now + timedelta(days=60)
    for form in (ContactForm.BY_POST, ContactForm.IN_WRITING):
        proposed = await restrictions.propose(first, form, "Forty calls a day.", until=until, by=HANDLER, at=now)
        with pytest.raises(NotAllowed, match="roles that may: compliance_officer, executive"):
            await restrictions.decide(
                ACCOUNT, proposed.number, RestrictionStep.APPROVED, "So be it.", by=HANDLER, at=now
            )
        await restrictions.decide(ACCOUNT, proposed.number, RestrictionStep.APPROVED, "So it is.", by=OFFICER, at=now)
    with pytest.raises(NotAllowed, match="actor: no token says who sends this"):
        await Restrictions(house.pool).decide(ACCOUNT, 1, RestrictionStep.LIFTED, "I say so.", by=OFFICER, at=now)
    late = now + timedelta(days=400)
    with pytest.raises(NotAllowed, match="until: the policy pack lets none last beyond"):
        await restrictions.propose(first, ContactForm.BY_POST, "For ever.", until=late, by=HANDLER, at=now)

    async def reviews(reference: str) -> bool:
        tasks = await get_tasks(house.pool, now, reference=reference)
        return TaskKind.RESTRICTION in {one.kind for one in tasks if one.ended_at is None}

    # The case that was open by then hears of it.
    await PeopleChanges(house.pool, house.complaints).tell()
    await house.eventually(lambda: reviews(first))
    assert set(await restrictions.show(first)) == {ACCOUNT}

    second = await house.submit(description="My withdrawal was paid far too late, again.")
    await house.at(second, Stage.DECIDING)
    await house.sent(second, LetterKind.ACKNOWLEDGEMENT)
    query = "select recipient from casefile.letters where (reference, kind) = ($1, 'acknowledgement')"
    assert [await house.fetchval(query, one) for one in (first, second)] == ["customer@example.com", None]

    bodies = [" ".join((await house.fetchval(_BODY, one)).split()) for one in (first, second)]
    assert ["our letters to you go by post" in body for body in bodies] == [False, True]

    await house.eventually(lambda: reviews(second))
    with pytest.raises(Exception, match="kind: contact with the customer is restricted to writing"):
        await house.complaints.give_task(second, TaskKind.CALL_BACK, by=HANDLER)

    async def over() -> bool:
        return not (await reviews(first) or await reviews(second))

    # Both hear that it has ended; until then they wait for its end, the second too, which came after it.
    ends = "select count(*) from casefile.people_changes where next_at > now() group by reference"
    assert [row[0] for row in await house.pool.fetch(ends)] == [1, 1]
    for number in (1, 2):
        await restrictions.decide(ACCOUNT, number, RestrictionStep.LIFTED, "They write now.", by=OFFICER, at=now)
    await PeopleChanges(house.pool, house.complaints).tell()
    await house.eventually(over)
