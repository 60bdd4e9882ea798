"""``redress reconcile``, as a program of its own."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final
from zoneinfo import ZoneInfo

import typer
from rich.console import RenderableType

from activities.keys.retention import erased_again
from record.proofs import hold_proofs
from recovery.reconcile import Repairing, Report, Why, reconcile
from runtime.database import LONG_PATIENCE, close_pool, open_pool, seen_by
from runtime.identity.verifying import Verifier
from runtime.keys.here import hold_keys, keys_here
from runtime.mail import Outbox
from runtime.postgres import find_database
from runtime.settings import load_settings
from runtime.temporal import connect, run
from starter.cli import program
from starter.cli.access import viewer
from starter.cli.options import By, actor, instant
from starter.cli.program import Answer, ExitCode, Failed, Problem, command
from starter.reading.layout import line, table
from starter.reading.restores import Restore, list_restores

if TYPE_CHECKING:
    from datetime import datetime

    from runtime.database import Pool

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
_UTC: Final = ZoneInfo("UTC")
_TOLD: Final = {
    Why.LOST: "the file has lost what its workflow knows",
    Why.AHEAD: "the file knows more than its workflow",
    Why.NO_WORKFLOW: "no workflow",
    Why.UNREADABLE: "the history is not readable",
}


@command(app, "reconcile")
def reconcile_(
    *,
    repair: Annotated[bool, typer.Option("--repair")] = False,
    since: Annotated[str | None, typer.Option("--since", metavar="MOMENT")] = None,
    number: Annotated[int | None, typer.Option("--restore", metavar="NO")] = None,
    by: By = None,
) -> Answer:
    """Compare every workflow with its case file."""
    begun = instant(since, _UTC, "--since") if since else None
    report = run(_reconcile(begun, number, str(actor(by)) if repair else None))
    left = [doubt for doubt in report.doubts if not doubt.settled]
    problem = None
    if left:
        what = "left to do" if repair else "in doubt"
        problem = Problem("check_failed", ExitCode.CHECK_FAILED, f"{len(left)} of {report.examined} {what}")
    return Answer(report, _page(report, repair=repair), problem)


async def _reconcile(since: "datetime | None", number: int | None, by: str | None) -> Report:
    settings = load_settings()
    hold_keys(settings)
    hold_proofs(Verifier.here(settings))
    pool = await open_pool(find_database(settings), max_size=4, patience=LONG_PATIENCE)
    try:
        if vault := keys_here():
            await erased_again(pool, vault, Outbox(settings.outbox_dir), settings.backup_days)
        client = await connect(settings)
        restore = _restore(await list_restores(pool), number)
        if by and restore is None:
            raise Failed("no restore is declared: `redress restore declare` comes first, and stands in the record")
        repairing = Repairing(restore.id, by, restore.since) if restore and by else None
        begun = since or (restore.since if restore else None)
        report = await reconcile(client, pool, settings, since=begun, repairing=repairing)
        return await _told_to(viewer(), pool, report)
    finally:
        await close_pool(pool)


async def _told_to(who: str | None, pool: "Pool", report: Report) -> Report:
    """The *report* as that person may see it. All was compared and repaired; a case hidden from them is not named."""
    if not who:
        return report
    hidden = {row[0] for row in await seen_by(pool, who).fetch("select casefile.hidden_cases()")}
    return report.model_copy(
        update={
            "doubts": tuple(
                one.model_copy(
                    update={"reference": "hidden", "cannot": ("somebody else has to look",) * bool(one.cannot)}
                )
                if one.reference in hidden
                else one
                for one in report.doubts
            )
        }
    )


def _restore(restores: Sequence[Restore], number: int | None) -> Restore | None:
    if number is None:
        return restores[0] if restores else None
    for one in restores:
        if one.id == number:
            return one
    raise Failed(f"--restore: there is no restore {number}; `redress restore list` shows those there are")


def _page(report: Report, *, repair: bool) -> list[RenderableType]:
    if not report.doubts:
        return [line(f"{report.examined} workflows agree with their files.", "green")]
    made = table("Reference", "Why", "What", "Put right", "Not put right", unbroken=["Reference"])
    for doubt in report.doubts:
        made.add_row(
            line(doubt.reference, "bold"),
            _TOLD[doubt.why],
            line(_some(doubt.keys)),
            line(_some(doubt.repaired), "green"),
            line("; ".join(doubt.cannot), "red"),
        )
    told = f"{len(report.doubts)} of {report.examined} workflows are in doubt."
    hint = "" if repair else " redress reconcile --repair puts right what can be put right."
    return [made, line(told + hint, "dim")]


def _some(keys: Sequence[str], most: int = 4) -> str:
    more = f" and {len(keys) - most} more" if len(keys) > most else ""
    return ", ".join(keys[:most]) + more


if __name__ == "__main__":
    sys.exit(program.main(of=app, name="redress reconcile"))
