"""``redress action``: what is done about causes; and the report that is mailed each month."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from starter.cli.access import Seen, read
from starter.cli.options import By, Language, MessageId, Tongue, actor
from starter.cli.program import Answer, Failed, InvalidInput, app, command, invalid
from starter.cli.reports import Zone, report
from starter.reading.layout import line, spoken, table, when

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from temporalio.client import Client

    from domain.learning.actions import ReportOrder
    from runtime.database import Pool
    from starter.reading.actions import ActionLine

action = typer.Typer(help="Corrective actions: what is done about causes.", no_args_is_help=True)
app.add_typer(action, name="action", rich_help_panel="Learn")

_WAIT: Final = 60.0  # seconds

ActionName = Annotated[str, typer.Argument(metavar="ACTION", help="Such as CA-QUOTES-1.")]


def talk_to_temporal(do: "Callable[[Client, str], Awaitable[Any]]") -> Any:
    """What *do* does with Temporal and its task queue. Raises ``NotAnswered`` and ``TemporalUnavailable``."""
    from temporalio.client import WorkflowUpdateRPCTimeoutOrCancelledError
    from temporalio.service import RPCError

    from runtime.connection import TemporalUnavailable
    from runtime.settings import load_settings
    from runtime.temporal import connect, run
    from starter.client.conversation import NotAnswered

    async def act() -> Any:
        settings = load_settings()
        client = await connect(settings)
        try:
            async with asyncio.timeout(_WAIT):
                return await do(client, settings.task_queue)
        except (WorkflowUpdateRPCTimeoutOrCancelledError, TimeoutError):
            raise NotAnswered(
                f"no worker answered within {_WAIT:.0f} s; what was asked for may still be done"
            ) from None
        except RPCError as error:
            raise TemporalUnavailable(f"Temporal: {error.message}") from None

    return run(act())


@command(action, "open")
def open_(
    *,
    name: ActionName,
    cause: Annotated[str, typer.Option("--cause", help="The cause that it is against.")],
    what: Annotated[str, typer.Option("--what", help="What is done, in one line.")],
    why: Annotated[str, typer.Option("--why", help="Why it should help.")],
    owner: Annotated[str, typer.Option("--owner", metavar="ID", help="Who does it.")],
    due: Annotated[str, typer.Option("--due", metavar="DAY", help="Until when, such as 2027-01-31.")],
    accounts: Annotated[int, typer.Option("--accounts", min=1, help="How many accounts there are.")],
    days: Annotated[int, typer.Option("--days", min=7, max=366, help="Days before and after that are compared.")] = 90,
    at_least: Annotated[str, typer.Option("--at-least", help="By what part the rate is to fall at least.")] = "0.3",
    case: Annotated[str | None, typer.Option("--case", metavar="REF", help="The case or incident behind it.")] = None,
    by: By = None,
) -> Answer:
    """Begin an action against a cause: owner, due day, and how its effect will be judged, fixed now."""
    from domain.learning.actions import CorrectiveAction
    from runtime.causes import load_causes
    from starter.client.actions import open_action

    if cause not in load_causes().ids:
        invalid("--cause", f"{cause!r} is not in the tree of causes; redress cause list shows it")
    begun = CorrectiveAction.model_validate(
        {
            "action": name,
            "cause": cause,
            "what": what,
            "why": why,
            "owner": owner,
            "due": due,
            "measure": {"days": days, "accounts": accounts, "at_least": at_least},
            "opened_at": datetime.now(UTC),
            "opened_by": actor(by),
            "case": case,
        }
    )
    if begun.due < begun.opened_at.date():
        invalid("--due", "it lies in the past")
    talk_to_temporal(lambda client, queue: open_action(client, begun, task_queue=queue))
    return Answer(begun, [line(f"{begun.action} against {begun.cause}, due {begun.due}")])


@command(action, "list")
def list_() -> Answer:
    """The actions, with their state and due day."""
    from starter.reports.making import standing_actions

    async def look(pool: "Pool") -> Any:
        return await standing_actions(pool, datetime.now(UTC))

    found = read(look)
    made = table("Action", "State", "Due", "Owner", "Cause", unbroken=["Action"])
    for one in found:
        made.add_row(one.action, one.state.value, str(one.due), one.owner, one.cause)
    return Answer(found, [made])


@command(action, "show")
def show(*, name: ActionName) -> Answer:
    """What was done about a cause, step by step, and whether it helped."""
    from starter.reading.actions import steps_of

    async def look(pool: "Pool") -> "list[ActionLine]":
        return await steps_of(pool, name)

    steps = read(look)
    if not steps:
        raise InvalidInput(f"action: there is no {name!r}; redress action list shows them")
    made = table("At", "Step", "By", "What", unbroken=["At"])
    for one in steps:
        made.add_row(when(one.at), one.step, one.by, _told(one.data, "; "))
    return Answer(steps, [made])


def _told(data: dict[str, Any], between: str) -> str:
    """What a step says, without what its row has already; what was measured in words, not in its numbers."""
    if words := data.get("words"):
        return "\n".join([*words.values(), *([f"due {data['due']}"] if "due" in data else [])])
    known = {name: value for name, value in data.items() if value is not None and name not in _BESIDE}
    said = {name: _told(value, ", ") if isinstance(value, dict) else value for name, value in known.items()}
    return between.join(f"{spoken(name)} {value}" for name, value in said.items())


_BESIDE: Final = frozenset({"action", "opened_at", "opened_by"})


@command(action, "done")
def done(
    *,
    name: ActionName,
    reason: Annotated[str, typer.Option("--reason", help="What was done.")],
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Say that an action is carried out. Its effect is measured later; without one it begins again."""
    return _end(name, "done", reason, by, message_id)


@command(action, "drop")
def drop(
    *,
    name: ActionName,
    reason: Annotated[str, typer.Option("--reason", help="Why.")],
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Give an action up."""
    return _end(name, "dropped", reason, by, message_id)


def _end(name: str, end: Any, reason: str, by: str | None, message_id: str | None) -> Answer:
    from starter.client.actions import ActionNotFound, end_action

    who = actor(by)
    try:
        talk_to_temporal(lambda client, _: end_action(client, name, end, reason, by=who, message_id=message_id))
    except ActionNotFound as error:
        raise Failed(str(error)) from None
    return Answer({"action": name, "step": end}, [line(f"{name}: {end}")])


@command(report, "schedule")
def schedule(
    *,
    day: Annotated[int, typer.Option("--day", min=1, max=28, help="Of each month.")] = 1,
    hour: Annotated[int, typer.Option("--hour", min=0, max=23)] = 6,
    zone: Zone = None,
) -> Answer:
    """Have the report on last month mailed each month (a Temporal Schedule), to whom REDRESS_REPORT_TO names."""
    from starter.client.actions import schedule_report

    order = _order(zone)
    replaced = talk_to_temporal(
        lambda client, queue: schedule_report(client, order, day=day, hour=hour, task_queue=queue)
    )
    said = f"mailed on day {day} of each month at {hour:02}:00, {order.zone}" + (
        ", in place of before" if replaced else ""
    )
    return Answer({"day": day, "hour": hour, "zone": order.zone, "replaced": replaced}, [line(said)])


@command(report, "mail")
def mail(*, zone: Zone = None) -> Answer:
    """Mail the report on last month now."""
    from starter.client.actions import mail_now

    order = _order(zone)
    name = talk_to_temporal(lambda client, queue: mail_now(client, order, task_queue=queue))
    return Answer({"period": name}, [line(f"the report on {name} was mailed")])


def _order(zone: str | None) -> "ReportOrder":
    from domain.learning.actions import ReportOrder
    from starter.cli.reports import named_period

    return ReportOrder(zone=named_period("2026-01", zone).zone)


@command(report, "options")
def options(
    *,
    language: Language = Tongue.EN,
    output: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write it there as CSV.")] = None,
) -> Answer:
    """The status table of complaints about binary options: who, when, what, by whom, and where it stands."""
    from starter.reading.actions import option_complaints
    from starter.reports.options import rows_of, to_csv

    found = read(option_complaints, lambda lines: Seen("report options", [one.number for one in lines]))
    if output:
        output.write_text(to_csv(found, language), encoding="utf-8")
    head, rows = rows_of(found, language)
    made = table(*head, unbroken=[head[0]])
    for row in rows:
        made.add_row(*row)
    return Answer(found, [made])
