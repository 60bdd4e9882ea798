"""What findings on one order say against each other."""

import re
from collections.abc import Iterable
from itertools import combinations
from typing import Final

from domain.checks.findings import Check, Finding, Verdict

ON_THE_PRICE: Final = frozenset({Check.EXECUTION, Check.SLIPPAGE, Check.OFF_MARKET})
ON_THE_LEVEL: Final = frozenset({Check.EXECUTION, Check.TRIGGER})
_NEVER: Final = re.compile(r"No valid price (reached|came nearer)")
_PROVIDERS_PRICE: Final = re.compile(r"came from a wrong quote of one of our price providers")
"""Said of the price alone: what set an order off may be a provider's fault where its price was the firm's."""
_LATE: Final = re.compile(r"we answer for this execution delay|which we answer\. The valid price at its arrival")
_REACHED: Final = re.compile(r"Valid prices (first )?reached")


def contradictions(findings: Iterable[Finding]) -> list[str]:
    """In words, each contradiction among *findings* on one order: none, if they tell one story."""
    wrong = []
    for one, other in combinations([each for each in findings if each.verdict is not Verdict.INCONCLUSIVE], 2):
        where = f"{one.check.value} and {other.check.value} of {one.subject}"
        texts = (one.reason.en, other.reason.en)
        if any(_NEVER.search(a) and _REACHED.search(b) for a, b in (texts, texts[::-1])):
            wrong.append(f"{where}: a level that was reached and was not")
        for name in ("reached_at", "valid_price", "tolerance", "trigger"):
            values = {finding.numbers[name] for finding in (one, other) if name in finding.numbers}
            if len({value.rstrip("0").rstrip(".") if "." in value else value for value in values}) > 1:
                wrong.append(f"{where}: {name} is {' and '.join(sorted(values))}")
        if any(_LATE.search(a) and "ordinary slippage" in b for a, b in (texts, texts[::-1])):
            wrong.append(f"{where}: a delay of ours and ordinary slippage")
        if {one.check, other.check} <= ON_THE_PRICE:
            mixed = any("Part of it came" in each.reason.en for each in (one, other))
            blamed = [each for each in (one, other) if _PROVIDERS_PRICE.search(each.reason.en)]
            if len(blamed) == 1 and not mixed and one.verdict.for_the_customer and other.verdict.for_the_customer:
                wrong.append(f"{where}: whose fault the price was")
            fault = [each for each in (one, other) if _off(each)]
            market = [each for each in (one, other) if each.verdict is Verdict.MARKET]
            if fault and market:
                wrong.append(f"{where}: a wrong price and a price of the market")
        if {one.check, other.check} <= ON_THE_LEVEL:
            undue = [each for each in (one, other) if _NEVER.search(each.reason.en)]
            if len(undue) == 1 and not _limit(one) and not _limit(other):
                wrong.append(f"{where}: due and not due")
    return wrong


def _off(finding: Finding) -> bool:
    return finding.verdict.for_the_customer and bool(
        re.search(r"worse for you than (the worst|all other)|worse than all valid", finding.reason.en)
    )


def _limit(finding: Finding) -> bool:
    return re.search(r"at its (price|limit) or better", finding.reason.en) is not None
