"""Where services are told by webhook what happened."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from starter.cli.access import read
from starter.cli.api import api
from starter.cli.options import By, actor
from starter.cli.program import Answer, command, invalid
from starter.reading.layout import line, table, when

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from starter.upkeep.subscriptions import Subscribed, Subscription

webhook = typer.Typer(help="Where services are told what happened to complaints.", no_args_is_help=True)
api.add_typer(webhook, name="webhook")

Known = Annotated[str, typer.Argument(metavar="SUBSCRIPTION", help="As `redress api webhook list` has it.")]


@command(webhook, "add")
def add(
    *,
    service: Annotated[
        str, typer.Argument(metavar="SERVICE", help="Its name, as in its keys: they say what it hears.")
    ],
    url: Annotated[str, typer.Argument(metavar="URL", help="Such as https://crm.example.com/hooks.")],
    event: Annotated[
        list[str] | None, typer.Option("--event", help="Such as responded or breached; repeat it. Default: all.")
    ] = None,
    by: By = None,
) -> Answer:
    """Have a service told, and print the secret that signs what it is told."""
    from pydantic import ValidationError

    from domain.case.complaint import explain
    from runtime.settings import load_settings
    from starter.upkeep.reached import NotThere
    from starter.upkeep.subscriptions import TOLD, NewSubscription, subscribe

    who, now, inside = actor(by), datetime.now(UTC), load_settings().hosts_of_webhooks
    if unknown := next((one for one in event or () if one not in TOLD), None):
        invalid("--event", f"there is no {unknown}; there are {', '.join(TOLD)}")
    try:
        new = NewSubscription.model_validate({"url": url, "events": tuple(event or ())})
    except ValidationError as error:
        invalid("URL", explain(error))
    try:
        return _shown(read(lambda pool: subscribe(pool, service, new, inside=inside, by=who, at=now)))
    except NotThere as error:
        invalid("URL", str(error))
    except ValidationError:
        invalid("SERVICE", "it must be letters, digits and . _ : / # - (no @), at most 100")


@command(webhook, "list")
def list_() -> Answer:
    """The subscriptions that there are and were, and what waits of each."""
    from starter.upkeep.subscriptions import list_subscriptions

    found = read(list_subscriptions)
    return Answer(found, _table(found) if found else [line("There are none: redress api webhook add SERVICE URL")])


@command(webhook, "rotate")
def rotate(*, known: Known) -> Answer:
    """Have another secret sign. The one before signs beside it for a day."""
    from starter.upkeep.subscriptions import rotate_secret

    now = datetime.now(UTC)
    return _shown(read(lambda pool: rotate_secret(pool, known, at=now)))


@command(webhook, "again")
def again(*, known: Known) -> Answer:
    """Send all that was not taken now, also what was tried for days and given up."""
    from starter.upkeep.subscriptions import send_again

    one = read(lambda pool: send_again(pool, known))
    return Answer(one, _table([one]))


@command(webhook, "end")
def end(*, known: Known, by: By = None) -> Answer:
    """Tell nothing more, not what waits either."""
    from starter.upkeep.subscriptions import end_subscription

    who, now = str(actor(by)), datetime.now(UTC)
    one = read(lambda pool: end_subscription(pool, known, by=who, at=now))
    return Answer(one, _table([one]))


def _shown(made: "Subscribed") -> Answer:
    return Answer(
        made.subscription.model_dump(mode="json") | {"secret": made.secret},
        [*_table([made.subscription]), line("The secret, which is not shown again:"), line(made.secret, "bold")],
    )


def _table(found: "Sequence[Subscription]") -> "list[RenderableType]":
    made = table(
        "Subscription",
        "Service",
        "Address",
        "Told last (UTC)",
        "Waiting",
        "Given up",
        "State",
        right=["Waiting", "Given up"],
    )
    for one in found:
        state = "tells"
        if one.ended_at:
            state = f"ended {when(one.ended_at)} by {one.ended_by}"
        elif one.failing_since:
            state = f"not taken since {when(one.failing_since)}: {one.failing}"
        told = when(one.told_at) if one.told_at else ""
        made.add_row(one.id, one.service, one.url, told, str(one.waiting), str(one.given_up), state)
    return [made]
