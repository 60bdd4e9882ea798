"""Commands about customers: finding them, and who complains."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from domain.ground.words import Scope
from starter.cli.access import Seen, read, signs
from starter.cli.acting import send
from starter.cli.options import By, MessageId, Reference, actor, words
from starter.cli.program import Answer, app, command, invalid
from starter.reading.layout import NONE, facts, line, spoken, table, when

if TYPE_CHECKING:
    from rich.console import RenderableType

    from domain.ground.people import Actor
    from domain.people.customers import Address, Preferences, Speaker
    from starter.client.customers import Customer

_SHORTEST = 2

customers = typer.Typer(help="Customers on file: who they are, and who may speak for them.", no_args_is_help=True)
app.add_typer(customers, name="customer", rich_help_panel="Act")


@command(app, "find", panel="Look")
def find(
    *,
    wanted: Annotated[str, typer.Argument(metavar="WHO", help="An account, an address, or a part of a name.")],
    limit: Annotated[int, typer.Option("--limit", min=1, max=1_000, help="How many customers at most.")] = 20,
) -> Answer:
    """A customer and all their cases, by account, e-mail address, telephone number or name."""
    from starter.reading.customers import find_customers

    if len(wanted.strip()) < _SHORTEST:
        invalid("WHO", f"give {_SHORTEST} characters or more")
    found = read(
        lambda pool: find_customers(pool, wanted, limit=limit),
        lambda found: Seen("find", [case.reference for one in found for case in one.cases]),
    )
    if not found:
        return Answer([], [line("Nobody is found.")])
    shown: list[RenderableType] = []
    for one in found:
        name = one.holder.name if one.holder else one.cases[0].name
        reach = one.holder.email if one.holder else one.cases[0].email
        shown.append(line(f"{name}  account {one.account or NONE}  {reach or 'no e-mail'}", "bold"))
        made = table("Case", "Received (UTC)", "Stage", "Category", "Outcome", "Handler", unbroken=["Case"])
        for case in one.cases:
            outcome = spoken(case.outcome) if case.outcome else NONE
            row = (when(case.received_at), spoken(case.stage), spoken(case.category or NONE), outcome)
            made.add_row(line(case.reference), *row, line(case.handler or NONE))
        shown += [made] if one.cases else [line("No case that you may see.", "dim")]
    return Answer(found, shown)


@command(customers, "verify")
def verify(
    *,
    reference: Reference,
    how: Annotated[str, typer.Option("--how", help="What proves it: a call to the number on file, an identity card.")],
    mismatch: Annotated[bool, typer.Option("--mismatch", help="It is somebody else than the customer.")] = False,
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Say who complains, after looking at the proof. Until then nothing is decided by rule or told of the account."""
    from domain.people.matching import IdentityState

    result = IdentityState.MISMATCH if mismatch else IdentityState.VERIFIED
    return send("verify_complainant", reference, by, message_id, result=result, how=words(how, "--how"))


_Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The trading account.")]


@command(customers, "show")
def show(*, account: _Account) -> Answer:
    """Who holds an account, under which verified addresses, and who may speak for them."""
    from starter.client.customers import Customers

    found = read(lambda pool: Customers(pool).show(account), lambda _: Seen("customer show"))
    if found is None:
        invalid("ACCOUNT", f"nobody is on file for {account}; `redress find` looks for names and addresses")
    return Answer(found, _page(found))


@command(customers, "import")
def import_(
    *,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Customers as TOML, or as CSV.", exists=True, dir_okay=False)
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    by: By = None,
) -> Answer:
    """Keep of customers what the file says: addresses, representatives, preferences, groups; of a CSV, who they are."""
    from starter.client.customers import Customers, CustomerUnknown, read_customers_file, too_many_spokespersons

    who = _staff(by)
    if file.suffix.lower() == ".csv":
        from starter.importing.formats.kinds import Kind
        from starter.importing.loading import import_file

        if dry_run:
            invalid("--dry-run", "is for TOML; a CSV is loaded, and loading it twice changes nothing")
        report = read(lambda pool: import_file(pool, file, kind=Kind.CUSTOMERS))
        return Answer(report, [line(f"{report.loaded} loaded, {report.duplicates} known, {report.rejected} rejected.")])
    content = read_customers_file(file)
    try:
        changes = read(lambda pool: Customers(pool, signs()).replace(content, by=who, dry_run=dry_run))
    except CustomerUnknown as error:
        invalid("FILE", str(error))
    warnings = too_many_spokespersons(content, datetime.now(UTC))
    shown: list[RenderableType] = [line(f"{one.what:<8} {one.kind} {one.id}") for one in changes]
    shown = shown or [line("It was like that already.")]
    return Answer(
        {"dry_run": dry_run, "changes": changes, "problems": warnings},
        [*shown, *(line(warning, "yellow") for warning in warnings)],
    )


@command(customers, "authorise")
def authorise(
    *,
    account: _Account,
    name: Annotated[str, typer.Option("--name", help="Who may speak for the customer.")],
    authority: Annotated[str, typer.Option("--authority", help="What that rests on: a power of attorney, an order.")],
    email: Annotated[str | None, typer.Option("--email", help="Their e-mail address.")] = None,
    phone: Annotated[str | None, typer.Option("--phone", help="Their telephone number.")] = None,
    scope: Annotated[list[Scope] | None, typer.Option("--may", help="What they may do; several times.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="DATE", help="From this day; today if left out.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="To this day; without end if left out.")
    ] = None,
    by: By = None,
) -> Answer:
    """Record who may speak for a customer, since when, and what for."""
    from pydantic import ValidationError

    from domain.case.complaint import explain
    from domain.people.customers import Speaker
    from starter.client.customers import Customers, CustomerUnknown

    who = _staff(by)
    given: dict[str, object] = {"name": name, "authority": authority, "email": email, "phone": phone, "last": until}
    given |= {"first": since or datetime.now(UTC).date(), "scope": scope or [Scope.COMPLAIN]}
    try:
        speaker = Speaker.model_validate(given)
        kept = read(lambda pool: Customers(pool, signs()).authorise(account, speaker, by=who))
    except ValidationError as error:
        invalid("authorise", explain(error))
    except CustomerUnknown as error:
        invalid("ACCOUNT", str(error))
    return Answer(kept, [line(f"{name} may {_scopes(speaker)} for the customer of {account}.")])


def _staff(by: str | None) -> "Actor":
    who = actor(by)
    if not who.role.is_staff:
        invalid("--as", f"role {who.role.value} may not change who is on file; staff may")
    return who


def _scopes(speaker: "Speaker") -> str:
    return " and ".join(scope.value for scope in speaker.scope)


def _page(found: "Customer") -> "list[RenderableType]":
    one = found.on_file
    wishes = one.preferences
    said = [f"{speaker.name} ({speaker.authority}; {_scopes(speaker)})" for speaker in one.representatives]
    groups = [f"{group.id}, {len(group.accounts)} accounts" for group in found.groups]
    return [
        line(one.name, "bold"),
        facts(
            {
                "Account": one.account,
                "Addresses": "; ".join(map(_address, one.addresses)) or NONE,
                "Speak for them": "; ".join(said) or NONE,
                "Groups": "; ".join(groups) or NONE,
                "Letters": f"{_by(wishes)}times of {wishes.zone or 'the policy pack'}",
            }
        ),
    ]


def _address(one: "Address") -> str:
    how = f"verified {one.at:%Y-%m-%d}, {one.how}" if one.at else "not verified"
    return f"{one.email or one.phone} ({how})"


def _by(wishes: "Preferences") -> str:
    return "by post, " if wishes.by_post else "by message, " if wishes.by_message else ""
