"""No award is posted that does not rest on what stands in the record, whatever a workflow says of it."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.money.compensation import Compensation
from domain.case.approval import proposal_digest
from domain.checks.findings import Check, Finding, Verdict
from domain.ground.bilingual import Bilingual
from domain.ground.timeline import Entry
from domain.ground.words import Confidence
from domain.money.amounts import Money
from domain.money.parts import Part, PartKind
from starter.client.holders import Holder, add_holder
from starter.reading.ledger import check_ledger
from tests.case.support import after, awarding, count, decided, keeping, opened, update, usd
from tests.reasons import a_no

if TYPE_CHECKING:
    import asyncpg

    Pool = asyncpg.Pool[asyncpg.Record]

BIG = usd("5000")
SMALL = usd("40")
FINDING = Finding(
    check=Check.EXECUTION,
    subject="O1",
    verdict=Verdict.FIRM_FAULT,
    reason=Bilingual(en="Because.", zh="理由。"),
    harm=SMALL,
    formula="made-for-the-test@1",
    confidence=Confidence.WELL_SUPPORTED,
    parts=(Part(key="price/F1", subject="F1", kind=PartKind.PRICE, amount=Decimal(40), currency="USD"),),
)


def noted(key: str, actor: str, of_round: int | None = 1, **said: Any) -> Entry:
    kind = key.partition(":")[0]
    data = said if of_round is None else {"round": of_round, **said}
    return Entry(key=key, at=after(2), kind=kind, actor=actor, text=kind, data=data)


def money(amount: Money | None) -> dict[str, Any] | None:
    return amount.model_dump(mode="json") if amount else None


def proposal(actor: str = "handler:h-17", amount: Money = BIG, number: int = 10, **said: Any) -> Entry:
    given = {"outcome": "upheld", "compensation": money(amount), "reasons": "So it is.", **said}
    return noted(f"propose_resolution:{number}", actor, **{name: value for name, value in given.items() if value})


def approval(actor: str = "executive:e-1", number: int = 20, of: Entry | None = None, **said: Any) -> Entry:
    seen = proposal_digest(of or proposal())
    return noted(f"decide_resolution:{number}", actor, **{"decision": "approve", "proposal": seen, **said})


def finding(number: int = 5, of: Finding = FINDING) -> Entry:
    return noted(f"finding:{number}", "system:redress", None, **of.model_dump(mode="json"), hash=of.hash)


VERIFIED = noted("identified:2", "system:redress", None, state="verified", because=["holder"])


def by_rule(amount: Money = SMALL, actor: str = "system:redress") -> Entry:
    return noted("proposed:15", actor, compensation=money(amount))


EARLY = noted(
    "resolve_early:10",
    "handler:h-17",
    outcome="upheld",
    compensation=money(SMALL),
    reasons="It is settled.",
    told="She said so on the telephone.",
)

STAND: dict[str, tuple[Money, tuple[Entry, ...]]] = {
    "approved by a second person": (BIG, (proposal(), approval())),
    "proposed anew after a return": (
        BIG,
        (proposal(amount=usd("9")), approval(number=12, decision="return"), proposal(number=14), approval()),
    ),
    "decided anew after an approved one was put aside": (
        BIG,
        (
            proposal(amount=usd("5001")),
            approval(),
            noted("set_aside:21", "system:redress", approved=True),
            proposal(number=24),
            approval(number=26),
        ),
    ),
    "decided anew, and otherwise, after a reset to before the proposal": (
        BIG,
        (nine := proposal(amount=usd("9")), approval(number=12, of=nine), proposal(), approval(number=12)),
    ),
    "small enough for one person": (SMALL, (proposal(amount=SMALL),)),
    "decided by rule": (SMALL, (VERIFIED, finding(), by_rule())),
    "proposed as found": (SMALL, (finding(), proposal(amount=None, as_found=True))),  # type: ignore[arg-type]
    "in several parts": (
        usd("5100"),
        (
            several := proposal(awards=[{"kind": "distress", "amount": money(usd("100")), "reason": "A hard week."}]),
            approval(of=several),
        ),
    ),
    "approved in another spelling": (BIG, (proposal(), approval("executive:E-1"))),
}
FORGED: dict[str, tuple[Money, tuple[Entry, ...], str]] = {
    "nothing proposed": (BIG, (), "no proposal of round 1"),
    "nothing approved": (BIG, (proposal(),), "no approval by a second person"),
    "approved before it was replaced": (
        BIG,
        (
            first := proposal(amount=usd("9000")),
            approval(number=12, decision="return"),
            proposal(number=14),
            approval(of=first),
        ),
        "does not wait any more, another has taken its place",
    ),
    "only an approval": (BIG, (approval(),), "no proposal of round 1"),
    "the same person": (BIG, (proposal(), approval("executive:h-17")), "never by its proposer"),
    "the same person in another spelling": (BIG, (proposal(), approval("executive:H-17")), "never by its proposer"),
    "a role without the limit": (BIG, (proposal(), approval("team_lead:t-1")), "role team_lead may not approve"),
    "a role that approves nothing": (BIG, (proposal(), approval("customer:c-1")), "role customer may not approve"),
    "a customer's proposal": (SMALL, (proposal("customer:c-1", SMALL),), "may not propose"),
    "a cent more": (usd("5000.01"), (proposal(), approval()), "was approved, not"),
    "another currency": (Money(amount=BIG.amount, currency="EUR"), (proposal(), approval()), "was approved, not"),
    "returned": (BIG, (proposal(), approval(decision="return")), "no proposal of round 1"),
    "put aside": (BIG, (proposal(), noted("investigate:15", "handler:h-17"), approval()), "no proposal of round 1"),
    "put aside though it was approved": (
        BIG,
        (proposal(), approval(), noted("set_aside:21", "system:redress", approved=True)),
        "no proposal of round 1",
    ),
    "of another round": (
        BIG,
        (
            proposal().model_copy(update={"data": proposal().data | {"round": 2}}),
            approval().model_copy(update={"data": approval().data | {"round": 2}}),
        ),
        "no proposal of round 1",
    ),
    "of no round": (BIG, (noted("propose_resolution:10", "handler:h-17", None),), "no proposal of round 1"),
    "by rule without findings": (SMALL, (VERIFIED, by_rule()), "the rule does not lead"),
    "by rule though nobody knows who complains": (SMALL, (finding(), by_rule()), "the rule does not lead"),
    "by rule though it is doubtful": (
        SMALL,
        (VERIFIED, finding(of=FINDING.model_copy(update={"confidence": Confidence.DOUBTFUL})), by_rule()),
        "the rule does not lead",
    ),
    "a partial upholding by one person": (
        SMALL,
        (proposal(amount=SMALL, outcome="partly_upheld", reasons=a_no()),),
        "no approval by a second person",
    ),
    "a draft that the findings do not come to": (
        SMALL,
        (VERIFIED, finding(), noted("propose_resolution:15", "handler:h-17", draft="0" * 12, outcome="upheld")),
        "another one",
    ),
    "by rule with another sum": (usd("41"), (VERIFIED, finding(), by_rule(usd("41"))), "the rule does not lead"),
    "by rule beyond its limit": (
        BIG,
        (VERIFIED, finding(of=FINDING.model_copy(update={"harm": BIG})), by_rule(BIG)),
        "the rule does not lead",
    ),
    "by rule though it was critical": (
        SMALL,
        (
            VERIFIED,
            finding(),
            noted("reclassify:6", "handler:h-17", None, severity="critical", reason="Ill."),
            by_rule(),
        ),
        "the rule does not lead",
    ),
    "by rule as a person says": (SMALL, (VERIFIED, finding(), by_rule(actor="handler:h-17")), "the rule does not lead"),
    "early where the pack has none": (SMALL, (EARLY,), "cannot be given by an early closure"),
    "as found where nothing was": (SMALL, (proposal(amount=None, as_found=True),), "no sum"),  # type: ignore[arg-type]
}


@pytest.fixture
def compensation(pool: "Pool") -> Compensation:
    return Compensation(pool, keeping(pool), lambda: after(30))


def request(reference: str, award: Money, *entries: Entry, **changes: Any) -> Any:
    return awarding(reference, award, 1, update=update(reference, 1, entries=entries), **changes)


async def refused(compensation: Compensation, asked: Any, match: str) -> None:
    with pytest.raises(ApplicationError, match=match) as refusal:
        await compensation.record_compensation(asked)
    assert (refusal.value.type, refusal.value.non_retryable) == ("NotApproved", True)


@pytest.mark.parametrize("name", STAND)
async def test_an_award_rests_on_what_stands_in_the_record(pool: "Pool", compensation: Compensation, name: str) -> None:
    award, entries = STAND[name]
    reference = await opened(keeping(pool))
    await compensation.record_compensation(request(reference, award, *entries))
    decided_last = max((int(entry.key.rpartition(":")[2]), entry.key) for entry in entries if entry.kind != "finding")[
        1
    ]
    decision = await pool.fetchval("SELECT decision FROM casefile.postings")
    assert decision.partition("~")[0] == decided_last


@pytest.mark.parametrize("name", FORGED)
async def test_what_does_not_stand_there_is_not_posted(pool: "Pool", compensation: Compensation, name: str) -> None:
    award, entries, match = FORGED[name]
    reference = await opened(keeping(pool))
    await refused(compensation, request(reference, award, *entries), match)
    assert await count(pool, "postings") == 0


@pytest.mark.parametrize("name", FORGED)
async def test_the_check_of_the_ledger_names_a_posting_that_rests_on_nothing(
    pool: "Pool", compensation: Compensation, name: str
) -> None:
    award, entries, _ = FORGED[name]
    reference = await opened(keeping(pool))
    await keeping(pool).record(update(reference, 1, entries=entries))
    async with pool.acquire() as connection, connection.transaction():
        key = f"{reference}:compensation:1"
        await connection.execute(
            "INSERT INTO casefile.postings (key, reference, number, amount, currency, posted_at)"
            " VALUES ($1, $2, 7, $3, $4, now())",
            key,
            reference,
            award.amount,
            award.currency,
        )
        for side, sign in (("expense:redress", 1), (f"liability:customer:{reference}", -1)):
            await connection.execute(
                "INSERT INTO casefile.ledger_entries VALUES ($1, $2, $3, $4)",
                key,
                side,
                sign * award.amount,
                award.currency,
            )
    (fault,) = (await check_ledger(pool)).faults
    assert fault.reference == reference
    assert fault.problem.startswith(f"posting {key} rests on nothing: ")


async def test_limits_hold_for_the_case_and_not_for_each_round(pool: "Pool", compensation: Compensation) -> None:
    reference = await opened(keeping(pool))
    first = request(reference, usd("450"), *decided(1, usd("450")))
    await compensation.record_compensation(first)
    again = noted(
        "propose_resolution:40",
        "handler:h-18",
        2,
        outcome="upheld",
        compensation=money(usd("450")),
        reasons="So it is.",
    )
    alone = awarding(reference, usd("450"), 2, update=update(reference, 3, entries=(again,)))
    await refused(compensation, alone, "no approval by a second person")
    assert await count(pool, "postings") == 1


@pytest.mark.parametrize(
    ("account", "ago", "refuses"),
    [("70012345", 1, True), ("70088888", 1, True), ("70099999", 1, False), ("70012345", 91 * 24 * 60, False)],
    ids=["lately", "another account of the same holder", "somebody else", "long ago"],
)
async def test_what_one_customer_is_given_by_rule_stays_within_the_limit_of_one_case_however_many_they_are(
    pool: "Pool", compensation: Compensation, account: str, ago: float, refuses: bool
) -> None:
    email = "Customer@example.com" if refuses else "b@example.com"
    async with pool.acquire() as connection:
        await add_holder(connection, Holder(account, "A Customer", email, None, "en"))
        await add_holder(connection, Holder("70012345", "A Customer", "customer@example.com", None, "en"))
    other, reference = await opened(keeping(pool), "1", account=account), await opened(keeping(pool), "2")
    await keeping(pool).record(update(other, 1, entries=(VERIFIED, finding(), by_rule(usd("170")))))
    await pool.execute(
        "insert into casefile.promises (reference, round, at, account, losses) values ($1, 1, $2, $3, '[]')",
        *(other, after(-ago), account),
    )
    asked = request(reference, SMALL, VERIFIED, finding(), by_rule())
    if refuses:
        await refused(compensation, asked, "the rule does not lead from the findings in the case file")
    else:
        await compensation.record_compensation(asked)


async def test_an_award_goes_to_the_account_in_the_case_file(pool: "Pool", compensation: Compensation) -> None:
    reference = await opened(keeping(pool))
    await refused(compensation, request(reference, BIG, proposal(), approval(), account="70099999"), "not the one")
    corrected = noted("add_evidence:3", "handler:h-17", None, account="70099999", note="As the bank says.")
    asked = request(reference, BIG, corrected, proposal(), approval(), account="70099999")
    await compensation.record_compensation(asked)


async def test_which_losses_are_made_good_and_taken_off_follows_from_the_record(
    pool: "Pool", compensation: Compensation
) -> None:
    first, second = await opened(keeping(pool), "1"), await opened(keeping(pool), "2")
    await compensation.record_compensation(request(first, SMALL, VERIFIED, finding(), by_rule()))
    made_good = [tuple(row) for row in await pool.fetch("SELECT account, part, amount FROM casefile.redressed")]
    assert made_good == [("70012345", "price/F1", Decimal(40))]
    # whatever the workflow says: the loss was made good, and an award by rule is just the loss
    forged = request(second, SMALL, VERIFIED, finding(), by_rule(), losses=(), deduct=False)
    assert (await compensation.record_compensation(forged)).already == SMALL
    assert await count(pool, "postings") == 1
