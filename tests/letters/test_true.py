"""Letters are true: each sentence of a template names what of the record makes it so, or is left out."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from difflib import unified_diff
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2 import TemplateSyntaxError, nodes
from temporalio.exceptions import ApplicationError

from domain.ground.bilingual import Bilingual
from domain.ground.people import Actor
from domain.ground.words import ContactForm, LetterKind, Outcome, Role, Stage
from domain.letters.kinds import LETTERS
from domain.letters.letter import LetterFacts
from domain.letters.truths import PROGRESS, TRUTHS, Told, progress
from domain.people.restrictions import Restriction
from runtime.letters.letter_text import Standing
from runtime.letters.stationery import LANGUAGES, stationery_in
from runtime.paths import TEMPLATES
from runtime.policies import load_packs
from tests.letters.saying import record_of, said_in, sentences
from tests.letters.support import (
    FULL_PACK,
    NOW,
    REASONS,
    WITH_REASONS,
    finding,
    full_facts,
    letter,
    with_rules,
    written,
)

FILES = sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.glob("*/*.txt"))
AGO = NOW - timedelta(days=20)

TOLD = st.builds(
    Told,
    kind=st.sampled_from(LetterKind),
    at=st.just(NOW),
    facts=st.builds(
        LetterFacts,
        expected_by=st.sampled_from([None, NOW - timedelta(days=1), NOW + timedelta(days=1)]),
        questions=st.sampled_from([None, "?"]),
    ),
    stage=st.sampled_from(Stage),
    handler=st.sampled_from([None, "h-17"]),
    level=st.integers(0, 3),
    looked=st.booleans(),
    proposed=st.booleans(),
    asked=st.booleans(),
    responded_at=st.sampled_from([None, AGO]),
)


@pytest.mark.parametrize("file", FILES)
def test_every_sentence_of_every_template_names_what_makes_it_true(file: str) -> None:
    language, _, name = file.partition("/")
    environment = stationery_in(language).templates
    tree = environment.parse((TEMPLATES / file).read_text(encoding="utf-8"), name)
    assert not [text for text in _unfounded(tree) if re.search(r"\w", text)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_recorded_under_what_makes_it_true(language: str) -> None:
    """A sentence that joins others in a ``says`` of theirs is read beside its predicate as well, by whoever adds it."""
    new = unified_diff(record_of(language).read_text(encoding="utf-8").splitlines(), said_in(language).splitlines())
    assert "\n".join(new) == "", (
        "read each beside its predicate in domain/letters/truths.py, then see tests/letters/saying.py"
    )


@pytest.mark.parametrize("language", LANGUAGES)
@given(data=st.data())
def test_no_sentence_is_added_moved_or_changed_unseen(language: str, data: Any) -> None:
    file = data.draw(st.sampled_from([file for file in FILES if file.startswith(f"{language}/")]))
    template = (TEMPLATES / file).read_text(encoding="utf-8")
    at = data.draw(st.sampled_from([found.end() for found in re.finditer(r"(?<=[.。])(?=\s|{%)", template)] or [0]))
    changed = f"{template[:at]} The moon is cheese.{template[at:]}"
    assert any("The moon is cheese." in sentence for _, sentence in sentences(changed))
    assert list(sentences(changed)) != list(sentences(template))


def test_a_sentence_is_recorded_with_the_predicates_and_conditions_around_it() -> None:
    template = """{% says decided %}
It is decided. {{ a.b }} follows{% if c %} from C{% endif %}.{% says replaces_response %} It replaces it.{% endsays %}

{% if d %}
D holds.
{% elif e %}
E does.
{% else %}
Neither does.
{% endif %}
{% endsays %}
"""
    assert list(sentences(template)) == [
        ("decided", "It is decided."),
        ("decided", "{{ a.b }} follows{% if c %} from C{% endif %}."),
        ("decided, replaces_response", "It replaces it."),
        ("decided, if d", "D holds."),
        ("decided, elif e", "E does."),
        ("decided, not elif e", "Neither does."),
    ]


def _unfounded(node: nodes.Node) -> Iterator[str]:
    """What *node* says outside any ``says``."""
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.CallBlock):
            continue
        if isinstance(child, nodes.TemplateData):
            yield child.data
        yield from _unfounded(child)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_that_names_no_truth_is_no_template(language: str) -> None:
    with pytest.raises(TemplateSyntaxError, match="the_moon_is_cheese is no truth"):
        stationery_in(language).templates.from_string("{% says the_moon_is_cheese %}Yes.{% endsays %}")


def test_every_truth_is_named_by_some_template_in_every_language() -> None:
    for language in LANGUAGES:
        said = " ".join(path.read_text(encoding="utf-8") for path in (TEMPLATES / language).glob("*.txt"))
        assert {*re.findall(r"{% says (\w+)", said), *PROGRESS} == set(TRUTHS)
        assert set(stationery_in(language).words["progress"]) == set(PROGRESS)


@given(told=TOLD)
def test_how_far_a_case_is_can_always_be_said_and_nobody_works_on_it_whom_there_is_not(told: Told) -> None:
    names = set(progress(told))
    assert names
    assert told.handler is not None or not names & {"taken_up", "somebody_examines", "somebody_decides"}
    assert ("second_person_looks" in names) is (told.proposed and told.stage is Stage.DECIDING)


RESTRICTION = Restriction(
    number=1,
    reference="RD-1",
    form=ContactForm.BY_POST,
    contact=None,
    until=NOW + timedelta(days=30),
    reasons="Forty calls a day.",
    proposed_by=Actor(id="h-1", role=Role.HANDLER),
    proposed_at=NOW,
)
RESTRICTIONS = st.sampled_from([(), (RESTRICTION,)])
SAYS = {
    "somebody has it": r"Somebody has your complaint|somebody has taken it up|由专人",
    "a second person looks": r"a second person is to look|由另一名人员审核",
    "a new date follows": r"write to you with a new date|give you a new date|告知您?新的预计日期",
    "a date is promised": r"(We|we) (now )?expect to|我们现?预计于",
    "it replaces another": r"It replaces the final response|本处理决定取代",
    "an outside decision replaces it": r"It takes the place of our final response|上述结果取代我们于",
    "it is paid on top": r"comes on top of what you were awarded|在此前已给予您的赔偿之外",
    "the case is in higher hands": r"someone with more authority|更高层级的负责人",
    "the answer was sent": r"We have sent you our final response|我们已向您送达处理决定",
    "contact is restricted": r"HOW WE DEAL WITH YOU|【联系方式】",
    "a breach is on record": r"keep a record of the missed deadline|如实记入案卷",
}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_letter_says_what_the_record_does_not(data: Any) -> None:
    draw = data.draw
    kind = draw(st.sampled_from([kind for kind, row in LETTERS.items() if not row.to_staff]))
    handler, level = draw(st.sampled_from([None, "h-17", Role.TEAM_LEAD.value])), draw(st.integers(0, 3))
    ahead, breached = draw(st.booleans()), draw(st.booleans())
    standing = draw(
        st.builds(
            Standing,
            looked=...,
            proposed=...,
            asked=...,
            answered=...,
            paid_before=...,
            new_dates=st.integers(0, 3),
            restrictions=RESTRICTIONS,
        )
    )
    responded_at = draw(st.sampled_from([None, AGO]))
    facts = full_facts(
        stage=draw(st.sampled_from(Stage)),
        expected_by=NOW + timedelta(days=1 if ahead else -1),
        outcome=draw(st.sampled_from([Outcome.UPHELD, Outcome.NOT_UPHELD])),
        reasons=draw(st.sampled_from([REASONS, None])) if kind not in WITH_REASONS else REASONS,
    )
    language = draw(st.sampled_from(LANGUAGES))
    request = letter(kind, language=language, facts=facts, handler=handler, escalation_level=level, breached=breached)
    try:
        subject, body = written(request, standing=standing, responded_at=responded_at)
    except ApplicationError:
        return  # what it is about is not so: there is no such letter
    assert subject
    person = handler == "h-17"
    lawful = {
        "somebody has it": person,
        "a second person looks": standing.proposed and facts.stage is Stage.DECIDING,
        "a new date follows": standing.new_dates < FULL_PACK.new_dates,
        "a date is promised": ahead or kind in {LetterKind.EXTENSION, LetterKind.HOLDING},  # these give one
        "it replaces another": responded_at is not None,
        "an outside decision replaces it": responded_at is not None and not standing.paid_before,
        "it is paid on top": standing.paid_before,
        "the case is in higher hands": person and level > 0,
        "a breach is on record": breached,
        "the answer was sent": standing.answered and facts.stage is Stage.RESPONDED,
        "contact is restricted": bool(standing.restrictions),
    }
    said = {name for name, words in SAYS.items() if re.search(words, body)}
    assert said <= {name for name, holds in lawful.items() if holds}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("responded_at", [None, AGO])
@pytest.mark.parametrize("paid", [False, True])
def test_an_outside_decision_says_which_of_two_sums_counts(
    language: str, responded_at: datetime | None, *, paid: bool
) -> None:
    request = letter(LetterKind.OUTSIDE_DECISION, language=language, facts=full_facts(reasons=REASONS))
    _, body = written(request, standing=Standing(paid_before=paid), responded_at=responded_at)
    said = [bool(re.search(SAYS[name], body)) for name in ("an outside decision replaces it", "it is paid on top")]
    assert said == [responded_at is not None and not paid, paid]


@pytest.mark.parametrize("language", LANGUAGES)
def test_instants_of_reasons_are_told_in_the_customers_zone_and_without_milliseconds(language: str) -> None:
    at = "2026-07-02 01:30:00.250 UTC"
    found = finding().model_copy(update={"reason": Bilingual(en=f"Closed at {at}.", zh=f"于{at}平仓。")})
    copied = full_facts(findings=(), reasons=found.reason.in_language(language))  # by a person, into a proposal
    for facts in (full_facts(findings=(found,)), copied):
        _, body = written(letter(LetterKind.FINAL_RESPONSE, language=language, facts=facts))
        assert {"en": "2 July 2026, 09:30:00", "zh-CN": "2026年7月2日 09:30:00"}[language] in body
        assert ".250" not in body


def test_how_long_it_has_been_is_counted_not_guessed() -> None:
    stationery = stationery_in("en")
    for days, said in ((0, "0 days"), (1, "1 day"), (7, "1 week"), (55, "7 weeks and 6 days"), (56, "8 weeks")):
        begun = datetime(2026, 3, 2, 9, tzinfo=UTC)
        assert stationery.elapsed(begun, begun + timedelta(days=days, hours=3)) == said


WORK = r"begun to|look(ing)? into|(is|are) being|are examining|it goes on|almost|着手|正在|仍在进行|已近|即将"


def test_no_pack_says_that_somebody_works_on_a_complaint_since_it_says_the_same_whoever_has_it() -> None:
    for pack in (pack for versions in load_packs().values() for pack in versions):
        texts = [pack.timetable, *(rule.text for rule in pack.letters if rule.text)]
        said = " ".join(text for both in texts for text in (both.en, both.zh))
        assert not re.search(WORK, said)


def test_a_pack_says_how_often_a_rule_gives_a_new_date() -> None:
    request = letter(LetterKind.ACKNOWLEDGEMENT)
    assert "give you a new date" in written(request)[1]
    assert "new date" not in written(request, pack=with_rules(FULL_PACK, new_dates=0))[1]
