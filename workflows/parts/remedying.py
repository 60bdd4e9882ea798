"""Remedies beside money: owed from a moment on, looked for in the firm's own records, waited for until confirmed."""

import asyncio
from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Final

from temporalio import workflow

from domain.case.case import Case
from domain.case.messages.putting_right import ReassignRemedy
from domain.case.obligations import Obligation
from domain.case.remedies import (
    BY_THE_LOG,
    confirm,
    end_relief,
    in_kind,
    outstanding,
    owe,
    promised,
    reassign,
    running_relief,
)
from domain.case.requests import LookForRemedies
from domain.checks.findings import InKind
from domain.ground.spoken import REMEDIES
from domain.ground.words import Role
from workflows import effects
from workflows.parts.post import Post
from workflows.parts.waiting import Waiting

_SOON: Final = timedelta(seconds=5)
_SELDOM: Final = timedelta(hours=6)
"""The log is looked at again after the first, then after twice as long each time, up to the second."""


class Remedies:
    """What a case owes beside money."""

    def __init__(self, case: Case, waiting: Waiting, post: Post) -> None:
        self._case, self._waiting, self._post = case, waiting, post

    def owe_what_is_due(self) -> None:
        """Owe what the firm's records say is due to the customer, whatever was decided."""
        self._owe(in_kind(self._case))

    def owe_what_was_promised(self) -> None:
        """Owe what the approved proposal gives, and what is due anyway. Relief ends: the case is being settled."""
        case = self._case
        for relief in running_relief(case):
            self.end_relief(relief.number, "the case is being settled")
        self.owe_what_is_due()
        if case.proposal and case.approved and case.answer in {"accept", "silence"}:
            self._owe(promised(case, case.proposal))

    async def confirmed(self, subjects: Collection[str | None] | None = None) -> None:
        """Return when nothing is owed beside money, or nothing of these *subjects*; or the case is taken up again."""
        case = self._case

        def owed() -> list[Obligation]:
            return [one for one in outstanding(case) if subjects is None or one.subject in subjects]

        if waits := owed():
            what = ", ".join(f"{one.spoken}, {one.owner}" for one in waits)
            await self._waiting.until(
                lambda: not owed() or case.to_investigate, f"remedies to be confirmed: {what}", diverts=False
            )

    async def keep(self) -> None:
        """Look in the firm's records for what they can confirm, seldomer the longer it takes."""
        pause = _SOON
        while True:
            await workflow.wait_condition(lambda: bool(self._looked_for()))
            looked_for = self._looked_for()
            await self._look_for(looked_for)
            if not set(self._looked_for()) & set(looked_for):
                pause = _SOON
                continue
            try:
                await workflow.wait_condition(
                    lambda seen=set(looked_for): not set(self._looked_for()) <= seen,  # type: ignore[misc]
                    timeout=pause,
                    timeout_summary="look again whether the remedy is in the firm's records",
                )
            except TimeoutError:
                pause = min(2 * pause, _SELDOM)
            else:
                pause = _SOON
            await asyncio.sleep(0)

    async def look_for(self, number: int) -> None:
        """Look whether the firm's records have the remedy *number* by now, where they can."""
        if looked_for := tuple(one for one in self._looked_for() if one.number == number):
            await self._look_for(looked_for)

    async def _look_for(self, looked_for: tuple[Obligation, ...]) -> None:
        case = self._case
        request = LookForRemedies(reference=case.reference, account=case.account, remedies=looked_for)
        for one in (await effects.look_for_remedies(request)).seen:
            if one.number in {each.number for each in outstanding(case)}:
                confirm(case, one.number, one.proof, lapsed=one.lapsed)

    def end_relief(self, number: int, why: str) -> None:
        """End temporary relief, and have it lifted."""
        relief = end_relief(self._case, number, why, workflow.now())
        if relief is None:
            return
        kind = REMEDIES[relief.kind]
        self._post.tell_staff(
            Role.HANDLER,
            f"Temporary relief {number} ({kind.en}) has ended: {why}. See that it is lifted, or grant it again.",
            f"临时措施 {number}（{kind.zh}）已结束。请予解除，或重新批准。",
        )

    def reassign(self, message: ReassignRemedy) -> Obligation:
        """Somebody says who carries it out now."""
        changed = reassign(self._case, message.remedy, message.owner, message.actor, workflow.now())
        kind = REMEDIES[changed.kind]
        self._post.tell_staff(
            Role.HANDLER,
            f"Remedy {changed.number} ({kind.en}) is with {changed.owner} now. redress remedy list says by when.",
            f"补救措施 {changed.number}（{kind.zh}）现由 {changed.owner} 负责。期限见 redress remedy list。",
        )
        return changed

    def _owe(self, things: Iterable[InKind]) -> None:
        new = owe(self._case, things, workflow.now())
        if new:
            listed, listed_zh = _listed(new)
            self._post.tell_staff(
                Role.HANDLER,
                f"Owed to the customer, and to be carried out: {listed}. redress remedy list says by when; redress "
                "remedy confirm says that it was done.",
                f"须为客户落实：{listed_zh}。期限见 redress remedy list；落实后请用 redress remedy confirm 确认。",
            )

    def _looked_for(self) -> tuple[Obligation, ...]:
        return tuple(one for one in outstanding(self._case) if one.kind in BY_THE_LOG and one.subject)


def _listed(obligations: Iterable[Obligation]) -> tuple[str, str]:
    known = tuple(obligations)
    return (
        ", ".join(f"{REMEDIES[one.kind].en} ({one.number})" for one in known),
        "、".join(f"{REMEDIES[one.kind].zh}（{one.number}）" for one in known),
    )
