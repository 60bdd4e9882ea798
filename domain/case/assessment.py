"""The first assessment of a complaint, by simple rules that say which words decided.

The words and tables are in :mod:`domain.case.assessment_rules`; the rules are told in ``docs/assessment.md``.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from decimal import Decimal
from enum import Enum, auto
from functools import cache
from typing import NamedTuple

from domain.case import assessment_rules as rules
from domain.case.complaint import Channel, Complaint
from domain.case.matters import matters_of
from domain.ground.base import Record
from domain.ground.phrases import PhraseBook, Pieces, listed
from domain.ground.scope import Facts
from domain.ground.words import Category, Complexity, Priority, Severity
from domain.money.amounts import Money
from domain.rules.policy import PolicyPack
from domain.speech.proposing import Opinion, Proposal
from domain.speech.signs import DANGER_TO_LIFE, is_one_phrase, signs
from domain.speech.topics import Reading, spoken

FROM_THE_REGULATOR = "received through the regulator"
"""The rule of the ground that keeps a later reassessment as urgent as the first."""

_HEADING_FACTOR = 2
_WORDS_SHOWN = 6
_NO_OTHER_FIRM = frozenset(listed(rules.NO_OTHER_FIRM))
_COMPANY_FORMS = frozenset(listed(rules.COMPANY_FORMS))
_WORD = re.compile(r"[^\W_]+")
_COMPANY_ENDING = re.compile(rf"(?<=.)(?:{'|'.join(rules.COMPANY_ENDINGS)})$")
_DANGER = (Severity.CRITICAL, DANGER_TO_LIFE)
_BY_HARM = (Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)


class _Said(Enum):
    NOT_ABOUT_US = auto()
    DEALT_ELSEWHERE = auto()
    ABOUT_US = auto()
    COMPARED = auto()
    NOTHING = auto()


@cache
def _category_book() -> PhraseBook[dict[Category, int]]:
    meanings: dict[str, dict[Category, int]] = {phrase: {} for phrase in listed(rules.NOT_A_CATEGORY)}
    for category, by_weight in rules.CATEGORY_WORDS.items():
        for weight, phrases in by_weight.items():
            for phrase in listed(phrases):
                meanings.setdefault(phrase, {})[category] = weight
    return PhraseBook(meanings)


@cache
def _severity_book() -> PhraseBook[tuple[Severity, str] | None]:
    meanings: dict[str, tuple[Severity, str] | None] = dict.fromkeys(listed(rules.NOT_SEVERE))
    for severity, kinds in rules.SEVERITY_WORDS.items():
        for kind, phrases in kinds.items():
            meanings.update(dict.fromkeys(listed(phrases), (severity, kind)))
    return PhraseBook(meanings)


@cache
def _scope_book() -> PhraseBook[_Said]:
    firms = listed(rules.OTHER_FIRMS)
    meanings: dict[str, _Said] = {}
    for phrases, meaning in (
        (listed(rules.NOT_ABOUT_US), _Said.NOT_ABOUT_US),
        ([f"{words} {firm}" for words in listed(rules.COMPLAINS_OF) for firm in firms], _Said.NOT_ABOUT_US),
        ([f"{words} {firm}" for words in listed(rules.DEALS_WITH) for firm in firms], _Said.DEALT_ELSEWHERE),
        ([f"在{firm}{dealing}" for firm in firms for dealing in listed(rules.DEALINGS_AT)], _Said.DEALT_ELSEWHERE),
        (listed(rules.ABOUT_US), _Said.ABOUT_US),
        (listed(rules.COMPARES), _Said.COMPARED),
        (listed(rules.NOT_SAID_OF_ANOTHER), _Said.NOTHING),
    ):
        meanings |= dict.fromkeys(phrases, meaning)
    return PhraseBook(meanings)


class Ground(Record):
    """Why an assessment came out as it did: a rule and the words of the complaint (or the fact) it rests on."""

    rule: str
    words: tuple[str, ...]


class Assessment(Record):
    """Category, severity, priority, whether it is ours, whether the customer complained of it before, and the team."""

    category: Category
    severity: Severity
    priority: Priority
    in_scope: bool
    repeat: bool
    team: str
    grounds: tuple[Ground, ...]
    complexity: Complexity = Complexity.SIMPLE
    earlier: tuple[Category, ...] = ()
    """The categories in which the customer complained of the same subject within the pack's time before."""
    proposal: Proposal | None = None
    """What a model proposes where no words decide the category; nothing follows from it."""

    def facts(self, complaint: Complaint) -> Facts:
        """What the length of a clock may depend on."""
        return Facts(
            category=self.category,
            complexity=self.complexity,
            product=complaint.product,
            matters=matters_of(complaint),
            priority=self.priority,
        )


def assess(
    complaint: Complaint,
    pack: PolicyPack,
    *,
    earlier: Collection[Category],
    opinion: Opinion | None = None,
    continues: Category | None = None,
) -> Assessment:
    """Assess *complaint*; *earlier* are the categories in which the customer complained of the same subject before, and
    *continues* is that of the closed case that it goes on from, for where its own words decide none.

    The *opinion* of a model proposes a category where no words decide one, and a few words that it contradicts decide
    nothing. Where it hears danger to life the complaint is critical, so that a person looks at once; where it is sure
    that there is none, one word of the lists alone raises none.
    """
    headings = [Pieces(text) for text in (complaint.subject, complaint.product) if text]
    description = Pieces(complaint.description)
    texts = [*headings, description]

    proposed = opinion.proposal.category if opinion and opinion.proposal else None
    category, why_category = _category(
        headings, description, proposed, has_trades=bool(complaint.trades) and continues is None
    )
    if category is Category.OTHER and continues not in {None, category}:
        category = continues
        why_category = [Ground(rule=f"category {category.value}: that of the closed case", words=("continues",))]
    severity, why_severity = _severity(texts, complaint.amount_claimed, opinion)
    if opinion and opinion.alarm and severity is not Severity.CRITICAL:
        heard = f"severity critical: danger to life, as the model {opinion.model} hears it"
        severity, why_severity = Severity.CRITICAL, [Ground(rule=heard, words=()), *why_severity]
    in_scope, why_scope = _scope(complaint, pack, texts)
    complex_ = len(complaint.trades) >= rules.MANY_TRADES
    why_complex = [Ground(rule=f"complex: {rules.MANY_TRADES} trades or more", words=("trades",))] if complex_ else []
    repeat = category in earlier
    hurries = []
    if repeat:
        hurries.append(Ground(rule="repeat complainant", words=("earlier cases",)))
    if complaint.channel is Channel.REGULATOR:
        hurries.append(Ground(rule=FROM_THE_REGULATOR, words=("channel",)))
    return Assessment(
        category=category,
        severity=severity,
        priority=rules.PRIORITIES[severity][len(hurries)],
        in_scope=in_scope,
        repeat=repeat,
        team=pack.team_for(category),
        grounds=(*why_category, *why_severity, *why_scope, *why_complex, *hurries),
        complexity=Complexity.COMPLEX if complex_ else Complexity.SIMPLE,
        earlier=tuple(sorted(set(earlier))),
        proposal=opinion.proposal if opinion and category is Category.OTHER else None,
    )


def reassess(
    assessment: Assessment,
    pack: PolicyPack,
    *,
    category: Category | None = None,
    severity: Severity | None = None,
    complexity: Complexity | None = None,
    in_scope: bool | None = None,
    by: str,
) -> Assessment:
    """Return *assessment* as corrected by the handler *by* (``role:id``), with a ground that says what was changed.

    The priority follows the severity, and whether the customer complained of it before follows the category. The team
    follows a changed category only, so that a case given to another team stays there when its severity is corrected.
    What is ``None`` or already so is left alone; nothing to change gives *assessment* back.
    """
    category = category or assessment.category
    severity = severity or assessment.severity
    complexity = complexity or assessment.complexity
    in_scope = assessment.in_scope if in_scope is None else in_scope
    repeat = category in assessment.earlier
    changes = [
        f"{name}: {before} → {after}"
        for name, before, after in (
            ("category", assessment.category.value, category.value),
            ("severity", assessment.severity.value, severity.value),
            ("complexity", assessment.complexity.value, complexity.value),
            ("in scope", _yes_no(assessment.in_scope), _yes_no(in_scope)),
            ("complained of it before", _yes_no(assessment.repeat), _yes_no(repeat)),
        )
        if before != after
    ]
    if not changes:
        return assessment
    hurries = repeat + any(ground.rule == FROM_THE_REGULATOR for ground in assessment.grounds)
    return Assessment(
        category=category,
        severity=severity,
        priority=rules.PRIORITIES[severity][hurries],
        in_scope=in_scope,
        repeat=repeat,
        team=assessment.team if category is assessment.category else pack.team_for(category),
        grounds=(*assessment.grounds, Ground(rule="reclassified by handler", words=(*changes, f"by {by}"))),
        complexity=complexity,
        earlier=assessment.earlier,
        proposal=assessment.proposal,
    )


class _Told(NamedTuple):
    """A phrase that counts for a category: its points, how it is written, and in which text and pieces it stands."""

    category: Category
    points: int
    written: str
    text: int
    first: int
    end: int


def _told(headings: list[Pieces], description: Pieces) -> list[_Told]:
    """What counts for the categories, each phrase once."""
    readings = [Reading(pieces, _category_book()) for pieces in (*headings, description)]
    named = [
        (at, one, 1 if at == len(headings) else _HEADING_FACTOR)
        for at, read in enumerate(readings)
        for one in read.named
    ]
    if sum(len(reading.pieces.keys) for reading in readings) <= rules.EVERYDAY_LENGTH:
        # A heading in everyday words says no more than the text.
        named += [(at, one, 1) for at, reading in enumerate(readings) for one in spoken(reading)]
    told: list[_Told] = []
    counted: set[str] = set()
    for at, one, factor in named:
        if one.phrase not in counted:
            counted.add(one.phrase)
            told += [
                _Told(category, weight * factor, one.written, at, one.first, one.end)
                for category, weight in one.weights.items()
            ]
    return told


def _matter_besides(told: list[_Told]) -> Counter[Category]:
    """The points of the other categories by words that do not count for the one that remains as well."""
    beside: Counter[Category] = Counter()
    remains = [one for one in told if one.category is rules.REMAINS]
    for one in told:
        shared = (one.text == its.text and one.first < its.end and its.first < one.end for its in remains)
        if not any(shared):
            beside[one.category] += one.points
    return beside


def _category(
    headings: list[Pieces], description: Pieces, proposed: Category | None, *, has_trades: bool
) -> tuple[Category, list[Ground]]:
    told = _told(headings, description)
    points: Counter[Category] = Counter()
    for one in told:
        points[one.category] += one.points
    category = max(rules.TIE_ORDER, key=lambda one: points[one])  # max() keeps the first of equals
    if category is rules.REMAINS:
        besides = _matter_besides(told)
        matter = max(rules.TIE_ORDER, key=lambda one: besides[one])
        category = matter if besides[matter] >= rules.ENOUGH else category
    if points[category] < rules.ENOUGH:
        if has_trades:
            return Category.EXECUTION, [
                Ground(rule="category execution: trades named, no words decide", words=("trades",))
            ]
        return Category.OTHER, [Ground(rule="category other: no words decide", words=())]
    words = sorted((one for one in told if one.category is category), key=lambda one: -one.points)
    heaviest = [one.written for one in words]
    few = points[category] < rules.BEYOND_DOUBT or category is rules.REMAINS
    if few and proposed not in {None, rules.REMAINS, category} and not has_trades:
        doubted = f"category other: few words for {category.value}, which a model doubts"
        return Category.OTHER, [Ground(rule=doubted, words=_shown(heaviest))]
    grounds = [Ground(rule=f"category {category.value}", words=_shown(heaviest))]
    level = [one.value for one in rules.TIE_ORDER if one is not category and points[one] == points[category]]
    if level:
        grounds.append(Ground(rule="as many points, but later in the order of categories", words=tuple(level)))
    if points[rules.REMAINS] > points[category]:
        grounds.append(Ground(rule="more points, but it is what remains", words=(rules.REMAINS.value,)))
    return category, grounds


def _severity(texts: list[Pieces], claimed: Money | None, opinion: Opinion | None) -> tuple[Severity, list[Ground]]:
    found: dict[tuple[Severity, str], list[str]] = defaultdict(list)
    not_meant: dict[str, list[str]] = defaultdict(list)
    for pieces in texts:
        for heard in signs(pieces, _severity_book()):
            if heard.not_meant:
                not_meant[heard.not_meant].append(heard.words)
            else:
                found[heard.severity, heard.kind].append(heard.words)
    if opinion and opinion.harmless and is_one_phrase(found.get(_DANGER, ())):
        not_meant[f"danger to life, which the model {opinion.model} hears nowhere"] = found.pop(_DANGER)
    if claimed is not None:
        for severity, dollars in rules.CLAIMS:
            if claimed.amount >= dollars * rules.UNITS_PER_DOLLAR.get(claimed.currency, Decimal(1)):
                found[severity, "amount claimed"].append("amount_claimed")
                break
    left_out = [Ground(rule=f"not counted: {why}", words=_shown(words)) for why, words in not_meant.items()]
    if not found:
        return Severity.LOW, [Ground(rule="severity low: nothing raises it", words=()), *left_out]
    severity = max((severity for severity, _ in found), key=_BY_HARM.index)
    return severity, [
        Ground(rule=f"severity {severity.value}: {kind}", words=_shown(words))
        for (level, kind), words in found.items()
        if level is severity
    ] + left_out


def _scope(complaint: Complaint, pack: PolicyPack, texts: list[Pieces]) -> tuple[bool, list[Ground]]:
    if complaint.about and _names_another_firm(complaint.about, pack.own_names):
        return False, [Ground(rule="not ours: names another firm", words=("about",))]
    said: dict[_Said, list[str]] = defaultdict(list)
    for pieces in texts:
        for _, written, meaning in _scope_book().find(pieces):
            said[meaning].append(written)
    elsewhere = said[_Said.NOT_ABOUT_US] + said[_Said.DEALT_ELSEWHERE]
    doubts = said[_Said.ABOUT_US] + ([] if said[_Said.NOT_ABOUT_US] else said[_Said.COMPARED])
    if not elsewhere:
        return True, []
    if complaint.trades:
        return True, [Ground(rule="ours: mentions another firm, but names trades", words=_shown(elsewhere))]
    if doubts:
        return True, [Ground(rule="ours: mentions another firm, but us as well", words=_shown(elsewhere + doubts))]
    return False, [Ground(rule="not ours: the text says so", words=_shown(elsewhere))]


def _names_another_firm(about: str, own_names: tuple[str, ...]) -> bool:
    words = _words(about)
    if not own_names or not words or " ".join(words) in _NO_OTHER_FIRM:
        return False
    named = _firm(about)
    return not any(_within(own, named) or _within(named, own) for own in map(_firm, own_names))


def _words(name: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", name).casefold())


def _firm(name: str) -> tuple[str, ...]:
    """The words by which a firm is known: case, width, punctuation and legal form make no difference."""
    words = (_COMPANY_ENDING.sub("", word) for word in _words(name))
    return tuple(word for word in words if word not in _COMPANY_FORMS)


def _within(part: tuple[str, ...], whole: tuple[str, ...]) -> bool:
    """Whether one name is the other or a part of it: ``Example Gold`` and ``Example Gold Hong Kong`` are the same."""
    if "".join(part) == "".join(whole) or f" {' '.join(part)} " in f" {' '.join(whole)} ":
        return True
    return not "".join(part).isascii() and "".join(part) in "".join(whole)


def _shown(words: Iterable[str]) -> tuple[str, ...]:
    """The first few different words."""
    different: dict[str, str] = {}
    for word in words:
        different.setdefault(word.casefold(), word)
    return tuple(different.values())[:_WORDS_SHOWN]


def _yes_no(value: bool) -> str:
    return "yes" if value else "no"
