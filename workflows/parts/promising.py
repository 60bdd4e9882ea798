"""The promising: what a final response gives is promised once, by whichever case comes first."""

from temporalio import workflow

from domain.case.case import Case
from domain.case.elsewhere import lost, relied_upon, spoken
from domain.case.file import CaseUpdate, Recorded
from domain.case.looking_again import look_again
from domain.case.requests import LookElsewhere, PromiseAward, Turn
from domain.case.resolution import made_good
from domain.checks.findings import Elsewhere
from domain.ground.spoken import said
from domain.ground.words import Role, Stage
from workflows import effects
from workflows.parts.faults import Faults
from workflows.parts.post import Post
from workflows.parts.recorder import Recorder


class Promising:
    """Sees that nothing is proposed or promised that another case or an incident gives."""

    def __init__(self, case: Case, recorder: Recorder[CaseUpdate, Recorded], post: Post, faults: Faults) -> None:
        self._case, self._recorder, self._post, self._faults = case, recorder, post, faults
        self.under_way = False
        """Whether the record is promising: it may have gone on to the response already."""

    async def look(self) -> None:
        """Before something is proposed: note where else it is promised or paid, and have the case looked at anew."""
        case, losses = self._case, lost(self._case)
        if case.account is None or not losses:
            await effects.take_turn(Turn())
            return
        found = await effects.look_elsewhere(
            LookElsewhere(
                reference=case.reference,
                account=case.account,
                losses=tuple(one for one in losses if one.key not in relied_upon(case)),
            )
        )
        if found.elsewhere and found.elsewhere != case.elsewhere and not case.approved:
            case.elsewhere = found.elsewhere
            case.note(workflow.now(), "elsewhere", f"{spoken(found.elsewhere)} promises or has paid what was found")
            look_again(case)

    async def promise(self) -> bool:
        """Promise what the approved proposal gives, and go on to the response.

        ``False`` where others promise or have paid it by now, or do not any more what was left to them, or where it
        does not rest on the record: the decision is put aside, and the case is to be looked at anew.
        """
        case = self._case
        award = case.proposal.compensation if case.proposal else None
        losses, left_out = made_good(case, case.proposal) if case.proposal else (), relied_upon(case)
        if case.bound:  # it is owed, whatever others have made good
            losses, left_out = (), ()
        if award is None and (case.account is None or not (losses or left_out or case.rounds > 1)):
            case.enter(Stage.RESPONDED, workflow.now())
            return True
        letter = self._post.with_promise(case.proposal) if case.proposal else None
        update = self._recorder.take_all()
        then = case.anticipating(Stage.RESPONDED, workflow.now())
        along = then.model_copy(update={"entries": ()})
        # Of what is left to others the letter tells as the record then has it: it goes by itself.
        goes_along = not left_out and not _elsewhere(case)
        request = PromiseAward(
            reference=case.reference,
            round=case.rounds,
            account=case.account,
            award=award,
            losses=losses if case.account else (),
            left_out=left_out if case.account else (),
            update=update,
            then=then,
            letter=self._post.request(letter, along) if letter and goes_along else None,
        )
        self.under_way = True
        try:
            done = await self._faults.insist(
                said("the promise of the award", "赔付承诺登记"), update, lambda: effects.promise_award(request)
            )
        finally:
            self.under_way = False
        if done.promised:
            if case.investigation and done.elsewhere != _elsewhere(case):
                case.investigation = case.investigation.model_copy(update={"elsewhere": done.elsewhere})
            case.entered(Stage.RESPONDED, done.at, then)
            case.told_at = done.at
        else:
            self._put_aside(done.elsewhere, done.refused)
        self._recorder.put(update, done.recorded)
        if letter and done.promised:
            if case.proposal and not goes_along:
                letter.facts = self._post.response(case.proposal)
            self._post.promised(letter, along, done.letter)
        elif letter:
            self._post.put_aside(letter)
        return done.promised

    def _put_aside(self, elsewhere: tuple[Elsewhere, ...], refused: str | None) -> None:
        case = self._case
        text, en, zh = _why(elsewhere, refused)
        data = {"round": case.rounds, "approved": True}
        case.note(workflow.now(), "set_aside", f"before the response: {text}", data=data)
        case.proposal, case.approved, case.settled_early, case.answer = None, False, False, None
        case.draft, case.to_investigate = None, True
        if refused is None:
            case.elsewhere = elsewhere
        else:
            case.not_borne = True
        self._post.tell_staff(
            Role.HANDLER,
            f"The decision was put aside before its letter was written: {en}. The case is looked at anew; propose "
            "what is left then.",
            f"处理决定在发函前已被搁置：{zh}。系统将重新核查，请届时就剩余部分提出处理方案。",
        )


def _elsewhere(case: Case) -> tuple[Elsewhere, ...]:
    return case.investigation.elsewhere if case.investigation else ()


def _why(elsewhere: tuple[Elsewhere, ...], refused: str | None) -> tuple[str, str, str]:
    """Why a decision is put aside: for the timeline, and for staff in both languages."""
    if refused:
        return (
            f"the record does not bear the award: {refused}",
            "the record does not bear the award, as the timeline tells; somebody else may have to decide",
            "案卷记录不足以支持该项赔付（详见时间线），可能须由其他人员处理",
        )
    if not elsewhere:
        text = "what was left to others is given there no more"
        return text, text, "原由其他案件承担的损失不再由其赔付"
    where = spoken(elsewhere)
    text = f"{where} promises or has paid it"
    return text, text, f"所裁定的损失已由 {where} 承诺或赔付"
