"""Commands about what a case owes beside money, and about temporary relief."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from domain.ground.words import Remedy
from starter.cli.access import read
from starter.cli.acting import send
from starter.cli.case_pages import remedies
from starter.cli.options import By, MessageId, Reference, moment, one_of, words
from starter.cli.program import Answer, app, command
from starter.reading.layout import line

remedy = typer.Typer(help="What is owed to customers beside money, and temporary relief.", no_args_is_help=True)
app.add_typer(remedy, name="remedy", rich_help_panel="Act on a case")

_RELIEF = (Remedy.UNFREEZE, Remedy.SERVICE, Remedy.OTHER)


@command(remedy, "list")
def list_(
    *,
    reference: Annotated[str | None, typer.Argument(metavar="[REF]", help="One case, or all that owe.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many cases at most.")] = 200,
) -> Answer:
    """The remedies of a case; or what all open cases owe, the earliest due first."""
    from starter.reading.remedies import get_remedies

    now, asked = datetime.now(UTC), reference.strip().upper() if reference else None
    found = read(lambda pool: get_remedies(pool, now, reference=asked, limit=limit))
    return Answer(found, [remedies(found)] if found else [line("Nothing is owed beside money.")])


@command(remedy, "confirm")
def confirm(
    *,
    reference: Reference,
    number: Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="The remedy, as redress remedy list has it.")],
    proof: Annotated[str, typer.Option("--proof", help="What shows it (- reads standard input).")],
    lapsed: Annotated[
        bool, typer.Option("--lapsed", help="It is owed no longer though it was not carried out; the proof says why.")
    ] = False,
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Say that a remedy was carried out, or why it is owed no longer."""
    said = words(proof, "--proof")
    return send("confirm_remedy", reference, by, message_id, remedy=number, proof=said, lapsed=lapsed or None)


@command(remedy, "reassign")
def reassign(
    *,
    reference: Reference,
    number: Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="The remedy, as redress remedy list has it.")],
    to: Annotated[str, typer.Option("--to", metavar="ID", help="Who carries it out from now on.")],
    reason: Annotated[str | None, typer.Option("--reason", help="Why (- reads standard input).")] = None,
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Give a remedy to somebody else."""
    why = words(reason, "--reason")
    return send("reassign_remedy", reference, by, message_id, remedy=number, owner=to, reason=why)


@command(remedy, "relieve")
def relieve(
    *,
    reference: Reference,
    what: Annotated[str, typer.Option("--what", help="What is held or lifted meanwhile (- reads standard input).")],
    until: Annotated[str, typer.Option("--until", metavar="WHEN", help="When it ends, with offset.")],
    kind: Annotated[str, typer.Option("--kind", metavar="KIND", help=", ".join(_RELIEF))] = Remedy.OTHER.value,
    owner: Annotated[
        str | None, typer.Option("--owner", metavar="WHO", help="Who puts it in place; by default who has the case.")
    ] = None,
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Grant temporary relief while the case is looked into."""
    return send(
        "grant_relief",
        reference,
        by,
        message_id,
        what=words(what, "--what"),
        until=moment(until, "--until"),
        kind=one_of(Remedy, kind, "--kind"),
        owner=owner,
    )
