"""What words of the field are called in running text, in both languages: for sentences that code puts together.

Letters and packs of evidence have word tables of their own in ``templates``. What is said of a finding is kept with it,
and a notice is worded where it is sent, so these words are the domain's.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Final

from babel.core import Locale
from babel.lists import format_list
from babel.units import format_unit

from domain.ground.bilingual import Bilingual
from domain.ground.words import CaseEvent, Category, IncidentStage, Outcome, PaymentReason, Remedy


def said(en: str, zh: str) -> Bilingual:
    """The same in English and Chinese."""
    return Bilingual(en=en, zh=zh)


INCIDENT_STAGES: Final[Mapping[IncidentStage, Bilingual]] = {
    IncidentStage.LISTING: said("its accounts are being listed", "正在列出受影响账户"),
    IncidentStage.APPROVAL: said("its list waits for approval", "名单待审批"),
    IncidentStage.COMPENSATING: said("its accounts are being compensated", "正在赔付"),
    IncidentStage.CLOSED: said("it is closed", "已办结"),
    IncidentStage.DISMISSED: said("it was dismissed", "已撤销"),
}

DUTIES: Final[Mapping[CaseEvent, Bilingual]] = {
    CaseEvent.RECEIVED: said("receipt of the complaint", "收到投诉"),
    CaseEvent.ACKNOWLEDGED: said("acknowledgement of the complaint", "受理告知"),
    CaseEvent.CONTACTED: said("next letter to the customer", "下一次告知客户"),
    CaseEvent.INFORMATION_REQUESTED: said("questions to the customer", "向客户询问"),
    CaseEvent.CUSTOMER_REPLIED: said("customer's answer to our questions", "客户答复询问"),
    CaseEvent.WAIT_ENDED: said("end of the wait for the customer", "等候客户答复"),
    CaseEvent.OVERDUE_NOTED: said("new date for the customer", "告知新的预计日期"),
    CaseEvent.RESPONDED: said("final response", "处理决定"),
    CaseEvent.HELD: said("holding letter", "延期告知"),
    CaseEvent.ANSWERED: said("customer's answer to the decision", "客户对处理决定的答复"),
    CaseEvent.DISPUTED: said("customer's objection", "客户提出异议"),
    CaseEvent.REFERRED: said("customer's turn to an outside body", "客户转向外部机构"),
    CaseEvent.FILE_REQUESTED: said("outside body's request for the file", "外部机构调卷要求"),
    CaseEvent.FILE_HANDED_OVER: said("handing over of the file to the outside body", "向外部机构移交案卷"),
    CaseEvent.DECIDED_OUTSIDE: said("outside body's decision", "外部机构的决定"),
    CaseEvent.REFERRAL_ENDED: said("end of what is before an outside body", "外部机构程序终结"),
    CaseEvent.PAYMENT_DUE: said("order to pay", "付款指令"),
    CaseEvent.PAYMENT_RETURNED: said("return of a payment", "款项退回"),
    CaseEvent.REMEDY_OWED: said("start of a remedy", "补救措施开始落实"),
    CaseEvent.REMEDY_CONFIRMED: said("remedy that we owe", "应落实的补救措施"),
    CaseEvent.RELIEF_GRANTED: said("start of temporary relief", "临时措施开始"),
    CaseEvent.RELIEF_ENDED: said("end of temporary relief", "临时措施结束"),
    CaseEvent.TASK_GIVEN: said("giving of a task", "交办任务"),
    CaseEvent.TASK_OVERDUE: said("overdue task", "逾期任务"),
    CaseEvent.TASK_ENDED: said("task", "任务"),
    CaseEvent.SETTLED: said("settlement", "落实补救"),
    CaseEvent.FEEDBACK_GIVEN: said("customer's feedback", "客户满意度反馈"),
    CaseEvent.REOPENED: said("reopening of the case", "重新处理"),
    CaseEvent.EXTENDED: said("notice of an extension", "延长告知"),
    CaseEvent.RECLASSIFIED: said("new assessment", "重新评估"),
    CaseEvent.REPLANNED: said("new count of the deadlines", "重新计算时限"),
    CaseEvent.CLOSED: said("closing of the case", "办结"),
}
"""What a clock that this event satisfies is a deadline for."""


OUTCOMES: Final[Mapping[Outcome, Bilingual]] = {
    Outcome.UPHELD: said("upheld", "支持"),
    Outcome.PARTLY_UPHELD: said("partly upheld", "部分支持"),
    Outcome.NOT_UPHELD: said("not upheld", "不予支持"),
    Outcome.WITHDRAWN: said("withdrawn", "客户撤回"),
    Outcome.REFERRED: said("referred elsewhere", "转其他渠道"),
}

PAYMENT_REASONS: Final[Mapping[PaymentReason, Bilingual]] = {
    PaymentReason.NO_PAYEE: said("no account to pay to", "没有收款账户"),
    PaymentReason.ACCOUNT_UNKNOWN: said("account unknown", "收款账号不存在"),
    PaymentReason.ACCOUNT_CLOSED: said("account closed", "收款账户已注销"),
    PaymentReason.NAME_MISMATCH: said("name does not match", "户名不符"),
    PaymentReason.NOT_POSSIBLE: said("not possible on this account", "该账户不能接收此类款项"),
    PaymentReason.INVALID: said("order not understood", "付款指令无效"),
    PaymentReason.OTHER: said("other reason", "其他原因"),
}

REMEDIES: Final[Mapping[Remedy, Bilingual]] = {
    Remedy.REFUND: said("refund", "退款"),
    Remedy.COMPENSATION: said("compensation", "赔偿"),
    Remedy.RELEASE: said("release of a withdrawal", "出金放款"),
    Remedy.UNFREEZE: said("unfreezing of the account", "解除账户限制"),
    Remedy.CORRECTION: said("correction of account data", "更正账户资料"),
    Remedy.EARLY_REDEMPTION: said("early redemption", "提前赎回"),
    Remedy.APOLOGY: said("apology", "致歉"),
    Remedy.EXPLANATION: said("explanation", "说明"),
    Remedy.SERVICE: said("service", "服务补救"),
    Remedy.OTHER: said("another remedy", "其他补救"),
}

CATEGORIES: Final[Mapping[Category, Bilingual]] = {
    Category.EXECUTION: said("the execution of trades", "交易执行"),
    Category.WITHDRAWAL: said("withdrawals", "出金"),
    Category.DEPOSIT: said("deposits", "入金"),
    Category.FEE: said("fees", "费用收取"),
    Category.PLATFORM: said("the trading platform", "交易平台"),
    Category.ACCOUNT: said("accounts", "账户"),
    Category.CONDUCT: said("the conduct of the firm or its staff", "公司或其人员的行为"),
    Category.LENDING: said("loans", "贷款"),
    Category.CARD: said("cards", "银行卡"),
    Category.PAYMENT: said("payments", "支付"),
    Category.DEBT_COLLECTION: said("debt collection", "债务催收"),
    Category.HARDSHIP: said("financial hardship", "财务困难"),
    Category.CREDIT_REPORT: said("credit reports", "信用报告"),
    Category.PRIVACY: said("personal data", "个人信息保护"),
    Category.SERVICE: said("the service", "服务质量"),
    Category.OTHER: said("something else", "其他事项"),
}

_UNITS: Final = {"day": 86_400, "hour": 3_600, "minute": 60, "second": 1}
_IN_ENGLISH, _IN_CHINESE = "en_GB", "zh_CN"


def topic(of: str) -> Bilingual:
    """What the complaints of an early warning point to (see :func:`domain.incidents.incident.topics_of`)."""
    kind, _, name = of.partition(":")
    return CATEGORIES[Category(name)] if kind == "service" else said(name, name)


@lru_cache
def _locale(name: str) -> Locale:
    """Babel looks through its files for each that is asked for by name."""
    return Locale.parse(name)


def listed(names: Iterable[Bilingual]) -> Bilingual:
    """*names* as one list: "a, b and c", 「a、b和c」. Babel reads its data from files, so not in a workflow."""
    known = tuple(names)
    return Bilingual(
        en=format_list([name.en for name in known], locale=_locale(_IN_ENGLISH)),
        zh=format_list([name.zh for name in known], locale=_locale(_IN_CHINESE)),
    )


def lasting(duration: timedelta, *, most: int = len(_UNITS)) -> Bilingual:
    """*duration*, not below zero, in its *most* largest units of days to seconds; those that are zero are left out."""
    seconds, counts = duration // timedelta(seconds=1), {}
    for unit, size in _UNITS.items():
        counts[unit], seconds = divmod(seconds, size)
    told = [(unit, count) for unit, count in counts.items() if count][:most]
    if not told:
        return said("less than a second", "不足1秒")
    return Bilingual(
        en=" ".join(in_units(count, unit).en for unit, count in told),
        zh="".join(in_units(count, unit).zh for unit, count in told),
    )


def in_units(count: int, unit: str) -> Bilingual:
    """*count* of a unit of time: CLDR's ``day``, ``week`` …, or ``business_days``, as a length has it; a plural too."""
    unit = unit.removesuffix("s")
    if unit == "business_day":
        return said(f"{count} business day{'' if count == 1 else 's'}", f"{count}个工作日")
    # the long Chinese forms are missing in Babel's data for most units
    return Bilingual(
        en=format_unit(count, f"duration-{unit}", locale=_IN_ENGLISH),
        zh=format_unit(count, f"duration-{unit}", "short", locale=_IN_CHINESE),
    )
