"""Was a withdrawal released in the time the firm promises, and what does the delay cost the customer?"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from typing import Final, NamedTuple

from domain.checks.facts import Given, LogFacts, Report, Text
from domain.checks.findings import Check, EvidenceRow, Finding, InKind, Verdict
from domain.checks.tolerances import Tolerances
from domain.ground.bilingual import Bilingual
from domain.ground.spoken import in_units, lasting
from domain.ground.words import Confidence, Remedy
from domain.log.firm_records import AccountTerms
from domain.log.trade_log import AccountEntry
from domain.money.amounts import Money
from domain.money.parts import Part, PartKind, Rate, currency_loss, in_direction, plain

FORMULA = "late-withdrawal/simple-interest-actual-365@1"
"""A * rate * days / 365: A the amount withheld, days from due to released as the exact fraction of 86,400 seconds."""
WITH_CURRENCY: Final = "late-withdrawal/simple-interest-actual-365+currency-loss@1"
"""The same, and A * (rate when due - rate when released) / rate when released, where that is above zero.

The rates are those of the entry's currency in the account's own; the loss is in the entry's currency at the rate of the
release, for that is what buys back what the customer would have had.
"""
RATE_AGE: Final = timedelta(days=4)
"""How old a recorded rate may be: none is published from Friday to Monday, nor on a holiday beside it."""

CANCELLED_BY_CUSTOMER = ("cancelled by customer", "canceled by customer", "客户取消")
"""How the note of an entry begins when the customer called the withdrawal off; ``booked_at`` is then when."""


def check_withdrawal_delay(
    entry: AccountEntry,
    *,
    as_of: datetime,
    tolerances: Tolerances,
    terms: Iterable[AccountTerms] = (),
    rates: Iterable[Rate] = (),
) -> Finding:
    """Judge one withdrawal as it stood at *as_of*: what was booked later counts as still pending.

    The harm, in the entry's currency, is the interest and, once the money was released, what the exchange rate lost
    meanwhile where the account's own currency, by its *terms* when it was due, is another. The amount itself is not
    harm: it is still owed, and paid as a withdrawal. A rate that is not recorded is named as missing.
    """
    withdrawal = _Withdrawal(entry, as_of, tolerances)
    requested, due = entry.requested_at, due_at(entry, tolerances)
    if requested is None or due is None:
        return withdrawal.without_request()
    if withdrawal.ended is not None and withdrawal.ended < requested:
        return withdrawal.ended_before(requested)
    withdrawal.tell(requested, due)
    if withdrawal.cancelled and withdrawal.ended is None and as_of > due:
        return withdrawal.cancelled_some_time()
    if (withdrawal.ended or as_of) <= due:
        return withdrawal.in_time()
    owner = max(terms, key=lambda row: (row.effective_from, row.terms), default=None)
    own = owner if owner is not None and owner.currency != entry.currency else None
    return withdrawal.late(due, own, rates)


class _Withdrawal:
    """One withdrawal as it stood at an instant, and the finding on it in the making."""

    def __init__(self, entry: AccountEntry, as_of: datetime, tolerances: Tolerances) -> None:
        self.entry, self.as_of, self.tolerances = entry, as_of, tolerances
        self.ended = entry.booked_at if entry.booked_at is not None and entry.booked_at <= as_of else None
        self.cancelled = (entry.note or "").lower().startswith(CANCELLED_BY_CUSTOMER)
        self.amount = Money.of(abs(entry.amount), entry.currency)
        self.texts: list[Text] = []
        self.numbers = {
            "amount": f"{abs(entry.amount).normalize():f}",
            "currency": entry.currency,
            "withdrawal_hours": str(tolerances.withdrawal_hours),
            "as_of": as_of.isoformat(),
        }

    def say(self, en: str, zh: str) -> None:
        self.texts.append(Text(en, zh))

    def lacking(self, missing: str, en: str, zh: str) -> Finding:
        """The records do not answer, for want of what is *missing*."""
        self.say(en, zh)
        return self.finding(Verdict.INCONCLUSIVE, harm=None, missing=(missing,))

    def finding(
        self,
        verdict: Verdict,
        *,
        harm: Money | None,
        missing: tuple[str, ...] = (),
        parts: tuple[Part, ...] = (),
        more: Sequence[EvidenceRow] = (),
    ) -> Finding:
        entry = self.entry
        return Finding(
            check=Check.WITHDRAWAL_DELAY,
            subject=entry.entry,
            verdict=verdict,
            reason=Bilingual(en=" ".join(t.en for t in self.texts), zh="".join(t.zh for t in self.texts)),
            harm=harm,
            numbers=self.numbers,
            missing=missing,
            evidence=(EvidenceRow.of("account_entries", entry.entry, entry), *more),
            formula=WITH_CURRENCY if more else FORMULA,
            confidence=None if verdict is Verdict.INCONCLUSIVE else Confidence.CERTAIN,
            parts=parts,
            given={"as_of": self.as_of.isoformat()} | self.tolerances.told(),
            owes=() if self.ended or self.cancelled else (_release(entry),),
        )

    def without_request(self) -> Finding:
        amount, entry = self.amount, self.entry
        return self.lacking(
            f"time of request of withdrawal {entry.entry}",
            f"Our records of the withdrawal of {amount} (entry {entry.entry}) do not hold the time at which you asked "
            "for it, so a delay cannot be measured.",
            f"我司记录中未载明出金 {amount}（记录编号 {entry.entry}）的申请时间，因此无法核定是否延误。",
        )

    def ended_before(self, requested: datetime) -> Finding:
        amount, entry, ended = self.amount, self.entry, self._ended
        return self.lacking(
            f"times of withdrawal {entry.entry} that agree with each other",
            f"Our records of the withdrawal of {amount} (entry {entry.entry}) contradict each other: it was booked at "
            f"{ended}, before it was requested at {_utc(requested)}.",
            f"我司关于出金 {amount}（记录编号 {entry.entry}）的记录相互矛盾：出账时间 {ended} "
            f"早于申请时间 {_utc(requested)}。",
        )

    def tell(self, requested: datetime, due: datetime) -> None:
        """Say what was asked for and promised."""
        self.numbers |= {"requested_at": requested.isoformat(), "due_at": due.isoformat()}
        if self.ended is not None:
            self.numbers["ended_at"] = self.ended.isoformat()
        amount, entry = self.amount, self.entry.entry
        within = in_units(self.tolerances.withdrawal_hours, "hour")
        self.say(
            f"You asked for the withdrawal of {amount} (entry {entry}) on {_utc(requested)}.",
            f"您于 {_utc(requested)} 申请出金 {amount}（记录编号 {entry}）。",
        )
        self.say(
            f"We promise to release a withdrawal within {within.en}, here by {_utc(due)}.",
            f"我司承诺在 {within.zh}内办理出金，即应于 {_utc(due)} 前完成。",
        )

    def cancelled_some_time(self) -> Finding:
        return self.lacking(
            f"time of the cancellation of withdrawal {self.entry.entry}",
            "You called it off, but our records do not say when, so we cannot tell whether it was already late.",
            "您其后取消了该笔出金，但我司记录未载明取消时间，无法判断取消时是否已经逾期。",
        )

    def in_time(self) -> Finding:
        zero = Money.of(Decimal(0), self.entry.currency)
        if self.cancelled:
            self.say(
                "You called it off before that time, so nothing was late.", "您在该时限之前取消了该笔出金，不存在延误。"
            )
            return self.finding(Verdict.CUSTOMER_ACTION, harm=zero)
        if self.ended is None:
            self.say("That time has not passed yet, so the withdrawal is not late.", "目前尚未超过该时限，不构成延误。")
        else:
            self.say(
                f"It was released on {self._ended}, in time.",
                f"该笔款项已于 {self._ended} 出账，未超过承诺时限。",
            )
        return self.finding(Verdict.NO_FAULT, harm=zero)

    def late(self, due: datetime, own: AccountTerms | None, rates: Iterable[Rate]) -> Finding:
        """*own* are the terms of an account in another currency."""
        lasted = lasting((self.ended or self.as_of) - due)
        owed, sum_ = self._interest((self.ended or self.as_of) - due)
        harm = Money.of(owed.amount, owed.currency)
        if self.ended is None:
            self.say(
                f"By {_utc(self.as_of)} it had not been released: {lasted.en} late, and that is our fault. The "
                f"withdrawal itself is still to be paid to you in full. {sum_.en} Interest keeps running until the "
                "money is released.",
                f"截至 {_utc(self.as_of)} 仍未办结，已逾期 {lasted.zh}，责任在我司。出金本金仍应全额支付给您。"
                f"{sum_.zh}在款项实际出账之前，利息继续计算。",
            )
            return self.finding(Verdict.FIRM_FAULT, harm=harm, parts=(owed,))
        end_en, end_zh = (
            (f"You called it off on {self._ended}", f"您于 {self._ended} 取消该笔出金")
            if self.cancelled
            else (f"It was released on {self._ended}", f"该笔款项直至 {self._ended} 才出账")
        )
        self.say(
            f"{end_en}, {lasted.en} late, and that is our fault. {sum_.en}",
            f"{end_zh}，已逾期 {lasted.zh}，责任在我司。{sum_.zh}",
        )
        if own is None or self.cancelled:
            return self.finding(Verdict.FIRM_FAULT, harm=harm, parts=(owed,))
        return self._with_exchange(owed, _exchange(self.entry, own, rates, due=due, ended=self.ended))

    def _interest(self, late: timedelta) -> tuple[Part, Text]:
        """Simple interest for the delay, and how it was reckoned."""
        entry, rate = self.entry, Decimal(self.tolerances.withdrawal_interest_percent)
        with localcontext(prec=60):
            late_seconds = Decimal(late // timedelta(microseconds=1)).scaleb(-6)
            interest = abs(entry.amount) * rate * late_seconds / (100 * 365 * 86_400)
            harm = Money.of(interest, entry.currency)
            days = f"{late_seconds / 86_400:.4f}"
            owed = Part(
                key=f"interest/{entry.entry}",
                subject=entry.entry,
                kind=PartKind.INTEREST,
                amount=interest,
                currency=entry.currency,
            )
            self.numbers |= {
                "delay_seconds": f"{late_seconds.normalize():f}",
                "delay_days": f"{late_seconds / 86_400:.6f}",
                "rate_percent": str(rate),
                "interest": f"{interest:.10f}",
            }
        return owed, Text(
            f"Simple interest at {rate}% a year: {self.amount} × {rate}% × {days} days ÷ 365 = {harm}.",
            f"按年利率 {rate}% 单利计算：{self.amount} × {rate}% × {days} 天 ÷ 365 = {harm}。",
        )

    def _with_exchange(self, owed: Part, exchange: "_Exchange") -> Finding:
        """The interest, and what the exchange rate lost meanwhile."""
        entry, lost = self.entry, exchange.lost
        self.numbers |= exchange.numbers
        self.say(exchange.en, exchange.zh)
        if not lost:
            harm = Money.of(owed.amount, owed.currency)
            return self.finding(
                Verdict.FIRM_FAULT, harm=harm, parts=(owed,), missing=exchange.missing, more=exchange.rows
            )
        with localcontext(prec=60):
            whole = Money.of(owed.amount + lost, entry.currency)
            self.numbers["harm"] = plain(owed.amount + lost)
        fallen = Part(
            key=f"currency/{entry.entry}",
            subject=entry.entry,
            kind=PartKind.CURRENCY_LOSS,
            amount=lost,
            currency=entry.currency,
        )
        self.say(f"Together: {whole}.", f"合计 {whole}。")
        return self.finding(Verdict.FIRM_FAULT, harm=whole, parts=(owed, fallen), more=exchange.rows)

    @property
    def _ended(self) -> str:
        return _utc(self.ended) if self.ended else "–"


def withdrawal_delay_on_facts(subject: str, facts: LogFacts, given: Given) -> Finding:
    """The withdrawal *subject* by the rows of *facts*."""
    entry = next((row for row in facts.account_entries if row.entry == subject), None)
    if entry is None:
        return Report(Check.WITHDRAWAL_DELAY, subject, facts, given, FORMULA).lacking(
            "withdrawal",
            en="The log of your account has no withdrawal.",
            zh="您的账户日志中没有出金记录。",
        )
    return check_withdrawal_delay(
        entry, as_of=given.as_of, tolerances=given.tolerances, terms=facts.account_terms, rates=facts.rates
    )


def _release(entry: AccountEntry) -> InKind:
    amount = Money.of(abs(entry.amount), entry.currency)
    return InKind(kind=Remedy.RELEASE, subject=entry.entry, amount=amount)


def due_at(entry: AccountEntry, tolerances: Tolerances) -> datetime | None:
    """By when the withdrawal was promised; ``None`` where the time of the request is not recorded."""
    return entry.requested_at + timedelta(hours=tolerances.withdrawal_hours) if entry.requested_at else None


class _Exchange(NamedTuple):
    """What the exchange rate did to a withdrawal that was late, in the entry's currency; by which rows, in words."""

    lost: Decimal
    rows: Sequence[EvidenceRow]
    missing: tuple[str, ...]
    numbers: dict[str, str]
    en: str
    zh: str


def _exchange(
    entry: AccountEntry, own: AccountTerms, rates: Iterable[Rate], *, due: datetime, ended: datetime
) -> _Exchange:
    """What the rate in the currency of *own* lost between *due* and *ended*; nothing where it gained."""
    known = in_direction(rates, entry.currency, own.currency)
    pair = sorted(known, key=lambda rate: (rate.at, rate == known[rate], rate.source, rate.rate))
    then, at_end = _recorded(pair, due), _recorded(pair, ended)
    if then == at_end and ended - due > timedelta(days=1):
        at_end = None  # one recorded rate does not tell what it was days later
    rows = [EvidenceRow.of("account_terms", own.terms, own)]
    rows += [_rate_row(known[rate]) for rate in dict.fromkeys((then, at_end)) if rate is not None]
    numbers = {"account_currency": own.currency}
    kept_en, kept_zh = f"Your account is kept in {own.currency}", f"您的账户币种为 {own.currency}"
    if then is None or at_end is None:
        return _Exchange(
            Decimal(0),
            rows,
            tuple(
                f"rate of {entry.currency} in {own.currency} on {at:%Y-%m-%d}"
                for at, rate in ((due, then), (ended, at_end))
                if rate is None
            ),
            numbers,
            f"{kept_en}: whether the exchange rate cost you something besides cannot be told, for it is not in our "
            "records.",
            f"{kept_zh}，因我司缺少汇率记录，暂无法判断是否另有汇兑损失。",
        )
    with localcontext(prec=60):
        lost = max(currency_loss(abs(entry.amount), due=then, paid=at_end) / at_end.rate, Decimal(0))
    before, after = plain(then.rate), plain(at_end.rate)
    numbers |= {"rate_when_due": before, "rate_when_released": after, "currency_loss": plain(lost)}
    en = f"{kept_en}: 1 {entry.currency} was {before} when it was due and {after} when it was released"
    zh = f"{kept_zh}：应付日 1 {entry.currency} 合 {before}，实际出账日合 {after}"
    if not lost:
        return _Exchange(
            lost, rows, (), numbers, f"{en}, so the exchange rate cost you nothing.", f"{zh}，未造成汇兑损失。"
        )
    amount, loss = Money.of(abs(entry.amount), entry.currency), Money.of(lost, entry.currency)
    sums = f"{amount} × ({before} − {after}) ÷ {after} = {loss}"
    return _Exchange(lost, rows, (), numbers, f"{en}: {sums}.", f"{zh}：{sums}。")


def _recorded(rates: Iterable[Rate], at: datetime) -> Rate | None:
    """The last of *rates*, sorted by time, that was recorded for *at*."""
    return next((rate for rate in reversed(list(rates)) if at - RATE_AGE <= rate.at <= at), None)


def _rate_row(rate: Rate) -> EvidenceRow:
    return EvidenceRow.of("rates", f"{rate.base}/{rate.quote}/{rate.source}/{rate.at.isoformat()}", rate)


def _utc(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"
