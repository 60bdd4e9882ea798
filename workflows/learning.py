"""What follows from complaints: corrective actions that are followed up, and the report that is mailed each month."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, TypeVar

from pydantic import ValidationError
from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from domain.case.complaint import explain
from domain.ground.base import Record
from domain.ground.words import Role
from domain.learning.actions import ActionStep, CorrectiveAction, MailReport, MeasureEffect, ReportOrder
from domain.learning.effects import LOOKS, Judged, Verdict, in_words
from domain.learning.messages import EndAction
from domain.learning.process import AskProcessReview, ChaseProcessReview, ProcessReviewOrder
from domain.learning.reviewing import ChaseReviews, DrawReviews, ReviewOrder
from domain.people.actors import SPOKEN_WITH, STARTED_WITH
from workflows import effects
from workflows.raw import decoded

R = TypeVar("R", bound=Record)
_RAISED_AFTER: Final = timedelta(days=7)
_LADDER: Final = (Role.TEAM_LEAD, Role.COMPLIANCE_OFFICER, Role.EXECUTIVE)
"""Who is told of an overdue action, one week after the other."""
_UNDECIDED: Final = Role.COMPLIANCE_OFFICER
"""Who is asked what becomes of an action whose effect is not shown at the last look."""
_REMINDED_BEFORE: Final = timedelta(days=3)
_ABOVE_REVIEWERS: Final = (Role.COMPLIANCE_OFFICER, Role.EXECUTIVE)
"""Who is told of reviews that nobody made in time, one week after the other."""
_WEEKS_RAISED: Final = 8
"""How often the executives are told of a process that nobody reviews; then `redress doctor` goes on telling."""


def _asked(start: Sequence[Any], model: type[R]) -> R:
    """The one value that *start* brings. Fails the workflow, never its task, where it is none."""
    try:
        if len(start) != 1:
            raise ValueError(f"start: it begins with one JSON object, not with {len(start)} arguments")
        return model.model_validate(decoded(start[0]))
    except ValidationError as error:
        reason = explain(error)
    except ValueError as error:
        reason = str(error)
    raise ApplicationError(reason, type="InvalidStart", non_retryable=True)


@workflow.defn(name="MonthlyReport")
class ReportWorkflow:
    """Mails the report on the month before. A Temporal Schedule runs it."""

    @workflow.run
    async def run(self, *start: Any) -> str:
        """Returns the name of the period that was reported."""
        order = _asked(start, ReportOrder)
        now = workflow.now()
        done = await effects.mail_report(MailReport(order=order, at=now, key=f"report:{workflow.info().workflow_id}"))
        return done.period


@workflow.defn(name="ReviewRound")
class ReviewWorkflow:
    """Draws closed cases for review by compliance, and sees that they are reviewed. A Temporal Schedule runs it."""

    @workflow.run
    async def run(self, *start: Any) -> int:
        """Returns how many were never reviewed: those are left to the report."""
        order = _asked(start, ReviewOrder)
        drawn = await effects.draw_reviews(DrawReviews(order=order, at=workflow.now()))
        if not drawn.cases:
            return 0
        due, waiting = drawn.due - _REMINDED_BEFORE, drawn.cases
        for number, told in enumerate((None, None, *_ABOVE_REVIEWERS)):
            summary = f"Raised to {told.value}" if told else "Reviews are due" if number else "Reviews are due soon"
            await workflow.sleep(max(due - workflow.now(), timedelta(0)), summary=summary)
            key = f"{workflow.info().workflow_id}:{drawn.period}:{number}"
            chased = ChaseReviews(period=drawn.period, at=workflow.now(), key=key, raised_to=told)
            waiting = (await effects.chase_reviews(chased)).cases
            if not waiting:
                break
            due = max(due + _REMINDED_BEFORE if not number else due + _RAISED_AFTER, workflow.now())
        return waiting


@workflow.defn(name="ProcessReview")
class ProcessReviewWorkflow:
    """Has people review the complaints process itself, and sees that they do. A Temporal Schedule runs it."""

    @workflow.run
    async def run(self, *start: Any) -> bool:
        """Returns whether it was done."""
        order = _asked(start, ProcessReviewOrder)
        key = workflow.info().workflow_id
        asked = await effects.ask_process_review(AskProcessReview(order=order, at=workflow.now(), key=key))
        due = asked.due - _REMINDED_BEFORE
        for number in range(_WEEKS_RAISED + 1):
            told = Role.EXECUTIVE if number else None
            summary = f"Raised to {told.value}" if told else "The review is due soon"
            await workflow.sleep(max(due - workflow.now(), timedelta(0)), summary=summary)
            chased = ChaseProcessReview(
                period=asked.period,
                due=asked.due,
                at=workflow.now(),
                key=f"{key}:{asked.period}:{number}",
                raised_to=told,
            )
            if (await effects.chase_process_review(chased)).done:
                return True
            due = max(due + (_RAISED_AFTER if number else _REMINDED_BEFORE), workflow.now())
        return False


@workflow.defn(name="CorrectiveAction")
class ActionWorkflow:
    """An action against a cause: due, done, judged by the measure that was fixed, and begun again without effect.

    What may be chance is measured on; at the last look people are asked to decide.
    """

    def __init__(self) -> None:
        self._ends: list[tuple[EndAction, str | None]] = []
        self._heard: set[str] = set()
        self._steps = 0
        self._over = False

    @workflow.run
    async def run(self, *start: Any) -> str:
        """Returns the last step: effective, or dropped."""
        action = _asked(start, CorrectiveAction)
        said = action.model_dump(mode="json")
        await self._note(action, "opened", str(action.opened_by), said, token=STARTED_WITH.get())
        due, given = action.due, action.due - action.opened_at.date()
        while True:
            end, token = await self._ended(action, due)
            await self._note(action, end.end, str(end.actor), {"reason": end.reason}, token=token)
            if end.end == "dropped":
                return await self._last("dropped")
            judged = await self._judged(action)
            told = judged.model_dump(mode="json") | {"words": in_words(judged, action.measure).model_dump()}
            if judged.verdict is Verdict.EFFECTIVE:
                await self._note(action, "effective", "system:redress", told)
                return await self._last("effective")
            due = (workflow.now() + max(given, timedelta(days=7))).date()
            told |= {"due": due.isoformat()}
            if judged.verdict is Verdict.WITHOUT_EFFECT:
                await self._note(action, "reopened", "system:redress", told, tell=True)
            else:
                await self._note(action, "not_shown", "system:redress", told, tell=True, raised_to=_UNDECIDED)

    async def _judged(self, action: CorrectiveAction) -> Judged:
        """What the counts say, measured over a span more each time while that may be chance."""
        for spans in range(1, LOOKS + 1):
            await workflow.sleep(timedelta(days=action.measure.days), summary="Until the effect can be measured")
            judged = await effects.measure_effect(
                MeasureEffect(
                    cause=action.cause,
                    measure=action.measure,
                    opened_at=action.opened_at,
                    until=workflow.now(),
                    spans=spans,
                )
            )
            if judged.verdict is not Verdict.NOT_SHOWN or spans == LOOKS:
                break
            words = in_words(judged, action.measure).model_dump()
            told = judged.model_dump(mode="json") | {"words": words}
            await self._note(action, "not_shown", "system:redress", told, tell=True)
        return judged

    async def _last(self, step: str) -> str:
        self._over = True
        await workflow.wait_condition(workflow.all_handlers_finished)
        return step

    async def _ended(self, action: CorrectiveAction, due: date) -> tuple[EndAction, str | None]:
        """Wait until somebody says that it is done or dropped; overdue it is raised, week by week, to the top."""
        end = datetime.combine(due, time(23, 59, 59), UTC)
        for told in (None, *_LADDER):
            try:
                await workflow.wait_condition(
                    lambda: bool(self._ends),
                    timeout=max(end - workflow.now(), timedelta(0)),
                    timeout_summary=f"Raised to {told.value}" if told else "Due",
                )
                break
            except TimeoutError:
                data = {"raised_to": told.value} if told else {}
                await self._note(action, "overdue", "system:redress", data, tell=True, raised_to=told)
            end = workflow.now() + _RAISED_AFTER
        await workflow.wait_condition(lambda: bool(self._ends))
        return self._ends.pop(0)

    async def _note(
        self,
        action: CorrectiveAction,
        step: Any,
        by: str,
        data: dict[str, Any],
        *,
        tell: bool = False,
        raised_to: Role | None = None,
        token: str | None = None,
    ) -> None:
        self._steps += 1
        await effects.note_action(
            ActionStep(
                action=action.action,
                number=self._steps,
                at=workflow.now(),
                step=step,
                by=by,
                data=data,
                tell=tell,
                owner=action.owner if tell else None,
                raised_to=raised_to,
                token=token,
            )
        )

    @workflow.update(name="end_action", description="Say that the action is done, or drop it, with the reason.")
    async def end_action(self, *message: RawValue) -> str:
        """Say that the action is done, or drop it, with the reason."""
        end = EndAction.model_validate(decoded(message[0]))
        if end.message_id not in self._heard:
            self._heard.add(end.message_id)
            self._ends.append((end, SPOKEN_WITH.get()))
        return end.end

    @end_action.validator
    def _check(self, *message: RawValue) -> None:
        try:
            if len(message) != 1:
                raise ValueError(f"end_action: give one JSON object, not {len(message)}")
            end = EndAction.model_validate(decoded(message[0]))
            if not end.actor.role.is_staff:
                raise ValueError(f"actor: role {end.actor.role.value} may not; this is for staff")
            if self._over:
                raise ValueError("end_action: the action has ended")
        except ValidationError as error:
            raise ApplicationError(explain(error), type="Refused", non_retryable=True) from None
        except ValueError as error:
            raise ApplicationError(str(error), type="Refused", non_retryable=True) from None
