"""Commands about what is held of a person: erase it, keep it from being erased, hand it out."""

import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from starter.cli.access import Seen, read
from starter.cli.options import By, MessageId, actor, words
from starter.cli.program import Answer, app, command, invalid
from starter.reading.layout import facts, line, spoken, table, when

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from domain.keys.erasure import Certificate, Obstacle
    from starter.upkeep.erasing import Answered

erase = typer.Typer(help="Erase a person: one asks, a second person decides.", no_args_is_help=True)
app.add_typer(erase, name="erase", rich_help_panel="Run")
hold = typer.Typer(help="What must not be erased.", no_args_is_help=True)
app.add_typer(hold, name="hold", rich_help_panel="Run")

privacy = typer.Typer(help="What is held of a customer, to be handed out.", no_args_is_help=True)
app.add_typer(privacy, name="privacy", rich_help_panel="Look")

Case = Annotated[list[str] | None, typer.Option("--case", help="Another case of theirs. May be repeated.")]
Why = Annotated[str, typer.Option("--reason", help="Why (- reads standard input).")]
Subject = Annotated[str, typer.Argument(metavar="WHO", help="An account, or a case of somebody without one.")]
Erasure = Annotated[str, typer.Argument(metavar="ERASURE", help="As `redress erase list` names it.")]


@command(erase, "request")
def request(
    *,
    subject: Subject,
    case: Case = None,
    reason: Why,
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Ask for a customer to be erased, with all their cases. Nothing happens before a second person approves it."""
    from domain.keys.erasure import RequestErasure
    from runtime.settings import load_settings
    from starter.upkeep.erasing import ask

    asked = RequestErasure(
        message_id=message_id or f"erase-{uuid.uuid4()}",
        actor=actor(by),
        subject=subject,
        cases=tuple(case or ()),
        reason=words(reason, "--reason") or "",
    )
    made = read(lambda pool: ask(pool, load_settings(), asked))
    cases = ", ".join(made.cases) or "none"
    shown: list[RenderableType] = [line(f"{made.erasure}: {made.subject}, cases: {cases}", "bold")]
    shown += [line("As it stands it will be refused:"), *_obstacles(made.against)] if made.against else []
    return Answer(made, [*shown, line(f"Next: redress erase approve {made.erasure} --as ROLE:ID", "dim")])


@command(erase, "approve")
def approve(*, erasure: Erasure, reason: Why, by: By = None, message_id: MessageId = None) -> Answer:
    """Erase for good, or refuse with a letter and a day on which it is looked at again. For a second person."""
    return _decide(erasure, reason, by, message_id, approve=True)


@command(erase, "decline")
def decline(*, erasure: Erasure, reason: Why, by: By = None, message_id: MessageId = None) -> Answer:
    """Decline an erasure that somebody asked for. For a second person."""
    return _decide(erasure, reason, by, message_id, approve=False)


@command(erase, "list")
def list_() -> Answer:
    """Erasures, with the last step of each."""
    from starter.upkeep.erasing import erasures

    found = read(erasures)
    made = table("Erasure", "Step", "At (UTC)", "By", "Look again on", unbroken=["Erasure"])
    for one in found:
        row = (when(one["at"]), one["by"], str(one["data"].get("review_on", "")))
        made.add_row(line(one["erasure"]), one["step"], *row)
    return Answer(found, [made] if found else [line("Nobody was erased.")])


@command(erase, "show")
def show(*, erasure: Erasure) -> Answer:
    """The certificate of an erasure, or what stands against it."""
    from starter.upkeep.erasing import ErasureNotFound, erasures

    found = next((one for one in read(erasures) if one["erasure"] == erasure), None)
    if found is None:
        raise ErasureNotFound(f"there is no erasure {erasure}; `redress erase list` shows them")
    return Answer(found, [line(f"{erasure}: {found['step']}", "bold"), *_data_of(found["step"], found["data"])])


@command(erase, "schedule")
def schedule(
    *, hour: Annotated[int, typer.Option("--hour", min=0, max=23, help="When, each day, in UTC.")] = 3
) -> Answer:
    """Have cases erased by themselves once their pack has them kept no longer (a Temporal Schedule)."""
    from runtime.settings import load_settings
    from runtime.temporal import connect, run
    from starter.client.retention import schedule_retention

    async def make() -> bool:
        settings = load_settings()
        return await schedule_retention(await connect(settings), hour=hour, task_queue=settings.task_queue)

    replaced = run(make())
    said = f"looked for each day at {hour:02}:00 UTC{', in place of before' if replaced else ''}"
    return Answer({"hour": hour, "replaced": replaced}, [line(said)])


@command(privacy, "export")
def export(
    *,
    subject: Subject,
    case: Case = None,
    output: Annotated[Path, typer.Option("--output", metavar="FILE", help="A new file, .zip.")],
) -> Answer:
    """Write everything that is held of a customer into a file: as JSON, to read, and the files they sent."""
    from starter.reading.held import everything_of
    from starter.upkeep.handing_out import write_zip

    if output.exists():
        invalid("--output", f"{output} exists already; name a new file")
    found = read(
        lambda pool: everything_of(pool, subject, tuple(case or ())),
        lambda found: Seen("privacy export", found.cases),
    )
    names = write_zip(found, output)
    rows = {table: len(rows) for table, rows in found.tables.items()}
    shown = [line(f"{output}: {sum(rows.values())} rows of {len(rows)} tables, {len(names) - 2} files", "bold")]
    return Answer({"file": output, "cases": found.cases, "rows": rows}, shown)


@command(hold, "place")
def place(*, subject: Subject, reason: Why, by: By = None) -> Answer:
    """Keep what there is of an account or a case from being erased."""
    return _hold(subject, reason, by, placed=True)


@command(hold, "release")
def release(*, subject: Subject, reason: Why, by: By = None) -> Answer:
    """Let go of a hold."""
    return _hold(subject, reason, by, placed=False)


@command(hold, "list")
def list_holds() -> Answer:
    """What is held."""
    from starter.upkeep.erasing import holds

    found = read(holds)
    made = table("Who", "Since (UTC)", "By", "Why", unbroken=["Who"])
    for one in found:
        made.add_row(line(one["subject"]), when(one["at"]), one["by"], line(one["reason"]))
    return Answer(found, [made] if found else [line("Nothing is held.")])


def _hold(subject: str, reason: str, by: str | None, *, placed: bool) -> Answer:
    from runtime.settings import load_settings
    from starter.upkeep import erasing

    who, why = actor(by), (words(reason, "--reason") or "").strip()
    if not why:
        invalid("--reason", "say why; it stands in the record")
    read(lambda pool: erasing.hold(pool, load_settings(), subject, who, why, placed=placed))
    said = "is held: nothing of it is erased" if placed else "is no longer held"
    return Answer({"subject": subject, "held": placed}, [line(f"{subject} {said}")])


def _decide(erasure: str, reason: str, by: str | None, message_id: str | None, *, approve: bool) -> Answer:
    from domain.keys.erasure import DecideErasure
    from runtime.settings import load_settings
    from starter.upkeep.erasing import decide

    said = DecideErasure(
        message_id=message_id or f"decide-{uuid.uuid4()}",
        actor=actor(by),
        approve=approve,
        reason=words(reason, "--reason") or "",
    )
    made = read(lambda pool: decide(pool, load_settings(), erasure, said))
    return Answer(made, _answered(made))


def _answered(made: "Answered") -> "list[RenderableType]":
    if made.certificate:
        return [line(f"{made.erasure}: erased", "bold"), *_certificate(made.certificate)]
    if made.step == "refused":
        head = f"{made.erasure}: refused; it is looked at again on {made.review_on}. The customer is told."
        return [line(head, "bold"), *_obstacles(made.against)]
    return [line(f"{made.erasure}: {made.step}")]


def _certificate(one: "Certificate") -> "list[RenderableType]":
    told: dict[str, RenderableType | None] = {
        "cases": ", ".join(one.cases) or "none",
        "keys": f"{len(one.scopes)} destroyed at {when(one.erased_at)} UTC; in no backup from {one.backups_until} on",
        "removed": f"{one.index_rows} rows of indexes, {one.files} files of the outbox,"
        f" {one.rejected_rows} rows that imports had rejected",
        "by": f"{one.requested_by}, {one.approved_by}",
    }
    return [facts(told), line("What may remain:"), *(line(f"- {place}") for place in one.remains)]


def _data_of(step: str, data: "Mapping[str, Any]") -> "list[RenderableType]":
    """What was written down with a *step*, as it was told when it was taken."""
    from domain.keys.erasure import Certificate, Obstacle

    if step == "erased":
        return _certificate(Certificate.model_validate(data))
    if step == "refused":
        looked = line(f"It is looked at again on {data['review_on']}.")
        return [*_obstacles([Obstacle.model_validate(one) for one in data["against"]]), looked]
    told = {key: ", ".join(map(str, value)) if isinstance(value, list) else str(value) for key, value in data.items()}
    return [facts(told)]


def _obstacles(against: "Sequence[Obstacle]") -> "list[RenderableType]":
    return [
        line(f"- {spoken(one.why)}: {one.of}{f', until {one.until:%Y-%m-%d}' if one.until else ''}") for one in against
    ]
