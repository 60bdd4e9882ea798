"""The post of an incident: who was made good is told so by letter."""

from typing import Final

from temporalio import workflow

from domain.incidents.requests import TellMember
from domain.incidents.state import Incident
from workflows import effects
from workflows.parts.beside import Beside

_MOST_AT_ONCE: Final = 50
"""So many letters are on their way at once."""


class MemberPost:
    """Writes to those who were compensated. Whom a letter has not reached yet is in the incident."""

    def __init__(self, incident: Incident, beside: Beside) -> None:
        self._incident, self._beside = incident, beside

    async def keep(self) -> None:
        """Write to those who were compensated, so many at once; money does not wait for the mail."""
        incident, telling = self._incident, set[str]()

        async def tell(account: str) -> None:
            await self._tell(account)
            telling.discard(account)

        while True:
            await workflow.wait_condition(
                lambda: len(telling) < _MOST_AT_ONCE and any(account not in telling for account in incident.untold)
            )
            account = next(account for account in incident.untold if account not in telling)
            telling.add(account)
            self._beside.start(tell(account))

    async def _tell(self, account: str) -> None:
        incident = self._incident
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
