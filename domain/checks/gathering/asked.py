"""One check asked of one request: what it goes by, the log that answers, and how far is looked."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from domain.checks.facts import CheckFunction, Given, LogFacts
from domain.checks.findings import Check, Finding, InvestigationRequest
from domain.checks.gathering.log import Log
from domain.checks.moments import Execution, FeedMedian, Moment, deciding_quotes
from domain.log.trade_log import Instrument, Quote

MOST_FILLS: Final = 50
"""Fills examined at once: findings travel in the state of the case and in letters, and a payload holds 2 MB."""
MOST_WITHDRAWALS: Final = 50
MOST_ROWS: Final = 50
"""Positions, options, attempts, fees: of anything else that is examined one by one."""
TRADE_PADDING: Final = timedelta(minutes=5)
"""How far a customer's memory of the time of a trade may be off."""
WITHDRAWAL_PADDING: Final = timedelta(days=1)


class Seen(NamedTuple):
    """What the checks on the price of one execution go by."""

    quotes: tuple[Quote, ...]
    medians: tuple[FeedMedian, ...]
    given: Given


class Asked:
    """What a check is gathered with, and judges by."""

    def __init__(
        self,
        check: Check,
        run: CheckFunction,
        formula: str,
        request: InvestigationRequest,
        log: Log,
        *,
        seen: dict[str, Seen],
    ) -> None:
        """*seen* is what other checks of the same request have seen of executions, by their ids, and is added to."""
        self.check, self.formula, self.request, self.log, self.seen = check, formula, request, log, seen
        self.account, self.tolerances, self.as_of = request.account, request.tolerances, request.as_of
        self.given = Given(tolerances=request.tolerances, as_of=request.as_of)
        self._run = run

    def judge(self, subject: str, facts: LogFacts, given: Given | None = None) -> Finding:
        """The finding on *subject*, on its facts in a fixed order, each row once."""
        return self._run(subject, facts.once(), given or self.given)

    def span(self, padding: timedelta = TRADE_PADDING) -> tuple[datetime, datetime] | None:
        """When it happened, as the customer remembers it, with *padding* on both sides; ``None`` when not told."""
        request = self.request
        named = [instant for instant in (request.occurred_from, request.occurred_until) if instant is not None]
        return (min(named) - padding, max(named) + padding) if named else None

    async def given_for(self, instruments: Iterable[Instrument], at: datetime) -> Given:
        """What a check goes by, with the tolerance of each of *instruments* as it was around *at*."""
        settled = {}
        for instrument in instruments:
            spread = None
            if self.tolerances.needs_spread(instrument.symbol):
                spread = await self.log.usual_spread(instrument.symbol, at)
            settled[instrument.symbol] = self.tolerances.price_of(instrument, usual_spread=spread)
        return Given(tolerances=self.tolerances.settled(settled), as_of=self.as_of)

    async def given_of(self, execution: Execution) -> Given:
        """What the checks on *execution* go by: the same for all of them."""
        at = execution.fills[0].at if execution.fills else None
        if at is None or execution.instrument is None:
            return self.given
        return await self.given_for([execution.instrument], at)

    async def quotes(self, wanted: Iterable[Moment]) -> list[Quote]:
        """The quotes that decide at the moments *wanted*, in the order of time."""
        moments, seconds = set(wanted), self.tolerances.quote_window_seconds
        rows = await self.log.deciding_quotes(moments, window_seconds=seconds)
        return sorted(deciding_quotes(rows, moments, window_seconds=seconds), key=lambda row: (row.at, row.source))


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
