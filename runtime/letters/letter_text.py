"""What letters say: written from the templates, complete by the pack's rules, or not at all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final

from babel.dates import format_date
from temporalio.exceptions import ApplicationError

from domain.case.clocks import promises_response
from domain.case.complaint import Complaint
from domain.case.requests import SendLetter
from domain.checks.findings import Finding
from domain.clocks.clock import Extension
from domain.clocks.deadlines import Deadline
from domain.ground.base import Record
from domain.ground.words import (
    Action,
    CaseEvent,
    Category,
    Element,
    LetterKind,
    Outcome,
    Remedy,
    Role,
    RouteKind,
    Stage,
)
from domain.incidents.requests import TellMember
from domain.letters.kinds import LETTERS
from domain.letters.letter import LetterFacts, may_be_told
from domain.letters.truths import BEFORE_RESPONSE, Told, progress
from domain.money.amounts import Money
from domain.people.restrictions import Restriction
from domain.rules.duties import LetterRule
from domain.rules.policy import PolicyPack
from runtime.advice import load_advice
from runtime.letters.routes import may_be_named, routes_told
from runtime.letters.stationery import LANGUAGES, Stationery, stationery_in

ELAPSED: Final = "{elapsed}"
"""In the text of a pack's letter: how long it is since the complaint was received, counted when it is written."""
TO_VERIFY: Final = "redress customer verify"


class Standing(Record):
    """What the case file says when a letter is written: whether findings were made (``looked``), a proposal waits for a
    second person, the customer is ``asked`` something or was ``answered`` in this round, an award was ``paid_before``,
    how often a rule gave a new date, whether it ``continues`` a closed case, and which restrictions of contact are in
    force.
    """

    looked: bool = False
    proposed: bool = False
    asked: bool = False
    answered: bool = False
    paid_before: bool = False
    new_dates: int = 0
    continues: bool = False
    restrictions: tuple[Restriction, ...] = ()


def as_a_copy(body: str, reference: str, language: str) -> str:
    """The text of a letter that goes by a second way: it says before all else that it is the same."""
    said: str = stationery_in(language).words["copy"]
    return f"{said.format(reference=reference)}\n\n{body}"


def missing_facts(kind: LetterKind, facts: LetterFacts) -> list[str]:
    """The names of the facts that a letter of this kind needs and *facts* does not have."""
    missing = [name for name in LETTERS[kind].needs if getattr(facts, name) is None]
    if LETTERS[kind].response and not facts.reasons and not facts.findings:
        missing.append("reasons or findings")
    unredressed = facts.outcome is Outcome.UPHELD and not facts.compensation and not facts.remedies
    if kind is LetterKind.FINAL_RESPONSE and unredressed:
        missing.append("compensation or remedies")
    return missing


def write_letter(
    request: SendLetter,
    *,
    complaint: Complaint,
    name: str,
    pack: PolicyPack,
    firm_name: str,
    at: datetime,
    verified: bool,
    zone: tzinfo | None = None,
    standing: Standing | None = None,
    foreseen: Sequence[Deadline] = (),
    responded_at: datetime | None = None,
    extended: bool = False,
    to: str | None = None,
    pages: str | None = None,
) -> tuple[str, str]:
    """Subject and text of a letter, in its language, with instants in the *zone* of the customer, or of *pack*.

    *foreseen* are the deadlines that the case gets if the letter is accepted *at* the time of writing: by them are told
    the dates that the letter itself sets. *responded_at* is when the customer last had a final response, *extended*
    whether an extension was told. Who is not *verified* as the customer is told nothing that the complaint did not say.
    A staff notice is told nothing of *complaint* and *name*; it is for *to*, an id. Without *pages* notes are whole.

    Raises `ApplicationError` of type ``LetterIncomplete`` that names what is missing, and of ``LetterOvertaken`` where
    an interim letter would tell nothing that is so any more.
    """
    kind, sort, language = request.kind, LETTERS[request.kind], request.language
    facts = _with_times(request, pack, foreseen, at)
    category = facts.category or request.update.summary.category
    rules = _rules(pack, kind, facts, category, standing or Standing())
    pack = pack.narrowed(category) if category else pack
    demanded = {element for rule in rules for element in rule.must_name}
    _Draft(request, facts, pack, rules, at, verified).check()
    stationery = stationery_in(language)
    facts = _with_instants(facts, stationery, zone or pack.calendar.zone)
    told = _told(request, facts, pack, standing or Standing(), at=at, verified=verified, responded_at=responded_at)
    known = _around(stationery, request.update.reference, firm_name, at, zone or pack.calendar.zone) | {
        "told": told,
        "responded_at": responded_at,
        "progress": stationery.run_on(stationery.words["progress"][name] for name in progress(told)),
        "facts": facts,
        "to": to,
        "summary": request.update.summary,
        # "about another matter" tells a customer nothing
        "category": category if sort.to_staff or category is not Category.OTHER else None,
        "stage": facts.stage or request.update.summary.stage,
        "paragraphs": _paragraphs(rules, stationery, complaint.received_at, at),
        "notice": facts.notice and facts.notice.in_language(language),
    }
    if not sort.to_staff:
        known |= _told_to_customer(request, facts, pack, stationery, known["zone"]) | _notes(facts, language, pages)
        since, extended = at if sort.response else responded_at, extended or kind is LetterKind.EXTENSION
        routes = routes_told(
            pack, complaint, category, since, at=at, extended=extended, language=language, demanded=demanded
        )
        known["routes"] = [route for route in routes if sort.all_routes or route.element in demanded]
        known |= {"name": name, "complaint": complaint, "verified": verified}
    return _true(request, told, stationery.write(kind, known, demanded))


def _with_instants(facts: LetterFacts, stationery: Stationery, zone: tzinfo) -> LetterFacts:
    """*facts* with the instants that people's words quote from findings told as those of findings."""
    quoting = {name: text for name in ("reasons", "questions") if (text := getattr(facts, name))}
    return facts.model_copy(update={name: stationery.spelt(text, zone) for name, text in quoting.items()})


def _true(request: SendLetter, told: Told, letter: tuple[str, str]) -> tuple[str, str]:
    """The *letter*, if what it is about is so. Raises ``LetterOvertaken``, or ``LetterIncomplete`` if it must be told.

    A letter on the way that came too late is of no use; one that must be told is a fault where nothing of it is true.
    """
    if letter[0]:
        return letter
    raise ApplicationError(
        f"{request.kind.value} (letter {request.number}) would not be true any more: the case is at {told.stage.value}",
        type="LetterOvertaken" if LETTERS[request.kind].interim else "LetterIncomplete",
        non_retryable=True,
    )


def _paragraphs(rules: Iterable[LetterRule], stationery: Stationery, received_at: datetime, at: datetime) -> list[str]:
    """The texts of *rules*, with how long it is since receipt counted."""
    texts = [rule.text.in_language(stationery.language) for rule in rules if rule.text]
    return [text.replace(ELAPSED, stationery.elapsed(received_at, at)) for text in texts]


def _told(
    request: SendLetter,
    facts: LetterFacts,
    pack: PolicyPack,
    standing: Standing,
    *,
    at: datetime,
    verified: bool,
    responded_at: datetime | None,
) -> Told:
    """What the record says, as far as the letter speaks of it."""
    summary = request.update.summary
    return Told(
        kind=request.kind,
        at=at,
        facts=facts,
        stage=facts.stage or summary.stage,
        verified=verified,
        handler=None if summary.handler in list(Role) else summary.handler,
        level=summary.escalation_level,
        breached=summary.breached,
        looked=standing.looked,
        proposed=standing.proposed,
        asked=standing.asked,
        answered=standing.answered,
        paid_before=standing.paid_before,
        responded_at=responded_at,
        continues=standing.continues,
        new_date_follows=standing.new_dates < pack.new_dates and _gives_dates(pack),
        restricted=tuple(sorted({one.form for one in standing.restrictions})),
        restricted_until=max((one.ends for one in standing.restrictions), default=None),
    )


def _gives_dates(pack: PolicyPack) -> bool:
    """Whether a rung of the pack has a new date told when one is missed."""
    return any(Action.OVERDUE_LETTER in rung.actions for clock in pack.clocks for rung in clock.rungs)


def _told_to_customer(
    request: SendLetter, facts: LetterFacts, pack: PolicyPack, stationery: Stationery, zone: tzinfo
) -> dict[str, Any]:
    """What a notice to staff does not say: the pack's words, and what was found and is given."""
    language = stationery.language
    award = facts.compensation if facts.compensation and facts.compensation.amount > 0 else None
    extension = _extension(pack, facts)
    remedies = stationery.words["remedy"]
    return {
        "timetable": pack.timetable.in_language(language),
        "rights": pack.rights.in_language(language),
        "referral": pack.referral.in_language(language),
        "body": next((one.title.in_language(language) for one in pack.routes if one.name == facts.route), None),
        "ground": extension.ground.in_language(language) if extension else None,
        # What was found is told with the decision, not before.
        "reasons": [
            stationery.spelt(finding.reason.in_language(language), zone)
            for finding in facts.findings
            if request.kind is not LetterKind.HOLDING
        ],
        "award": award,
        "loss": _loss(facts, award),
        "losses": _losses(facts, award),
        "running": [
            {"daily": f"{one.currency} {one.daily:.4f}", "since": one.since, "release": one.release}
            for one in facts.running
        ],
        "remedies": [remedies[item] for item in facts.remedies if item is not Remedy.COMPENSATION or not award],
    }


def _notes(facts: LetterFacts, language: str, pages: str | None) -> dict[str, list[dict[str, str]]]:
    """The notes on risks for what was found, each with where it stands on the *pages*, if there are such."""
    found = load_advice().on(facts.findings)
    return {
        "notes": [
            {
                "title": note.title.in_language(language),
                "text": note.text.in_language(language).strip(),
                "address": f"{pages.rstrip('/')}/how#{note.anchor}" if pages else "",
            }
            for note in found
        ]
    }


def write_incident_letter(
    letter: TellMember,
    *,
    name: str | None,
    language: str,
    zone: tzinfo,
    firm_name: str,
    at: datetime,
    findings: Sequence[Finding] = (),
) -> tuple[str, str]:
    """Subject and text of the letter to a customer whose account an incident hurt, with instants in *zone*.

    *findings* are those that the amount is the sum of: the letter tells their trades and sums.
    """
    stationery = stationery_in(language)
    return stationery.render(
        "incident.txt",
        _around(stationery, letter.reference, firm_name, at, zone)
        | {
            "name": name,
            "title": letter.title.in_language(language),
            "fault": letter.fault,
            "award": letter.amount,
            "paid_at": letter.at,
            "reasons": [stationery.spelt(finding.reason.in_language(language), zone) for finding in findings],
            "told": Told(kind=None, at=at, facts=LetterFacts(), stage=Stage.CLOSED),
        },
    )


def _around(stationery: Stationery, reference: str, firm_name: str, at: datetime, zone: tzinfo) -> dict[str, Any]:
    """What the frame of every letter needs to know."""
    return {
        "reference": reference,
        "firm": one_line(firm_name),
        "zone": zone,
        "today": format_date(at.astimezone(zone), stationery.words["day"], locale=stationery.locale),
        "also": (),
        "paragraphs": (),
        "routes": (),
    }


def one_line(text: str) -> str:
    return " ".join(text.split())


def _with_times(request: SendLetter, pack: PolicyPack, foreseen: Sequence[Deadline], at: datetime) -> LetterFacts:
    """The facts, with the date that a letter sets itself: the new end of a clock that it extends, the end of the wait
    for an answer that starts when it is accepted, or the end of a clock that a holding letter starts, where every
    date that was told before has passed.

    The clocks themselves go by the acceptance, so that whoever gets the letter late is still waited for long enough.
    """
    facts, ends = request.facts, LETTERS[request.kind].wait_ends_by
    if request.kind is LetterKind.EXTENSION:
        new = [deadline.clock_due for deadline in foreseen if deadline.clock == facts.clock]
        return facts.model_copy(update={"expected_by": max(new, default=None)})
    if request.kind is LetterKind.HOLDING and not (facts.expected_by and facts.expected_by > at):
        starts = {clock.name for clock in pack.clocks if clock.trigger is CaseEvent.HELD and promises_response(clock)}
        new = [deadline.clock_due for deadline in foreseen if deadline.clock in starts]
        return facts.model_copy(update={"expected_by": min(new, default=facts.expected_by)})
    if facts.reply_by or ends is None:
        return facts
    waits = [deadline.due for deadline in foreseen if ends in deadline.actions]
    return facts.model_copy(update={"reply_by": min(waits, default=None)})


def _rules(
    pack: PolicyPack, kind: LetterKind, facts: LetterFacts, category: Category | None, standing: Standing
) -> list[LetterRule]:
    """The rules of *pack* for this letter."""
    if kind is LetterKind.HOLDING:
        # It comes with the clock that asks for the letter, which runs on where the category is another by now.
        return pack.letter_rules(kind, facts.letter) if facts.letter else []
    if LETTERS[kind].to_staff:
        return []
    rules = (pack.narrowed(category) if category else pack).letter_rules(kind)
    decided = _decided(facts)
    spent = facts.expected_by is None and standing.new_dates >= pack.new_dates
    if kind is LetterKind.PROGRESS and (decided or spent):
        # How far it is with what was decided, of which no date could be named; or every date that a rule gives has
        # passed: the customer hears that there is none, rather than nothing.
        return [rule.model_copy(update={"must_name": _but_the_date(rule)}) for rule in rules]
    return rules


def _decided(facts: LetterFacts) -> bool:
    return facts.stage not in {None, *BEFORE_RESPONSE}


def _but_the_date(rule: LetterRule) -> tuple[Element, ...]:
    return tuple(element for element in rule.must_name if element is not Element.EXPECTED_DATE)


def _extension(pack: PolicyPack, facts: LetterFacts) -> Extension | None:
    extensions = (
        extension
        for clock in pack.clocks
        if clock.name == facts.clock
        for extension in clock.extensions
        if extension.name == facts.extension
    )
    return next(extensions, None)


def _loss(facts: LetterFacts, award: Money | None) -> Money | None:
    """What of the award makes good a loss: all but what people awarded for what no formula measures."""
    if award is None:
        return None
    rest = award.amount - sum(one.amount.amount for one in facts.awards)
    return Money(amount=rest, currency=award.currency) if rest > 0 else None


def _losses(facts: LetterFacts, award: Money | None) -> list[Money]:
    """The losses found, if what makes good is exactly their sum: only then may the letter say how it was computed."""
    loss = _loss(facts, award)
    losses = [
        finding.harm
        for finding in facts.findings
        if finding.verdict.for_the_customer and finding.harm and finding.harm.amount > 0
    ]
    if loss is None or any(one.currency != loss.currency for one in losses):
        return []
    return losses if sum(one.amount for one in losses) == loss.amount else []


@dataclass(frozen=True)
class _Draft:
    """What a letter has to tell, and the rules of the pack for it."""

    request: SendLetter
    facts: LetterFacts
    pack: PolicyPack
    rules: Sequence[LetterRule]
    at: datetime
    verified: bool

    def check(self) -> None:
        """Raise ``LetterIncomplete`` with all that is missing, and what is to be set.

        Of a letter that is to give a date for the answer, ``LetterOvertaken`` where the answer was given meanwhile.
        """
        kind, language = self.request.kind, self.request.language
        missing = missing_facts(kind, self.facts)
        if not may_be_told(kind, self.facts, verified=self.verified):
            reference = self.request.update.reference
            missing.append(f"a complainant who is known to be the customer ({TO_VERIFY} {reference})")
        if language in LANGUAGES:
            missing += [*self._missing_in_pack(), *self._missing_by_rules()]
        else:
            missing.append(f"templates in the language {language!r} (there are {', '.join(LANGUAGES)})")
        if missing:
            raise ApplicationError(
                f"{kind.value} (letter {self.request.number}) cannot be written without {', '.join(missing)}",
                type="LetterOvertaken" if self._gives_a_date_too_late else "LetterIncomplete",
                non_retryable=True,
            )

    @property
    def _gives_a_date_too_late(self) -> bool:
        sort = LETTERS[self.request.kind]
        return sort.interim and "expected_by" in sort.needs and _decided(self.facts)

    def _missing_in_pack(self) -> Iterable[str]:
        """What a letter about one thing in the pack needs of it."""
        kind, facts, pack = self.request.kind, self.facts, self.pack
        if kind is LetterKind.HOLDING:
            if facts.letter and not self.rules:
                yield f"letters[{facts.letter}] of policy pack {pack.id}, which has no such holding letter"
            if facts.expected_by and facts.expected_by <= self.at:
                yield f"a new expected_by ({facts.expected_by:%Y-%m-%d %H:%M} UTC has passed)"
        if kind is LetterKind.EXTENSION and facts.clock and facts.extension:
            place = f"clocks[{facts.clock}].extensions[{facts.extension}] of policy pack {pack.id}"
            if _extension(pack, facts) is None:
                yield f"{place}, which does not exist"
            elif facts.expected_by is None:
                yield f"a new date: {place} cannot be granted any more (the clock has ended, or ends no later by it)"

    def _missing_by_rules(self) -> Iterable[str]:
        """What the rules of the pack have the letter say."""
        for rule in self.rules:
            place = f"letters[{rule.name}] of policy pack {self.pack.id}"
            if rule.text and not rule.text.in_language(self.request.language).strip():
                yield f"the text of {place} in the language {self.request.language}"
            for element in rule.must_name:
                if field := self._field_to_set(element):
                    yield f"{element.value}, which {place} has it name (set {field})"

    def _field_to_set(self, element: Element) -> str | None:
        """What is to be set for *element* to be named; ``None`` if it can be."""
        kind, facts, language = self.request.kind, self.facts, self.request.language
        match element:
            case Element.TIMETABLE:
                return None if self.pack.timetable.in_language(language).strip() else "timetable"
            case Element.EXPECTED_DATE:
                known = facts.expected_by and (facts.expected_by > self.at or LETTERS[kind].owns_up)
                return None if known else "facts.expected_by, ahead of now"
            case Element.REASONS:
                # Why a holding letter is written is true without anybody's words: the examination is not finished.
                return None if facts.reasons or facts.findings or kind is LetterKind.HOLDING else "facts.reasons"
        route_kind = RouteKind(element.value)
        return None if may_be_named(self.pack, route_kind, language) else self._route_fields_to_set(route_kind)

    def _route_fields_to_set(self, kind: RouteKind) -> str:
        fields = []
        for route in self.pack.routes:
            if route.kind is kind and route.firm_belongs is not False:
                if not (route.contact and route.contact.in_language(self.request.language).strip()):
                    fields.append(f"routes[{route.name}].contact")
                if route.members and route.firm_belongs is None:
                    fields.append(f"routes[{route.name}].firm_belongs")
        return " and ".join(fields) or f"routes: one of kind {kind.value} that takes the firm's customers"
