"""What customers, anybody and incidents tell a case.

A signal needs no token, so what it sets off is noted in nobody's name. What somebody said is noted with who they say
they are: the case file marks it where no token proves that.
"""

from datetime import datetime, timedelta
from typing import Final, Literal

from temporalio import workflow

from domain.case.case import Case
from domain.case.feedback import LOW, score_of
from domain.case.looking_again import add_trades, go_on, look_again
from domain.case.messages.handling import RecordFeedback
from domain.case.messages.signals import Arrived, CustomerReply, Escalate, PeopleChanged
from domain.checks.choice import pointed_to
from domain.ground import spoken
from domain.ground.messages import NotAllowed
from domain.ground.words import CaseEvent, LetterKind, Role, Stage
from domain.incidents.messages import IncidentChanged
from domain.people.actors import SPOKEN_WITH
from workflows.messages import handling
from workflows.parts.casework import Casework

PROGRESS_ONCE_IN: Final = timedelta(days=1)
"""Who asks how far the complaint is has one letter of it in so long: two programs that answer each other stop."""


def hear_reply(work: Casework, reply: CustomerReply) -> None:
    """The customer informs, accepts or disputes."""
    case, now = work.case, workflow.now()
    case.last_message = f"customer reply ({reply.intent}), {now:%Y-%m-%d %H:%M:%S} UTC"
    case.note(now, reply.name, reply.intent, reply.actor, reply.body, token=SPOKEN_WITH.get())
    # They go with the next investigation and set off none: what is commanded here must not hang on lists of words.
    case.pointed_later = tuple(dict.fromkeys((*case.pointed_later, *pointed_to(reply.text or ""))))
    responded = (case.stage is Stage.RESPONDED or work.promising.under_way) and case.bound is None
    if reply.intent == "progress":
        _tell_how_far(work)
    elif reply.intent != "information" and (why := _not_of(reply, case.rounds)):
        case.note(now, "rejected", f"message {reply.name!r} does not fit: {why}")
        _hear_words(work, reply)
    elif responded and reply.intent != "information" and case.told_at is None:
        # The case file has the response before the workflow hears that it has: who read it there answers it.
        case.said_early[reply.intent] = now
        case.revision += 1
        add_trades(case, reply.trades, now)
    elif responded and reply.intent != "information" and _may_answer(case, reply.intent):
        _answer(work, reply.intent, now)
    elif case.bound and reply.intent != "information":
        work.tasks.have_answered()  # what an outside body decided is carried out
    elif case.stage in {Stage.SETTLING, Stage.FOLLOWING_UP} and reply.intent == "dispute":
        work.reopen()
    elif case.stage is Stage.CLOSED:
        _tell_of_late_words(work)
    else:
        _hear_words(work, reply)


def _not_of(reply: CustomerReply, round_: int) -> str | None:
    """Why nothing follows from what *reply* says of the final response of this round; ``None`` where it is of that."""
    try:
        reply.check_of(round_)
    except NotAllowed as error:
        return str(error)
    return None


def hear_what_was_said_early(work: Casework) -> None:
    """What was said since the response can be read answers it; what was said before does not, and somebody reads it."""
    case, answers = work.case, work.case.answered_early
    said, case.said_early = case.said_early, {}
    for intent, at in sorted(answers.items(), key=lambda one: one[1]):
        if _may_answer(case, intent):
            _answer(work, intent, at)
    if len(answers) < len(said):
        work.tasks.have_answered()


def _may_answer(case: Case, intent: Literal["accept", "dispute"]) -> bool:
    """Who accepts and disputes in one breath, before anything came of it, disputes."""
    return case.answer is None or (case.answer == "accept" and intent == "dispute")


def _answer(work: Casework, intent: Literal["accept", "dispute"], at: datetime) -> None:
    case = work.case
    case.answer = intent
    case.happened(CaseEvent.ANSWERED, at)
    if intent == "dispute":
        case.happened(CaseEvent.DISPUTED, at)
        work.ladder.climb(spoken.said("the customer disputes the final response", "客户对处理决定有异议"))


def _tell_of_late_words(work: Casework) -> None:
    work.post.tell_staff(
        Role.HANDLER,
        "The customer wrote after the case was closed. Read it and answer.",
        "客户在案件办结后来信，请阅看并答复。",
    )


def _tell_how_far(work: Casework) -> None:
    """The record answers, at once and without a person, whoever is known to be the customer; who insists, somebody."""
    case, now = work.case, workflow.now()
    if case.stage is Stage.CLOSED:
        _tell_of_late_words(work)
        return
    lately = case.progress_told_at is not None and now - case.progress_told_at < PROGRESS_ONCE_IN
    if lately or not case.identity.verified:
        work.tasks.have_answered()
        return
    case.progress_told_at = now
    questions = case.question.questions if case.question and case.asking else None
    facts = work.post.facts(questions=questions, asked_for=True)
    work.post.send(LetterKind.PROGRESS, facts, f"progress:asked:{case.numbers + 1}", CaseEvent.CONTACTED)


def _hear_words(work: Casework, reply: CustomerReply) -> None:
    """The customer says something that decides nothing at this stage: it answers a question, or somebody reads it."""
    case, now = work.case, workflow.now()
    says = bool(reply.text or reply.attachments or reply.trades)
    add_trades(case, reply.trades, now)
    told = score_of(reply.text or "") if case.stage is Stage.FOLLOWING_UP and work.post.asked_for_feedback else None
    if case.asking and says:
        go_on(case)
        case.happened(CaseEvent.CUSTOMER_REPLIED, now)
    elif told:
        score, more = told
        case.note(now, RecordFeedback.name, f"{score} of 5, in a reply", data={"score": score})
        handling.hear_score(work, score)
        if (more and score > LOW) or reply.attachments or reply.trades:
            work.tasks.have_answered()  # whoever calls back reads it, too
    elif reply.intent != "information" or (says and not case.to_investigate):
        work.tasks.have_answered()


def hear_escalation(work: Casework, request: Escalate) -> None:
    """Somebody wants the case raised."""
    case, now = work.case, workflow.now()
    if case.stage is Stage.CLOSED:
        raise NotAllowed("the case is closed")
    case.last_message = f"escalate, {now:%Y-%m-%d %H:%M:%S} UTC"
    case.note(now, request.name, "asked for", request.actor, request.body, token=SPOKEN_WITH.get())
    work.ladder.climb(spoken.said("it was asked for", "有人提出升级要求"), level=request.level)


def hear_arrival(work: Casework, news: Arrived) -> None:
    """Something came in that a person has to look at; no clock is touched."""
    case = work.case
    if case.stage is Stage.CLOSED:
        raise NotAllowed("the case is closed")
    told = _ARRIVED[news.what]
    case.note(workflow.now(), news.name, news.what, data=news.body)
    if news.what == "returned":
        case.address_in_doubt = case.address_in_doubt or news.letter or 0
    number = "" if news.letter is None else f" ({news.letter})"
    work.post.tell_staff(Role.HANDLER, told.en.format(letter=number), told.zh.format(letter=number))


def hear_of_people(work: Casework, news: PeopleChanged) -> None:
    """The case file looks again at who is kept out and who has the case, with the entry that is noted here."""
    case = work.case
    if case.stage is Stage.CLOSED:
        raise NotAllowed("the case is closed")
    if work.recorder.is_to_write(news.name):
        return  # what looks again looks once, however many say so
    case.note(workflow.now(), news.name, "whose hands the case is in is looked at again", data=news.body)


_ARRIVED: Final = {
    "unproven": spoken.said(
        "Somebody wrote to this case, and it is not proven that it was the customer. It waits in the intake.",
        "有人就本投诉来信，但尚未证实来信人为客户本人。来信已存于收件处，等待处理。",
    ),
    "returned": spoken.said(
        "A mail server sent a letter of this case{letter} back: the address is in doubt. A copy went by the next way on"
        " file, and so do letters until it is corrected.",
        "本投诉的一封信件{letter}被邮件服务器退回：客户的电子邮箱地址存疑。副本已改由下一渠道寄送，更正之前信件均按此办理。",
    ),
}


def hear_of_incident(work: Casework, request: IncidentChanged) -> None:
    """An incident that the case is about stands elsewhere now."""
    case = work.case
    if case.stage is Stage.CLOSED:
        raise NotAllowed("the case is closed")
    told = f"{request.incident} is at stage {request.stage.value}"
    case.note(workflow.now(), "incident", told, data=request.body)
    case.asked_checks = tuple(dict.fromkeys((*case.asked_checks, *request.checks)))
    look_again(case)
    if not case.to_investigate:
        at = spoken.INCIDENT_STAGES[request.stage]
        work.post.tell_staff(
            Role.HANDLER,
            f"The case is about incident {request.incident}: {at.en} now.",
            f"该投诉涉及事件 {request.incident}，该事件现状：{at.zh}。",
        )
