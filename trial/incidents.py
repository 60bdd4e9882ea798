"""What people do with incidents in the random part: open them, decide their lists, stop them, and help them along."""

from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.service import RPCError

from domain.ground.bilingual import Bilingual
from domain.ground.people import Actor
from domain.ground.words import IncidentStage
from domain.incidents.incident import Fault, NewIncident
from runtime.connection import TemporalUnavailable
from starter.client.conversation import NotAnswered, Refused
from starter.client.incidents import IncidentNotFound, Incidents
from starter.demo.trade_log import DemoData
from trial.script import Step

_PER_MINUTE = 600
_EXECUTIVES = 7


class Desk:
    """People at the incidents of one run, over one connection."""

    def __init__(self, client: Client, task_queue: str, seed: int, data: DemoData) -> None:
        self._incidents = Incidents(client, task_queue=task_queue)
        self._seed = seed
        self._data = data

    def reference(self, number: int) -> str:
        return self._new(number, Actor.named("handler:h-17")).reference

    async def act(self, step: Step) -> None:
        """Do the *step*.

        Raises ``Refused`` when it may not be done (yet), ``IncidentNotFound``, ``NotAnswered`` or
        ``TemporalUnavailable``.
        """
        by, reference = Actor.named(step.actor), self.reference(step.case)
        more: dict[str, Any] = {"by": by, "message_id": step.token}
        match step.name:
            case "open":
                await self._incidents.open(self._new(step.case, by))
            case "approve":
                await self._incidents.approve(reference, await self._listed(reference), reasons=step.token, **more)
            case "relist":
                await self._incidents.relist(reference, step.token, **more)
            case "dismiss":
                await self._incidents.dismiss(reference, step.token, **more)
            case "pause":
                await self._incidents.pause(reference, step.token, **more)
            case _:
                await self._incidents.resume(reference, **more)

    async def help_out(self, reference: str, number: int) -> None:
        """Bring an incident forward that waits for people."""
        by = Actor.named(f"executive:e-{number % _EXECUTIVES}")  # who decided something on the list is kept out of it
        try:
            progress = await self._incidents.progress(reference)
            if progress.paused:
                await self._incidents.resume(reference, by=by, message_id=f"help{number}r")
            if progress.stage is IncidentStage.APPROVAL and progress.cohort:
                await self._incidents.approve(reference, progress.cohort.hash, by=by, message_id=f"help{number}a")
            for account in await self._incidents.failed(reference):
                await self._incidents.retry(reference, account, by=by, message_id=f"help{number}t{account}")
        except (Refused, NotAnswered, IncidentNotFound, TemporalUnavailable, RPCError):
            return

    async def _listed(self, reference: str) -> str:
        """The hash of the list as it stands. Raises ``Refused`` where there is none yet."""
        cohort = (await self._incidents.progress(reference)).cohort
        if cohort is None:
            raise Refused("there is no list yet")
        return cohort.hash

    def _new(self, number: int, by: Actor) -> NewIncident:
        data = self._data
        # Each has a window of its own, by a few milliseconds, and so each run: what they hurt is the same accounts.
        since = data.bad_from - timedelta(milliseconds=self._seed % 10_000)
        return NewIncident(
            fault=Fault(symbol="XAUUSD", since=since, until=data.bad_until + timedelta(milliseconds=1 + number)),
            title=Bilingual(en="A price of gold was wrong", zh="黄金报价有误"),
            opened_by=by,
            per_minute=_PER_MINUTE,
        )
