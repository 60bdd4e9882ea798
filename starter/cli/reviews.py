"""``redress review``: closed cases that compliance looks at again, and what that teaches."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from starter.cli.access import Seen, read, signs
from starter.cli.actions import talk_to_temporal
from starter.cli.options import By, Reference, actor
from starter.cli.program import Answer, app, command, invalid
from starter.cli.reports import Zone, named_period
from starter.reading.layout import line, spoken, table, when

if TYPE_CHECKING:
    from domain.learning.reviewing import Review, ReviewOrder

review = typer.Typer(help="Closed cases that compliance looks at again.", no_args_is_help=True)
app.add_typer(review, name="review", rich_help_panel="Learn")

Period = Annotated[str, typer.Option("--period", metavar="PERIOD", help="The month that it was drawn for.")]
PerKind = Annotated[int, typer.Option("--per-kind", min=1, max=100, help="Cases of each kind.")]
Within = Annotated[int, typer.Option("--within", min=1, max=90, metavar="DAYS", help="Until when they are reviewed.")]


@command(review, "list")
def list_(
    *,
    period: Annotated[str | None, typer.Option("--period", metavar="PERIOD", help="Of this month only.")] = None,
    reviewer: Annotated[str | None, typer.Option("--reviewer", metavar="ID", help="Only whose they are.")] = None,
) -> Answer:
    """The cases that were drawn for review, and who reviews them by when."""
    from starter.client.reviews import Reviews

    now = datetime.now(UTC)
    found = [one for one in read(lambda pool: Reviews(pool).all(period)) if reviewer in {None, one.reviewer}]
    made = table("Case", "Period", "Kind", "Reviewer", "Due (UTC)", "State", unbroken=["Case"])
    data = []
    for one in found:
        state = one.state(now)
        data.append(one.model_dump(mode="json", include=_LISTED) | {"state": state})
        kind = one.stratum.replace("_", " ")
        made.add_row(one.reference, one.period, kind, one.reviewer or "nobody else", when(one.due), state)
    return Answer(data, [made if found else line("No case was drawn.")])


_LISTED = {"reference", "period", "stratum", "reviewer", "due"}


@command(review, "show")
def show(*, reference: Reference, period: Period) -> Answer:
    """The checklist of a review, and what was answered."""
    one = _one(reference, period)
    answered = one.reviewed.answers if one.reviewed else {}
    notes = {each.question: each for each in one.reviewed.findings} if one.reviewed else {}
    made = table("Question", "About", "Answer", "Finding")
    for each in one.rule.checklist if one.rule else ():
        found = notes.get(each.name)
        made.add_row(
            f"{each.name}: {each.question.en}",
            spoken(each.theme),
            spoken(answered[each.name]) if each.name in answered else "–",
            found.note if found else "",
        )
    return Answer(one, [made])


@command(review, "record")
def record(
    *,
    reference: Reference,
    period: Period,
    finding: Annotated[
        list[str] | None,
        typer.Option("--finding", metavar="QUESTION=NOTE", help="What is wrong, of a question that is not met."),
    ] = None,
    cause: Annotated[
        list[str] | None, typer.Option("--cause", metavar="QUESTION=CAUSE", help="The cause of a finding.")
    ] = None,
    not_applicable: Annotated[
        list[str] | None, typer.Option("--not-applicable", metavar="QUESTION", help="It does not arise.")
    ] = None,
    by: By = None,
) -> Answer:
    """Record a review: the questions of the checklist that nothing is said of are met."""
    from domain.ground.messages import NotAllowed
    from domain.learning.reviewing import Kept, ReviewFinding
    from starter.client.reviews import Reviews

    who, one = actor(by), _one(reference, period)
    notes, causes = _pairs(finding, "--finding"), _pairs(cause, "--cause")
    if unknown := sorted(causes.keys() - notes.keys()):
        invalid("--cause", f"{unknown[0]} has no finding; give it with --finding")
    answers = {each.name: Kept.MET for each in one.rule.checklist} if one.rule else {}
    answers |= dict.fromkeys(not_applicable or (), Kept.NOT_APPLICABLE) | dict.fromkeys(notes, Kept.NOT_MET)
    findings = [
        ReviewFinding.model_validate({"question": name, "note": note, "cause": causes.get(name)})
        for name, note in notes.items()
    ]
    try:
        said = read(lambda pool: Reviews(pool, signs()).record(one.reference, period, answers, findings, by=who))
    except NotAllowed as error:
        field, _, why = str(error).partition(": ")
        invalid(field, why)
    return Answer(said, [line(f"{one.reference} is reviewed: {len(findings)} finding(s)")])


@command(review, "notes")
def notes(
    *, period: Annotated[str | None, typer.Option("--period", metavar="PERIOD", help="Of this month only.")] = None
) -> Answer:
    """What reviewers found, by theme: notes for training."""
    from starter.client.reviews import Reviews

    found = read(lambda pool: Reviews(pool).notes(period), lambda _: Seen("review notes"))
    shown: list[Any] = []
    for theme, each in found.items():
        shown += [line(f"{spoken(theme)}: {len(each)}", "bold"), *(line(f"- {note}") for note in each)]
    return Answer(found, shown or [line("Reviews have found nothing yet.")])


@command(review, "draw")
def draw(*, zone: Zone = None, per_kind: PerKind = 5, within: Within = 14) -> Answer:
    """Draw cases closed last month for review now; a month is drawn once."""
    from starter.client.reviews import draw_now

    order = _order(zone, per_kind, within)
    name = talk_to_temporal(lambda client, queue: draw_now(client, order, task_queue=queue))
    return Answer({"workflow": name}, [line(f"{name} draws them and sees to their review")])


@command(review, "schedule")
def schedule(
    *,
    day: Annotated[int, typer.Option("--day", min=1, max=28, help="Of each month.")] = 2,
    hour: Annotated[int, typer.Option("--hour", min=0, max=23)] = 6,
    zone: Zone = None,
    per_kind: PerKind = 5,
    within: Within = 14,
) -> Answer:
    """Have cases drawn each month (a Temporal Schedule); reviewers are reminded, and late reviews raised."""
    from starter.client.reviews import schedule_reviews

    order = _order(zone, per_kind, within)
    made = lambda client, queue: schedule_reviews(client, order, day=day, hour=hour, task_queue=queue)  # noqa: E731
    replaced = talk_to_temporal(made)
    said = f"drawn on day {day} of each month at {hour:02}:00, {order.zone}" + (
        ", in place of before" if replaced else ""
    )
    return Answer({"day": day, "hour": hour, "zone": order.zone, "replaced": replaced}, [line(said)])


def _order(zone: str | None, per_kind: int, within: int) -> "ReviewOrder":
    from domain.learning.reviewing import ReviewOrder

    return ReviewOrder(zone=named_period("2026-01", zone).zone, per_kind=per_kind, within_days=within)


def _one(reference: str, period: str) -> "Review":
    from domain.ground.reference import parse_reference
    from starter.client.reviews import Reviews

    known = parse_reference(reference)
    found = read(lambda pool: Reviews(pool).all(period, known), lambda _: Seen("review", [known]))
    if not found:
        invalid("reference", "the case was not drawn for review in that period; redress review list shows them")
    return found[0]


def _pairs(given: list[str] | None, option: str) -> dict[str, str]:
    pairs = {}
    for one in given or ():
        name, sign, value = one.partition("=")
        if not sign:
            invalid(option, f"{one!r} has no =; write it as QUESTION=TEXT")
        pairs[name.strip()] = value.strip()
    return pairs
