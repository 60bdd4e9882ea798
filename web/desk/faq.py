"""Questions and answers for customers at the desk: what could be written about, what was, and who approves it."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from pydantic import ValidationError
from starlette.responses import Response

from domain.ground.messages import NotAllowed
from domain.learning.articles import ArticleDecision, ArticleState, Topic, Wording
from runtime.causes import load_causes
from starter.client.articles import LOOKED_AT, Articles, states_of
from starter.client.drafting import Draft
from web.desk.frame import DESK, actor, eyes, shown, speaker
from web.desk.refusals import why_not
from web.desk.widgets import Unfit, unfit
from web.pages import NotFound
from web.permissions import staff
from web.visit import FieldError, Visit
from web.words import LANGUAGES

DECISIONS: Final = {
    "approve_en": (ArticleDecision.APPROVED, "en"),
    "approve_zh": (ArticleDecision.APPROVED, "zh-CN"),
    "withdraw": (ArticleDecision.WITHDRAWN, None),
}
_NAMED: Final = 12
"""So many cases of a topic are named."""
_FIELDS: Final = ("topic", "name", "owner", "until", "cites", "en_question", "en_answer", "zh_question", "zh_answer")


@DESK.get("/faq", staff())
async def faq(visit: Visit) -> Response:
    """All articles, and topics for more."""
    return await _page(visit)


@DESK.post("/faq", staff())
async def write(visit: Visit) -> Response:
    """Write an article, or write it anew."""
    category, _, cause = visit.text("topic").partition("|")
    try:
        until = date.fromisoformat(visit.text("until"))
    except ValueError:
        return await _page(visit, FieldError("until", "desk.wrong.day"))
    try:
        await _articles(visit).write(
            visit.text("name"),
            Topic.model_validate({"category": category, "cause": cause}),
            _wordings(visit),
            owner=visit.text("owner") or visit.staff.id,
            until=until,
            policies=[one.strip() for one in visit.text("cites").split(",") if one.strip()],
            by=actor(visit),
        )
    except (Unfit, NotAllowed, ValidationError) as error:
        return await _page(visit, *why_not(visit, error, ("name", *_FIELDS)))
    return visit.redirect("/desk/faq")


def _wordings(visit: Visit) -> list[Wording]:
    """What was typed, by language. Raises `Unfit`."""
    found, wrong = [], []
    for language in LANGUAGES:
        tongue = language.partition("-")[0]
        said = {name: visit.text(f"{tongue}_{name}") for name in ("question", "answer")}
        if any(said.values()):
            try:
                found.append(Wording.model_validate({"language": language, **said}))
            except ValidationError as error:
                wrong += unfit(error, [f"{tongue}_{name}" for name in said], within=f"{tongue}_")
    if wrong:
        raise Unfit(wrong)
    return found


@DESK.post("/faq/{article}", staff())
async def decide(visit: Visit) -> Response:
    """Approve an article in a language, or withdraw it."""
    if visit.path["article"] not in {one.article for one in await Articles(eyes(visit)).all()}:
        raise NotFound
    chosen, version = DECISIONS.get(visit.text("decision")), visit.text("version")
    if chosen is None or not version.isdecimal() or not visit.text("reason"):
        return await _page(visit, FieldError(f"reason-{visit.path['article']}", "desk.wrong.missing"))
    decision, language = chosen
    tongue: Any = language
    try:
        await _articles(visit).decide(
            visit.path["article"], int(version), decision, tongue, visit.text("reason"), by=actor(visit)
        )
    except (NotAllowed, ValidationError) as error:
        return await _page(visit, *why_not(visit, error, (f"reason-{visit.path['article']}",)))
    return visit.redirect("/desk/faq")


def _key(topic: Topic) -> str:
    """The topic as the form names it."""
    return f"{topic.category.value}|{topic.cause}"


def _drafted(draft: Draft) -> dict[str, str]:
    """The draft in the fields of the form."""
    fields = {"topic": _key(draft.topic), "cites": ", ".join(draft.cites)}
    for one in draft.wordings:
        tongue = one.language.partition("-")[0]
        fields |= {f"{tongue}_question": one.question, f"{tongue}_answer": one.answer}
    return fields


def _articles(visit: Visit) -> Articles:
    return Articles(eyes(visit), visit.doors.token_for(speaker(visit)))


async def _page(visit: Visit, *errors: FieldError) -> Response:
    articles = Articles(eyes(visit))
    found, topics = await articles.all(), await articles.suggest()
    typed = {name: visit.text(name) for name in _FIELDS}
    asked = visit.request.query_params.get("draft", "")
    if suggested := next((one for one in topics if asked and _key(one.topic) == asked), None):
        typed |= _drafted(await articles.drafted(suggested))
    visit.seen += [case for one in topics for case in one.cases[:_NAMED]]
    causes = load_causes()
    return shown(
        visit,
        "faq.html",
        articles=[(one, states_of(one, visit.now)) for one in found],
        decisions=_decisions,
        topics=topics,
        named=_NAMED,
        looked_at=LOOKED_AT,
        writable=[*(one.topic for one in topics), *(one.written.topic for one in found if not one.withdrawn)],
        title_of=lambda cause: said.in_language(visit.language) if (said := causes.title(cause)) else cause,
        typed=typed,
        key_of=_key,
        errors=errors,
    )


def _decisions(visit: Visit, states: Mapping[str, ArticleState]) -> list[tuple[str, str]]:
    """What can be decided: what is approved already is not approved again."""
    return [
        (name, visit.t(f"desk.faq.{name}"))
        for name, (_, language) in DECISIONS.items()
        if language is None or states.get(language) is ArticleState.NOT_APPROVED
    ]
