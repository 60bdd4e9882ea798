"""Corrective actions: their steps are written down once, and their effect is counted."""

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.learning.mailing import ReportMail
from domain.ground.base import person_of
from domain.keys.personal import in_action
from domain.learning.actions import ActionStep, CorrectiveAction, MeasureEffect, caused
from domain.learning.effects import Judged, effect
from domain.people.actors import NotProven, check_beginning
from record.directory import read_directory
from record.facts import cases_up_to, cut_off
from record.proofs import proofs_here
from runtime.causes import load_causes

if TYPE_CHECKING:
    from runtime.database import Pool


class Actions:
    """Keeps the record of corrective actions."""

    def __init__(self, pool: "Pool", mail: ReportMail) -> None:
        self._pool = pool
        self._mail = mail

    @activity.defn(name="NoteAction")
    async def note(self, step: ActionStep) -> None:
        """Write *step* down, once; and tell of it, where it is to be told.

        Raises `ApplicationError` of type ``InvalidStart``, never retried, where nobody is proven to have begun it.
        """
        if step.step == "opened" and (proofs := proofs_here()):
            try:
                check_beginning(proofs, step.token, step.action, CorrectiveAction.model_validate(step.data))
            except NotProven as error:
                raise ApplicationError(f"opened_by: {error}", type="InvalidStart", non_retryable=True) from None
        data = in_action(step.action, step.number, step.data)
        values = (step.action, step.number, step.at, step.step, step.by, data, step.token)
        await self._pool.execute(_NOTE, *values)
        if step.tell:
            said = step.step.replace("_", " ")
            subject = f"Corrective action {step.action}: {said} · 整改措施 {step.action}：{_STEPS[step.step]}"
            words = "".join(f"{text}\n\n" for text in step.data.get("words", {}).values())
            told = f"{subject}\n\n{words}redress action show {step.action}\n"
            also = await self._addresses(step)
            await self._mail.send(f"{step.action}:{step.number}", subject, told, step.at, also=also)

    async def _addresses(self, step: ActionStep) -> list[str]:
        """Of the owner, and of whoever has the role that it is raised to."""
        async with self._pool.acquire() as connection:
            people = (await read_directory(connection)).people
        owner = person_of(step.owner) if step.owner else None
        told = (one for one in people if one.person == owner or step.raised_to in one.roles)
        return [one.address for one in told if one.address and not one.away(step.at.date())]

    @activity.defn(name="MeasureEffect")
    async def measure(self, request: MeasureEffect) -> Judged:
        """Count the cause in the days before the action was opened, and in the spans of as many before now."""
        number, tree = await cut_off(self._pool), load_causes()
        cases = [case async for case in cases_up_to(self._pool, number)]
        span = timedelta(days=request.measure.days)
        before = caused(cases, tree, request.cause, request.opened_at - span, request.opened_at)
        after = caused(cases, tree, request.cause, request.until - span * request.spans, request.until)
        return effect(request.measure, before, after, request.spans)


_STEPS: Final = {
    "opened": "已开始",
    "overdue": "已逾期",
    "done": "已完成",
    "effective": "有效",
    "not_shown": "效果尚未证实",
    "reopened": "无效，重新启动",
    "dropped": "已放弃",
}
_NOTE: Final = """
    insert into reporting.actions (action, number, at, step, by, data, token) values ($1, $2, $3, $4, $5, $6, $7)
    on conflict do nothing
"""
