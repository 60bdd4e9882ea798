"""``redress process``: the complaints process itself, which people look at again at fixed times."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from starter.cli.access import read, signs
from starter.cli.actions import talk_to_temporal
from starter.cli.options import By, actor
from starter.cli.program import Answer, app, command, invalid
from starter.cli.reports import Zone, named_period
from starter.reading.layout import line, spoken, table, when

if TYPE_CHECKING:
    from domain.learning.process import ProcessReviewOrder

process = typer.Typer(help="The complaints process, reviewed at fixed times.", no_args_is_help=True)
app.add_typer(process, name="process", rich_help_panel="Learn")

Every = Annotated[str, typer.Option("--every", metavar="LENGTH", help="quarter, half-year or year.")]
Within = Annotated[int, typer.Option("--within", min=7, max=180, metavar="DAYS", help="Until when it is done.")]


@command(process, "list")
def list_() -> Answer:
    """The reviews that were asked for: until when, whether they are done, what is to change."""
    from starter.client.process import ProcessReviews

    now = datetime.now(UTC)
    found = read(lambda pool: ProcessReviews(pool).all())
    made = table("Period", "Due (UTC)", "State", "By", "Found", "To change")
    for one in found:
        said = one.done
        told = (str(said.actor), said.found, "\n".join(said.changes) or "nothing") if said else ("", "", "")
        made.add_row(one.period, when(one.due), spoken(one.state(now)), *told)
    data = [one.model_dump(mode="json") | {"state": one.state(now).value} for one in found]
    return Answer(data, [made if found else line("No review of the process was asked for.")])


@command(process, "record")
def record(
    *,
    period: Annotated[str, typer.Argument(metavar="PERIOD", help="As 2026-H2.")],
    found: Annotated[str, typer.Option("--found", metavar="TEXT", help="What was looked at and found.")],
    change: Annotated[
        list[str] | None, typer.Option("--change", metavar="TEXT", help="What is to change; may be given again.")
    ] = None,
    by: By = None,
) -> Answer:
    """Say what the review of the process found and what is to change. It names no customer."""
    from pydantic import ValidationError

    from domain.case.complaint import explain
    from domain.ground.messages import NotAllowed
    from starter.client.process import ProcessReviews

    who = actor(by)
    try:
        said = read(lambda pool: ProcessReviews(pool, signs()).record(period, found, change or (), by=who))
    except (NotAllowed, ValidationError) as error:
        field, _, why = (explain(error) if isinstance(error, ValidationError) else str(error)).partition(": ")
        invalid(field, why)
    return Answer(said, [line(f"the process is reviewed for {period}: {len(said.changes)} change(s)")])


@command(process, "ask")
def ask(*, every: Every = "half-year", zone: Zone = None, within: Within = 30) -> Answer:
    """Ask for the review of the period before now; a period is asked for once."""
    from starter.client.process import ask_now

    order = _order(every, zone, within)
    name = talk_to_temporal(lambda client, queue: ask_now(client, order, task_queue=queue))
    return Answer({"workflow": name}, [line(f"{name} asks for it and sees that it is done")])


@command(process, "schedule")
def schedule(
    *,
    every: Every = "half-year",
    day: Annotated[int, typer.Option("--day", min=1, max=28, help="Of the first month after.")] = 5,
    hour: Annotated[int, typer.Option("--hour", min=0, max=23)] = 6,
    zone: Zone = None,
    within: Within = 30,
) -> Answer:
    """Have the process reviewed after each period (a Temporal Schedule); it is reminded of, and raised while late."""
    from starter.client.process import schedule_process_reviews

    order = _order(every, zone, within)
    made = lambda client, queue: schedule_process_reviews(client, order, day=day, hour=hour, task_queue=queue)  # noqa: E731
    replaced = talk_to_temporal(made)
    said = f"asked for on day {day} after each {every}, at {hour:02}:00, {order.zone}"
    said += ", in place of before" if replaced else ""
    return Answer({"every": every, "day": day, "hour": hour, "zone": order.zone, "replaced": replaced}, [line(said)])


def _order(every: str, zone: str | None, within: int) -> "ProcessReviewOrder":
    from pydantic import ValidationError

    from domain.learning.process import ProcessReviewOrder

    days = named_period("2026-01", zone).zone
    try:
        return ProcessReviewOrder.model_validate(
            {"length": every.replace("-", "_"), "zone": days, "within_days": within}
        )
    except ValidationError:
        invalid("--every", f"{every!r} is none; write quarter, half-year or year")
