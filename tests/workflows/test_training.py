"""A course that the pack requires: who lacks it gets no case, proposes and approves nothing, and restricts nobody."""

from datetime import timedelta

import pytest

from domain.ground.messages import NotAllowed
from domain.ground.people import Actor
from domain.ground.words import ContactForm, Outcome, Role
from starter.client.conversation import Refused
from starter.client.directory import People
from starter.client.restrictions import Restrictions
from tests.people.support import LEAD, directory, person
from tests.signing import signed
from tests.workflows.house import House
from tests.workflows.rules import own
from tests.workflows.test_tasks import TEAMS

H1, A1 = Actor(id="h-1", role=Role.HANDLER), Actor(id="a-1", role=Role.APPROVER)
RULES = [{"course": "complaints", "roles": ["handler", "approver"]}]


async def test_who_lacks_a_course_neither_gets_a_case_nor_proposes_nor_approves_until_it_is_passed(
    house: House,
) -> None:
    now = await house.env.get_current_time()
    today = now.date()
    passed = [{"course": "complaints", "first": today}]
    lapsed = [{"course": "complaints", "first": today - timedelta(9), "last": today - timedelta(1)}]

    async def staff(h1: list[dict[str, object]], a1: list[dict[str, object]]) -> None:
        people = [
            person("h-1", teams=TEAMS, training=h1),
            person("h-2", teams=TEAMS, training=lapsed),
            person("a-1", "approver", teams=TEAMS, training=a1),
            person("l-1", "team_lead", teams=TEAMS),
        ]
        await People(house.pool, signed).replace(directory(*people, teams=TEAMS), by=LEAD)

    await staff(passed, lapsed)
    await house.late_withdrawal("300000", days_late=30)
    reference = await house.submit(policy=own(house, training=RULES))
    await house.drafted(reference)
    with pytest.raises(Refused, match="handler: h-2 has not passed, or no longer, what handlers must have here"):
        await house.complaints.assign(reference, "h-2", by=LEAD)
    with pytest.raises(Refused, match="handler: a-1 has not passed"):
        await house.complaints.assign(reference, "a-1", by=LEAD)
    for who in ("l-1", "h-1"):  # of team leads the pack asks nothing
        await house.complaints.assign(reference, who, by=LEAD)
    await staff(lapsed, lapsed)

    async def propose() -> None:
        await house.complaints.propose_resolution(
            reference, by=H1, outcome=Outcome.UPHELD, as_found=True, reasons="Paid late."
        )

    async def refuses(role: str) -> None:
        with pytest.raises(Refused, match=f"what {role}s must have here: complaints"):
            await (propose() if role == "handler" else house.complaints.approve(reference, by=A1))

    await refuses("handler")
    with pytest.raises(NotAllowed, match="actor: h-1 has not passed, or no longer, what handlers must have here"):
        await Restrictions(house.pool, signed).propose(
            reference, ContactForm.BY_POST, "Forty calls a day.", until=now + timedelta(9), by=H1, at=now
        )
    await staff(passed, lapsed)
    await propose()
    await refuses("approver")
    await staff(passed, passed)
    await house.complaints.approve(reference, by=A1)
    await house.responded(reference)
