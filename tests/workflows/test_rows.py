"""What a new message or effect needs: who forgets a part of it is told here what is missing."""

import ast
import tomllib
from typing import Any, Final

import pytest
from temporalio import workflow

from domain.case.messages import signals, table
from domain.ground.messages import Message
from domain.incidents.messages import INCIDENT_UPDATES, IncidentChanged
from recovery.history import LEAVES_NOTHING
from runtime.paths import ROOT
from workflows.complaint import ComplaintWorkflow
from workflows.effects import EFFECTS
from workflows.incident import IncidentWorkflow
from workflows.messages import of_a_case, of_an_incident
from workflows.parts.hearing import Gate, Update

FROM_ANYBODY: Final = {
    "add_evidence",
    "confirm_remedy",
    "choose_channel",
    "correct_contact",
    "record_feedback",
    "reopen",
    "report_payment",
    "withdraw",
}
"""The updates that are not for staff alone."""
NO_STEP: Final = {
    "arrived",
    "people_changed",
    "investigate",
    "extend_deadline",
    "record_referral",
    "report_referral",
    "replan_deadlines",
    "correct_contact",
    "choose_channel",
    "note_sign",
    "grant_relief",
    "confirm_remedy",
    "reassign_remedy",
    "give_task",
    "finish_task",
    "reassign_task",
    "retry_payment",
    "report_payment",
}
"""Messages that are no step towards the decision: an evidence pack tells of them elsewhere, or not."""

WORKFLOWS: Final[dict[type, tuple[tuple[Update[Any, Any], ...], tuple[type[Message], ...]]]] = {
    ComplaintWorkflow: (of_a_case.UPDATES, table.UPDATES),
    IncidentWorkflow: (of_an_incident.UPDATES, INCIDENT_UPDATES),
}
EVERY_UPDATE: Final[tuple[Update[Any, Any], ...]] = (*of_a_case.UPDATES, *of_an_incident.UPDATES)


@pytest.mark.parametrize("kind", WORKFLOWS, ids=str)
def test_every_update_has_a_row_and_the_workflow_a_handler_that_asks_before_it_acts(kind: type) -> None:
    rows, known = WORKFLOWS[kind]
    assert [row.kind for row in rows] == list(known), "one row for each, in the order of the models"
    handlers = workflow._Definition.must_from_class(kind).updates
    assert set(handlers) == {message.name for message in known}
    assert all(handler.validator and handler.description for handler in handlers.values())


def test_every_signal_has_a_row_and_a_handler() -> None:
    kinds: tuple[type[Message], ...] = (*table.SIGNALS, IncidentChanged)
    known = {kind.name for kind in kinds}
    assert {row.kind.name for row in of_a_case.SIGNALS} == known
    handlers = workflow._Definition.must_from_class(ComplaintWorkflow).signals
    assert {name for name in handlers if name} == known
    assert all(handler.description for handler in handlers.values())


def test_who_is_no_member_of_staff_may_send_these_updates_only() -> None:
    open_to_all = {row.kind.name for row in EVERY_UPDATE if not (isinstance(row.gate, Gate) and row.gate.staff)}
    assert open_to_all == FROM_ANYBODY, "give its row Gate(staff=True), or say here that it is for anybody"


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_every_message_of_a_case_has_a_word_in_the_evidence_pack_or_is_no_step_of_it(language: str) -> None:
    words = tomllib.loads((ROOT / "templates" / language / "evidence.toml").read_text("utf-8"))["step"]
    kinds: tuple[type[Message], ...] = (*table.SIGNALS, *table.UPDATES)
    assert {kind.name for kind in kinds} - set(words) == NO_STEP, f"[step] in templates/{language}/evidence.toml"


OF_THE_SERVICE: Final = {signals.Arrived, signals.PeopleChanged}
"""What the service itself tells a case, and no client does."""


@pytest.mark.parametrize("place", ["client/redress_complaints/messages.py", "starter/client/complaints.py"])
def test_every_message_of_a_case_can_be_sent_by_the_clients(place: str) -> None:
    kinds = {*table.SIGNALS, *table.UPDATES} - OF_THE_SERVICE
    tree = ast.parse((ROOT / place).read_text("utf-8"))
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    listed = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert {kind.__name__ for kind in kinds} <= named | listed, place


@pytest.mark.parametrize("place", ["recovery/keys.py", "recovery/rewriting.py"])
def test_recovery_knows_of_every_effect_what_it_leaves_in_the_file(place: str) -> None:
    tree = ast.parse((ROOT / place).read_text("utf-8"))
    cases = {
        node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.MatchValue)
        if isinstance(node.value, ast.Constant)
    }
    assert cases | LEAVES_NOTHING == set(EFFECTS), f"{place}: name it in its match, or in LEAVES_NOTHING"
    assert cases & LEAVES_NOTHING == set(), place
