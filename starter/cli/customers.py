"""Finding customers."""

from typing import TYPE_CHECKING, Annotated

import typer

from starter.cli.access import read
from starter.cli.program import Answer, app, command, invalid
from starter.reading.layout import NONE, line, spoken, table, when

if TYPE_CHECKING:
    from rich.console import RenderableType

_SHORTEST = 2


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
    found = read(lambda pool: find_customers(pool, wanted, limit=limit))
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
