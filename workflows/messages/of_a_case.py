"""The messages of a case, one row each: the model, who may send it when, and what it does."""

from typing import Final

from domain.case.looking_again import BEFORE_RESPONSE, UNDER_INVESTIGATION
from domain.case.messages.deciding import DecideResolution, ProposeDraft, ProposeResolution, ResolveEarly
from domain.case.messages.evidence import AddEvidence, Investigate, RequestInformation
from domain.case.messages.giving import FinishTask, GiveTask, ReassignTask
from domain.case.messages.handling import (
    Assign,
    ChooseChannel,
    CorrectContact,
    ExtendDeadline,
    NoteSign,
    Reclassify,
    RecordCause,
    RecordFeedback,
    Reopen,
    ReplanDeadlines,
    VerifyComplainant,
    Withdraw,
)
from domain.case.messages.outside import RecordReferral, ReportReferral
from domain.case.messages.paying import ReportPayment, RetryPayment
from domain.case.messages.putting_right import ConfirmRemedy, GrantRelief, ReassignRemedy
from domain.case.messages.signals import Arrived, CustomerReply, Escalate, PeopleChanged
from domain.ground.words import Stage
from domain.incidents.messages import IncidentChanged
from workflows.messages import deciding, evidence, giving, handling, outside, paying, putting_right, signals
from workflows.parts.hearing import Gate, Update
from workflows.parts.inbox import Signal

_STAFF: Final = Gate(staff=True)
_BEFORE_RESPONSE: Final = Gate(staff=True, stages=BEFORE_RESPONSE)
_UNDER_INVESTIGATION: Final = Gate(staff=True, stages=UNDER_INVESTIGATION)
_BEFORE_SETTLING: Final = Gate(staff=True, stages=BEFORE_RESPONSE | {Stage.RESPONDED})
_DECIDING: Final = Gate(staff=True, stages=frozenset({Stage.DECIDING}))
_FOLLOWING_UP: Final = Gate(stages=frozenset({Stage.FOLLOWING_UP}))
_RETRYING: Final = Gate(staff=True, stages=frozenset({Stage.SETTLING}), though_withdrawn=True)
_REPORTING: Final = Gate(though_withdrawn=True)
_AT_WORK: Final = Gate(staff=True, though_withdrawn=True)
_AFTER_THE_END_TOO: Final = Gate(staff=True, though_closed=True)
_TO_THE_LAST_LETTER: Final = Gate(while_letters_wait=True)
_PROPOSING: Final = deciding.before_proposing

SIGNALS: Final = (
    Signal(CustomerReply, signals.hear_reply),
    Signal(Escalate, signals.hear_escalation),
    Signal(Arrived, signals.hear_arrival),
    Signal(PeopleChanged, signals.hear_of_people),
    Signal(IncidentChanged, signals.hear_of_incident),
)
"""From anybody, at any time."""

UPDATES: Final = (
    Update(Assign, handling.assign, _STAFF, handling.must_not_be_kept_out, before=handling.before_assigning),
    Update(Reclassify, handling.reclassify, _BEFORE_RESPONSE, handling.must_be_ours),
    Update(AddEvidence, evidence.add_evidence, fits=evidence.must_leave_an_approved_account),
    Update(Investigate, evidence.investigate, _BEFORE_RESPONSE, evidence.must_be_investigable),
    Update(RequestInformation, evidence.request_information, _UNDER_INVESTIGATION, evidence.must_not_be_asking),
    Update(
        ProposeResolution,
        deciding.propose_resolution,
        _UNDER_INVESTIGATION,
        deciding.must_be_proposable,
        before=_PROPOSING,
    ),
    Update(ProposeDraft, deciding.propose_draft, _DECIDING, deciding.must_be_the_draft, before=_PROPOSING),
    Update(
        DecideResolution,
        deciding.decide_resolution,
        _DECIDING,
        deciding.must_be_decidable,
        before=deciding.before_deciding,
    ),
    Update(
        ResolveEarly,
        deciding.resolve_early,
        _UNDER_INVESTIGATION,
        deciding.must_be_early,
        before=_PROPOSING,
    ),
    Update(ExtendDeadline, handling.extend_deadline, _STAFF, handling.must_be_extendable),
    Update(RecordReferral, outside.record_referral, _AFTER_THE_END_TOO, outside.must_be_a_route),
    Update(ReportReferral, outside.report_referral, _STAFF, outside.must_be_reportable),
    Update(ReplanDeadlines, handling.replan_deadlines, _STAFF),
    Update(RecordFeedback, handling.record_feedback, _FOLLOWING_UP, handling.must_be_of_what_stands),
    Update(RecordCause, handling.record_cause, _STAFF, handling.must_be_known_causes),
    Update(CorrectContact, handling.correct_contact, _TO_THE_LAST_LETTER, first=handling.write_contact),
    Update(ChooseChannel, handling.choose_channel, _TO_THE_LAST_LETTER),
    Update(NoteSign, handling.note_sign, _STAFF),
    Update(VerifyComplainant, handling.verify_complainant, _STAFF),
    Update(Withdraw, handling.withdraw, fits=outside.must_not_be_outside),
    Update(Reopen, handling.reopen, handling.reopening),
    Update(GrantRelief, putting_right.grant, _BEFORE_SETTLING, putting_right.must_end),
    Update(ConfirmRemedy, putting_right.confirm_remedy, _REPORTING, putting_right.must_be_owed),
    Update(ReassignRemedy, putting_right.reassign, _AT_WORK, putting_right.must_be_allowed_to_have_it),
    Update(GiveTask, giving.give, _AT_WORK, giving.must_be_kept),
    Update(FinishTask, giving.finish, _AT_WORK, giving.must_be_open),
    Update(ReassignTask, giving.reassign, _AT_WORK, giving.must_be_allowed_to_have_it),
    Update(RetryPayment, paying.retry_payment, _RETRYING, paying.must_be_payable),
    Update(ReportPayment, paying.report_payment, _REPORTING, paying.must_be_reportable),
)
"""From the firm's tools, which learn whether it worked."""
