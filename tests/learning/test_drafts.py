"""A first text of a question and answer: from the record and the packs, and never published as it is."""

from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest
from fastapi import FastAPI

from bench.generated_cases import generated
from domain.ground.words import Category, Role
from domain.learning.articles import Topic, WriteArticle, check_impersonal, offered
from domain.learning.facts import CaseFact, FoundFact
from runtime.advice import load_advice
from runtime.causes import load_causes
from runtime.database import Pool
from starter.client.articles import Articles, packs_in_force
from starter.client.drafting import Draft, drafted, said
from tests.cli.command_line import CommandLine
from tests.cli.conftest import redress as redress  # noqa: PLC0414 (a fixture)
from tests.learning.test_articles import LATE, NEXT_YEAR, WRITER, answered
from tests.signing import signed
from tests.web.conftest import Browser, signed_in
from tests.web.conftest import doors as doors  # noqa: PLC0414 (a fixture)
from tests.web.conftest import site as site  # noqa: PLC0414 (a fixture)
from web.doors import Doors
from web.visits import Staff

RECEIVED = datetime(2026, 3, 2, tzinfo=UTC)
PACKS = packs_in_force(datetime(2026, 11, 1, tzinfo=UTC))


def case(number: int, policy: str = "uk-fca", **more: object) -> CaseFact:
    turns = (("responded", RECEIVED + timedelta(days=number)),)
    found = (FoundFact("withdrawal_delay", "provider_fault"),)
    fields = {"category": "withdrawal", "outcome": "not_upheld", "turns": turns, "findings": found, **more}
    return CaseFact(f"RD-{number}", RECEIVED, policy, "web", **fields)  # type: ignore[arg-type]


def draft(*cases: CaseFact, topic: Topic = LATE) -> Draft:
    return drafted(topic, cases, PACKS, load_causes(), load_advice())


def test_it_says_what_was_found_how_it_ended_what_the_rules_say_and_where_to_go() -> None:
    cases = [case(number) for number in range(1, 6)] + [case(6, outcome="upheld")]
    made = draft(*cases)
    en, zh = made.wordings
    assert en.question == "Withdrawals, bank or payment provider late: what can I expect?"
    assert zh.question == "出金：银行或支付机构延迟？"
    for text in (
        "DRAFT made from the record.",
        "What they show most often: a price provider's or bank's fault",
        "How such complaints have ended: not upheld in most cases, upheld in some cases.",
        "Half of them had our answer within 4 days, nine in ten within 7 days.",
        f"What our rules say ({PACKS['uk-fca'].title}): {PACKS['uk-fca'].timetable.en.strip()}",
        "you can go further: Financial Ombudsman Service.",
    ):
        assert text in en.answer
    for text in ("草稿，依据记录自动生成", "多数投诉不成立、部分投诉成立", PACKS["uk-fca"].timetable.zh.strip()):
        assert text in zh.answer
    assert made.cites == ("uk-fca",)
    assert offered("My withdrawal came late from the bank", [en]) == [en]
    assert offered("我的出金银行迟迟没有到账，延迟很久", [zh]) == [zh]


def test_of_few_cases_it_tells_neither_findings_nor_days() -> None:
    made = draft(case(1), case(2), case(3, findings=()), case(4, findings=())).wordings[0].answer
    assert "What they show" not in made
    assert "nine in ten" not in made
    note = load_advice().notes[0]
    check, _, verdict = note.found_by[0].partition(":")
    assert note.title.en in draft(case(1, findings=(FoundFact(check, verdict),))).wordings[0].answer


def test_whatever_the_topic_it_is_a_whole_text_in_both_languages_and_of_nobody() -> None:
    """Every category with every cause; each pack with each category and with each cause, as in a Latin square."""
    cases = [one for one in generated(60) if one.outcome][:9]
    packs = list(PACKS)
    seen = set[tuple[str, str]]()
    for (row, category), (column, cause) in product(enumerate(Category), enumerate(load_causes().ids)):
        topic = Topic(category=category, cause=cause)
        pack = packs[(row + column) % len(packs)]
        seen |= {(pack, category), (pack, cause)}
        made = drafted(topic, [*cases, case(1, policy=pack)], PACKS, load_causes(), load_advice())
        written = WriteArticle(
            message_id="m",
            actor=WRITER,
            topic=topic,
            owner="h-1",
            until=NEXT_YEAR,
            wordings=made.wordings,
            cases=tuple(one.reference for one in cases),
        )
        check_impersonal(written, ["A Customer"])
        assert pack in made.cites
        assert not any("{" in f"{one.question}{one.answer}" for one in made.wordings)
        assert not any(one.reference in wording.answer for one in cases for wording in made.wordings)
    assert seen == {*product(packs, Category), *product(packs, load_causes().ids)}


async def test_it_is_kept_only_once_somebody_took_its_mark_away(
    pool: Pool, redress: CommandLine, database_url: str, tmp_path: Path
) -> None:
    await answered(pool, 1, 2, 3)
    client = Articles(pool, signed)
    made = await client.draft(LATE)
    assert made.cites == ("platform-default",)
    with pytest.raises(ValueError, match="topic: it is not suggested"):
        await client.draft(Topic(category=Category.FEE, cause=LATE.cause))
    for one in made.wordings:
        with pytest.raises(ValueError, match=f"wordings: the text in {one.language} is a draft"):
            await client.write("FAQ-LATE", LATE, [one], owner="h-17", until=NEXT_YEAR, by=WRITER)
    redress.set("DATABASE_URL", database_url)
    told = await redress("faq", "draft", "--category", "withdrawal", "--cause", LATE.cause, "--output", tmp_path)
    assert made.wordings[0].question in " ".join(told.out.split())
    file = tmp_path / "withdrawal-payments-bank_delay.zh-CN.txt"
    assert file.read_text(encoding="utf-8") == f"{made.wordings[1].question}\n{made.wordings[1].answer}\n"


async def test_at_the_desk_it_fills_the_form(pool: Pool, site: FastAPI, doors: Doors) -> None:
    await answered(pool, 1, 2, 3)
    made = await Articles(pool, signed).draft(LATE)
    async with Browser(site) as desk:
        await signed_in(desk, doors, Staff(id="h-17", roles=(Role.HANDLER,)))
        assert "draft=withdrawal%7Cpayments/bank_delay#write" in (await desk.get("/desk/faq")).text
        page = (await desk.get(f"/desk/faq?draft=withdrawal|{LATE.cause}")).text
        assert all(one.question in page for one in made.wordings)
        assert 'value="platform-default"' in page
        assert "DRAFT made from the record" not in (await desk.get("/desk/faq?draft=fee|nothing")).text
        marks = {one.language: said(one.language, "mark") for one in made.wordings}
        fields = {"topic": f"withdrawal|{LATE.cause}", "name": "FAQ-LATE", "until": NEXT_YEAR.isoformat()}
        texts = {"en_question": made.wordings[0].question, "en_answer": made.wordings[0].answer}
        refused = await desk.send_form("/desk/faq", **fields, **texts)
        assert (refused.status_code, "the text in en is a draft" in refused.text) == (422, True)
        texts["en_answer"] = texts["en_answer"].removeprefix(marks["en"]).strip()
        assert (await desk.send_form("/desk/faq", **fields, **texts)).status_code == 303
