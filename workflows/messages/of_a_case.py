"""The messages of a case, one row each: the model, who may send it when, and what it does."""

from typing import Final

from domain.case.looking_again import BEFORE_RESPONSE, UNDER_INVESTIGATION
from domain.case.messages import (
    AddEvidence,
    Assign,
    CorrectContact,
    CustomerReply,
    DecideResolution,
    Escalate,
    ExtendDeadline,
    Investigate,
    NoteSign,
    ProposeResolution,
    Reclassify,
    RecordFeedback,
    RecordReferral,
    Reopen,
    ReplanDeadlines,
    ReportPayment,
    RequestInformation,
    ResolveEarly,
    RetryPayment,
    Withdraw,
)
from domain.ground.words import Stage
from domain.incidents.messages import IncidentChanged
from workflows.messages import deciding, handling, paying, signals
from workflows.parts.hearing import Gate, Update
from workflows.parts.inbox import Signal

_STAFF: Final = Gate(staff=True)
_BEFORE_RESPONSE: Final = Gate(staff=True, stages=BEFORE_RESPONSE)
_UNDER_INVESTIGATION: Final = Gate(staff=True, stages=UNDER_INVESTIGATION)
_DECIDING: Final = Gate(staff=True, stages=frozenset({Stage.DECIDING}))
_FOLLOWING_UP: Final = Gate(stages=frozenset({Stage.FOLLOWING_UP}))
_RETRYING: Final = Gate(staff=True, stages=frozenset({Stage.SETTLING}), though_withdrawn=True)
_REPORTING: Final = Gate(though_withdrawn=True)
_TO_THE_LAST_LETTER: Final = Gate(while_letters_wait=True)

SIGNALS: Final = (
    Signal(CustomerReply, signals.hear_reply),
    Signal(Escalate, signals.hear_escalation),
    Signal(IncidentChanged, signals.hear_of_incident),
)
"""From anybody, at any time."""

UPDATES: Final = (
    Update(Assign, handling.assign, _STAFF, handling.must_not_be_kept_out),
    Update(Reclassify, handling.reclassify, _BEFORE_RESPONSE, handling.must_be_ours),
    Update(AddEvidence, handling.add_evidence, fits=handling.must_leave_an_approved_account),
    Update(Investigate, handling.investigate, _BEFORE_RESPONSE, handling.must_be_investigable),
    Update(RequestInformation, handling.request_information, _UNDER_INVESTIGATION, handling.must_not_be_asking),
    Update(ProposeResolution, deciding.propose_resolution, _UNDER_INVESTIGATION, deciding.must_be_proposable),
    Update(DecideResolution, deciding.decide_resolution, _DECIDING, deciding.must_be_decidable),
    Update(ResolveEarly, deciding.resolve_early, _UNDER_INVESTIGATION, deciding.must_be_early),
    Update(ExtendDeadline, handling.extend_deadline, _STAFF, handling.must_be_extendable),
    Update(RecordReferral, handling.record_referral, _STAFF, handling.must_be_a_route),
    Update(ReplanDeadlines, handling.replan_deadlines, _STAFF),
    Update(RecordFeedback, handling.record_feedback, _FOLLOWING_UP),
    Update(CorrectContact, handling.correct_contact, _TO_THE_LAST_LETTER, first=handling.write_contact),
    Update(NoteSign, handling.note_sign, _STAFF),
    Update(Withdraw, handling.withdraw),
    Update(Reopen, handling.reopen, handling.reopening),
    Update(RetryPayment, paying.retry_payment, _RETRYING, paying.must_be_payable),
    Update(ReportPayment, paying.report_payment, _REPORTING, paying.must_be_reportable),
)
"""From the firm's tools, which learn whether it worked."""
