"""The accounts that a fault touched, each with what it lost by the same checks as a complaint's."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from domain.checks.facts import GAINED
from domain.checks.findings import Finding, Verdict
from domain.checks.losses import once_only, settled_before, together, without
from domain.ground.base import Identifier, Record
from domain.ground.words import MemberState
from domain.incidents.progress import Cohort
from domain.money.amounts import Money
from domain.money.amounts import total as sum_of


class Member(Record):
    """An account of a cohort: what was found, and the harm that is still to be made good.

    ``trades`` are the ids of its orders, fills and positions concerned. ``settled`` are the losses that were made good
    before, by a case or by another incident; they are not in ``harm``.
    """

    account: Identifier
    trades: tuple[str, ...]
    state: MemberState
    harm: Money | None
    findings: tuple[Finding, ...]
    settled: tuple[str, ...] = ()

    @property
    def gained(self) -> tuple[Money, ...]:
        """What the account gained by the same fault, by currency. People decide what follows; nobody is charged."""
        return gains(self.findings)

    @property
    def hash(self) -> str:
        """SHA-256 over account, harm and the hashes of the findings."""
        return _digest(
            [
                self.account,
                self.state.value,
                self.harm.model_dump(mode="json") if self.harm else None,
                [finding.hash for finding in self.findings],
                list(self.settled),
            ]
        )


def gains(findings: Iterable[Finding]) -> tuple[Money, ...]:
    """What fills at prices better than all valid ones brought by *findings*, each fill once, by currency."""
    fills: dict[str, str] = {}
    for finding in findings:
        fills |= {name: text for name, text in finding.numbers.items() if name.startswith(GAINED)}
    sums: dict[str, Decimal] = {}
    for text in fills.values():
        currency, _, amount = text.partition(" ")
        sums[currency] = sums.get(currency, Decimal(0)) + Decimal(amount)
    return tuple(Money.of(sums[currency], currency) for currency in sorted(sums))


_TRADES: Final = frozenset({"orders", "fills", "positions"})


def judge(
    account: str, orders: Iterable[str], findings: Iterable[Finding], settled: Mapping[str, Decimal] | None = None
) -> Member:
    """The member that *findings* make of *account*, without the losses *settled* before.

    Each loss counts once, whichever checks saw it. One finding that does not answer leaves the account unclear, as do
    losses in several currencies.
    """
    left = together(without(finding, settled or {}) for finding in once_only(findings))
    known = sorted({key for finding in left for key in settled_before(finding)})
    harms = [finding.harm for finding in left if finding.verdict.for_the_customer and finding.harm is not None]
    harms = [harm for harm in harms if harm.amount]  # nothing is in no currency
    unclear = any(finding.verdict is Verdict.INCONCLUSIVE for finding in left)
    harm: Money | None = None
    if not unclear and len({each.currency for each in harms}) <= 1:
        summed = sum_of(harms)
        harm = summed if summed and summed.amount > 0 else None
        state = MemberState.HARMED if harm else MemberState.UNHARMED
    else:
        state = MemberState.UNCLEAR
    return Member(
        account=account,
        trades=tuple(sorted({*orders, *(row.key for each in left for row in each.evidence if row.table in _TRADES)})),
        state=state,
        harm=harm,
        findings=left,
        settled=tuple(known),
    )


class Counted(NamedTuple):
    """What of a member is counted."""

    hash: str
    state: MemberState
    harm: Money | None
    doubtful: bool
    gained: tuple[Money, ...] = ()


def summarise(number: int, as_of: datetime, members: Iterable[Counted]) -> Cohort:
    """The cohort of *members*, in any order."""
    hashes: list[str] = []
    counts = dict.fromkeys(MemberState, 0)
    harmed, gained = dict[str, Money](), dict[str, Money]()
    doubtful = 0
    for member in members:
        hashes.append(member.hash)
        counts[member.state] += 1
        doubtful += member.harm is not None and member.doubtful
        _add(harmed, [member.harm] if member.harm else [])
        _add(gained, member.gained)
    return Cohort(
        number=number,
        hash=_digest(sorted(hashes)),
        as_of=as_of,
        accounts=len(hashes),
        harmed=counts[MemberState.HARMED],
        unharmed=counts[MemberState.UNHARMED],
        unclear=counts[MemberState.UNCLEAR],
        doubtful=doubtful,
        harm=tuple(harmed[currency] for currency in sorted(harmed)),
        gained=tuple(gained[currency] for currency in sorted(gained)),
    )


def _add(sums: dict[str, Money], amounts: Iterable[Money]) -> None:
    for amount in amounts:
        sums[amount.currency] = sums.get(amount.currency, Money.zero(amount.currency)) + amount


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
