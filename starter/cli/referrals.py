"""Commands about what is before an ombudsman, a mediator, a court of arbitration or a regulator."""

from typing import Annotated

import typer

from domain.ground.words import Outcome, ReferralStep, Remedy
from starter.cli.access import read
from starter.cli.acting import send
from starter.cli.case_pages import referrals
from starter.cli.options import By, MessageId, Reference, moment, money, one_of, words
from starter.cli.program import Answer, app, command
from starter.reading.layout import line

referral = typer.Typer(help="What customers have brought before outside bodies.", no_args_is_help=True)
app.add_typer(referral, name="referral", rich_help_panel="Act on a case")

_WHEN = "When, with offset, such as 2026-03-02T09:00:00+08:00."


@command(referral, "list")
def list_(
    *,
    reference: Annotated[str | None, typer.Argument(metavar="[REF]", help="One case, or all.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many at most.")] = 200,
) -> Answer:
    """The referrals of a case; or all that are open."""
    from starter.reading.referrals import get_referrals

    asked = reference.strip().upper() if reference else None
    found = read(lambda pool: get_referrals(pool, reference=asked, limit=limit))
    return Answer(found, [referrals(found)] if found else [line("Nothing is before an outside body.")])


@command(referral, "record")
def record(
    *,
    reference: Reference,
    route: Annotated[str, typer.Option("--route", metavar="NAME", help="The route, as in the policy pack.")],
    at: Annotated[str, typer.Option("--at", metavar="TIME", help=_WHEN)],
    outside_reference: Annotated[
        str | None, typer.Option("--outside-reference", metavar="ID", help="The number it has there.")
    ] = None,
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Record that the customer turned to an ombudsman or another outside body."""
    said = {"route": route, "referred_at": at, "outside_reference": outside_reference}
    return send("record_referral", reference, by, message_id, **said)


@command(referral, "report")
def report(
    *,
    reference: Reference,
    number: Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="As redress referral list says.")],
    step: Annotated[str, typer.Argument(metavar="STEP", help=", ".join(ReferralStep))],
    at: Annotated[str, typer.Option("--at", metavar="TIME", help=_WHEN)],
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="TIME", help="By when the file is wanted or it is carried out."),
    ] = None,
    what: Annotated[
        str | None,
        typer.Option("--what", help="What was handed over, decided or agreed, or how it ended (- reads stdin)."),
    ] = None,
    outcome: Annotated[str | None, typer.Option("--outcome", help="upheld, partly_upheld or not_upheld.")] = None,
    award: Annotated[str | None, typer.Option("--award", metavar="MONEY", help="What is still to be paid.")] = None,
    remedy: Annotated[list[str] | None, typer.Option("--remedy", help="Given as well; may be repeated.")] = None,
    accepted: Annotated[
        bool | None,
        typer.Option("--accepted/--refused", help="Whether it binds us; left out: not known yet."),
    ] = None,
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Say how a referral goes on: the file, a decision, the customer's answer to it, its end."""
    return send(
        "report_referral",
        reference,
        by,
        message_id,
        referral=number,
        step=one_of(ReferralStep, step, "STEP"),
        at=moment(at, "--at"),
        until=moment(until, "--until") if until else None,
        what=words(what, "--what") if what else None,
        outcome=one_of(Outcome, outcome, "--outcome") if outcome else None,
        award=money(award, "--award") if award else None,
        remedies=[one_of(Remedy, one, "--remedy") for one in remedy or ()],
        accepted=accepted,
    )
