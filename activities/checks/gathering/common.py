"""What the gathering for every check has in common: the request, the log, and how far is looked."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from activities.checks.evidence_queries import EvidenceSnapshot
from domain.checks.facts import Given, LogFacts
from domain.checks.findings import InvestigationRequest
from domain.checks.moments import Execution, Moment, deciding_quotes
from domain.checks.profit import ReferenceRule
from domain.log.firm_records import ChargeSchedule
from domain.log.trade_log import Instrument, Order, OrderType, Position, Quote

MOST_FILLS: Final = 50
"""Fills examined at once: findings travel in the state of the case and in letters, and a payload holds 2 MB."""
MOST_WITHDRAWALS: Final = 50
MOST_ROWS: Final = 50
"""Positions, options, attempts, fees: of anything else that is examined one by one."""
MOST_POSITIONS: Final = 200
"""Positions and entries of a margin replay, which are all kept as evidence."""
TRADE_PADDING: Final = timedelta(minutes=5)
"""How far a customer's memory of the time of a trade may be off."""
WITHDRAWAL_PADDING: Final = timedelta(days=1)
EVENT: Final = timedelta(seconds=60)
"""Liquidations of an account within this time of the first belong to one event."""
LOOK_BACK: Final = timedelta(hours=24)
"""How long before its fill, at most, the quotes that a waiting order may have missed are looked for."""


class Gathering:
    """Gathers what a check of a request needs, and runs it."""

    def __init__(self, request: InvestigationRequest, log: EvidenceSnapshot) -> None:
        self._request, self._log = request, log
        self._account, self._tolerances = request.account, request.tolerances
        self._given = Given(tolerances=request.tolerances, as_of=request.as_of)

    async def _given_for(self, instruments: Iterable[Instrument], at: datetime) -> Given:
        """What a check goes by, with the tolerance of each of *instruments* as it was around *at*."""
        settled = {}
        for instrument in instruments:
            spread = None
            if self._tolerances.needs_spread(instrument.symbol):
                spread = await self._log.usual_spread(instrument.symbol, at)
            settled[instrument.symbol] = self._tolerances.price_of(instrument, usual_spread=spread)
        return Given(tolerances=self._tolerances.settled(settled), as_of=self._request.as_of)

    async def _given_of(self, execution: Execution) -> Given:
        """What the checks on *execution* go by: the same for all of them."""
        at = execution.fills[0].at if execution.fills else None
        if at is None or execution.instrument is None:
            return self._given
        return await self._given_for([execution.instrument], at)

    async def _quotes(self, wanted: Iterable[Moment]) -> list[Quote]:
        asked, seconds = set(wanted), self._tolerances.quote_window_seconds
        rows = await self._log.deciding_quotes(asked, window_seconds=seconds)
        return sorted(deciding_quotes(rows, asked, window_seconds=seconds), key=lambda row: (row.at, row.source))

    async def _schedules(self, symbol: str, at: datetime) -> list[ChargeSchedule]:
        """The charges of the nights until a reference price that lies after a closing at *at*."""
        if self._tolerances.reference in {ReferenceRule.AT_THAT_INSTANT, ReferenceRule.REINSTATE}:
            return []
        return await self._log.schedules(symbol, at, self._request.as_of)

    async def _afterwards(self, symbol: str, at: datetime, position: Position | None) -> list[Quote]:
        """What the declared rule for the reference price needs of the time after a closing at *at*."""
        tolerances, as_of = self._tolerances, self._request.as_of
        match tolerances.reference:
            case ReferenceRule.WHEN_ABLE_TO_ACT:
                return await self._log.near(symbol, at + timedelta(minutes=tolerances.act_minutes))
            case ReferenceRule.OWN_STOP_OR_TARGET if position is not None:
                found: list[Quote] = []
                for price, worse in ((position.stop, True), (position.target, False)):
                    if price is not None:
                        own = Order(
                            order=position.position,
                            account=position.account,
                            symbol=symbol,
                            side=position.side.opposite,
                            type=OrderType.STOP_LOSS if worse else OrderType.TAKE_PROFIT,
                            volume=position.volume,
                        )
                        reached = await self._log.first_through(own, price, at, as_of, worse=worse)
                        found += await self._quotes(Moment(symbol, quote.at, own.side, price) for quote in reached)
                return found
            case ReferenceRule.NEXT_STOP_OUT:
                return await self._log.first_ticks(symbol, at, as_of)
            case _:
                return []


def facts_of(*executions: Execution, quotes: Iterable[Quote] = (), **more: tuple[object, ...]) -> LogFacts:
    """The rows of *executions*, with *quotes* and whatever else a check needs."""
    rows: dict[str, tuple[object, ...]] = {
        "orders": tuple(each.order for each in executions if each.order),
        "fills": tuple(fill for each in executions for fill in each.fills),
        "instruments": tuple(
            {each.instrument.symbol: each.instrument for each in executions if each.instrument}.values()
        ),
        "positions": tuple({each.position.position: each.position for each in executions if each.position}.values()),
        "quotes": tuple(dict.fromkeys(quotes)),
    }
    return LogFacts.model_validate(rows | more)


def span_of(request: InvestigationRequest, padding: timedelta) -> tuple[datetime, datetime] | None:
    """When it happened, as the customer remembers it, with *padding* on both sides; ``None`` when not told."""
    named = [instant for instant in (request.occurred_from, request.occurred_until) if instant is not None]
    return (min(named) - padding, max(named) + padding) if named else None
