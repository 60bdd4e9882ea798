"""Clocks in a living case: what moves a deadline, what does not, and duties kept though nobody handles them."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from domain.clocks.calendar import Calendar
from domain.ground.people import Actor
from domain.ground.words import CaseEvent, LetterKind, Role, Stage
from starter.client.conversation import Refused
from tests.reasons import a_no
from tests.workflows.house import CUSTOMER, HANDLER, House
from tests.workflows.rules import HOLDING, OMBUDSMAN, SPECIAL, own, statutory

EXECUTIVE = Actor(id="e-1", role=Role.EXECUTIVE)
OFFICER = Actor(id="c-1", role=Role.COMPLIANCE_OFFICER)


async def undecided(house: House, policy: str | list[str], **changes: Any) -> str:
    """A case that waits for people: nothing in the trade log, nothing to ask."""
    reference = await house.submit(policy=policy, description="Something is wrong.", trades=[], **changes)
    await house.at(reference, Stage.DECIDING)
    return reference


async def ledger(house: House, reference: str, clock: str, rung: str = "due") -> list[asyncpg.Record]:
    return await house.fetch(
        "SELECT * FROM casefile.deadline_ledger WHERE reference = $1 AND clock = $2 AND rung = $3 ORDER BY number",
        reference,
        clock,
        rung,
    )


# -- extensions --------------------------------------------------------------------------------------------------------


async def test_an_extension_counts_once_it_is_approved_and_the_customer_has_been_told(house: House) -> None:
    reference = await undecided(house, own(house, statutory("response", 15, extensions=[SPECIAL])))
    reasons = "We wait for the exchange's record."
    with pytest.raises(Refused, match="role handler may not approve special; roles that may: executive"):
        await house.complaints.extend_deadline(reference, "response", "special", reasons, by=HANDLER)
    with pytest.raises(Refused, match="the pack knows no longer for response; it knows special"):
        await house.complaints.extend_deadline(reference, "response", "longer", reasons, by=EXECUTIVE)
    with pytest.raises(Refused, match="clock: answer is not running; clocks that can be extended: response"):
        await house.complaints.extend_deadline(reference, "answer", "special", reasons, by=EXECUTIVE)
    await house.complaints.extend_deadline(reference, "response", "special", reasons, by=EXECUTIVE)
    await house.sent(reference, LetterKind.EXTENSION)
    with pytest.raises(Refused, match="granted as often as the rule allows"):
        await house.complaints.extend_deadline(reference, "response", "special", reasons, by=EXECUTIVE)
    await house.sleep(timedelta(days=20))
    before, after = await ledger(house, reference, "response")
    assert (before["replaced"], before["satisfied_by"], before["fired_at"]) == (True, "extended", None)
    assert after["due"] - before["due"] == timedelta(days=30)
    assert not (await house.complaints.status(reference)).summary.breached
    letter = next(mail for mail in house.mail() if reasons in mail.get_content())
    assert "The rules allow 30 days more." in letter.get_content()


async def test_an_exceptional_extension_needs_a_reason_of_the_sort_that_the_rule_takes(house: House) -> None:
    exceptional = {**SPECIAL, "circumstances": ["beyond_control"]}
    reference = await undecided(house, own(house, statutory("response", 15, extensions=[exceptional])))
    granted = (reference, "response", "special", "The exchange has not answered our three letters.")
    for wrong in ({}, {"circumstance": "especially_complex"}):
        with pytest.raises(Refused, match="circumstance: the rule grants special in exceptional circumstances only"):
            await house.complaints.extend_deadline(*granted, by=EXECUTIVE, **wrong)
    await house.complaints.extend_deadline(*granted, by=EXECUTIVE, circumstance="beyond_control")
    await house.sent(reference, LetterKind.EXTENSION)
    before, after = await ledger(house, reference, "response")
    assert after["due"] - before["due"] == timedelta(days=30)


async def test_an_extension_that_no_letter_could_tell_of_in_time_leaves_the_breach(house: House) -> None:
    reference = await undecided(house, own(house, statutory("response", 0, length={"hours": 2}, extensions=[SPECIAL])))
    house.outbox.closed = True
    await house.complaints.extend_deadline(reference, "response", "special", "Because.", by=EXECUTIVE)
    await house.sleep(timedelta(hours=3))
    assert (await house.row(reference, lambda case: bool(case["breached"])))["breached"]
    house.outbox.closed = False
    await house.sleep(timedelta(hours=1))
    await house.eventually(lambda: house.timeline(reference, "given_up"))
    (only,) = await ledger(house, reference, "response")
    assert (only["breach"], only["replaced"]) == (True, False)
    assert "extension" not in await house.accepted_letters(reference)


async def test_a_reminder_that_the_answer_overtook_is_given_up_and_is_no_fault(house: House) -> None:
    asking = statutory("information", 0, kind="internal", trigger="information_requested", length={"hours": 2})
    asking |= {
        "satisfied_by": ["customer_replied", "responded"],
        "rungs": [
            {"name": "reminder", "after_start": {"hours": 1}, "actions": ["reminder_letter"]},
            {"name": "due", "actions": ["stop_waiting"]},
        ],
    }
    reference = await house.submit(trades=["w-unknown"], policy=own(house, asking))
    await house.sent(reference, LetterKind.INFORMATION_REQUEST)
    async with house.holding("SendLetter"):
        await house.sleep(timedelta(hours=1))
        await house.complaints.reply(reference, by=CUSTOMER, text="It was no withdrawal.")
        await house.at(reference, Stage.DECIDING)
    await house.eventually(lambda: house.timeline(reference, "given_up"))
    assert not await house.timeline(reference, "fault")
    assert "reminder" not in await house.accepted_letters(reference)


async def test_an_extension_that_would_change_nothing_is_refused(house: House) -> None:
    to = {**{key: value for key, value in SPECIAL.items() if key != "by"}, "to": {"days": 15}}
    reference = await undecided(house, own(house, statutory("response", 15, extensions=[to])))
    with pytest.raises(Refused, match="response runs for 15 days or longer already; nothing would change"):
        await house.complaints.extend_deadline(reference, "response", "special", "Because.", by=EXECUTIVE)


# -- what a statutory clock ignores ------------------------------------------------------------------------------------


async def test_a_statutory_clock_runs_on_while_the_customer_is_asked_and_an_internal_one_may_wait(house: House) -> None:
    target = statutory("target", 12, kind="internal", pauses=True)
    reference = await undecided(house, own(house, statutory("response", 15), target))
    await house.complaints.request_information(reference, "Which one?", by=HANDLER)
    await house.sent(reference, LetterKind.INFORMATION_REQUEST)
    await house.sleep(timedelta(days=8))
    assert [row["satisfied_by"] for row in await ledger(house, reference, "target")] == ["information_requested"]
    await house.complaints.reply(reference, by=HANDLER, text="The second.")
    await house.eventually(lambda: has_rounds(house, reference, "target", 2))
    paused, resumed = await ledger(house, reference, "target")
    assert resumed["due"] - paused["due"] == timedelta(days=8)
    await house.sleep(timedelta(days=8))
    await house.row(reference, lambda case: bool(case["breached"]))
    (response,) = await ledger(house, reference, "response")
    assert response["breach"]
    assert response["due"] - response["started_at"] < timedelta(days=16)


async def has_rounds(house: House, reference: str, clock: str, count: int) -> bool:
    return len(await ledger(house, reference, clock)) == count


async def test_a_reclassification_brings_a_statutory_deadline_forward_and_never_back(house: House) -> None:
    stricter = {"length": {"days": 21}, "categories": ["hardship"], "source": "Test", "confirmed": True}
    reference = await undecided(house, own(house, statutory("response", 30, lengths=[stricter])))
    await house.complaints.reclassify(reference, "In hardship.", by=HANDLER, category="hardship")
    await house.eventually(lambda: has_rounds(house, reference, "response", 2))
    await house.complaints.reclassify(reference, "Not in hardship.", by=HANDLER, category="fee")
    before, after = await ledger(house, reference, "response")
    assert (before["satisfied_by"], before["replaced"]) == ("reclassified", True)
    assert before["due"] - after["due"] == timedelta(days=9)
    assert after["satisfied_at"] is None


# -- duties without a handler ------------------------------------------------------------------------------------------


def eight_weeks(days: int = 56) -> dict[str, Any]:
    rungs = [
        {"name": "letter", "before": {"days": 2}, "actions": ["holding_letter"], "letter": "holding"},
        {"name": "due", "actions": ["breach", "escalate"], "level": 2},
    ]
    return statutory("eight-weeks", days, satisfied_by=["responded", "held"], rungs=rungs)


async def test_the_holding_letter_goes_out_in_time_though_nobody_touched_the_case(house: House) -> None:
    policy = own(house, eight_weeks(5), letters=[HOLDING], routes=[OMBUDSMAN])
    reference = await undecided(house, policy)
    await house.sleep(timedelta(days=6))
    await house.sent(reference, LetterKind.HOLDING)
    (duty,) = await ledger(house, reference, "eight-weeks")
    assert (duty["satisfied_by"], duty["breach"]) == ("held", False)
    assert duty["satisfied_at"] < duty["due"]
    text = next(mail.get_content() for mail in house.mail() if "The rules allow us more time." in mail.get_content())
    assert "Example Ombudsman" in text
    assert "1 Example Street" in text


async def test_a_holding_letter_that_cannot_name_the_ombudsman_is_not_faked_but_loud(house: House) -> None:
    nameless = {**OMBUDSMAN, "contact": None}
    reference = await undecided(house, own(house, eight_weeks(5), letters=[HOLDING], routes=[nameless]))
    await house.sleep(timedelta(days=6))
    case = await house.row(reference, lambda case: bool(case["breached"]))
    assert case["escalation_level"] >= 1
    assert "holding" not in await house.accepted_letters(reference)
    (fault, *_) = await house.timeline(reference, "fault")
    assert "ombudsman" in fault
    (duty,) = await ledger(house, reference, "eight-weeks")
    assert duty["breach"]
    # The letter that never went out does not keep the case from its end.
    await house.complaints.withdraw(reference, by=CUSTOMER)
    await house.closed(reference)


# -- early closure and referral ----------------------------------------------------------------------------------------

TOLD = "On the telephone: the fee is all they ask for."
EARLY = {"within": {"business_days": 3}, "source": "Made for the test", "confirmed": True}


async def test_a_complaint_that_is_settled_early_ends_with_a_summary_letter(house: House) -> None:
    reference = await undecided(house, own(house, statutory("response", 56), early_closure=EARLY))
    with pytest.raises(Refused, match="needs a second person's approval; use propose_resolution"):
        await house.complaints.resolve_early(
            reference,
            by=HANDLER,
            outcome="upheld",
            compensation={"amount": "5000", "currency": "USD"},
            reasons="Paid back.",
            told=TOLD,
        )
    await house.complaints.resolve_early(
        reference,
        by=HANDLER,
        outcome="upheld",
        compensation={"amount": "20", "currency": "USD"},
        reasons="The fee is paid back.",
        told=TOLD,
    )
    await house.at(reference, Stage.FOLLOWING_UP)
    letters = await house.accepted_letters(reference)
    assert letters[:2] == ["acknowledgement", "summary_resolution"]
    assert "final_response" not in letters
    await house.complaints.record_cause(reference, "charges/wrong_charge", by=HANDLER)
    closed = await house.closed(reference)
    assert (str(closed.compensation), closed.breached) == ("USD 20.00", False)


async def test_after_the_time_for_it_no_complaint_ends_early(house: House) -> None:
    reference = await undecided(house, own(house, statutory("response", 56), early_closure=EARLY))
    await house.sleep(timedelta(days=7))
    with pytest.raises(Refused, match="the time for an early closure ended at"):
        await house.complaints.resolve_early(reference, by=HANDLER, outcome="not_upheld", reasons=a_no(), told=TOLD)
    without = await undecided(house, own(house, statutory("response", 56), name="without"))
    with pytest.raises(Refused, match="policy pack without has no early closure"):
        await house.complaints.resolve_early(without, by=HANDLER, outcome="not_upheld", reasons=a_no(), told=TOLD)


async def test_a_referral_to_an_outside_body_starts_the_clocks_of_its_own(house: House) -> None:
    file = statutory("ombudsman-file", 14, trigger="referred", satisfied_by=["settled"])
    now = await house.env.get_current_time()
    policy = own(house, file, routes=[OMBUDSMAN])
    reference = await undecided(house, policy, received_at=now - timedelta(days=5))
    now = await house.env.get_current_time()
    with pytest.raises(Refused, match="route: the policy pack has no court; it has ombudsman"):
        await house.complaints.record_referral(reference, "court", now, by=HANDLER)
    with pytest.raises(Refused, match="referred_at: it lies before the complaint was received"):
        await house.complaints.record_referral(reference, "ombudsman", now - timedelta(days=9), by=HANDLER)
    with pytest.raises(Refused, match="referred_at: it lies in the future"):
        await house.complaints.record_referral(reference, "ombudsman", now + timedelta(days=1), by=HANDLER)
    await house.complaints.record_referral(reference, "ombudsman", now - timedelta(days=3), by=HANDLER)
    await house.eventually(lambda: ledger(house, reference, "ombudsman-file"))
    (row,) = await ledger(house, reference, "ombudsman-file")
    assert row["started_at"] == now - timedelta(days=3)


# -- several packs -----------------------------------------------------------------------------------------------------


async def test_of_two_packs_the_strictest_acts_and_the_ledger_shows_both(house: House) -> None:
    bank = own(house, statutory("response", 10), name="bank")
    payments = own(house, statutory("response", 5), name="payments")
    reference = await undecided(house, [bank, payments])
    await house.sleep(timedelta(days=11))
    for clock in ("response", "payments/response"):
        (row,) = await ledger(house, reference, clock)
        assert row["breach"]
    escalations = await house.timeline(reference, "escalation")
    assert escalations == ["escalation: level 2, compliance_officer: deadline payments/response passed"]
    assert len(await house.timeline(reference, "breach")) == 2


async def test_a_rung_before_the_end_says_that_the_deadline_ends_and_one_at_its_end_that_it_passed(
    house: House,
) -> None:
    rungs = [
        {"name": "early", "before": {"days": 2}, "actions": ["escalate"], "level": 1},
        {"name": "due", "actions": ["breach", "escalate"], "level": 2},
    ]
    reference = await undecided(house, own(house, statutory("response", 15, rungs=rungs)))
    await house.sleep(timedelta(days=16))

    async def raised_twice() -> bool:
        return len(await house.timeline(reference, "escalation")) >= 2

    await house.eventually(raised_twice)
    early, late = await house.timeline(reference, "escalation")
    assert "deadline response ends at " in str(early)
    assert "passed" not in str(early)
    assert "deadline response passed" in str(late)


async def test_a_clock_that_was_extended_leaves_the_warning_to_the_one_that_is_stricter_now(house: House) -> None:
    warning = {"name": "warning", "before": {"days": 2}, "actions": ["warn"]}
    rungs = [warning, {"name": "due", "actions": ["breach"]}]
    bank = own(house, statutory("response", 5, rungs=rungs, extensions=[SPECIAL]), name="bank")
    payments = own(house, statutory("response", 10, rungs=rungs), name="payments")
    reference = await undecided(house, [bank, payments])
    await house.sleep(timedelta(days=4))
    await house.complaints.extend_deadline(reference, "response", "special", "We wait.", by=EXECUTIVE)
    await house.sent(reference, LetterKind.EXTENSION)
    await house.sleep(timedelta(days=5))

    async def warned_twice() -> bool:
        notices = [text for text in await house.timeline(reference, "letter") if "The deadline" in text]
        (row,) = await ledger(house, reference, "payments/response")
        return len(notices) == 2 and f"{row['due']:%Y-%m-%d %H:%M} UTC" in notices[1]

    await house.eventually(warned_twice)


async def test_a_pack_that_leaves_its_time_to_the_firm_takes_on_no_case(house: House) -> None:
    reference = await house.submit(policy=own(house, {**statutory("response", 1), "length": None}))

    async def waiting() -> str | None:
        reason: str | None = await house.fetchval(
            "select reason from casefile.unopened where workflow_id = $1 and state = 'waiting'", reference
        )
        return reason

    assert "leaves to the firm" in await house.eventually(waiting)
    assert await house.fetchval("SELECT count(*) FROM casefile.cases") == 0


# -- calendars ---------------------------------------------------------------------------------------------------------


async def test_a_case_is_planned_anew_on_an_extended_calendar(house: House) -> None:
    short = Calendar(id="cn", time_zone="Asia/Shanghai", country="CN", verified_until=house.today)
    clock = statutory("response", 0, length={"business_days": 10})
    reference = await undecided(house, own(house, clock, calendar=short.model_dump()))
    (row,) = await ledger(house, reference, "response")
    assert row["provisional"]
    last = row["due"].astimezone(short.zone).date()
    later = Calendar.model_validate(
        {
            **short.model_dump(),
            "verified_until": last + timedelta(days=365),
            "closures": [{"day": last, "why": "a day off", "official": True, "source": "the new notice"}],
        }
    )
    await house.pool.execute(
        "INSERT INTO casefile.calendars (hash, id, content, added_at, added_by) VALUES ($1, 'cn', $2, now(), 'test')",
        later.hash,
        later.model_dump(mode="json"),
    )
    await house.complaints.replan_deadlines(reference, later.hash, by=OFFICER)
    before, after = await ledger(house, reference, "response")
    assert (before["satisfied_by"], before["replaced"]) == ("replanned", True)
    assert (after["due"] > before["due"], after["provisional"]) == (True, False)


# -- firing ------------------------------------------------------------------------------------------------------------


async def test_a_letter_accepted_in_time_is_no_breach_though_its_answer_came_late(house: House) -> None:
    policy = own(house, statutory("acknowledgement", 0, length={"hours": 24}, satisfied_by=["acknowledged"]))
    house.lost_answers = [timedelta(days=2)]
    reference = await house.submit(policy=policy, description="Something is wrong.", trades=[])
    await house.sent(reference, LetterKind.ACKNOWLEDGEMENT)
    await house.sleep(timedelta(days=3))
    await house.at(reference, Stage.DECIDING)
    (row,) = await ledger(house, reference, "acknowledgement")
    assert (row["satisfied_by"], row["fired_at"]) == (CaseEvent.ACKNOWLEDGED, None)
    assert not (await house.complaints.status(reference)).summary.breached
