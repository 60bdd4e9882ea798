"""Returns: what authorities are told of complaints. Each cell says what it means, where that is said, and by whom read.

A form is data (``policies/learning/returns``): its cells name a measure of this module, or none where Redress does not
know what is asked. What is not known is left empty and listed, and while anything is, the return is not complete.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from domain.clocks.business_days import business_days_between, local_day
from domain.clocks.calendar import Calendar
from domain.ground.base import Identifier, Line, Record, content_hash
from domain.ground.bilingual import Bilingual
from domain.ground.scope import Sourced
from domain.learning.balance import Balancing
from domain.learning.definitions import Closed, is_open, is_rejected, is_upheld, turns
from domain.learning.facts import CaseFact
from domain.learning.given import NONE_NAMED, GivenFigures, Standing, Stated, standing
from domain.learning.periods import Length, Period
from domain.learning.suppressing import FEWEST, suppressed

Measure = Callable[["View"], "Decimal | str | bool | None"]


class Cell(Sourced):
    """A cell of a form, or a column of a list. ``measure`` names what Redress knows; without one it is left empty.

    ``only`` narrows what is counted: cases whose fields have one of these values.
    """

    name: Identifier
    title: Bilingual
    means: Line
    measure: Identifier | None = None
    only: dict[Literal["category", "product", "outcome", "channel", "entity"], tuple[str, ...]] = Field(
        default_factory=dict
    )
    needed: bool = True
    """Whether the return is incomplete without it. Where the record does not measure it, the firm gives it."""
    codes: dict[str, str] = Field(default_factory=dict)
    """What the authority calls our values; where there are codes, a value without one is not known."""

    @model_validator(mode="after")
    def _measures_something(self) -> Self:
        if self.measure and self.measure not in {*COUNTS, *COLUMNS}:
            raise ValueError(f"measure: {self.measure!r} is none of {', '.join(sorted({*COUNTS, *COLUMNS}))}")
        return self


class Form(Sourced):
    """A return. A *list* has a row a case, all others a value a cell, for each of ``by`` or once."""

    id: Identifier
    title: Bilingual
    to: Line
    every: Length
    version: Line
    kind: Literal["cells", "list"]
    by: Literal["category", "product"] | None = None
    rows: Literal["opened_or_open", "opened", "closed"] = "opened_or_open"
    """Which cases a list has."""
    published: bool = False
    """Whether small counts are suppressed, and those by which they can be worked out."""
    first: Identifier | None = None
    """The first period there is a return for."""
    last: Identifier | None = None
    closed: Closed = Closed.ANSWERED
    calendar: Identifier | None = None
    cells: Annotated[tuple[Cell, ...], Field(min_length=1)]


class Filled(Record):
    """A cell with its value as the authority reads it; ``None`` is not known, or ``suppressed``."""

    cell: str
    row: str
    value: str | None
    suppressed: bool = False


class ReturnMade(Record):
    """A return on a period, of the facts up to ``cut_off``, whose digest is ``record``.

    ``missing`` are cells that are empty but needed.
    ``unconfirmed`` are cells whose definition nobody has read in its source.
    """

    form: str
    version: str
    period: Period
    cut_off: int
    record: str
    entity: str | None
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Filled, ...]], ...]
    missing: tuple[str, ...]
    unconfirmed: tuple[str, ...]
    stated: tuple[Stated, ...] = ()
    """What the firm itself gave for it."""
    nil: bool
    """Nothing to report: no case was opened, closed or open."""

    @property
    def complete(self) -> bool:
        return not self.missing and not self.unconfirmed

    @property
    def hash(self) -> str:
        """SHA-256 over all that it says."""
        return content_hash(self)


class View:
    """A case, or several, as one form looks at it over its period."""

    def __init__(self, cases: Iterable[CaseFact], form: Form, period: Period, calendar: Calendar | None) -> None:
        self.cases = list(cases)
        self.form, self.period, self.calendar = form, period, calendar

    def closings(self, case: CaseFact) -> list[datetime]:
        """When it was closed."""
        return [at for at, opens in turns(case, self.form.closed) if not opens]

    def closing(self, case: CaseFact) -> datetime:
        """When it was closed last in the period; of those that were."""
        return [at for at in self.closings(case) if at in self.period][-1]

    def is_open(self, case: CaseFact, at: datetime) -> bool:
        """Whether it is open just before *at*, by what the form calls closed."""
        return is_open(case, at, self.form.closed)

    def closed(self) -> list[CaseFact]:
        """Those that were closed in the period."""
        return [case for case in self.cases if any(at in self.period for at in self.closings(case))]

    def opened_again(self, case: CaseFact) -> int:
        """How often it was opened again in the period, less the closings in it beside the one that is counted."""
        again = sum(opens and at in self.period for at, opens in list(turns(case, self.form.closed))[1:])
        closings = sum(at in self.period for at in self.closings(case))
        return again - max(0, closings - 1)

    def within(self, days: int) -> list[CaseFact]:
        """Those closed in the period within so many days of receipt."""
        return [
            case for case in self.closed() if (self.closing(case) - case.received_at).total_seconds() <= days * 86_400
        ]

    def within_business_days(self, days: int) -> list[CaseFact] | None:
        """Those closed in the period within so many business days; ``None`` without a calendar."""
        if (calendar := self.calendar) is None:
            return None
        return [
            case
            for case in self.closed()
            if business_days_between(
                calendar, local_day(calendar, case.received_at), local_day(calendar, self.closing(case))
            )
            <= days
        ]


def _count(cases: list[CaseFact] | None) -> Decimal | None:
    return None if cases is None else Decimal(len(cases))


def _redress(view: View) -> str:
    sums: dict[str, Decimal] = {}
    for case in view.cases:
        for award in case.awards:
            if award.at in view.period:
                sums[award.currency] = sums.get(award.currency, Decimal(0)) + award.amount
    return "; ".join(f"{currency} {amount}" for currency, amount in sorted(sums.items())) or "0"


def _early(view: View) -> Decimal | None:
    return _count(view.within_business_days(3))


def _later(view: View, earlier: Decimal | None, days: int) -> Decimal | None:
    return None if earlier is None else Decimal(len(view.within(days))) - earlier


COUNTS: Final[Mapping[str, Measure]] = {
    "outstanding_before": lambda view: _count([c for c in view.cases if view.is_open(c, view.period.start)]),
    "outstanding_after": lambda view: _count([c for c in view.cases if view.is_open(c, view.period.end)]),
    "opened": lambda view: _count([c for c in view.cases if c.received_at in view.period]),
    "closed": lambda view: _count(view.closed()),
    "reopened": lambda view: Decimal(sum(map(view.opened_again, view.cases))),
    "closed_3_business_days": _early,
    "closed_8_weeks": lambda view: _later(view, _early(view), 56),
    "closed_later": lambda view: Decimal(len(view.closed()) - len(view.within(56))),
    "closed_15_days": lambda view: _count(view.within(15)),
    "closed_30_days": lambda view: _count(view.within(30)),
    "closed_60_days": lambda view: _count(view.within(60)),
    "upheld": lambda view: _count([c for c in view.closed() if is_upheld(c)]),
    "rejected": lambda view: _count([c for c in view.closed() if is_rejected(c)]),
    "redress": _redress,
    "vulnerable_closed": lambda view: _count([c for c in view.closed() if c.vulnerable]),
    "caused_by_vulnerability_missed": lambda view: _count(
        [c for c in view.closed() if "people/vulnerability_missed" in (c.cause, *c.contributing)]
    ),
    "referred_outside": lambda view: _count(
        [c for c in view.cases if any(name == "referred" and at in view.period for name, at in c.turns)]
    ),
    "nil": lambda view: "yes" if not view.cases else "no",
}
"""What a cell may count."""


def _one(view: View) -> CaseFact:
    return view.cases[0]


def _last_closing(view: View) -> datetime | None:
    known = [at for at in view.closings(_one(view)) if at < view.period.end]
    return known[-1] if known and not view.is_open(_one(view), view.period.end) else None


def _day(instant: datetime | None, view: View) -> str | None:
    return None if instant is None else f"{instant.astimezone(ZoneInfo(view.period.zone)):%Y-%m-%d}"


def _days(view: View) -> Decimal:
    end = _last_closing(view) or view.period.end
    return Decimal(int((end - _one(view).received_at).total_seconds() // 86_400))


def _first(view: View, event: str) -> datetime | None:
    """When that event happened first, if by the end of the period: what came later is told of in later returns."""
    at = _one(view).first(event)
    return at if at and at < view.period.end else None


def _timely(view: View, days: int) -> str:
    answered = _first(view, "responded") or _last_closing(view)
    if answered is None:
        return "no" if (view.period.end - _one(view).received_at).days > days else ""
    return "yes" if (answered - _one(view).received_at).total_seconds() <= days * 86_400 else "no"


COLUMNS: Final[Mapping[str, Measure]] = {
    "id": lambda view: _one(view).reference,
    "entity": lambda view: _one(view).entity,
    "received": lambda view: _day(_one(view).received_at, view),
    "closed_on": lambda view: _day(_last_closing(view), view),
    "status": lambda view: "closed" if _last_closing(view) else "open",
    "days": _days,
    "channel": lambda view: _one(view).channel,
    "residence": lambda view: _one(view).residence,
    "represented": lambda view: {True: "yes", False: "no", None: None}[_one(view).represented],
    "product": lambda view: _one(view).product,
    "category": lambda view: _one(view).category,
    "outcome": lambda view: _one(view).outcome if _last_closing(view) else None,
    "cause": lambda view: _one(view).cause,
    "redress_paid": _redress,
    "responded_on": lambda view: _day(_first(view, "responded"), view),
    "timely_15": lambda view: _timely(view, 15),
    "timely_30": lambda view: _timely(view, 30),
    "disputed": lambda view: "yes" if _first(view, "disputed") else "no",
    "handler": lambda view: _one(view).handler,
    "acknowledged_on": lambda view: _day(_first(view, "acknowledged"), view),
}
"""What a column of a list may tell of a case."""


def make_return(
    form: Form,
    cases: Iterable[CaseFact],
    period: Period,
    cut_off: int,
    *,
    calendar: Calendar | None = None,
    entity: str | None = None,
    record: str = "",
    given: Iterable[GivenFigures] = (),
) -> ReturnMade:
    """The return of that *form* on *period*, of the firm or of one *entity* of it, with what the firm has *given*.

    Raises ``ValueError`` where there is no such return for the period, and
    :class:`~domain.learning.balance.DoesNotBalance`.
    """
    _must_be_due(form, period)
    ours = [case for case in cases if entity is None or case.entity == entity]
    concerned = [case for case in ours if _concerns(form, case, period)]
    balancing = Balancing(period, form.closed)
    for case in concerned:
        balancing.count(case)
    balancing.balances()
    firm = standing(given, definitions_of(form), period.name, entity)
    rows = [
        (name, _as_given(form, name, each, _filled(form, name, each, period, calendar), firm))
        for name, each in _rows_of(form, concerned).items()
    ]
    empty = {filled.cell for _, row in rows for filled in row if filled.value is None and not filled.suppressed}
    known = {cell.name for cell in form.cells if cell.measure} | firm.figures.keys()
    missing = [cell.name for cell in form.cells if cell.needed and (cell.name not in known or cell.name in empty)]
    return ReturnMade(
        form=form.id,
        version=form.version,
        period=period,
        cut_off=cut_off,
        record=record,
        entity=entity,
        columns=tuple(cell.name for cell in form.cells),
        rows=tuple(rows),
        missing=tuple(missing),
        unconfirmed=tuple(cell.name for cell in form.cells if not cell.confirmed and cell.name not in firm.read),
        stated=firm.stated,
        nil=not concerned,
    )


def _rows_of(form: Form, cases: list[CaseFact]) -> dict[str, list[CaseFact]]:
    """The cases of each row, in the order of the rows."""
    if form.kind == "list":
        return {case.reference: [case] for case in sorted(cases, key=lambda one: (one.received_at, one.reference))}
    groups: dict[str, list[CaseFact]] = {}
    for case in cases:
        groups.setdefault((getattr(case, form.by) or NONE_NAMED) if form.by else "", []).append(case)
    groups = groups or {NONE_NAMED if form.by else "": []}  # a nil return has a row too, and says that it is nil
    return {name: groups[name] for name in sorted(groups)}


def definitions_of(form: Form) -> dict[str, str]:
    """The hash of each cell as it is defined: what the firm says of a cell counts while that is the same."""
    return {cell.name: content_hash(cell) for cell in form.cells}


def _must_be_due(form: Form, period: Period) -> None:
    if period.length != form.every:
        raise ValueError(f"period: {form.id} is made for each {form.every.replace('_', '-')}, not for {period.name}")
    if (form.first and period.name < form.first) or (form.last and period.name > form.last):
        since = f"from {form.first}" if form.first else f"until {form.last}"
        raise ValueError(f"period: {form.id} is made {since}, not for {period.name}")


def _concerns(form: Form, case: CaseFact, period: Period) -> bool:
    """Whether the case was opened, closed or open in the period."""
    if case.received_at >= period.end:
        return False
    view = View([case], form, period, None)
    opened, closed = case.received_at in period, bool(view.closed())
    if form.kind == "list" and form.rows != "opened_or_open":
        return opened if form.rows == "opened" else closed
    return opened or closed or view.is_open(case, period.end) or view.is_open(case, period.start)


def _filled(
    form: Form, row: str, cases: list[CaseFact], period: Period, calendar: Calendar | None
) -> tuple[Filled, ...]:
    found = [_measured(form, cell, cases, period, calendar) for cell in form.cells]
    kept_back = _kept_back(form, cases, period, calendar) if form.published else frozenset()
    return tuple(
        Filled(
            cell=cell.name,
            row=row,
            value=None if cell.name in kept_back else _as_read(cell, value),
            suppressed=cell.name in kept_back,
        )
        for cell, value in zip(form.cells, found, strict=True)
    )


def _measured(
    form: Form, cell: Cell, cases: list[CaseFact], period: Period, calendar: Calendar | None
) -> Decimal | str | bool | None:
    measure = (COLUMNS if form.kind == "list" else COUNTS).get(cell.measure or "")
    narrowed = [case for case in cases if all(getattr(case, name) in some for name, some in cell.only.items())]
    if measure is None or (form.kind == "list" and not narrowed):
        return None
    return measure(View(narrowed, form, period, calendar))


def _as_read(cell: Cell, value: Decimal | str | bool | None) -> str | None:
    text = None if value is None or value == "" else str(value)
    return cell.codes.get(text) if text is not None and cell.codes else text


def _as_given(
    form: Form, row: str, cases: list[CaseFact], filled: tuple[Filled, ...], firm: Standing
) -> tuple[Filled, ...]:
    """The row with what the firm gave for it: codes for what the record knows, and what it does not."""
    made = []
    for cell, one in zip(form.cells, filled, strict=True):
        figure = firm.figures.get(cell.name)
        if figure and not one.suppressed and (figure.values or not cell.measure):
            named = one.value if cell.measure else getattr(cases[0], figure.by) if figure.by else row
            value = figure.values.get(named or NONE_NAMED) if figure.values else figure.value
            made.append(one.model_copy(update={"value": value}))
        else:
            made.append(one)
    return tuple(made)


def _kept_back(form: Form, cases: list[CaseFact], period: Period, calendar: Calendar | None) -> frozenset[str]:
    """The cells that a published row does not give: see :mod:`domain.learning.suppressing`. A sum of few is one."""
    alone = [{cell.name: _measured(form, cell, [case], period, calendar) for cell in form.cells} for case in cases]
    counts = [{name: int(of) for name, of in one.items() if isinstance(of, Decimal)} for one in alone]
    paid = Counter(
        cell.name for one in alone for cell in form.cells if cell.measure == "redress" and one[cell.name] != "0"
    )
    return suppressed(counts) | {name for name, of in paid.items() if of < FEWEST}
