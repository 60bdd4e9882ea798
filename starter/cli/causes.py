"""``redress cause``: the root causes of complaints."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from starter.cli.access import read
from starter.cli.acting import send
from starter.cli.options import By, MessageId, Reference, words
from starter.cli.program import Answer, app, command
from starter.reading.layout import line, table

if TYPE_CHECKING:
    from runtime.database import Pool

cause = typer.Typer(help="Root causes: what the checks point to, and what people find.", no_args_is_help=True)
app.add_typer(cause, name="cause", rich_help_panel="Learn")


@command(cause, "list")
def list_() -> Answer:
    """The tree of causes, in both languages."""
    from runtime.causes import load_causes

    tree = load_causes()
    made = table("Cause", "English", "中文", unbroken=["Cause"])
    for one in tree.ids:
        if title := tree.title(one):
            made.add_row(one, title.en, title.zh)
    return Answer(tree, [made])


@command(cause, "suggest")
def suggest(*, reference: Reference) -> Answer:
    """The cause that a case's findings point to."""
    from domain.ground.reference import parse_reference
    from runtime.causes import load_causes
    from starter.reading.causes import suggested_cause

    reference = parse_reference(reference)

    async def look(pool: "Pool") -> str | None:
        return await suggested_cause(pool, reference)

    found = read(look)
    title = load_causes().title(found) if found else None
    data: dict[str, Any] = {"reference": reference, "cause": found}
    said = f"{found}  {title.en} · {title.zh}" if title else "The findings point to no cause: say which it was."
    return Answer(data, [line(said)])


@command(cause, "record")
def record(
    *,
    reference: Reference,
    root: Annotated[str, typer.Argument(metavar="CAUSE", help="Such as pricing/provider_quote: redress cause list.")],
    contributing: Annotated[
        list[str] | None, typer.Option("--contributing", metavar="CAUSE", help="What else had a part in it.")
    ] = None,
    others_touched: Annotated[
        str | None,
        typer.Option("--others-touched", metavar="ANSWER", help="Did it touch others too: yes, no, not_known."),
    ] = None,
    note: Annotated[str | None, typer.Option("--note", help="In words.")] = None,
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Record the root cause, without which no upheld complaint is closed. The last one recorded counts."""
    said = {"cause": root, "contributing": contributing or (), "others_touched": others_touched}
    return send("record_cause", reference, by, message_id, **said, note=words(note, "--note"))
