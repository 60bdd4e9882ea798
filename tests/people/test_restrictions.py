"""Contact restrictions: two persons, an end, a review; never a reason not to read a complaint."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ground.messages import NotAllowed
from domain.ground.people import Actor
from domain.ground.words import ContactForm, Role
from domain.people.actors import Person
from domain.people.restrictions import (
    Restriction,
    RestrictionChange,
    RestrictionStep,
    check_proposed,
    check_step,
    founded,
    in_force,
    standing,
)
from runtime.identity.verifying import Verifier
from runtime.settings import load_settings
from tests.signing import the_issuer

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
APPROVAL = (Role.COMPLIANCE_OFFICER, Role.EXECUTIVE)
HANDLER, OFFICER = Actor(id="h-1", role=Role.HANDLER), Actor(id="c-1", role=Role.COMPLIANCE_OFFICER)


def change(step: RestrictionStep, by: Actor, days: int = 0, *, review: int = 90) -> RestrictionChange:
    at = AT + timedelta(days)
    goes_on = step in {RestrictionStep.APPROVED, RestrictionStep.KEPT}
    return RestrictionChange(
        number=1,
        step=step,
        by=by,
        at=at,
        form=ContactForm.BY_POST,
        until=AT + timedelta(180),
        reference="RD-1",
        review_by=at + timedelta(review) if goes_on else None,
        reasons="Forty calls a day.",
    )


PROPOSED, APPROVED = change(RestrictionStep.PROPOSED, HANDLER), change(RestrictionStep.APPROVED, OFFICER, 1)


def test_it_holds_from_the_approval_to_a_review_that_nobody_makes_and_never_beyond_its_end() -> None:
    def days(*changes: RestrictionChange) -> list[int]:
        held = standing(changes)
        return [day for day in range(-1, 400) if in_force(held, AT + timedelta(day, seconds=1))]

    assert days(PROPOSED) == []
    assert days(PROPOSED, change(RestrictionStep.RETURNED, OFFICER)) == []
    approved = days(PROPOSED, APPROVED)
    assert max(approved) == 90  # the review is 90 days after the approval, on the day after the proposal
    assert max(days(PROPOSED, APPROVED, change(RestrictionStep.KEPT, OFFICER, 80))) == 169
    assert max(days(PROPOSED, APPROVED, change(RestrictionStep.KEPT, OFFICER, 80, review=365))) == 179
    assert days(PROPOSED, APPROVED, change(RestrictionStep.LIFTED, HANDLER, 5)) == []
    lifted = [PROPOSED, APPROVED, change(RestrictionStep.LIFTED, HANDLER, 5), change(RestrictionStep.KEPT, OFFICER, 6)]
    assert days(*lifted) == []  # what has ended goes on no more


PEOPLE = [Actor(id=f"p-{number}", role=role) for number in range(3) for role in Role if role.is_staff]


@given(
    st.sampled_from(PEOPLE),
    st.lists(st.tuples(st.sampled_from(RestrictionStep), st.sampled_from(PEOPLE), st.integers(0, 70)), max_size=8),
)
def test_in_no_order_of_steps_is_one_in_force_without_a_second_person_high_up(
    proposer: Actor, steps: list[tuple[RestrictionStep, Actor, int]]
) -> None:
    changes, day = [change(RestrictionStep.PROPOSED, proposer)], 0
    for step, by, later in steps:
        day += later
        [one] = standing(changes)
        try:
            check_step(one, step, by, AT + timedelta(day), APPROVAL)
        except NotAllowed:
            continue
        if step is not RestrictionStep.PROPOSED:
            changes.append(change(step, by, day))
    [one] = standing(changes)
    if one.approved_by:
        assert one.approved_by.role in APPROVAL
        assert one.approved_by.person != proposer.person
    assert not one.in_force(AT + timedelta(180))
    assert one.approved_by or not one.in_force(AT)


def signed(one: RestrictionChange, as_if: RestrictionChange | None = None) -> RestrictionChange:
    """*one*, signed by who takes the step; or with the token of another."""
    one = one.model_copy(update={"message_id": f"{one.step}-{one.at:%j}"})
    said = as_if.model_copy(update={"message_id": one.message_id}) if as_if else one
    token = the_issuer().token(Person.of(said.by), said.reference, said.message)
    return one.model_copy(update={"token": token})


def test_only_steps_that_their_tokens_prove_are_founded_and_each_counts_once() -> None:
    proofs, approval = Verifier.of(load_settings()), {"RD-1": APPROVAL}
    assert proofs
    kept = signed(change(RestrictionStep.KEPT, OFFICER, 5))
    whole = [signed(PROPOSED), signed(APPROVED), kept]
    assert founded(whole, proofs, approval) == whole
    executive = Actor(id="e-1", role=Role.EXECUTIVE)
    elsewhere = PROPOSED.model_copy(update={"reference": "RD-2"})
    other = APPROVED.model_copy(update={"number": 2})
    for unproven in (
        APPROVED,
        signed(APPROVED, APPROVED.model_copy(update={"reasons": "Something else."})),
        signed(APPROVED).model_copy(update={"by": executive}),
        signed(APPROVED, other),
        signed(change(RestrictionStep.APPROVED, HANDLER, 1)),
        signed(change(RestrictionStep.APPROVED, Actor(id="h-1", role=Role.EXECUTIVE), 1)),
        signed(change(RestrictionStep.APPROVED, Actor(id="h-2", role=Role.HANDLER), 1)),
    ):
        assert founded([whole[0], unproven], proofs, approval) == whole[:1], unproven
    for unproven in (PROPOSED, signed(PROPOSED, elsewhere), signed(change(RestrictionStep.PROPOSED, customer()))):
        assert founded([unproven, whole[1]], proofs, approval) == [], unproven
    again = kept.model_copy(update={"at": AT + timedelta(80), "review_by": AT + timedelta(170)})
    assert founded([*whole, again], proofs, approval) == whole, "a token that was used is not used again"


def customer() -> Actor:
    return Actor(id="customer", role=Role.CUSTOMER)


def test_what_cannot_be_is_refused_with_the_field_and_the_way_out() -> None:
    latest, soon = AT + timedelta(180), AT + timedelta(30)
    check_proposed(ContactForm.ONE_PERSON, "h-1", soon, AT, latest)
    for form, contact, until in (
        (ContactForm.ONE_PERSON, None, soon),
        (ContactForm.BY_POST, "h-1", soon),
        (ContactForm.BY_POST, None, AT),
        (ContactForm.BY_POST, None, latest + timedelta(1)),
    ):
        with pytest.raises(NotAllowed, match=r"^(contact|until): "):
            check_proposed(form, contact, until, AT, latest)
    for one, step, by in (
        (None, RestrictionStep.APPROVED, OFFICER),
        *product(standing([PROPOSED]), [RestrictionStep.KEPT], [OFFICER]),
        *product(standing([PROPOSED]), [RestrictionStep.APPROVED], [HANDLER, Actor(id="h-1", role=Role.EXECUTIVE)]),
        *product(standing([PROPOSED, APPROVED]), [RestrictionStep.APPROVED, RestrictionStep.RETURNED], [OFFICER]),
    ):
        assert one is None or isinstance(one, Restriction)
        with pytest.raises(NotAllowed, match=r"^(restriction|actor): "):
            check_step(one, step, by, AT + timedelta(2), APPROVAL)
