"""Commands about calendars: which days are worked, how long that is known, and counting anew once it is longer."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from starter.cli.access import database, read, talk
from starter.cli.calendar_pages import calendar_list, calendar_year, replans
from starter.cli.options import By, actor
from starter.cli.program import Answer, ExitCode, Problem, app, command, invalid

if TYPE_CHECKING:
    from domain.clocks.calendar import Calendar
    from domain.ground.people import Actor
    from starter.client.complaints import Complaints
    from starter.upkeep.replanning import Replan, Untold

calendar = typer.Typer(help="Calendars: the days on which business days are counted.", no_args_is_help=True)
app.add_typer(calendar, name="calendar", rich_help_panel="Look")


@command(calendar, "list")
def list_() -> Answer:
    """The calendars there are, and how long their official holidays are known."""
    from starter.upkeep.replanning import known_calendars

    today = datetime.now(UTC).date()
    calendars = known_calendars()
    data = [
        {
            "id": name,
            "country": one.country,
            "subdivision": one.subdivision,
            "time_zone": one.time_zone,
            "verified_until": one.verified_until,
            "days_left": (one.verified_until - today).days if one.verified_until else None,
            "hash": one.hash,
        }
        for name, one in calendars.items()
    ]
    return Answer(data, calendar_list(calendars, today))


@command(calendar, "show")
def show(
    *,
    calendar_id: Annotated[str, typer.Argument(metavar="ID", help="The calendar, such as gb-england.")],
    year: Annotated[int | None, typer.Option("--year", min=1990, max=2100, help="Otherwise this year.")] = None,
) -> Answer:
    """The weekdays of a year that are not worked, and the days at the weekend that are, with the reasons."""
    (one,) = _calendars([calendar_id]).values()
    year = year or datetime.now(UTC).year
    closed, worked = list(_closed(one, year)), list(_worked(one, year))
    data = {
        **one.model_dump(mode="json"),
        "hash": one.hash,
        "year": year,
        "closed_weekdays": [{"day": day, "why": why} for day, why in closed],
        "worked_weekend_days": [{"day": day, "why": why} for day, why in worked],
    }
    return Answer(data, calendar_year(one, year, closed, worked))


@command(calendar, "replan")
def replan(
    *,
    calendar_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID...]", help="Calendars that were extended; otherwise all.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would move.")] = False,
    by: By = None,
) -> Answer:
    """Count provisional deadlines of open cases anew, on calendars that are known for longer by now.

    What a rule has fixed stays: of statutory deadlines only provisional ones move. Repeated, nothing counts twice.
    """
    from starter.upkeep.replanning import find_replans

    who = None if dry_run else actor(by)
    calendars = _calendars(calendar_ids)
    found = read(lambda pool: find_replans(pool, calendars, datetime.now(UTC)))
    untold = talk(lambda complaints: _tell(complaints, calendars, found, who)) if found and who else []
    moved = sum(one.moved for one in found)
    data = {
        "dry_run": dry_run,
        "cases": found,
        "moved": moved,
        "unmoved": len(found) - moved,
        "failed": untold,
    }
    problem = None
    if untold:
        text = f"{len(untold)} of {len(found)} cases could not be told; repeat the command, it counts once"
        problem = Problem("failed", ExitCode.FAILED, text)
    return Answer(data, replans(found, untold, dry_run=dry_run), problem)


async def _tell(
    complaints: "Complaints", calendars: "Mapping[str, Calendar]", found: "Sequence[Replan]", by: "Actor"
) -> "list[Untold]":
    from starter.upkeep.replanning import add_calendar, tell

    async with database() as pool:
        for name in sorted({one.calendar for one in found}):
            await add_calendar(pool, calendars[name], by)
    return await tell(complaints, found, by)


def _calendars(names: "Sequence[str] | None") -> "dict[str, Calendar]":
    """The calendars of these names, or all. Raises :class:`~starter.cli.program.InvalidInput`."""
    from starter.upkeep.replanning import known_calendars

    known = known_calendars()
    for name in names or ():
        if name not in known:
            invalid("ID", f"there is no calendar {name!r}; there are {', '.join(known) or 'none'}")
    return {name: one for name, one in known.items() if not names or name in names}


def _year(year: int) -> Iterator[date]:
    return (
        date(year, 1, 1) + timedelta(days=number) for number in range((date(year + 1, 1, 1) - date(year, 1, 1)).days)
    )


def _closed(one: "Calendar", year: int) -> Iterator[tuple[date, str]]:
    from domain.clocks.business_days import closed_because

    for day in _year(year):
        why = closed_because(one, day)
        if why and why != f"{day:%A}":
            yield day, why


def _worked(one: "Calendar", year: int) -> Iterator[tuple[date, str]]:
    from domain.clocks.business_days import closed_because

    weekend = {day.weekday() for day in _year(year) if closed_because(one, day) == f"{day:%A}"}
    openings = {opening.day: opening.why for opening in one.openings}
    for day in _year(year):
        if day.weekday() in weekend and closed_because(one, day) is None:
            yield day, openings.get(day, f"working {day:%A}")
