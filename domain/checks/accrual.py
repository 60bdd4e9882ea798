"""Interest that runs on after the findings: so much a day, until what it is owed on is made good.

What a decision rests on stands still while people decide and the customer answers. The letter promises the sum found
and the interest of each further day; what is posted is just that.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Final

from domain.checks.findings import Check, Finding
from domain.ground.base import Identifier, Instant, Record
from domain.money.amounts import Money
from domain.money.interest import day_of
from domain.money.parts import PRECISION, Exact, Loss, Name

_DAY: Final = timedelta(days=1)


class Accrual(Record):
    """Interest on one loss (``key``, as :class:`domain.money.parts.Part` has it): ``daily`` a day after ``since``.

    That on a withdrawal runs to the instant of its ``release``, by the exact fraction of a day; any other by whole days
    (UTC), to the day on which the award is posted.
    """

    key: Name
    daily: Exact
    currency: str
    since: Instant
    release: Identifier | None = None

    def until(self, at: datetime) -> Decimal:
        """What has run on by *at*, not rounded; never below zero."""
        with localcontext(prec=PRECISION):
            if self.release:
                days = Decimal((at - self.since) // timedelta(microseconds=1)) / (_DAY // timedelta(microseconds=1))
            else:
                days = Decimal((day_of(at) - day_of(self.since)).days)
            return max(self.daily * days, Decimal(0))


def accruals(findings: Iterable[Finding]) -> tuple[Accrual, ...]:
    """The interest that runs on from *findings* for the customer, one a loss."""
    found: dict[str, Accrual] = {}
    for finding in findings:
        if finding.verdict.for_the_customer and finding.harm is not None:
            for one in (*_of_withdrawal(finding), *_of_the_pack(finding, finding.harm.currency)):
                found.setdefault(one.key, one)
    return tuple(found.values())


def run_on(running: Iterable[Accrual], losses: Iterable[Loss], ends: Mapping[str, datetime]) -> tuple[Loss, ...]:
    """The *losses* with the interest that has run on by the end of each (*ends* by key), where one is known."""
    by_key = {one.key: one for one in running}
    grown = []
    for loss in losses:
        one, end = by_key.get(loss.key), ends.get(loss.key)
        further = one.until(end) if one and end and one.currency == loss.currency else Decimal(0)
        with localcontext(prec=PRECISION):
            grown.append(loss.model_copy(update={"amount": loss.amount + further}))
    return tuple(grown)


def growth(before: Iterable[Loss], after: Iterable[Loss], currency: str) -> Money:
    """By how much *after* is more than *before*, each rounded once as a whole."""
    with localcontext(prec=PRECISION):
        sums = [
            sum((loss.amount for loss in losses if loss.currency == currency), Decimal(0)) for losses in (before, after)
        ]
    was, is_ = (Money.of(sum_, currency) for sum_ in sums)
    return Money.of(is_.amount - was.amount, currency)


def _of_withdrawal(finding: Finding) -> Iterable[Accrual]:
    numbers = finding.numbers
    if finding.check is not Check.WITHDRAWAL_DELAY or "interest" not in numbers or "ended_at" in numbers:
        return
    with localcontext(prec=PRECISION):
        daily = Decimal(numbers["amount"]) * Decimal(numbers["rate_percent"]) / (100 * 365)
    yield Accrual(
        key=f"interest/{finding.subject}",
        daily=daily,
        currency=numbers["currency"],
        since=datetime.fromisoformat(numbers["as_of"]),
        release=finding.subject,
    )


def _of_the_pack(finding: Finding, currency: str) -> Iterable[Accrual]:
    start, end = "interest.", ".daily"
    for name, daily in finding.numbers.items():
        if name.startswith(start) and name.endswith(end):
            subject = name.removeprefix(start).removesuffix(end)
            until = date.fromisoformat(finding.numbers[f"interest.{subject}.until"])
            since = datetime.fromisoformat(f"{until.isoformat()}T00:00:00+00:00")
            yield Accrual(key=f"interest/{subject}", daily=Decimal(daily), currency=currency, since=since)
