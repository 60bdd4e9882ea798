"""What the checks on positions, entries and the firm's own records need."""

from datetime import datetime

from activities.checks.gathering.common import (
    MOST_ROWS,
    MOST_WITHDRAWALS,
    TRADE_PADDING,
    WITHDRAWAL_PADDING,
    Gathering,
    span_of,
)
from activities.checks.gathering.unanswered import (
    no_position,
    no_row,
    no_withdrawal,
    nothing_named,
    too_many,
    unknown_trades,
)
from domain.checks.facts import LogFacts
from domain.checks.findings import Check, Finding
from domain.checks.outage import finding as outage
from domain.checks.recompute import run
from domain.checks.withdrawal_delay import finding as withdrawal_delay
from domain.checks.withdrawal_delay.finding import check_withdrawal_delay
from domain.log.firm_records import OrderEvent
from domain.log.trade_log import Position


class Records(Gathering):
    """The checks on what the firm records of an account."""

    async def _positions(self, check: Check) -> tuple[list[Position], list[Finding]]:
        """The positions meant, and what is to be said of the rest."""
        request, log = self._request, self._log
        tables = await log.tables_of(request.account, request.trades)
        findings = unknown_trades(check, request, tables)
        if request.trades:
            found = await log.positions(request.account, request.trades, limit=MOST_ROWS + 1)
        elif span := span_of(request, TRADE_PADDING):
            found = await log.positions_between(request.account, *span, limit=MOST_ROWS + 1)
        else:
            return [], [nothing_named(check)]
        if len(found) > MOST_ROWS:
            return [], [*findings, too_many(check, f"{MOST_ROWS} positions", f"{MOST_ROWS} 个持仓")]
        if not found and not findings:
            findings = [no_position(check)]
        return found, findings

    async def _held(self, position: Position, *, terms_at: datetime) -> LogFacts:
        """*position* with its orders and fills, the account's terms at *terms_at*, and the rate at its end."""
        log, ids = self._log, [position.position]
        instruments = await log.instruments([position.symbol], position.opened_at)
        terms = await log.terms(self._account, terms_at)
        bases, at = [row.currency for row in instruments], position.closed_at or self._request.as_of
        return LogFacts(
            positions=(position,),
            instruments=tuple(instruments),
            fills=tuple(await log.fills_of(self._account, ids)),
            orders=tuple(await log.orders(self._account, ids)),
            account_terms=tuple(terms),
            rates=tuple(await log.rates(bases, terms[0].currency, at)) if terms else (),
        )

    async def charges(self) -> list[Finding]:
        positions, findings = await self._positions(Check.CHARGES)
        log = self._log
        for position in positions:
            until = position.closed_at or self._request.as_of
            facts = await self._held(position, terms_at=until)
            schedules = await log.schedules(position.symbol, position.opened_at, until)
            facts = facts.model_copy(update={"charge_schedules": tuple(schedules)})
            findings.append(run(Check.CHARGES, position.position, facts, self._given))
        return findings

    async def suitability(self) -> list[Finding]:
        request, log, account = self._request, self._log, self._account
        fees = await log.fees(account, request.trades, limit=MOST_ROWS + 1)
        if len(fees) > MOST_ROWS:
            return [too_many(Check.SUITABILITY, f"{MOST_ROWS} fees", f"{MOST_ROWS} 笔费用")]
        disclosures = tuple(await log.disclosures(account))
        if (request.trades and not fees) or span_of(request, TRADE_PADDING):
            positions, findings = await self._positions(Check.SUITABILITY)
        else:
            positions, findings = [], []
        for position in positions:
            asked = await log.appropriateness(account, [position.symbol])
            facts = await self._held(position, terms_at=position.opened_at)
            facts = facts.model_copy(update={"appropriateness": tuple(asked)})
            findings.append(run(Check.SUITABILITY, position.position, facts, self._given))
        for fee in fees:
            facts = LogFacts(account_entries=(fee,), disclosures=disclosures)
            findings.append(run(Check.SUITABILITY, fee.entry, facts, self._given))
        return findings or [nothing_named(Check.SUITABILITY)]

    async def outage(self) -> list[Finding]:
        """One finding for each attempt that did not get through."""
        request, log = self._request, self._log
        tables = await log.tables_of(request.account, request.trades)
        if request.trades:
            findings = unknown_trades(Check.OUTAGE, request, tables)
            orders = await log.orders_of(request.account, request.trades)
            ids = sorted({order for each in orders.values() for order in each})
            events = await log.events_of(request.account, ids)
            if not events and findings:
                return findings
        else:
            findings, events = [], []
        span = span_of(request, TRADE_PADDING)
        if not events and span:
            events = await log.refused_between(request.account, *span, limit=MOST_ROWS + 1)
            if len(events) > MOST_ROWS:
                return [*findings, too_many(Check.OUTAGE, f"{MOST_ROWS} attempts", f"{MOST_ROWS} 次尝试")]
        attempts = [event for event in events if event.kind in outage.ATTEMPTS]
        if not attempts:
            if not span:
                return findings or [nothing_named(Check.OUTAGE)]
            facts = LogFacts(outages=tuple(await log.outages(*span, limit=MOST_ROWS)))
            return [*findings, run(Check.OUTAGE, outage.ACCOUNT, facts, self._given)]
        for attempt in attempts:
            findings.append(run(Check.OUTAGE, attempt.event, await self._of_attempt(attempt), self._given))
        return findings

    async def _of_attempt(self, attempt: OrderEvent) -> LogFacts:
        """The position that *attempt* was to close, how it was closed, and the attempts at the same before it."""
        log, account = self._log, self._account
        outages = await log.outages(attempt.at, attempt.at, limit=MOST_ROWS)
        since = min((row.since for row in outages), default=attempt.at)
        tried = await log.refused_between(account, since, attempt.at, limit=MOST_ROWS)
        alike = (attempt.symbol, attempt.side, attempt.position)
        earlier = [row for row in tried if (row.symbol, row.side, row.position) == alike]
        named = [attempt.position] if attempt.position else list(self._request.trades)
        positions = await log.positions(account, named, limit=MOST_ROWS) if named else []
        own = [row for row in positions if row.symbol == attempt.symbol and row.side is attempt.side.opposite]
        ids = [row.position for row in own]
        instants = {attempt.at, *(row.at for row in earlier), *(row.until for row in outages if row.until is not None)}
        quotes = {quote: None for at in sorted(instants) for quote in await log.last_quotes(attempt.symbol, at)}
        return LogFacts(
            order_events=tuple(dict.fromkeys([*earlier, attempt])),
            outages=tuple(outages),
            positions=tuple(own),
            orders=tuple(await log.orders(account, ids)),
            fills=tuple(await log.fills_of(account, ids)),
            quotes=tuple(quotes),
            instruments=tuple(await log.instruments([attempt.symbol], attempt.at)),
        )

    async def binary_option(self) -> list[Finding]:
        request, log = self._request, self._log
        tables = await log.tables_of(request.account, request.trades)
        span = span_of(request, TRADE_PADDING) or (None, None)
        options = await log.options(request.account, request.trades, *span, limit=MOST_ROWS + 1)
        if len(options) > MOST_ROWS:
            return [too_many(Check.BINARY_OPTION, f"{MOST_ROWS} options", f"{MOST_ROWS} 笔期权")]
        found = tables | {row.option: {"binary_options"} for row in options}
        findings = unknown_trades(Check.BINARY_OPTION, request, found)
        if not options:
            return findings or [no_row(Check.BINARY_OPTION, "binary option", "二元期权")]
        for row in options:
            quotes = [
                quote
                for at in (row.struck_at, row.expires_at)
                for quote in (*await log.last(row.symbol, at), *await log.near(row.symbol, at))
            ]
            instruments = await log.instruments([row.symbol], row.expires_at)
            facts = LogFacts(binary_options=(row,), quotes=tuple(quotes), instruments=tuple(instruments))
            given = await self._given_for(instruments, row.expires_at)
            findings.append(run(Check.BINARY_OPTION, row.option, facts, given))
        return findings

    async def cancelled_trade(self) -> list[Finding]:
        request, log = self._request, self._log
        tables = await log.tables_of(request.account, request.trades)
        span = span_of(request, WITHDRAWAL_PADDING) or (None, None)
        rows = await log.cancellations(request.account, request.trades, *span, limit=MOST_ROWS + 1)
        if len(rows) > MOST_ROWS:
            return [too_many(Check.CANCELLED_TRADE, f"{MOST_ROWS} cancellations", f"{MOST_ROWS} 次取消")]
        found = tables | {row.cancellation: {"cancellations"} for row in rows}
        findings = unknown_trades(Check.CANCELLED_TRADE, request, found)
        if not rows:
            return findings or [no_row(Check.CANCELLED_TRADE, "cancelled trade", "被取消的交易")]
        for row in rows:
            facts = LogFacts(cancellations=(row,))
            findings.append(run(Check.CANCELLED_TRADE, row.cancellation, facts, self._given))
        return findings

    async def withdrawal_delay(self) -> list[Finding]:
        request, log = self._request, self._log
        tables = await log.tables_of(request.account, request.trades)
        findings = unknown_trades(Check.WITHDRAWAL_DELAY, request, tables)
        entries = await log.withdrawals(request.account, request.trades)
        if not entries and findings:
            return findings
        if not entries and (span := span_of(request, WITHDRAWAL_PADDING)):
            entries = await log.withdrawals_between(request.account, *span, limit=MOST_WITHDRAWALS + 1)
        if not entries:
            entries = await log.latest_withdrawals(request.account, request.as_of, limit=MOST_WITHDRAWALS + 1)
        if not entries:
            return [no_withdrawal()]
        if len(entries) > MOST_WITHDRAWALS:
            limit = MOST_WITHDRAWALS
            return [*findings, too_many(Check.WITHDRAWAL_DELAY, f"{limit} withdrawals", f"{limit} 笔出金")]
        for entry in entries:
            due = withdrawal_delay.due_at(entry, request.tolerances)
            ended = entry.booked_at or request.as_of
            terms = await log.terms(request.account, due or ended)
            rates = [
                rate
                for row in terms
                for at in (due, ended)
                if at is not None and row.currency != entry.currency
                for rate in await log.rates([entry.currency], row.currency, at)
            ]
            findings.append(
                check_withdrawal_delay(
                    entry, as_of=request.as_of, tolerances=request.tolerances, terms=terms, rates=rates
                )
            )
        return findings
