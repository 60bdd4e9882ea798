"""The demo from beginning to end: servers, trade log, complaints, actors, and the verdict."""

import asyncio
import os
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console

from domain.ground.bilingual import Bilingual
from domain.ground.words import Role
from record.proofs import hold_proofs
from runtime.database import open_pool
from runtime.embedded import Stack
from runtime.identity.issuing import TokenIssuer
from runtime.identity.verifying import Verifier
from runtime.logging import configure_logging
from runtime.policies import find_pack
from runtime.settings import Settings, load_settings
from runtime.temporal import connect, run
from starter.client.complaints import Complaints
from starter.client.directory import load_demo
from starter.demo import screen
from starter.demo.customers import write_customers
from starter.demo.mail import HOST, MailServer, open_mail_server
from starter.demo.stories import Scene, Story, tell
from starter.demo.trade_log import write_demo_data
from starter.demo.verdict import judge
from starter.demo.watch import Watch
from starter.importing.loading import import_file
from starter.reading.layout import line
from starter.reading.ledger import check_ledger

if TYPE_CHECKING:
    from runtime.database import Pool


FIRM: Final = Bilingual(en="Example Bullion", zh="示例金业")  # of the own names of the demo pack
TIME_LIMIT: Final = 180.0
"""Seconds from the first complaint until all cases must be closed."""
_APART: Final = 1.0  # seconds between one complaint and the next


def run_demo(console: Console, keep: bool = False) -> int:
    """Show complaints being handled, and return 0 if every one of them ended as it should, 1 if not.

    With *keep* the servers go on until Ctrl-C. Raises `StackError` if they cannot be started, and ``SystemExit`` (130)
    when Ctrl-C cuts it short; nothing is left running either way.
    """
    state = load_settings().state_dir / "demo"
    with _nothing_configured():
        configure_logging("console", "ERROR")
        try:
            return run(_perform(console, state, keep=keep))
        except SystemExit:
            console.print(line("Stopped.", "dim"))
            raise


@contextmanager
def _nothing_configured() -> Iterator[None]:
    """An environment that names no server: a firm's own ones are no place for invented complaints."""
    before = dict(os.environ)
    for name in before:
        if name == "DATABASE_URL" or name.startswith(("REDRESS_", "TEMPORAL_", "PG")):
            del os.environ[name]
    os.environ["TEMPORAL_CONFIG_FILE"] = os.devnull
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


async def _perform(console: Console, state: Path, *, keep: bool) -> int:
    began = time.monotonic()

    def say(what: str) -> None:
        console.print(line(what, "dim"))

    say("Starting PostgreSQL, Temporal, a worker and the pages of the demo's own ...")
    async with (
        open_mail_server() as mail,
        Stack(_settings(state, mail), pages=True, fresh=True, say=say) as stack,
        await open_pool(stack.settings.database_url or "", max_size=4) as pool,
    ):
        try:
            hold_proofs(Verifier.here(stack.settings))
            await load_demo(pool, TokenIssuer.voice(stack.settings))
            say(f"Ready after {time.monotonic() - began:.0f} s. Pages for customers: {stack.addresses.web}")
            say(f"Temporal's own pages: {stack.addresses.ui}")
            stories = await _prepare(pool, state / "trade-log", say)
            complaints = Complaints(await connect(stack.settings), task_queue=stack.settings.task_queue)
            console.print(screen.told(stories))
            console.print()
            wrong = await _play(console, stories, pool, complaints, mail)
            ended = [await judge(pool, complaints, story) for story in stories]
            wrong += [f"{_name(end.story)}: {what}" for end in ended for what in end.wrong]
            report = await check_ledger(pool)
            wrong += [f"{fault.reference}: {fault.problem}" for fault in report.faults]
            for part in screen.results(ended, report, mail, console.width):
                console.print(part)
            shown = [stories[0].complaint.reference, stories[-1].complaint.reference]
            place = shlex.quote(str(state))
            for text in screen.next_steps(_redress(), place, stack.addresses.ui, references=shown, keep=keep):
                console.print(text, soft_wrap=bool(text.no_wrap))
            for text in screen.verdict(wrong, time.monotonic() - began):
                console.print(text)
            if keep:
                await stack.wait()
        finally:
            say("Stopping the servers ...")
    return 1 if wrong else 0


def _settings(state: Path, mail: MailServer) -> Settings:
    whose = [role.value for role in Role if role.is_staff]
    whose += [team.name for team in find_pack("demo", datetime.now(UTC)).teams]
    return load_settings(
        state_dir=state,
        default_policy="demo",
        firm_name=FIRM.en,
        firm_name_zh=FIRM.zh,
        log_format="json",
        smtp_host=HOST,
        smtp_port=mail.port,
        smtp_tls="none",
        staff_addresses={name: f"{name}@example.com" for name in whose},
    )


async def _prepare(pool: "Pool", folder: Path, say: Callable[[str], None]) -> Sequence[Story]:
    """Have an hour of gold in the trade log, and complaints about it."""
    began = time.monotonic()
    yesterday = datetime.combine(datetime.now(UTC) - timedelta(days=1), time_of_day(23), UTC)
    data = await asyncio.to_thread(write_demo_data, folder, yesterday)
    stories = tell(data)
    loaded = 0
    for file in (*data.files, write_customers(folder, [story.complaint for story in stories])):
        loaded += (await import_file(pool, file)).loaded
    say(f"Trade log and customers: {loaded:,} rows imported in {time.monotonic() - began:.1f} s, from {folder}\n")
    return stories


async def _play(
    console: Console, stories: Sequence[Story], pool: "Pool", complaints: Complaints, mail: MailServer
) -> list[str]:
    """Submit the complaints, have the actors act, and show it until all is over. Returns what went wrong."""
    watch = Watch(pool)
    acting: list[asyncio.Task[str | None]] = []
    with screen.Screen(console, stories, mail) as shown:
        looking = asyncio.create_task(watch.keep_looking(lambda: shown.show(watch.seen)))
        try:
            async with asyncio.TaskGroup() as group:
                for story in stories:
                    acting.append(group.create_task(_act_out(story, complaints, watch, mail)))
                    await asyncio.sleep(_APART)
        finally:
            looking.cancel()
            await asyncio.wait([looking])
        await watch.look()
        shown.show(watch.seen)
    return [wrong for task in acting if (wrong := task.result())]


async def _act_out(story: Story, complaints: Complaints, watch: Watch, mail: MailServer) -> str | None:
    """Submit the complaint, act its story, wait for its end. Returns what went wrong."""
    complaint = story.complaint.model_copy(update={"received_at": datetime.now(UTC)})
    if story.away and complaint.complainant.email:
        mail.turn_away(complaint.complainant.email)
    try:
        async with asyncio.timeout(TIME_LIMIT):
            await complaints.submit(complaint)
            await story.acts(Scene(complaints, watch, mail, complaint))
            await complaints.result(complaint.reference)
    except TimeoutError:
        return f"{_name(story)}: not closed within {TIME_LIMIT:.0f} s"
    except Exception as error:
        return f"{_name(story)}: {type(error).__name__}: {error}"
    return None


def _name(story: Story) -> str:
    return f"{story.complaint.reference} ({story.title})"


def _redress() -> str:
    """How this program is called from here."""
    program = Path(sys.argv[0])
    if program.name != "redress":
        return "python -m starter.cli"
    found = shutil.which("redress")
    return "redress" if found and program.exists() and Path(found).samefile(program) else shlex.quote(sys.argv[0])
