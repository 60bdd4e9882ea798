"""The life of an incident: the accounts one fault touched are listed, approved as a whole, made good one by one.

Read :meth:`IncidentWorkflow.run` first. The list itself is in the case file; the workflow knows how far it is.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final, assert_never

from pydantic import ValidationError
from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, FailureError

from domain.case.complaint import explain
from domain.ground.people import SYSTEM
from domain.ground.timeline import beyond
from domain.ground.words import IncidentStage
from domain.incidents.incident import WORKFLOW, NewIncident, checks_of
from domain.incidents.messages import IncidentChanged
from domain.incidents.progress import Progress
from domain.incidents.requests import FindCases, ListCohort, NextMembers, OpenIncident, Standing
from domain.incidents.state import Incident
from domain.keys.public import Public
from domain.people.actors import STARTED_WITH
from workflows import effects
from workflows.messages.of_an_incident import UPDATES
from workflows.parts.beside import RESET, Beside
from workflows.parts.hearing import Hearing, takes
from workflows.parts.incident_work import IncidentWork
from workflows.parts.waiting import CarryOver
from workflows.starts import given, is_continued, refuse

_TICKS_A_MINUTE: Final = 6
_MOST_AT_ONCE: Final = 50
"""So many accounts are taken in hand at once."""


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
@takes(*UPDATES)
class IncidentWorkflow:
    """One incident, one workflow. Its id is the incident's reference."""

    @workflow.init
    def __init__(self, *start: Any) -> None:
        self._beside = Beside()
        self._work: IncidentWork | None = None
        self._misfit: str | None = None
        self.hearing: Hearing[IncidentWork] = Hearing("incident", lambda: self._work)
        try:
            self._work = IncidentWork(begin(start), self._beside)
        except ValueError as error:
            self._misfit = str(error)

    @property
    def state(self) -> Incident | None:
        """All that the workflow knows; ``None`` where what it was started with can be no incident."""
        return self._work.incident if self._work else None

    @property
    def work(self) -> IncidentWork:
        """The incident and its parts. Raises ``LookupError`` where there is none."""
        if self._work is None:
            raise LookupError("there is no incident")
        return self._work

    @property
    def incident(self) -> Incident:
        return self.work.incident

    @workflow.run
    async def run(self, *start: Any) -> Progress:
        return await self._beside.live(
            self._from_opening_to_last_letter(start), self._note_cancellation, self._note_reset
        )

    async def _from_opening_to_last_letter(self, start: Sequence[Any]) -> Progress:
        try:
            if self._misfit:
                raise ApplicationError(self._misfit, type="InvalidIncident", non_retryable=True)
            if not self.work.is_open:
                await self._open()
        except ApplicationError as error:
            await refuse(start, error)
        self.work.start()
        try:
            await self._live()
        except CarryOver:
            await workflow.wait_condition(workflow.all_handlers_finished)
            workflow.continue_as_new(self.incident)
        await workflow.wait_condition(lambda: not self.incident.entries and workflow.all_handlers_finished())
        return self.incident.progress

    def _note_cancellation(self) -> None:
        if self._work and self._work.is_open:
            self.work.note("cancellation", "asked for in Temporal and not followed; use pause or dismiss")

    def _note_reset(self) -> None:
        if self._work:
            self.incident.revision += beyond(workflow.info().workflow_start_time, workflow.now())
            self.work.note("reset", RESET)

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
                await self.work.waiting.until(
                    lambda: self.incident.stage is not IncidentStage.APPROVAL, "a decision on the list"
                )
            case IncidentStage.COMPENSATING:
                await self._compensate()
            case IncidentStage.CLOSED | IncidentStage.DISMISSED as stage:
                raise ValueError(f"an incident that is {stage.value} does not go on")
            case stage:
                assert_never(stage)

    # -- the stages ----------------------------------------------------------------------------------------------------

    async def _open(self) -> None:
        incident = self.incident
        opened = await effects.open_incident(
            OpenIncident(
                reference=incident.reference,
                new=incident.new,
                at=workflow.now(),
                run=workflow.info().first_execution_run_id,
                token=STARTED_WITH.get(),
            )
        )
        if opened.checkpoint:
            known = {"reference": incident.reference, "new": incident.new, "opened_at": incident.opened_at}
            pinned = {
                "policy_hash": opened.policy_hash,
                "decision": opened.decision,
                "training": opened.training,
            }
            incident = Incident.model_validate(opened.checkpoint | known | pinned)
            self._work = IncidentWork(incident, self._beside)
            if incident.stage is IncidentStage.LISTING:
                incident.lists = max(incident.lists, opened.lists)  # one that was begun is not gone on with
            self.work.note("restored", "Temporal had lost its workflow; it goes on from what the file has")
            return
        incident.policy_hash, incident.decision = opened.policy_hash, opened.decision
        incident.training = opened.training
        # Known from a run that an operator ended: its record goes on.
        incident.revision, incident.journal, incident.lists = opened.revision + 1, opened.journal, opened.lists
        self.work.note(
            "opened", incident.new.fault.spoken, data={"note": incident.new.note} if incident.new.note else None
        )

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
        self.work.note("listed", text, data={"hash": cohort.hash})

    async def _compensate(self) -> None:
        """Take the harmed accounts in hand, so many a minute, until all are made good and told.

        It breaks off when it turns out that whoever approved the list may not: the next approval begins anew.
        """
        incident = self.incident

        def broken_off() -> bool:
            return incident.stage is not IncidentStage.COMPENSATING

        while not incident.all_taken:
            await self.work.waiting.until(
                lambda: broken_off() or self.work.till.may_take_more(),
                "accounts on their way to be made good",
                idle=False,
            )
            if broken_off():
                return
            if workflow.info().is_continue_as_new_suggested():
                raise CarryOver
            limit = max(1, min(_MOST_AT_ONCE, incident.per_minute // _TICKS_A_MINUTE))
            number = incident.cohort.number if incident.cohort else 0
            after = incident.after
            page_of_members = await effects.next_members(
                NextMembers(reference=incident.reference, number=number, after=after, limit=limit)
            )
            if broken_off():
                return
            if incident.after != after:  # it has broken off and begun anew meanwhile
                continue
            accounts = page_of_members.accounts
            for account in accounts:
                self.work.till.take(account)
            if len(accounts) < limit:
                incident.all_taken = True
            else:
                incident.after = accounts[-1]
                incident.revision += 1
                self._beside.start(self.work.recorder.record())
                wait = timedelta(minutes=1) * len(accounts) / incident.per_minute
                await workflow.sleep(wait, summary=Public(f"{incident.per_minute} accounts a minute"))
        await self.work.waiting.until(
            lambda: broken_off() or not (incident.under_way or incident.failed or incident.untold),
            "the last accounts to be made good and told",
            idle=False,
        )
        if broken_off():
            return
        incident.stage = IncidentStage.CLOSED
        paid = ", ".join(str(each) for each in incident.paid) or "nothing"
        self.work.note("closed", f"{incident.done} accounts, {paid}; {incident.elsewhere} made good elsewhere")

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
        await self.work.recorder.record()  # a case that is told looks at what is recorded
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

    @workflow.query(name="progress", description="Stage, the list, how many accounts are made good, what is open.")
    def progress(self) -> Progress:
        return self.incident.progress

    @workflow.query(name="failed", description="The accounts that could not be compensated.")
    def failed(self) -> list[str]:
        return self.incident.failed
