"""The life of an incident: the accounts one fault touched are listed, approved as a whole, made good one by one.

Read :meth:`IncidentWorkflow.run` first. The list itself is in the case file; the workflow knows how far it is.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, NoReturn

from pydantic import ValidationError
from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, FailureError

from domain.case.complaint import explain
from domain.case.requests import RefusedMessage, RefuseStart, Turn
from domain.ground.people import SYSTEM
from domain.ground.words import IncidentStage
from domain.incidents.incident import WORKFLOW, NewIncident, checks_of
from domain.incidents.messages import (
    DecideIncident,
    IncidentChanged,
    IncidentReceipt,
    PauseIncident,
    ResumeIncident,
    RetryMember,
)
from domain.incidents.progress import Progress
from domain.incidents.requests import (
    CompensateMember,
    FindCases,
    ListCohort,
    NextMembers,
    OpenIncident,
    PayMember,
    Standing,
    TellMember,
)
from domain.incidents.state import Incident, NotAllowed, check_decision
from workflows import effects
from workflows.casework import M, read
from workflows.incident_page import page
from workflows.parts.display import Display
from workflows.parts.recorder import Recorder
from workflows.parts.tasks import Tasks
from workflows.parts.waiting import CarryOver, Waiting
from workflows.raw import kept
from workflows.search_attributes import INCIDENT
from workflows.starts import given, is_continued, refused_run

_TICKS_A_MINUTE = 6
_MOST_AT_ONCE = 50
_MOST_UNDER_WAY = 200
"""Accounts whose payment may be waiting for an answer at once."""
_MOST_WAITING = 2_000
"""Accounts that may wait at once for their payment, their letter or a person; the next ones are not taken before."""


def begin(start: Sequence[Any]) -> Incident:
    """The incident as the workflow is started with it: a new one, or all that an earlier run hands over.

    A state is believed of an earlier run only, for anybody may start a workflow. Raises ``ValueError``.
    """
    brought, info = given(start, "an incident"), workflow.info()
    try:
        if is_continued():
            return Incident.model_validate(brought)
        new = NewIncident.model_validate(brought)
    except ValidationError as error:
        raise ValueError(explain(error)) from None
    return Incident(reference=info.workflow_id, new=new, opened_at=workflow.now(), per_minute=new.per_minute)


@workflow.defn(name=WORKFLOW)
class IncidentWorkflow:
    """One incident, one workflow. Its id is the incident's reference."""

    @workflow.init
    def __init__(self, *start: Any) -> None:
        self._begun: Incident | None = None
        self._misfit: str | None = None
        try:
            self._begin(begin(start))
        except ValueError as error:
            self._misfit = str(error)
        self._tasks = Tasks()

    def _begin(self, incident: Incident) -> None:
        self._begun = incident
        self.recorder = Recorder(incident, effects.record_incident, lambda update, _: incident.recorded(update))
        self.waiting = Waiting()
        self.display = Display(
            lambda: {INCIDENT: [incident.reference]},
            lambda: page(incident),
            lambda: incident.revision,
        )

    @property
    def incident(self) -> Incident:
        """The incident. Raises ``LookupError`` where what the workflow was started with can be none."""
        if self._begun is None:
            raise LookupError("there is no incident")
        return self._begun

    @workflow.run
    async def run(self, *start: Any) -> Progress:
        return await self._tasks.live(self._from_opening_to_last_letter(start), self._note_cancellation)

    async def _from_opening_to_last_letter(self, start: Sequence[Any]) -> Progress:
        try:
            if self._misfit:
                raise ApplicationError(self._misfit, type="InvalidIncident", non_retryable=True)
            if not self.incident.policy_hash:
                await self._open()
        except ApplicationError as error:
            await self._refuse(start, error)
        incident = self.incident
        self.display.show()
        self._tasks.start(self.recorder.keep())
        self._tasks.start(self.display.keep())
        for account in list(incident.under_way):
            self._tasks.start(self._make_good(account))
        self._tasks.start(self._keep_telling())
        try:
            await self._live()
        except CarryOver:
            await workflow.wait_condition(workflow.all_handlers_finished)
            workflow.continue_as_new(incident)
        await workflow.wait_condition(lambda: not incident.entries and workflow.all_handlers_finished())
        return incident.progress

    def _note_cancellation(self) -> None:
        if self._begun and self._begun.policy_hash:
            self._note("cancellation", "asked for in Temporal and not followed; use pause or dismiss")

    async def _live(self) -> None:
        incident = self.incident
        while not incident.stage.ended or incident.told != incident.standing:
            await self._tell_cases()
            if not incident.stage.ended:
                await self._next()

    async def _next(self) -> None:
        """Go through the stage at which the incident stands."""
        match self.incident.stage:
            case IncidentStage.LISTING:
                await self._list()
            case IncidentStage.APPROVAL:
                await self.waiting.until(
                    lambda: self.incident.stage is not IncidentStage.APPROVAL, "a decision on the list"
                )
            case _:
                await self._compensate()

    # -- the stages ----------------------------------------------------------------------------------------------------

    async def _refuse(self, start: Sequence[Any], error: ApplicationError) -> NoReturn:
        """There can be no incident: what it was started with is written down."""
        message = RefusedMessage(name="start", payload=kept(start))
        await effects.refuse_start(
            RefuseStart(
                workflow_id=workflow.info().workflow_id,
                run=refused_run(0),
                number=0,
                at=workflow.now(),
                reason=error.message,
                messages=(message,),
            )
        )
        raise error

    async def _open(self) -> None:
        incident = self.incident
        opened = await effects.open_incident(
            OpenIncident(
                reference=incident.reference,
                new=incident.new,
                at=workflow.now(),
                run=workflow.info().first_execution_run_id,
            )
        )
        if opened.checkpoint:
            known = {"reference": incident.reference, "new": incident.new, "opened_at": incident.opened_at}
            pinned = {"policy_hash": opened.policy_hash, "decision": opened.decision}
            incident = Incident.model_validate(opened.checkpoint | known | pinned)
            self._begin(incident)
            if incident.stage is IncidentStage.LISTING:
                incident.lists = max(incident.lists, opened.lists)  # one that was begun is not gone on with
            self._note("restored", "Temporal had lost its workflow; it goes on from what the file has")
            return
        incident.policy_hash, incident.decision = opened.policy_hash, opened.decision
        # Known from a run that an operator ended: its record goes on.
        incident.revision, incident.journal, incident.lists = opened.revision + 1, opened.journal, opened.lists
        self._note("opened", incident.new.fault.spoken, data={"note": incident.new.note} if incident.new.note else None)

    async def _list(self) -> None:
        """List the accounts, unless it is dismissed meanwhile."""
        incident = self.incident
        number = incident.lists + 1
        request = ListCohort(
            reference=incident.reference,
            number=number,
            fault=incident.new.fault,
            policy_hash=incident.policy_hash,
            as_of=workflow.now(),
        )
        listing = asyncio.create_task(effects.list_cohort(request))
        await workflow.wait_condition(lambda: listing.done() or incident.stage.ended)
        if incident.stage.ended:  # dismissed meanwhile
            listing.cancel()
            with contextlib.suppress(ActivityError, asyncio.CancelledError):
                await listing
            return
        cohort = listing.result()
        incident.lists, incident.cohort = number, cohort
        harm = ", ".join(str(each) for each in cohort.harm) or "nothing"
        text = f"list {number}: {cohort.accounts} accounts, {cohort.harmed} harmed by {harm}, {cohort.unclear} unclear"
        incident.stage = IncidentStage.APPROVAL
        self._note("listed", text, data={"hash": cohort.hash})

    async def _compensate(self) -> None:
        """Take the harmed accounts in hand, so many a minute, until all are made good and told."""
        incident = self.incident
        while not incident.all_taken:
            await self.waiting.until(self._may_take_more, "accounts on their way to be made good", idle=False)
            if workflow.info().is_continue_as_new_suggested():
                raise CarryOver
            limit = max(1, min(_MOST_AT_ONCE, incident.per_minute // _TICKS_A_MINUTE))
            number = incident.cohort.number if incident.cohort else 0
            page_of_members = await effects.next_members(
                NextMembers(reference=incident.reference, number=number, after=incident.after, limit=limit)
            )
            accounts = page_of_members.accounts
            for account in accounts:
                incident.under_way.append(account)
                self._tasks.start(self._make_good(account))
            if len(accounts) < limit:
                incident.all_taken = True
            else:
                incident.after = accounts[-1]
                incident.revision += 1
                self._tasks.start(self.recorder.record())
                wait = timedelta(minutes=1) * len(accounts) / incident.per_minute
                await workflow.sleep(wait, summary=f"{incident.per_minute} accounts a minute")
        await self.waiting.until(
            lambda: not incident.under_way and not incident.failed and not incident.untold,
            "the last accounts to be made good and told",
            idle=False,
        )
        incident.stage = IncidentStage.CLOSED
        paid = ", ".join(str(each) for each in incident.paid) or "nothing"
        self._note("closed", f"{incident.done} accounts, {paid}; {incident.elsewhere} made good elsewhere")

    def _may_take_more(self) -> bool:
        """All that a next run would have to be handed stays small: payments, letters and failures that wait."""
        incident = self.incident
        waiting = len(incident.under_way) + len(incident.untold) + len(incident.failed)
        return not incident.paused and len(incident.under_way) < _MOST_UNDER_WAY and waiting < _MOST_WAITING

    async def _make_good(self, account: str) -> None:
        """Compensate one account, once. The number of an account goes into no text: the UI is seen by many."""
        incident = self.incident
        request = CompensateMember(
            reference=incident.reference, number=incident.cohort.number if incident.cohort else 0, account=account
        )
        try:
            done = await effects.compensate_member(request)
            problem = await self._pay(account) if done.rail else None
        except ActivityError as error:
            done, problem = None, str(error.cause or error)
        incident.under_way.remove(account)
        incident.revision += 1
        if done is None or problem:
            workflow.logger.error("account not compensated", extra={"reason": problem})
            incident.failed.append(account)
            self._note("failed", f"an account was not compensated: {problem}", data={"account": account})
            return
        incident.done += 1
        if done.amount is None:
            incident.elsewhere += 1
            return
        incident.add_paid(done.amount)
        incident.untold[account] = done

    async def _pay(self, account: str) -> str | None:
        """Have the rail pay the account; why it did not, if so. What was paid in part is paid out in a next attempt."""
        attempts = self.incident.attempts
        attempt = attempts[account] = attempts.get(account, 1)
        paid = await effects.pay_member(PayMember(reference=self.incident.reference, account=account, attempt=attempt))
        if paid.complete:
            del attempts[account]
            return None
        attempts[account] = attempt + 1
        return paid.spoken

    async def _keep_telling(self) -> None:
        """Write to those who were compensated, so many at once; money does not wait for the mail."""
        incident, telling = self.incident, set[str]()

        async def tell(account: str) -> None:
            await self._tell(account)
            telling.discard(account)

        while True:
            await workflow.wait_condition(
                lambda: len(telling) < _MOST_AT_ONCE and any(account not in telling for account in incident.untold)
            )
            account = next(account for account in incident.untold if account not in telling)
            telling.add(account)
            self._tasks.start(tell(account))

    async def _tell(self, account: str) -> None:
        incident = self.incident
        done = incident.untold[account]
        if done.amount is not None:
            await effects.tell_member(
                TellMember(
                    reference=incident.reference,
                    account=account,
                    title=incident.new.title,
                    fault=incident.new.fault,
                    amount=done.amount,
                    at=done.at,
                )
            )
        del incident.untold[account]
        incident.revision += 1

    async def _tell_cases(self) -> None:
        """Tell the complaints that are about the incident where it stands, until that is what they were told.

        Somebody may decide while they are being told, and a cancellation may break it off: the last word reaches them.
        """
        while self.incident.told != self.incident.standing:
            standing = self.incident.standing
            await self._tell_cases_of(standing)
            self.incident.told = standing

    async def _tell_cases_of(self, standing: Standing) -> None:
        """Those closed meanwhile need not know."""
        incident, fault = self.incident, self.incident.new.fault
        await self.recorder.record()  # a case that is told looks at what is recorded
        found = await effects.find_cases(FindCases(reference=incident.reference, number=standing.lists))
        if incident.cases != list(found.references):
            incident.cases = list(found.references)
            incident.revision += 1
        message = IncidentChanged(
            message_id=f"{incident.reference}:{standing.lists}:{standing.stage.value}",
            actor=SYSTEM,
            incident=incident.reference,
            stage=standing.stage,
            checks=fault.checks or checks_of(fault, None),
        )

        async def tell(reference: str) -> None:
            try:
                await workflow.get_external_workflow_handle(reference).signal(message.name, message)
            except FailureError:
                workflow.logger.info("a case is closed and is not told", extra={"case": reference})

        for reference in incident.cases:
            await tell(reference)

    # -- what it hears -------------------------------------------------------------------------------------------------

    @workflow.update(name="decide_incident", description="Approve the list as a whole, list anew, or dismiss.")
    async def decide_incident(self, *message: Any) -> IncidentReceipt:
        def apply(request: DecideIncident) -> str:
            incident = self.incident
            match request.decision:
                case "approve":
                    incident.stage, incident.approved_by = IncidentStage.COMPENSATING, request.actor
                case "relist":
                    incident.stage = IncidentStage.LISTING
                case _:
                    incident.stage = IncidentStage.DISMISSED
            return f"{request.decision}: {request.reasons}" if request.reasons else request.decision

        return await self._update(DecideIncident, message, self._decision_fits, apply)

    @decide_incident.validator
    def _decision_fits(self, *message: Any) -> None:
        request = self._check(DecideIncident, message)
        if request:
            try:
                check_decision(self.incident, request)
            except NotAllowed as error:
                raise _refused(str(error)) from None

    @workflow.update(name="pause_incident", description="Stop compensating after the accounts in hand.")
    async def pause_incident(self, *message: Any) -> IncidentReceipt:
        def apply(request: PauseIncident) -> str:
            self.incident.paused = True
            return f"paused: {request.reason}"

        return await self._update(PauseIncident, message, self._pause_fits, apply)

    @pause_incident.validator
    def _pause_fits(self, *message: Any) -> None:
        request = self._check(PauseIncident, message)
        if request and self.incident.paused:
            raise _refused("pause_incident: it is paused already; resume_incident goes on")

    @workflow.update(name="resume_incident", description="Go on compensating, at another rate if one is given.")
    async def resume_incident(self, *message: Any) -> IncidentReceipt:
        def apply(request: ResumeIncident) -> str:
            self.incident.paused = False
            self.incident.per_minute = request.per_minute or self.incident.per_minute
            return f"resumed, {self.incident.per_minute} accounts a minute"

        return await self._update(ResumeIncident, message, self._resume_fits, apply)

    @resume_incident.validator
    def _resume_fits(self, *message: Any) -> None:
        request = self._check(ResumeIncident, message)
        if request and not self.incident.paused and request.per_minute is None:
            raise _refused("resume_incident: it is not paused; give per_minute to change the rate")

    @workflow.update(name="retry_member", description="Compensate an account that failed once more, or leave it.")
    async def retry_member(self, *message: Any) -> IncidentReceipt:
        def apply(request: RetryMember) -> str:
            incident = self.incident
            incident.failed.remove(request.account)
            if request.leave:
                incident.left += 1
                return f"left to people: {request.leave}"
            incident.under_way.append(request.account)
            self._tasks.start(self._make_good(request.account))
            return "tried again"

        return await self._update(RetryMember, message, self._retry_fits, apply)

    @retry_member.validator
    def _retry_fits(self, *message: Any) -> None:
        request = self._check(RetryMember, message)
        if request is None:
            return
        decision, role = self.incident.decision, request.actor.role
        if request.account not in self.incident.failed:
            raise _refused("account: it is not among those that failed")
        if request.leave and decision and role not in decision.approvers(None):
            able = ", ".join(one.value for one in decision.approvers(None))
            raise _refused(f"actor: role {role.value} may not leave an account unpaid; roles that may: {able}")
        if not request.leave and self.incident.paused:
            raise _refused("retry_member: the incident is paused; resume_incident comes first")

    @workflow.query(name="progress", description="Stage, the list, how many accounts are made good, what is open.")
    def progress(self) -> Progress:
        return self.incident.progress

    @workflow.query(name="failed", description="The accounts that could not be compensated.")
    def failed(self) -> list[str]:
        return self.incident.failed

    def _check(self, kind: type[M], message: Sequence[Any]) -> M | None:
        """Refuse an update that does not fit, to its sender. ``None`` for one that was answered before."""
        if self._begun is None:
            raise _refused(f"{kind.name}: there is no incident; what it was started with was refused")
        try:
            request = read(kind, message)
        except ValueError as error:
            raise _refused(str(error)) from None
        if f"{kind.name}:{request.message_id}" in self.incident.receipts:
            return None
        if self.incident.stage.ended:
            raise _refused(f"{kind.name}: the incident is {self.incident.stage.value}")
        if not request.actor.role.is_staff:
            raise _refused(f"actor: role {request.actor.role.value} may not send {kind.name}; staff may")
        return request

    async def _update(
        self, kind: type[M], message: Sequence[Any], fits: Callable[..., None], apply: Callable[[M], str]
    ) -> IncidentReceipt:
        """Let a message count once, write it down, and answer; *fits* is asked again when its turn has come.

        It waits for the record to be open: what that has of an earlier run comes first, and takes the place of ours.
        """
        await workflow.wait_condition(lambda: bool(self.incident.policy_hash))
        await effects.take_turn(Turn())
        fits(*message)
        incident = self.incident
        request = read(kind, message)
        key = f"{kind.name}:{request.message_id}"
        if receipt := incident.receipts.get(key):
            return receipt
        noted = apply(request)
        body = request.model_dump(mode="json", exclude={"actor"}, exclude_none=True)
        incident.note(workflow.now(), kind.name, noted, request.actor, body)
        incident.receipts[key] = receipt = IncidentReceipt(
            message_id=request.message_id,
            reference=incident.reference,
            stage=incident.stage,
            noted=noted,
            at=workflow.now(),
        )
        await self.recorder.record()
        await self.recorder.written(request)
        return receipt

    # -- the record ----------------------------------------------------------------------------------------------------

    def _note(self, kind: str, text: str, data: dict[str, Any] | None = None) -> None:
        actor = self.incident.new.opened_by if kind == "opened" else SYSTEM
        self.incident.note(workflow.now(), kind, text, actor, data)


def _refused(reason: str) -> ApplicationError:
    return ApplicationError(reason, type="Refused", non_retryable=True)
