"""A case that is taken up again, by whatever way, goes to people who have not decided on it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from domain.checks.findings import Check
from domain.ground.people import Actor
from domain.ground.words import Outcome, Role, Stage, TaskKind
from runtime.database import seen_by
from starter.client.conversation import Refused
from starter.client.directory import People
from starter.reading.cases import get_case
from starter.reading.database import CaseNotFound
from tests.people.support import LEAD, directory, person
from tests.signing import signed
from tests.workflows.house import CUSTOMER, House
from tests.workflows.test_tasks import TEAMS

H1, H2 = (Actor(id=one, role=Role.HANDLER) for one in ("h-1", "h-2"))
A1, A2 = (Actor(id=one, role=Role.APPROVER) for one in ("a-1", "a-2"))
L1, C1 = Actor(id="l-1", role=Role.TEAM_LEAD), Actor(id="c-1", role=Role.COMPLIANCE_OFFICER)
NO = {
    "outcome": Outcome.NOT_UPHELD,
    "reasons": "You complained: a payment was missing. We looked at: your account. We found: it was made in time.",
}


async def disputed(house: House, reference: str) -> None:
    """The customer does not agree with the final response."""
    await house.complaints.reply(reference, by=CUSTOMER, intent="dispute", text="l-1 told me otherwise.")


async def followed_up(house: House, reference: str) -> None:
    await house.complaints.reply(reference, by=CUSTOMER, intent="accept")
    await house.row(reference, lambda case: bool(case["stage"] == Stage.FOLLOWING_UP))


async def disputed_late(house: House, reference: str) -> None:
    """They do after they agreed, within the window."""
    await followed_up(house, reference)
    await disputed(house, reference)


async def reopened(house: House, reference: str) -> None:
    """They ask for it within the window."""
    await followed_up(house, reference)
    await house.complaints.reopen(reference, "l-1 told me otherwise.", by=CUSTOMER)


async def graded(house: House, reference: str) -> None:
    """They name somebody in their feedback, and somebody takes it up."""
    await followed_up(house, reference)
    await house.complaints.record_feedback(reference, 1, by=CUSTOMER, comment="l-1 told me otherwise.")
    await house.complaints.reopen(reference, "A fee was overlooked.", by=A2)


async def kept_out(house: House, reference: str, who: Actor) -> None:
    """Who is, neither reads the case nor gets it, a task of it, nor says anything to it."""
    say = house.complaints
    with pytest.raises(CaseNotFound):
        await get_case(seen_by(house.pool, who.person), reference)
    with pytest.raises(Refused, match=f"{who.id} is kept out"):
        await say.assign(reference, who.id, by=C1)
    with pytest.raises(Refused, match=f"{who.id} is kept out"):
        await say.give_task(reference, TaskKind.CALL_BACK, owner=who.id, by=C1)
    with pytest.raises(Refused, match=f"{who} is kept out"):
        await say.propose_resolution(reference, by=who, **NO)
    with pytest.raises(Refused, match=f"{who} is kept out"):
        await say.investigate(reference, Check.OFF_MARKET, by=who)


@pytest.mark.parametrize("taken_up", [disputed, disputed_late, reopened, graded])
async def test_who_decided_or_was_named_since_has_no_part_in_what_is_taken_up_again(
    house: House, taken_up: Callable[[House, str], Awaitable[None]]
) -> None:
    people = [
        *(person(one, teams=TEAMS) for one in ("h-1", "h-2")),
        *(person(one, "approver", teams=TEAMS) for one in ("a-1", "a-2")),
        person("l-1", "team_lead", teams=TEAMS),
        person("c-1", "compliance_officer", teams=TEAMS),
        person("e-1", "executive", teams=TEAMS),
    ]
    await People(house.pool, signed).replace(directory(*people, teams=TEAMS), by=LEAD)
    say = house.complaints
    reference = await house.submit(description="You never paid what you owe.", amount_claimed=None, trades=[])
    await house.at(reference, Stage.DECIDING)
    await say.assign(reference, "h-1", by=L1)
    await say.propose_resolution(reference, by=H1, **NO)
    with pytest.raises(Refused, match="never by its proposer"):
        await say.approve(reference, by=Actor(id="h-1", role=Role.APPROVER))
    await say.approve(reference, by=A1)
    await house.responded(reference)

    await taken_up(house, reference)
    await house.row(reference, lambda case: bool(case["stage"] == Stage.DECIDING and case["handler"] != "h-1"))
    for who in (H1, A1, L1):
        await kept_out(house, reference, who)
    had = "select array_agg(person) from casefile.assignments where reference = $1 and cause <> 'opened'"
    assert await house.fetchval(had, reference) == ["h-1", "c-1"], "not for a moment is it in the hands of l-1"
    await say.assign(reference, "h-2", by=C1)
    await say.propose_resolution(reference, by=H2, **NO)
    for who, why in ((A1, "is kept out"), (A2, "a superior of who decided before"), (H2, "never by its proposer")):
        with pytest.raises(Refused, match=why):
            await say.approve(reference, by=who)
    await say.approve(reference, by=C1)
    await house.sleep(timedelta(hours=1))
    await house.responded(reference)
    assert len(await house.timeline(reference, "decide_resolution")) == 2
