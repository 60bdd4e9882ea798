"""Investigates complaints on the trade log."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from temporalio import activity

from activities.evidence_queries import EvidenceSnapshot
from activities.trade_log import TradeLog, UnreadableRow
from domain import withdrawal_delay
from domain.checks import (
    binary_option,
    cancelled_trade,
    charges,
    execution_delay,
    off_market,
    outage,
    requote,
    slippage,
    stop_out,
    suitability,
    trigger,
)
from domain.checks.facts import Given, LogFacts
from domain.checks.market import WAITS_FOR_BETTER, WAITS_FOR_WORSE
from domain.checks.recompute import run
from domain.execution import (
    UNIDENTIFIED,
    Execution,
    Moment,
    check_execution,
    deciding_quotes,
    feeds_to_measure,
    moments,
)
from domain.findings import (
    Bilingual,
    Check,
    Finding,
    Investigation,
    InvestigationRequest,
    Verdict,
    once_only,
)
from domain.firm_records import ChargeSchedule, Happened, OrderEvent
from domain.redress import ReferenceRule
from domain.trade_log import Order, OrderType, Position, Quote
from domain.withdrawal_delay import check_withdrawal_delay

MOST_FILLS: Final = 50
"""Fills examined at once: findings travel in the state of the case and in letters, and a payload holds 2 MB."""
MOST_WITHDRAWALS: Final = 50
MOST_ROWS: Final = 50
"""Positions, options, attempts, fees: of anything else that is examined one by one."""
MOST_POSITIONS: Final = 200
"""Positions and entries of a margin replay, which are all kept as evidence."""
MOST_BYTES: Final = 1_400_000
"""What the findings of an investigation may come to; a check that would go beyond asks for fewer trades."""
TRADE_PADDING: Final = timedelta(minutes=5)
"""How far a customer's memory of the time of a trade may be off."""
WITHDRAWAL_PADDING: Final = timedelta(days=1)
EVENT: Final = timedelta(seconds=60)
"""Liquidations of an account within this time of the first belong to one event."""
LOOK_BACK: Final = timedelta(hours=24)
"""How long before its fill, at most, the quotes that a waiting order may have missed are looked for."""

_WAITING: Final = WAITS_FOR_WORSE | WAITS_FOR_BETTER
_FORMULAS: Final = {
    Check.EXECUTION: UNIDENTIFIED,
    Check.WITHDRAWAL_DELAY: withdrawal_delay.FORMULA,
    Check.SLIPPAGE: slippage.FORMULA,
    Check.EXECUTION_DELAY: execution_delay.FORMULA,
    Check.REQUOTE: requote.FORMULA,
    Check.TRIGGER: trigger.FORMULA,
    Check.OFF_MARKET: off_market.FORMULA,
    Check.STOP_OUT: stop_out.FORMULA,
    Check.CHARGES: charges.FORMULA,
    Check.OUTAGE: outage.FORMULA,
    Check.BINARY_OPTION: binary_option.FORMULA,
    Check.CANCELLED_TRADE: cancelled_trade.FORMULA,
    Check.SUITABILITY: suitability.FORMULA,
}


class Investigating:
    """Runs the checks of a request on the trade log."""

    def __init__(self, log: TradeLog) -> None:
        self._log = log

    @activity.defn(name="Investigate")
    async def investigate(self, request: InvestigationRequest) -> Investigation:
        """One finding or more for each check, in the order asked for; each loss in one of them only.

        Reads one snapshot of the log and changes nothing: the same log and request give the same findings. What the
        log does not answer is a finding too (``INCONCLUSIVE``), so that only an outage of the database raises.
        """
        findings: list[Finding] = []
        room = MOST_BYTES
        async with self._log.snapshot() as snapshot:
            log = EvidenceSnapshot.of(snapshot)
            known = await log.knows(request.account)
            for check in dict.fromkeys(request.checks):
                if not known:
                    findings.append(_unknown_account(check))
                    continue
                try:
                    found = await _Gathering(request, log).run(check)
                except UnreadableRow as error:
                    found = [_unreadable(check, error)]
                size = sum(len(finding.model_dump_json()) for finding in found)
                if size > room:
                    found = [_too_many(check, "a payload's worth of rows", "单次可核查上限")]
                else:
                    room -= size
                findings += found
        return Investigation(findings=once_only(findings))


class _Gathering:
    """Gathers what one check of a request needs, and runs it."""

    def __init__(self, request: InvestigationRequest, log: EvidenceSnapshot) -> None:
        self._request, self._log = request, log
        self._account, self._tolerances = request.account, request.tolerances
        self._given = Given(tolerances=request.tolerances, as_of=request.as_of)

    async def run(self, check: Check) -> list[Finding]:
        return await {
            Check.EXECUTION: self._execution,
            Check.WITHDRAWAL_DELAY: self._withdrawal_delay,
            Check.SLIPPAGE: self._slippage,
            Check.EXECUTION_DELAY: self._execution_delay,
            Check.REQUOTE: self._requote,
            Check.TRIGGER: self._trigger,
            Check.OFF_MARKET: self._off_market,
            Check.STOP_OUT: self._stop_out,
            Check.CHARGES: self._charges,
            Check.OUTAGE: self._outage,
            Check.BINARY_OPTION: self._binary_option,
            Check.CANCELLED_TRADE: self._cancelled_trade,
            Check.SUITABILITY: self._suitability,
        }[check]()

    # --- orders -------------------------------------------------------------------------------------------------------

    async def _executions(self, check: Check) -> tuple[list[Execution], list[Finding]]:
        """The executions meant, and what is to be said of the rest."""
        request, log = self._request, self._log
        tables = await log.tables_of(request.account, request.trades)
        findings = _unknown_trades(check, request, tables)
        trades = [trade for trade in dict.fromkeys(request.trades) if tables.get(trade, set()) - {"account_entries"}]
        if trades:
            orders = await log.orders_of(request.account, trades)
            findings += [_no_orders(check, trade) for trade in trades if trade not in orders]
            chosen = sorted({order for each in orders.values() for order in each})
        elif findings:
            return [], findings
        elif span := _span(request, TRADE_PADDING):
            chosen = await log.orders_between(request.account, *span, limit=MOST_FILLS + 1)
            if not chosen:
                return [], [_no_trades_between(check, *span)]
        else:
            return [], [_nothing_named(check)]
        executions = await log.executions(request.account, chosen)
        if sum(len(execution.fills) for execution in executions) > MOST_FILLS or len(executions) > 2 * MOST_FILLS:
            return [], [*findings, _too_many(check, f"{MOST_FILLS} fills", f"{MOST_FILLS} 笔成交")]
        return executions, findings

    async def _quotes(self, wanted: Iterable[Moment]) -> list[Quote]:
        asked, seconds = set(wanted), self._tolerances.quote_window_seconds
        rows = await self._log.deciding_quotes(asked, window_seconds=seconds)
        return sorted(deciding_quotes(rows, asked, window_seconds=seconds), key=lambda row: (row.at, row.source))

    async def _execution(self) -> list[Finding]:
        executions, findings = await self._executions(Check.EXECUTION)
        tolerances = self._tolerances
        quotes = await self._quotes(moment for execution in executions for moment in moments(execution))
        feeds = [feed for each in executions for feed in feeds_to_measure(each, quotes, tolerances=tolerances)]
        medians = await self._log.medians(feeds)
        return findings + [check_execution(each, quotes, medians, tolerances=tolerances) for each in executions]

    async def _slippage(self) -> list[Finding]:
        """One finding an order, and one on the symmetry of each kind of orders among them."""
        executions, findings = await self._executions(Check.SLIPPAGE)
        kinds: dict[tuple[str, OrderType], list[Execution]] = {}
        for each in executions:
            wanted = [Moment(fill.symbol, fill.at, fill.side, fill.price) for fill in each.fills]
            facts = _facts(each, quotes=await self._quotes(wanted))
            findings.append(run(Check.SLIPPAGE, each.id, facts, self._given))
            if each.order is not None and each.fills:
                kinds.setdefault((each.order.symbol, each.order.type), []).append(each)
        window = timedelta(minutes=self._tolerances.population_window_minutes)
        for (symbol, kind), same in kinds.items():
            if kind is OrderType.STOP_OUT:  # asks for no price
                continue
            at = same[0].fills[0].at
            shares = await self._log.slippage_shares(symbol, kind, at - window, at + window)
            facts = _facts(*same, slippage_shares=(shares,))
            subject = f"{slippage.ALL_CUSTOMERS}{symbol} {kind.value}"
            findings.append(run(Check.SLIPPAGE, subject, facts, self._given))
        return findings

    async def _execution_delay(self) -> list[Finding]:
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
            facts = _facts(each, quotes=await self._quotes(wanted), order_events=own)
            findings.append(run(Check.EXECUTION_DELAY, each.id, facts, self._given))
        return findings

    async def _requote(self) -> list[Finding]:
        """One finding an order that was refused, and one on the refusals of all customers."""
        request, log = self._request, self._log
        findings: list[Finding] = []
        if request.trades or not (span := _span(request, TRADE_PADDING)):
            executions, findings = await self._executions(Check.REQUOTE)
            ids = [each.id for each in executions]
        else:
            refused = await log.refused_between(request.account, *span, limit=MOST_ROWS + 1)
            if len(refused) > MOST_ROWS:
                return [_too_many(Check.REQUOTE, f"{MOST_ROWS} refusals", f"{MOST_ROWS} 次拒绝")]
            ids = sorted({event.order for event in refused if event.order is not None})
            executions = await log.executions(request.account, ids) if ids else []
            if not ids:
                return [_nothing_refused(*span)]
        events = await log.events_of(request.account, ids)
        symbols: dict[str, datetime] = {}
        for each in executions:
            own = tuple(event for event in events if event.order == each.id)
            facts = _facts(each, order_events=own)
            if own:
                symbols.setdefault(own[0].symbol, own[0].at)
                facts = await self._around_refusal(facts, own)
            findings.append(run(Check.REQUOTE, each.id, facts, self._given))
        window = timedelta(minutes=self._tolerances.population_window_minutes)
        for symbol, at in symbols.items():
            facts = LogFacts(
                requote_shares=tuple(await log.requote_shares(symbol, at - window, at + window)),
                instruments=tuple(await log.instruments([symbol])),
            )
            findings.append(run(Check.REQUOTE, f"{requote.ALL_CUSTOMERS}{symbol}", facts, self._given))
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
                "instruments": tuple(await self._log.instruments([first.symbol])),
            }
        )

    async def _trigger(self) -> list[Finding]:
        executions, findings = await self._executions(Check.TRIGGER)
        positions = {row.position: row for each in executions if (row := each.position)}
        known = {each.id for each in executions}
        waiting = [
            row
            for row in await self._log.orders(self._account, sorted(positions))
            if row.type in _WAITING and row.order not in known
        ]
        instruments = await self._log.instruments(
            [row.symbol for row in waiting] + [each.order.symbol for each in executions if each.order]
        )
        every = [(each.order, each) for each in executions] + [
            (row, Execution(id=row.order, order=row, fills=(), instrument=None)) for row in waiting
        ]
        for order, each in every:
            position = each.position or (positions.get(order.position) if order and order.position else None)
            facts = _facts(each, instruments=tuple(instruments))
            if position is not None:
                facts = facts.model_copy(update={"positions": (position,)})
                if not each.fills:
                    closing = await self._log.fills_of(self._account, [position.position])
                    facts = facts.model_copy(update={"fills": tuple(closing)})
            if order is not None and order.type in _WAITING and order.price is not None:
                quotes = await self._through(order, order.price, each, position)
                schedules = await self._schedules(order.symbol, each.fills[0].at) if each.fills else []
                facts = facts.model_copy(update={"quotes": tuple(quotes), "charge_schedules": tuple(schedules)})
            findings.append(run(Check.TRIGGER, each.id, facts, self._given))
        return findings

    async def _through(self, order: Order, price: Decimal, each: Execution, position: Position | None) -> list[Quote]:
        """Of each source its first quote through the trigger, its nearest, and those around these and the fill."""
        ended = order.ended_at or (position.closed_at if position else None) or self._request.as_of
        until = each.fills[0].at if each.fills else ended
        since = order.received_at or (position.opened_at if position else None) or until - LOOK_BACK
        worse = order.type in WAITS_FOR_WORSE
        start = max(since, until - LOOK_BACK)
        quotes = await self._log.through(order, price, start, until, worse=worse)
        if not each.fills and not worse:
            beyond = price - order.side.sign * Decimal(self._tolerances.price)
            quotes += await self._log.through(order, beyond, start, until, worse=worse)
        instants = {quote.at for quote in quotes} | {fill.at for fill in each.fills}
        quotes += await self._quotes(Moment(order.symbol, at, order.side, price) for at in instants)
        if each.fills and order.position is not None:
            quotes += await self._afterwards(order.symbol, until, position)
        return quotes

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
                        reached = await self._log.through(own, price, at, as_of, worse=worse)
                        found += await self._quotes(Moment(symbol, quote.at, own.side, price) for quote in reached)
                return found
            case ReferenceRule.NEXT_STOP_OUT:
                return await self._log.first_ticks([symbol], at, as_of)
            case _:
                return []

    async def _off_market(self) -> list[Finding]:
        executions, findings = await self._executions(Check.OFF_MARKET)
        for each in executions:
            quotes = [quote for fill in each.fills for quote in await self._log.near(fill.symbol, fill.at)]
            findings.append(run(Check.OFF_MARKET, each.id, _facts(each, quotes=quotes), self._given))
        return findings

    async def _stop_out(self) -> list[Finding]:
        """One finding for each event: liquidations within a minute of the first."""
        executions, findings = await self._executions(Check.STOP_OUT)
        liquidations = [
            each
            for each in executions
            if each.fills and each.order is not None and each.order.type is OrderType.STOP_OUT
        ]
        others = [each for each in executions if each not in liquidations]
        if others and not liquidations and not findings:
            findings.append(run(Check.STOP_OUT, others[0].id, _facts(others[0]), self._given))
        while liquidations:
            first = liquidations[0]
            at = first.fills[0].at
            same = await self._log.orders_between(self._account, at - EVENT, at + EVENT, limit=MOST_FILLS + 1)
            if len(same) > MOST_FILLS:
                return [
                    *findings,
                    _too_many(Check.STOP_OUT, f"{MOST_FILLS} orders in a minute", f"一分钟内 {MOST_FILLS} 笔订单"),
                ]
            event = [
                each
                for each in await self._log.executions(self._account, same)
                if each.order is not None and each.order.type is OrderType.STOP_OUT
            ]
            ids = {each.id for each in event}
            liquidations = [each for each in liquidations if each.id not in ids]
            findings.append(await self._event(event))
        return findings

    async def _event(self, event: Sequence[Execution]) -> Finding:
        log, account = self._log, self._account
        at, last = event[0].fills[0].at, event[-1].fills[-1].at
        balance = await log.balance(account, at)
        since = balance[0].at if balance else at
        positions = await log.positions_between(account, since, last, limit=MOST_POSITIONS + 1)
        entries = await log.entries(account, since, last, limit=MOST_POSITIONS + 1)
        if max(len(positions), len(entries)) > MOST_POSITIONS:  # a part of them would give a wrong level
            return _unanswered(
                Check.STOP_OUT,
                event[0].id,
                f"a balance of the account less than {MOST_POSITIONS} positions and entries before the liquidation",
                "Too much happened on your account between the last balance recorded and the liquidation.",
                "自最近一次余额记录至强制平仓之间，您账户的变动过多。",
            )
        terms = await log.terms(account, at)
        symbols = sorted({row.symbol for row in positions} | {fill.symbol for each in event for fill in each.fills})
        instruments = await log.instruments(symbols)
        replayed = symbols if terms and balance else []  # without them there is nothing to replay
        quotes = await log.ticks(replayed, at - EVENT, at)
        for symbol in replayed:
            quotes += await log.near(symbol, last)
            quotes += await self._afterwards(symbol, last, event[0].position)
        rates = await log.rates([row.currency for row in instruments], terms[0].currency, at) if terms else []
        facts = _facts(
            *event,
            quotes=quotes,
            instruments=tuple(instruments),
            positions=tuple(positions),
            account_terms=tuple(terms),
            balances=tuple(balance),
            account_entries=tuple(entries),
            charge_schedules=tuple([row for symbol in symbols for row in await self._schedules(symbol, last)]),
            rates=tuple(rates),
        )
        return run(Check.STOP_OUT, event[0].id, facts, self._given)

    # --- positions, entries, records ----------------------------------------------------------------------------------

    async def _positions(self, check: Check) -> tuple[list[Position], list[Finding]]:
        """The positions meant, and what is to be said of the rest."""
        request, log = self._request, self._log
        tables = await log.tables_of(request.account, request.trades)
        findings = _unknown_trades(check, request, tables)
        if request.trades:
            found = await log.positions(request.account, request.trades, limit=MOST_ROWS + 1)
        elif span := _span(request, TRADE_PADDING):
            found = await log.positions_between(request.account, *span, limit=MOST_ROWS + 1)
        else:
            return [], [_nothing_named(check)]
        if len(found) > MOST_ROWS:
            return [], [*findings, _too_many(check, f"{MOST_ROWS} positions", f"{MOST_ROWS} 个持仓")]
        if not found and not findings:
            findings = [_no_position(check)]
        return found, findings

    async def _charges(self) -> list[Finding]:
        positions, findings = await self._positions(Check.CHARGES)
        log = self._log
        for position in positions:
            until = position.closed_at or self._request.as_of
            instruments = await log.instruments([position.symbol])
            terms = await log.terms(self._account, until)
            bases = [row.currency for row in instruments]
            facts = LogFacts(
                positions=(position,),
                instruments=tuple(instruments),
                fills=tuple(await log.fills_of(self._account, [position.position])),
                orders=tuple(await log.orders(self._account, [position.position])),
                charge_schedules=tuple(await log.schedules(position.symbol, position.opened_at, until)),
                account_terms=tuple(terms),
                rates=tuple(await log.rates(bases, terms[0].currency, until)) if terms else (),
            )
            findings.append(run(Check.CHARGES, position.position, facts, self._given))
        return findings

    async def _suitability(self) -> list[Finding]:
        request, log, account = self._request, self._log, self._account
        fees = await log.fees(account, request.trades, limit=MOST_ROWS + 1)
        if len(fees) > MOST_ROWS:
            return [_too_many(Check.SUITABILITY, f"{MOST_ROWS} fees", f"{MOST_ROWS} 笔费用")]
        disclosures = tuple(await log.disclosures(account))
        if (request.trades and not fees) or _span(request, TRADE_PADDING):
            positions, findings = await self._positions(Check.SUITABILITY)
        else:
            positions, findings = [], []
        for position in positions:
            instruments = await log.instruments([position.symbol])
            terms = await log.terms(account, position.opened_at)
            at = position.closed_at or request.as_of
            bases = [row.currency for row in instruments]
            facts = LogFacts(
                positions=(position,),
                instruments=tuple(instruments),
                fills=tuple(await log.fills_of(account, [position.position])),
                orders=tuple(await log.orders(account, [position.position])),
                account_terms=tuple(terms),
                appropriateness=tuple(await log.appropriateness(account, [position.symbol])),
                rates=tuple(await log.rates(bases, terms[0].currency, at)) if terms else (),
            )
            findings.append(run(Check.SUITABILITY, position.position, facts, self._given))
        for fee in fees:
            facts = LogFacts(account_entries=(fee,), disclosures=disclosures)
            findings.append(run(Check.SUITABILITY, fee.entry, facts, self._given))
        return findings or [_nothing_named(Check.SUITABILITY)]

    async def _outage(self) -> list[Finding]:
        """One finding for each attempt that did not get through."""
        request, log = self._request, self._log
        tables = await log.tables_of(request.account, request.trades)
        if request.trades:
            findings = _unknown_trades(Check.OUTAGE, request, tables)
            orders = await log.orders_of(request.account, request.trades)
            ids = sorted({order for each in orders.values() for order in each})
            events = await log.events_of(request.account, ids)
            if not events and findings:
                return findings
        else:
            findings, events = [], []
        span = _span(request, TRADE_PADDING)
        if not events and span:
            events = await log.refused_between(request.account, *span, limit=MOST_ROWS + 1)
            if len(events) > MOST_ROWS:
                return [*findings, _too_many(Check.OUTAGE, f"{MOST_ROWS} attempts", f"{MOST_ROWS} 次尝试")]
        attempts = [event for event in events if event.kind in outage.ATTEMPTS]
        if not attempts:
            if not span:
                return findings or [_nothing_named(Check.OUTAGE)]
            facts = LogFacts(outages=tuple(await log.outages(*span, limit=MOST_ROWS)))
            return [*findings, run(Check.OUTAGE, outage.ACCOUNT, facts, self._given)]
        wait = timedelta(minutes=self._tolerances.act_minutes)
        for attempt in attempts:
            outages = await log.outages(attempt.at, attempt.at, limit=MOST_ROWS)
            ends = [row.until for row in outages if row.until is not None]
            until = max(ends, default=attempt.at) + wait
            later = await log.fills_between(request.account, attempt.symbol, attempt.side, attempt.at, until)
            facts = LogFacts(
                order_events=(attempt,),
                outages=tuple(outages),
                fills=tuple(later),
                quotes=tuple(await log.near(attempt.symbol, attempt.at)),
                instruments=tuple(await log.instruments([attempt.symbol])),
            )
            findings.append(run(Check.OUTAGE, attempt.event, facts, self._given))
        return findings

    async def _binary_option(self) -> list[Finding]:
        request, log = self._request, self._log
        tables = await log.tables_of(request.account, request.trades)
        span = _span(request, TRADE_PADDING) or (None, None)
        options = await log.options(request.account, request.trades, *span, limit=MOST_ROWS + 1)
        if len(options) > MOST_ROWS:
            return [_too_many(Check.BINARY_OPTION, f"{MOST_ROWS} options", f"{MOST_ROWS} 笔期权")]
        found = tables | {row.option: {"binary_options"} for row in options}
        findings = _unknown_trades(Check.BINARY_OPTION, request, found)
        if not options:
            return findings or [_no_row(Check.BINARY_OPTION, "binary option", "二元期权")]
        for row in options:
            quotes = [
                quote
                for at in (row.struck_at, row.expires_at)
                for quote in (*await log.last(row.symbol, at), *await log.near(row.symbol, at))
            ]
            facts = LogFacts(binary_options=(row,), quotes=tuple(quotes))
            findings.append(run(Check.BINARY_OPTION, row.option, facts, self._given))
        return findings

    async def _cancelled_trade(self) -> list[Finding]:
        request, log = self._request, self._log
        tables = await log.tables_of(request.account, request.trades)
        span = _span(request, WITHDRAWAL_PADDING) or (None, None)
        rows = await log.cancellations(request.account, request.trades, *span, limit=MOST_ROWS + 1)
        if len(rows) > MOST_ROWS:
            return [_too_many(Check.CANCELLED_TRADE, f"{MOST_ROWS} cancellations", f"{MOST_ROWS} 次取消")]
        found = tables | {row.cancellation: {"cancellations"} for row in rows}
        findings = _unknown_trades(Check.CANCELLED_TRADE, request, found)
        if not rows:
            return findings or [_no_row(Check.CANCELLED_TRADE, "cancelled trade", "被取消的交易")]
        for row in rows:
            facts = LogFacts(cancellations=(row,))
            findings.append(run(Check.CANCELLED_TRADE, row.cancellation, facts, self._given))
        return findings

    async def _withdrawal_delay(self) -> list[Finding]:
        request, log = self._request, self._log
        tables = await log.tables_of(request.account, request.trades)
        findings = _unknown_trades(Check.WITHDRAWAL_DELAY, request, tables)
        entries = await log.withdrawals(request.account, request.trades)
        if not entries and findings:
            return findings
        if not entries and (span := _span(request, WITHDRAWAL_PADDING)):
            entries = await log.withdrawals_between(request.account, *span, limit=MOST_WITHDRAWALS + 1)
        if not entries:
            entries = await log.latest_withdrawals(request.account, request.as_of, limit=MOST_WITHDRAWALS + 1)
        if not entries:
            return [_no_withdrawal()]
        if len(entries) > MOST_WITHDRAWALS:
            limit = MOST_WITHDRAWALS
            return [*findings, _too_many(Check.WITHDRAWAL_DELAY, f"{limit} withdrawals", f"{limit} 笔出金")]
        return findings + [
            check_withdrawal_delay(entry, as_of=request.as_of, tolerances=request.tolerances) for entry in entries
        ]


def _facts(*executions: Execution, quotes: Iterable[Quote] = (), **more: tuple[object, ...]) -> LogFacts:
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


def _span(request: InvestigationRequest, padding: timedelta) -> tuple[datetime, datetime] | None:
    """When it happened, as the customer remembers it, with *padding* on both sides; ``None`` when not told."""
    named = [instant for instant in (request.occurred_from, request.occurred_until) if instant is not None]
    return (min(named) - padding, max(named) + padding) if named else None


def _unanswered(check: Check, subject: str, missing: str, en: str, zh: str) -> Finding:
    return Finding(
        check=check,
        subject=subject,
        verdict=Verdict.INCONCLUSIVE,
        reason=Bilingual(en=en, zh=zh),
        missing=(missing,),
        formula=_FORMULAS[check],
    )


def _unknown_account(check: Check) -> Finding:
    return _unanswered(
        check,
        "account",
        "account",
        "Our trade log holds nothing of the account you named. Please check the account number.",
        "我司交易日志中没有您所提供账户的任何记录，请核对账户号码。",
    )


def _unknown_trades(check: Check, request: InvestigationRequest, tables: dict[str, set[str]]) -> list[Finding]:
    # a trade of another account reads exactly like one that does not exist
    return [
        _unanswered(
            check,
            trade,
            f"trade {trade}",
            f"The log of your account has no trade or entry with the number {trade}. Please check the number.",
            f"您的账户日志中没有编号为 {trade} 的交易或资金记录，请核对编号。",
        )
        for trade in dict.fromkeys(request.trades)
        if trade not in tables
    ]


def _no_orders(check: Check, position: str) -> Finding:
    return _unanswered(
        check,
        position,
        f"orders and fills of position {position}",
        f"Our records hold position {position}, but not the orders that opened and closed it.",
        f"我司记录中有持仓 {position}，但缺少其开仓和平仓的委托及成交记录。",
    )


def _no_trades_between(check: Check, start: datetime, end: datetime) -> Finding:
    return _unanswered(
        check,
        "account",
        "number of the order or position, or the exact time of the trade",
        f"The log of your account has no trade from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC. Please name "
        "the order or position.",
        f"您的账户在 {start:%Y-%m-%d %H:%M} 至 {end:%Y-%m-%d %H:%M} UTC 期间没有成交记录，请提供订单号或持仓编号。",
    )


def _nothing_named(check: Check) -> Finding:
    return _unanswered(
        check,
        "account",
        "number of the order or position, or the exact time of the trade",
        "To examine an execution we need the number of the order or position, or the time of the trade.",
        "核查成交需要订单号、持仓编号或交易时间，请予提供。",
    )


def _no_withdrawal() -> Finding:
    return _unanswered(
        Check.WITHDRAWAL_DELAY,
        "account",
        "withdrawal",
        "The log of your account has no withdrawal.",
        "您的账户日志中没有出金记录。",
    )


def _too_many(check: Check, most_en: str, most_zh: str) -> Finding:
    return _unanswered(
        check,
        "account",
        "a smaller choice of trades",
        f"More than {most_en} are concerned, too many to be examined at once. Please name those you complain of.",
        f"涉及的记录超过 {most_zh}，无法一次核查，请指明您所投诉的具体记录。",
    )


def _unreadable(check: Check, error: UnreadableRow) -> Finding:
    return _unanswered(
        check,
        "account",
        str(error),
        "Our records of this are damaged and have to be put right before they can be examined.",
        "我司的相关记录存在异常，须修正后方可核查。",
    )


def _no_position(check: Check) -> Finding:
    return _unanswered(
        check,
        "account",
        "positions of these trades",
        "Our records hold these trades, but no position that they opened or closed.",
        "我司记录中有相关交易，但没有对应的持仓。",
    )


def _no_row(check: Check, what_en: str, what_zh: str) -> Finding:
    return _unanswered(
        check, "account", what_en, f"The log of your account has no {what_en}.", f"您的账户日志中没有{what_zh}记录。"
    )


def _nothing_refused(start: datetime, end: datetime) -> Finding:
    return _unanswered(
        Check.REQUOTE,
        "account",
        "a requoted or rejected order, or the exact time of it",
        f"The log of your account has no requote or rejection from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC.",
        f"您的账户在 {start:%Y-%m-%d %H:%M} 至 {end:%Y-%m-%d %H:%M} UTC 期间没有重新报价或拒单记录。",
    )
