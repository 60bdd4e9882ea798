"""What was received from outside: what waits, what needs a person, and having it dealt with again."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import RenderableType

from starter.cli.access import read, signs
from starter.cli.options import BRING_IN, By, Reference, actor, content_of, words
from starter.cli.program import Answer, InvalidInput, app, command, explain
from starter.reading.layout import line, table, when

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.case.complaint import Complaint
    from domain.intake.received import Unreadable
    from runtime.database import Pool
    from starter.reading.intake import Incoming

_Key = Annotated[str, typer.Argument(metavar="KEY", help="What it is kept under; the beginning is enough.")]
_Why = Annotated[str, typer.Option("--reason", help="Why; it stands in the record (- reads standard input).")]

intake = typer.Typer(help="What was received from outside.", no_args_is_help=True)
app.add_typer(intake, name="intake", rich_help_panel=BRING_IN)


@command(intake, "list")
def list_(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also what was dealt with, the newest first.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many at most.")] = 50,
) -> Answer:
    """What waits to be dealt with, and what needs a person."""
    from starter.reading.intake import list_incoming

    found = read(lambda pool: list_incoming(pool, everything=everything, limit=limit))
    return Answer(found, _table(found) if found else [line("Nothing waits, and nothing needs a person.", "green")])


@command(intake, "show")
def show(
    *,
    key: _Key,
    content: Annotated[bool, typer.Option("--content", help="Also what was sent, which is personal.")] = False,
) -> Answer:
    """One thing that was received, and what became of it."""
    from starter.reading.intake import content_of as sent_as
    from starter.reading.intake import show_incoming

    async def look(pool: "Pool") -> tuple["Incoming", str | None]:
        one = await show_incoming(pool, key)
        return one, (await sent_as(pool, one.key)).decode(errors="replace") if content else None

    one, sent = read(look)
    shown = [*_table([one]), line(f"key {one.key}", "dim")]
    if one.reason:
        shown.append(line(one.reason))
    if sent is not None:
        shown.append(line(sent))
    return Answer(one.model_dump(mode="json") | ({"content": sent} if sent is not None else {}), shown)


@command(intake, "regulator")
def regulator(
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE|-", help="A CSV as the CFPB has it; - is standard input.")],
) -> Answer:
    """Take in the complaints of a regulator's file. Each counts once, however often the file is given."""
    from domain.intake.received import Unreadable
    from domain.intake.regulators import complaints_in_csv

    text, name = content_of(file)
    try:
        return _taken_in(name, list(complaints_in_csv(text, datetime.now(UTC))))
    except Unreadable as error:
        raise InvalidInput(f"{name}: {error}") from None


@command(intake, "posts")
def posts(
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE|-", help="CSV or JSON; - is standard input.")],
    source: Annotated[str, typer.Option("--source", help="The platform, such as weibo.")],
    zone: Annotated[
        str | None, typer.Option("--zone", metavar="ZONE", help="Of times without an offset, such as Asia/Shanghai.")
    ] = None,
) -> Answer:
    """Take in complaints made in public, from an export of social media. Each post counts once."""
    from zoneinfo import ZoneInfo

    from domain.intake.posts import complaints_in_posts
    from domain.intake.received import Unreadable

    text, name = content_of(file)
    try:
        clock = ZoneInfo(zone) if zone else None
    except (KeyError, ValueError):
        raise InvalidInput(f"--zone: {zone} is no zone, such as Asia/Shanghai") from None
    try:
        return _taken_in(name, list(complaints_in_posts(text, source, datetime.now(UTC), clock)))
    except Unreadable as error:
        raise InvalidInput(f"{name}: {error}") from None


def _taken_in(name: str, found: "Sequence[Complaint | Unreadable]") -> Answer:
    from domain.intake.received import Unreadable

    good = [each for each in found if not isinstance(each, Unreadable)]
    bad = [str(each) for each in found if isinstance(each, Unreadable)]
    new = read(lambda pool: _take_in(pool, good))
    data = {"taken_in": new, "already_known": len(good) - new, "unreadable": bad}
    shown = [line(f"{new} complaints were taken in, {len(good) - new} were known."), *map(line, bad)]
    problem = explain(InvalidInput(f"{name}: {len(bad)} of {len(found)} complaints cannot be read")) if bad else None
    return Answer(data, shown, problem)


async def _take_in(pool: "Pool", complaints: "Sequence[Complaint]") -> int:
    from domain.intake.received import Door
    from starter.intake.receiving import receive_complaint

    taken = [await receive_complaint(pool, Door.FILE, complaint) for complaint in complaints]
    return sum(not one.already_known for one in taken)


@command(intake, "replay")
def replay(*, key: _Key, reason: _Why, by: By = None) -> Answer:
    """Have it dealt with again. What a case has heard it hears only once."""
    return _again(key, reason, by)


@command(intake, "vouch")
def vouch(*, key: _Key, reason: _Why, by: By = None) -> Answer:
    """Say that the customer wrote it, or somebody who may speak for them: then its case hears it, or is opened."""
    return _again(key, reason, by, vouched=True)


@command(intake, "assign")
def assign(
    *,
    key: _Key,
    reference: Reference,
    reason: _Why,
    by: By = None,
    vouched: Annotated[bool, typer.Option("--vouch", help="Say as well that the customer wrote it.")] = False,
) -> Answer:
    """Put it on a case, which then hears it; mail only if the customer is known to have written it."""
    return _again(key, reason, by, reference, vouched=vouched)


def _again(key: str, reason: str, by: str | None, reference: str | None = None, *, vouched: bool = False) -> Answer:
    from starter.reading.intake import replay as have_it_dealt_with

    who, why = actor(by), words(reason, "--reason") or ""
    one = read(
        lambda pool: have_it_dealt_with(pool, key, signs(), by=who, reason=why, reference=reference, vouched=vouched)
    )
    return Answer(one, [line(f"{one.key} is dealt with again."), *_table([one])])


def _table(found: "Sequence[Incoming]") -> list[RenderableType]:
    made = table("Key", "Received (UTC)", "By", "What", "Case", "What became of it", right=[])
    for one in found:
        ended = one.ending.value.replace("_", " ") if one.ending else ""
        times = "once" if one.tries == 1 else f"{one.tries} times"
        state = f"waits, offered {times}" if one.waits else ended
        case = one.ended_on or one.reference or ""
        made.add_row(one.key[:12], when(one.received_at), one.door, one.kind, case, state)
    return [made]
