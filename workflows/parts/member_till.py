"""The till of an incident: what the list says of each account is made good, once."""

from typing import Final

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from domain.ground.people import SYSTEM
from domain.incidents.requests import LIST_NOT_APPROVED, CompensateMember, PayMember
from domain.incidents.state import Incident
from workflows import effects
from workflows.parts.beside import Beside

_MOST_UNDER_WAY: Final = 200
"""Accounts whose payment may be waiting for an answer at once."""
_MOST_WAITING: Final = 2_000
"""Accounts that may wait at once for their payment, their letter or a person; the next ones are not taken before."""


class MemberTill:
    """Makes accounts good, many at once. Those in hand are in the incident, and go on in a next run."""

    def __init__(self, incident: Incident, beside: Beside) -> None:
        self._incident, self._beside = incident, beside

    def take(self, account: str) -> None:
        """Take one account in hand."""
        self._incident.under_way.append(account)
        self._beside.start(self._make_good(account))

    def resume(self) -> None:
        """Go on with the accounts that an earlier run had in hand."""
        for account in list(self._incident.under_way):
            self._beside.start(self._make_good(account))

    def may_take_more(self) -> bool:
        """All that a next run would have to be handed stays small: payments, letters and failures that wait."""
        incident = self._incident
        waiting = len(incident.under_way) + len(incident.untold) + len(incident.failed)
        return not incident.paused and len(incident.under_way) < _MOST_UNDER_WAY and waiting < _MOST_WAITING

    async def _make_good(self, account: str) -> None:
        """Compensate one account, once. The number of an account goes into no text: the UI is seen by many."""
        incident = self._incident
        request = CompensateMember(
            reference=incident.reference,
            number=incident.cohort.number if incident.cohort else 0,
            account=account,
            approved_by=str(incident.approved_by) if incident.approved_by else None,
        )
        try:
            done = await effects.compensate_member(request)
            problem = await self._pay(account) if done.rail else None
        except ActivityError as error:
            done, problem = None, str(error.cause or error)
            void = isinstance(error.cause, ApplicationError) and error.cause.type == LIST_NOT_APPROVED
        else:
            void = False
        incident.under_way.remove(account)
        incident.revision += 1
        if void and incident.give_back_for_approval(workflow.now(), f"the approval does not count: {problem}"):
            return
        if done is None or problem:
            workflow.logger.error("account not compensated", extra={"reason": problem})
            incident.failed.append(account)
            incident.note(
                workflow.now(), "failed", f"an account was not compensated: {problem}", SYSTEM, {"account": account}
            )
            return
        incident.done += 1
        if done.amount is None:
            incident.elsewhere += 1
            return
        incident.add_paid(done.amount)
        incident.untold[account] = done

    async def _pay(self, account: str) -> str | None:
        """Have the rail pay the account; why it did not, if so. What was paid in part is paid out in a next attempt."""
        attempts = self._incident.attempts
        attempt = attempts[account] = attempts.get(account, 1)
        paid = await effects.pay_member(PayMember(reference=self._incident.reference, account=account, attempt=attempt))
        if paid.complete:
            del attempts[account]
            return None
        attempts[account] = attempt + 1
        return paid.spoken
