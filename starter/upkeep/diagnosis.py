"""A diagnosis: what troubles there are, and what to do about each kind."""

from enum import StrEnum
from typing import Final

from pydantic import Field

from domain.ground.base import Instant, Record


class Kind(StrEnum):
    """What sort of thing is wrong."""

    POSTGRESQL = "postgresql"
    TEMPORAL = "temporal"
    NO_WORKER = "no_worker"
    WORKFLOW_FAILING = "workflow_failing"
    CASE_WITHOUT_WORKFLOW = "case_without_workflow"
    WORKFLOW_WITHOUT_CASE = "workflow_without_case"
    START_NOT_OPENED = "start_not_opened"
    ACTIVITY_FAILING = "activity_failing"
    DEADLINE_OVERDUE = "deadline_overdue"
    CASE_WITH_NOBODY = "case_with_nobody"
    LETTER_WAITING = "letter_waiting"
    PAYMENT_IN_DOUBT = "payment_in_doubt"
    WEBHOOK_FAILING = "webhook_failing"
    MAIL_LOGIN = "mail_login"
    MAILBOX_SILENT = "mailbox_silent"
    LEDGER_FAULT = "ledger_fault"
    GUARD_MISSING = "guard_missing"
    MESSAGES_REJECTED = "messages_rejected"
    CALENDAR_RUNS_OUT = "calendar_runs_out"
    PACK_RUNS_OUT = "pack_runs_out"
    LETTER_INCOMPLETE = "letter_incomplete"
    ROLE_UNHELD = "role_unheld"
    TRAINING_LAPSED = "training_lapsed"
    ARTICLE_OUT_OF_DATE = "article_out_of_date"
    PROCESS_REVIEW_OVERDUE = "process_review_overdue"


TO_DO: Final = {
    Kind.POSTGRESQL: "start it, or correct DATABASE_URL; what is in the record was not looked at",
    Kind.TEMPORAL: "start it, or correct TEMPORAL_ADDRESS; the workflows were not looked at",
    Kind.NO_WORKER: "start a worker; if one runs, the end of its log says what it lacks",
    Kind.WORKFLOW_FAILING: "the workers' log has the cause; after a new version go back to the one before; if it is"
    " NotOfOurs, somebody answered in a worker's place: reset the workflow in Temporal to its last task",
    Kind.CASE_WITHOUT_WORKFLOW: "nobody goes on with it: see who ended it in its history, then `redress reconcile`",
    Kind.WORKFLOW_WITHOUT_CASE: "`redress reconcile`; if its start does not fit, have the sender submit it again",
    Kind.START_NOT_OPENED: "waiting: give the workers what is missing; refused: have the sender submit it again",
    Kind.ACTIVITY_FAILING: "mend what refuses (mail server, payment rail, database); it is tried again by itself",
    Kind.DEADLINE_OVERDUE: "a rung came due and nothing acted: look at workers, and at failing workflows above",
    Kind.CASE_WITH_NOBODY: "`redress route explain REF` says why: have somebody into the directory who may have it",
    Kind.LETTER_WAITING: "`redress letters REF` has the reason: `redress contact` corrects an address",
    Kind.PAYMENT_IN_DOUBT: "`redress pay show REF`; ask the rail, then `redress pay report`; never pay blindly",
    Kind.WEBHOOK_FAILING: "mend the address or have it mended, then `redress api webhook again`; or end it",
    Kind.MAIL_LOGIN: "authorise this installation again at the mail provider, and set its secret or refresh token",
    Kind.MAILBOX_SILENT: "the log of the channels says what the mail server refuses; mail waits in the mailbox",
    Kind.LEDGER_FAULT: "stop paying and run `redress ledger check`; after a restore `redress reconcile`",
    Kind.GUARD_MISSING: "whoever owns the database changed it: run `redress audit verify`, and put it back as its"
    " migration made it",
    Kind.MESSAGES_REJECTED: "`redress rejected REF` has messages and reasons",
    Kind.CALENDAR_RUNS_OUT: "put the new holidays into its file, then `redress calendar replan`",
    Kind.PACK_RUNS_OUT: "write the version that is to follow",
    Kind.LETTER_INCOMPLETE: "set in the pack what it names; `redress letters preview PACK` shows each letter",
    Kind.ROLE_UNHELD: "give it to somebody in the directory's file, then `redress directory import FILE`",
    Kind.TRAINING_LAPSED: "have it refreshed, and write it into the directory",
    Kind.PROCESS_REVIEW_OVERDUE: "look at the process and say what is to change (`redress process record`)",
    Kind.ARTICLE_OUT_OF_DATE: "customers see it no more: write it anew (`redress faq write`), or withdraw it",
}


class Trouble(Record):
    """Something that is wrong: with which ``subject`` (a reference, a workflow, a part), and how. No personal data."""

    kind: Kind
    subject: str
    what: str
    since: Instant | None = None


class Diagnosis(Record):
    """All that was found. ``more`` counts by kind what is not named in ``troubles``.

    ``late`` are checks that take longer than whoever asks would wait, by name: from when that is what is told of them,
    or None where nothing is known yet.
    """

    at: Instant
    troubles: tuple[Trouble, ...]
    more: dict[Kind, int]
    unchecked: tuple[str, ...]
    late: dict[str, Instant | None] = Field(default_factory=dict)
