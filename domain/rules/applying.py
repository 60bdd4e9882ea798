"""Which rules apply to a complaint: found by a dated table of the firm, with the reasons."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Final, NamedTuple, Self

from pydantic import Field, model_validator

from domain.ground.base import Identifier, Line, Record
from domain.ground.bilingual import Bilingual
from domain.ground.people import Country
from domain.ground.words import ClientClass
from domain.rules.duties import check_dates
from domain.rules.named import MOST_POLICIES


class Applicant(NamedTuple):
    """What the choice of rules may rest on; ``None`` where it is not known. ``received_on`` is a day in UTC."""

    received_on: date
    entity: str | None = None
    residence: str | None = None
    product: str | None = None
    client_class: ClientClass | None = None


class RulesRow(Record):
    """The packs for complaints that fit all that is given; ``products`` are words of the product's name."""

    name: Identifier
    effective_from: date
    effective_until: date | None = None
    entities: tuple[Identifier, ...] = ()
    residences: tuple[Country, ...] = ()
    products: tuple[Line, ...] = ()
    client_classes: tuple[ClientClass, ...] = ()
    policy: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=MOST_POLICIES)]
    why: Line

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        check_dates(self.effective_from, self.effective_until)
        return self

    def in_force(self, day: date) -> bool:
        return self.effective_from <= day and (self.effective_until is None or day <= self.effective_until)

    def judged(self, applicant: Applicant) -> Iterator[tuple[str, str | None, bool]]:
        """Each fact that the row asks for: its name, what is known of it, and whether it fits."""
        if self.entities:
            yield "entity", applicant.entity, applicant.entity in self.entities
        if self.residences:
            yield "residence", applicant.residence, applicant.residence in self.residences
        if self.products:
            named = (applicant.product or "").casefold()
            yield "product", applicant.product, any(word.casefold() in named for word in self.products)
        if self.client_classes:
            yield "client_class", applicant.client_class, applicant.client_class in self.client_classes


class RulesTable(Record):
    """The rows, of which the first that fits holds. Without rows nothing is looked for."""

    version: Identifier
    rows: tuple[RulesRow, ...] = ()

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        if len({row.name for row in self.rows}) < len(self.rows):
            raise ValueError("rows: two have the same name")
        return self


class RulesFound(Record):
    """What a table says: the packs, or none, and why. ``missing`` are the facts that a person has to find out."""

    table: Identifier
    row: Identifier | None = None
    policy: tuple[Identifier, ...] = ()
    missing: tuple[str, ...] = ()
    why: Line


def which_rules(table: RulesTable, applicant: Applicant) -> RulesFound | None:
    """The packs that *table* has for a complaint; ``None`` if it has no rows.

    A row that may fit, but for a fact that is not known, is not passed over: where it or one below it would say
    something else, there is no answer.
    """
    if not table.rows:
        return None
    open_rows: list[RulesRow] = []
    missing: list[str] = []
    for row in table.rows:
        facts = list(row.judged(applicant))
        if not row.in_force(applicant.received_on) or any(known is not None and not fits for _, known, fits in facts):
            continue
        if unknown := [name for name, known, _ in facts if known is None]:
            open_rows.append(row)
            missing += unknown
            continue
        if any(other.policy != row.policy for other in open_rows):
            break
        fitting = ", ".join(f"{name} {known}" for name, known, _ in facts) or "any complaint"
        return RulesFound(table=table.version, row=row.name, policy=row.policy, why=_line(f"{fitting}: {row.why}"))
    if open_rows:
        lacking = tuple(dict.fromkeys(missing))
        rows = ", ".join(row.name for row in open_rows)
        return RulesFound(
            table=table.version,
            missing=lacking,
            why=_line(f"not known: {', '.join(lacking)}; without that it may be {rows}"),
        )
    return RulesFound(table=table.version, why=_line(f"no row fits on {applicant.received_on}"))


def to_tell(found: RulesFound, used: tuple[str, ...], *, named: tuple[str, ...] = ()) -> Bilingual | None:
    """What people are told of a case that is handled by *used*: that nothing was found, or something else.

    *named* are the packs that whoever sent the complaint named.
    """
    packs = ", ".join(used)
    if not found.policy:
        lacking = f"缺少{'、'.join(_FACTS[name] for name in found.missing)}" if found.missing else "没有适用的条目"
        return Bilingual(
            en=f"The table of rules has no answer for this complaint ({found.why}). It is handled under {packs} for "
            "now: find out what is missing, decide which rules apply, and complete the table.",
            zh=f"适用规则表对本投诉没有结果（{lacking}），目前暂按 {packs} 处理。"
            "请查明缺少的信息，确定适用的规则，并补充该表。",
        )
    if named and found.policy != named:
        sent = ", ".join(named)
        return Bilingual(
            en=f"This complaint came with the rules {sent}; by the table of rules they are {packs} ({found.why}). "
            f"It is handled under {packs}: see whether the facts it came with are right.",
            zh=f"本投诉送达时指定的规则为 {sent}，而按适用规则表应为 {packs}（条目 {found.row}）。"
            f"现按 {packs} 处理，请核对来件所载信息是否正确。",
        )
    return None


_FACTS: Final = {"entity": "公司主体", "residence": "居住地", "product": "产品", "client_class": "客户类别"}


def _line(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:199]}…"
