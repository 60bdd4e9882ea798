"""Drafts: what the rule leads to, why it is left to people, and who will have to approve it."""

from enum import StrEnum
from typing import Final

from domain.case.answers import Proposal
from domain.ground.base import Instant, Record, content_hash
from domain.ground.bilingual import Bilingual
from domain.ground.people import Actor
from domain.ground.spoken import said
from domain.ground.words import Outcome, Remedy
from domain.money.amounts import Money
from domain.rules.deciding import Occasion


class WhyPeople(StrEnum):
    """Why something is not decided by rule. What has a second person decide keeps its name."""

    PACK = "pack"
    UNVERIFIED = "unverified"
    REFERRAL = "referral"
    REJECTION = "rejection"
    PARTLY_UPHELD = "partly_upheld"
    NOTHING_FOUND = "nothing_found"
    IN_DOUBT = "in_doubt"
    SEVERAL_CURRENCIES = "several_currencies"
    NOT_ALL_FOUND = "not_all_found"
    ASKS_MORE = "asks_more"
    STILL_OWED = "still_owed"
    ELSEWHERE = "elsewhere"
    INCIDENT = "incident"
    ANOTHER_ROUND = "another_round"
    TAKEN_UP = "taken_up"
    CRITICAL = "critical"
    P1 = "p1"
    SIGN = "sign"
    ABOVE_LIMIT = "above_limit"
    NO_LIMIT = "no_limit"
    LATELY = "lately"
    NOT_BORNE = "not_borne"


WHY: Final[dict[WhyPeople, Bilingual]] = {
    WhyPeople.PACK: said("the rules of the case leave every decision to people", "本案适用规则要求一律由人工决定"),
    WhyPeople.UNVERIFIED: said("who complains is not verified", "投诉人身份尚未核实"),
    WhyPeople.REFERRAL: said("whether it is about another firm is for people to say", "是否涉及其他机构须由人工确认"),
    WhyPeople.REJECTION: said("it is a rejection", "处理结果为不予支持"),
    WhyPeople.PARTLY_UPHELD: said("it gives less than was claimed", "处理结果为部分支持"),
    WhyPeople.NOTHING_FOUND: said("no check has found anything that decides it", "没有可据以决定的核查结论"),
    WhyPeople.IN_DOUBT: said(
        "a finding is doubtful, inconclusive or lacks data", "有核查结论存疑、无法得出结论或缺少数据"
    ),
    WhyPeople.SEVERAL_CURRENCIES: said("the sums are in several currencies", "所涉金额币种不一"),
    WhyPeople.NOT_ALL_FOUND: said("part of what was looked at was found in order", "所核查的事项并非全部属于我司责任"),
    WhyPeople.ASKS_MORE: said("the customer asks for more than it gives", "客户的要求超出该处理方案"),
    WhyPeople.STILL_OWED: said("something is still owed beside the sum", "除赔偿金额外尚有未履行的事项"),
    WhyPeople.ELSEWHERE: said(
        "another complaint or an incident makes good what was found", "所核查的损失已由其他投诉或事件处理赔付"
    ),
    WhyPeople.INCIDENT: said("the incident that it is about is not decided", "所涉事件尚未作出决定"),
    WhyPeople.ANOTHER_ROUND: said("the customer disputed, or the case was reopened", "客户提出异议或案件重新处理"),
    WhyPeople.NOT_BORNE: said("the record did not bear what was decided by rule", "案卷记录不足以支持按规则作出的决定"),
    WhyPeople.TAKEN_UP: said("somebody has proposed a resolution before", "此前已有人提出处理方案"),
    WhyPeople.CRITICAL: said("life or livelihood is at stake", "涉及人身安全或基本生活"),
    WhyPeople.P1: said("it is of the first priority", "案件为最高优先级"),
    WhyPeople.SIGN: said("a sign of the case asks for it", "案件提示信息要求人工处理"),
    WhyPeople.ABOVE_LIMIT: said("the sum is above the limit", "金额超出规则限额"),
    WhyPeople.NO_LIMIT: said(
        "no limit is set in its currency and so it goes to the highest", "规则未就该币种设定限额，须由最高一级决定"
    ),
    WhyPeople.LATELY: said(
        "with what this customer was given by rule lately, the sum is above the limit",
        "连同该客户近期已按规则获得的赔付，累计金额超出规则限额",
    ),
}


class Draft(Record):
    """What the findings lead to, for a person to propose as it stands or to decide otherwise.

    ``outcome`` is ``None`` where they lead to nothing. ``reasons`` is ``None`` when the findings are the reasons.
    ``why`` it is not decided by rule; empty where it is. ``second_person`` is what has a second person decide on it
    once somebody proposes it.
    """

    outcome: Outcome | None = None
    compensation: Money | None = None
    remedies: tuple[Remedy, ...] = ()
    reasons: str | None = None
    incident: str | None = None
    why: tuple[WhyPeople, ...] = ()
    second_person: tuple[Occasion, ...] = ()

    @property
    def digest(self) -> str:
        """Names what it proposes: who proposes it has seen just that."""
        return content_hash(self.model_copy(update={"why": (), "second_person": ()}))[:12]

    @property
    def by_rule(self) -> bool:
        """Whether it may be sent without a person."""
        return self.outcome is not None and not self.why

    def proposed(self, by: Actor, at: Instant, digest: str = "") -> Proposal:
        """The draft as *by* proposes it, in the message with that *digest*.

        Raises ``LookupError`` where there is nothing to propose.
        """
        if self.outcome is None:
            raise LookupError("the findings lead to no resolution")
        return Proposal(
            outcome=self.outcome,
            compensation=self.compensation,
            remedies=self.remedies,
            reasons=self.reasons,
            proposed_by=by,
            at=at,
            incident=self.incident,
            digest=digest,
        )


def because(why: tuple[WhyPeople | Occasion, ...], given: Money | None) -> Bilingual:
    """The reasons *why* what is *given* is left to people, or to two, as one text in each language."""
    told = [_in_its_currency(given) if given and one == WhyPeople.NO_LIMIT else WHY[WhyPeople(one)] for one in why]
    return said("; ".join(one.en for one in told), "；".join(one.zh for one in told))


def _in_its_currency(given: Money) -> Bilingual:
    return said(
        f"no limit is set in {given.currency} and so it goes to the highest",
        f"规则未就 {given.currency} 设定限额，须由最高一级决定",
    )
