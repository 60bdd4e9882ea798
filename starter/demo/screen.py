"""What the demo shows: the cases moving, and how each of them ended. Made for 80 columns and more."""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from domain.ground.timeline import Entry
from domain.ground.words import LetterKind, Stage
from starter.demo.mail import MailServer
from starter.demo.stories import Story
from starter.demo.verdict import Ended
from starter.demo.watch import Seen
from starter.reading.cases import WrittenLetter
from starter.reading.layout import NONE, line, spoken, whole
from starter.reading.ledger import LedgerReport

_COLOURS: Final[Mapping[str, str]] = {
    "breach": "bold red",
    "escalation": "red",
    "rejected": "yellow",
    "fault": "bold red",
    "draft": "cyan",
    "propose_resolution": "magenta",
    "decide_resolution": "magenta",
    "proposed": "cyan",
    "customer_reply": "green",
    "withdraw": "green",
    "record_feedback": "green",
}
_WIDE: Final = 100  # columns
_EXCERPT: Final = 10  # lines of a letter


class Screen:
    """On a terminal a table of the cases that changes as they move, elsewhere a line for everything that happens."""

    def __init__(self, console: Console, stories: Sequence[Story], mail: MailServer) -> None:
        self._console = console
        self._stories = {story.complaint.reference: story for story in stories}
        self._mail = mail
        self._wide = console.width >= _WIDE
        self._began = time.monotonic()
        self._told: set[tuple[str, str]] = set()
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def show(self, seen: Mapping[str, Seen]) -> None:
        """Show the cases as they are now."""
        if self._live:
            self._live.update(Group(self._table(seen), self._footer()), refresh=True)
        else:
            self._tell_news(seen)

    def _table(self, seen: Mapping[str, Seen]) -> Table:
        made = _table()
        made.add_column("Reference", no_wrap=True)
        made.add_column("What", no_wrap=True)
        made.add_column("Stage", no_wrap=True, min_width=13)
        made.add_column("Next", no_wrap=True, justify="right", min_width=20 if self._wide else 4)
        made.add_column("Last event", no_wrap=True, overflow="ellipsis", ratio=1)
        made.expand = True
        for reference, story in self._stories.items():
            if (case := seen.get(reference)) is None:
                made.add_row(line(reference, "dim"), line(story.title, "dim"), "", "", "")
                continue
            made.add_row(
                line(reference, "bold"),
                line(story.title),
                _stage(case),
                _next(case, named=self._wide),
                _event(case.timeline[-1]) if case.timeline else "",
            )
        return made

    def _footer(self) -> Text:
        mail = f"{self._mail.taken} letters delivered, {self._mail.turned_away} attempts turned away"
        return line(f"\n{time.monotonic() - self._began:.0f} s, {mail}", "dim")

    def _tell_news(self, seen: Mapping[str, Seen]) -> None:
        for reference, story in self._stories.items():
            for entry in seen[reference].timeline if reference in seen else ():
                if (reference, entry.key) not in self._told:
                    self._told.add((reference, entry.key))
                    text = line(f"{time.monotonic() - self._began:4.0f} s  {reference}  {story.title}: ")
                    text.append_text(_event(entry))
                    self._console.print(text, soft_wrap=True)


def _stage(case: Seen) -> Text:
    stage = case.case.summary.stage
    return line(spoken(stage), "green" if stage is Stage.CLOSED else "cyan")


def _next(case: Seen, *, named: bool) -> Text:
    deadline = case.next_deadline
    if deadline is None:
        return line(NONE, "dim")
    left = max(0.0, (deadline.due - datetime.now(UTC)).total_seconds())
    return line(f"{f'{deadline.clock} ' if named else ''}{left:.0f} s", "red" if case.case.summary.breached else "")


def _event(entry: Entry) -> Text:
    """A line of the timeline in a few words: the telling ones first."""
    style = _COLOURS.get(entry.kind, "")
    match entry.kind:
        case "stage":
            return line(f"→ {spoken(entry.text)}", style)
        case "letter" if entry.data["kind"] == LetterKind.STAFF_NOTICE:
            return line("letter: notice to staff", style)
        case "letter":
            return line(f"letter: {spoken(entry.data['kind'])}", style)
        case "received" | "assessed" | "finding" | "silence" | "no_answer":
            return line(entry.text, style)
        case _:
            who = "" if entry.actor.startswith(("system:", "service:")) else f" ({entry.actor})"
            return line(f"{spoken(entry.kind)}: {entry.text}{who}", style)


def told(stories: Sequence[Story]) -> Table:
    """What each complaint is there to show."""
    made = Table.grid(padding=(0, 2, 0, 0))
    made.add_column(no_wrap=True)
    made.add_column(overflow="fold")
    for story in stories:
        made.add_row(line(story.title, "bold"), line(story.told))
    return made


def results(ended: Sequence[Ended], report: LedgerReport, mail: MailServer, width: int) -> Sequence[RenderableType]:
    """How the cases ended, whether the compensation ledger balances, and what two of the letters say."""
    return [
        line("\nHow they ended\n", "bold"),
        _ends(ended, width),
        line(""),
        _ledger(report),
        line(f"Letters: {mail.taken} delivered by SMTP, {mail.turned_away} attempts turned away.\n"),
        *(_excerpt(letter, min(width, _WIDE)) for letter in _samples(ended)),
        line(""),
    ]


def _ends(ended: Sequence[Ended], width: int) -> Table:
    made = _table()
    made.add_column("Reference", no_wrap=True)
    if width >= _WIDE:
        made.add_column("What", no_wrap=True)
    for column in ("Category", "Outcome"):
        made.add_column(column, no_wrap=True)
    made.add_column("Compensation", no_wrap=True, justify="right")
    made.add_column("Deadlines", no_wrap=True)
    made.add_column("Events", justify="right")
    for end in ended:
        summary = end.case.summary if end.case else None
        award = summary.compensation if summary else None
        deadlines = line(f"{len(end.met)} met", "green")
        if end.missed:
            deadlines.append(f", {len(end.missed)} missed", "red")
        made.add_row(
            line(end.story.complaint.reference, "bold"),
            *([line(end.story.title)] if width >= _WIDE else []),
            line(spoken((summary and summary.category) or NONE)),
            line(spoken((summary and summary.outcome) or NONE)),
            line(str(award or NONE)),
            deadlines,
            line(str(end.history_events or NONE)),
        )
    return made


def _ledger(report: LedgerReport) -> Text:
    if report.faults:
        return line(f"Compensation ledger: NOT balanced, {len(report.faults)} faults.", "bold red")
    sums = [
        f"{total.postings} postings, {total.currency} {total.awarded:,f} debited and credited"
        for total in report.totals
    ]
    return line(f"Compensation ledger: balanced: {'; '.join(sums) or 'nothing in it'}.", "green")


def _samples(ended: Sequence[Ended]) -> Iterator[WrittenLetter]:
    """A final response in English and one in Chinese."""
    for language in ("en", "zh-CN"):
        letters = (letter for end in ended for letter in end.letters if letter.language == language)
        first = next((letter for letter in letters if letter.kind is LetterKind.FINAL_RESPONSE), None)
        if first:
            yield first


def _excerpt(letter: WrittenLetter, width: int) -> Panel:
    body = [text for text in letter.body.splitlines() if text.strip()]
    text = line("\n".join(body[:_EXCERPT]))
    if len(body) > _EXCERPT:
        text.append("\n…", "dim")
    title = line(letter.subject, "bold")
    return Panel(text, title=title, title_align="left", box=box.SQUARE, border_style="dim", width=width)


def verdict(wrong: Sequence[str], seconds: float) -> Sequence[Text]:
    """Whether all went as it should."""
    if not wrong:
        return [line(f"\nAll as it should be, after {seconds:.0f} s.", "bold green")]
    return [
        line(f"\nNot as it should be, after {seconds:.0f} s:", "bold red"),
        *(line(f"- {one}", "red") for one in wrong),
    ]


def next_steps(redress: str, state: str, ui: str | None, *, references: Sequence[str], keep: bool) -> Sequence[Text]:
    """What to look at now. *redress* is how the program is called here, *references* an English and a Chinese case."""
    english, chinese = references
    begin = [
        line("The demo's servers go on until Ctrl-C. Temporal's own pages on these cases:", "bold"),
        whole(f"  {ui}"),
    ]
    if not keep:
        begin = [
            line("To look around, start the servers again; they tell where Temporal's pages are:", "bold"),
            whole(f"  {redress} up --state {state}"),
        ]
    return [
        *begin,
        line("and in another terminal:", "bold"),
        whole(f"  export REDRESS_STATE_DIR={state}"),
        whole(f"  {redress} list"),
        whole(f"  {redress} show {english}"),
        whole(f"  {redress} timeline {english}"),
        whole(f"  {redress} letters {chinese} --text"),
    ]


def _table() -> Table:
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=0, header_style="bold")
