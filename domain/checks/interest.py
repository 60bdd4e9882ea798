"""Interest on what a customer lost, by the policy pack: simple, actual/365, by whole days (UTC), part of the harm.

A loss bears interest from the day on which it happened until the day of the investigation that the decision rests on,
that day itself not counted. So the sum can be computed again from what was stored, and stands still while people
decide; an investigation run again brings it up to date.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, localcontext
from typing import Final

from domain.checks.findings import EvidenceRow, Finding
from domain.ground.bilingual import Bilingual
from domain.ground.spoken import said
from domain.money.amounts import Money
from domain.money.interest import BaseRate, Interest, Span, day_of, interest_spans
from domain.money.parts import PRECISION, MissingRate, Part, PartKind, Rate, Sum, plain, total

FORMULA: Final = "simple-interest/actual-365-days@1"
"""loss * sum of (rate * days) / 365, the rate of each day by the rule and the base rate in force on it."""

_BEARS_NONE: Final = {PartKind.INTEREST, PartKind.CURRENCY_LOSS, PartKind.DISTRESS, PartKind.GOODWILL}
"""What is interest or made good at the day's value already bears none on top."""


_BASES: Final = {"bank_of_england": said("Bank of England base rate", "英格兰银行基准利率")}
"""What the base rates that a pack may name are called."""
_EN: Final = {name: called.en for name, called in _BASES.items()}
_ZH: Final = {name: called.zh for name, called in _BASES.items()}


def with_interest(
    finding: Finding, interest: Sequence[Interest], base_rates: Iterable[BaseRate], until: date
) -> Finding:
    """*finding* with the interest on each of its losses until *until*, rounded together with them, once.

    Unchanged where there is nothing that bears interest. Where the base rate or the day of a loss is not recorded the
    harm is left without interest and what is missing is named, so that a person decides.
    """
    bearing = [part for part in finding.parts if part.kind not in _BEARS_NONE]
    if not interest or not bearing or finding.harm is None or finding.exact <= 0:
        return finding
    currency = finding.harm.currency
    rates = [Rate.model_validate(row.values) for row in finding.evidence if row.table == "rates"]
    whole, losses = total(finding.parts, currency, rates=rates), total(bearing, currency, rates=rates).losses
    known = tuple(base_rates)
    try:
        borne = {
            subject: interest_spans(_lost_on(finding, subject, until), until, interest, known) for subject in losses
        }
    except MissingRate as error:
        return _told(finding, interest, until, {}).model_copy(
            update={
                "missing": (*finding.missing, str(error)),
                "reason": Bilingual(
                    en=f"{finding.reason.en} Interest is owed on it, but our records lack what it takes to compute it.",
                    zh=f"{finding.reason.zh}应另计利息，但我司记录中缺少计息所需的数据，暂无法计算。",
                ),
            }
        )
    if not any(borne.values()):
        return finding
    return _added(_told(finding, interest, until, borne), whole, {name: losses[name] for name in borne}, borne, until)


def again(finding: Finding, stored: Finding) -> Finding:
    """The interest that *stored* was given, on *finding*, which is it made again without."""
    if _RULES not in stored.given:
        return finding
    rates = [BaseRate.model_validate(row.values) for row in stored.evidence if row.table == "base_rates"]
    rules = [Interest.model_validate(rule) for rule in json.loads(stored.given[_RULES])]
    return with_interest(finding, rules, rates, date.fromisoformat(stored.given[_UNTIL]))


_RULES, _UNTIL = "interest.rules", "interest.until"


def _told(finding: Finding, interest: Sequence[Interest], until: date, borne: Mapping[str, Sequence[Span]]) -> Finding:
    """*finding* with what the interest goes by: the rules, and the base rates that the spans used."""
    rules = [one.model_dump(mode="json", exclude_none=True) for one in interest]
    used = {span.base for spans in borne.values() for span in spans if span.base}
    rows = [EvidenceRow.of("base_rates", f"{rate.name}/{rate.effective_from}", rate) for rate in used]
    return finding.model_copy(
        update={
            "given": finding.given | {_RULES: json.dumps(rules, sort_keys=True), _UNTIL: until.isoformat()},
            "evidence": (*finding.evidence, *sorted(rows, key=lambda row: row.key)),
        }
    )


def _added(
    finding: Finding,
    whole: Sum,
    losses: Mapping[str, Decimal],
    borne: Mapping[str, Sequence[Span]],
    day_until: date,
) -> Finding:
    currency = whole.harm.currency
    numbers = finding.numbers | {"interest.formula": FORMULA, "interest.principal": plain(whole.exact)}
    parts, en, zh = [], [], []
    with localcontext(prec=PRECISION):
        for subject, spans in borne.items():
            if not spans:
                continue
            factor = sum((span.factor for span in spans), Decimal(0))
            owed = losses[subject] * factor
            parts.append(
                Part(
                    key=f"interest/{subject}",
                    subject=f"interest/{subject}",
                    kind=PartKind.INTEREST,
                    amount=owed,
                    currency=currency,
                )
            )
            numbers |= {
                f"interest.{subject}.loss": plain(losses[subject]),
                f"interest.{subject}.since": spans[0].since.isoformat(),
                f"interest.{subject}.until": spans[-1].until.isoformat(),
                f"interest.{subject}.days": str(sum(span.days for span in spans)),
                f"interest.{subject}.spans": "; ".join(map(_span, spans)),
                f"interest.{subject}.factor": plain(factor),
            }
            if spans[-1].until == day_until:  # the rule still holds: it runs on from day to day
                numbers[f"interest.{subject}.daily"] = plain(losses[subject] * spans[-1].percent / (100 * 365))
            loss = Money.of(losses[subject], currency)
            product = " + ".join(f"{_rate(span, _EN)} × {span.days}" for span in spans)
            product_zh = " + ".join(f"{_rate(span, _ZH)} × {span.days}" for span in spans)
            since, until = spans[0].since, spans[-1].until
            unit = "day" if [span.days for span in spans] == [1] else "days"
            en.append(
                f"Simple interest on {loss} from {since} to {until}: {loss} × ({product} {unit}) ÷ 365 = {owed:.4f}."
            )
            zh.append(f"{loss} 自 {since} 至 {until} 的单利：{loss} ×（{product_zh} 天）÷ 365 = {owed:.4f}。")
        owed = sum((part.amount for part in parts), Decimal(0))
        exact = whole.exact + owed
    harm = Money.of(exact, currency)
    return finding.model_copy(
        update={
            "harm": harm,
            "parts": (*finding.parts, *parts),
            "numbers": numbers | {"interest": plain(owed), "harm": plain(exact)},
            "reason": Bilingual(
                en=f"{finding.reason.en} {' '.join(en)} With interest it comes to {harm}.",
                zh=f"{finding.reason.zh}{''.join(zh)}含利息合计 {harm}。",
            ),
        }
    )


def _lost_on(finding: Finding, subject: str, until: date) -> date:
    """The day on which *subject* lost its money, by the finding's own rows. Raises :class:`MissingRate`.

    A position that is still open loses nothing for good until its end, and what was charged for it bears none yet.
    """
    for row in finding.evidence:
        if row.key == subject and row.table in _LOST_AT:
            at = next((row.values[name] for name in _LOST_AT[row.table] if name in row.values), None)
            if at is not None:
                return day_of(datetime.fromisoformat(at))
            if row.table == "positions":
                return until
    raise MissingRate(f"day on which {subject} lost its money")


_LOST_AT: Final = {
    "fills": ("at",),
    "positions": ("closed_at",),
    "account_entries": ("booked_at",),
    "cancellations": ("at",),
    "binary_options": ("settled_at", "expires_at"),
}


def _span(span: Span) -> str:
    return f"{span.rule}: {_rate(span)} from {span.since} to {span.until}, {span.days} days"


def _rate(span: Span, called: Mapping[str, str] | None = None) -> str:
    """The rate of *span*, its base rate as it is *called*, else by its name in the records."""
    rate = f"{plain(span.percent)}%"
    if span.base is None:
        return rate
    with localcontext(prec=PRECISION):
        more = plain(span.percent - span.base.percent)
    name = (called or {}).get(span.base.name, span.base.name)
    return f"{rate} ({name} {plain(span.base.percent)}% + {more}%)"
