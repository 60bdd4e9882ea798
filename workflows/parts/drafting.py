"""The drafting: what is wholly in the customer's favour is decided by rule, the rest is drafted for people."""

from temporalio import workflow

from domain.case.answers import Proposal
from domain.case.by_rule import drafted
from domain.case.case import Case
from domain.case.drafts import Draft, because
from domain.case.file import CaseUpdate
from domain.case.requests import LetterPreview, SendLetter
from domain.case.two_persons import approvers
from domain.ground import spoken
from domain.ground.people import SYSTEM
from domain.ground.words import CaseEvent, LetterKind, Outcome, Role
from workflows import effects
from workflows.parts.post import Post


class Drafting:
    """Keeps the draft of a case as the case stands, while people decide."""

    def __init__(self, case: Case, post: Post) -> None:
        self._case, self._post = case, post

    @property
    def is_stale(self) -> bool:
        """Whether the rule leads elsewhere by now than when the case was last drafted."""
        return self._case.proposal is None and drafted(self._case) != self._case.draft

    async def draft(self) -> None:
        """Propose what the rule decides; else note where it leads, with the letter as it would be, and tell of it."""
        case = self._case
        while self.is_stale:
            draft = drafted(case)
            if draft.by_rule:
                self._propose(draft.proposed(SYSTEM, workflow.now()))
                return
            preview = await self._preview(draft)
            if drafted(case) == draft:
                before, case.draft = case.draft, draft
                self._note(draft, preview)
                if draft.outcome and not (before and before.digest == draft.digest):
                    self._tell(draft, draft.outcome)

    def _propose(self, proposal: Proposal) -> None:
        case = self._case
        case.proposal = proposal
        given = proposal.compensation.model_dump(mode="json") if proposal.compensation else None
        data = {"round": case.rounds, "outcome": proposal.outcome.value, "compensation": given}
        case.note(proposal.at, "proposed", proposal.spoken, proposal.proposed_by, data)

    async def _preview(self, draft: Draft) -> LetterPreview | None:
        """The letter that *draft* comes to, written as it would be sent."""
        case = self._case
        if draft.outcome is None:
            return None
        if draft.outcome is Outcome.REFERRED:
            kind, facts = LetterKind.REFERRAL, self._post.facts()
        else:
            kind = LetterKind.OUTSIDE_DECISION if case.bound else LetterKind.FINAL_RESPONSE
            facts = self._post.response(draft.proposed(SYSTEM, workflow.now()))
        return await effects.preview_letter(
            SendLetter(
                key=f"{case.reference}:draft:{draft.digest}",
                number=case.numbers + 1,
                kind=kind,
                language=case.language,
                facts=facts,
                announces=(CaseEvent.CONTACTED, CaseEvent.RESPONDED),
                update=CaseUpdate(reference=case.reference, policy_hash=case.policy_hash, summary=case.summary),
            )
        )

    def _note(self, draft: Draft, preview: LetterPreview | None) -> None:
        case, at, why = self._case, workflow.now(), because(draft.why, draft.compensation)
        data = draft.model_dump(mode="json") | {"round": case.rounds, "digest": draft.digest}
        if draft.outcome is None:
            case.note(at, "draft", f"left to people: {why.en}", data=data)
            return
        data["letter"] = preview.model_dump(mode="json") if preview else None
        if draft.second_person:
            data["approvers"] = [role.value for role in approvers(case, draft)]
        told = draft.proposed(SYSTEM, at).spoken
        case.note(at, "draft", f"{told}; left to people: {why.en}", data=data)

    def _tell(self, draft: Draft, outcome_: Outcome) -> None:
        """Tell whoever has the case that a draft waits for them."""
        case, why, outcome = self._case, because(draft.why, draft.compensation), spoken.OUTCOMES[outcome_]
        sum_ = f", {draft.compensation}" if draft.compensation else ""
        self._post.tell_staff(
            Role.HANDLER,
            f"A draft waits for you: {outcome.en}{sum_}. It is not decided by rule: {why.en}. Look at it and propose "
            f"it as it stands (redress propose {case.reference} --draft), or decide otherwise.",
            f"有一份处理决定草稿待您处理：{outcome.zh}{sum_}。未按规则自动决定的原因：{why.zh}。请核对后按草稿提出"
            f"（redress propose {case.reference} --draft），或另行提出处理方案。",
        )
