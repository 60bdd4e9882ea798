"""``redress faq``: questions and answers for customers, learned from closed cases."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from starter.cli.access import read, signs
from starter.cli.options import By, actor, content_of
from starter.cli.program import Answer, app, command, invalid
from starter.reading.layout import line, spoken, table, whole

if TYPE_CHECKING:
    from domain.ground.people import Actor
    from domain.learning.articles import ArticleDecision
    from runtime.database import Pool

faq = typer.Typer(
    help="Questions and answers for customers: suggested by closed cases, approved in each language, withdrawn.",
    no_args_is_help=True,
)
app.add_typer(faq, name="faq", rich_help_panel="Learn")

Name = Annotated[str, typer.Argument(metavar="ARTICLE", help="Such as FAQ-WITHDRAWALS.")]
Reason = Annotated[str, typer.Option("--reason", help="Why.")]
_ANSWERS: Final = "A file with the question in its first line and the answer below."


@command(faq, "suggest")
def suggest() -> Answer:
    """What closed cases that people answered have in common and no article says yet, the most asked first."""
    from starter.client.articles import LOOKED_AT, Articles

    found = read(lambda pool: Articles(pool).suggest())
    made = table("Category", "Cause", "Outcomes", "Packs", "Cases", unbroken=["Cases"])
    for one in found:
        outcomes = ", ".join(f"{count} {outcome.replace('_', ' ')}" for outcome, count in one.outcomes.items())
        packs = ", ".join(f"{count} {pack}" for pack, count in one.policies.items())
        made.add_row(spoken(one.topic.category), one.topic.cause, outcomes, packs, "\n".join(one.cases))
    nothing = line("No three customers asked the same that no article answers.")
    return Answer(found, [made if found else nothing, line(f"Of the {LOOKED_AT:,} cases that closed last.", "dim")])


@command(faq, "draft")
def draft(
    *,
    category: Annotated[str, typer.Option("--category", help="As redress faq suggest has it.")],
    cause: Annotated[str, typer.Option("--cause", help="As redress faq suggest has it.")],
    output: Annotated[Path | None, typer.Option("--output", metavar="FOLDER", help="Write the files there.")] = None,
) -> Answer:
    """A first text on a suggested topic, in both languages, marked as a draft: edit it, then redress faq write."""
    from domain.learning.articles import Topic
    from starter.client.articles import Articles

    topic = Topic.model_validate({"category": category, "cause": cause})
    made = _told(lambda pool: Articles(pool).draft(topic))
    shown: list[Any] = []
    files = []
    for one in made.wordings:
        text = f"{one.question}\n{one.answer}\n"
        shown += [line(one.language, "bold"), line(text)]
        if output:
            output.mkdir(parents=True, exist_ok=True)
            path = output / f"{category}-{cause.replace('/', '-')}.{one.language}.txt"
            path.write_text(text, encoding="utf-8")
            files.append(str(path))
    shown += [line(f"It rests on {', '.join(made.cites) or 'no pack in force'} (--cites).", "dim"), *map(whole, files)]
    return Answer(made.model_dump(mode="json") | {"files": files}, shown)


@command(faq, "write")
def write(
    *,
    name: Name,
    category: Annotated[str, typer.Option("--category", help="As redress faq suggest has it.")],
    cause: Annotated[str, typer.Option("--cause", help="As redress faq suggest has it.")],
    owner: Annotated[str, typer.Option("--owner", metavar="ID", help="Who keeps it right.")],
    until: Annotated[str, typer.Option("--until", metavar="DAY", help="Until when it holds, such as 2027-11-30.")],
    en: Annotated[Path | None, typer.Option("--en", help=f"English: {_ANSWERS}")] = None,
    zh: Annotated[Path | None, typer.Option("--zh", help=f"Chinese: {_ANSWERS}")] = None,
    cites: Annotated[str, typer.Option("--cites", metavar="PACKS", help="Rules it rests on, with commas.")] = "",
    by: By = None,
) -> Answer:
    """Write an article, or write it anew. A second person approves each language before customers see it."""
    from domain.learning.articles import Topic, Wording
    from starter.client.articles import Articles

    files = {"en": en, "zh-CN": zh}
    wordings = [_wording(language, path) for language, path in files.items() if path]
    if not wordings:
        invalid("--en", "give the text in one language at least, with --en or --zh")
    topic = Topic.model_validate({"category": category, "cause": cause})
    who, packs = actor(by), [one.strip() for one in cites.split(",") if one.strip()]
    made = _told(
        lambda pool: Articles(pool, signs()).write(
            name,
            topic,
            [Wording.model_validate(one) for one in wordings],
            owner=owner,
            until=_day(until),
            policies=packs,
            by=who,
        )
    )
    said = f"{name} is written as version {made}; a second person approves it: redress faq approve {name} {made}"
    return Answer({"article": name, "version": made}, [line(said)])


@command(faq, "approve")
def approve(
    *,
    name: Name,
    version: Annotated[int, typer.Argument(metavar="VERSION", min=1, help="As redress faq show has it.")],
    language: Annotated[str, typer.Option("--language", metavar="LANGUAGE", help="en or zh-CN.")],
    reason: Reason,
    by: By = None,
) -> Answer:
    """Approve an article in a language. Whoever wrote it does not."""
    from domain.learning.articles import ArticleDecision

    return _decide(name, version, ArticleDecision.APPROVED, language, reason, actor(by))


@command(faq, "withdraw")
def withdraw(
    *,
    name: Name,
    version: Annotated[int, typer.Argument(metavar="VERSION", min=1, help="As redress faq show has it.")],
    reason: Reason,
    by: By = None,
) -> Answer:
    """Withdraw an article in all languages, at once."""
    from domain.learning.articles import ArticleDecision

    return _decide(name, version, ArticleDecision.WITHDRAWN, None, reason, actor(by))


@command(faq, "list")
def list_() -> Answer:
    """The articles, and whether customers see them, or why not."""
    from starter.client.articles import Articles, states_of

    now, found = datetime.now(UTC), read(lambda pool: Articles(pool).all())
    made = table("Article", "Version", "Owner", "Until", "State", right=["Version"])
    data = []
    for one in found:
        states = states_of(one, now)
        data.append(one.model_dump(mode="json") | {"states": states})
        told = "; ".join(f"{language}: {spoken(state)}" for language, state in states.items())
        made.add_row(one.article, str(one.version), one.written.owner, str(one.written.until), told)
    return Answer(data, [made if found else line("There are no articles yet; redress faq suggest has topics.")])


@command(faq, "show")
def show(*, name: Name) -> Answer:
    """An article: its wordings, what it rests on, who approved what."""
    from starter.client.articles import Articles, states_of

    one = next((each for each in read(lambda pool: Articles(pool).all()) if each.article == name), None)
    if one is None:
        invalid("article", f"there is no {name!r}; redress faq list shows them")
    states = states_of(one, datetime.now(UTC))
    shown: list[Any] = [line(f"{one.article}, version {one.version}, until {one.written.until}", "bold")]
    for each in one.written.wordings:
        shown.append(line(f"{each.language}: {spoken(states[each.language])}", "dim"))
        shown += [line(each.question), line(each.answer)]
    return Answer(one.model_dump(mode="json") | {"states": states}, [*shown, *map(whole, one.written.cases)])


def _decide(  # noqa: PLR0917 (what is decided, and by whom)
    name: str, version: int, decision: "ArticleDecision", language: str | None, reason: str, by: "Actor"
) -> Answer:
    from starter.client.articles import Articles

    if language not in {None, "en", "zh-CN"}:
        invalid("--language", f"{language!r} is neither en nor zh-CN")
    tongue: Any = language
    _told(lambda pool: Articles(pool, signs()).decide(name, version, decision, tongue, reason, by=by))
    said = f"{name} is {decision.value}{f' in {language}' if language else ''}"
    return Answer({"article": name, "decision": decision.value, "language": language}, [line(said)])


def _told(action: Any) -> Any:
    from domain.ground.messages import NotAllowed

    async def act(pool: "Pool") -> Any:
        return await action(pool)

    try:
        return read(act)
    except NotAllowed as error:
        field, _, why = str(error).partition(": ")
        invalid(field, why)


def _wording(language: str, path: Path) -> dict[str, str]:
    text, _ = content_of(path)
    question, _, answer = text.strip().partition("\n")
    return {"language": language, "question": question, "answer": answer}


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        invalid("--until", f"{text!r} is no day; write it as 2027-11-30")
