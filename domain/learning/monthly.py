"""The report on a month (or any period): what was counted, laid out in tables."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from math import log10
from typing import Final

from domain.ground.words import Outcome
from domain.learning.actions import ActionStanding, standing_table
from domain.learning.balance import Balance
from domain.learning.definitions import definitions
from domain.learning.facts import UNKNOWN
from domain.learning.intervals import middle, share, spread, surprise, wilson
from domain.learning.report import Figure, Report, Row, Shape, Table, Unit
from domain.learning.reviewing import Reviewed, review_tables
from domain.learning.tally import AGES, EARLIER, TOTAL, Tally

COMPLAINTS: Final = "complaints"
"""What the report is called where it is noted as issued."""
FALSE_ALARMS: Final = 0.05
"""In so many months in which nothing is wrong at all, something is told to stand out."""
_SHOWN: Final = 10
SCORES: Final = ("5", "4", "3", "2", "1")


def report_of(
    tally: Tally,
    cut_off: int,
    actions: Sequence[ActionStanding] = (),
    reviews: Sequence[Reviewed] = (),
    record: str = "",
) -> Report:
    """The report on what was counted, of the facts up to number *cut_off*, whose digest is *record*.

    Raises :class:`~domain.learning.balance.DoesNotBalance`.
    """
    balances = tally.balancing.balances()
    tables = (
        _balance(balances),
        _trend(tally),
        _categories(tally),
        _counts(tally, "outcomes", "outcome", [*Outcome, UNKNOWN], ("closed",), shape="bars"),
        _counts(tally, "channels", "channel", None, ("opened",)),
        _clocks(tally),
        _counts(tally, "ages", "age", [name for _, name in AGES], ("open", "missed"), shape="bars"),
        _redress(tally),
        _satisfaction(tally),
        _counts(
            tally, "recurrence", "recurrence", ["repeat", "disputed", "reopened", "referred"], ("cases",), total=False
        ),
        _causes(tally),
        _standing_out(tally),
        standing_table(actions),
        *review_tables(reviews),
        _counts(tally, "incidents", "own", None, ("complaints",)),
        _vulnerable(tally),
        _counts(tally, "workload", "own", None, ("opened", "closed", "open")),
    )
    return Report(
        name=COMPLAINTS,
        period=tally.period,
        cut_off=cut_off,
        record=record,
        policies=tuple(sorted(tally.policies)),
        tables=tables,
        definitions=tuple(definitions(tally.policies)),
    )


def _figure(table: str, row: str, column: str, value: Decimal | int | None, unit: Unit = "count") -> Figure:
    known = value if value is None or isinstance(value, Decimal) else Decimal(value)
    return Figure(key=f"{table}.{row}.{column}", unit=unit, value=known)


def _share(table: str, row: str, column: str, part: int, whole: int) -> Figure:
    between = wilson(part, whole)
    low, high = between or (None, None)
    return Figure(key=f"{table}.{row}.{column}", unit="share", value=share(part, whole), low=low, high=high)


def _rows(tally: Tally, table: str, order: Sequence[str] | None, columns: Sequence[str]) -> list[str]:
    """The names of the rows that have something, in *order*, or those with most first."""
    sums: dict[str, int] = {}
    for (of, row, column), count in tally.counts.items():
        if of == table and column in columns:
            sums[row] = sums.get(row, 0) + count
    if order is not None:
        return [str(name) for name in order if sums.get(str(name))]
    return sorted(sums, key=lambda row: (-sums[row], row))


def _counts(
    tally: Tally,
    table: str,
    of: str,
    order: Sequence[str] | None,
    columns: tuple[str, ...],
    *,
    shape: Shape = "none",
    total: bool = True,
) -> Table:
    rows = [
        Row(
            name=row,
            figures=tuple(_figure(table, row, column, tally.counts[table, row, column]) for column in columns),
        )
        for row in _rows(tally, table, order, columns)
    ]
    sums = [sum(tally.counts[table, row.name, column] for row in rows) for column in columns]
    if len(rows) > 1 and total:
        figures = (_figure(table, TOTAL, column, one) for column, one in zip(columns, sums, strict=True))
        rows.append(Row(name=TOTAL, figures=tuple(figures)))
    drawn = columns[:1] if shape != "none" else ()
    return Table(key=table, of=of, columns=columns, rows=tuple(rows), shape=shape, drawn=drawn)


def _balance(balances: Sequence[Balance]) -> Table:
    columns = ("before", "opened", "reopened", "closed", "after")
    rows = [
        Row(
            name=one.product,
            figures=tuple(_figure("balance", one.product, column, getattr(one, column)) for column in columns),
        )
        for one in balances
    ]
    sums = {column: sum(getattr(one, column) for one in balances) for column in columns}
    rows.append(Row(name=TOTAL, figures=tuple(_figure("balance", TOTAL, column, sums[column]) for column in columns)))
    return Table(key="balance", of="product", columns=columns, rows=tuple(rows))


def _trend(tally: Tally) -> Table:
    columns = ("opened", "closed")
    months = [tally.period.before(number).name for number in range(11, 0, -1)] + [tally.period.name]
    rows = tuple(
        Row(name=name, figures=tuple(_figure("trend", name, one, tally.counts["trend", name, one]) for one in columns))
        for name in months
    )
    return Table(key="trend", of="own", columns=columns, rows=rows, shape="trend", drawn=columns)


def _sum(tally: Tally, table: str, column: str) -> int:
    return sum(count for (of, _, name), count in tally.counts.items() if (of, name) == (table, column))


def _categories(tally: Tally) -> Table:
    columns = ("opened", "closed", "upheld", "upheld_share", "median_days", "slow_days")
    rows = []
    for row in _rows(tally, "categories", None, ("opened", "closed")):
        opened, closed, upheld = (tally.counts["categories", row, column] for column in columns[:3])
        days = tally.values.get(("categories", row, "median_days"), [])
        rows.append(_category(row, opened, closed, upheld, days))
    if len(rows) > 1:
        opened, closed, upheld = (_sum(tally, "categories", column) for column in columns[:3])
        days = [
            day
            for (of, _, name), values in tally.values.items()
            if (of, name) == ("categories", "median_days")
            for day in values
        ]
        rows.append(_category(TOTAL, opened, closed, upheld, days))
    return Table(
        key="categories", of="category", columns=columns, rows=tuple(rows), shape="bars", drawn=("opened", "upheld")
    )


def _category(row: str, opened: int, closed: int, upheld: int, days: list[Decimal]) -> Row:
    table = "categories"
    return Row(
        name=row,
        figures=(
            _figure(table, row, "opened", opened),
            _figure(table, row, "closed", closed),
            _figure(table, row, "upheld", upheld),
            _share(table, row, "upheld_share", upheld, closed),
            _figure(table, row, "median_days", middle(days), "days"),
            _figure(table, row, "slow_days", middle(days, Decimal("0.9")), "days"),
        ),
    )


def _clocks(tally: Tally) -> Table:
    columns = ("met", "missed", "met_share")
    names = sorted({row for (of, row, _), _ in tally.counts.items() if of == "clocks"}, reverse=True)
    rows = []
    for row in names:
        met, missed = tally.counts["clocks", row, "met"], tally.counts["clocks", row, "missed"]
        figures = (
            _figure("clocks", row, "met", met),
            _figure("clocks", row, "missed", missed),
            _share("clocks", row, "met_share", met, met + missed),
        )
        rows.append(Row(name=row, figures=figures))
    return Table(key="clocks", of="clock", columns=columns, rows=tuple(rows))


def _redress(tally: Tally) -> Table:
    columns = ("awards", "sum", "median", "largest")
    rows = []
    for currency in sorted(row for (of, row, _) in tally.values if of == "redress"):
        amounts = tally.values["redress", currency, "sum"]
        money: list[tuple[str, Decimal | None]] = [
            ("sum", sum(amounts, Decimal(0))),
            ("median", middle(amounts)),
            ("largest", max(amounts)),
        ]
        figures = [_figure("redress", currency, "awards", len(amounts))]
        figures += [
            _figure("redress", currency, column, value, "money").model_copy(update={"currency": currency})
            for column, value in money
        ]
        rows.append(Row(name=currency, figures=tuple(figures)))
    return Table(key="redress", of="own", columns=columns, rows=tuple(rows))


def _satisfaction(tally: Tally) -> Table:
    """The scores, and who did not answer, of those who were asked or said it unasked; and who was not asked."""
    asked = [*SCORES, "no_answer"]
    counts = {name: tally.counts["satisfaction", name, "cases"] for name in (*asked, "not_asked")}
    whole = sum(counts[name] for name in asked)
    rows = [
        Row(
            name=name,
            figures=(
                _figure("satisfaction", name, "cases", count),
                _share("satisfaction", name, "share", count, whole if name in asked else 0),
            ),
        )
        for name, count in counts.items()
        if whole or count
    ]
    return Table(
        key="satisfaction",
        of="score",
        columns=("cases", "share"),
        rows=tuple(rows),
        shape="bars" if rows else "none",
        drawn=("cases",) if rows else (),
    )


def _causes(tally: Tally) -> Table:
    columns = ("upheld", "upheld_share", "rejected", "contributing", "usual")
    upheld = _sum(tally, "causes", "upheld")
    usual = _usual(tally, lambda subject: subject.partition("@")[0])
    rows = []
    for row in _rows(tally, "causes", None, ("upheld",)) + _rows_without(tally, "causes", "upheld"):
        rows.append(
            Row(
                name=row,
                figures=(
                    _figure("causes", row, "upheld", tally.counts["causes", row, "upheld"]),
                    _share("causes", row, "upheld_share", tally.counts["causes", row, "upheld"], upheld),
                    _figure("causes", row, "rejected", tally.counts["causes", row, "rejected"]),
                    _figure("causes", row, "contributing", tally.counts["causes", row, "contributing"]),
                    _figure("causes", row, "usual", usual.get(row, Decimal(0)), "score"),
                ),
            )
        )
    return Table(
        key="causes",
        of="cause",
        columns=columns,
        rows=tuple(rows),
        shape="bars" if upheld else "none",
        drawn=("upheld", "usual") if upheld else (),
    )


def _rows_without(tally: Tally, table: str, column: str) -> list[str]:
    """The rows that have something, but not in that column."""
    rows = {row for (of, row, name), _ in tally.counts.items() if of == table}
    return sorted(row for row in rows if not tally.counts[table, row, column])


def _usual(tally: Tally, by: Callable[[str], str]) -> Mapping[str, Decimal]:
    """How many of each there were in the mean of the periods before."""
    sums: dict[str, list[int]] = {}
    for subject, earlier in tally.earlier.items():
        before = sums.setdefault(by(subject), [0] * len(earlier))
        sums[by(subject)] = [one + more for one, more in zip(before, earlier, strict=True)]
    return {name: (Decimal(sum(counts)) / len(counts)).quantize(Decimal("0.1")) for name, counts in sums.items()}


def standing_out(tally: Tally) -> list[tuple[str, float]]:
    """Causes, with the source concerned, that are more than usual: the least likely first, and how unlikely.

    The more causes are looked at, the less likely each has to be (Bonferroni).
    """
    looked_at = len(tally.now.keys() | tally.earlier.keys()) or 1
    least = log10(looked_at / FALSE_ALARMS)
    usual = spread(tally.earlier.values())
    found = [
        (subject, surprise(count, tally.earlier.get(subject, [0] * EARLIER), usual))
        for subject, count in tally.now.items()
    ]
    return sorted((one for one in found if one[1] >= least), key=lambda one: (-one[1], one[0]))


def _standing_out(tally: Tally) -> Table:
    usual = _usual(tally, str)
    rows = []
    for subject, unlikely in standing_out(tally)[:_SHOWN]:
        rows.append(
            Row(
                name=subject,
                figures=(
                    _figure("standing_out", subject, "now", tally.now[subject]),
                    _figure("standing_out", subject, "usual", usual.get(subject, Decimal(0)), "score"),
                    _figure(
                        "standing_out",
                        subject,
                        "unlikely",
                        Decimal(f"{min(unlikely, 99.0):.1f}"),
                        "score",
                    ),
                ),
            )
        )
    return Table(key="standing_out", of="subject", columns=("now", "usual", "unlikely"), rows=tuple(rows))


def _vulnerable(tally: Tally) -> Table:
    columns = ("closed", "upheld_share", "redress_share", "median_days")
    rows = []
    for row in ("vulnerable", "others"):
        closed = tally.counts["vulnerable", row, "closed"]
        if not closed:
            continue
        rows.append(
            Row(
                name=row,
                figures=(
                    _figure("vulnerable", row, "closed", closed),
                    _share("vulnerable", row, "upheld_share", tally.counts["vulnerable", row, "upheld"], closed),
                    _share("vulnerable", row, "redress_share", tally.counts["vulnerable", row, "with_redress"], closed),
                    _figure(
                        "vulnerable", row, "median_days", middle(tally.values["vulnerable", row, "median_days"]), "days"
                    ),
                ),
            )
        )
    return Table(key="vulnerable", of="vulnerable", columns=columns, rows=tuple(rows))
