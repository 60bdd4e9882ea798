"""A check run on rows few enough to compute by hand."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from domain.checks.facts import Given, LogFacts
from domain.checks.findings import Check, Finding, Verdict
from domain.checks.recompute import recompute
from domain.checks.tolerances import Tolerances
from domain.log.firm_records import ChargeSchedule
from tests.checks.rows import AT, GOLD, quote, run, steady

VALID = (*steady("LP-B", "1937.36"), *steady("LP-C", "1937.42"))
BAD = (quote("LP-A", -1, "1937.40"), quote("LP-A", 0, "1920.96"), quote("LP-A", 1, "1937.38"))
DAY = timedelta(days=1)
SCHEDULE = ChargeSchedule(
    schedule="S1",
    symbol="XAUUSD",
    effective_from=datetime(2020, 1, 1, tzinfo=UTC),
    swap_long=Decimal("-3.6"),
    swap_short=Decimal("1.8"),
    swap_unit="percent_360",
    triple_day=5,
    commission=Decimal("3.5"),
    currency="USD",
)


def check(check: Check, subject: str = "O1", *, tolerances: dict[str, Any] | None = None, **rows: Any) -> Finding:
    """The finding on *rows*; what is made again from it is always the same."""
    basis = Given(tolerances=Tolerances.model_validate(tolerances or {}), as_of=AT + 30 * DAY)
    facts = LogFacts.model_validate({"instruments": (GOLD,)} | rows)
    finding = run(check, subject, facts, basis)
    stored = Finding.model_validate_json(finding.model_dump_json())
    assert recompute([stored], [finding.hash]) == ()
    assert (finding.harm is None) is (finding.verdict is Verdict.INCONCLUSIVE)
    assert finding.missing or finding.verdict is not Verdict.INCONCLUSIVE
    assert (finding.confidence is None) is (finding.verdict is Verdict.INCONCLUSIVE)
    assert finding.reason.en
    assert finding.reason.zh
    return finding
