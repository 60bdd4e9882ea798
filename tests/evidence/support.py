"""Data of packs without a database: a complaint, findings as the checks make them, and the quotes around them."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from domain.case.complaint import Complaint
from domain.checks.facts import Given, LogFacts
from domain.checks.findings import Check, Finding
from domain.checks.tolerances import Tolerances
from domain.ground.bilingual import Bilingual
from domain.ground.timeline import Entry
from domain.log.trade_log import Quote, Side
from starter.evidence.blocks import Badge, Block, Cards, Figure, Grid, Heading, Pack, Pairs, Prose, Working
from starter.evidence.model import make_pack
from starter.evidence.reading import CaseFacts, Chart, StoredFinding
from starter.evidence.redaction import Reader
from starter.evidence.scenes import PriceScene, kept_quotes, scenes_of
from tests.checks.rows import ACCOUNT, AT, GOLD, after, fill, order, position, quote, run, steady


def found(check: Check, subject: str = "O1", *, tolerances: dict[str, Any] | None = None, **rows: Any) -> Finding:
    """What *check* finds on *rows*."""
    given = Given(tolerances=Tolerances.model_validate(tolerances or {}), as_of=AT + timedelta(days=30))
    return run(check, subject, LogFacts.model_validate({"instruments": (GOLD,)} | rows), given)


def complaint(**changes: Any) -> Complaint:
    return Complaint.model_validate(
        {
            "source": "web-form",
            "idempotency_key": "1",
            "received_at": AT + timedelta(days=1),
            "channel": "web",
            "language": "en",
            "complainant": {"name": "The Customer"},
            "account": ACCOUNT,
            "subject": "A price that never was",
            "description": "My order was filled at a price that gold never had.",
            "trades": ["O1"],
            "amount_claimed": {"amount": "1200", "currency": "USD"},
            **changes,
        }
    )


def case(
    *findings: Finding,
    quotes: Iterable[Quote] | None = None,
    entries: Iterable[Entry] = (),
    told: dict[str, Any] | None = None,
    **changes: Any,
) -> CaseFacts:
    """The data of a case with *findings*, and in its trade log the *quotes*; without any, as the findings kept them."""
    complained = complaint(**(told or {}))
    charts = []
    for finding in findings:
        for scene in scenes_of(finding):
            if isinstance(scene, PriceScene):
                own = [one for one in quotes or () if one.symbol == scene.symbol and scene.start <= one.at <= scene.end]
                counted = {source: sum(one.source == source for one in own) for source in {one.source for one in own}}
                kept = tuple(own) if quotes is not None else kept_quotes(finding, scene)
                charts.append(Chart(symbol=scene.symbol, start=scene.start, end=scene.end, quotes=kept, in_log=counted))
    values: dict[str, Any] = {
        "reference": complained.reference,
        "revision": 7,
        "as_of": AT + timedelta(days=2),
        "received_at": complained.received_at,
        "stage": "deciding",
        "category": "execution",
        "team": "dealing",
        "handler": None,
        "outcome": None,
        "compensation": None,
        "closed_at": None,
        "complaint": complained,
        "policy": "platform-default",
        "policy_version": "1",
        "policy_hash": "0" * 64,
        "investigations": 1 if findings else 0,
        "findings": tuple(StoredFinding(finding=one, hash=one.hash) for one in findings),
        "entries": tuple(entries),
        "letters": (),
        "postings": (),
        "charts": tuple(charts),
    }
    return CaseFacts.model_validate(values | changes)


def pack(facts: CaseFacts, reader: Reader = Reader.HANDLER, *languages: str) -> Pack:
    return make_pack(facts, reader, languages or ("en", "zh-CN"), firm=Bilingual(en="The Firm", zh="The Firm"))


def texts(made: Pack) -> list[str]:
    """Every text that is on the pages, those in the pictures included."""
    collected = [made.title, made.reference]
    for page in made.pages:
        collected += [page.title, page.firm, page.subtitle, page.made_for, page.state]
        for block in page.blocks:
            collected += _texts(block)
    return collected


def _texts(block: Block) -> list[str]:
    match block:
        case Heading() | Prose():
            return [block.text]
        case Cards():
            return [text for card in block.cards for text in (card.label, card.value)]
        case Badge():
            return [block.text, block.note]
        case Pairs():
            return [block.title, *(text for pair in block.pairs for text in pair)]
        case Grid():
            return [block.title, block.note, *block.columns, *(text for row in block.rows for text in row)]
        case Figure():
            labels = [shape.text for shape in block.picture.shapes if hasattr(shape, "text")]
            return [block.heading, block.caption, block.picture.title, block.picture.description, *labels]
        case Working():
            return [block.title, block.formula, block.rule, *(text for step in block.steps for text in step)]


VALID = (*steady("LP-B", "1937.36"), *steady("LP-C", "1937.42"))
BAD = (quote("LP-A", -1, "1937.40"), quote("LP-A", 0, "1920.96"), quote("LP-A", 1, "1937.38"))


def off_market(price: str = "1920.96", side: Side = Side.SELL, *, closes: bool = False, **more: Any) -> Finding:
    """A fill at a wrong quote of LP-A, which LP-B and LP-C contradict."""
    placed = order(side=side, price=Decimal("1937.00"), received_at=after(-0.25), position="P1" if closes else None)
    placed = placed.model_copy(update={"comment": more.pop("comment", None)})
    filled = fill(price, side, **more)
    held = (position(side=side.opposite, volume=filled.volume),) if closes else ()
    quotes = (*VALID, *BAD)
    return found(Check.OFF_MARKET, orders=(placed,), fills=(filled,), positions=held, quotes=quotes)
