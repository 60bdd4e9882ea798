"""What the checks on single orders need: how they were filled, delayed, refused and set off."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from activities.checks.gathering.common import (
    LOOK_BACK,
    MOST_FILLS,
    MOST_ROWS,
    TRADE_PADDING,
    Gathering,
    facts_of,
    span_of,
)
from activities.checks.gathering.unanswered import (
    closed_by_another,
    no_orders,
    no_trades_between,
    nothing_named,
    nothing_refused,
    too_many,
    unknown_trades,
)
from domain.checks.execution.finding import check_execution, feeds_to_measure
from domain.checks.facts import Given, LogFacts
from domain.checks.findings import ALL_CUSTOMERS, Check, Finding
from domain.checks.market import WAITS_FOR_BETTER, WAITS_FOR_WORSE
from domain.checks.moments import Execution, FeedMedian, Moment, deciding_quotes, moments
from domain.checks.recompute import run
from domain.checks.requote import finding as requote
from domain.log.firm_records import Happened, OrderEvent
from domain.log.trade_log import Order, OrderType, Position, Quote

WAITING: Final = WAITS_FOR_WORSE | WAITS_FOR_BETTER


class Seen(NamedTuple):
    """What the checks on the price of one execution go by."""

    quotes: tuple[Quote, ...]
    medians: tuple[FeedMedian, ...]
    given: Given


class Orders(Gathering):
    """The checks on orders, by their ids or by the time."""

    async def _executions(self, check: Check) -> tuple[list[Execution], list[Finding]]:
        """The executions meant, and what is to be said of the rest."""
        request, log = self._request, self._log
        tables = await log.tables_of(request.account, request.trades)
        findings = unknown_trades(check, request, tables)
        trades = [trade for trade in dict.fromkeys(request.trades) if tables.get(trade, set()) - {"account_entries"}]
        if trades:
            orders = await log.orders_of(request.account, trades)
            findings += [no_orders(check, trade) for trade in trades if trade not in orders]
            chosen = sorted({order for each in orders.values() for order in each})
        elif findings:
            return [], findings
        elif span := span_of(request, TRADE_PADDING):
            chosen = await log.orders_between(request.account, *span, limit=MOST_FILLS + 1)
            if not chosen:
                return [], [no_trades_between(check, *span)]
        else:
            return [], [nothing_named(check)]
        executions = await log.executions(request.account, chosen)
        if sum(len(execution.fills) for execution in executions) > MOST_FILLS or len(executions) > 2 * MOST_FILLS:
            return [], [*findings, too_many(check, f"{MOST_FILLS} fills", f"{MOST_FILLS} 笔成交")]
        by_another = [each for each in executions if each.order is not None and each.order.type is OrderType.CLOSE_BY]
        findings += [closed_by_another(check, each) for each in by_another]
        return [each for each in executions if each not in by_another], findings

    async def execution(self) -> list[Finding]:
        executions, findings = await self._executions(Check.EXECUTION)
        for each, (quotes, medians, given) in zip(executions, await self._seen(executions), strict=True):
            findings.append(check_execution(each, quotes, medians, tolerances=given.tolerances))
        return findings

    async def _seen(self, executions: Sequence[Execution]) -> list[Seen]:
        """Of each execution what every check on its price goes by, so that all see the same."""
        wanted = [moment for each in executions for moment in moments(each)]
        around, seconds = await self._quotes(wanted), self._tolerances.quote_window_seconds
        found = []
        for each in executions:
            quotes = list(deciding_quotes(around, moments(each), window_seconds=seconds))
            order = each.order
            if order is not None and each.fills and order.type in WAITING and order.price is not None:
                quotes += await self._through(order, order.price, each, each.position)
            given = await self._given_of(each)
            found.append(Seen(tuple(dict.fromkeys(quotes)), await self._medians([each], quotes, given), given))
        return found

    async def _medians(
        self, executions: Iterable[Execution], quotes: Sequence[Quote], given: Given
    ) -> tuple[FeedMedian, ...]:
        """The middles of feeds that nobody else can confirm."""
        tolerances = given.tolerances
        feeds = [feed for each in executions for feed in feeds_to_measure(each, quotes, tolerances=tolerances)]
        return tuple(await self._log.medians(feeds))

    async def slippage(self) -> list[Finding]:
        """One finding an order, and one on the symmetry of each kind of orders among them."""
        executions, findings = await self._executions(Check.SLIPPAGE)
        kinds: dict[tuple[str, OrderType], list[Execution]] = {}
        for each, (quotes, medians, given) in zip(executions, await self._seen(executions), strict=True):
            facts = facts_of(each, quotes=quotes, feed_medians=medians)
            findings.append(run(Check.SLIPPAGE, each.id, facts, given))
            if each.order is not None and each.fills:
                kinds.setdefault((each.order.symbol, each.order.type), []).append(each)
        window = timedelta(minutes=self._tolerances.population_window_minutes)
        for (symbol, kind), same in kinds.items():
            if kind is OrderType.STOP_OUT:  # asks for no price
                continue
            at = same[0].fills[0].at
            shares = await self._log.slippage_shares(symbol, kind, at - window, at + window)
            facts = facts_of(*same, slippage_shares=(shares,))
            subject = f"{ALL_CUSTOMERS}{symbol} {kind.value}"
            findings.append(run(Check.SLIPPAGE, subject, facts, self._given))
        return findings

    async def execution_delay(self) -> list[Finding]:
        executions, findings = await self._executions(Check.EXECUTION_DELAY)
        events = await self._log.events_of(self._account, [each.id for each in executions])
        for each in executions:
            own = tuple(event for event in events if event.order == each.id)
            received = [event.at for event in own if event.kind is Happened.RECEIVED]
            if each.order is not None and each.order.received_at is not None:
                received.append(each.order.received_at)
            wanted = [
                Moment(fill.symbol, at, fill.side, fill.price) for fill in each.fills for at in (fill.at, *received)
            ]
            facts = facts_of(each, quotes=await self._quotes(wanted), order_events=own)
            findings.append(run(Check.EXECUTION_DELAY, each.id, facts, await self._given_of(each)))
        return findings

    async def requote(self) -> list[Finding]:
        """One finding an order that was refused, and one on the refusals of all customers."""
        request, log = self._request, self._log
        findings: list[Finding] = []
        if request.trades or not (span := span_of(request, TRADE_PADDING)):
            executions, findings = await self._executions(Check.REQUOTE)
            ids = [each.id for each in executions]
        else:
            refused = await log.refused_between(request.account, *span, limit=MOST_ROWS + 1)
            if len(refused) > MOST_ROWS:
                return [too_many(Check.REQUOTE, f"{MOST_ROWS} refusals", f"{MOST_ROWS} 次拒绝")]
            ids = sorted({event.order for event in refused if event.order is not None})
            executions = await log.executions(request.account, ids) if ids else []
            if not ids:
                return [nothing_refused(*span)]
        events = await log.events_of(request.account, ids)
        symbols: dict[str, datetime] = {}
        for each in executions:
            own = tuple(event for event in events if event.order == each.id)
            facts = facts_of(each, order_events=own)
            if own:
                symbols.setdefault(own[0].symbol, own[0].at)
                facts = await self._around_refusal(facts, own)
            given = await self._given_for(facts.instruments, own[0].at) if own else self._given
            findings.append(run(Check.REQUOTE, each.id, facts, given))
        window = timedelta(minutes=self._tolerances.population_window_minutes)
        for symbol, at in symbols.items():
            facts = LogFacts(
                requote_shares=tuple(await log.requote_shares(symbol, at - window, at + window)),
                instruments=tuple(await log.instruments([symbol], at)),
            )
            findings.append(run(Check.REQUOTE, f"{ALL_CUSTOMERS}{symbol}", facts, self._given))
        return findings

    async def _around_refusal(self, facts: LogFacts, events: Sequence[OrderEvent]) -> LogFacts:
        first = events[0]
        asked = [event for event in events if event.price is not None]
        price = asked[0].price if asked else None
        wanted = [Moment(each.symbol, each.at, each.side, price) for each in events if price is not None]
        later = await self._log.fills_between(
            self._account, first.symbol, first.side, events[-1].at, events[-1].at + requote.LATER
        )
        return facts.model_copy(
            update={
                "quotes": tuple(await self._quotes(wanted)),
                "fills": (*facts.fills, *later),
                "instruments": tuple(await self._log.instruments([first.symbol], first.at)),
            }
        )

    async def off_market(self) -> list[Finding]:
        executions, findings = await self._executions(Check.OFF_MARKET)
        for each, (seen, medians, given) in zip(executions, await self._seen(executions), strict=True):
            near = [quote for fill in each.fills for quote in await self._log.near(fill.symbol, fill.at)]
            facts = facts_of(each, quotes=[*seen, *near], feed_medians=medians)
            findings.append(run(Check.OFF_MARKET, each.id, facts, given))
        return findings

    async def trigger(self) -> list[Finding]:
        executions, findings = await self._executions(Check.TRIGGER)
        positions = {row.position: row for each in executions if (row := each.position)}
        known = {each.id for each in executions}
        waiting = [
            row
            for row in await self._log.orders(self._account, sorted(positions))
            if row.type in WAITING and row.order not in known
        ]
        every = [(each.order, each) for each in executions] + [
            (row, Execution(id=row.order, order=row, fills=(), instrument=None)) for row in waiting
        ]
        seen = dict(zip([each.id for each in executions], await self._seen(executions), strict=True))
        for order, each in every:
            position = each.position or (positions.get(order.position) if order and order.position else None)
            facts = facts_of(each)
            if each.instrument is None and order is not None:
                traded = await self._log.instruments([order.symbol], self._until(order, position))
                facts = facts.model_copy(update={"instruments": tuple(traded)})
            quotes, medians, given = seen.get(each.id) or Seen((), (), self._given)
            if position is not None:
                facts = facts.model_copy(update={"positions": (position,)})
            if order is not None and order.type in WAITING and order.price is not None:
                if each.fills:
                    after = await self._afterwards(order.symbol, each.fills[0].at, position) if position else []
                    schedules = await self._schedules(order.symbol, each.fills[0].at)
                    rows = {"quotes": (*quotes, *after), "charge_schedules": tuple(schedules), "feed_medians": medians}
                    facts = facts.model_copy(update=rows)
                else:
                    instrument = facts.instrument(order.symbol)
                    given = await self._given_for([instrument] if instrument else [], self._until(order, position))
                    facts = await self._unfilled(order, order.price, position, facts, given)
            findings.append(run(Check.TRIGGER, each.id, facts, given))
        return findings

    def _until(self, order: Order, position: Position | None) -> datetime:
        """Until when an order that was not filled waited."""
        return order.ended_at or (position.closed_at if position else None) or self._request.as_of

    async def _unfilled(
        self, order: Order, price: Decimal, position: Position | None, facts: LogFacts, given: Given
    ) -> LogFacts:
        """What was quoted while *order* waited in vain, and what closed its position instead."""
        nothing = Execution(id=order.order, order=order, fills=(), instrument=None)
        quotes = await self._through(order, price, nothing, position)
        if order.type in WAITS_FOR_BETTER:
            instrument = facts.instrument(order.symbol)
            limit = given.tolerances.price_of(instrument) if instrument else Decimal(0)
            quotes += await self._through(order, price - order.side.sign * limit, nothing, position)
        rows: dict[str, object] = {"quotes": tuple(quotes)}
        if position is not None:
            ids = [position.position]
            orders = [order, *(row for row in await self._log.orders(self._account, ids) if row.order != order.order)]
            rows |= {"fills": tuple(await self._log.fills_of(self._account, ids)), "orders": tuple(orders)}
        return facts.model_copy(update=rows)

    async def _through(self, order: Order, price: Decimal, each: Execution, position: Position | None) -> list[Quote]:
        """Of each source its first quote through the trigger, its nearest, and those around these and the fill."""
        until = each.fills[0].at if each.fills else self._until(order, position)
        since = order.received_at or (position.opened_at if position else None) or until - LOOK_BACK
        start = max(since, until - LOOK_BACK)
        end = until + timedelta(seconds=self._tolerances.quote_window_seconds) if each.fills else until
        quotes = await self._log.through(order, price, start, end, worse=order.type in WAITS_FOR_WORSE)
        instants = {quote.at for quote in quotes} | {fill.at for fill in each.fills} | {start}
        quotes += await self._quotes(Moment(order.symbol, at, order.side, price) for at in instants)
        return quotes
