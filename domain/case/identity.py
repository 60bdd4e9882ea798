"""Who complains, as the case and its record have it.

Until that is verified nothing is decided by rule, and letters say nothing that the complaint did not say itself.
"""

from collections.abc import Iterable
from typing import Final

from domain.case.answers import Proposal
from domain.case.case import Case
from domain.case.complaint import Complaint
from domain.case.messages.handling import VerifyComplainant
from domain.ground.messages import NotAllowed
from domain.ground.people import Actor
from domain.ground.timeline import Entry
from domain.ground.words import LetterKind, Outcome
from domain.keys.personal import ERASED
from domain.letters.letter import LetterFacts, may_be_told, untold
from domain.people.matching import Claimed, Ground, Identity, IdentityState

IDENTIFIED: Final = "identified"
"""The entry of a timeline by which the service says who complains; people say it by their message."""
IDENTIFYING: Final = (IDENTIFIED, VerifyComplainant.name)


def verified(case: Case) -> bool:
    """Whether it is known that the complainant is the customer, or may speak for them."""
    return case.identity.verified


def check_may_be_told(case: Case, proposal: Proposal, *, early: bool = False) -> None:
    """Raise :class:`NotAllowed` where the letter of *proposal* may not go to who complains, as nobody knows who it is.

    A referral may, and a no in a person's own words that tells nothing of the account; *early* is a summary letter.
    """
    kind = LetterKind.SUMMARY_RESOLUTION if early else LetterKind.FINAL_RESPONSE
    facts = LetterFacts(
        outcome=proposal.outcome,
        reasons=proposal.reasons,
        findings=case.investigation.findings if case.investigation and not _own_words(proposal) else (),
        compensation=proposal.compensation,
        awards=proposal.awards,
        remedies=proposal.remedies,
    )
    told = proposal.outcome is Outcome.REFERRED or may_be_told(kind, facts, verified=verified(case))
    if told and proposal.outcome is not Outcome.REFERRED:
        check_says_nothing_new(case, "reasons", proposal.reasons)
    if not told:
        raise NotAllowed(
            f"{case.identity.spoken.en}: no letter may tell of the account, and the proposal cannot be answered with "
            f"one; redress customer verify {case.reference} first, or give a no without remedies in your own reasons"
        )


def check_says_nothing_new(case: Case, field: str, text: str | None) -> None:
    """Raise :class:`NotAllowed` where *text* would tell whoever may be a stranger what the complaint did not say."""
    if text is None or verified(case):
        return
    if new := untold(text, case.complaint.model_dump_json()):
        raise NotAllowed(
            f"{field}: {case.identity.spoken.en}: no letter may tell what the complaint did not say itself; leave out "
            f"{', '.join(new)}, or redress customer verify {case.reference} first"
        )


def _own_words(proposal: Proposal) -> bool:
    return proposal.reasons is not None and not proposal.as_found


def claimed_by(complaint: Complaint) -> Claimed:
    """Who says in *complaint* that they complain."""
    who = complaint.complainant
    return Claimed(account=complaint.account, name=who.name, email=who.email, phone=who.phone)


def decided_by_person(message: VerifyComplainant) -> Identity:
    """What a member of staff says of who complains, without when."""
    return Identity(state=message.result, because=(Ground.PERSON,), by=message.actor)


def entry_data(identity: Identity) -> dict[str, object]:
    """What an entry of the timeline keeps of it: nothing of the customer."""
    return {"state": identity.state.value, "because": [ground.value for ground in identity.because]}


def identity_of(entries: Iterable[Entry]) -> Identity:
    """Who complains, by the last of the *entries* that says so."""
    last = None
    for entry in entries:
        if entry.kind in IDENTIFYING and ERASED not in entry.data:
            last = entry
    if last is None:
        return Identity()
    actor = Actor.named(last.actor)
    if last.kind == VerifyComplainant.name:
        state = IdentityState(last.data["result"])
        return Identity(state=state, because=(Ground.PERSON,), by=actor, at=last.at)
    because = tuple(Ground(ground) for ground in last.data["because"])
    return Identity(state=IdentityState(last.data["state"]), because=because, by=actor, at=last.at)
