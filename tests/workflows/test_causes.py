"""No complaint that a person upheld is closed before its root cause is recorded."""

from datetime import timedelta

import pytest

from domain.ground.words import Stage
from record.facts import cases_up_to, cut_off
from starter.client.conversation import Refused
from tests.workflows.house import APPROVER, CUSTOMER, HANDLER, House


async def test_who_upholds_a_complaint_says_its_cause_before_it_is_closed(house: House) -> None:
    await house.late_withdrawal("300000", days_late=30)
    reference = await house.submit()
    await house.at(reference, Stage.DECIDING)
    complaints = house.complaints
    award = {"amount": "1972.60", "currency": "USD"}
    await complaints.propose_resolution(
        reference, by=HANDLER, outcome="upheld", compensation=award, reasons="The withdrawal was paid a month late."
    )
    await complaints.approve(reference, by=APPROVER)
    await house.responded(reference)
    await complaints.reply(reference, by=CUSTOMER, intent="accept")
    await house.at(reference, Stage.FOLLOWING_UP)
    late = await complaints.add_evidence(reference, "Seen late.", by=HANDLER, trades=["w-2"])
    assert "not looked at: the case is decided" in late.noted
    await house.sleep(timedelta(days=400))
    assert (await house.at(reference, Stage.FOLLOWING_UP))["closed_at"] is None
    assert (await complaints.status(reference)).waiting_for == "the root cause"
    letters = await house.fetch("select body from casefile.letters")
    assert sum("redress cause record" in letter["body"] for letter in letters) == 1

    with pytest.raises(Refused, match="cause: payments/typed_wrongly is not in the tree of causes"):
        await complaints.record_cause(reference, "payments/typed_wrongly", by=HANDLER)
    await complaints.record_cause(reference, "payments/own_delay", by=HANDLER, contributing=("people/late_answer",))
    await house.closed(reference)
    (case,) = [one async for one in cases_up_to(house.pool, await cut_off(house.pool))]
    assert (case.cause, case.contributing) == ("payments/own_delay", ("people/late_answer",))
    assert [(one.check, one.verdict) for one in case.findings] == [("withdrawal_delay", "firm_fault")]
