"""The pack's escalation ladder: to whom a case is given as it climbs."""

from collections.abc import Callable

from temporalio import workflow

from domain.case.case import Case
from domain.ground.bilingual import Bilingual
from domain.ground.people import SYSTEM, Actor
from domain.ground.words import Role


class Ladder:
    """Where a case stands on the ladder of its pack."""

    def __init__(self, case: Case, tell: Callable[[Role, str, str], None]) -> None:
        """*tell* sends a notice to a role, in English and Chinese."""
        self._case, self._tell = case, tell

    def climb(
        self, reason: Bilingual, by: Actor = SYSTEM, *, level: int | None = None, noted: str | None = None
    ) -> None:
        """Raise the case to *level*, or the next one, give it to that level's role and tell it.

        The record says *noted*, where that is more exact than *reason*.
        """
        case = self._case
        level = min(level or case.escalation_level + 1, case.pack.top_level)
        if level <= case.escalation_level:
            case.note(workflow.now(), "escalation", f"asked for again at level {case.escalation_level}", by)
            return
        role = next(step.role for step in case.pack.escalation if step.level == level)
        case.escalation_level, case.handler = level, role.value
        case.note(workflow.now(), "escalation", f"level {level}, {role.value}: {noted or reason.en}", by)
        self._tell(
            role,
            f"The case was escalated to you (level {level}): {reason.en}.",
            f"该投诉已升级至您处（第 {level} 级）：{reason.zh}。",
        )
