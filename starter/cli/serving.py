"""Commands that run or prepare the service: up, demo, migrate, schema."""

import asyncio
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from starter.cli.program import Answer, ExitCode, Problem, app, aside, command, people, show
from starter.reading.layout import line, whole

if TYPE_CHECKING:
    from runtime.embedded import Stack
    from runtime.settings import Settings

_PANEL = "Run"
_CONTRACTS: Final = Path("docs/contracts")


@command(app, "up", panel=_PANEL)
def up(
    *,
    as_json: bool,
    state: Annotated[
        Path | None, typer.Option("--state", metavar="DIR", help="Folder for everything it keeps (default: .redress).")
    ] = None,
) -> ExitCode:
    """Run everything on this machine, PostgreSQL, Temporal with its UI, a worker and the pages, until Ctrl-C."""
    from runtime.settings import load_settings

    settings = load_settings(**({"state_dir": state} if state else {}))
    _serve(settings, as_json=as_json)
    return ExitCode.DONE


def _serve(settings: "Settings", *, as_json: bool) -> None:
    from record.proofs import hold_proofs
    from runtime.database import open_pool
    from runtime.embedded import Stack
    from runtime.identity.issuing import TokenIssuer
    from runtime.identity.verifying import Verifier
    from runtime.logging import configure_logging
    from runtime.temporal import run
    from starter.client.directory import load_demo

    configure_logging(settings.log_format, settings.log_level)
    console = aside()

    def say(what: str, style: str = "yellow") -> None:
        if not as_json:
            console.print(line(what, style))

    async def serve() -> None:
        say("Starting PostgreSQL, Temporal, a worker and the pages ...", "dim")
        async with (
            Stack(settings, pages=True, say=None if as_json else say) as stack,
            await open_pool(stack.settings.database_url or "", max_size=1) as pool,
        ):
            hold_proofs(Verifier.here(stack.settings))
            await load_demo(pool, TokenIssuer.voice(stack.settings))
            show(_where(stack, settings), as_json=as_json)
            await stack.wait()
            say("Stopping ...", "dim")

    run(serve())
    say("Stopped. A new `redress up` carries on where this one was.", "dim")


def _where(stack: "Stack", settings: "Settings") -> Answer:
    where = stack.addresses
    desk = where.web and f"{where.web}/desk"
    letters = settings.smtp_host or f"{stack.settings.outbox_dir} (.eml files)"
    data = {
        "web": where.web,
        "desk": desk,
        "temporal": where.temporal,
        "namespace": where.namespace,
        "ui": where.ui,
        "database": where.database,
        "state_dir": str(where.state_dir),
        "logs": str(where.logs),
        "letters": letters,
        "mail": settings.lmtp_address,
        "metrics": where.metrics,
    }
    next_steps = ["redress submit complaint.json", "redress list", "redress show REF"]
    if where.state_dir != Path(".redress").absolute():
        next_steps.insert(0, f"export REDRESS_STATE_DIR={shlex.quote(str(where.state_dir))}")
    places = {
        "Pages": where.web,
        "Desk": desk,
        "Temporal UI": where.ui,
        "Temporal": f"{where.temporal}, namespace {where.namespace}",
        "Database": where.database,
        "Letters": letters,
        "Mail in": settings.lmtp_address and f"{settings.lmtp_address} (LMTP)",
        "Mailbox": settings.imap_url,
        "Metrics": where.metrics,
        "State": where.state_dir,
        "Logs": where.logs,
    }
    return Answer(
        data,
        [
            line("Redress is up.", "bold green"),
            *(whole(f"{name:<13}{place}") for name, place in places.items() if place),
            line("\nNext, in another terminal:", "bold"),
            *(whole(f"  {step}") for step in next_steps),
            line("\nCtrl-C stops it.", "dim"),
        ],
    )


@command(app, "demo", panel=_PANEL)
def demo(
    *,
    as_json: bool,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the demo's stack running until Ctrl-C.")] = False,
) -> ExitCode:
    """See complaints being handled, live, in about a minute."""
    from starter.demo import run_demo

    code = ExitCode(run_demo(aside() if as_json else people(), keep))
    if as_json:
        show(Answer({"exit_code": code}, []), as_json=True)
    return code


@command(app, "migrate", panel=_PANEL)
def migrate() -> Answer:
    """Bring the database's schema up to date."""
    from runtime.database import migrate as bring_up_to_date
    from runtime.keys.here import keyring_of
    from runtime.keys_table import keys_table
    from runtime.postgres import find_database
    from runtime.settings import load_settings

    async def apply() -> list[str]:
        settings = load_settings()
        applied = await bring_up_to_date(find_database(settings))
        return applied + (await keys_table(settings) if keyring_of(settings) else [])

    applied = asyncio.run(apply())
    shown = [line(f"applied {name}") for name in applied] or [line("The schema is up to date.")]
    return Answer({"applied": applied}, shown)


@command(app, "schema", panel=_PANEL)
def schema(
    *,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder to write to.")] = _CONTRACTS,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 5 if the folder is out of date.")] = False,
) -> Answer:
    """Write the JSON Schemas by which programs in other languages start complaints and talk to their cases."""
    from starter.client import contracts

    if check:
        outdated = [str(path) for path in contracts.stale(out)]
        problem = None
        if outdated:
            problem = Problem("check_failed", ExitCode.CHECK_FAILED, f"out of date, run `redress schema --out {out}`")
        shown = [whole(f"out of date: {path}", "red") for path in outdated]
        return Answer({"stale": outdated}, shown or [whole(f"{out} is up to date.", "green")], problem)
    written = [str(path) for path in contracts.write(out)]
    shown = [whole(f"written: {path}") for path in written] or [whole(f"{out} was up to date.")]
    return Answer({"written": written}, shown)
