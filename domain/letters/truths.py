"""What letters say, and what of the record makes it true: each sentence of a template names one of these.

A sentence whose predicate does not hold is left out of the letter. ``docs/letters.md`` says how templates name them.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from domain.checks.findings import Verdict
from domain.ground.base import Instant, Record
from domain.ground.words import ContactForm, LetterKind, Outcome, Stage
from domain.letters.letter import LetterFacts

BEFORE_RESPONSE: Final = frozenset({Stage.RECEIVED, Stage.ACKNOWLEDGED, Stage.INVESTIGATING, Stage.DECIDING})


class Told(Record):
    """What the record says when a letter is written, as far as letters speak of it.

    A letter without a ``kind`` is that of an incident. ``handler`` is the person who has the case, ``level`` its level
    of escalation. ``proposed`` is whether a proposal waits for a second person, ``looked`` whether findings were made,
    ``asked`` whether a question to the customer is open, ``responded_at`` when they last had a final response, and
    ``answered`` whether that was the one of this round. ``paid_before`` is whether an award of an earlier round is in
    the compensation ledger.
    ``new_date_follows`` is whether a rule has a new date told when the expected one is missed, ``continues`` whether
    the case goes on from a closed one. ``restricted`` says to which forms contact with the customer is limited, all of
    them until ``restricted_until`` at the latest.
    """

    kind: LetterKind | None
    at: Instant
    facts: LetterFacts
    stage: Stage
    verified: bool = True
    handler: str | None = None
    level: int = 0
    breached: bool = False
    looked: bool = False
    proposed: bool = False
    asked: bool = False
    responded_at: Instant | None = None
    answered: bool = False
    paid_before: bool = False
    new_date_follows: bool = False
    continues: bool = False
    restricted_until: Instant | None = None
    restricted: tuple[ContactForm, ...] = ()

    @property
    def undecided(self) -> bool:
        return self.stage in BEFORE_RESPONSE

    @property
    def late(self) -> bool:
        return self.facts.expected_by is not None and self.facts.expected_by <= self.at


def _always(_told: Told) -> bool:
    return True


def _just_decided(told: Told) -> bool:
    return told.facts.outcome is not None


def _deciding(told: Told) -> bool:
    return told.stage is Stage.DECIDING


def _investigating(told: Told) -> bool:
    return told.stage is Stage.INVESTIGATING


Truth = Callable[[Told], bool]

TRUTHS: Final[Mapping[str, Truth]] = {
    # Forms of courtesy, headings, and how to reach us: they say nothing of the case.
    "form": _always,
    # The case file is open, so the complaint is there, with its reference.
    "received": _always,
    # It goes on from a closed case of the same customer.
    "continues_closed_case": lambda told: told.continues and told.verified,
    "customer_known": lambda told: told.verified,
    "customer_unknown": lambda told: not told.verified,
    # How the customer is dealt with, for a time.
    "contact_restricted": lambda told: told.verified and told.restricted_until is not None,
    "by_post_only": lambda told: ContactForm.BY_POST in told.restricted,
    "in_writing_only": lambda told: ContactForm.IN_WRITING in told.restricted,
    "by_one_person": lambda told: ContactForm.ONE_PERSON in told.restricted,
    # When the customer has an answer.
    "date_ahead": lambda told: told.facts.expected_by is not None and not told.late,
    "date_passed": lambda told: told.late,
    "date_passed_and_new_one_follows": lambda told: told.late and told.new_date_follows,
    "new_date_follows": lambda told: told.new_date_follows,
    "overdue": lambda told: told.undecided,
    "missed_duty_recorded": lambda told: told.breached,
    "in_higher_hands": lambda told: told.level > 0 and told.handler is not None,
    "undecided": lambda told: told.undecided,
    "no_date": lambda told: told.undecided and told.facts.expected_by is None,
    "extended": lambda told: told.facts.extension is not None and told.facts.expected_by is not None,
    # How far it is.
    "registered": lambda told: told.stage in {Stage.RECEIVED, Stage.ACKNOWLEDGED} and told.handler is None,
    "taken_up": lambda told: told.stage in {Stage.RECEIVED, Stage.ACKNOWLEDGED} and told.handler is not None,
    "records_looked_at": lambda told: told.looked and told.undecided,
    "waiting_for_customer": lambda told: told.asked and told.undecided,
    "somebody_examines": lambda told: _investigating(told) and told.handler is not None and not told.asked,
    "nobody_examines": lambda told: _investigating(told) and told.handler is None and not told.asked,
    "second_person_looks": lambda told: _deciding(told) and told.proposed,
    "somebody_decides": lambda told: _deciding(told) and told.handler is not None and not told.proposed,
    "nobody_decides": lambda told: _deciding(told) and told.handler is None and not told.proposed,
    "answer_on_its_way": lambda told: told.stage is Stage.RESPONDED and not told.answered,
    "answer_awaited": lambda told: told.stage is Stage.RESPONDED and told.answered,
    "carried_out": lambda told: told.stage is Stage.SETTLING,
    "followed_up": lambda told: told.stage is Stage.FOLLOWING_UP,
    "closed": lambda told: told.stage is Stage.CLOSED,
    # Questions.
    "asks": lambda told: told.facts.questions is not None,
    "asked_before": lambda told: told.facts.questions is not None and told.asked,
    "reply_awaited": lambda told: told.facts.reply_by is not None and told.facts.reply_by > told.at,
    # Decisions.
    "decided": _just_decided,
    "replaces_response": lambda told: _just_decided(told) and told.responded_at is not None,
    "at_fault": lambda told: told.facts.outcome in {Outcome.UPHELD, Outcome.PARTLY_UPHELD},
    "learnable": lambda told: (
        told.facts.outcome in {Outcome.NOT_UPHELD, Outcome.PARTLY_UPHELD}
        and any(found.verdict in {Verdict.CUSTOMER_ACTION, Verdict.MARKET} for found in told.facts.findings)
    ),
    "decided_before": lambda told: told.responded_at is not None,
    "awarded": lambda told: bool(told.facts.compensation or told.facts.remedies),
    "made_good_elsewhere": lambda told: bool(told.facts.elsewhere),
    "interest_runs": lambda told: bool(told.facts.compensation and told.facts.running),
    "decided_outside": lambda told: told.facts.decided_at is not None and not told.facts.agreed,
    "agreed_outside": lambda told: told.facts.decided_at is not None and told.facts.agreed,
    "bound": lambda told: told.facts.decided_at is not None,
    "takes_place_of_response": lambda told: (
        told.facts.decided_at is not None and told.responded_at is not None and not told.paid_before
    ),
    "on_top_of_what_was_paid": lambda told: (
        told.facts.decided_at is not None and told.facts.compensation is not None and told.paid_before
    ),
    # What is sent only when it is so: the customer said it, or the firm did it.
    "settled_early": lambda told: told.kind is LetterKind.SUMMARY_RESOLUTION and _just_decided(told),
    "withdrawn": lambda told: told.kind is LetterKind.WITHDRAWAL,
    "referred": lambda told: told.kind is LetterKind.REFERRAL,
    "made_good": lambda told: told.kind is None,
    "for_staff": lambda told: told.kind is LetterKind.STAFF_NOTICE,
    "unpaid": lambda told: told.facts.unpaid is not None,
    "paid_in_part": lambda told: told.facts.paid is not None and told.facts.unpaid is not None,
}
"""The predicates by name."""

PROGRESS: Final = (
    "registered",
    "taken_up",
    "records_looked_at",
    "waiting_for_customer",
    "somebody_examines",
    "nobody_examines",
    "second_person_looks",
    "somebody_decides",
    "nobody_decides",
    "answer_on_its_way",
    "answer_awaited",
    "carried_out",
    "followed_up",
    "closed",
)
"""Those that say how far a case is, each with a sentence in the words of a language."""


def progress(told: Told) -> list[str]:
    """Of :data:`PROGRESS` those that hold; always at least one."""
    return [name for name in PROGRESS if TRUTHS[name](told)]


def elapsed(since: Instant, at: Instant) -> tuple[int, int]:
    """Whole weeks, and days beyond them, from *since* to *at*."""
    days = max(at - since, timedelta(0)).days
    return divmod(days, 7)
