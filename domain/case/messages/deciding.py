"""Updates by which a resolution is proposed and decided."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from domain.case.reasons import check_said, check_whole, is_said
from domain.ground.base import Line, Record, Text
from domain.ground.messages import Message
from domain.ground.words import Outcome, Remedy
from domain.money.amounts import PositiveMoney
from domain.money.parts import PartKind


class Award(Record):
    """Money for what no formula measures. ``reason`` goes into the letter, in the customer's language."""

    kind: Literal[PartKind.DISTRESS, PartKind.GOODWILL]
    amount: PositiveMoney
    reason: Line


class Resolution(Message):
    """What a resolution consists of.

    ``compensation`` makes good the loss; with ``as_found`` it is the sum that the findings come to, interest and all.
    ``awards``, one of a kind at most, come on top of it, and are told apart wherever the sum is. ``reasons`` are more
    than a word; of a no they say what was claimed, looked at and found (:mod:`domain.case.reasons`).
    """

    outcome: Literal[Outcome.UPHELD, Outcome.PARTLY_UPHELD, Outcome.NOT_UPHELD]
    compensation: PositiveMoney | None = None
    as_found: bool = False
    awards: Annotated[tuple[Award, ...], Field(max_length=2)] = ()
    remedies: Annotated[tuple[Remedy, ...], Field(max_length=len(Remedy))] = ()
    reasons: Text

    @model_validator(mode="after")
    def _sums_fit(self) -> Self:
        if self.as_found and self.compensation:
            raise ValueError("compensation: give a sum or as_found, not both")
        if len({award.kind for award in self.awards}) < len(self.awards):
            raise ValueError("awards: give one award of a kind, with all that it is for")
        money = [one.value for one in self.remedies if one in {Remedy.REFUND, Remedy.COMPENSATION}]
        if money and not (self.compensation or self.as_found or self.awards):
            raise ValueError(f"remedies: {', '.join(money)} is a sum; give it as compensation, as_found or awards")
        if self.outcome is Outcome.UPHELD:
            check_said(self.reasons)
        else:
            check_whole(self.reasons)
        return self


class ProposeResolution(Resolution):
    """Propose how to resolve the complaint. ``reasons`` go into the final response, in the customer's language."""

    name = "propose_resolution"

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        redressed = self.compensation or self.as_found or self.awards or self.remedies
        if self.outcome is Outcome.UPHELD and not redressed:
            raise ValueError("compensation: an upheld complaint needs compensation or at least one of remedies")
        return self


class ProposeDraft(Message):
    """Propose the case's draft as it stands. ``draft`` is its digest: another draft has taken its place otherwise."""

    name = "propose_draft"
    draft: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")]


class DecideResolution(Message):
    """Approve a proposal, or return it with reasons. Never by its proposer; role and limit are checked.

    ``proposal`` is its digest: where another has taken its place meanwhile, nobody has decided on that.
    """

    name = "decide_resolution"
    decision: Literal["approve", "return"]
    proposal: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")]
    reasons: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _names_the_proposal(cls, said: Any) -> Any:
        if isinstance(said, Mapping) and said.get("proposal") is None:
            raise ValueError(
                "proposal: name the proposal that is decided by its digest; redress show has it, and the query status "
                "as proposal_digest"
            )
        return said

    @model_validator(mode="after")
    def _return_has_reasons(self) -> Self:
        if self.decision == "return" and not self.reasons:
            raise ValueError("reasons: a proposal is returned with reasons")
        return self


class ResolveEarly(Resolution):
    """The customer regards the complaint as settled, within the pack's time for that: a summary letter ends the case.

    ``told`` says in a sentence how they said so, since the letter tells them that they did. ``reasons`` say in the
    customer's language what was settled.
    """

    name = "resolve_early"
    told: Text

    @model_validator(mode="after")
    def _is_the_customers_word(self) -> Self:
        if not is_said(self.told):
            raise ValueError("told: it is the customer who regards it as settled; say in a sentence how they told you")
        return self
