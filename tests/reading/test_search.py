"""Cases are found by words, names, accounts, addresses and numbers, and the record holds none of them for that."""

from typing import TYPE_CHECKING

import asyncpg
from hypothesis import given
from hypothesis import strategies as st

from domain.case.requests import RecordContact
from domain.ground.search import terms, wanted_terms, wholes
from runtime.database import seen_by
from starter.client.directory import People
from starter.reading.search import search
from tests.case.support import OPENED_AT, after, keeping, update
from tests.people.support import LEAD, directory, person
from tests.people.test_hands import noted, opened_as
from tests.signing import signed

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]

TEAMS = ("dealing", "payments", "accounts", "conduct", "customer-care")


@given(st.text(), st.text())
def test_what_is_searched_for_in_any_spelling_is_among_the_terms_of_what_holds_it(before: str, after_: str) -> None:
    for words in ("Stop-Loss ＸＡＵＵＳＤ", "强制平仓", "Ōkami 滑点 12345"):
        held = terms(f"{before} {words} {after_}"[-4_000:])
        assert wanted_terms(words.upper()) <= held or len(held) >= 1_900
    assert "王" in terms("王小明" + before)
    for written, asked in (("張偉 手續費 García", "张伟 手续费 garcia"), ("强制平仓 muller", "強制平倉 MÜLLER")):
        assert wanted_terms(asked) <= terms(written)
    assert wholes("+852 5555-0100") & wholes("(852) 5555 0100")


async def test_a_case_is_found_by_what_was_said_and_who_said_it_and_by_nobody_who_is_kept_out(pool: "Pool") -> None:
    people = directory(person("h-1", names=["Jane Doe"]), person("h-2"), teams=TEAMS)
    await People(pool, signed).replace(people, by=LEAD, at=OPENED_AT)
    case_file = keeping(pool)
    first, _ = await opened_as(
        case_file,
        "1",
        description="Jane Doe closed my Gold position at a wrong price.",
        complainant={"name": "Maria Müller", "email": "Maria@Example.com", "phone": "+852 5555 0100"},
    )
    second, _ = await opened_as(
        case_file,
        "2",
        language="zh-CN",
        account="70099999",
        description="我的黄金多单被强制平仓。",
        complainant={"name": "王小明", "email": "wang@example.com"},
    )
    for wanted, found in {
        "gold position": {first},
        "POSITION wrong": {first},
        "gold 强制": set(),
        "müller": {first},
        "Muller": {first},
        "強制平倉": {second},
        "maria@example.com": {first},
        "(852) 5555-0100": {first},
        "70099999": {second},
        "强制平仓": {second},
        "王小明": {second},
        "王": {second},
        "多 单": {second},
        "平仓王": set(),
        "": set(),
        "!": set(),
    }.items():
        assert {one.reference for one in await search(pool, wanted)} == found, wanted
    assert await search(seen_by(pool, "h-1"), "gold") == []
    assert len(await search(seen_by(pool, "h-2"), "gold")) == 1
    said = noted("customer_reply", 2, "customer:customer", text="Here is the screenshot.", intent="information")
    said = said.model_copy(update={"data": {**said.data, "text": "Here is the screenshot."}})
    await case_file.record(update(second, 1, entries=(said,)))
    moved = RecordContact(reference=second, key="moved", at=after(5), email="xm@example.com", phone=None)
    await case_file.record_contact(moved)
    for wanted in ("screenshot", "xm@example.com", "wang@example.com", "黄金"):
        assert [one.reference for one in await search(pool, wanted)] == [second], wanted
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("set local enable_seqscan = off")
        rows = await connection.fetch(
            "explain select reference from casefile.search_terms where terms @> $1::bigint[] or terms && $2::bigint[]",
            [1],
            [2],
        )
        plan = "\n".join(row[0] for row in rows)
    assert plan.count("search_terms_by_term") == 2, plan
