"""``redress reconcile``, as a program of its own."""

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final
from zoneinfo import ZoneInfo

import typer
from rich.console import RenderableType

from activities.keys.retention import erased_again
from domain.ground.people import Actor
from record.erasing import list_erasures
from record.proofs import hold_proofs
from recovery.ending import CannotEnd, end_case
from recovery.reconcile import Doubt, Repairing, Report, Why, reconcile
from recovery.sealed import keys_in_doubt
from runtime.database import LONG_PATIENCE, close_pool, open_pool, seen_by
from runtime.identity.verifying import Verifier
from runtime.keys.here import hold_keys, keys_here
from runtime.mail import Outbox
from runtime.outside import read_erasures
from runtime.postgres import find_database
from runtime.settings import Settings, load_settings
from runtime.temporal import connect, run
from starter.cli import program
from starter.cli.access import viewer
from starter.cli.options import By, actor, instant
from starter.cli.program import Answer, ExitCode, Failed, Problem, command
from starter.reading.layout import line, table
from starter.reading.restores import Restore, list_restores

if TYPE_CHECKING:
    from runtime.database import Pool

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
_UTC: Final = ZoneInfo("UTC")
_TOLD: Final = {
    Why.LOST: "the file has lost what its workflow knows",
    Why.AHEAD: "the file knows more than its workflow",
    Why.NO_WORKFLOW: "no workflow",
    Why.UNREADABLE: "the history is not readable",
    Why.KEY_LOST: "no key opens what is sealed",
    Why.NOT_ERASED: "the erasure was not carried out",
}


@command(app, "reconcile")
def reconcile_(
    *,
    repair: Annotated[bool, typer.Option("--repair")] = False,
    since: Annotated[str | None, typer.Option("--since", metavar="MOMENT")] = None,
    number: Annotated[int | None, typer.Option("--restore", metavar="NO")] = None,
    end: Annotated[str | None, typer.Option("--end", metavar="REF")] = None,
    reason: Annotated[str, typer.Option("--reason")] = "",
    by: By = None,
) -> Answer:
    """Compare every workflow with its case file, or end a case that no key opens any more."""
    if end:
        run(_end(end, actor(by), reason))
        return Answer({"ended": end}, [line(f"{end} is closed, and its workflow terminated.", "green")])
    begun = instant(since, _UTC, "--since") if since else None
    report = run(_reconcile(begun, number, str(actor(by)) if repair else None))
    left = [doubt for doubt in report.doubts if not doubt.settled]
    problem = None
    if left:
        what = "left to do" if repair else "in doubt"
        told = f"{len(left)} {what}, {report.examined} workflows compared"
        problem = Problem("check_failed", ExitCode.CHECK_FAILED, told)
    return Answer(report, _page(report, repair=repair), problem)


async def _reconcile(since: datetime | None, number: int | None, by: str | None) -> Report:
    settings = load_settings()
    hold_keys(settings)
    hold_proofs(Verifier.here(settings))
    pool = await open_pool(find_database(settings), max_size=4, patience=LONG_PATIENCE)
    try:
        erased, of_keys = await _of_keys(pool, settings)
        client = await connect(settings)
        restore = _restore(await list_restores(pool), number)
        if by and restore is None:
            raise Failed("no restore is declared: `redress restore declare` comes first, and stands in the record")
        repairing = Repairing(restore.id, by, restore.since) if restore and by else None
        begun = since or (restore.since if restore else None)
        no_key = {one.reference for one in of_keys if one.why is Why.KEY_LOST}
        report = await reconcile(client, pool, settings, since=begun, repairing=repairing, no_key=no_key)
        report = report.model_copy(update={"doubts": (*of_keys, *report.doubts), "erased": tuple(erased)})
        return await _told_to(viewer(), pool, report)
    finally:
        await close_pool(pool)


async def _end(reference: str, by: Actor, reason: str) -> None:
    settings = load_settings()
    hold_keys(settings)
    pool = await open_pool(find_database(settings), max_size=4, patience=LONG_PATIENCE)
    try:
        await end_case(await connect(settings), pool, settings, reference, by, reason, datetime.now(UTC))
    except CannotEnd as error:
        raise Failed(str(error)) from None
    finally:
        await close_pool(pool)


async def _of_keys(pool: "Pool", settings: Settings) -> tuple[list[str], list[Doubt]]:
    """Apply again what was erased, and say what no key opens."""
    vault = keys_here()
    if vault is None:
        return [], []
    outbox, outside = Outbox(settings.outbox_dir), await asyncio.to_thread(read_erasures, settings)
    again = await erased_again(pool, vault, outbox, settings.backup_days, outside)
    return again, await keys_in_doubt(pool, vault, datetime.now(UTC))


async def _told_to(who: str | None, pool: "Pool", report: Report) -> Report:
    """The *report* as that person may see it. All was compared and repaired; a case hidden from them is not named."""
    if not who:
        return report
    async with seen_by(pool, who).acquire() as connection:
        hidden = {row["name"] for row in await connection.fetch(_HIDDEN)}
        shown = {row["erasure"] for row in await list_erasures(connection)}
    hidden |= {one.reference for one in report.doubts if one.why is Why.NOT_ERASED} - shown
    return report.model_copy(
        update={
            "erased": tuple(one if one in shown else "hidden" for one in report.erased),
            "doubts": tuple(
                one.model_copy(
                    update={"reference": "hidden", "cannot": ("somebody else has to look",) * bool(one.cannot)}
                )
                if one.reference in hidden
                else one
                for one in report.doubts
            ),
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
    again: list[RenderableType] = [line(f"Erased again: {_some(report.erased)}.")] if report.erased else []
    if not report.doubts:
        return [*again, line(f"{report.examined} workflows agree with their files.", "green")]
    made = table("Reference", "Why", "What", "Put right", "Not put right", unbroken=["Reference"])
    for doubt in report.doubts:
        made.add_row(
            line(doubt.reference, "bold"),
            _TOLD[doubt.why],
            line(_some(doubt.keys)),
            line(_some(doubt.repaired), "green"),
            line("; ".join(doubt.cannot), "red"),
        )
    told = f"{len(report.doubts)} in doubt; {report.examined} workflows were compared."
    hint = "" if repair else " redress reconcile --repair puts right what can be put right."
    return [*again, made, line(told + hint, "dim")]


def _some(keys: Sequence[str], most: int = 4) -> str:
    more = f" and {len(keys) - most} more" if len(keys) > most else ""
    return ", ".join(keys[:most]) + more


_HIDDEN: Final = """
    select casefile.hidden_cases() as name union select 'customer:' || casefile.hidden_accounts()
"""


if __name__ == "__main__":
    sys.exit(program.main(of=app, name="redress reconcile"))
