"""What the compensation of an incident rests on: who approved its list of accounts, by the record."""

from collections.abc import Callable, Iterable, Sequence

from domain.case.approval import NotApproved, NotYetRecorded, actor_of
from domain.ground.base import person_of
from domain.ground.timeline import Entry
from domain.money.amounts import Money
from domain.people.recusal import Recusal, kept_out
from domain.rules.deciding import Decision


def approved_list(
    opened_by: str,
    decision: Decision,
    digest: str,
    harm: Iterable[Money],
    entries: Iterable[Entry],
    *,
    by: str | None = None,
    recusals: Sequence[Recusal] = (),
    check_proven: Callable[[Entry], object] = lambda entry: None,
) -> str:
    """The key of the entry by which the list with the hash *digest*, of *harm* in all, was approved.

    Of several the first that counts. Raises :class:`NotYetRecorded` where nobody approved that list, or not yet who is
    said to have done so (*by*, as ``role:id``),
    :class:`NotApproved` where whoever did so opened the incident (*opened_by*, as ``role:id``), is kept out by
    *recusals* of an account on the list, or may not approve so much, and what *check_proven* raises.
    """
    refused: NotApproved | None = None
    approvers: set[str] = set()
    sums: list[Money | None] = [*harm]
    for entry in entries:
        said = entry.data
        if entry.kind != "decide_incident" or said.get("decision") != "approve":
            continue
        if not (seen := said.get("cohort")) or not digest.startswith(seen):
            continue
        approvers.add(entry.actor)
        try:
            check_proven(entry)
            _check_approver(entry, opened_by, decision, sums, recusals)
        except NotApproved as error:
            refused = refused or error
        else:
            return entry.key
    if refused and (by is None or by in approvers):
        raise refused
    raise NotYetRecorded(f"no approval of the list {digest[:12]}… stands in the record of the incident")


def _check_approver(
    entry: Entry, opened_by: str, decision: Decision, sums: Sequence[Money | None], recusals: Sequence[Recusal]
) -> None:
    actor = actor_of(entry)
    if actor.person == person_of(opened_by.partition(":")[2]):
        raise NotApproved(f"{entry.key}: the list was approved by who opened the incident")
    known = [one for one in recusals if not one.at or one.at <= entry.at]
    if recusal := kept_out(known, entry.at).get(actor.person):
        raise NotApproved(f"{entry.key}: {actor} is kept out of {recusal.about} on the list ({recusal.why.value})")
    for sum_ in sums or [None]:
        if not decision.may_approve(actor.role, sum_):
            raise NotApproved(f"{entry.key}: role {actor.role.value} may not approve {sum_ or 'this'}")
