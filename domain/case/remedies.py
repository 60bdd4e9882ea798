"""Remedies that are no award of money, and temporary relief: what is owed, by whom, and what shows that it was done.

Money is in the ledger. Everything else that puts a complaint right is an :class:`Obligation`: it is owed from a certain
event on, has a clock of its own, and is owed until somebody or the firm's own records confirm it. While anything is
owed no case is settled, and so none is closed.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from domain.case.answers import Proposal
from domain.case.case import Case
from domain.case.messages.putting_right import ConfirmRemedy, GrantRelief
from domain.case.obligations import Obligation, Proof
from domain.checks.findings import InKind
from domain.ground.base import person_of
from domain.ground.messages import NotAllowed
from domain.ground.people import SYSTEM, Actor
from domain.ground.words import CaseEvent, Remedy, Role

SAID_BY_LETTER: Final = frozenset({Remedy.APOLOGY, Remedy.EXPLANATION})
"""What the final response itself gives the customer: it is done when a channel has accepted that."""
MONEY: Final = frozenset({Remedy.REFUND, Remedy.COMPENSATION})
"""What the compensation ledger makes good, where there is a sum."""
BY_THE_LOG: Final = frozenset({Remedy.RELEASE, Remedy.UNFREEZE, Remedy.COMPENSATION})
"""What the firm's own records can confirm, where the subject is named."""
NOBODY: Final = "nobody"
LAPSES_BY: Final = (Role.TEAM_LEAD, Role.APPROVER, Role.COMPLIANCE_OFFICER, Role.EXECUTIVE)
"""Who may say that a remedy is owed no longer though it was not carried out."""


def in_kind(case: Case) -> tuple[InKind, ...]:
    """What the firm's own records say that it owes the customer whatever becomes of the complaint, sums apart."""
    found = case.investigation.findings if case.investigation else ()
    return tuple(dict.fromkeys(one for finding in found for one in finding.owes))


def promised(case: Case, proposal: Proposal) -> tuple[InKind, ...]:
    """What *proposal* gives the customer beside what is posted and what its letter says."""
    kinds = [kind for kind in proposal.remedies if kind not in SAID_BY_LETTER]
    if proposal.compensation is not None:
        kinds = [kind for kind in kinds if kind not in MONEY]
    known = in_kind(case)
    given = [one for kind in kinds for one in known if one.kind is kind]
    given += [InKind(kind=kind) for kind in kinds if not any(one.kind is kind for one in known)]
    link = case.incident
    if proposal.incident and link and link.paid is None and not link.ended and link.harm:
        given.append(InKind(kind=Remedy.COMPENSATION, subject=proposal.incident, amount=link.harm))
    return tuple(dict.fromkeys(given))


def outstanding(case: Case) -> tuple[Obligation, ...]:
    """The remedies that are owed and not confirmed; relief is none of them."""
    return tuple(one for one in case.remedies if one.proof is None and not one.is_relief)


def owe(case: Case, things: Iterable[InKind], at: datetime) -> list[Obligation]:
    """Begin to owe *things*, each once: what is owed already, or was done in this round, is not owed a second time."""
    new = []
    for thing in things:
        if any(_is_the_same(one, thing, case.rounds) for one in case.remedies):
            continue
        number = case.happened(CaseEvent.REMEDY_OWED, at)
        obligation = Obligation(
            number=number,
            kind=thing.kind,
            subject=thing.subject,
            amount=thing.amount,
            owner=_owner(case),
            since=at,
            round=case.rounds,
        )
        _begin(case, obligation, at)
        new.append(obligation)
    return new


def grant_relief(case: Case, message: GrantRelief, at: datetime) -> Obligation:
    """Grant temporary relief: it is to be put in place, and ends."""
    number = case.happened(CaseEvent.REMEDY_OWED, at)
    case.happened(CaseEvent.RELIEF_GRANTED, at, number=number, until=message.until)
    relief = Obligation(
        number=number,
        kind=message.kind,
        what=message.what,
        owner=message.owner or _owner(case),
        since=at,
        round=case.rounds,
        until=message.until,
    )
    _begin(case, relief, at)
    return relief


def confirm(case: Case, number: int, proof: Proof, *, lapsed: bool = False) -> Obligation:
    """The remedy *number* is owed no longer. Raises ``LookupError`` where it is not owed."""
    before = next((one for one in case.remedies if one.number == number and one.proof is None), None)
    if before is None:
        raise LookupError(f"remedy {number} is not owed")
    ended = before.model_copy(update={"proof": proof, "lapsed": lapsed})
    case.remedies = [ended if one is before else one for one in case.remedies]
    case.happened(CaseEvent.REMEDY_CONFIRMED, proof.at, of=number)
    what = "owed no longer" if lapsed else "in place" if before.is_relief else "carried out"
    _note(case, "remedy_confirmed", f"{before.spoken}: {what}, {proof.how}", ended, proof.at)
    return ended


def reassign(case: Case, number: int, owner: str, by: Actor, at: datetime) -> Obligation:
    """Somebody else has the remedy *number* to carry out. Raises :class:`NotAllowed` where it is not owed."""
    before = still_to_do(case, number)
    changed = before.model_copy(update={"owner": owner})
    case.remedies = [changed if one is before else one for one in case.remedies]
    data = changed.model_dump(mode="json", exclude_none=True)
    case.note(at, "remedy_reassigned", f"{changed.spoken}: to {owner}", by, data)
    return changed


def still_to_do(case: Case, number: int) -> Obligation:
    """The remedy or relief *number* that is not confirmed yet. Raises :class:`NotAllowed` where there is none."""
    owed = [one for one in case.remedies if one.proof is None]
    found = next((one for one in owed if one.number == number), None)
    if found is None:
        known = ", ".join(str(one.number) for one in owed) or "none"
        raise NotAllowed(f"remedy: {number} is not owed; owed are: {known} (redress remedy list)")
    return found


def end_relief(case: Case, number: int, why: str, at: datetime) -> Obligation | None:
    """The relief *number* ends now; ``None`` where it has ended."""
    relief = next((one for one in case.remedies if one.number == number and one.is_relief), None)
    if relief is None or number in case.relief_ended:
        return None
    case.relief_ended = (*case.relief_ended, number)
    case.happened(CaseEvent.RELIEF_ENDED, at, of=number)
    _note(case, "relief_ended", f"{relief.spoken}: {why}", relief, at)
    if relief.proof is None:  # nobody has put it in place, and nobody has to any more
        confirm(case, number, Proof(by=str(SYSTEM), at=at, how=why), lapsed=True)
    return relief


def running_relief(case: Case) -> tuple[Obligation, ...]:
    """The relief that has not ended."""
    return tuple(one for one in case.remedies if one.is_relief and one.number not in case.relief_ended)


def check_confirmation(case: Case, message: ConfirmRemedy) -> None:
    """Raise :class:`NotAllowed` unless *message*'s actor may say that of a remedy that is owed."""
    actor, one = message.actor, still_to_do(case, message.remedy)
    if message.kind not in {None, one.kind}:
        raise NotAllowed(f"kind: remedy {one.number} is {one.kind.value}, not {message.kind}")
    if not (actor.role.is_staff or actor.role is Role.SERVICE):
        raise NotAllowed(f"actor: role {actor.role.value} may not confirm a remedy; staff and the firm's systems may")
    if message.lapsed and actor.role not in LAPSES_BY:
        roles = ", ".join(role.value for role in LAPSES_BY)
        raise NotAllowed(f"actor: only {roles} may say that a remedy is owed no longer though it was not carried out")
    involved = {person_of(each) for each in (*case.proposers, one.owner)}
    if message.lapsed and actor.person in involved:
        raise NotAllowed(
            "actor: who proposed the remedy or has it to carry out does not also say that it is owed no longer; a "
            "second person does"
        )
    by_the_log = one.kind in BY_THE_LOG and one.subject is not None
    if by_the_log and not message.lapsed and actor.role.is_staff and actor.person in involved:
        raise NotAllowed(
            f"actor: the firm's records do not show {one.subject} as done; who proposed the remedy or has it to carry "
            "out does not say so against them, a second person does"
        )
    if one.kind is Remedy.COMPENSATION and not message.lapsed:
        raise NotAllowed("remedy: it is money, which the compensation ledger confirms by itself once it is posted")


def check_relief(case: Case, message: GrantRelief, now: datetime) -> None:
    """Raise :class:`NotAllowed` unless such relief can be granted *now*."""
    if message.until <= now:
        raise NotAllowed("until: it has passed; relief ends at a time to come")
    if not any(clock.trigger is CaseEvent.RELIEF_GRANTED for clock in case.pack.clocks):
        raise NotAllowed(f"policy pack {case.pack.id} has no clock for temporary relief, so nothing would end it")


def _is_the_same(one: Obligation, thing: InKind, round_: int) -> bool:
    if one.is_relief or one.kind is not thing.kind:
        return False
    if thing.subject is not None:
        return one.subject == thing.subject
    return one.proof is None or one.round == round_


def _owner(case: Case) -> str:
    return case.handler or (case.assessment.team if case.assessment else None) or NOBODY


def _begin(case: Case, obligation: Obligation, at: datetime) -> None:
    case.remedies = [*case.remedies, obligation]
    until = f" until {obligation.until:%Y-%m-%d %H:%M} UTC" if obligation.until else ""
    kind = "relief_granted" if obligation.is_relief else "remedy_owed"
    _note(case, kind, f"{obligation.spoken}{until}, by {obligation.owner}", obligation, at)


def _note(case: Case, kind: str, text: str, obligation: Obligation, at: datetime) -> None:
    by = Actor.named(obligation.proof.by) if obligation.proof and ":" in obligation.proof.by else SYSTEM
    case.note(at, kind, text, by, obligation.model_dump(mode="json", exclude_none=True))
