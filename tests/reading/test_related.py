"""The same matter twice, by whatever way and whoever sends it: each file is offered beside the other, none merged."""

from typing import TYPE_CHECKING, Any, Final

from hypothesis import assume, given
from hypothesis import strategies as st

from domain.case.complaint import Complaint
from domain.case.recurrence import ALIKE, marks_of
from domain.keys.finding import TEXT
from starter.reading.related import related_to
from tests.case.support import complaint, keeping, opened
from tests.channels.messages import TABLE

if TYPE_CHECKING:
    import asyncpg

    Pool = asyncpg.Pool[asyncpg.Record]

TOLD: Final = {
    "en": "I asked for my money on 3 March, and your support closed my ticket twice without a word. It is $4,200.",
    "zh": "我三月三日申请出金四千二百美元，客服两次关闭我的工单，一句话也没有说，至今没有到账，请你们马上处理。",
}
OTHERS: Final = {
    "en": "The chart of gold froze for 10 minutes on Friday and my stop was filled 50 points below its level.",
    "zh": "周五晚上黄金图表卡住十分钟，我的止损单在设定价位下方五十个点成交，请核对当时的报价，并说明原因。",
}


def from_somebody(number: int, **changes: Any) -> dict[str, Any]:
    """What tells a complaint of a customer who has neither account nor address in common with others."""
    who = {"name": f"N{number}", "email": f"n{number}@example.com"}
    return {"account": None, "complainant": who, "trades": [], "description": OTHERS["en"], **changes}


async def test_the_same_matter_by_mail_page_post_and_telephone_is_offered_beside_each_other(pool: "Pool") -> None:
    file = keeping(pool)
    ways: list[dict[str, Any]] = [
        {"channel": "email", "description": TOLD["zh"]},
        {"channel": "social_media", "description": f"曝光！{TOLD['zh']}\nhttps://x.example/1"},
        {"channel": "web", "trades": ["T-77"], "description": "See the trade."},
        {"channel": "phone", "trades": ["t-77"], "description": "She called about a trade."},
        {"channel": "branch", "description": f"It is about {complaint('1').reference.lower()}, again."},
    ]
    references = [
        await opened(file, str(number), **from_somebody(number, **way)) for number, way in enumerate(ways, start=1)
    ]
    apart = await opened(file, "9", **from_somebody(9))
    mail, post, page, phone, branch = references
    alike = {one: {other.reference for other in (await related_to(pool, one)).alike} for one in [*references, apart]}
    assert alike == {mail: {post, branch}, post: {mail}, page: {phone}, phone: {page}, branch: {mail}, apart: set()}
    assert await pool.fetchval("select count(*) from casefile.cases") == len(alike), "nothing is merged"


async def test_what_a_customer_s_own_cases_have_in_common_is_told_once(pool: "Pool") -> None:
    one, other = [await opened(keeping(pool), key, trades=["T-1"]) for key in ("1", "2")]
    related = await related_to(pool, one)
    assert ([each.reference for each in related.cases], related.alike) == ([other], ())


def _of(text: str) -> set[str]:
    told = Complaint.model_validate({**complaint().model_dump(), "description": text})
    return {value for purpose, value in marks_of(told) if purpose == TEXT}


@given(st.sampled_from(list(TOLD)), st.integers(0, 100), st.sampled_from(["", "!!", " please ", "，", "\n\n", "急"]))
def test_a_text_that_was_changed_a_little_is_nearly_the_same(language: str, at: int, put: str) -> None:
    text = TOLD[language]
    changed = f"{text[:at]}{put}{text[at:]}".upper()
    assert len(_of(text) & _of(changed)) >= ALIKE
    assert len(_of(text) & _of(f"Hello, {text}\nBest regards, Ann")) >= ALIKE


@given(st.sampled_from(TABLE), st.sampled_from(list(OTHERS)))
def test_texts_of_different_matters_have_nothing_in_common(row: Any, language: str) -> None:
    said = row.want.text or ""
    assume(said)
    assert not _of(OTHERS[language]) & (_of(said) | _of(TOLD[language]))


def test_a_short_text_which_many_write_is_nobody_s() -> None:
    assert not _of("我的出金没到账") | _of("Where is my money?")
