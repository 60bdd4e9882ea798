"""Signs in the life of a case: danger to life reaches people at once; none shows where it must not, or changes what is
decided.
"""

from datetime import timedelta
from typing import Any

import pytest

from domain.ground.people import Actor
from domain.ground.words import LetterKind, Priority, Role, SignKind, SignStep, Stage
from domain.people.guidance import ALARM
from domain.people.signs import Sign
from starter.client.directory import People
from starter.reading.hands import read_signs
from tests.people.support import LEAD, directory, person
from tests.signing import signed
from tests.workflows.house import APPROVER, HANDLER, House

TEAMS = ("dealing", "payments", "accounts", "conduct", "customer-care")
FRAUD = Sign(kind=SignKind.FRAUD, rests_on=("the bank telephoned",))


async def alarmed(house: House, reference: str, *who: str) -> bool:
    """Whether the alarm, among whatever else they were told, has reached these people and nobody else."""
    rows = await house.fetch(
        "select addressee, body from casefile.letters where (reference, kind) = ($1, 'staff_notice')", reference
    )
    return {row["addressee"] for row in rows if ALARM.en[:40] in " ".join(row["body"].split())} == set(who)


@pytest.fixture
async def staffed(house: House) -> House:
    people = [person("h-1", teams=TEAMS), person("l-1", "team_lead", teams=TEAMS), person("e-1", "executive")]
    await People(house.pool, signed).replace(directory(*people, teams=TEAMS), by=LEAD)
    return house


async def test_danger_to_life_reaches_named_persons_at_once_and_stands_in_no_letter_or_list(staffed: House) -> None:
    await staffed.late_withdrawal()
    reference = await staffed.submit(description="My withdrawal was late. I want to die.")
    await staffed.eventually(lambda: alarmed(staffed, reference, "h-1", "l-1"))
    status = await staffed.complaints.status(reference)
    assert (status.summary.handler, status.summary.priority) == ("h-1", Priority.P1)
    assert [one.key for one in await read_signs(staffed.pool, reference)] == ["danger_to_life"]
    told = await staffed.fetch(
        "select body from casefile.letters where reference = $1 and kind <> 'staff_notice'", reference
    )
    assert not any("danger" in row["body"] for row in told)


@pytest.mark.parametrize("words", ["", " 我不想活了。"])
async def test_who_may_be_in_danger_of_their_life_is_asked_nothing_by_rule(staffed: House, words: str) -> None:
    reference = await staffed.submit(account=None, description=f"出金一直没有到账。{words}", language="zh-CN")
    await staffed.at(reference, Stage.DECIDING if words else Stage.INVESTIGATING)
    if not words:
        await staffed.sent(reference, LetterKind.INFORMATION_REQUEST)
    assert ("information_request" in await staffed.accepted_letters(reference)) == (not words)


async def test_what_a_person_notes_is_apart_from_the_timeline_and_alarms_once(staffed: House) -> None:
    await staffed.late_withdrawal("3000000")
    reference = await staffed.submit()
    await staffed.at(reference, Stage.DECIDING)
    sign = Sign(kind=SignKind.DANGER_TO_LIFE, rests_on=("said so on the telephone",))
    handler = Actor(id="h-1", role=Role.HANDLER)
    for step in (SignStep.RAISED, SignStep.CONFIRMED):
        await staffed.complaints.note_sign(reference, step, sign, by=handler)
    await staffed.eventually(lambda: alarmed(staffed, reference, "h-1", "l-1"))
    assert (await staffed.complaints.status(reference)).summary.priority is Priority.P1
    rows = await staffed.fetch(
        "select text, data from casefile.timeline where reference = $1 and kind <> 'letter'", reference
    )
    assert not [row for row in rows if "telephone" in str(row["data"]) or "danger" in row["text"]]
    letters = await staffed.fetch("select body from casefile.letters where reference = $1", reference)
    assert sum("danger of their life" in letter["body"] for letter in letters) == 2
    (one,) = await read_signs(staffed.pool, reference)
    assert (one.sign.rests_on, one.confirmed_by) == (("said so on the telephone",), handler)


@pytest.mark.parametrize(
    ("words", "by_rule"),
    [
        ("", True),
        ("I am in hospital, these were my life savings.", False),  # a vulnerable customer is decided on by people
        ("It was a fraudster.", True),  # one doubtful word
        ("I was hacked by a fraudster.", False),
    ],
)
async def test_signs_decide_whether_people_decide_and_never_what(house: House, words: str, by_rule: bool) -> None:
    await house.late_withdrawal()
    reference = await house.submit(description=f"My withdrawal was paid far too late. {words}")
    if by_rule:
        await house.responded(reference)
        return
    await house.drafted(reference)
    status = await house.complaints.status(reference)
    assert status.proposal == "upheld, USD 18.41"  # what follows from the findings is shown to whoever decides
    award = {"amount": "18.41", "currency": "USD"}
    await house.complaints.propose_resolution(
        reference, by=HANDLER, outcome="upheld", compensation=award, reasons="It was late."
    )
    await house.complaints.approve(reference, by=APPROVER)  # though a person alone could give so little
    await house.responded(reference)
    await house.sleep(timedelta(days=30))
    assert await house.eventually(lambda: house.timeline(reference, "no_answer"))
    assert (await house.complaints.status(reference)).summary.stage is Stage.RESPONDED  # silence closes nothing here


async def test_a_sign_that_a_person_withdrew_asks_for_nothing(house: House) -> None:
    await house.late_withdrawal("3000000")
    reference = await house.submit(description="My withdrawal was paid far too late. I was hacked by a fraudster.")
    await house.at(reference, Stage.DECIDING)
    assert [one.key for one in await read_signs(house.pool, reference)] == ["fraud"]
    await house.complaints.note_sign(reference, SignStep.WITHDRAWN, FRAUD, by=HANDLER, reason="It was her own login.")
    assert await read_signs(house.pool, reference) == []


async def test_nobody_but_staff_notes_signs(house: House) -> None:
    reference = await house.submit()
    customer: Any = Actor(id="customer", role=Role.CUSTOMER)
    with pytest.raises(Exception, match="may not send note_sign"):
        await house.complaints.note_sign(reference, SignStep.RAISED, FRAUD, by=customer)
