"""Finds the orders with the quotes around their fills, and how all customers' orders of their kind were filled."""

from datetime import timedelta

from domain.checks.findings import ALL_CUSTOMERS, Finding
from domain.checks.gathering.asked import Asked, facts_of
from domain.checks.gathering.orders import executions_meant, seen_of
from domain.checks.moments import Execution
from domain.log.trade_log import OrderType


async def gather(asked: Asked) -> list[Finding]:
    """One finding an order, and one on the symmetry of each kind of orders among them."""
    executions, findings = await executions_meant(asked)
    kinds: dict[tuple[str, OrderType], list[Execution]] = {}
    for each, (quotes, medians, given) in zip(executions, await seen_of(asked, executions), strict=True):
        findings.append(asked.judge(each.id, facts_of(each, quotes=quotes, feed_medians=medians), given))
        if each.order is not None and each.fills:
            kinds.setdefault((each.order.symbol, each.order.type), []).append(each)
    window = timedelta(minutes=asked.tolerances.population_window_minutes)
    for (symbol, kind), same in kinds.items():
        if kind is OrderType.STOP_OUT:  # asks for no price
            continue
        at = same[0].fills[0].at
        shares = await asked.log.slippage_shares(symbol, kind, at - window, at + window)
        facts = facts_of(*same, slippage_shares=(shares,))
        findings.append(asked.judge(f"{ALL_CUSTOMERS}{symbol} {kind.value}", facts))
    return findings
