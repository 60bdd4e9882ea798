"""What the replay of a margin level needs: the account around its forced liquidation."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from activities.checks.gathering.common import EVENT, MOST_FILLS, MOST_POSITIONS, facts_of
from activities.checks.gathering.orders import Orders
from activities.checks.gathering.unanswered import too_many, unanswered
from domain.checks.findings import Check, Finding
from domain.checks.moments import Execution, Moment
from domain.checks.recompute import run
from domain.ground.base import Record
from domain.log.trade_log import OrderType

R = TypeVar("R", bound=Record)


class Liquidations(Orders):
    """The check on forced liquidations."""

    async def stop_out(self) -> list[Finding]:
        """One finding for each event: liquidations within a minute of the first."""
        executions, findings = await self._executions(Check.STOP_OUT)
        liquidations = [
            each
            for each in executions
            if each.fills and each.order is not None and each.order.type is OrderType.STOP_OUT
        ]
        others = [each for each in executions if each not in liquidations]
        if others and not liquidations and not findings:
            findings.append(run(Check.STOP_OUT, others[0].id, facts_of(others[0]), self._given))
        while liquidations:
            first = liquidations[0]
            at = first.fills[0].at
            same = await self._log.orders_between(self._account, at - EVENT, at + EVENT, limit=MOST_FILLS + 1)
            if len(same) > MOST_FILLS:
                return [
                    *findings,
                    too_many(Check.STOP_OUT, f"{MOST_FILLS} orders in a minute", f"一分钟内 {MOST_FILLS} 笔订单"),
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
            return unanswered(
                Check.STOP_OUT,
                event[0].id,
                f"a balance of the account less than {MOST_POSITIONS} positions and entries before the liquidation",
                "Too much happened on your account between the last balance recorded and the liquidation.",
                "自最近一次余额记录至强制平仓之间，您账户的变动过多。",
            )
        terms = await log.terms(account, at)
        symbols = sorted({row.symbol for row in positions} | {fill.symbol for each in event for fill in each.fills})
        instruments = await log.instruments(symbols, at)
        replayed = symbols if terms and balance else []  # without them there is nothing to replay
        quotes = await log.ticks(replayed, at - EVENT, at)
        for symbol in replayed:
            quotes += await log.near(symbol, last)
            quotes += await self._afterwards(symbol, last, event[0].position)
        quotes += await self._quotes(
            Moment(fill.symbol, fill.at, fill.side, fill.price) for each in event for fill in each.fills
        )
        ids = [row.position for row in positions]
        given = await self._given_for(instruments, at)
        medians = await self._medians(event, quotes, given)
        rates = await log.rates([row.currency for row in instruments], terms[0].currency, at) if terms else []
        facts = facts_of(
            *event,
            quotes=quotes,
            instruments=tuple(instruments),
            positions=tuple(positions),
            account_terms=tuple(terms),
            balances=tuple(balance),
            margin_rates=tuple(await log.margin_rates(account, symbols, at)),
            orders=tuple(_once(await log.orders(account, ids), [each.order for each in event if each.order])),
            fills=tuple(_once(await log.fills_of(account, ids), [fill for each in event for fill in each.fills])),
            feed_medians=tuple(medians),
            account_entries=tuple(entries),
            charge_schedules=tuple([row for symbol in symbols for row in await self._schedules(symbol, last)]),
            rates=tuple(rates),
        )
        return run(Check.STOP_OUT, event[0].id, facts, given)


def _once(*rows: Iterable[R]) -> list[R]:
    """All *rows*, each once."""
    return list(dict.fromkeys(row for some in rows for row in some))
