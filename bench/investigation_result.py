"""What the benchmark of imports and investigations counted: by what it is judged, and how it is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich import box
from rich.table import Table

from bench.common import percentile
from starter.importing.formats.kinds import Kind

AT_LEAST: Final = 0.5
"""Of the rows a second of a bare COPY, those that the import must load."""
AT_MOST: Final = 5.0
"""Times the bare look-ups, what an investigation may take."""

FASTER: Final = 3.0
"""Times as fast as one account after another, what the list of an incident must be."""


@dataclass(frozen=True)
class Imported:
    """The rows of a kind, and the seconds of the import and of the bare COPY of the same."""

    kind: Kind
    rows: int
    seconds: float
    copy_seconds: float

    @property
    def ratio(self) -> float:
        """Rows a second of the import over those of the COPY."""
        return self.copy_seconds / self.seconds

    @property
    def faultless(self) -> bool:
        return self.ratio >= AT_LEAST

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind.value,
            "rows": self.rows,
            "import_rows_per_second": round(self.rows / self.seconds),
            "copy_rows_per_second": round(self.rows / self.copy_seconds),
            "ratio": round(self.ratio, 2),
        }


@dataclass(frozen=True)
class Investigated:
    """Seconds of investigations, and of the look-ups that each made; how many look-ups and evidence rows, each."""

    what: str
    seconds: Sequence[float]
    bare: Sequence[float]
    lookups: Sequence[int]
    evidence: Sequence[int]

    def times(self, percent: float) -> float:
        """How many times the bare look-ups, both at this percentile."""
        return percentile(self.seconds, percent) / percentile(self.bare, percent)

    @property
    def faultless(self) -> bool:
        return self.times(50) <= AT_MOST and self.times(95) <= AT_MOST

    def as_json(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "investigations": len(self.seconds),
            "lookups": percentile(self.lookups, 50),
            "evidence_rows": percentile(self.evidence, 50),
            **{
                name: {
                    "seconds": round(percentile(self.seconds, percent), 5),
                    "bare_seconds": round(percentile(self.bare, percent), 5),
                    "times": round(self.times(percent), 2),
                }
                for name, percent in (("p50", 50), ("p95", 95))
            },
        }


@dataclass(frozen=True)
class Listed:
    """The cohort of the bad minute: seconds to find the orders (often), and to list every account with its harm.

    ``alone`` are the seconds of the same list made one account after another, with nothing shared among them.
    """

    orders: int
    accounts: int
    harmed: int
    found: Sequence[float]
    seconds: float
    alone: float

    @property
    def times(self) -> float:
        """How many times as fast as one after another."""
        return self.alone / self.seconds

    @property
    def faultless(self) -> bool:
        return self.times >= FASTER

    def as_json(self) -> dict[str, Any]:
        return {
            "orders": self.orders,
            "accounts": self.accounts,
            "harmed": self.harmed,
            "find_p50_seconds": round(percentile(self.found, 50), 5),
            "find_p95_seconds": round(percentile(self.found, 95), 5),
            "list_seconds": round(self.seconds, 3),
            "list_one_by_one_seconds": round(self.alone, 3),
            "times_as_fast": round(self.times, 1),
        }


@dataclass(frozen=True)
class Measured:
    """``memory``: the most that a process held at any time, in bytes, by what it did."""

    imported: Sequence[Imported]
    investigated: Sequence[Investigated]
    listed: Listed
    memory: Mapping[str, int]

    @property
    def faultless(self) -> bool:
        parts = [each.faultless for each in self.imported] + [each.faultless for each in self.investigated]
        return all(parts) and self.listed.faultless

    def as_json(self) -> dict[str, Any]:
        return {
            "import": [each.as_json() for each in self.imported],
            "investigations": [each.as_json() for each in self.investigated],
            "cohort": self.listed.as_json(),
            "memory_bytes": dict(self.memory),
        }


def show(measured: Measured) -> Sequence[Table | str]:
    """The result as tables and a line or two."""
    loading = _table("Import beside bare COPY", "rows a second", "rows", "import", "COPY", "import / COPY")
    for each in measured.imported:
        rates = [f"{each.rows / seconds:,.0f}" for seconds in (each.seconds, each.copy_seconds)]
        loading.add_row(each.kind.value, f"{each.rows:,}", *rates, f"{each.ratio:.2f}")
    looking = _table(
        "One investigation beside its bare look-ups", "", "look-ups", "evidence rows", "p50", "bare", "times", "p95",
        "bare", "times",
    )  # fmt: skip
    for line in measured.investigated:
        cells = [f"{percentile(counts, 50)}" for counts in (line.lookups, line.evidence)]
        for percent in (50, 95):
            cells += [spoken(percentile(seconds, percent)) for seconds in (line.seconds, line.bare)]
            cells.append(f"{line.times(percent):.1f}")
        looking.add_row(line.what, *cells)
    listed = measured.listed
    found = " and ".join(f"p{percent} {spoken(percentile(listed.found, percent))}" for percent in (50, 95))
    return [
        loading,
        looking,
        f"The bad minute touched {listed.orders:,} orders of {listed.accounts:,} accounts, found in {found}."
        f" Listing every account with its harm ({listed.harmed:,} harmed) took {spoken(listed.seconds)}; one after"
        f" another, with nothing shared, {spoken(listed.alone)}: {listed.times:.1f} times as long.",
        "Most memory: " + ", ".join(f"{what} {size / 2**20:,.0f} MB" for what, size in measured.memory.items()) + ".",
    ]


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, box=box.SIMPLE_HEAD)
    for number, name in enumerate(columns):
        table.add_column(name, no_wrap=True, justify="right" if number else "left")
    return table


def spoken(seconds: float) -> str:
    return f"{1000 * seconds:.1f} ms" if seconds < 1 else f"{seconds:.1f} s"
