"""Cases as a firm might have them over some months, made from a seed: facts for reports, without any text."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Final

from domain.ground.reference import reference_for
from domain.learning.facts import Award, CaseFact, ClockFact, FoundFact

POLICIES: Final = ("platform-default", "uk-fca", "cy-cysec", "cn-banking", "au-asic")
PRODUCTS: Final = (None, "XAUUSD", "binary option", "CFD index", "card")
CHANNELS: Final = ("web", "app", "email", "chat", "phone", "post", "regulator")
PROVIDERS: Final = ("LP-A", "LP-B", "LP-C", "LP-D", "LP-E")
_MOST: Final = {"execution": 34, "withdrawal": 22, "fee": 12, "platform": 9, "account": 7, "conduct": 5, "other": 6}
_FINDINGS: Final = {
    "execution": ("execution", "slippage", "stop_out", "trigger", "off_market", "requote"),
    "withdrawal": ("withdrawal_delay",),
    "fee": ("charges", "fees"),
    "platform": ("outage",),
}
_VERDICTS: Final = ("firm_fault", "provider_fault", "market", "no_fault", "customer_action", "inconclusive")
_OUTCOMES: Final = {"upheld": 30, "partly_upheld": 12, "not_upheld": 42, "withdrawn": 10, "referred": 6}
END: Final = datetime(2026, 12, 1, tzinfo=UTC)


def generated(count: int, seed: int = 7, *, days: int = 240, end: datetime = END) -> Iterator[CaseFact]:
    """So many cases received in the *days* before *end*, with all that may happen to them."""
    random = Random(seed)  # noqa: S311 (a simulation)
    for number in range(count):
        yield _case(
            random, reference_for("generated", f"{seed}-{number}"), end - timedelta(days=random.random() * days)
        )


def _case(random: Random, reference: str, received: datetime) -> CaseFact:
    category = _one_of(random, _MOST)
    outcome = _one_of(random, _OUTCOMES)
    findings = tuple(_found(random, category, outcome))
    turns, closed = _turns(random, received)
    responded = next((at for name, at in turns if name == "responded"), None)
    upheld = outcome in {"upheld", "partly_upheld"}
    awards: tuple[Award, ...] = ()
    if upheld and responded and random.random() < 0.8:
        amount = Decimal(random.randint(500, 400_000)).scaleb(-2)
        awards = (Award(responded + timedelta(days=1), amount, random.choice(("USD", "USD", "EUR", "CNY"))),)
    return CaseFact(
        reference=reference,
        received_at=received,
        policy=random.choice(POLICIES),
        channel=random.choice(CHANNELS),
        language=random.choice(("en", "zh-CN")),
        product=random.choice(PRODUCTS),
        entity=random.choice(("cy", "hk", None)),
        category=category,
        priority=random.choice(("p1", "p2", "p3", "p4")),
        repeat=random.random() < 0.08,
        team=random.choice(("dealing", "payments", "care")),
        handler=f"h-{random.randint(1, 12)}",
        stage="closed" if closed else "responded" if responded else "investigating",
        outcome=outcome if responded or closed else None,
        closed_at=closed,
        turns=(*turns, ("asked", closed)) if closed else turns,
        clocks=tuple(_clocks(random, received, responded)),
        awards=awards,
        findings=findings,
        score=random.choice((None, None, 1, 2, 3, 4, 5)) if closed else None,
        vulnerable=random.random() < 0.06,
    )


def _one_of(random: Random, weights: dict[str, int]) -> str:
    return random.choices(list(weights), list(weights.values()))[0]


def _found(random: Random, category: str, outcome: str) -> Iterator[FoundFact]:
    for check in _FINDINGS.get(category, ())[: random.randint(0, 2)]:
        verdict = random.choice(_VERDICTS[:2] if outcome == "upheld" else _VERDICTS)
        yield FoundFact(check, verdict, (random.choice(PROVIDERS),) if verdict == "provider_fault" else ())


def _turns(random: Random, received: datetime) -> tuple[tuple[tuple[str, datetime], ...], datetime | None]:
    """What happened up to the end of the generated months, and when the file was closed."""
    at, told = received, []
    for event in ("acknowledged", "responded", "disputed", "responded", "reopened", "responded"):
        at += timedelta(hours=random.expovariate(1 / (12 if event == "acknowledged" else 190)))
        if event in {"disputed", "reopened"} and random.random() < 0.85:
            break
        told.append((event, at))
    closed = at + timedelta(days=random.expovariate(1 / 14))
    return tuple(one for one in told if one[1] < END), closed if closed < END else None


def _clocks(random: Random, received: datetime, responded: datetime | None) -> Iterator[ClockFact]:
    for clock, statutory, days in (("acknowledgement", True, 1), ("response", True, 30), ("progress", False, 10)):
        due = received + timedelta(days=days)
        missed = random.random() < 0.05
        at = due if missed else received + timedelta(days=days * random.random())
        if at < END and (responded or clock == "acknowledgement"):
            yield ClockFact(clock, statutory, due, at, missed)
