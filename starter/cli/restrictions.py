"""Commands about contact restrictions: how a customer is dealt with for a time, and who decided that."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from domain.ground.words import ContactForm
from starter.cli.access import Seen, read, signs
from starter.cli.options import By, Reference, actor, moment, one_of, words
from starter.cli.program import Answer, app, command, invalid
from starter.reading.layout import exactly, line, spoken, table

if TYPE_CHECKING:
    from rich.table import Table

    from domain.people.restrictions import Restriction

restriction = typer.Typer(
    help="Contact restrictions: proposed with reasons, approved high up, limited in form and time, reviewed.",
    no_args_is_help=True,
)
app.add_typer(restriction, name="restriction", rich_help_panel="Act")

_Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The customer's trading account.")]
_Number = Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="As redress restriction list has it.")]
_Reasons = Annotated[str, typer.Option("--reasons", help="Why (- reads standard input).")]


@command(restriction, "list")
def list_(
    *,
    account: Annotated[
        str | None, typer.Argument(metavar="[ACCOUNT]", help="The customer's trading account, or a case of theirs.")
    ] = None,
) -> Answer:
    """The contact restrictions of a customer, or all."""
    from starter.client.restrictions import Restrictions

    now = datetime.now(UTC)
    found = read(lambda pool: Restrictions(pool).show(account), lambda _: Seen("restriction list"))
    data = [
        one.model_dump(mode="json") | {"account": of, "state": one.state(now), "ends": one.ends}
        for of, each in found.items()
        for one in each
    ]
    return Answer(data, [_table(found, now)] if data else [line("Nobody's contact is restricted.")])


@command(restriction, "propose")
def propose(
    *,
    reference: Reference,
    form: Annotated[str, typer.Argument(metavar="FORM", help=", ".join(ContactForm))],
    reasons: _Reasons,
    until: Annotated[str, typer.Option("--until", metavar="WHEN", help="When it ends at the latest, with offset.")],
    contact: Annotated[
        str | None, typer.Option("--contact", metavar="ID", help="Of one_person: who deals with the customer.")
    ] = None,
    by: By = None,
) -> Answer:
    """Propose that the customer of the case be dealt with in this form only. It holds once it is approved."""
    from domain.ground.messages import NotAllowed
    from domain.ground.reference import parse_reference
    from starter.client.restrictions import Restrictions

    who, known, kind = actor(by), parse_reference(reference), one_of(ContactForm, form, "FORM")
    why, end = words(reasons, "--reasons") or "", moment(until, "--until").astimezone(UTC)
    try:
        made = read(
            lambda pool: Restrictions(pool, signs()).propose(known, kind, why, until=end, by=who, contact=contact)
        )
    except NotAllowed as error:
        invalid("propose", str(error))
    return Answer(made, [line(f"Restriction {made.number} is proposed; a second person approves it.")])


@command(restriction, "approve")
def approve(*, account: _Account, number: _Number, reasons: _Reasons, by: By = None) -> Answer:
    """Approve a restriction that somebody else proposed."""
    return _decide(account, number, "approved", reasons, by)


@command(restriction, "return")
def return_(*, account: _Account, number: _Number, reasons: _Reasons, by: By = None) -> Answer:
    """Return a proposed restriction: it does not come about."""
    return _decide(account, number, "returned", reasons, by)


@command(restriction, "keep")
def keep(*, account: _Account, number: _Number, reasons: _Reasons, by: By = None) -> Answer:
    """Say after a review that a restriction goes on."""
    return _decide(account, number, "kept", reasons, by)


@command(restriction, "lift")
def lift(*, account: _Account, number: _Number, reasons: _Reasons, by: By = None) -> Answer:
    """Lift a restriction."""
    return _decide(account, number, "lifted", reasons, by)


def _decide(account: str, number: int, step: str, reasons: str, by: str | None) -> Answer:
    from domain.ground.messages import NotAllowed
    from domain.people.restrictions import RestrictionStep
    from starter.client.restrictions import Restrictions

    who, why = actor(by), words(reasons, "--reasons") or ""
    try:
        made = read(
            lambda pool: Restrictions(pool, signs()).decide(account, number, RestrictionStep(step), why, by=who)
        )
    except NotAllowed as error:
        invalid(step, str(error))
    now = datetime.now(UTC)
    ends = f", until {exactly(made.ends)}" if made.in_force(now) else ""
    return Answer(made, [line(f"Restriction {number} of {account} is {made.state(now)}{ends}.")])


def _table(found: "Mapping[str, Sequence[Restriction]]", now: datetime) -> "Table":
    made = table("Account", "No.", "Form", "State", "Ends (UTC)", "Proposed by", "Approved by", "Case", right=["No."])
    for account, each in found.items():
        for one in each:
            form = f"{spoken(one.form)}{f': {one.contact}' if one.contact else ''}"
            row = (str(one.number), form, one.state(now), exactly(one.ends), str(one.proposed_by))
            made.add_row(line(account, "bold"), *row, str(one.approved_by or "–"), line(one.reference))
    return made
