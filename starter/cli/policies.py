"""Commands about policy packs: what they say, what is wrong with them, and what would be due under them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from domain.ground.words import CaseEvent, Category, ClientClass, Complexity, Matter, Priority
from starter.cli import foretelling_pages, policy_pages
from starter.cli.access import read
from starter.cli.options import Language, Tongue, instant, moment
from starter.cli.program import Answer, ExitCode, InvalidInput, Problem, app, command, invalid

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from domain.clocks.deadlines import Occurred
    from domain.ground.scope import Facts
    from domain.rules.policy import PolicyPack
    from domain.rules.problem import PolicyProblem
    from runtime.policies import Packs, ReadPack

policy = typer.Typer(help="Policy packs: the rules that cases are handled by.", no_args_is_help=True)
app.add_typer(policy, name="policy", rich_help_panel="Look")

Named = Annotated[
    list[str],
    typer.Argument(metavar="PACK...", help="ID or ID@VERSION, or a pack's file; several apply to a case together."),
]


@command(policy, "list")
def list_() -> Answer:
    """The policy packs there are, and how many of their time limits nobody has confirmed."""
    from runtime.policies import load_packs
    from runtime.settings import load_settings

    default = load_settings().default_policy
    versions = [pack for _, versions in sorted(load_packs().items()) for pack in versions]
    data = [{**_document(pack), "default": pack.id == default} for pack in versions]
    return Answer(data, policy_pages.packs(versions, default))


@command(policy, "show")
def show(*, packs: Named, language: Language = Tongue.EN) -> Answer:
    """A pack's rules, or those of several together, with the source of each number and whether it is confirmed."""
    pack = _combined(packs, datetime.now(UTC))
    return Answer(_document(pack), policy_pages.pack_page(pack, language))


# -- check -------------------------------------------------------------------------------------------------------------


@command(policy, "check")
def check(
    *,
    packs: Annotated[
        list[str] | None, typer.Argument(metavar="[PACK or FILE...]", help="Otherwise every pack that can be used.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail the check too.")] = False,
) -> Answer:
    """What is wrong with policy packs: what cannot work (errors), and what somebody should look at (warnings)."""
    from domain.rules.policy_check import check_pack
    from starter.reading.checking import check_in_use

    now = datetime.now(UTC)
    if packs:
        checked, found = _to_check(packs, now)
        found += [problem for pack, extends in checked for problem in check_pack(pack, now, extends)]
    else:
        checked, found = check_in_use(now)
    errors = sum(one.severity == "error" for one in found)
    data = {
        "packs": [{"id": pack.id, "version": pack.version, "hash": pack.hash} for pack, _ in checked],
        "problems": found,
        "errors": errors,
        "warnings": len(found) - errors,
    }
    problem = None
    if errors or (strict and found):
        counted = f"{errors} error(s), {len(found) - errors} warning(s)"
        problem = Problem("check_failed", ExitCode.CHECK_FAILED, f"the policy packs have {counted}")
    return Answer(data, policy_pages.problems([pack for pack, _ in checked], found), problem)


def _to_check(names: Sequence[str], now: datetime) -> "tuple[list[ReadPack], list[PolicyProblem]]":
    """The packs of these names, and what is wrong with those that cannot be read, and with the files of others."""
    from runtime.policies import UnknownPolicyPack, read_pack
    from runtime.shelf import PolicyError
    from starter.reading.checking import broken, read_all

    known, wrong = read_all()
    checked: list[ReadPack] = []
    problems: list[PolicyProblem] = []
    for name in names:
        try:
            checked.append(read_pack(_file(name)) if _is_file(name) else _named(name, known, now))
        except PolicyError as error:
            problems.append(broken(name, error))
        except UnknownPolicyPack:
            # It may be in one of the files that cannot be read.
            if not wrong:
                raise
            problems += [broken(file, error) for file, error in wrong.items()]
    return checked, problems


def _named(name: str, known: "Sequence[ReadPack]", now: datetime) -> "ReadPack":
    """The pack of that id, and version, among those that can be read.

    Raises :class:`runtime.policies.UnknownPolicyPack`.
    """
    packs: dict[str, list[PolicyPack]] = {}
    for one in known:
        packs.setdefault(one.pack.id, []).append(one.pack)
    pack = pack_named(name, now, packs)
    return next(one for one in known if one.pack is pack)


# -- due ---------------------------------------------------------------------------------------------------------------


@command(policy, "due")
def due(
    *,
    packs: Named,
    received: Annotated[
        str,
        typer.Option("--received", metavar="TIME", help="2026-12-23T16:00, with offset or local time of the pack."),
    ],
    category: Annotated[Category, typer.Option("--category")] = Category.OTHER,
    complexity: Annotated[Complexity, typer.Option("--complexity")] = Complexity.SIMPLE,
    priority: Annotated[Priority | None, typer.Option("--priority")] = None,
    product: Annotated[str | None, typer.Option("--product", metavar="TEXT")] = None,
    matter: Annotated[list[Matter] | None, typer.Option("--matter", help="What it speaks of. May be repeated.")] = None,
    trigger: Annotated[
        list[str] | None,
        typer.Option(
            "--trigger",
            metavar="EVENT=TIME",
            help="What happens besides, such as responded=2026-12-30T09:00, extended:CLOCK:EXTENSION=…, "
            "reclassified:complex=…. May be repeated.",
        ),
    ] = None,
) -> Answer:
    """What would be due when for a complaint, and how each moment is found. No case is needed."""
    from domain.clocks.deadlines import Occurred
    from domain.ground.scope import Facts
    from starter.reading.foretelling import early_closure, foretell, must_be_whole

    named = moment(received, "--received")
    zone = _combined(packs, named if named.tzinfo else named.date()).calendar.zone
    received_at = instant(received, zone, "--received")
    pack = _combined(packs, received_at)
    must_be_whole(pack)
    facts = Facts(
        category=category, complexity=complexity, product=product, matters=tuple(matter or ()), priority=priority
    )
    events = [_happening(text, pack, zone, facts) for text in trigger or ()]
    if early := next((event for event in events if event.at < received_at), None):
        invalid("--trigger", f"{early.event.value} lies before the receipt")
    receipt = Occurred(event=CaseEvent.RECEIVED, at=received_at, number=1, facts=facts)
    told = foretell(pack, [receipt, *events])
    early_until = early_closure(pack, facts, received_at)
    data = {
        "pack": pack.id,
        "version": pack.version,
        "hash": pack.hash,
        "time_zone": pack.calendar.time_zone,
        "received": received_at,
        "facts": facts,
        "early_until": early_until,
        "early_until_local": early_until and early_until.astimezone(zone).isoformat(),
        "deadlines": told,
    }
    times = [received, *(text.partition("=")[2] for text in trigger or ())]
    local = any(moment(text, "--trigger").tzinfo is None for text in times)
    return Answer(data, foretelling_pages.due(pack, receipt, told, early_until, local=local))


def _happening(text: str, pack: "PolicyPack", zone: "ZoneInfo", facts: "Facts") -> "Occurred":
    """What ``EVENT=TIME`` says. Its number is given when all are known."""
    from starter.reading.foretelling import happening

    what, equals, when = text.partition("=")
    if not equals:
        invalid("--trigger", f"{text!r} must be EVENT=TIME, such as responded=2026-12-30T09:00")
    at = instant(when, zone, f"--trigger {what}")
    try:
        return happening(what, at, pack, facts)
    except ValueError as error:
        invalid("--trigger", str(error))


# -- which -------------------------------------------------------------------------------------------------------------


@command(policy, "which")
def which(
    *,
    entity: Annotated[str | None, typer.Option("--entity", metavar="NAME", help="The firm's company.")] = None,
    residence: Annotated[str | None, typer.Option("--residence", metavar="CC", help="ISO 3166, such as GB.")] = None,
    product: Annotated[str | None, typer.Option("--product", metavar="TEXT")] = None,
    client_class: Annotated[ClientClass | None, typer.Option("--client-class")] = None,
    received: Annotated[
        str | None, typer.Option("--received", metavar="DATE", help="The day of receipt (UTC), by default today.")
    ] = None,
) -> Answer:
    """Which rules the firm's table finds for such a complaint, and why. No case is needed."""
    from domain.rules.applying import Applicant, which_rules
    from runtime.policies import load_table

    day = _day(received, "--received") if received else datetime.now(UTC).date()
    country = residence and residence.strip().upper()
    found = which_rules(load_table(), Applicant(day, entity, country, product, client_class))
    return Answer(found, policy_pages.which(found))


# -- compare -----------------------------------------------------------------------------------------------------------


@command(policy, "compare")
def compare(
    *,
    old: Annotated[str, typer.Argument(metavar="OLD", help="The pack, ID or ID@VERSION, that the cases have.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="ID, ID@VERSION or a file; several as ID/ID.")],
    since: Annotated[
        str | None, typer.Option("--since", metavar="DATE", help="Only cases closed on that day (UTC) or later.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many cases at most.")] = 1000,
) -> Answer:
    """Replay closed cases through another pack: what would have been kept or missed. Nothing is changed."""
    from starter.reading.comparing import compare as replayed
    from starter.reading.foretelling import must_be_whole

    now = datetime.now(UTC)
    other = _combined([new] if _is_file(new) else new.split("/"), now)
    must_be_whole(other)
    day = None if since is None else _day(since, "--since")
    name, _, version = old.partition("@")
    comparison = read(lambda pool: replayed(pool, name, version or None, other, since=day, limit=limit))
    return Answer(comparison, foretelling_pages.comparison(comparison))


def _day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        invalid(option, f"{text!r} is no date; write it as 2026-06-30")


# -- which pack --------------------------------------------------------------------------------------------------------


def _combined(names: Sequence[str], at: date | datetime) -> "PolicyPack":
    """The packs of these names as one. Raises :class:`InvalidInput` for one that there is not."""
    from domain.rules.combining import combine

    try:
        return combine([pack_named(name, at) for name in names])
    except ValueError as error:
        raise InvalidInput(str(error)) from None


def pack_named(name: str, at: date | datetime, packs: "Packs | None" = None) -> "PolicyPack":
    """The pack that *name* says: a file, an id and a version, or an id, of which the version in force *at*."""
    from runtime.policies import UnknownPolicyPack, find_pack, load_packs, read_pack

    if _is_file(name):
        return read_pack(_file(name)).pack
    packs = load_packs() if packs is None else packs
    pack_id, at_sign, version = name.partition("@")
    if not at_sign:
        return find_pack(pack_id, at, packs)
    versions = packs.get(pack_id, ())
    if found := next((pack for pack in versions if pack.version == version), None):
        return found
    if not versions:
        find_pack(pack_id, at, packs)  # which names those there are
    raise UnknownPolicyPack(
        f"policy: {pack_id} has no version {version!r}; it has {', '.join(p.version for p in versions)}"
    )


def _file(name: str) -> Path:
    if not Path(name).is_file():
        invalid(name, "there is no such file")
    return Path(name)


def _is_file(name: str) -> bool:
    return name.endswith(".toml")


def _document(pack: "PolicyPack") -> dict[str, Any]:
    return {**pack.model_dump(mode="json"), "hash": pack.hash}
