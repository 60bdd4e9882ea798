"""What people at the desk are refused, and why, is said in the language of the desk: every sentence there is."""

import ast
import inspect
import re
import textwrap
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, get_args

import pytest
from pydantic import BaseModel
from starlette.datastructures import FormData

from domain.case.drafts import WHY
from domain.ground.messages import Message, NotAllowed
from domain.ground.words import Role
from domain.incidents.state import IN_PART
from domain.learning.articles import DecideArticle, Wording, WriteArticle
from domain.learning.reviewing import RecordReview
from domain.people.directory import untrained
from domain.people.matching import GROUNDS
from runtime.keys.columns import GIVEN_UP
from starter.client.conversation import Refused
from starter.upkeep.diagnosis import TO_DO
from tests.web.test_desk import ALL_FORMS
from web.desk.refusals import why_not
from web.desk.sentences import in_words, sentence_of, sentences
from web.desk.widgets import Unfit, made, widgets
from web.words import words

ROOMS: Final = ("domain", "workflows", "record", "starter", "runtime/identity", "web")
RAISED: Final = {"NotAllowed", "NotProven", "Refused", "refused"}
NOT_AT_THE_DESK: Final = (
    "starter/cli/",
    "starter/upkeep/erasing.py",
    "starter/reading/intake.py",
    "starter/reports/figures.py",
    "starter/reports/making.py",
    "starter/client/actions.py",
    "domain/keys/erasure.py",
    "domain/learning/process.py",
    "workflows/parts/inbox.py",
)
"""What only the command line and programs are told, what the pages say in other words, and what no sender is told."""

VALUES: Final = (
    "domain/case/reasons.py",
    "domain/ground/reference.py",
    "domain/ground/base.py",
    "domain/ground/messages.py",
    "domain/money/amounts.py",
)
"""Files with functions that the fields of messages are checked by."""

ENGLISH: Final = re.compile(r"[A-Za-z]{2,}(?: [A-Za-z]{2,}){2,}")


def visit_in(language: str) -> Any:
    """A visitor who reads *language*."""
    return SimpleNamespace(language=language, t=lambda key, **facts: words(key, language, **facts))


def template(node: ast.expr) -> str | None:
    """The sentence that *node* makes, with `{}` for each fact; nothing for what was made elsewhere."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr():
            return "".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in node.values)
    return None


def raised(tree: ast.AST, kinds: set[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Raise(exc=ast.Call(func=ast.Name(id=kind), args=[said, *_])) if kind in kinds:
                if text := template(said):
                    yield re.sub(r"^([\w.]+(, [\w.]+)*|{}): (?=.)(?!no letter)", "", text)


@cache
def refused_somewhere() -> list[str]:
    paths = sorted(path for room in ROOMS for path in Path(room).rglob("*.py"))
    read = {str(path): ast.parse(path.read_text("utf-8")) for path in paths}
    found = {
        text for path, tree in read.items() if not path.startswith(NOT_AT_THE_DESK) for text in raised(tree, RAISED)
    }
    found |= {text for path in VALUES for text in raised(read[path], {"ValueError", "InvalidReference"})}
    for one in models():
        found |= set(raised(ast.parse(textwrap.dedent(inspect.getsource(one))), {"ValueError"}))
    return sorted(found - {"{}"})


def models() -> set[type[BaseModel]]:
    """The messages of the desk and all that they are made of."""
    found: set[type[BaseModel]] = set()
    ahead: list[Any] = [*ALL_FORMS.values(), WriteArticle, DecideArticle, RecordReview, Wording]
    while ahead:
        one = ahead.pop()
        if isinstance(one, type) and issubclass(one, BaseModel) and one.__module__.startswith(("domain", "web")):
            if one not in found:
                found.add(one)
                ahead += [field.annotation for field in one.model_fields.values()] + list(one.__mro__[1:])
        else:
            ahead += get_args(one)
    return found


def known(text: str) -> bool:
    said = text.replace("{}", "§")
    return any(one.known_by.fullmatch(said) for one in sentences())


def waited_for() -> Iterator[str]:
    """What a case or an incident says that it waits for."""
    for path in Path("workflows").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(attr="until"), args=[_, said, *_]):
                    parts = [said.body, said.orelse] if isinstance(said, ast.IfExp) else [said]
                    yield from (text for part in parts if (text := template(part)))
                case ast.Assign(targets=[ast.Name(id="what")], value=ast.Constant(value=str(text))):
                    yield text


def of_a_dossier() -> Iterator[str]:
    """What became of a proposal."""
    for node in ast.walk(ast.parse(Path("starter/reading/dossier.py").read_text("utf-8"))):
        match node:
            case ast.Assign(targets=[ast.Name(id="decision" | "_UNDECIDED"), *_], value=said):
                parts = [said.body] if isinstance(said, ast.IfExp) else [said]
                yield from (text for part in parts if (text := template(part)))
            case ast.AnnAssign(target=ast.Name(id="_UNDECIDED"), value=ast.Constant(value=str(text))):
                yield text


def of_the_doctor() -> Iterator[str]:
    """What the doctor finds: the sentences that are its own."""
    sources = [Path(f"starter/upkeep/{name}.py").read_text("utf-8") for name in ("doctor", "questions")]
    for node in (node for source in sources for node in ast.walk(ast.parse(source))):
        match node:
            case (
                ast.keyword(arg="what", value=said)
                | ast.Lambda(body=said)
                | ast.Assign(targets=[ast.Name(id="what" | "left")], value=said)
                | ast.Call(func=ast.Name(id="_no_workflow"), args=[_, said])
            ):
                if (text := template(said)) and re.search("[a-z]", text.replace("{}", "")):
                    yield text


def of_the_directory() -> Iterator[str]:
    """What the doctor says of roles and teams: what packs name and nobody holds."""
    tree = ast.parse(Path("domain/people/directory_check.py").read_text("utf-8"))
    asked = [
        one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name in {"_unheld", "_no_second_person"}
    ]
    assert len(asked) == 2
    for node in (node for one in asked for node in ast.walk(one)):
        match node:
            case (
                ast.Call(func=ast.Name(id="_warning"), args=[_, said])
                | ast.Assign(targets=[ast.Name(id="told")], value=said)
            ):
                if text := template(said):
                    yield text


def of_the_guards() -> Iterator[str]:
    """What the doctor says of a guard of the record."""
    source = Path("starter/upkeep/guards.py").read_text("utf-8")
    return (one or other for one, other in re.findall(r""""((?:it|no) [a-z ]+)"|then '([^']+)' end""", source))


def said_elsewhere() -> set[str]:
    found = {
        *waited_for(),
        *of_a_dossier(),
        *of_the_doctor(),
        *of_the_directory(),
        *of_the_guards(),
        *TO_DO.values(),
        "decided by rule",
        "the case was taken up again",
    }
    found |= {"approved by §", "returned by §", "approver, because it is of the first priority"}
    found |= {IN_PART.partition(": ")[2], untrained("§", Role.HANDLER, ["§"]), "there is no case to go on with"}
    found |= {f"key § of it {GIVEN_UP} on §: §"}
    found |= {"by one person, within the limit", "value is not a valid email address: it has no @"}
    return {text.replace("{}", "§") for text in found if text.replace("{}", "")} - {"§ by §"}


def test_every_refusal_has_words_in_both_languages() -> None:
    told = refused_somewhere()
    assert len(told) > 200
    assert [text for text in told if not known(text)] == [], "web/desk/sentences.toml lacks them"
    for text in told:
        for language in ("en", "zh-CN"):
            said = in_words(visit_in(language), text.replace("{}", "§"))
            assert re.search("[一-鿿]", said) or language == "en", text
            assert not ENGLISH.search(said) or language == "en", said
            assert not re.search(r"redress [a-z]+|[a-z]_[a-z]", said), f"nobody at the desk knows that: {said}"


def test_what_a_case_says_of_itself_has_words_in_chinese() -> None:
    for text in said_elsewhere():
        said = in_words(visit_in("zh-CN"), text)
        assert re.search("[一-鿿]", said), f"web/desk/sentences.toml lacks {text!r}"
        assert not ENGLISH.search(re.sub("redress [a-z ]+", "", said)), said


@pytest.mark.parametrize("facts", [False, True])
def test_a_sentence_is_found_by_its_word_as_it_is_by_trying_all(facts: bool) -> None:
    known = sentences(facts=facts)
    said = [one.known_by.pattern.replace("(.*?)", filled) for one in known for filled in ("", "§", "a, b: c", "cased")]
    for text in (re.sub(r"\\(.)", r"\1", each) for each in said):
        first = next((one for one in known if one.known_by.fullmatch(text)), None)
        assert (found := sentence_of(text, facts=facts)), text
        assert found[0] is first, text


def test_no_words_are_kept_for_what_nobody_is_refused_any_more() -> None:
    table = tomllib.loads(Path("web/desk/sentences.toml").read_text("utf-8"))
    told = [text.replace("{}", "§") for text in refused_somewhere()] + [*said_elsewhere()]
    by = {key: re.compile("(.*?)".join(map(re.escape, key.split("{}")))) for key in table if key != "facts"}
    assert [key for key, pattern in by.items() if not any(pattern.fullmatch(text) for text in told)] == []


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("assign: the case is closed", "案件已办结"),
        (
            "propose_resolution: the case is at stage responded; this is possible at deciding, settling",
            "案件处于“已答复”阶段；此操作仅可在以下阶段进行：拟定决定中、落实补救中",
        ),
        (
            "actor: handler:h-17 is kept out of this case; somebody else has to do it",
            "h-17须回避本案，应由其他人员执行",
        ),
        (
            "actor: task 3 is for a team_lead; who has it or gave it, or one of team_lead, compliance_officer ends it "
            "or gives it to somebody else (reassign_task)",
            "3 号任务由团队主管负责；只有负责人、交办人或以下角色可以完成或转交：团队主管、合规负责人",
        ),
    ],
)
def test_the_facts_of_a_refusal_are_said_in_the_language_too(why: str, said: str) -> None:
    assert in_words(visit_in("zh-CN"), why) == said


def test_what_else_the_service_says_in_both_languages_is_known_within_a_refusal() -> None:
    told = "; ".join(one.en for one in WHY.values())
    said = in_words(visit_in("zh-CN"), f"{told}, which needs a second person's approval; use propose_resolution")
    assert not ENGLISH.search(said), said
    grounds = "; ".join(one.en for one in GROUNDS.values())
    why = (
        f"reasons: who complains is not verified: {grounds}: no letter may tell what the complaint did not say itself; "
    )
    said = in_words(visit_in("zh-CN"), f"{why}leave out 7001, or redress customer verify RD-1 first")
    assert not ENGLISH.search(said), said


NASTY: Final = ("x" * 30_000, "-1", "999999999999999999999999", "1.5", "§", "a\tb\nc", "USD 0", "USD 0.00001", "XXX 5")


@pytest.mark.parametrize("kind", ALL_FORMS.values(), ids=ALL_FORMS)
def test_what_was_typed_and_does_not_fit_is_said_in_chinese_at_a_field_of_the_form(kind: type[Message]) -> None:
    asked, visit = widgets(kind), visit_in("zh-CN")
    names = [one.name for one in asked]
    for name in names:
        for value in NASTY:
            form = FormData([(one, value if one == name else "1") for one in names])
            try:
                made(kind, asked, form, message_id="1", actor={"id": "h-1", "role": "handler"})
            except Unfit as error:
                for one in why_not(visit, error, names):
                    text = visit.t(one.key, **one.facts)
                    assert one.field in names
                    assert re.search("[一-鿿]", text), text
                    assert not ENGLISH.search(text), f"{name}={value[:20]}: {text}"


def test_a_refusal_stands_at_the_field_that_it_names() -> None:
    visit, fields = visit_in("en"), ["reason", "handler", "sign.kind"]
    for why, field in (("handler: no", "handler"), ("sign: no", "sign.kind"), ("actor: no", "reason")):
        assert [one.field for one in why_not(visit, NotAllowed(why), fields)] == [field]
    (told,) = why_not(visit, Refused("something that nobody has put into words"), fields)
    assert told.facts == {"why": "something that nobody has put into words"}
