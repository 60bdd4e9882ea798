"""``redress audit``: whether the record is as it was written."""

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from starter.cli.access import read, viewer
from starter.cli.program import Answer, ExitCode, Failed, Problem, app, command, invalid
from starter.reading.layout import line, table, when, whole

if TYPE_CHECKING:
    from runtime.database import Pool

audit = typer.Typer(help="Whether the record is as it was written.", no_args_is_help=True)
app.add_typer(audit, name="audit", rich_help_panel="Run")

_Checkpoints = Annotated[
    list[Path] | None,
    typer.Option(
        "--checkpoints",
        metavar="FILE",
        help="Checkpoints that left the firm; may be repeated.",
        dir_okay=False,
        exists=True,
    ),
]
_Key = Annotated[
    Path | None,
    typer.Option("--key", metavar="FILE", help="The public key of who signs checkpoints.", dir_okay=False, exists=True),
]


_Issuers = Annotated[
    Path | None,
    typer.Option(
        "--issuers",
        metavar="FILE",
        help="The public keys of those who sign for people, and so of who declares a restore.",
        dir_okay=False,
        exists=True,
    ),
]


@command(audit, "verify")
def verify(*, checkpoints: _Checkpoints = None, key: _Key = None, issuers: _Issuers = None) -> Answer:
    """Name the first row of each case that was altered, removed, inserted or reordered; exit 5 if one was."""
    from record import chain_verifier

    keys, people = chain_verifier.read_keys(key or _own_key()), issuers or _own_issuers()
    with tempfile.TemporaryDirectory(prefix="redress-audit-") as place:
        rows = asyncio.run(_export(Path(place)))
        given = chain_verifier.read_issuers(people) if people else {}
        faults, notes = chain_verifier.verify(Path(place), checkpoints or (), keys, given)
    hidden = read(_hidden) if faults and viewer() else set()
    faults = [
        one._replace(reference="hidden", what=_OF_A_HIDDEN_CASE) if one.reference in hidden else one for one in faults
    ]
    shown = [line(f"Note: {note}") for note in notes]
    if not faults:
        outside = "" if checkpoints else " Only checkpoints that left the firm (--checkpoints) find who rewrote it all."
        shown.append(line(f"All is as it was written: {rows:,} rows.{outside}", "green"))
        return Answer({"rows": rows, "faults": [], "notes": notes}, shown)
    found = table("What", "Of", "Where")
    for fault in faults:
        found.add_row(fault.kind, fault.reference, fault.what)
    problem = Problem("check_failed", ExitCode.CHECK_FAILED, f"{len(faults)} chains are not as they were written")
    return Answer({"rows": rows, "faults": [one._asdict() for one in faults], "notes": notes}, [*shown, found], problem)


@command(audit, "export")
def export(
    *,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="An empty or new folder.", file_okay=False)],
) -> Answer:
    """Write the chains, the checkpoints and the verifier, which needs Python alone, to a folder for an auditor."""
    from record import chain_verifier

    if folder.exists() and any(folder.iterdir()):
        raise Failed(f"{folder} is not empty; give a new folder")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    rows = asyncio.run(_export(folder))
    shutil.copyfile(chain_verifier.__file__, folder / "verify.py")
    told = f"python {folder / 'verify.py'} {folder} --key PUBLIC-KEY --issuers FILE --checkpoints FILE"
    return Answer({"folder": str(folder), "rows": rows}, [line(f"{rows:,} rows. To verify them:"), whole(told)])


@command(audit, "accesses")
def accesses(
    *,
    reference: Annotated[str | None, typer.Option("--case", metavar="REF", help="Of this case or incident.")] = None,
    who: Annotated[str | None, typer.Option("--of", metavar="ROLE:ID", help="By this person.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="How many at most.")] = 100,
) -> Answer:
    """Who read personal data, of which case, by what way, what for; the newest first."""
    from starter.reading.accesses import accesses as last

    found = read(lambda pool: last(pool, reference=reference, who=who, limit=limit))
    made = table("At (UTC)", "Who", "By", "What", "Of", "What for", unbroken=["Of"])
    for one in found:
        made.add_row(when(one.at), one.who, one.means, one.what, one.reference or "", one.purpose or "")
    return Answer(found, [made] if found else [line("Nobody has.")])


def _own_key() -> Path:
    from runtime.identity.keys import checkpoint_key
    from runtime.settings import load_settings

    path = checkpoint_key(load_settings())
    if path is None:
        invalid("--key", "name the public key of who signs checkpoints, or REDRESS_CHECKPOINT_KEY")
    return path


def _own_issuers() -> Path | None:
    from runtime.identity.keys import issuers_file
    from runtime.settings import load_settings

    return issuers_file(load_settings())


_OF_A_HIDDEN_CASE: Final = "a row of a case that is hidden from you"


async def _hidden(pool: "Pool") -> set[str]:
    return {row[0] for row in await pool.fetch("select casefile.hidden_cases()")}


async def _export(folder: Path) -> int:
    """By a connection of its own, which gives sealed columns as they are stored."""
    import asyncpg

    from record.chain import export as write
    from runtime.postgres import find_database
    from runtime.settings import load_settings

    connection = await asyncpg.connect(find_database(load_settings()))
    try:
        return await write(connection, folder)
    finally:
        await connection.close()
