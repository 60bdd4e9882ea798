"""Were swap and commission charged as the published schedule says, triple day and all?"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from domain.checks.facts import Given, LogFacts, Report
from domain.checks.findings import Check, Finding, Verdict
from domain.checks.market import utc
from domain.ground.bilingual import Bilingual
from domain.ground.spoken import listed
from domain.ground.words import Confidence
from domain.log.firm_records import ChargeSchedule
from domain.log.replay import Held, Replay
from domain.log.trade_log import Instrument, Position, Side
from domain.money.amounts import Money, minor_digits
from domain.money.parts import PRECISION, MissingRate, Part, PartKind, last_rate, plain

FORMULA: Final = "charges/published-schedule@2"
"""Swap: ``P_open * U * rate * L * nights / 360``, or points or money a lot and night, of what was open then.

Commission: a lot and fill."""


def check_charges(subject: str, facts: LogFacts, given: Given) -> Finding:
    """Judge swap and commission of the position *subject*. The harm is what was charged beyond the schedule.

    A night is a rollover passed while the position was open, on Monday to Friday of the schedule's own zone; the one
    on the triple day counts three. A difference within half of the smallest unit a night is rounding.
    """
    report = Report(Check.CHARGES, subject, facts, given, FORMULA)
    position = next((row for row in facts.positions if row.position == subject), None)
    instrument = facts.instrument(position.symbol) if position else None
    if position is None or instrument is None:
        return report.lacking(
            f"position {subject}",
            en=f"Our records do not hold position {subject}, so its charges cannot be computed.",
            zh=f"我司记录中缺少持仓 {subject}，无法核算费用。",
        )
    until = position.closed_at or given.as_of
    schedules = sorted(
        (row for row in facts.charge_schedules if row.symbol == position.symbol),
        key=lambda row: (row.effective_from, row.schedule),
    )
    if not schedules or schedules[0].effective_from > position.opened_at:
        return report.lacking(
            f"published schedule of {position.symbol} on {position.opened_at.isoformat()}",
            en=f"Our records hold no published schedule of {position.symbol} for that time.",
            zh=f"我司记录中没有 {position.symbol} 当时公布的费率表。",
        )
    currency = facts.account_terms[-1].currency if facts.account_terms else instrument.currency
    held = _Held(position, instrument, schedules, until, currency)
    try:
        charged = _charged(facts, held)
    except MissingRate as error:
        return report.lacking(
            str(error),
            en="The rate between the schedule's currency and your account's is not in our records.",
            zh="我司记录中缺少费率表币种与账户币种之间的汇率。",
        )
    report.numbers = charged.numbers(held)
    _tell(report, held, charged)
    return _beyond(report, charged, currency)


class _Held(NamedTuple):
    """A position as it was held until *until*, with the schedules in force meanwhile."""

    position: Position
    instrument: Instrument
    schedules: list[ChargeSchedule]
    until: datetime
    currency: str


class _Charged(NamedTuple):
    """What was due and what was booked, in the account's currency."""

    nights: list[tuple[datetime, int]]
    swap_due: Decimal
    swap_booked: Decimal
    commission_due: Decimal
    commission_booked: Decimal | None
    rounding: Decimal

    @property
    def triple(self) -> list[str]:
        return [f"{at:%Y-%m-%d}" for at, days in self.nights if days == 3]

    @property
    def counted(self) -> int:
        return sum(days for _, days in self.nights)

    def numbers(self, held: _Held) -> dict[str, str]:
        booked = self.commission_booked
        return {
            "nights": str(self.counted),
            "triple_days": ", ".join(self.triple) or "none",
            "swap_due": plain(self.swap_due),
            "swap_booked": plain(self.swap_booked),
            "commission_due": plain(self.commission_due),
            "commission_booked": "not recorded" if booked is None else plain(-booked),
            "rounding": plain(self.rounding),
            "currency": held.currency,
            "open_price": plain(held.position.open_price),
            "lots": plain(held.position.volume),
            "contract_size": plain(held.instrument.contract_size),
            "schedules": ", ".join(row.schedule for row in held.schedules),
        }


def _charged(facts: LogFacts, held: _Held) -> _Charged:
    """Raises :class:`MissingRate`."""
    position, subject = held.position, held.position.position
    with localcontext(prec=PRECISION):
        replay = Replay([position], facts.fills, facts.orders)
        nights, swap_due = _swap(held.instrument, held.schedules, held.until, replay.held, position)
        fills = [row for row in facts.fills if row.position == subject or row.order in _orders(facts, subject)]
        charged = [fill.commission for fill in fills if fill.commission is not None]
        booked = -sum(charged, Decimal(0)) if charged else None
        if booked is None and position.commission is not None:
            booked = -position.commission
        sides = [(fill.at, fill.volume) for fill in fills] or [
            (at, position.volume) for at in (position.opened_at, position.closed_at) if at is not None
        ]
        commission = Decimal(0)
        for at, lots in sides:
            schedule = next(
                row for row in reversed(held.schedules) if row.effective_from <= max(at, position.opened_at)
            )
            commission += _converted(facts, schedule.commission * lots, schedule.currency, held.currency)
        on_fills = sum((fill.swap for fill in fills if fill.swap is not None), Decimal(0))
        return _Charged(
            nights=nights,
            swap_due=_converted(facts, swap_due, held.instrument.currency, held.currency),
            swap_booked=position.swap or on_fills,
            commission_due=commission,
            commission_booked=booked,
            rounding=Decimal(max(len(nights), 1)) * Decimal(1).scaleb(-minor_digits(held.currency)) / 2,
        )


def _tell(report: Report, held: _Held, charged: _Charged) -> None:
    opened, counted, triple = held.position.opened_at, charged.counted, charged.triple
    due, had = Money.of(charged.swap_due, held.currency), Money.of(charged.swap_booked, held.currency)
    threefold = listed(Bilingual(en=day, zh=day) for day in triple) if triple else None
    report.say(
        f"Position {report.subject} was open from {utc(opened)} to {utc(held.until)}: {counted} "
        f"night{'' if counted == 1 else 's'} by the published schedule"
        + (f", three of them for one on {threefold.en}." if threefold else "."),
        f"持仓 {report.subject} 自 {utc(opened)} 至 {utc(held.until)}，按公布费率表计 {counted} 晚"
        + (f"（{threefold.zh} 计三晚）。" if threefold else "。"),
    )
    report.say(f"Swap due is {due}; {had} was booked.", f"应计隔夜利息为 {due}，实际记账 {had}。")


def _beyond(report: Report, charged: _Charged, currency: str) -> Finding:
    """Give back what was charged beyond the schedule, and more than rounding explains."""
    with localcontext(prec=PRECISION):
        swap = charged.swap_due - charged.swap_booked
        booked = charged.commission_booked
        commission = Decimal(0) if booked is None else booked - charged.commission_due
    parts = []
    if swap > charged.rounding:
        parts.append(_part(PartKind.SWAP, report.subject, swap, currency))
        report.say("The difference was charged too much.", "差额为多收。")
    if commission > charged.rounding:
        parts.append(_part(PartKind.FEE, report.subject, commission, currency))
        more = Money.of(commission, currency)
        report.say(f"Commission was charged {more} too much.", f"手续费多收 {more}。")
    if parts:
        report.say("That is our fault, and is given back.", "责任在我司，予以退还。")
        return report.concluded(Verdict.FIRM_FAULT, Confidence.CERTAIN, parts=parts, currency=currency)
    report.say("Nothing was charged beyond the schedule.", "未超出费率表收费。")
    return report.concluded(Verdict.NO_FAULT, Confidence.CERTAIN, currency=currency)


def nights_held(position: Position, schedule: ChargeSchedule, until: datetime) -> list[tuple[datetime, int]]:
    """Each rollover passed while *position* was open, in UTC, and how many nights it counts."""
    zone = ZoneInfo(schedule.zone)
    day = position.opened_at.astimezone(zone).date() - timedelta(days=1)
    last = until.astimezone(zone).date()
    found = []
    while day <= last:
        at = datetime.combine(day, schedule.rollover, tzinfo=zone)
        if position.opened_at < at <= until and day.isoweekday() <= 5:
            found.append((at.astimezone(until.tzinfo), 3 if day.isoweekday() == schedule.triple_day else 1))
        day += timedelta(days=1)
    return found


def swap_of(
    position: Position, instrument: Instrument, schedules: Iterable[ChargeSchedule], since: datetime, until: datetime
) -> Decimal | None:
    """The swap of *position* for the nights from *since* to *until*, in the instrument's currency: charged below zero.

    ``None`` where a night passed and no schedule was in force.
    """
    known = sorted(
        (row for row in schedules if row.symbol == position.symbol), key=lambda row: (row.effective_from, row.schedule)
    )
    if not known or known[0].effective_from > since:
        return None
    held = position.model_copy(update={"opened_at": since, "closed_at": None})
    with localcontext(prec=PRECISION):
        whole = Held(held, held.volume, held.open_price)
        return _swap(instrument, known, until, lambda _: [whole], held)[1]


def _swap(
    instrument: Instrument,
    schedules: list[ChargeSchedule],
    until: datetime,
    held: Callable[[datetime], list[Held]],
    position: Position,
) -> tuple[list[tuple[datetime, int]], Decimal]:
    """The nights of *position* until *until*, and the swap of what was *held* of it at each rollover."""
    nights: list[tuple[datetime, int]] = []
    due = Decimal(0)
    for number, schedule in enumerate(schedules):
        ends = schedules[number + 1].effective_from if number + 1 < len(schedules) else None
        for at, days in nights_held(position, schedule, until):
            if schedule.effective_from <= at and (ends is None or at < ends):
                nights.append((at, days))
                due += sum((_night(each, instrument, schedule) for each in held(at)), Decimal(0)) * days
    return nights, due


def _night(held: Held, instrument: Instrument, schedule: ChargeSchedule) -> Decimal:
    """The swap of one night, in the instrument's currency: below zero is charged."""
    rate = schedule.swap_long if held.position.side is Side.BUY else schedule.swap_short
    units = instrument.contract_size * held.lots
    match schedule.swap_unit:
        case "percent_360":
            return held.price * units * rate / 100 / 360
        case "points":
            return rate.scaleb(-instrument.digits) * units
        case "money":
            return rate * held.lots


def _converted(facts: LogFacts, amount: Decimal, base: str, currency: str) -> Decimal:
    """Raises :class:`MissingRate`."""
    if base == currency or not amount:
        return amount
    found = last_rate(facts.rates, base, currency)
    if found is None:
        raise MissingRate(f"rate of {base} in {currency}")
    return amount * found.rate


def _orders(facts: LogFacts, position: str) -> set[str]:
    return {row.order for row in facts.orders if row.position == position}


def _part(kind: PartKind, position: str, amount: Decimal, currency: str) -> Part:
    return Part(key=f"{kind.value}/{position}", subject=position, kind=kind, amount=amount, currency=currency)
