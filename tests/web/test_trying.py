"""Rules tried out at the desk: which apply, what would be due, what others would have seen missed, what is wrong."""

import ast
import re
from collections.abc import AsyncIterator, Iterator
from datetime import date
from pathlib import Path

import pytest
from fastapi import FastAPI

from domain.ground.words import Role
from domain.rules.applying import RulesRow, RulesTable
from runtime.database import Pool
from starter.client.directory import People
from starter.reading.accesses import accesses
from tests.case.support import OPENED_AT, keeping
from tests.people.support import LEAD, directory
from tests.people.test_hands import STAFF, TEAMS, opened_as
from tests.signing import signed
from tests.web.conftest import Browser, signed_in
from tests.web.test_refusals import template, visit_in
from web.desk import trying
from web.desk.sentences import in_words
from web.doors import Doors
from web.visits import Staff

DUE = "/desk/rules-due?packs=uk-fca&received=2026-12-23T16:00"


@pytest.fixture
async def desk(site: FastAPI, doors: Doors) -> AsyncIterator[Browser]:
    """A handler who reads Chinese."""
    async with Browser(site, "zh-CN") as browser:
        await signed_in(browser, doors, Staff(id="h-1", roles=(Role.HANDLER,)))
        yield browser


async def test_what_would_be_due_is_told_in_the_time_of_the_rules(desk: Browser) -> None:
    assert (await desk.get("/desk/rules-due")).status_code == 200, "nothing was asked yet"
    page = (await desk.get(DUE)).text
    assert "2027年1月4日 23:59（格林尼治标准时间）" in page
    assert "可提前办结至 2026年12月30日 17:00" in page
    longer = (await desk.get(f"{DUE}&event1=responded&at1=2026-12-30T09:00")).text
    assert longer.count("<td>最终答复</td>") > page.count("<td>最终答复</td>")
    cn = (await desk.get("/desk/rules-due?packs=cn-banking&received=2026-09-30T20:00")).text
    assert "Asia/Shanghai 当地时间" in cn
    assert "extended:response:" in cn, "what these rules let be extended"


@pytest.mark.parametrize(
    ("asked", "field", "said"),
    [
        ("/desk/rules-due?packs=uk-fca", "received", "请填写此项"),
        ("/desk/rules-due?received=2026-12-23T16:00", "packs", "请填写此项"),
        ("/desk/rules-due?packs=uk-fca&received=soon", "received", "请填写日期和时间"),
        ("/desk/rules-due?packs=uk-fca&received=9999-12-31T23:59", "received", "请填写日期和时间"),
        ("/desk/rules-due?packs=uk-fca&received=1999-12-23T16:00", "packs", "在 1999-12-23 未生效"),
        ("/desk/rules-due?packs=nowhere&received=2026-12-23T16:00", "packs", "未生效"),
        ("/desk/rules-due?packs=uk-fca&received=2026-12-23T16:00&category=none", "category", "请从所列选项中选择"),
        ("/desk/rules-due?packs=uk-fca&received=2026-03-29T01:30", "received", "Europe/London 的时钟会跳过这一时刻"),
        ("/desk/rules-due?packs=uk-fca&received=2026-10-25T01:30", "received", "Europe/London 的时钟会两次显示"),
        (f"{DUE}&event1=responded", "at1", "请填写日期和时间"),
        (f"{DUE}&event2=responded&at2=2026-12-01T09:00", "at2", "早于收到时间"),
        (f"{DUE}&event3=received&at3=2026-12-30T09:00", "event3", "在所选规则下不会发生"),
        (f"{DUE}&event1=extended:a:b&at1=2026-12-30T09:00", "event1", "在所选规则下不会发生"),
        ("/desk/rules-which?residence=Great+Britain", "residence", "填写"),
        ("/desk/rules-which?day=tomorrow", "day", "填写"),
        ("/desk/rules-compare?old=uk-fca&packs=uk-fca", "old", "没有案件适用规则 uk-fca"),
        ("/desk/rules-compare?old=uk-fca&packs=uk-fca&limit=0", "limit", "填写"),
    ],
)
async def test_what_cannot_be_reckoned_is_said_at_its_field(desk: Browser, asked: str, field: str, said: str) -> None:
    answer = await desk.get(asked)
    assert answer.status_code == 422
    wrong = re.search(rf'id="{field}-error">(.*?)</p>', answer.text, re.DOTALL)
    assert wrong
    assert said in wrong[1]


async def test_the_table_of_rules_says_which_apply_and_what_is_not_known(
    desk: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "未设置适用规则表" in (await desk.get("/desk/rules-which")).text
    rows = [
        RulesRow(
            name="gb", effective_from=date(2026, 1, 1), residences=("GB",), policy=("uk-fca",), why="They live there"
        )
    ]
    monkeypatch.setattr(trying, "load_table", lambda: RulesTable(version="1", rows=tuple(rows)))
    assert 'href="/desk/rules/uk-fca"' in (await desk.get("/desk/rules-which?residence=gb")).text
    assert "缺少： 客户居住地" in (await desk.get("/desk/rules-which?entity=x")).text
    assert "没有适用的条目" in (await desk.get("/desk/rules-which?residence=FR")).text


async def test_closed_cases_are_compared_but_those_that_are_hidden_and_that_is_in_the_access_log(
    desk: Browser, site: FastAPI, doors: Doors, pool: Pool
) -> None:
    await People(pool, signed).replace(directory(*STAFF, teams=TEAMS), by=LEAD, at=OPENED_AT)
    reference, _ = await opened_as(keeping(pool), description="Jane Doe gave me a wrong price.")
    close = "update casefile.cases set closed_at = now(), revision = revision + 1 where reference = $1"
    await pool.execute(close, reference)
    asked = "/desk/rules-compare?old=platform-default&packs=uk-fca"
    page = (await desk.get(asked)).text
    assert "没有符合条件的 platform-default 已办结案件" in page, "she is the one it names"
    assert reference not in page
    async with Browser(site) as other:
        await signed_in(other, doors, Staff(id="h-2", roles=(Role.HANDLER,)))
        page = (await other.get(asked)).text
        assert "1 closed cases, replayed" in page
    assert [one.who for one in await accesses(pool, reference=reference)] == ["handler:h-2"]


async def test_what_is_wrong_with_the_rules_is_told_in_chinese(desk: Browser) -> None:
    page = (await desk.get("/desk/rules-check")).text
    assert "项数字未确认" in page
    assert "uk-fca" in page
    assert 'href="/desk/rules-check"' in (await desk.get("/desk/rules")).text


def found() -> Iterator[str]:
    """What a check of rules finds: the sentences that are its own."""
    for name in ("policy_check", "clock_check", "laxer"):
        for node in ast.walk(ast.parse(Path(f"domain/rules/{name}.py").read_text("utf-8"))):
            match node:
                case ast.Yield(value=ast.Tuple(elts=[ast.Constant(value="error" | "warning"), _, said])):
                    if (text := template(said)) and re.search("[a-z]", text.replace("{}", "")):
                        yield text.replace("{}", "§").replace(";§", "; write one")


@pytest.mark.parametrize("text", sorted(set(found())))
def test_everything_that_can_be_wrong_with_rules_has_words_in_chinese(text: str) -> None:
    assert re.search("[一-鿿]", in_words(visit_in("zh-CN"), text, fact=True)), f"web/desk/sentences.toml lacks {text!r}"


async def test_a_report_is_of_any_period_in_any_zone(desk: Browser) -> None:
    page = (await desk.get("/desk/reports?period=2026-Q3&zone=Asia/Hong_Kong")).text
    assert "2026-Q3/pdf?cut_off=" in page
    assert "zone=Asia%2FHong_Kong" in page or "zone=Asia/Hong_Kong" in page
    assert "Asia/Hong_Kong" in (await desk.get("/desk/reports/2026-Q3/json?zone=Asia/Hong_Kong")).text
    for asked, field in (
        ("period=soon", "period"),
        ("period=2026-Q3&zone=Mars/Base", "zone"),
        ("period=2026&zone=../x", "zone"),
        ("period=2026&zone=Asia", "zone"),
    ):
        answer = await desk.get(f"/desk/reports?{asked}")
        assert (answer.status_code, f'id="{field}-error"' in answer.text) == (422, True), asked
    assert (await desk.get("/desk/reports/soon/json")).status_code == 404
    assert (await desk.get("/desk/reports/2026/json?zone=Mars/Base")).status_code == 404
