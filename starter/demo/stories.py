"""The seven complaints of the demo: what each says, who does what about it, and how it must end.

The actors do what people would do, when the case file shows that it is time for it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from domain.case.complaint import Complaint
from domain.ground.people import Actor
from domain.ground.words import Category, Outcome, Remedy, Role, Stage
from starter.client.complaints import Complaints
from starter.demo.mail import MailServer
from starter.demo.trade_log import DemoData, DemoTrade, DemoWithdrawal
from starter.demo.watch import Seen, Watch
from starter.reading.dossier import last_findings

CUSTOMER: Final = Actor(id="customer", role=Role.CUSTOMER)
TEAM_LEAD: Final = Actor(id="tl-2", role=Role.TEAM_LEAD)
HANDLER: Final = Actor(id="h-17", role=Role.HANDLER)
APPROVER: Final = Actor(id="a-3", role=Role.APPROVER)

_DUTIES: Final = frozenset({"acknowledgement", "response"})
_ANSWERED: Final = _DUTIES | {"reconsideration"}
"""The customer's answer starts another clock."""

_THINKING: Final = 1.2  # seconds; people do not act at once


class Scene:
    """What the actors of one story see and can do."""

    def __init__(self, complaints: Complaints, watch: Watch, mail: MailServer, complaint: Complaint) -> None:
        self.complaints = complaints
        self.mail = mail
        self.complaint = complaint
        self.reference = complaint.reference
        self._watch = watch

    async def shows(self, kind: str, text: str = "") -> Seen:
        """Wait until the timeline shows an entry of this kind that begins with *text*; think; look at the case."""
        seen = await self._watch.until(self.reference, lambda seen: seen.has(kind, text))
        await self.think()
        return seen

    async def think(self) -> None:
        await asyncio.sleep(_THINKING)

    async def accept(self, text: str) -> None:
        """The customer accepts the final response."""
        await self.shows("stage", Stage.RESPONDED)
        await self.complaints.reply(self.reference, by=CUSTOMER, intent="accept", text=text)

    async def decide(self, note: str) -> None:
        """The case is given to a handler, who proposes what was found, with a *note*; a second person approves it."""
        seen = await self.shows("stage", Stage.DECIDING)
        findings = [finding for finding in last_findings(seen.timeline) if finding.verdict.for_the_customer]
        finding = max(findings, key=lambda finding: finding.harm.amount if finding.harm else 0)
        await self.complaints.assign(self.reference, HANDLER.id, by=TEAM_LEAD)
        await self.think()
        await self.complaints.propose_resolution(
            self.reference,
            by=HANDLER,
            outcome=Outcome.UPHELD,
            as_found=True,
            remedies=(Remedy.COMPENSATION, Remedy.APOLOGY),
            reasons=f"{finding.reason.in_language(self.complaint.language)}\n\n{note}",
        )
        await self.think()
        await self.complaints.approve(self.reference, by=APPROVER)
        await self.complaints.record_cause(self.reference, "pricing/provider_quote", by=HANDLER, others_touched="yes")

    async def take_the_draft(self) -> None:
        """A handler looks at what was drafted and proposes it as it stands; a second person approves it, if it is a no.

        What the machine leaves to people, it leaves to these two.
        """
        await self.shows("draft")
        await self.complaints.assign(self.reference, HANDLER.id, by=TEAM_LEAD)
        await self.think()
        await self.complaints.propose_draft(self.reference, by=HANDLER)
        if self.complaint.about is None:
            await self.think()
            await self.complaints.approve(self.reference, by=APPROVER)


@dataclass(frozen=True)
class Story:
    """One complaint. ``title`` is what the screen calls it, ``told`` says what it shows."""

    title: str
    told: str
    complaint: Complaint
    acts: Callable[[Scene], Awaitable[None]]
    category: Category
    outcome: Outcome
    compensation: str | None = None
    """As it must be in the end, such as ``USD 18.41``."""
    met: frozenset[str] = _DUTIES
    """The clocks of duties that must have ended in time."""
    missed: frozenset[str] = frozenset()
    """Those that must have run out."""
    shows: Sequence[tuple[str, str]] = ()
    """Entries that the timeline must have: kind, and how the text begins."""
    rejected: int = 0
    """Messages that did not fit."""
    away: bool = False
    """Whether the customer's mailbox is not available at first."""


async def _stopped_out(scene: Scene) -> None:
    await scene.decide(
        "I have looked at the prices of that hour myself: the fault lasted for one minute, at that provider alone."
    )
    await scene.accept("Thank you. I accept.")


async def _stopped_out_zh(scene: Scene) -> None:
    await scene.decide("我已另行核对该时段的全部报价：错误持续一分钟，其他报价提供方均无此情况。")
    await scene.accept("同意贵公司的处理决定。")
    await scene.shows("letter", "feedback_request")
    await scene.complaints.record_feedback(scene.reference, 5, by=CUSTOMER, comment="处理及时，理由也讲得清楚。")


async def _slippage(scene: Scene) -> None:
    await scene.shows("stage", Stage.INVESTIGATING)
    case = scene.complaints.client.get_workflow_handle(scene.reference)
    # By a program with a mistake in it.
    await case.signal("customer_reply", {"message_id": "m-1", "actor": CUSTOMER.model_dump(), "intent": "perhaps"})
    await scene.take_the_draft()
    await scene.accept("All right, now I understand it.")


async def _late_withdrawal(scene: Scene) -> None:
    await scene.accept("Thank you, that was quick.")


async def _about_another_firm(scene: Scene) -> None:
    await scene.take_the_draft()


async def _mailbox_away(scene: Scene) -> None:
    await scene.shows("breach", "acknowledgement")
    assert scene.complaint.complainant.email  # noqa: S101
    scene.mail.accept(scene.complaint.complainant.email)
    await scene.take_the_draft()


async def _withdraws(scene: Scene) -> None:
    await scene.shows("letter", "reminder")
    await scene.complaints.withdraw(scene.reference, by=CUSTOMER, reason="It was another broker's account. Sorry!")


def tell(data: DemoData) -> Sequence[Story]:
    """The stories, about what *data* has put into the trade log, received now."""
    return (
        _bad_price(data.stop_out),
        _ordinary_slippage(data.slippage),
        _paid_late(data.withdrawal),
        _another_firm(),
        _no_mailbox(data.clean_account),
        _withdrawn(),
        _bad_price_zh(data.stop_loss),
    )


def _bad_price(stop_out: DemoTrade) -> Story:
    return Story(
        title="stop-out, bad price",
        told="a wrong price stopped the customer out: two people decide",
        acts=_stopped_out,
        complaint=_complaint(
            "off-market-stop-out",
            subject="Stopped out at a price that gold never had",
            description=f"My long position {stop_out.position} was closed by a stop out at {stop_out.price}"
            f" on {stop_out.at:%d %B at %H:%M} UTC. Gold did not trade anywhere near that price, and a minute"
            " later your own price was back. Put me back to where I was.",
            **_about(stop_out, stop_out.position),
            remedy_sought=Remedy.COMPENSATION,
            amount_claimed=stop_out.loss.model_dump(),
        ),
        category=Category.EXECUTION,
        outcome=Outcome.UPHELD,
        compensation="USD 3,157.80",
        met=_ANSWERED,
        shows=(("propose_resolution", "upheld"), ("decide_resolution", "approved")),
    )


def _ordinary_slippage(slippage: DemoTrade) -> Story:
    return Story(
        title="slippage",
        told="ordinary slippage: drafted, and two people say no",
        acts=_slippage,
        complaint=_complaint(
            "slippage",
            subject="Filled worse than the price I saw",
            description=f"My market order {slippage.order} was filled at {slippage.price}, worse than the price on"
            " my screen. I want the difference back.",
            **_about(slippage, slippage.order),
            remedy_sought=Remedy.REFUND,
            amount_claimed=slippage.loss.model_dump(),
        ),
        category=Category.EXECUTION,
        outcome=Outcome.NOT_UPHELD,
        met=_ANSWERED,
        shows=(("draft", "not upheld"), ("decide_resolution", "approved"), ("rejected", "")),
        rejected=1,
    )


def _paid_late(withdrawal: DemoWithdrawal) -> Story:
    return Story(
        title="late withdrawal",
        told="paid out seven days late: made good by rule at once",
        acts=_late_withdrawal,
        complaint=_complaint(
            "late-withdrawal",
            account=withdrawal.account,
            channel="phone",
            subject="Waited nine days for my withdrawal",
            description=f"I asked for my withdrawal of {withdrawal.amount} ({withdrawal.entry}) and it took you"
            " nine days. I want the interest for the delay.",
            trades=(withdrawal.entry,),
            occurred_from=withdrawal.requested_at,
            occurred_until=withdrawal.booked_at,
            remedy_sought=Remedy.COMPENSATION,
        ),
        category=Category.WITHDRAWAL,
        outcome=Outcome.UPHELD,
        compensation="USD 18.41",
        met=_ANSWERED,
        shows=(("proposed", "upheld"),),
    )


def _another_firm() -> Story:
    return Story(
        title="another firm's",
        told="about another firm: a person refers it where it belongs",
        acts=_about_another_firm,
        complaint=_complaint(
            "another-firm",
            account=None,
            channel="email",
            about="Example Futures Ltd",
            subject="They do not answer me",
            description="Example Futures Ltd has taken the fee for a gold futures account twice and does not answer"
            " my letters.",
        ),
        category=Category.FEE,  # that nobody answers comes after what it is about
        outcome=Outcome.REFERRED,
        shows=(("draft", "referred"), ("propose_resolution", "referred")),
    )


def _no_mailbox(account: str) -> Story:
    return Story(
        title="mailbox away",
        told="acknowledgement not deliverable in time: breach, escalation",
        acts=_mailbox_away,
        complaint=_complaint(
            "mailbox-away",
            account=account,
            channel="app",
            subject="My withdrawal took until the next day",
            description="My withdrawal of USD 1,000 was only paid out the next day. I expect it at once.",
            remedy_sought=Remedy.EXPLANATION,
        ),
        category=Category.WITHDRAWAL,
        outcome=Outcome.NOT_UPHELD,
        met=frozenset({"response"}),
        missed=frozenset({"acknowledgement"}),
        shows=(("breach", "acknowledgement"), ("escalation", "level 1, team_lead"), ("silence", "")),
        away=True,
    )


def _withdrawn() -> Story:
    return Story(
        title="withdrawn",
        told="a fact is missing: asked, reminded, and withdrawn",
        acts=_withdraws,
        complaint=_complaint(
            "withdrawn",
            account="70099999",
            channel="chat",
            subject="Stop loss not at my price",
            description="My stop loss was executed at another price than the one I had set.",
        ),
        category=Category.EXECUTION,
        outcome=Outcome.WITHDRAWN,
        shows=(("letter", "information_request"), ("letter", "reminder"), ("withdraw", "")),
    )


def _bad_price_zh(stop_loss: DemoTrade) -> Story:
    return Story(
        title="止损遇错误报价",
        told="the same wrong price, all in Chinese, with feedback",
        acts=_stopped_out_zh,
        complaint=_complaint(
            "zh-stop-loss",
            channel="app",
            language="zh-CN",
            subject="止损单被错误报价触发",
            description=f"我的黄金多单 {stop_loss.position} 在 {stop_loss.at:%m月%d日 %H:%M}（UTC）被止损平仓，"
            f"成交价 {stop_loss.price}。当时市场上根本没有这个价格，一分钟后贵平台的报价又恢复正常。要求赔偿损失。",
            **_about(stop_loss, stop_loss.position),
            remedy_sought=Remedy.COMPENSATION,
        ),
        category=Category.EXECUTION,
        outcome=Outcome.UPHELD,
        compensation="USD 2,014.40",
        met=_ANSWERED,
        shows=(("decide_resolution", "approved"), ("record_feedback", "5 of 5")),
    )


def _about(trade: DemoTrade, named: str) -> dict[str, Any]:
    """The trade that a complaint is about, by the id that it names."""
    return {"account": trade.account, "trades": (named,), "occurred_from": trade.at}


def _complaint(key: str, *, account: str | None, language: str = "en", **told: Any) -> Complaint:
    name = "客户" if language == "zh-CN" else "Customer"
    return Complaint.model_validate(
        {
            "source": "demo",
            "idempotency_key": key,
            "received_at": datetime.now(UTC),
            "channel": "web",
            "language": language,
            "complainant": {"name": f"{name} {account}" if account else name, "email": f"{key}@example.org"},
            "account": account,
            **told,
        }
    )
