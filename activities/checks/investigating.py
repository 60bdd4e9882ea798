"""Investigates complaints on the trade log."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final, Protocol

import asyncpg
import structlog
from temporalio import activity

from activities.checks.evidence_queries import EvidenceSnapshot
from activities.checks.gathering import gather
from activities.checks.gathering.unanswered import failed, too_many, unknown_account, unreadable
from activities.log.trade_log import TradeLog, UnreadableRow
from domain.checks.findings import Check, Finding, IncidentLink, Investigation, InvestigationRequest
from domain.checks.interest import with_interest
from domain.checks.losses import once_only, without
from domain.ground.sizes import size
from domain.log.trade_log import OrderType

_NOTHING: Final[Mapping[str, Decimal]] = MappingProxyType({})

TRIES: Final = 3
"""Attempts of an investigation until a check that breaks off each time is left to people."""
OUTAGES: Final = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.TransactionRollbackError,
)
"""What passes by itself, however long it takes: no fault of a check."""

logger = structlog.get_logger(__name__)

MOST_BYTES: Final = 500_000
"""Bytes that the findings of an investigation come to at most; a check that would go beyond asks for fewer trades."""
MOST_KEPT: Final = 110_000
"""The same without their evidence, which the case carries from run to run and its letters tell of."""


class Known(Protocol):
    """Whoever knows of an account what others have found of it."""

    async def of(self, request: InvestigationRequest) -> tuple[Mapping[str, Decimal], IncidentLink | None]:
        """The losses that were made good so far, by key, and the incident that the case is about."""


class Investigating:
    """Runs the checks of a request on the trade log."""

    def __init__(self, log: TradeLog, known: Known | None = None) -> None:
        self._log = log
        self._known = known

    @activity.defn(name="Investigate")
    async def investigate(self, request: InvestigationRequest) -> Investigation:
        """One finding or more for each check, in the order asked for; each loss in one of them only.

        Reads one snapshot of the log and changes nothing in it: the same log and request give the same findings. What
        the log does not answer is a finding too (``INCONCLUSIVE``), so that only an outage of the database raises. A
        check that breaks off is tried again with the whole, and then ends as a finding too (:attr:`Finding.failed`).
        Of a case, what others made good is not counted again, and it is linked to the incident it is about.
        """
        settled, incident = await self._known.of(request) if self._known else (_NOTHING, None)
        return Investigation(findings=await self.look(request, settled), version=2, incident=incident)

    async def look(
        self, request: InvestigationRequest, settled: Mapping[str, Decimal] = _NOTHING
    ) -> tuple[Finding, ...]:
        """The findings, without the losses whose keys are in *settled*: those were made good before."""
        findings: list[Finding] = []
        room, kept = MOST_BYTES, MOST_KEPT
        async with self._log.snapshot(EvidenceSnapshot) as log:
            known = await log.knows(request.account)
            checks = list(dict.fromkeys(request.checks))
            for check in checks:
                if not known:
                    findings.append(unknown_account(check))
                    continue
                try:
                    async with log.apart():
                        found = await gather(check, request, log)
                        once_only(found)  # what cannot be summed up is this check's fault
                except UnreadableRow as error:
                    found = [unreadable(check, error)]
                except OUTAGES:
                    raise
                except Exception as error:
                    if activity.in_activity() and activity.info().attempt < TRIES:
                        raise
                    logger.exception("a check broke off", check=check.value)
                    found = [failed(check, error)]
                whole, bare = _bytes(found), _bytes(finding.bare for finding in found)
                if whole > room or bare > kept:
                    found = [too_many(check, "a payload's worth of rows", "单次可核查上限")]
                else:
                    room, kept = room - whole, kept - bare
                findings += found
                # a liquidation has two questions, whoever asks about it: was its price valid, and was it due
                liquidations = [finding for finding in found if _liquidation(finding)]
                if liquidations and Check.STOP_OUT not in checks:
                    doubtful = any(
                        "set_off_by" in each.numbers and not each.verdict.for_the_customer for each in liquidations
                    )
                    checks += [Check.STOP_OUT] if doubtful or await log.can_replay(request.account) else []
            bases = sorted({one.base for one in request.interest if one.base})
            base_rates = [rate for name in bases for rate in await log.base_rates(name)]
        until = request.as_of.date()
        owed = [without(finding, settled) for finding in once_only(findings)]
        return tuple(with_interest(finding, request.interest, base_rates, until) for finding in owed)


def _bytes(findings: Iterable[Finding]) -> int:
    return sum(map(size, findings))


def _liquidation(finding: Finding) -> bool:
    """Whether it is about the execution of a forced liquidation."""
    return finding.check is Check.EXECUTION and any(
        row.table == "orders" and row.values.get("type") == OrderType.STOP_OUT for row in finding.evidence
    )
