"""The page of a case in Temporal's UI tells an operator where it stands and what to send next, and nothing personal."""

import re

from hypothesis import given
from hypothesis import strategies as st

from domain.case.case import Case
from domain.case.messages.table import SIGNALS, UPDATES
from domain.ground.words import Stage
from domain.people.matching import Identity, IdentityState
from tests.case.test_by_rule import cases
from tests.case.test_resolution import FAULT, case
from workflows.page import page

MESSAGES = {message.name for message in (*SIGNALS, *UPDATES)}
LIVING = [stage for stage in Stage if stage is not Stage.CLOSED]


def advice(of: Case) -> str:
    told = page(of, None)
    return told[told.index("**What you can do**") :]


@given(cases(), st.sampled_from(LIVING), st.sampled_from(["h-17", None]))
def test_it_tells_stage_handler_deadline_and_what_can_be_sent_and_nothing_personal(
    of: Case, stage: Stage, handler: str | None
) -> None:
    of.stage, of.handler = stage, handler
    told = page(of, "a proposal")
    assert told.startswith(f"## {of.reference}: {stage.value.replace('_', ' ')}")
    assert f"**Handler** {handler or 'not assigned'}" in told
    assert "**Next deadline** " in told
    assert "**Waiting for** a proposal" in told
    sent = set(re.findall(r"`(\w+)`", advice(of)))
    assert {"escalate", "withdraw"} <= sent <= MESSAGES
    who = of.complaint.complainant
    personal = (who.name, who.email, who.phone, of.complaint.account, of.complaint.description)
    assert not [one for one in personal if one and one in told]


def test_in_decision_the_first_thing_is_to_find_out_who_complains() -> None:
    of = case(FAULT)
    of.stage, of.identity = Stage.DECIDING, Identity(state=IdentityState.OPEN)
    assert "Send `verify_complainant`" in advice(of)
    of.identity = Identity(state=IdentityState.VERIFIED)
    assert "`verify_complainant`" not in advice(of)
    assert "Send `propose_resolution`" in advice(of)


def test_once_it_is_closed_nothing_is_sent_but_what_takes_it_up_again() -> None:
    of = case(FAULT)
    of.stage = Stage.CLOSED
    assert set(re.findall(r"`(\w+)`", advice(of))) <= {"record_referral"}
