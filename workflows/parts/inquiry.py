"""The inquiry: what the firm's own log says, and what only the customer can tell."""

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from domain.case.answers import Question
from domain.case.case import Case
from domain.case.file import CaseUpdate, Recorded
from domain.case.questions import ask_for
from domain.case.requests import EarlyWarning
from domain.checks.choice import MOST_NUMBERS, checks_for, numbers_in
from domain.checks.findings import Check, InvestigationRequest
from domain.checks.table import CHECKS
from domain.ground import spoken
from domain.ground.words import CaseEvent, LetterKind, Role
from domain.rules.interest import interest_for
from workflows import effects
from workflows.parts.faults import Faults
from workflows.parts.post import Post
from workflows.parts.recorder import Recorder
from workflows.parts.waiting import Waiting


class Inquiry:
    """Finds out what happened."""

    def __init__(
        self, case: Case, recorder: Recorder[CaseUpdate, Recorded], waiting: Waiting, post: Post, faults: Faults
    ) -> None:
        self._case, self._recorder, self._waiting = case, recorder, waiting
        self._post, self._faults = post, faults

    async def query_the_trade_log(self) -> None:
        """Run the pack's checks for the category, those the complaint's words point to, and those people asked for.

        Whether there is anything to ask is decided by what was recorded, never by lists of words that may change.
        """
        case = self._case
        category = case.assessment.category if case.assessment else None
        if category is None or case.account is None or not _is_ours(case):
            return
        pointed = (*case.pointed, *case.pointed_later)
        checks = (*checks_for(category, case.pack.checks, pointed), *case.asked_checks)
        if not checks:
            return
        request = InvestigationRequest(
            checks=tuple(dict.fromkeys(checks)),
            account=case.account,
            trades=case.trades,
            occurred_from=case.complaint.occurred_from,
            occurred_until=case.complaint.occurred_until,
            as_of=workflow.now(),
            tolerances=case.pack.tolerances,
            interest=interest_for(case.pack.interest, {CaseEvent.RECEIVED: case.complaint.received_at, **case.first}),
            reference=case.reference,
            mentioned=tuple(dict.fromkeys((*numbers_in(case.complaint.description), *case.mentioned)))[:MOST_NUMBERS],
            rule_days=case.pack.decision.rule_days,
            by_name=case.asked_checks,
        )
        before = case.incident
        known = (
            {finding.check for finding in case.investigation.findings if finding.failed}
            if case.investigation
            else set()
        )
        case.looking = True
        try:
            found = await effects.investigate(request, meanwhile=self._recorder.waiting())
            case.investigation, case.elsewhere = found.bare, ()
            self._set_aside_what_was_found_before()
        except (ActivityError, ApplicationError) as error:
            # People decide without findings; a broken check must not hold up the customer.
            self._faults.note(spoken.said("the investigation", "核查"), error)
            return
        finally:
            case.looking = False
        self._tell_of_failed_checks(known)
        for finding in found.findings:
            text = f"{finding.check.value}: {finding.verdict.value}"
            case.note(workflow.now(), "finding", text, data=finding.note(found.mark))
        if case.incident and case.incident != before:
            case.note(workflow.now(), "incident", f"it is about {case.incident.incident} ({case.incident.stage.value})")
        elif before and not case.incident:
            case.note(workflow.now(), "incident", f"it is not about {before.incident} any more")

    def ask_by_rule(self) -> None:
        """Ask for what only the customer can tell, once; people alone ask who may be in danger of their life."""
        case = self._case
        if case.questions_by_rule or case.proposal or case.asking or case.care.alarm or not _is_ours(case):
            return
        if questions := ask_for(case):
            case.questions_by_rule += 1
            case.question = Question(number=case.next_number(), questions=questions, by_rule=True)

    async def ask(self, question: Question) -> None:
        """Ask the customer by letter, and wait for the answer, or until people go on without."""
        case = self._case
        facts = self._post.facts(questions=question.questions)
        purpose = f"information_request:{question.number}"
        await self._post.deliver(
            LetterKind.INFORMATION_REQUEST,
            facts,
            purpose,
            CaseEvent.CONTACTED,
            CaseEvent.INFORMATION_REQUESTED,
        )
        await self._waiting.until(
            lambda: case.proposal is not None or case.to_investigate, "the customer's answer to our questions"
        )

    def warn_of_an_incident(self, warning: EarlyWarning) -> None:
        """Several complaints point to the same thing: somebody is to look whether it is an incident.

        Which they are is told by the list of warnings, to whoever may see them all: this case names none.
        """
        self._case.note(workflow.now(), "early_warning", f"{warning.topic}: several complaints in a short time")
        topic = spoken.topic(warning.topic)
        self._post.tell_staff(
            Role.TEAM_LEAD,
            f"Several complaints in a short time point to {topic.en}; redress incident warnings names them. Look"
            " whether one fault is behind them; redress incident open lists every account it touched.",
            f"短时间内有多件投诉指向{topic.zh}，具体投诉见 redress incident warnings。请核查是否同一差错所致；"
            "可用 redress incident open 列出所有受影响账户。",
        )

    def _tell_of_failed_checks(self, known: set[Check]) -> None:
        """A check that broke off is told to staff once; the case goes on with what the others found."""
        found = self._case.investigation.findings if self._case.investigation else ()
        failed = sorted({finding.check for finding in found if finding.failed} - known)
        if not failed:
            return
        names = ", ".join(CHECKS[check].name.en for check in failed)
        names_zh = "、".join(CHECKS[check].name.zh for check in failed)
        self._case.note(workflow.now(), "fault", f"checks that broke off, left to people: {names}")
        self._post.tell_staff(
            Role.HANDLER,
            f"These checks broke off and found nothing: {names}. Look at the records yourself.",
            f"以下核查未能完成：{names_zh}。请人工核查相关记录。",
        )

    def _set_aside_what_was_found_before(self) -> None:
        """A sum proposed as it was found is not approved when other findings have taken the place of these."""
        case = self._case
        if case.proposal and case.proposal.as_found and not case.approved:
            text = f"{case.proposal.spoken}: it was proposed as found, before this"
            case.note(workflow.now(), "set_aside", text, data={"round": case.rounds})
            case.proposal = None


def _is_ours(case: Case) -> bool:
    """Whether it is not, as far as is known, another firm's: of that we neither look nor ask."""
    return case.assessment is None or case.assessment.in_scope
