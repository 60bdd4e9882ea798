"""Commands about signs: what whoever handles a case should know of the customer."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from domain.ground.words import Confidence, Driver, SignKind, SignStep
from starter.cli.access import read
from starter.cli.acting import send
from starter.cli.options import By, MessageId, Reference, moment, words
from starter.cli.program import Answer, app, command
from starter.reading.layout import NONE, line, spoken, table, when

signs = typer.Typer(help="Signs: what whoever handles a case should know.", no_args_is_help=True)
app.add_typer(signs, name="sign", rich_help_panel="Act")


class _Say(StrEnum):
    RAISE = "raise"
    CONFIRM = "confirm"
    WITHDRAW = "withdraw"


_STEPS = {_Say.RAISE: SignStep.RAISED, _Say.CONFIRM: SignStep.CONFIRMED, _Say.WITHDRAW: SignStep.WITHDRAWN}


@command(signs, "note")
def note(
    *,
    reference: Reference,
    say: Annotated[_Say, typer.Argument(help="What becomes of it.")],
    kind: Annotated[SignKind, typer.Argument(help="What it is a sign of.")],
    rests_on: Annotated[list[str], typer.Option("--rests-on", help="A word or fact it rests on; several times.")],
    driver: Annotated[Driver | None, typer.Option("--driver", help="Of vulnerability: what makes it.")] = None,
    confidence: Annotated[Confidence, typer.Option("--confidence", help="How sure it is.")] = Confidence.CERTAIN,
    valid_until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="When it is to be looked at again.")
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why.")] = None,
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Raise, confirm or withdraw a sign. It changes order and care, never the outcome."""
    until: datetime | None = moment(valid_until, "--until") if valid_until else None
    sign = {"kind": kind, "driver": driver, "rests_on": rests_on, "confidence": confidence, "valid_until": until}
    said = words(reason, "--reason") if reason else None
    return send("note_sign", reference, by, message_id, step=_STEPS[say], sign=sign, reason=said)


@command(signs, "list")
def list_(*, reference: Reference) -> Answer:
    """The signs that stand in a case, with what they rest on."""
    from domain.ground.reference import parse_reference
    from starter.reading.hands import read_signs

    found = read(lambda pool: read_signs(pool, parse_reference(reference)))
    if not found:
        return Answer([], [line("No sign stands in the case.")])
    made = table("Sign", "Rests on", "How sure", "Since (UTC)", "Said by", "Until", unbroken=["Since (UTC)"])
    for one in found:
        driver = f" ({spoken(one.sign.driver)})" if one.sign.driver else ""
        made.add_row(
            line(f"{spoken(one.sign.kind)}{driver}", "bold"),
            line("; ".join(one.sign.rests_on)),
            spoken(one.sign.confidence),
            when(one.raised_at),
            line(str(one.confirmed_by or one.raised_by)),
            when(one.sign.valid_until) if one.sign.valid_until else NONE,
        )
    return Answer(found, [made])
