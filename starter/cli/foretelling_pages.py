"""Pages about what would be due, and what another pack would have seen kept or missed."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from starter.reading.layout import NONE, line, spoken, table

if TYPE_CHECKING:
    from domain.clocks.deadlines import Occurred
    from domain.rules.policy import PolicyPack
    from starter.reading.comparing import Comparison, Judged
    from starter.reading.foretelling import Foretold


def due(
    pack: "PolicyPack", receipt: "Occurred", told: "Sequence[Foretold]", early_until: datetime | None, *, local: bool
) -> list[RenderableType]:
    """Every rung in the order in which it is due, with how that was found, and until when the case may end early.

    *local*: times were typed without offset.
    """
    about = receipt.facts
    shown: list[RenderableType] = [Text.assemble((f"{pack.id} {pack.version}", "bold"), "  ", pack.title)]
    if about:
        product = f", {about.product}" if about.product else ""
        shown.append(line(f"A {about.complexity} complaint, {spoken(about.category)}{product}."))
    if local:
        shown.append(line(f"Times without an offset are local time in {pack.calendar.time_zone}.", "dim"))
    if early_until and pack.early_closure:
        last = f"{early_until.astimezone(pack.calendar.zone):%a %d %b %Y %H:%M:%S %z}"
        end = ", close of business" if pack.early_closure.close_of_business else ""
        shown.append(line(f"Early closure with a summary letter until {last} ({pack.early_closure.within}{end})."))
    for one in told:
        local_due = datetime.fromisoformat(one.local)
        text = Text.assemble((f"\n{local_due:%a %d %b %Y %H:%M:%S %z}", "bold"), f"  {one.clock}: {one.rung}")
        text.append(" statutory" if one.statutory else "", "bold")
        if one.provisional:
            text.append(" provisional", "yellow")
        if one.strictest:
            text.append(" strictest", "bold cyan")
        if one.ended_by:
            text.append(f" {'replaced' if one.replaced else 'ended'}: {spoken(one.ended_by)}", "green")
        does = ", ".join(spoken(action) for action in one.actions)
        shown += [
            text,
            Padding(line(f"{does}{f' (level {one.level})' if one.level else ''}. {one.how}", "dim"), (0, 0, 0, 2)),
        ]
    return shown


def comparison(compared: "Comparison") -> list[RenderableType]:
    """The totals by duty, and the cases in which something changes."""
    if not compared.cases:
        return [line(f"No closed case of {compared.old} fits.")]
    right = ["Kept", "Missed", "Now kept", "Now missed", "New", "Gone"]
    made = table("Duty", *right, right=right)
    for one in compared.totals:
        made.add_row(
            line(one.duty),
            f"{one.kept_before} → {one.kept_after}",
            f"{one.missed_before} → {one.missed_after}",
            line(str(one.now_kept), "green" if one.now_kept else "dim"),
            line(str(one.now_missed), "bold red" if one.now_missed else "dim"),
            str(one.new),
            str(one.gone),
        )
    shown: list[RenderableType] = [
        line(f"{compared.old} → {compared.new}, {len(compared.cases)} closed case(s)", "bold"),
        made,
    ]
    changed = [(case, duty) for case in compared.cases for duty in case.duties if duty.change != "same"]
    if changed:
        each = table("Case", "Duty", "", "Before", "After", unbroken=["Case"])
        for case, duty in changed:
            style = {"now missed": "bold red", "now kept": "green"}.get(duty.change, "")
            each.add_row(
                line(case.reference),
                line(duty.duty),
                line(duty.change, style),
                _judged(duty.before),
                _judged(duty.after),
            )
        shown.append(each)
    if compared.more:
        shown.append(line("There are more: --limit is reached.", "yellow"))
    return [*shown, line("Replayed from what was recorded; nothing is changed.", "dim")]


def _judged(one: "Judged | None") -> Text:
    if one is None:
        return line(NONE)
    kind = "statutory, " if one.statutory else ""
    if one.kept:
        return line(f"{kind}kept, {one.hours:g} h left")
    return line(f"{kind}missed by {-one.hours:g} h", "red")
