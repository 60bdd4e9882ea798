"""Rules tried out: what is wrong with them, which apply, what would be due, and what others would have seen missed."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, Field
from starlette.datastructures import FormData
from starlette.responses import Response

from domain.clocks.deadlines import Occurred
from domain.clocks.local_times import readings
from domain.ground.base import Identifier, Line
from domain.ground.people import Country
from domain.ground.scope import Facts
from domain.ground.words import CaseEvent, Category, ClientClass, Complexity, Matter, Priority
from domain.rules.applying import Applicant, which_rules
from domain.rules.combining import combine
from domain.rules.policy import PolicyPack
from runtime.policies import PolicyIncomplete, UnknownPolicyPack, find_pack, load_packs, load_table
from starter.reading.checking import check_in_use
from starter.reading.comparing import Comparison, NothingPinned, compare
from starter.reading.foretelling import early_closure, extensions_of, foretell, happening, must_be_whole
from web.desk.frame import DESK, eyes, shown
from web.desk.refusals import why_not
from web.desk.widgets import Unfit, Widget, made, widgets
from web.permissions import staff
from web.visit import FieldError, Visit

_BESIDES: Final = 3
"""So many events beside the receipt can be tried at once."""
_NOT_GIVEN: Final = frozenset({CaseEvent.RECEIVED, CaseEvent.REPLANNED, CaseEvent.EXTENDED, CaseEvent.RECLASSIFIED})
_AROUND: Final = timedelta(days=3660)
M = TypeVar("M", bound=BaseModel)


class Which(BaseModel):
    """A complaint of which the table of rules is asked."""

    entity: Identifier | None = None
    residence: Country | None = None
    product: Line | None = None
    client_class: ClientClass | None = None
    day: date | None = None


class Due(BaseModel):
    """A complaint that need not exist. Moments without an offset are local time of the rules."""

    packs: Annotated[tuple[str, ...], Field(min_length=1)]
    received: Line
    category: Category = Category.OTHER
    complexity: Complexity = Complexity.SIMPLE
    priority: Priority | None = None
    product: Line | None = None
    matters: tuple[Matter, ...] = ()


class Compare(BaseModel):
    """The rules that closed cases have, and others to replay them through."""

    old: str
    packs: Annotated[tuple[str, ...], Field(min_length=1)]
    since: date | None = None
    limit: Annotated[int, Field(ge=1, le=10_000)] = 1000


@DESK.get("/rules-check", staff())
async def check(visit: Visit) -> Response:
    """What is wrong with every pack that can be used."""
    checked, found = check_in_use(visit.now)
    names = [f"{one.pack.id} {one.pack.version}" for one in checked]
    groups = {name: [one for one in found if one.pack == name] for name in dict.fromkeys(one.pack for one in found)}
    return shown(visit, "rules_check.html", groups=groups, sound=[name for name in names if name not in groups])


@DESK.get("/rules-which", staff())
async def which(visit: Visit) -> Response:
    """Which rules the firm's table finds for such a complaint, and why."""
    asked, errors = _asked(visit, Which)
    found, table = None, load_table()
    if asked:
        day = asked.day or visit.now.date()
        found = which_rules(table, Applicant(day, asked.entity, asked.residence, asked.product, asked.client_class))
    return _form(visit, "which", Which, errors, found=found, empty=not table.rows)


@DESK.get("/rules-due", staff())
async def due(visit: Visit) -> Response:
    """What would be due when for a complaint, and how each moment is found."""
    asked, errors = _asked(visit, Due)
    told, pack, early = [], None, None
    if asked:
        try:
            received = _moment("received", asked.received)
            pack = _combined(asked.packs, received)
            received = _local("received", received, pack)
            facts = Facts.model_validate(asked.model_dump(include=set(Facts.model_fields)))
            receipt = Occurred(event=CaseEvent.RECEIVED, at=received, number=1, facts=facts)
            told = foretell(pack, [receipt, *_besides(visit, pack, receipt)])
            early = early_closure(pack, facts, received)
        except Unfit as error:
            errors = error.errors
    return _form(
        visit,
        "due",
        Due,
        errors,
        told=told,
        pack=pack,
        early=early,
        events=_events(visit),
        besides=range(1, _BESIDES + 1),
    )


@DESK.get("/rules-compare", staff())
async def compared(visit: Visit) -> Response:
    """Closed cases replayed through other rules: what would have been kept or missed."""
    asked, errors = _asked(visit, Compare)
    found: Comparison | None = None
    if asked:
        name, _, version = asked.old.partition("@")
        try:
            new = _combined(asked.packs, visit.now)
            found = await compare(eyes(visit), name, version or None, new, since=asked.since, limit=asked.limit)
            visit.seen += [one.reference for one in found.cases]
        except NothingPinned:
            errors = [FieldError("old", "desk.try.nothing_pinned", {"pack": asked.old})]
        except Unfit as error:
            errors = error.errors
    changed = [(case, duty) for case in (found.cases if found else ()) for duty in case.duties if duty.change != "same"]
    return _form(visit, "compare", Compare, errors, found=found, changed=changed)


def _asked(visit: Visit, kind: type[M]) -> tuple[M | None, list[FieldError]]:
    """What the address asks for, or what is wrong with it; neither where nothing was asked yet."""
    if not visit.request.query_params:
        return None, []
    try:
        return made(kind, _widgets(kind), FormData([*visit.request.query_params.multi_items()])), []
    except Unfit as error:
        return None, why_not(visit, error, [])


def _widgets(kind: type[BaseModel]) -> list[Widget]:
    known = tuple(sorted(load_packs()))
    return [Widget("packs", "ticks", known, optional=False) if one.name == "packs" else one for one in widgets(kind)]


def _form(visit: Visit, what: str, kind: type[BaseModel], errors: Sequence[FieldError], /, **context: Any) -> Response:
    given = visit.request.query_params
    return shown(
        visit,
        f"rules_{what}.html",
        what=what,
        kind_of=lambda word: type(word).__name__,
        asked=_widgets(kind),
        given={name: given.getlist(name) for name in given},
        errors=errors,
        **context,
    )


def _combined(names: Sequence[str], at: datetime) -> PolicyPack:
    """The packs of these names, as they hold *at* that time, as one. Raises `Unfit`."""
    day = at if at.tzinfo else at.date()
    try:
        pack = combine([find_pack(name, day) for name in dict.fromkeys(names)])
        must_be_whole(pack)
    except UnknownPolicyPack:
        raise Unfit([FieldError("packs", "desk.try.not_in_force", {"day": f"{at:%Y-%m-%d}"})]) from None
    except PolicyIncomplete:
        raise Unfit([FieldError("packs", "desk.try.incomplete", {"fields": ", ".join(pack.demands)})]) from None
    return pack


def _moment(field: str, text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
        at - _AROUND, at + _AROUND  # what lies around it can be told too
    except (ValueError, OverflowError):
        raise Unfit([FieldError(field, "desk.wrong.moment")]) from None
    return at


def _local(field: str, at: datetime, pack: PolicyPack) -> datetime:
    """*at*, by the clock of the *pack* where it has no offset. Raises `Unfit` if that shows it twice or never."""
    if at.tzinfo:
        return at
    zone = pack.calendar.zone
    meant = readings(at, zone)
    if len(meant) != 1:
        raise Unfit([FieldError(field, f"desk.try.{'twice' if meant else 'skipped'}", {"zone": str(zone)})])
    return meant[0].astimezone(zone)


def _besides(visit: Visit, pack: PolicyPack, receipt: Occurred) -> Iterator[Occurred]:
    """What happens beside the receipt. Raises `Unfit`."""
    assert receipt.facts is not None  # noqa: S101 (who asks gives them)
    for number in range(1, _BESIDES + 1):
        what, when = (visit.request.query_params.get(f"{name}{number}", "").strip() for name in ("event", "at"))
        if not what:
            continue
        at = _local(f"at{number}", _moment(f"at{number}", when), pack)
        if at < receipt.at:
            raise Unfit([FieldError(f"at{number}", "desk.try.before_receipt")])
        try:
            yield happening(what, at, pack, receipt.facts)
        except ValueError:
            raise Unfit([FieldError(f"event{number}", "desk.try.cannot_happen")]) from None


def _events(visit: Visit) -> list[tuple[str, tuple[Any, ...]]]:
    """What can happen, as it is written, with the words that say it: an event, and what it is about."""
    known = load_packs()
    chosen = [name for name in visit.request.query_params.getlist("packs") if name in known]
    extensions = dict.fromkeys(each for name in chosen for pack in known[name] for each in extensions_of(pack))
    assessed = [*Complexity, *Priority, *Category]
    return [
        *((one.value, (one.value,)) for one in CaseEvent if one not in _NOT_GIVEN),
        *((f"extended:{one}", ("extended", *one.split(":"))) for one in extensions),
        *((f"reclassified:{one.value}", ("reclassified", one)) for one in assessed),
    ]
