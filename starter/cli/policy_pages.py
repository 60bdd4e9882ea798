"""What people see of policy packs and calendars, readable at 80 columns."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from starter.cli.pages import NONE, facts, line, spoken, table

if TYPE_CHECKING:
    from domain.deadlines import Occurred
    from domain.findings import Bilingual
    from domain.policy import (
        ApprovalStep,
        Calendar,
        Clock,
        InterestRule,
        Limits,
        PolicyPack,
        Route,
        Rung,
        Scope,
        Sourced,
    )
    from domain.policy_check import PolicyProblem
    from starter.comparing import Comparison, Judged
    from starter.foretelling import Foretold
    from starter.replanning import Replan, Untold


def packs(versions: "Sequence[PolicyPack]", default: str) -> list[RenderableType]:
    """Policy packs, one version a row."""
    made = table("Pack", "Version", "In force", "Unconfirmed", "Title", unbroken=["Pack", "Version"])
    for pack in versions:
        unconfirmed = sum(not clock.confirmed for clock in pack.clocks)
        title = line(pack.title)
        if pack.demands:
            title.append(f" (the firm must set: {', '.join(pack.demands)})", "red")
        made.add_row(
            line(pack.id, "bold" if pack.id == default else ""),
            pack.version,
            f"from {pack.effective_from}" + (f" until {pack.effective_until}" if pack.effective_until else ""),
            line(f"{unconfirmed} of {len(pack.clocks)}", "yellow" if unconfirmed else "green"),
            title,
        )
    return [
        made,
        line("Bold: for complaints that name none. Unconfirmed limits need your compliance function's word.", "dim"),
    ]


# -- a pack ------------------------------------------------------------------------------------------------------------


def pack_page(pack: "PolicyPack", language: str) -> list[RenderableType]:
    """All that a pack, or several as one, say."""
    shown: list[RenderableType] = [
        Text.assemble((f"{pack.id} {pack.version}", "bold"), "  ", pack.title),
        facts(
            {
                "For": pack.jurisdiction,
                "In force": f"from {pack.effective_from}"
                + (f" until {pack.effective_until}" if pack.effective_until else ""),
                "Applies to": _scope(pack.applies_to) if pack.applies_to else None,
                "Calendar": _calendar(pack.calendar),
                "SHA-256": pack.hash,
            }
        ),
        *_section("Clocks", [part for clock in pack.clocks for part in _clock(pack, clock)]),
        *_section("Early closure", _early(pack)),
        *_section("Ways to go further", [part for route in pack.routes for part in _route(route, language)]),
        Padding(line(pack.rights.in_language(language).strip(), "dim"), (1, 0, 0, 2)),
        *_section("Letters", _letters(pack, language)),
        *_section("Who decides", [facts(_decision(pack))]),
        *_section("Escalation", [facts({str(step.level): spoken(step.role) for step in pack.escalation})]),
        *_section("Teams", [facts(dict(_teams(pack)))]),
        *_section(
            "Interest on redress", [facts({one.name: _interest(one) for one in pack.interest})] * bool(pack.interest)
        ),
        *_section("How long the file is kept", _retention(pack)),
    ]
    if any(not one.confirmed for one in _numbers(pack)):
        shown.append(line("\nNOT CONFIRMED: needs your compliance function's word before use.", "yellow"))
    return shown


def _section(title: str, content: Sequence[RenderableType]) -> list[RenderableType]:
    return [line(f"\n{title}", "bold underline"), *content] if content else []


def _numbers(pack: "PolicyPack") -> "Iterator[Sourced]":
    for clock in pack.clocks:
        yield from (clock, *clock.lengths, *clock.extensions)
    yield from (*pack.routes, *pack.letters, *pack.interest)
    yield from (one for one in (pack.early_closure, pack.retention) if one)


def _calendar(calendar: "Calendar") -> str:
    place = calendar.country + (f"-{calendar.subdivision}" if calendar.subdivision else "")
    parts = [f"{calendar.id or 'of its own'}: {place}, {calendar.time_zone}"]
    if calendar.cut_off:
        parts.append(f"cut-off {calendar.cut_off:%H:%M}")
    parts.append(
        f"holidays known until {calendar.verified_until}" if calendar.verified_until else "holidays taken as they are"
    )
    parts += [f"closed {closure.day}{f' to {closure.until}' if closure.until else ''}" for closure in calendar.closures]
    parts += [f"worked {opening.day}" for opening in calendar.openings]
    return ", ".join(parts)


def _source(one: "Sourced") -> Text:
    text = line(one.source, "dim")
    if not one.confirmed:
        text.append(" NOT CONFIRMED", "yellow")
    return text


def _clock(pack: "PolicyPack", clock: "Clock") -> list[RenderableType]:
    heading = Text.assemble(("\n" + clock.name, "bold"), f"  {clock.kind}, from {spoken(clock.trigger)}")
    if clock.pauses:
        heading.append(", stands still while the customer is asked")
    length = line(str(clock.length)) if clock.length else line("the firm must set it", "bold red")
    marks = [
        mark
        for mark, is_set in (
            ("the first day counts", clock.first_day_counts),
            ("an end on a closed day moves to the next business day", clock.on_closed_day == "next_business_day"),
        )
        if is_set
    ]
    if marks:
        length.append(f" ({'; '.join(marks)})")
    about: dict[str, RenderableType | None] = {"Length": length}
    for number, rule in enumerate(clock.lengths, start=1):
        text = line(f"{rule.length} for {_scope(rule)}. ")
        about[f"or ({number})"] = text.append_text(_source(rule))
    for extension in clock.extensions:
        often = "once" if extension.at_most == 1 else f"up to {extension.at_most} times"
        approvers = ", ".join(spoken(role) for role in extension.approval)
        text = line(f"{extension}, {often}, approved by {approvers}. ")
        about[f"+ {extension.name}"] = text.append_text(_source(extension))
    about |= {
        "Satisfied by": ", ".join(spoken(event) for event in clock.satisfied_by),
        "Duty": clock.keeps if clock.keeps != clock.name else None,
        "Applies to": _scope(clock.scope) if clock.scope else None,
        "Calendar": _calendar(clock.calendar) if clock.calendar and clock.calendar != pack.calendar else None,
    }
    about |= {("Rungs" if not number else " " * number): _rung(rung) for number, rung in enumerate(clock.rungs)}
    about["Source"] = _source(clock)
    return [heading, Padding(facts(about), (0, 0, 0, 2))]


def _rung(rung: "Rung") -> str:
    moment = "at the end"
    if rung.before:
        moment = f"{rung.before} before the end"
    elif rung.after_start:
        moment = f"{rung.after_start} after the start"
    if rung.at:
        moment += f", {rung.at:%H:%M} on a business day"
    does = [
        spoken(action)
        + (f" to level {rung.level}" if action == "escalate" else "")
        + (f" {rung.letter!r}" if action == "holding_letter" else "")
        for action in rung.actions
    ]
    return f"{rung.name}, {moment}: {', '.join(does)}"


def _scope(scope: "Scope") -> str:
    parts = [
        ", ".join(spoken(category) for category in scope.categories),
        f"{scope.complexity} complaints" if scope.complexity else "",
        f"products named {' or '.join(map(repr, scope.products))}" if scope.products else "",
    ]
    return "; ".join(part for part in parts if part) or "all complaints"


def _early(pack: "PolicyPack") -> list[RenderableType]:
    early = pack.early_closure
    if early is None:
        return []
    first = ", the first day counting" if early.first_day_counts else ""
    text = line(f"Settled within {early.within} of receipt{first}: a summary letter ends the case. ")
    return [text.append_text(_source(early))]


def _route(route: "Route", language: str) -> list[RenderableType]:
    def words(text: "Bilingual | None") -> str | None:
        return text.in_language(language).strip() if text else None

    belongs = {True: "yes", False: "no", None: None}[route.firm_belongs]
    return [
        Text.assemble(("\n" + route.name, "bold"), f"  {spoken(route.kind)}: {route.title.in_language(language)}"),
        Padding(
            facts(
                {
                    "Contact": words(route.contact) or line("none: no letter can name it", "red"),
                    "Members": words(route.members),
                    "Firm belongs": belongs or (line("not said", "yellow") if route.members else None),
                    "Up to": str(route.limit) if route.limit else None,
                    "Within": f"{route.within} of {spoken(route.since)}" if route.within else None,
                    "Opens": "with the final response"
                    + (f", or {route.after_silence} after receipt without one" if route.after_silence else ""),
                    "Only for": ", ".join(spoken(category) for category in route.categories) or None,
                    "Source": _source(route),
                }
            ),
            (0, 0, 0, 2),
        ),
    ]


def _letters(pack: "PolicyPack", language: str) -> list[RenderableType]:
    shown: list[RenderableType] = []
    for rule in pack.letters:
        names = ", ".join(spoken(element) for element in rule.must_name)
        heading = Text.assemble((rule.name, "bold"), f"  {spoken(rule.kind)}")
        heading.append(f", must name {names}. " if names else ". ")
        shown.append(heading.append_text(_source(rule)))
        if rule.text:
            shown.append(Padding(line(rule.text.in_language(language).strip()), (0, 0, 1, 2)))
    return shown


def _decision(pack: "PolicyPack") -> dict[str, RenderableType | None]:
    by_rule: dict[str, RenderableType | None] = {"By rule": _limits(pack.decision.rule_limits)}
    return by_rule | {spoken(step.role): _approves(step) for step in pack.decision.approval}


def _approves(step: "ApprovalStep") -> str:
    return "any amount" if step.limits is None else _limits(step.limits)


def _limits(limits: "Limits") -> str:
    return ", ".join(f"{currency} {amount:,f}" for currency, amount in limits.items()) or "nothing"


def _teams(pack: "PolicyPack") -> Iterator[tuple[str, str]]:
    for team in pack.teams:
        yield team.name, ", ".join(spoken(category) for category in team.categories) or "everything else"


def _interest(rule: "InterestRule") -> Text:
    base = f"{spoken(rule.base)} base rate + " if rule.base else ""
    since = f" from {rule.effective_from}" if rule.effective_from else ""
    until = f" until {rule.effective_until}" if rule.effective_until else ""
    what = ", from then on" if rule.runs_from == "trigger" else ", from the loss on"
    if rule.on == "late_payment":
        what = ", on an award that is paid late"
    which = f"for cases {spoken(rule.trigger)}{since}{until}"
    if rule.holds_by == "day":
        which = f"on the days{since}{until}, for cases {spoken(rule.trigger)}"
    text = line(f"{base}{rule.percent} % a year, simple, {which}{what}. ")
    return text.append_text(_source(rule))


def _retention(pack: "PolicyPack") -> list[RenderableType]:
    if pack.retention is None:
        return []
    return [line(f"{pack.retention.after_closing} after it was closed. ").append_text(_source(pack.retention))]


# -- check, due, compare -----------------------------------------------------------------------------------------------


def problems(checked: "Sequence[PolicyPack]", found: "Sequence[PolicyProblem]") -> list[RenderableType]:
    """What is wrong, pack by pack; what is not confirmed in one paragraph."""
    shown: list[RenderableType] = []
    for name in dict.fromkeys(one.pack for one in found):
        mine = [one for one in found if one.pack == name]
        shown.append(line(name, "bold underline"))
        for one in mine:
            if one.about != "unconfirmed":
                style = "bold red" if one.severity == "error" else "yellow"
                told = Text.assemble((one.severity, style), f" {one.field}: {one.message}")
                shown.append(Padding(told, (0, 0, 0, 2)))
        if unconfirmed := [one.field for one in mine if one.about == "unconfirmed"]:
            told = Text.assemble(("warning", "yellow"), f" {len(unconfirmed)} not confirmed: ")
            shown.append(Padding(told.append(", ".join(unconfirmed), "dim"), (0, 0, 0, 2)))
    wrong = {one.pack for one in found}
    if sound := [name for pack in checked if (name := f"{pack.id} {pack.version}") not in wrong]:
        shown.append(line(f"Nothing is wrong with {', '.join(sound)}.", "green"))
    return shown


def due(pack: "PolicyPack", receipt: "Occurred", told: "Sequence[Foretold]", *, local: bool) -> list[RenderableType]:
    """Every rung in the order in which it is due, with how that was found. *local*: times were typed without offset."""
    about = receipt.facts
    shown: list[RenderableType] = [Text.assemble((f"{pack.id} {pack.version}", "bold"), "  ", pack.title)]
    if about:
        product = f", {about.product}" if about.product else ""
        shown.append(line(f"A {about.complexity} complaint, {spoken(about.category)}{product}."))
    if local:
        shown.append(line(f"Times without an offset are local time in {pack.calendar.time_zone}.", "dim"))
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


# -- calendars ---------------------------------------------------------------------------------------------------------


def calendar_list(calendars: "Mapping[str, Calendar]", today: date) -> list[RenderableType]:
    """Calendars and how long their holidays are known."""
    made = table("Calendar", "Place", "Time zone", "Known until", "Days left", right=["Days left"])
    for name, calendar in calendars.items():
        verified = calendar.verified_until
        left = (verified - today).days if verified else None
        style = "" if left is None or left > 60 else "bold red" if left < 0 else "yellow"
        made.add_row(
            line(name, "bold"),
            calendar.country + (f"-{calendar.subdivision}" if calendar.subdivision else ""),
            calendar.time_zone,
            str(verified or NONE),
            line(NONE if left is None else str(left), style),
        )
    return [made]


def calendar_year(
    calendar: "Calendar", year: int, closed: Iterable[tuple[date, str]], worked: Iterable[tuple[date, str]]
) -> list[RenderableType]:
    """The weekdays of a year that are not worked, and the days at the weekend that are."""
    shown: list[RenderableType] = [line(_calendar(calendar), "bold")]
    for title, days in ((f"Closed in {year}, weekends aside", closed), (f"Worked at weekends in {year}", worked)):
        made = table("Day", "Why", unbroken=["Day"])
        for day, why in days:
            text = line(why)
            if calendar.verified_until and day > calendar.verified_until:
                text.append(" (not official yet)", "yellow")
            made.add_row(f"{day:%a %d %b}", text)
        shown += _section(title, [made if made.row_count else line("None.")])
    if calendar.verified_until and date(year, 12, 31) > calendar.verified_until:
        shown.append(line(f"\nThe official holidays are known until {calendar.verified_until}.", "yellow"))
    if calendar.source:
        shown.append(line(f"\n{calendar.source}", "dim"))
    return shown


def replans(found: "Sequence[Replan]", untold: "Sequence[Untold]", *, dry_run: bool) -> list[RenderableType]:
    """What moves in which case, and how many stay as they are."""
    if not found:
        return [line("No open case is counted on an older version of these calendars.")]
    failed = {(one.reference, one.calendar): one.reason for one in untold}
    shown: list[RenderableType] = []
    made = table("Case", "Clock", "Due (UTC)", "", unbroken=["Case"])
    for replan in found:
        for move in replan.moves:
            if move.before == move.after:
                continue
            made.add_row(
                line(replan.reference),
                line(move.clock, "bold" if move.statutory else ""),
                f"{move.before:%Y-%m-%d %H:%M} → {move.after:%Y-%m-%d %H:%M}",
                line("provisional" if move.provisional else "certain now", "yellow" if move.provisional else "green"),
            )
    if made.row_count:
        shown.append(made)
    shown += [line(f"{reference}: {reason}", "red") for (reference, _), reason in failed.items()]
    moved = sum(replan.moved for replan in found)
    would = "would be " if dry_run else ""
    counted = f"{moved} moved, {len(found) - moved} unmoved, {len(untold)} not told"
    shown.append(line(f"{len(found)} case(s) {would}counted anew: {counted}."))
    if dry_run:
        shown.append(line("A dry run: nothing was written or sent.", "dim"))
    return shown
