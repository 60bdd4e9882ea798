"""No letter, notice, summary or finding says a name that only the code has, in either language."""

import re
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import get_args

import pytest
from temporalio.exceptions import ApplicationError

from activities.letters.ways import CASE_FILE
from domain.case.complaint import Channel
from domain.checks.examination import QUOTED
from domain.checks.findings import Check, Finding, Verdict
from domain.checks.interest import _BASES
from domain.checks.losses import once_only
from domain.checks.profit import ReferenceRule
from domain.checks.table import CHECKS
from domain.ground import spoken
from domain.ground.bilingual import Bilingual
from domain.ground.words import (
    CaseEvent,
    Category,
    Confidence,
    IncidentStage,
    LetterKind,
    Outcome,
    PaymentReason,
    PaymentState,
    Priority,
    Remedy,
    Role,
    Severity,
    Stage,
)
from domain.letters.kinds import LETTERS
from domain.log.firm_records import AccountTerms, Appropriateness, BinaryOption, Happened
from domain.log.trade_log import EntryKind, OrderType, Side
from domain.money.parts import Part, PartKind
from domain.rules.duties import InterestRule
from runtime.letters.stationery import LANGUAGES
from runtime.mail import Mailer, Outbox
from runtime.paths import TEMPLATES
from runtime.toml_files import read_toml
from starter.evidence.reading import Posting
from starter.evidence.redaction import Reader
from starter.evidence.words import words_of
from tests.letters.support import WITH_REASONS, complaint, full_facts, letter, usd, written
from tests.speech import identifiers

ROOT = Path(__file__).resolve().parents[2]
_PRICE = re.compile(r"(?:客户)?(?:买入价|卖出价|买价|卖价)(?:（\w+）)?")

IN_LETTERS: dict[str, type[StrEnum]] = {
    "category": Category,
    "remedy": Remedy,
    "payment_reason": PaymentReason,
    "outcome": Outcome,
    "to_do": Stage,
    "stage": Stage,
    "role": Role,
    "priority": Priority,
    "severity": Severity,
}
IN_PACKS: dict[str, type[StrEnum]] = {
    "verdict": Verdict,
    "short_verdict": Verdict,
    "confidence": Confidence,
    "rule": ReferenceRule,
    "part": PartKind,
    "outcome": Outcome,
    "stage": Stage,
    "role": Role,
    "channel": Channel,
    "remedy": Remedy,
    "payment": PaymentState,
    "reader": Reader,
    "mark": Happened,
}
IN_VALUES = (Side, OrderType, EntryKind)
CHOICES = (
    AccountTerms.model_fields["client_class"].annotation,
    Appropriateness.model_fields["result"].annotation,
    BinaryOption.model_fields["direction"].annotation,
)
"""What rows may say by choice and a pack of evidence shows."""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("group", "words"), IN_LETTERS.items(), ids=list(IN_LETTERS))
def test_every_word_that_a_letter_may_print_is_in_its_table(group: str, words: type[StrEnum], language: str) -> None:
    table = read_toml(TEMPLATES / language / "words.toml")
    assert set(table[group]) == {word.value for word in words}
    assert set(table["award"]) == {PartKind.DISTRESS.value, PartKind.GOODWILL.value}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("group", "words"), IN_PACKS.items(), ids=list(IN_PACKS))
def test_every_word_that_a_pack_of_evidence_may_print_is_in_its_table(
    group: str, words: type[StrEnum], language: str
) -> None:
    assert set(words_of(language).names(group)) >= {word.value for word in words}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_pack_of_evidence_names_each_way_that_a_letter_goes_and_each_kind_of_posting(language: str) -> None:
    words = words_of(language)
    assert set(words.names("channel")) >= {Mailer.name, Outbox.name, CASE_FILE}
    assert set(words.names("posting")) == set(get_args(Posting.model_fields["kind"].annotation))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_value_that_a_row_has_by_choice_is_in_the_table_of_values(language: str) -> None:
    chosen = {name for choice in CHOICES for part in get_args(choice) for name in (get_args(part) or (part,))}
    chosen = {name for name in chosen if isinstance(name, str)} | {word.value for kind in IN_VALUES for word in kind}
    assert {"retail", "not_answered", "up", "swap"} <= chosen
    assert set(words_of(language).names("value")) >= chosen


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({check: row.name for check, row in CHECKS.items()}, Check),
        (spoken.INCIDENT_STAGES, IncidentStage),
        (spoken.DUTIES, CaseEvent),
        ({kind: row.name for kind, row in LETTERS.items()}, LetterKind),
        (spoken.PAYMENT_REASONS, PaymentReason),
        (spoken.CATEGORIES, Category),
    ],
    ids=lambda one: one.__name__ if isinstance(one, type) else "",
)
def test_every_word_that_code_puts_into_a_sentence_is_spoken(
    table: dict[StrEnum, Bilingual], words: type[StrEnum]
) -> None:
    assert set(table) == set(words)
    for said in table.values():
        assert not identifiers(said.en, "en")
        assert not identifiers(said.zh, "zh-CN")
        assert said.en.isascii()
        assert not said.zh.isascii()


def test_every_base_rate_that_a_pack_may_name_has_a_name_for_people() -> None:
    choices = {name for part in get_args(InterestRule.model_fields["base"].annotation) for name in get_args(part)}
    assert set(_BASES) == choices


def made_twice(first: Check, second: Check) -> tuple[Finding, ...]:
    """Two checks that found the same loss: it is counted in the first."""
    return once_only(
        Finding(
            check=check,
            subject="O-1001",
            verdict=Verdict.FIRM_FAULT,
            reason=Bilingual(en="It was late.", zh="存在延误。"),
            harm=usd("10"),
            formula="test@1",
            parts=(Part(key="price/F1", subject="F1", kind=PartKind.PRICE, amount=usd("10").amount, currency="USD"),),
        )
        for check in (first, second)
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", LetterKind)
def test_no_letter_says_an_identifier_whatever_was_found_and_decided(kind: LetterKind, language: str) -> None:
    stages, roles, reasons, categories = list(Stage), list(Role), list(PaymentReason), list(Category)
    checks, outcomes = list(Check), list(Outcome)
    pairs = zip(checks, checks[1:] + checks[:1], strict=True)
    found = tuple(finding for first, second in pairs for finding in made_twice(first, second))
    letters = 0
    for number in range(max(len(each) for each in (stages, roles, reasons, categories, checks, outcomes))):
        role, check = roles[number % len(roles)], checks[number % len(checks)]
        facts = full_facts(
            findings=found,
            outcome=outcomes[number % len(outcomes)],
            stage=stages[number % len(stages)],
            audience=role,
            payment_reason=reasons[number % len(reasons)],
            category=categories[number % len(categories)],
            remedies=tuple(Remedy),
            questions="1. ?",
            notice=spoken.said(f"It is about the {CHECKS[check].name.en}.", f"涉及{CHECKS[check].name.zh}。"),
            reasons="—" if kind in WITH_REASONS else None,
        )
        request = letter(kind, language=language, facts=facts, handler=role.value, team=None)
        with suppress(ApplicationError):  # nothing of it is true at that stage
            subject, body = written(request, of=complaint(language=language), name="王小明")
            assert not identifiers(f"{subject}\n{body}", language)
            letters += 1
    assert letters >= 4


def test_the_checker_itself_finds_what_it_looks_for() -> None:
    assert identifiers("counted under another heading (execution_delay)", "en") == {"execution_delay"}
    assert identifiers("该事件现处于 settling 阶段", "zh-CN") == {"settling"}
    assert identifiers("Handler: None", "en") == {"None"}
    assert identifiers("Stage.CLOSED", "en") == {"Stage.CLOSED"}
    assert not identifiers("redress pay retry RD-7EQ7-55V4-SJBZY:payment:1:2", "zh-CN")


# -- the two sides of a price ------------------------------------------------------------------------------------------

BID, ASK = "客户卖出价（Bid）", "客户买入价（Ask）"


def test_the_sides_of_a_price_have_one_name_each_everywhere() -> None:
    """A customer sells at the bid and buys at the ask; what terminals and banks call them differs."""
    assert QUOTED[Side.SELL][1] == BID
    assert QUOTED[Side.BUY][1] == ASK
    assert words_of("zh-CN")("value", "bid") == BID
    assert words_of("zh-CN")("value", "ask") == ASK
    own = {Path(name) for pattern in ("*.py", "*.toml", "*.txt", "*.md", "*.json") for name in ROOT.rglob(pattern)}
    rooms = {"domain", "activities", "workflows", "starter", "templates", "policies", "docs"}
    wrong = [
        f"{path.relative_to(ROOT)}: {found}"
        for path in sorted(own)
        if path.relative_to(ROOT).parts[0] in rooms
        for found in _PRICE.findall(path.read_text(encoding="utf-8"))
        if found not in {BID, ASK}
    ]
    assert wrong == []


def test_the_glossary_has_the_chinese_words_that_are_used() -> None:
    sources = [path for room in ("templates", "web", "domain") for path in (ROOT / room).rglob("*.*")]
    used = "".join(path.read_text("utf-8") for path in sources if path.suffix in {".txt", ".toml", ".py", ".html"})
    rows = [line.split("|") for line in (ROOT / "docs" / "glossary.md").read_text("utf-8").splitlines()]
    words = {word for row in rows if len(row) == 5 for word in re.findall(r"[\u4e00-\u9fff]+", row[2] + row[3])}
    assert len(words) > 100
    assert sorted(word for word in words if word not in used) == []
