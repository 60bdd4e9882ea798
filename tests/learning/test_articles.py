"""Questions and answers for customers: from closed cases, without a customer in them, approved, and withdrawn."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import pytest
from fastapi import FastAPI

from domain.ground.people import Actor
from domain.ground.words import Category, Role, Stage
from domain.learning.articles import Topic, Wording, offered
from domain.people.recusal import Why
from record import facts
from runtime.database import Pool, seen_by
from runtime.keys.vault import Vault
from starter.client import articles
from starter.client.articles import Articles
from starter.upkeep.doctor import out_of_date
from tests.case.support import after, keeping, opened, summary, update
from tests.cli.command_line import CommandLine
from tests.cli.conftest import redress as redress  # noqa: PLC0414 (a fixture)
from tests.learning.test_facts import noted
from tests.people.test_recusal_of_money import keep_out
from tests.signing import signed
from tests.web.conftest import Browser, signed_in
from tests.web.conftest import doors as doors  # noqa: PLC0414 (a fixture)
from tests.web.conftest import site as site  # noqa: PLC0414 (a fixture)
from web.doors import Doors
from web.visits import Staff

LATE = Topic(category=Category.WITHDRAWAL, cause="payments/bank_delay")
QUESTION = "Why did my withdrawal arrive late?"
ANSWER = "Banks abroad take up to three days. If ours took longer, we pay interest."
WRITER, SECOND = Actor(id="h-17", role=Role.HANDLER), Actor(id="tl-2", role=Role.TEAM_LEAD)
NEXT_YEAR = date.today() + timedelta(days=365)  # noqa: DTZ011


def worded(**changes: str) -> Wording:
    return Wording.model_validate({"language": "en", "question": QUESTION, "answer": ANSWER, **changes})


async def answered(
    pool: Pool,
    *numbers: int,
    by: str = "handler:h-17",
    name: str = "A Customer",
    known_by: Mapping[str, str | None] = MappingProxyType({}),
) -> None:
    """Closed cases on the topic, each of a customer, as somebody answered them."""
    for number in numbers:
        case_file = keeping(pool)
        account = known_by.get("account", f"7001{number:04}")
        person = {"name": name, "email": known_by.get("email", f"c{number}@example.com")}
        reference = await opened(case_file, f"{by}{number}", account=account, complainant=person)
        cause = noted("record_cause", cause=LATE.cause)
        proposed = noted("propose_resolution", outcome="not_upheld").model_copy(update={"actor": by})
        at = {"stage": Stage.CLOSED, "outcome": "not_upheld", "category": "withdrawal", "closed_at": after(90)}
        await case_file.record(update(reference, 2, summary=summary(2, **at), entries=(cause, proposed)))


async def test_a_topic_is_suggested_by_three_customers_whom_people_answered(pool: Pool) -> None:
    client = Articles(pool, signed)
    await answered(pool, 1, 2)
    await answered(pool, 3, 4, by="system:redress")
    assert await client.suggest() == []
    await answered(pool, 5)
    (found,) = await client.suggest()
    assert (found.topic, len(found.cases), found.outcomes) == (LATE, 3, {"not_upheld": 3})
    assert found.policies == {"platform-default": 3}
    await client.write("FAQ-LATE", LATE, [worded()], owner="h-17", until=NEXT_YEAR, by=WRITER)
    assert await client.suggest() == []
    await keep_out(pool, found.cases[0], "h-9", Why.NAMED)
    (shown,) = await Articles(seen_by(pool, "h-9")).all()
    assert shown.written.cases == found.cases[1:]
    with pytest.raises(ValueError, match=r"topic: .* or it has one"):
        await client.write("FAQ-OTHER", LATE, [worded()], owner="h-17", until=NEXT_YEAR, by=WRITER)


@pytest.mark.parametrize(
    "known_by",
    [
        {"email": "one@example.com"},  # with an account each
        {"account": "70010001"},  # writing from several addresses
        {"account": None, "email": "one@example.com"},
        {"account": None, "email": None},  # who is known by nothing may be anybody
    ],
)
async def test_one_customer_who_complains_three_times_is_one(pool: Pool, known_by: dict[str, str | None]) -> None:
    await answered(pool, 1, 2, 3, known_by=known_by)
    assert await Articles(pool, signed).suggest() == []
    await answered(pool, 4, 5, 6)
    assert len((await Articles(pool, signed).suggest())[0].cases) == 6


async def test_topics_are_looked_for_among_the_cases_that_closed_last_alone(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Articles(pool, signed)
    await answered(pool, 1, 2, 3)
    await client.write("FAQ-LATE", LATE, [worded()], owner="h-17", until=NEXT_YEAR, by=WRITER)
    monkeypatch.setattr(articles, "LOOKED_AT", 2)
    assert await client.write("FAQ-LATE", LATE, [worded()], owner="h-17", until=NEXT_YEAR, by=WRITER) == 2, "its own"
    with pytest.raises(ValueError, match="topic: "):
        await client.write("FAQ-OTHER", LATE, [worded()], owner="h-17", until=NEXT_YEAR, by=WRITER)


_MANY: Final = """
    insert into {0} overriding user value
    select (jsonb_populate_record(null::{0}, to_jsonb(t) || jsonb_build_object('reference', 'RD-' || n,
        'idempotency_key', n, 'closed_at', to_jsonb(now() - n * interval '1 minute')))).*
    from {0} t, generate_series(1, 3000) n where reference = $1
"""


async def test_however_many_cases_closed_few_pages_are_read_for_topics(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await answered(pool, 1)
    reference, tables = (
        await pool.fetchval("select reference from casefile.cases"),
        ("casefile.cases", "reporting.facts", "casefile.timeline"),
    )
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("set local session_replication_role = replica")
        for table in tables:
            await connection.execute(f"alter table {table} drop constraint if exists sealed_for")
            await connection.execute(_MANY.format(table), reference)
    await pool.execute(f"vacuum analyze {', '.join(tables)}")
    monkeypatch.setattr(articles, "LOOKED_AT", 20)
    asked: list[tuple[str, tuple[Any, ...]]] = []

    def note(query: Any) -> None:
        if "casefile.cases c" in query.query:
            asked.append((query.query, query.args))

    async with pool.acquire() as connection:
        connection.add_query_logger(note)
    try:
        await Articles(pool).suggest()
    finally:
        async with pool.acquire() as connection:
            connection.remove_query_logger(note)
    (found,) = asked
    references = [row["reference"] for row in await pool.fetch(found[0], *found[1])]
    assert len(references) == 20
    asked.append((facts._THESE, (2**62, references)))
    for query, values in asked:
        [[plan]] = await pool.fetch(f"explain (analyze, buffers, format json) {query}", *values)
        pages = plan[0]["Plan"]["Shared Hit Blocks"] + plan[0]["Plan"]["Shared Read Blocks"]
        assert pages < 20 * 20, f"{pages}: {query}\n{plan}"


async def test_cases_that_are_erased_meanwhile_hinder_no_article(pool: Pool, keys: Vault) -> None:
    await answered(pool, 1, 2, 3, by="handler:h-77")
    client = Articles(pool, signed)
    (found,) = await client.suggest()
    await keys.destroy(found.cases[:1])
    assert await client.write("FAQ-LATE", LATE, [worded()], owner="h-17", until=NEXT_YEAR, by=WRITER) == 1


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"answer": "Ask Wei Example, who had it too."}, "names a customer"),
        ({"answer": "As in RD-92WE-J4WV-RVDE3."}, "a reference of a case"),
        ({"answer": "Write to one@example.com."}, "an e-mail address"),
        ({"question": "Account 7001 0001?"}, "a long number"),
    ],
)
async def test_an_article_that_names_somebody_is_refused(pool: Pool, changes: dict[str, str], why: str) -> None:
    await answered(pool, 1, 2, 3, name="Wei Example")
    with pytest.raises(ValueError, match=why):
        await Articles(pool, signed).write("FAQ-LATE", LATE, [worded(**changes)], owner="h", until=NEXT_YEAR, by=WRITER)


async def test_customers_and_handlers_see_what_a_second_person_approved_until_a_rule_changes(
    pool: Pool, site: FastAPI, doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    await answered(pool, 1, 2, 3)
    async with Browser(site) as desk, Browser(site) as customer, Browser(site, "zh-CN") as chinese:
        await signed_in(desk, doors, Staff(id="h-17", roles=(Role.HANDLER, Role.TEAM_LEAD)))
        fields = {"topic": f"withdrawal|{LATE.cause}", "name": "FAQ-LATE", "until": NEXT_YEAR.isoformat()}
        texts = {"en_question": QUESTION, "en_answer": ANSWER, "cites": "platform-default"}
        page = (await desk.get("/desk/faq")).text
        assert all(f"/desk/cases/{one}" in page for one in (await Articles(pool).suggest())[0].cases)
        assert "3 not upheld" in page
        assert "3 platform-default" in page
        refused = await desk.send_form("/desk/faq", **fields, **texts | {"cites": "no-such-pack"})
        assert (refused.status_code, "no-such-pack" in refused.text) == (422, True)
        assert (await desk.send_form("/desk/faq", **fields, **texts)).status_code == 303
        decision = {"version": "1", "decision": "approve_en", "reason": "So it is.", "as_role": "team_lead"}
        own = await desk.send_form("/desk/faq", "/desk/faq/FAQ-LATE", **decision)
        assert (own.status_code, "a second person does" in own.text) == (422, True)
        assert QUESTION not in (await customer.get("/how")).text
        await signed_in(desk, doors, Staff(id="tl-2", roles=(Role.TEAM_LEAD,)))
        assert (await desk.send_form("/desk/faq", "/desk/faq/FAQ-LATE", **decision)).status_code == 303

        assert "approve_en" not in (await desk.get("/desk/faq")).text  # and it can be written anew
        assert f"withdrawal|{LATE.cause}" in (await desk.get("/desk/faq")).text
        assert QUESTION in (await customer.get("/how")).text
        assert QUESTION not in (await chinese.get("/how")).text
        typed = await customer.send_form("/complain/what", "/answers", description="My withdrawal came late again!")
        assert QUESTION in typed.text
        other = await customer.send_form("/complain/what", "/answers", description="The chart froze.")
        assert QUESTION not in other.text

        case = await opened(keeping(pool), "now", description="My withdrawal has not arrived.")
        assert QUESTION in (await desk.get(f"/desk/cases/{case}/do/request_information")).text

        monkeypatch.setattr(articles, "rules_in_force", lambda _: {"platform-default": "another"})
        assert QUESTION not in (await customer.get("/how")).text
        assert "withdrawn, a rule has changed" in (await desk.get("/desk/faq")).text
        (trouble,) = await out_of_date(pool, datetime.now(UTC))
        assert (trouble.subject, trouble.what) == ("FAQ-LATE", "rule changed; h-17 keeps it right")


async def test_what_is_written_anew_is_approved_anew_and_what_is_withdrawn_or_over_is_seen_no_more(
    redress: CommandLine, pool: Pool, database_url: str, tmp_path: Path
) -> None:
    redress.set("DATABASE_URL", database_url)
    await answered(pool, 1, 2, 3)
    en, zh = tmp_path / "en.txt", tmp_path / "zh.txt"
    en.write_text(f"{QUESTION}\n{ANSWER}\n", encoding="utf-8")
    zh.write_text("为什么出金到账慢？\n境外银行最多需要三天。\n", encoding="utf-8")
    written: list[object] = [
        "faq",
        "write",
        "FAQ-LATE",
        "--category",
        "withdrawal",
        "--cause",
        LATE.cause,
        "--owner",
        "h-17",
    ]
    written += ["--until", NEXT_YEAR, "--en", en, "--zh", zh, "--as", "handler:h-17"]
    assert (await redress("faq", "suggest", "--json")).data[0]["topic"]["cause"] == LATE.cause
    assert (await redress(*written)).code == 0
    approving = ["--language", "zh-CN", "--reason", "Right.", "--as", "team_lead:tl-2"]
    assert (await redress("faq", "approve", "FAQ-LATE", 1, *approving)).code == 0

    async def states() -> Any:
        return (await redress("faq", "show", "FAQ-LATE", "--json")).data["states"]

    assert await states() == {"en": "not_approved", "zh-CN": "published"}
    later = datetime.now(UTC) + timedelta(days=366)
    assert await articles.published(pool, "zh-CN", later) == []
    assert (await redress(*written)).code == 0
    assert await states() == {"en": "not_approved", "zh-CN": "not_approved"}
    old = await redress("faq", "approve", "FAQ-LATE", 1, *approving)
    assert (old.code, "stands at version 3" in old.err) == (2, True)
    assert (await redress("faq", "withdraw", "FAQ-LATE", 3, "--reason", "Wrong.", "--as", "handler:h-1")).code == 0
    assert await states() == {"en": "withdrawn", "zh-CN": "withdrawn"}


def test_what_is_offered_is_about_what_is_typed() -> None:
    wordings = [worded(), worded(question="How is the overnight swap counted?")]
    wordings.append(worded(language="zh-CN", question="为什么出金到账慢？"))
    assert [one.question for one in offered("withdrawals arrive late", wordings)] == [QUESTION]
    assert [one.language for one in offered("我的出金还没到账", wordings)] == ["zh-CN"]
    assert offered("Hello, what is this?", wordings) == []
