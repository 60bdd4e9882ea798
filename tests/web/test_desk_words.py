"""Words of the field at the desk: each that a page can show is there in both languages."""

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, get_args

import pytest
from pydantic import ValidationError

from domain.case.complaint import Channel, explain
from domain.case.drafts import WHY, WhyPeople, because
from domain.case.messages.handling import ChooseChannel
from domain.case.messages.signals import CustomerReply
from domain.case.task_kinds import TASKS
from domain.checks.findings import Verdict
from domain.ground.bilingual import Bilingual
from domain.ground.words import (
    Action,
    CaseEvent,
    Category,
    Circumstance,
    Complexity,
    ContactForm,
    Driver,
    IncidentStage,
    LetterKind,
    Matter,
    MemberState,
    Outcome,
    PaymentState,
    ReferralStep,
    Remedy,
    Role,
    RouteKind,
    Severity,
    SignKind,
    SignStep,
    Stage,
    TaskKind,
)
from domain.incidents.incident import FaultKind
from domain.learning import definitions
from domain.learning.reviewing import Kept
from domain.mail.bounces import Delivery
from domain.money.amounts import Money
from domain.money.parts import PartKind
from domain.people.inbox import NextStep
from domain.people.restrictions import RestrictionStep
from domain.rules.routes import Access
from runtime.policies import load_packs
from starter.evidence.section import Section
from starter.evidence.words import words_of
from starter.reading.remedies import State as RemedyState
from starter.reading.tasks import State as TaskState
from starter.reports.words import report_words
from tests.web.test_refusals import template
from web.desk.acting import FORMS
from web.desk.sentences import in_words, line_of, sentences, spoken, who
from web.rendering import HERE
from web.words import words
from workflows.messages.handling import choose_channel

SHOWN: Final = (Action, Access, CaseEvent, Category, Circumstance, Complexity, ContactForm, Delivery, Driver, FaultKind)
ALSO: Final = (IncidentStage, Kept, LetterKind, Matter, MemberState, NextStep, Outcome, PartKind, PaymentState)
BESIDE: Final = (ReferralStep, Remedy, RestrictionStep, RouteKind, Severity, SignKind, SignStep, TaskKind, Verdict)


@pytest.mark.parametrize("kind", [*SHOWN, *ALSO, *BESIDE, Channel, Role, Stage], ids=lambda one: one.__name__)
def test_every_word_of_the_field_that_the_desk_shows_is_there_in_chinese(kind: type[StrEnum]) -> None:
    visit: Any = SimpleNamespace(language="zh-CN", t=lambda key: words(key, "zh-CN"))
    assert [one.value for one in kind if not re.search("[一-鿿]", spoken(visit, one))] == []


def test_every_state_that_is_no_kind_of_its_own_is_there_in_chinese() -> None:
    visit: Any = SimpleNamespace(language="zh-CN", t=lambda key: words(key, "zh-CN"))
    states = {"RemedyState": RemedyState, "TaskState": TaskState}
    said = {(name, each): spoken(visit, each, name) for name, one in states.items() for each in get_args(one)}
    outside = ("open", "file wanted", "decided", "to be carried out", "ended")
    said |= {("ReferralState", each): spoken(visit, each, "ReferralState") for each in outside}
    said |= {("Entry", kind): spoken(visit, kind, "Entry") for kind in {*FORMS, *entries_noted()}}
    assert [key for key, text in said.items() if not re.search("[一-鿿]", text)] == []


def entries_noted() -> set[str]:
    """The kinds of entries that cases and incidents write into their timelines."""
    sources = [path.read_text("utf-8") for room in ("domain", "workflows") for path in Path(room).rglob("*.py")]
    called = r'note\((?:[\w.]+(?:\(\))?, )?\s*"([a-z_]+)"'
    return {kind for source in sources for kind in re.findall(called, source)}


def test_what_the_packs_call_their_clocks_rungs_teams_and_extensions_is_there_in_chinese() -> None:
    visit: Any = SimpleNamespace(language="zh-CN", t=lambda key: words(key, "zh-CN"))
    packs = [pack for versions in load_packs().values() for pack in versions]
    clocks = [clock for pack in packs for clock in pack.clocks]
    called = {("Clock", clock.name) for clock in clocks} | {
        ("Team", team.name) for pack in packs for team in pack.teams
    }
    called |= {("Rung", rung.name) for clock in clocks for rung in clock.rungs}
    called |= {("Extension", one.name) for clock in clocks for one in clock.extensions}
    assert len(called) > 40
    lengths = {str(one.length) for one in clocks if one.length} | {"1 month", "2 business days", "3 hours"}
    assert [one for one in lengths if not re.search("[一-鿿]", in_words(visit, one, fact=True))] == []
    assert [one for one in called if not re.search("[一-鿿]", spoken(visit, one[1], one[0]))] == []


def templates(said: ast.expr, names: Mapping[str, list[str]]) -> list[str]:
    """The lines that *said* makes, with `{}` for each fact; *names* are those of variables."""
    match said:
        case ast.IfExp(body=body, orelse=orelse):
            return templates(body, names) + templates(orelse, names)
        case ast.Name(id=name):
            return names.get(name, [])
    return [text] if (text := template(said)) else []


def noted() -> Iterator[str]:
    """The lines that cases, incidents and what is sent to them write into timelines."""
    paths = [path for room in ("domain", "workflows") for path in Path(room).rglob("*.py")]
    for path in paths:
        answers = path.parts[:2] == ("workflows", "messages")
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            inside, names = list(ast.walk(function)), dict[str, list[str]]()
            for one in inside:
                if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name):
                    names.setdefault(one.targets[0].id, []).extend(templates(one.value, names))
            for one in inside:
                match one:
                    case ast.Call(func=ast.Attribute(attr="note"), args=[ast.Constant(), said, *_]):
                        yield from templates(said, names)
                    case ast.Call(func=ast.Attribute(attr="note"), args=[_, ast.Constant(), said, *_]):
                        yield from templates(said, names)
                    case (
                        ast.keyword(arg="noted", value=said)
                        | ast.Call(
                            func=ast.Attribute(attr="climb"),
                            args=[ast.Call(func=ast.Attribute(attr="said"), args=[said, *_]), *_],
                        )
                    ):
                        yield from templates(said, names)
                    case ast.Return(value=ast.expr() as said) if answers:
                        yield from templates(said, names)


NOT_A_LINE: Final = {
    "message {} does not fit: {}",  # with quotation marks: tested by itself
    "{}: several complaints in a short time",  # of a symbol or a service
    "deadline {} {}",
    "task {}{}",
    "{}: no channel took the notice before the case ended{}",
    "{}: its decision is carried out",
    "{}: to {}",
    "evidence added{}",
    "{} {}, {}",
    "task {}, done",
}
"""What is tested below as it is in the end."""


def test_every_line_that_a_case_writes_into_its_timeline_has_words_in_chinese() -> None:
    lines = {line for line in noted() if re.search("[a-z]", line.replace("{}", ""))}
    assert len(lines) > 60
    known = [one.known_by for one in sentences(facts=True)]
    facts = {line: line.replace("{}", "§") for line in lines - NOT_A_LINE}
    assert sorted(line for line, said in facts.items() if not any(one.fullmatch(said) for one in known)) == []


def lines_of_tasks() -> Iterator[str]:
    more = ("", " to h-1", ", done", ", its time is nearly over", ", overdue", ", up to level 2, team_lead")
    for task in TASKS.values():
        yield from (f"task 4: {task.does.en}{each}" for each in more)
        yield f"task 4: {task.does.en}, is with h-1 (nobody had it)"


def lived_through() -> list[str]:
    """What timelines say that no person wrote, as the service writes it."""
    marks = product(("", ", not ours"), ("", ", complained before"), ("", "; proposed by a model: fee (90%)"))
    assessed = [f"fee, severity medium, priority p4, team accounts{''.join(each)}" for each in marks]
    ways = [f"{kind.value}{whom} accepted by email" for kind in LetterKind for whom in ("", " for h-11")]
    warned = [f"{topic}: several complaints in a short time" for topic in ("symbol:XAUUSD", "service:withdrawal")]
    passed = ["deadline acknowledgement passed", "deadline final_response ends at 2026-12-01 10:00 UTC"]
    rose = [f"level 1, team_lead: {each}" for each in (*passed, "the case was reopened")]
    others = [
        "acknowledgement was due at 2026-11-30 18:33:07 UTC",
        "handler: no channel took the notice before the case ended",
        "1: refund: to h-1",
        "1: refund, by h-1",
        "1: refund: carried out, 已入账",
        "referral 1 to fos: its decision is carried out",
        "evidence added",
        "payment paid, 1",
        "a sign was withdrawn",
        "now fee, low, complex",
        "approved by approver:a-3",
        "returned by approver:a-3",
    ]
    return [*assessed, *ways, *warned, *rose, *lines_of_tasks(), *others]


@pytest.mark.parametrize("text", lived_through())
def test_what_the_service_writes_into_a_timeline_is_said_in_chinese(text: str) -> None:
    visit: Any = SimpleNamespace(language="zh-CN", t=lambda key: words(key, "zh-CN"))
    said = in_words(visit, text, fact=True)
    assert re.search("[一-鿿]", said)
    assert not re.search(r"\b(?!XAUUSD|UTC|fos)[A-Za-z]{2,}", said), said


def test_a_notice_that_the_file_alone_took_is_read_in_the_language_of_who_reads() -> None:
    data = {"notice": "请查看。"}
    entry: Any = SimpleNamespace(text="staff_notice for h-2 accepted by case_file: Look at it.", data=data)
    said = {}
    for language in ("en", "zh-CN"):
        visit: Any = SimpleNamespace(language=language, t=lambda key, known=language: words(key, known))
        said[language] = line_of(visit, entry)
    assert said["zh-CN"] == "给 h-2 的内部通知已由“案卷”送出：请查看。"
    assert said["en"].endswith(": Look at it.")


@pytest.mark.parametrize("why", WHY.values(), ids=lambda one: one.en)
def test_what_is_english_already_stays_as_it_is(why: Bilingual) -> None:
    visit: Any = SimpleNamespace(language="en", t=lambda key: words(key, "en"))
    assert in_words(visit, f"left to people: {why.en}; not ours", fact=True) == f"left to people: {why.en}; not ours"


def test_that_no_limit_is_set_in_a_currency_is_said_in_chinese_with_the_currency() -> None:
    visit: Any = SimpleNamespace(language="zh-CN", t=lambda key: words(key, "zh-CN"))
    for given in (None, Money(amount=Decimal(767), currency="JPY")):
        told = because((WhyPeople.REJECTION, WhyPeople.NO_LIMIT), given)
        assert ("JPY" in told.en) is (given is not None)
        assert in_words(visit, f"executive, because {told.en}").endswith(told.zh)


def test_who_did_something_is_said_in_chinese() -> None:
    visit: Any = SimpleNamespace(language="zh-CN", t=lambda key: words(key, "zh-CN"))
    said = [who(visit, one) for one in ("handler:h-17", "customer:customer", "service:crm", "os:root")]
    assert said == ["处理人 h-17", "投诉人", "业务系统 crm", "os:root"]


def test_how_a_customer_chose_to_be_written_to_is_said_in_chinese() -> None:
    visit: Any = SimpleNamespace(language="zh-CN", t=lambda key: words(key, "zh-CN"))
    work: Any = SimpleNamespace(case=SimpleNamespace(written_in=None))
    for channel, language in product((None, "email", "post", "message"), (None, "en", "zh-CN")):
        if channel or language:
            message = ChooseChannel.model_validate(
                {"message_id": "1", "actor": {"id": "c", "role": "customer"}, "channel": channel, "language": language}
            )
            assert not re.search("[A-Za-z]", in_words(visit, choose_channel(work, message), fact=True))


def said_of_packs() -> set[str]:
    """What the packs are called, where they hold, and the sources of their numbers."""
    packs = [pack for versions in load_packs().values() for pack in versions]
    told = {source for pack in packs for source in sources_in(pack.model_dump(exclude={"calendar"}))}
    return told | {text for pack in packs for text in (pack.title, pack.jurisdiction)}


def sources_in(content: Any) -> Iterator[str]:
    if isinstance(content, dict):
        if content.get("source"):
            yield content["source"]
        content = list(content.values())
    if isinstance(content, list | tuple):
        for each in content:
            yield from sources_in(each)


def test_what_packs_are_called_and_where_their_numbers_come_from_is_said_in_chinese() -> None:
    visit: Any = SimpleNamespace(language="zh-CN", t=lambda key: words(key, "zh-CN"))
    table, told = tomllib.loads(Path("web/desk/rule_sources.toml").read_text("utf-8")), said_of_packs()
    assert sorted(told - table.keys()) == []
    assert sorted(table.keys() - told) == [], "nobody says that any more"
    chinese = {text: in_words(visit, text) for text in told}
    named_alone = {text for text, said in chinese.items() if not re.search("[一-鿿]", said)}
    assert {text for text in named_alone if not re.fullmatch(r"DISP [\d.]+ R", text)} == set()


def test_what_a_report_rests_on_is_said_in_chinese() -> None:
    sources = {
        *(one.source for one in vars(definitions).values() if isinstance(one, definitions.Definition)),
        *(one.source for _, one in (*definitions._CLOSED.values(), definitions._OTHERWISE)),
    }
    for language in ("en", "zh-CN"):
        assert set(report_words(language)._texts["definition_source"]) == sources
    assert report_words("zh-CN")("own", "customer-care") == "客户关怀"


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": 3},
        {"text": ""},
        {"trades": 5},
        {"no_such": "field"},
        {"intent": "hurry"},
        {"attachments": [{"title": "x" * 300}]},
        {"message_id": None},
    ],
)
def test_why_a_message_did_not_fit_is_said_in_chinese(wrong: dict[str, Any]) -> None:
    visit: Any = SimpleNamespace(language="zh-CN", t=lambda key: words(key, "zh-CN"))
    fits = {"message_id": "1", "actor": {"id": "c", "role": "customer"}, "text": "A word."}
    with pytest.raises(ValidationError) as refused:
        CustomerReply.model_validate(fits | wrong)
    told = in_words(visit, f"message 'customer_reply' does not fit: {explain(refused.value)}", fact=True)
    assert not re.search(r"[a-z]+ [a-z]+ [a-z]+", told), told


def test_what_packs_name_and_a_finding_is_about_is_said_in_chinese() -> None:
    visit: Any = SimpleNamespace(language="zh-CN", t=lambda key: words(key, "zh-CN"))
    packs = [pack for versions in load_packs().values() for pack in versions]
    named = {route.title for pack in packs for route in pack.routes}
    assert named
    assert all(in_words(visit, f"what is said of {one.en}", fact=True) == f"关于 {one.zh} 的内容" for one in named)
    section = Section.__new__(Section)
    section.words = words_of("zh-CN")
    assert section.named("all customers: XAUUSD market") == "全体客户，XAUUSD 市价单"


def test_no_page_has_a_mark_of_english_between_words_of_either_language() -> None:
    for page in (HERE / "templates").rglob("*.html"):
        found = re.findall(r'.{0,40}(?:[}>][,;:] |join\("[,;:]).{0,20}', page.read_text("utf-8"))
        assert not found, f"{page.name}: t('frame.and'), t('frame.then') and t('frame.colon') have it in both languages"
