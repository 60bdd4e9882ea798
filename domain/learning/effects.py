"""Whether a corrective action had its effect: the rate of its cause before and after, told apart from chance."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import Field, model_validator

from domain.ground.base import Record
from domain.ground.bilingual import Bilingual
from domain.learning.intervals import rate_interval, ratio_interval

LOOKS: Final = 4
"""How often the effect is measured, each time over one span more, before people are asked to decide."""


class EffectMeasure(Record):
    """How the effect is judged, fixed before the action begins: that cause per 1,000 accounts, before and after.

    ``accounts`` is how many accounts there are; a span after is as long as those ``days`` before.
    """

    days: Annotated[int, Field(ge=7, le=366)] = 90
    accounts: Annotated[int, Field(ge=1)]
    at_least: Annotated[Decimal, Field(gt=0, le=1)] = Decimal("0.3")
    """By what part of the rate before it must fall at least."""


class Verdict(StrEnum):
    """What the counts say of an action."""

    EFFECTIVE = "effective"
    """The rate fell, beyond chance, and by as much as was fixed."""
    WITHOUT_EFFECT = "without_effect"
    """A fall by as much as was fixed is ruled out."""
    NOT_SHOWN = "not_shown"
    """Either may be chance: more has to be seen."""


class Judged(Record):
    """The rate of a cause per 1,000 accounts in a span before and after an action, and their ratio.

    With 95 % intervals. ``spans``: how many times as long as before was counted after. ``ratio`` is ``None`` where
    nothing was before, ``ratio_high`` where there is no limit.
    """

    before: int
    after: int
    spans: int = 1
    rate_before: Decimal
    rate_after: Decimal
    low_after: Decimal
    high_after: Decimal
    ratio: Decimal | None = None
    ratio_low: Decimal | None = None
    ratio_high: Decimal | None = None
    effective: bool
    verdict: Verdict

    @model_validator(mode="before")
    @classmethod
    def _was_with_or_without(cls, said: Any) -> Any:
        """What was judged before there was a third verdict was reopened wherever it was not effective."""
        if isinstance(said, dict) and "verdict" not in said:
            return {**said, "verdict": Verdict.EFFECTIVE if said.get("effective") else Verdict.WITHOUT_EFFECT}
        return said


def effect(measure: EffectMeasure, before: int, after: int, spans: int = 1) -> Judged:
    """Whether the action had its effect.

    ``before`` are upheld cases of the cause in the span before, ``after`` those in so many *spans* after. It had if
    the rate fell by what was fixed and the interval of the ratio lies below 1; it had none if that interval lies above
    what the ratio was to fall to. All else is not shown, however few came after.
    """
    per = measure.accounts / 1000
    low, high = rate_interval(after, per * spans)
    ratio_low, ratio_high = ratio_interval(after, before, spans)
    ratio = (Decimal(after) / (before * spans)).quantize(_PLACES) if before else None
    wanted = 1 - measure.at_least
    verdict = Verdict.NOT_SHOWN
    if ratio is not None and ratio_high is not None and ratio <= wanted and ratio_high < 1:
        verdict = Verdict.EFFECTIVE
    elif ratio_low > wanted:
        verdict = Verdict.WITHOUT_EFFECT
    return Judged(
        before=before,
        after=after,
        spans=spans,
        rate_before=_rate(before, measure),
        rate_after=_rate(after, measure, spans),
        low_after=low,
        high_after=high,
        ratio=ratio,
        ratio_low=ratio_low,
        ratio_high=ratio_high,
        effective=verdict is Verdict.EFFECTIVE,
        verdict=verdict,
    )


def in_words(judged: Judged, measure: EffectMeasure) -> Bilingual:
    """What was counted and what follows from it, for people."""
    high = "∞" if judged.ratio_high is None else f"{judged.ratio_high:.2f}"
    between = f"{judged.ratio_low or 0:.2f}–{high}"
    days, wanted = measure.days, f"{measure.at_least * 100:.0f} %"
    said = _SAID[judged.verdict]
    return Bilingual(
        en=f"{judged.before} upheld in {days} days before, {judged.after} in {days * judged.spans} days after; the "
        f"rate after is {between} times the one before (95 % interval). {said.en.format(wanted=wanted)}",
        zh=f"之前{days}天成立{judged.before}件，之后{days * judged.spans}天成立{judged.after}件；之后的发生率是之前的"
        f"{between}倍（95 % 区间）。{said.zh.format(wanted=wanted)}",
    )


def _rate(count: int, measure: EffectMeasure, spans: int = 1) -> Decimal:
    return (Decimal(count) * 1000 / (measure.accounts * spans)).quantize(_PLACES)


_PLACES: Final = Decimal("0.0001")
_SAID: Final = {
    Verdict.EFFECTIVE: Bilingual(
        en="It fell by at least {wanted}, as was fixed, and that is not chance: the action had an effect.",
        zh="降幅不小于预定的{wanted}，且并非偶然：措施有效。",
    ),
    Verdict.WITHOUT_EFFECT: Bilingual(
        en="A fall by {wanted}, as was fixed, is ruled out: the action had no effect and begins again.",
        zh="可以排除预定的{wanted}降幅：措施无效，重新启动。",
    ),
    Verdict.NOT_SHOWN: Bilingual(
        en="Whether it fell by {wanted}, as was fixed, or not, may be chance: no effect is shown yet.",
        zh="是否达到预定的{wanted}降幅，可能出于偶然：效果尚未证实。",
    ),
}
