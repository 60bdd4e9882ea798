"""Keys for services that use the API."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from starter.cli.access import read
from starter.cli.options import By, actor
from starter.cli.program import Answer, app, command, invalid
from starter.reading.layout import line, table, when

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from starter.upkeep.api_keys import ApiKey

api = typer.Typer(help="Programs that use the API.", no_args_is_help=True)
app.add_typer(api, name="api", rich_help_panel="Run")
key = typer.Typer(help="Keys of services.", no_args_is_help=True)
api.add_typer(key, name="key")


@command(key, "add")
def add(
    *,
    service: Annotated[
        str, typer.Argument(metavar="SERVICE", help="Its name, the source of the complaints that it submits.")
    ],
    scope: Annotated[list[str], typer.Option("--scope", help="What it may do; repeat it for several.")],
    days: Annotated[int | None, typer.Option("--days", min=1, max=3660, help="Valid for so many days.")] = None,
    by: By = None,
) -> Answer:
    """Make a key and print it, this once: only its hash is kept."""
    from pydantic import ValidationError

    from starter.upkeep.api_keys import Scope, make_key

    known = set(Scope)
    if unknown := next((one for one in scope if one not in known), None):
        invalid("--scope", f"there is no {unknown}; there are {', '.join(Scope)}")
    who, now = actor(by), datetime.now(UTC)
    ends_at = now + timedelta(days=days) if days else None
    scopes = [Scope(one) for one in scope]
    try:
        made = read(lambda pool: make_key(pool, service, scopes, by=who, at=now, ends_at=ends_at))
    except ValidationError:
        invalid("SERVICE", "it must be letters, digits and . _ : / # - (no @), at most 100")
    return Answer(
        made.key.model_dump(mode="json") | {"secret": made.secret},
        [*_table([made.key]), line("The key, which is not shown again:"), line(made.secret, "bold")],
    )


@command(key, "list")
def list_() -> Answer:
    """The keys that there are and were, without their secrets."""
    from starter.upkeep.api_keys import list_keys

    found = read(list_keys)
    return Answer(found, _table(found) if found else [line("There are no keys: redress api key add SERVICE")])


@command(key, "revoke")
def revoke(
    *,
    key_id: Annotated[str, typer.Argument(metavar="KEY", help="Its id, as `redress api key list` has it.")],
    by: By = None,
) -> Answer:
    """End a key at once."""
    from starter.upkeep.api_keys import revoke_key

    who, now = actor(by), datetime.now(UTC)
    one = read(lambda pool: revoke_key(pool, key_id, by=who, at=now))
    return Answer(one, _table([one]))


def _table(found: "Sequence[ApiKey]") -> "list[RenderableType]":
    made = table("Key", "Service", "Scopes", "Made (UTC)", "By", "Ends (UTC)", right=[])
    for one in found:
        ends = one.revoked_at or one.ends_at
        state = f"{when(ends)}{', revoked' if one.revoked_at else ''}" if ends else ""
        made.add_row(one.id, one.service, ", ".join(one.scopes), when(one.made_at), one.made_by, state)
    return [made]
