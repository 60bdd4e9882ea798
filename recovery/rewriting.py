"""Write again what a case file has lost, from what its workflow knows: in one transaction a case, by the same keys.

Nothing here sends a letter or tells a rail to pay: what became of those stands in the history.
"""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast

import asyncpg
from temporalio.exceptions import ApplicationError

from activities.case.case_file import CaseFile
from activities.case.pinning import pin
from activities.checks.investigating import Investigating
from activities.incidents.incident_letters import IncidentLetters
from activities.incidents.incident_payments import IncidentPayments, payment_key
from activities.incidents.incidents import Incidents
from activities.incidents.known_incidents import KnownIncidents, link_case
from activities.letters.letters import Letters
from activities.log.trade_log import TradeLog
from activities.money.compensation import Compensation
from activities.money.payments import Payments
from activities.money.promises import Promises
from domain.case.requests import OpenCase, Opened, RecordCompensation
from recovery.history import LEAVES_NOTHING, Step
from runtime.mail import Outbox
from runtime.settings import Settings

if TYPE_CHECKING:
    from runtime.database import Connection, Pool


class CannotWrite(Exception):
    """Something of a case cannot be written again as it was. The message says what, and what a person must do."""


class OneConnection:
    """What the activities take for a pool: all of it is one connection, and so one transaction of ours."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection

    @asynccontextmanager
    async def acquire(self) -> "AsyncIterator[Connection]":
        yield self._connection

    def get_max_size(self) -> int:
        return 1

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class Rewriting:
    """Writes again, within the transaction of *connection*, what the steps of one workflow had written."""

    def __init__(self, connection: "Connection", pool: "Pool", settings: Settings) -> None:
        """*pool* is where the trade log is read, which has a snapshot of its own."""
        self._connection = connection
        self._log = TradeLog(pool)
        self._pool = cast("Pool", OneConnection(connection))
        self._settings = settings
        self._case_file = CaseFile(self._pool, default_policy=settings.default_policies)
        self._rail: str | None = None

    async def write(self, steps: Iterable[Step]) -> list[str]:
        """Write what *steps* had written, in their order; what is there stays. Returns what could not be written."""
        problems = []
        steps = list(steps)
        for name in sorted({name for step in steps for name in _locks(step)}):
            await self._connection.execute(_LOCK, name)  # before the first row, as the effects do
        for step in steps:
            try:
                async with self._connection.transaction():
                    await (self._done(step, step.done) if step.done else self._under_way(step))
            except (CannotWrite, ApplicationError, asyncpg.PostgresError, ValueError, LookupError) as error:
                problems.append(f"{step.name} of {step.asked:%Y-%m-%d %H:%M:%S} UTC: {error}")
        return problems

    async def open(self, steps: Iterable[Step]) -> list[str]:
        """Write only what the case or incident begins with."""
        return await self.write(step for step in steps if step.name in {"OpenCase", "OpenIncident"})

    async def _under_way(self, step: Step) -> None:
        """What is under way its workflow goes on with; but a rail that may have been told to pay is asked first."""
        if step.name == "PayCompensation" and self._rail:
            await self._payments(step.asked).restore_paid(step.request, step.asked, None, self._rail)
        elif step.name == "PayMember" and self._rail:
            await self._incident_payments(step.asked).restore(step.request, step.asked, None, self._rail)

    async def _done(self, step: Step, at: datetime) -> None:
        request, result = step.request, step.result
        match step.name:
            case "OpenCase":
                await self._open_case(request, result)
            case "Record":
                await self._case_file.record(request)
            case "RecordContact":
                await self._case_file.record_contact(request)
            case "Investigate":
                if result.incident and request.reference:
                    await self._link(request.reference, result.incident.incident, at)
            case "SendLetter":
                await self._letters(at).restore(request, result, step.asked)
            case "RecordCompensation":
                self._rail = result.rail or self._rail
                await self._compensate(request, result)
            case "PromiseAward":
                await Promises(self._pool, self._case_file, lambda: result.at).restore(request, result)
                if result.letter:
                    await self._letters(at).restore(request.letter, result.letter, result.at)
            case "PayCompensation":
                await self._payments(at).restore_paid(request, step.asked, result.outcome, result.outcome.rail)
            case "BookPayment":
                await self._payments(result.outcome.at).restore_reported(request, result.outcome)
            case _:
                await self._of_an_incident(step, at)

    async def _of_an_incident(self, step: Step, at: datetime) -> None:
        request, result = step.request, step.result
        match step.name:
            case "OpenIncident":
                opened = await self._incidents(request.at).open_incident(request)
                if opened.policy_hash != result.policy_hash:
                    raise CannotWrite(
                        f"the incident was opened under the policy pack with hash {result.policy_hash[:12]}, which is"
                        " not here any more; put that version of the pack back into policies/ and reconcile again"
                    )
            case "RecordIncident":
                await self._incidents(at).record_incident(request)
            case "ListCohort":
                listed = await self._incidents(at).list_cohort(request)
                if listed.hash != result.hash:
                    raise CannotWrite(
                        f"list {request.number} comes out otherwise (hash {listed.hash[:12]}, it was"
                        f" {result.hash[:12]}): the trade log has not all that it had, or losses were made good by"
                        " cases that are not written again yet; import the trade log and reconcile again"
                    )
            case "CompensateMember":
                self._rail = result.rail or self._rail
                await self._incidents(at).restore_member(request, result)
            case "PayMember":
                if result.outcome:
                    await self._incident_payments(at).restore(request, step.asked, result.outcome, result.outcome.rail)
            case "TellMember":
                outbox = Outbox(self._settings.outbox_dir)
                await IncidentLetters(self._pool, None, outbox, self._settings, lambda: step.asked).restore(request, at)
            case "FindCases":
                for reference in result.references:
                    await self._link(reference, request.reference, at)
            case name if name in LEAVES_NOTHING:
                pass
            case _:
                raise LookupError(f"{step.name}: it is not known how this effect is written again")

    async def _open_case(self, request: OpenCase, opened: Opened) -> None:
        connection = self._connection
        await pin(connection, opened.policy_hash, opened.policy, request.at)
        known = await connection.fetchrow(
            "select source, idempotency_key from casefile.cases where reference = $1", request.reference
        )
        if known is None:
            await self._case_file.open_as(connection, request, opened.policy, opened.assessment, opened.identity)
        if warning := opened.warning:
            await connection.execute(
                "insert into casefile.incident_warnings (topic, warned_at, complaints, last) values ($1, $2, $3, $4)"
                " on conflict do nothing",
                warning.topic,
                request.complaint.received_at,
                list(warning.complaints),
                request.reference,
            )

    async def _compensate(self, request: RecordCompensation, recorded: Any) -> None:
        """The award as it was posted, whatever others have made good of it since."""
        ledger = Compensation(self._pool, self._case_file, lambda: recorded.at, rail=recorded.rail)
        await ledger.restore(request, recorded)

    async def _link(self, case: str, incident: str, at: datetime) -> None:
        """As far as both are there by now: the one that comes later makes the link."""
        both = await self._connection.fetchval(
            "select exists (select from casefile.cases where reference = $1)"
            " and exists (select from casefile.incidents where reference = $2)",
            case,
            incident,
        )
        if both:
            await link_case(self._connection, case, incident, at)

    def _letters(self, at: datetime) -> Letters:
        outbox = Outbox(self._settings.outbox_dir)
        return Letters(self._pool, self._case_file, None, outbox, self._settings, lambda: at)

    def _payments(self, at: datetime) -> Payments:
        return Payments(self._pool, self._case_file, None, lambda: at)

    def _incident_payments(self, at: datetime) -> IncidentPayments:
        return IncidentPayments(self._pool, self._payments(at))

    def _incidents(self, at: datetime) -> Incidents:
        investigating = Investigating(self._log, KnownIncidents(self._pool))
        # All is written again in one transaction, so over one connection: one account at a time.
        return Incidents(self._pool, investigating, self._settings, clock=lambda: at, rail=self._rail, side_by_side=1)


def _locks(step: Step) -> Iterator[str]:
    """What an effect locks before the case, and so is locked here before it: an effect may be under way meanwhile."""
    request = step.request
    match step.name:
        case "SendLetter":
            yield f"letter:{request.key}"
        case "PromiseAward" if request.letter:
            yield f"letter:{request.letter.key}"
            yield from [f"account:{request.account}"] if request.account else []
        case "PayCompensation":
            yield f"payment:{request.order.key}"
        case "PayMember":
            yield f"account:{request.account}"
            yield f"payment:{payment_key(request.reference, request.account, request.attempt)}"
        case "BookPayment":
            yield f"payment:{request.key}"
        case "RecordCompensation" | "CompensateMember" | "PromiseAward" if request.account:
            yield f"account:{request.account}"


_LOCK: Final = "select pg_advisory_xact_lock(hashtextextended($1, 0))"
