"""Pages about calendars, and about what is planned anew on them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from rich.console import RenderableType

from starter.reading.layout import NONE, line, table

if TYPE_CHECKING:
    from domain.clocks.calendar import Calendar
    from starter.upkeep.replanning import Replan, Untold


def section(title: str, content: Sequence[RenderableType]) -> list[RenderableType]:
    """*content* under a title; nothing where there is none."""
    return [line(f"\n{title}", "bold underline"), *content] if content else []


def calendar_line(calendar: "Calendar") -> str:
    """A calendar in one line."""
    place = calendar.country + (f"-{calendar.subdivision}" if calendar.subdivision else "")
    parts = [f"{calendar.id or 'of its own'}: {place}, {calendar.time_zone}"]
    if calendar.cut_off:
        parts.append(f"cut-off {calendar.cut_off:%H:%M}")
    parts.append(
        f"holidays known until {calendar.verified_until}" if calendar.verified_until else "holidays taken as they are"
    )
    parts += [f"closed {closure.day}{f' to {closure.until}' if closure.until else ''}" for closure in calendar.closures]
    parts += [f"worked {opening.day}" for opening in calendar.openings]
    return ", ".join(parts)


def calendar_list(calendars: "Mapping[str, Calendar]", today: date) -> list[RenderableType]:
    """Calendars and how long their holidays are known."""
    made = table("Calendar", "Place", "Time zone", "Known until", "Days left", right=["Days left"])
    for name, calendar in calendars.items():
        verified = calendar.verified_until
        left = (verified - today).days if verified else None
        style = "" if left is None or left > 60 else "bold red" if left < 0 else "yellow"
        made.add_row(
            line(name, "bold"),
            calendar.country + (f"-{calendar.subdivision}" if calendar.subdivision else ""),
            calendar.time_zone,
            str(verified or NONE),
            line(NONE if left is None else str(left), style),
        )
    return [made]


def calendar_year(
    calendar: "Calendar", year: int, closed: Iterable[tuple[date, str]], worked: Iterable[tuple[date, str]]
) -> list[RenderableType]:
    """The weekdays of a year that are not worked, and the days at the weekend that are."""
    shown: list[RenderableType] = [line(calendar_line(calendar), "bold")]
    for title, days in ((f"Closed in {year}, weekends aside", closed), (f"Worked at weekends in {year}", worked)):
        made = table("Day", "Why", unbroken=["Day"])
        for day, why in days:
            text = line(why)
            if calendar.verified_until and day > calendar.verified_until:
                text.append(" (not official yet)", "yellow")
            made.add_row(f"{day:%a %d %b}", text)
        shown += section(title, [made if made.row_count else line("None.")])
    if calendar.verified_until and date(year, 12, 31) > calendar.verified_until:
        shown.append(line(f"\nThe official holidays are known until {calendar.verified_until}.", "yellow"))
    if calendar.source:
        shown.append(line(f"\n{calendar.source}", "dim"))
    return shown


def replans(found: "Sequence[Replan]", untold: "Sequence[Untold]", *, dry_run: bool) -> list[RenderableType]:
    """What moves in which case, and how many stay as they are."""
    if not found:
        return [line("No open case is counted on an older version of these calendars.")]
    failed = {(one.reference, one.calendar): one.reason for one in untold}
    shown: list[RenderableType] = []
    made = table("Case", "Clock", "Due (UTC)", "", unbroken=["Case"])
    for replan in found:
        for move in replan.moves:
            if move.before == move.after:
                continue
            made.add_row(
                line(replan.reference),
                line(move.clock, "bold" if move.statutory else ""),
                f"{move.before:%Y-%m-%d %H:%M} → {move.after:%Y-%m-%d %H:%M}",
                line("provisional" if move.provisional else "certain now", "yellow" if move.provisional else "green"),
            )
    if made.row_count:
        shown.append(made)
    shown += [line(f"{reference}: {reason}", "red") for (reference, _), reason in failed.items()]
    moved = sum(replan.moved for replan in found)
    would = "would be " if dry_run else ""
    counted = f"{moved} moved, {len(found) - moved} unmoved, {len(untold)} not told"
    shown.append(line(f"{len(found)} case(s) {would}counted anew: {counted}."))
    if dry_run:
        shown.append(line("A dry run: nothing was written or sent.", "dim"))
    return shown
