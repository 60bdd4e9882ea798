"""What people see of policy packs and calendars, readable at 80 columns."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from starter.cli.calendar_pages import calendar_line, section
from starter.reading.layout import facts, line, spoken, table

if TYPE_CHECKING:
    from domain.clocks.clock import Clock, Rung
    from domain.ground.bilingual import Bilingual
    from domain.ground.scope import Scope, Sourced
    from domain.rules.applying import RulesFound
    from domain.rules.deciding import ApprovalStep, Limits, SpecialLimits
    from domain.rules.duties import InterestRule, Return, Route
    from domain.rules.policy import PolicyPack
    from domain.rules.problem import PolicyProblem
    from runtime.letters.samples import SampleLetter


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


def letters(found: "Sequence[tuple[PolicyPack, SampleLetter]]", *, texts: bool) -> list[RenderableType]:
    """Sample letters, one a row; with their *texts* one below the other."""
    if texts:
        return [
            part
            for pack, one in found
            for part in (
                line(f"{pack.id} {one.kind.value} {one.rule or ''} {one.language}", "dim"),
                line(one.letter.subject or one.letter.missing or "", "bold" if one.letter.subject else "red"),
                Text(one.letter.body or ""),
            )
        ]
    made = table("Pack", "Letter", "Language", "Subject, or what it lacks", unbroken=["Pack"])
    for pack, one in found:
        subject, missing = one.letter.subject, one.letter.missing
        name = f"{one.kind.value} {one.rule}" if one.rule else one.kind.value
        made.add_row(pack.id, name, one.language, line(subject or missing or "", "" if subject else "red"))
    return [made]


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
                "Calendar": calendar_line(pack.calendar),
                "SHA-256": pack.hash,
            }
        ),
        *section("Clocks", [part for clock in pack.clocks for part in _clock(pack, clock)]),
        *section("Early closure", _early(pack)),
        *section("Ways to go further", [part for route in pack.routes for part in _route(route, language)]),
        Padding(line(pack.rights.in_language(language).strip(), "dim"), (1, 0, 0, 2)),
        *section("Letters", _letters(pack, language)),
        *section("Who decides", [facts(_decision(pack))]),
        *section("Escalation", [facts({str(step.level): spoken(step.role) for step in pack.escalation})]),
        *section("Teams", [facts(dict(_teams(pack)))]),
        *section(
            "Interest on redress", [facts({one.name: _interest(one) for one in pack.interest})] * bool(pack.interest)
        ),
        *section("What authorities are told", [_return(one) for one in pack.returns]),
        *section("How long the file is kept", _retention(pack)),
    ]
    if any(not one.confirmed for one in _numbers(pack)):
        shown.append(line("\nNOT CONFIRMED: needs your compliance function's word before use.", "yellow"))
    return shown


def _numbers(pack: "PolicyPack") -> "Iterator[Sourced]":
    for clock in pack.clocks:
        yield from (clock, *clock.lengths, *clock.extensions, *filter(None, [clock.own_days]))
    yield from (*pack.routes, *pack.letters, *pack.interest, *pack.returns)
    yield from (one for one in (pack.early_closure, pack.retention) if one)


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
        only = " or ".join(spoken(one) for one in extension.circumstances)
        text = line(f"{extension}, {often}{f', only if {only}' if only else ''}, approved by {approvers}. ")
        about[f"+ {extension.name}"] = text.append_text(_source(extension))
    about |= {
        "Business days": line(f"those of the firm. {clock.own_days.source}") if clock.own_days else None,
        "Satisfied by": ", ".join(spoken(event) for event in clock.satisfied_by),
        "Duty": clock.keeps if clock.keeps != clock.name else None,
        "Applies to": _scope(clock.scope) if clock.scope else None,
        "Calendar": calendar_line(clock.calendar) if clock.calendar and clock.calendar != pack.calendar else None,
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
        f"of urgency {' or '.join(scope.priorities)}" if scope.priorities else "",
        f"tasks to {' or '.join(spoken(task) for task in scope.tasks)}" if scope.tasks else "",
        f"what speaks of {' or '.join(spoken(matter) for matter in scope.matters)}" if scope.matters else "",
    ]
    return "; ".join(part for part in parts if part) or "all complaints"


def _early(pack: "PolicyPack") -> list[RenderableType]:
    early = pack.early_closure
    if early is None:
        return []
    first = ", the first day counting" if early.first_day_counts else ""
    if early.close_of_business:
        first += f", on the last day until {early.close_of_business:%H:%M}"
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
    from domain.rules.deciding import ByRule, Occasion

    decision = pack.decision
    told = {
        ByRule.IN_FAVOUR: "what is wholly in the customer's favour",
        ByRule.NEVER: "nothing",
        ByRule.ALWAYS: "what the findings are clear on, a no included",
    }
    by_rule: dict[str, RenderableType | None] = {
        "By rule": told[decision.by_rule],
        "Signed by": f"{decision.signed.by}, {decision.signed.on}" if decision.signed else None,
        "By rule or alone": f"up to {_limits(decision.rule_limits)}",
        "Two persons": ", ".join(spoken(one) for one in Occasion if decision.needs_second(one)),
    }
    special = {f"For {_covered(one)}": _special(one) for one in decision.special}
    return by_rule | {spoken(step.role): _approves(step) for step in decision.approval} | special


def _covered(one: "SpecialLimits") -> str:
    return " of ".join(filter(None, [", ".join(one.priorities), ", ".join(spoken(each) for each in one.categories)]))


def _special(one: "SpecialLimits") -> str:
    alone = [] if one.rule_limits is None else [f"by rule or alone up to {_limits(one.rule_limits)}"]
    return "; ".join([*alone, *(f"{spoken(step.role)} {_approves(step)}" for step in one.approval)])


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


def _return(one: "Return") -> RenderableType:
    text = line(f"{one.name}: {one.to}, within {one.within} of the end of each {one.every.replace('_', ' ')}. ")
    return text.append_text(_source(one))


def _retention(pack: "PolicyPack") -> list[RenderableType]:
    if pack.retention is None:
        return []
    return [line(f"{pack.retention.after_closing} after it was closed. ").append_text(_source(pack.retention))]


def which(found: "RulesFound | None") -> list[RenderableType]:
    """What the table of rules says of a complaint."""
    if found is None:
        return [line("There is no table of rules: tables/which-rules.toml has no rows.")]
    if not found.policy:
        return [line("No answer: that is for a person.", "yellow"), line(found.why, "dim")]
    return [line(", ".join(found.policy), "bold"), line(f"row {found.row}: {found.why}", "dim")]


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
