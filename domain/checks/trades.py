"""Which of the things that were looked at are parts of one trade: orders and attempts of one position."""

from collections.abc import Iterable
from typing import Final

from domain.checks.findings import Check, EvidenceRow, Finding

OF_AN_ORDER: Final = frozenset(
    {
        Check.EXECUTION,
        Check.SLIPPAGE,
        Check.EXECUTION_DELAY,
        Check.REQUOTE,
        Check.TRIGGER,
        Check.OFF_MARKET,
        Check.STOP_OUT,
        Check.OUTAGE,
    }
)
"""What asks how an order fared. A charge of its position is another matter, and so is whether it was suitable."""
_LINKS: Final = {
    "orders": ("order", "position"),
    "fills": ("fill", "order", "position"),
    "order_events": ("event", "order", "position"),
}
"""By which columns a row says what belongs together."""


def of_one_trade(findings: Iterable[Finding]) -> tuple[tuple[str, ...], ...]:
    """The subjects of *findings* on orders that are parts of one trade, by the rows that they rest on.

    What a part of a sum is about belongs to the finding that has it: a liquidation is found for several orders at once.
    """
    known = [finding for finding in findings if finding.check in OF_AN_ORDER]
    groups: list[set[tuple[str, str]]] = []
    for finding in known:
        subjects = {part.subject for part in finding.parts}
        concerned = {("order", finding.subject), ("event", finding.subject)}
        concerned |= {(column, subject) for subject in subjects for column in ("fill", "position")}
        own = [_linked(row) for row in finding.evidence if row.table in _LINKS]
        for linked in own:
            _join(groups, linked)
        _join(groups, concerned & {one for linked in own for one in linked})
    judged = {finding.subject for finding in known}
    trades = ({name for column, name in group if column in {"order", "event"}} & judged for group in groups)
    return tuple(sorted(tuple(sorted(trade)) for trade in trades if len(trade) > 1))


def _linked(row: EvidenceRow) -> set[tuple[str, str]]:
    return {(name, row.values[name]) for name in _LINKS[row.table] if name in row.values}


def _join(groups: list[set[tuple[str, str]]], linked: set[tuple[str, str]]) -> None:
    """Make one of all *groups* that have anything of what is *linked*."""
    if not linked:
        return
    same = [group for group in groups if group & linked]
    groups[:] = [group for group in groups if not group & linked] + [linked.union(*same)]
