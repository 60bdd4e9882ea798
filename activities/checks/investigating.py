"""Investigates complaints on the trade log."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol

import structlog
from temporalio import activity

from activities.checks.evidence_queries import EvidenceSnapshot
from activities.checks.shared_spans import SharedSpans
from activities.log.trade_log import TradeLog, UnreadableRow
from domain.checks.findings import Check, Elsewhere, Finding, IncidentLink, Investigation, InvestigationRequest
from domain.checks.gathering.asked import Asked, Seen
from domain.checks.gathering.unanswered import failed, too_many, unknown_account, unreadable
from domain.checks.interest import with_interest
from domain.checks.losses import Covered, left_out, once_only, together, without
from domain.checks.table import CHECKS
from domain.checks.trades import of_one_trade
from domain.ground.sizes import size
from domain.log.trade_log import OrderType
from domain.money.amounts import Money
from runtime.database import OUTAGES

_NOTHING: Final[Mapping[str, Decimal]] = MappingProxyType({})

TRIES: Final = 3
"""Attempts of an investigation until a check that breaks off each time is left to people."""
_OF_OPTIONS: Final = frozenset({Check.BINARY_OPTION})
_OF_AN_ORDER: Final = {
    Check.EXECUTION,
    Check.SLIPPAGE,
    Check.EXECUTION_DELAY,
    Check.REQUOTE,
    Check.TRIGGER,
    Check.OFF_MARKET,
}
"""What an order is judged by. Of an option these could only ask which trade it is."""
_MOST_OPTIONS: Final = 50

logger = structlog.get_logger(__name__)

MOST_BYTES: Final = 500_000
"""Bytes that the findings of an investigation come to at most; a check that would go beyond asks for fewer trades."""
MOST_KEPT: Final = 110_000
"""The same without their evidence, which the case carries from run to run and its letters tell of."""


class KnownOfCase(NamedTuple):
    """What is known of a case and its account when it is investigated."""

    covered: Mapping[str, Covered] = MappingProxyType({})
    """The losses that others made good or promise, by key."""
    incident: IncidentLink | None = None
    """The incident that the case is about."""
    lately: tuple[Money, ...] = ()
    """What the customer was promised by rule lately."""
    pinned: tuple[str, datetime] | None = None
    """By which pack the case goes, by its hash, and when it was received."""


class Known(Protocol):
    """Whoever knows of an account what others have found of it."""

    async def of(self, request: InvestigationRequest) -> KnownOfCase:
        """What is known; nothing, where it is no case that is investigated."""

    async def mark(self, request: InvestigationRequest, findings: Sequence[Finding], known: KnownOfCase) -> str | None:
        """The mark of what was found for a case, if it was asked for by the rules of that case."""


class Investigating:
    """Runs the checks of a request on the trade log."""

    def __init__(self, log: TradeLog, known: Known | None = None) -> None:
        self.log = log
        self._known = known

    @activity.defn(name="Investigate")
    async def investigate(self, request: InvestigationRequest) -> Investigation:
        """One finding or more for each check, in the order asked for; each loss in one of them only.

        Reads one snapshot of the log and changes nothing in it: the same log and request give the same findings. What
        the log does not answer is a finding too (``INCONCLUSIVE``), so that only an outage of the database raises. A
        check that breaks off is tried again with the whole, and then ends as a finding too (:attr:`Finding.failed`).
        Of a case, what others made good or promise is not counted again, and it is linked to the incident it is about.
        """
        known = await self._known.of(request) if self._known else KnownOfCase()
        findings = together(await self.look(request, {key: one.amount for key, one in known.covered.items()}))
        mark = await self._known.mark(request, findings, known) if self._known else None
        return Investigation(
            findings=findings,
            version=2,
            incident=known.incident,
            elsewhere=_where(findings, known.covered),
            lately=known.lately,
            trades=of_one_trade(findings),
            mark=mark,
        )

    async def look(
        self,
        request: InvestigationRequest,
        settled: Mapping[str, Decimal] = _NOTHING,
        *,
        shared: SharedSpans | None = None,
        log: TradeLog | None = None,
    ) -> tuple[Finding, ...]:
        """The findings, without the losses whose keys are in *settled*: those were promised or made good before.

        *shared* is what was read of the quotes for other accounts, and is added to. *log* is to be asked instead of the
        investigator's own.
        """
        findings: list[Finding] = []
        seen: dict[str, Seen] = {}
        # Where a fault is raised anyway, nothing more is asked of this snapshot: it may be left as it is.
        raising = activity.in_activity() and activity.info().attempt < TRIES
        room, kept = MOST_BYTES, MOST_KEPT
        async with (log or self.log).snapshot(EvidenceSnapshot) as snapshot:
            snapshot.shared = shared
            known = await snapshot.knows(request.account)
            request, options = await _named(request, snapshot)
            checks = list(dict.fromkeys(request.checks))
            for check in checks:
                named = request.model_copy(update={"trades": options}) if options and check in _OF_OPTIONS else request
                asked = CHECKS[check].asked(check, named, snapshot, seen)
                if not known:
                    findings.append(unknown_account(asked))
                    continue
                try:
                    async with nullcontext() if raising else snapshot.apart():
                        found = await gather(asked)
                        once_only(found)  # what cannot be summed up is this check's fault
                except UnreadableRow as error:
                    found = [unreadable(asked, error)]
                except OUTAGES:
                    raise
                except Exception as error:
                    if raising:
                        raise
                    logger.exception("a check broke off", check=check.value)
                    found = [failed(asked, error)]
                whole, bare = _bytes(found), _bytes(finding.bare for finding in found)
                if whole > room or bare > kept:
                    found = [too_many(asked, "a payload's worth of rows", "单次可核查上限")]
                else:
                    room, kept = room - whole, kept - bare
                findings += found
                # a liquidation has two questions, whoever asks about it: was its price valid, and was it due
                liquidations = [finding for finding in found if _liquidation(finding)]
                if liquidations and Check.STOP_OUT not in checks:
                    doubtful = any(
                        "set_off_by" in each.numbers and not each.verdict.for_the_customer for each in liquidations
                    )
                    checks += [Check.STOP_OUT] if doubtful or await snapshot.can_replay(request.account) else []
            bases = sorted({one.base for one in request.interest if one.base})
            base_rates = [rate for name in bases for rate in await snapshot.base_rates(name)]
        until = request.as_of.date()
        owed = [without(finding, settled) for finding in once_only(findings)]
        return tuple(with_interest(finding, request.interest, base_rates, until) for finding in owed)


async def gather(asked: Asked) -> list[Finding]:
    """The findings of one check, one or more."""
    return await CHECKS[asked.check].gather(asked)


async def _named(request: InvestigationRequest, log: EvidenceSnapshot) -> tuple[InvestigationRequest, tuple[str, ...]]:
    """*request* as the log understands its numbers, and the options among them.

    An option that is named is looked at, whatever words the complaint has for it, and no other check asks what trade
    it is. Where no trade was given, those are meant that the customer mentions and the log knows.
    """
    account, trades = request.account, request.trades
    if not (trades or request.mentioned):
        return request, ()
    rows = await log.options(account, (*trades, *request.mentioned), None, None, limit=_MOST_OPTIONS)
    options = tuple(row.option for row in rows)
    if not trades:
        known = await log.tables_of(account, request.mentioned)
        trades = tuple(one for one in request.mentioned if one in known)
    trades = tuple(one for one in trades if one not in options)
    checks = request.checks
    if options:
        own = (check for check in checks if trades or request.occurred_from or check not in _OF_AN_ORDER)
        checks = tuple(dict.fromkeys((*own, Check.BINARY_OPTION)))
    return request.model_copy(update={"trades": trades, "checks": checks}), options


def _where(findings: Iterable[Finding], covered: Mapping[str, Covered]) -> tuple[Elsewhere, ...]:
    """Where else that is made good which *findings* leave out."""
    where = (covered[key].under for key in left_out(findings) if key in covered)
    return tuple(dict.fromkeys(one for one in where if one))


def _bytes(findings: Iterable[Finding]) -> int:
    return sum(map(size, findings))


def _liquidation(finding: Finding) -> bool:
    """Whether it is about the execution of a forced liquidation."""
    return finding.check is Check.EXECUTION and any(
        row.table == "orders" and row.values.get("type") == OrderType.STOP_OUT for row in finding.evidence
    )
