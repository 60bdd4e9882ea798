"""A check has one row, and with it all that a check needs."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.checks.choice import pointed_to
from domain.checks.facts import Given, LogFacts
from domain.checks.findings import Check, Verdict
from domain.checks.table import CHECKS
from domain.checks.tolerances import Tolerances
from domain.ground.phrases import listed
from runtime.policies import load_packs

GIVEN = Given(tolerances=Tolerances(), as_of=datetime(2026, 3, 2, tzinfo=UTC))
INVESTIGATIONS = (Path(__file__).resolve().parents[2] / "docs" / "investigations.md").read_text("utf-8")


def test_every_check_has_a_row() -> None:
    assert set(CHECKS) == set(Check)


@pytest.mark.parametrize("check", Check)
def test_a_check_answers_as_itself_guesses_nothing_and_names_the_version_of_its_formula(check: Check) -> None:
    row = CHECKS[check]
    finding = row.run("1", LogFacts(), GIVEN)
    assert (finding.check, finding.subject) == (check, "1")
    assert finding.verdict in {Verdict.INCONCLUSIVE, Verdict.NO_FAULT}
    assert finding.harm is None or not finding.harm.amount
    assert finding.reason.en
    assert finding.reason.zh
    assert "@" in row.formula


@pytest.mark.parametrize("check", Check)
def test_a_check_is_reached_by_the_words_of_a_complaint_in_both_languages_or_by_its_category(check: Check) -> None:
    words = listed(CHECKS[check].words) if CHECKS[check].words else []
    assert [word for word in words if check not in pointed_to(word)] == []
    reached = {any(word.isascii() is english for word in words) for english in (True, False)}
    of_a_category = {one for checks in load_packs()["platform-default"][-1].checks.values() for one in checks}
    assert reached == {True} or check in of_a_category


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (Check.SUITABILITY, "I was told the inactivity fee is 30 dollars a month, and you charged me 80."),
        (Check.SUITABILITY, "The price list says 5, my statement says 12."),
        (Check.SUITABILITY, "You never said there was a monthly charge for not trading."),
        (Check.SUITABILITY, "The maintenance fee was charged twice for October."),
        (Check.SUITABILITY, "貴公司告知閒置費為30美元，卻扣了80美元。"),
        (Check.SUITABILITY, "公示的是五块，扣了我十二块。"),
        (Check.SUITABILITY, "账户管理费多收了50美元，请退还。"),
        (Check.VERIFICATION, "You asked for a copy of my passport three times."),
        (Check.VERIFICATION, "证件交了三遍还说不清楚，钱也动不了。"),
        (Check.PROMISE, "Your manager told me in the chat that I cannot lose capital."),
        (Check.PROMISE, "Your agent said in the chat that my fee would be waived."),
        (Check.PROMISE, "经理说绝对不会亏，聊天记录都在。"),
    ],
)
def test_what_was_told_is_looked_for_however_it_is_said(check: Check, text: str) -> None:
    assert check in pointed_to(text)


@pytest.mark.parametrize("check", Check)
def test_the_documentation_tells_what_a_check_asks(check: Check) -> None:
    table = [line for line in INVESTIGATIONS.splitlines() if line.startswith((f"| `{check}` |", f"| [`{check}`]"))]
    assert table, f"docs/investigations.md has no line that begins with | `{check}` |"
