"""The list of an incident on a trade log in PostgreSQL: whom the fault touched, and by how much."""

from collections.abc import Collection
from decimal import Decimal
from typing import Any, Final

import asyncpg
import pytest
from temporalio.exceptions import ApplicationError

from activities.checks import investigating
from activities.checks.evidence_queries import EvidenceSnapshot
from activities.checks.investigating import Investigating
from activities.incidents.incidents import Incidents
from activities.log.trade_log import TradeLog
from domain.checks.findings import Check, Finding, InvestigationRequest
from domain.checks.gathering.asked import Asked
from domain.checks.losses import losses
from domain.ground.words import MemberState
from domain.incidents.incident import Fault, FaultKind, NewIncident
from domain.incidents.progress import Cohort
from domain.incidents.requests import CompensateMember, IncidentOpened, ListCohort, NextMembers, OpenIncident
from domain.keys.scopes import scope_of_customer
from domain.log.firm_records import Happened
from domain.money.amounts import Money
from runtime.database import seen_by
from runtime.keys.vault import Erased, Vault
from runtime.settings import load_settings
from starter.client.directory import People
from starter.reading.incidents import CohortRow, get_cohort, get_incident, recomputed
from starter.reading.ledger import check_ledger
from tests.case.support import OPENED_AT, keeping, opened
from tests.checks.rows import AT, after, happened
from tests.incidents.minute import (
    BOUGHT,
    ELSEWHERE,
    FAULT,
    INCOMPLETE,
    LATER,
    LIQUIDATED,
    SOLD,
    STOPPED,
    Pool,
    bad_minute,
    new,
    trade,
)
from tests.people.support import LEAD, directory, person
from tests.scanning import unsealed
from tests.signing import signed

AS_OF = after(86_400)
NOTE = "Ms Zott of the branch has noticed it."
TEAMS = ("dealing", "payments", "accounts", "conduct", "customer-care")


class Desk:
    """The activities of an incident, called as its workflow would."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.investigating = Investigating(TradeLog(pool))
        self.activities = Incidents(pool, self.investigating, load_settings())

    async def open(self, incident: NewIncident) -> IncidentOpened:
        request = OpenIncident(reference=incident.reference, new=incident, at=AS_OF)
        return await self.activities.open_incident(request)

    async def list(self, incident: NewIncident, number: int = 1) -> Cohort:
        opened = await self.open(incident)
        return await self.activities.list_cohort(
            ListCohort(
                reference=incident.reference,
                number=number,
                fault=incident.fault,
                policy_hash=opened.policy_hash,
                as_of=AS_OF,
            )
        )

    async def members(self, incident: NewIncident) -> dict[str, CohortRow]:
        return {row.account: row for row in await get_cohort(self.pool, incident.reference)}

    async def compensate(self, incident: NewIncident, account: str, number: int = 1) -> Money | None:
        await self.approve(incident, number)
        request = CompensateMember(reference=incident.reference, number=number, account=account)
        return (await self.activities.compensate_member(request)).amount

    async def approve(self, incident: NewIncident, number: int = 1, by: str = "executive:e-1", **said: Any) -> None:
        """The approval of that list stands in the record."""
        seen = await self.pool.fetchval(
            "select hash from casefile.cohorts where (reference, number) = ($1, $2)", incident.reference, number
        )
        await self.pool.execute(
            "insert into casefile.incident_timeline (reference, key, at, kind, actor, text, data)"
            " values ($1, $2, now(), 'decide_incident', $3, 'approve', $4) on conflict do nothing",
            incident.reference,
            f"decide_incident:{number}",
            by,
            {"decision": "approve", "cohort": seen, **said},
        )


@pytest.fixture
def desk(pool: Pool) -> Desk:
    return Desk(pool)


def shown(members: dict[str, CohortRow]) -> dict[str, Any]:
    return {account: str(row.harm) if row.harm else row.state for account, row in members.items()}


async def test_what_a_list_rests_on_is_the_customers_and_goes_with_their_key_and_its_figures_stay(
    desk: Desk, keys: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bad_minute(desk.pool)
    await desk.list(new(note=NOTE))
    before = await desk.members(new())
    words = [row.reason.en for row in before[SOLD].findings]
    [kept] = await desk.pool.fetch("select findings::text from casefile.cohort_members where account = $1", SOLD)
    assert words
    assert not any(word in kept["findings"] for word in (*words, "evidence", "reason"))
    assert await unsealed(desk.pool) == []
    opened_with = await desk.pool.fetchval("select opened::text from casefile.incidents")
    assert NOTE not in opened_with
    assert (await get_incident(desk.pool, new().reference)).new.note == NOTE

    read = keys.for_reading

    async def without_sold(wanted: Collection[tuple[str, int]]) -> Any:
        gone = {one: Erased(*one, AT) for one in wanted if one[0] == scope_of_customer(SOLD)}
        return {**await read([one for one in wanted if one not in gone]), **gone}

    monkeypatch.setattr(keys, "for_reading", without_sold)
    after_it = await desk.members(new())
    assert shown(after_it) == shown(before)
    erased = after_it[SOLD]
    assert erased.erased
    assert all(one.reason.en.startswith("[erased ") and not one.evidence for one in erased.findings)
    assert [one.harm for one in erased.findings] == [one.harm for one in before[SOLD].findings]
    assert {account: row for account, row in after_it.items() if account != SOLD} == {
        account: row for account, row in before.items() if account != SOLD
    }
    assert recomputed(list(after_it.values())) == []


async def test_who_was_erased_before_is_listed_by_figures_alone(
    desk: Desk, keys: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bad_minute(desk.pool)

    async def erased(scopes: Collection[str]) -> dict[str, Any]:
        return dict.fromkeys(set(scopes) & {scope_of_customer(SOLD)}, AT)

    monkeypatch.setattr(keys, "erased", erased)
    await desk.list(new())
    row = (await desk.members(new()))[SOLD]
    assert (str(row.harm), row.erased) == ("USD 1,643.00", True)
    assert await desk.pool.fetchval(
        "select bool_and(not one ? 'evidence' and not one ? 'sealed' and one ? 'harm')"
        " from casefile.cohort_members, jsonb_array_elements(findings) as one where account = $1",
        SOLD,
    )
    assert await desk.compensate(new(), SOLD) == row.harm


async def test_everybody_whose_orders_the_fault_touched_is_listed_with_the_harm(desk: Desk) -> None:
    await bad_minute(desk.pool)
    cohort = await desk.list(new())
    assert shown(await desk.members(new())) == {
        STOPPED: "USD 1,314.40",
        LIQUIDATED: "USD 1,314.40",
        SOLD: "USD 1,643.00",
        BOUGHT: MemberState.UNHARMED,
        ELSEWHERE: MemberState.UNHARMED,
        INCOMPLETE: MemberState.UNCLEAR,
    }
    assert (cohort.accounts, cohort.harmed, cohort.unharmed, cohort.unclear) == (6, 3, 2, 1)
    assert [str(each) for each in cohort.harm] == ["USD 4,271.80"]
    assert [str(each) for each in cohort.gained] == ["USD 1,643.00"]


async def test_who_is_kept_out_of_a_case_or_has_a_conflict_with_an_account_finds_it_in_no_list(desk: Desk) -> None:
    await bad_minute(desk.pool)
    conflicts = [
        {"account": STOPPED, "first": "2026-01-01", "why": "family"},
        {"account": LIQUIDATED, "first": "2000-01-01", "last": "2000-01-02", "why": "family"},
        {"account": BOUGHT, "first": "2999-01-01", "why": "family"},
    ]
    people = [person("h-1", names=["Jane Doe"], conflicts=conflicts), person("h-2")]
    await People(desk.pool, signed).replace(directory(*people, teams=TEAMS), by=LEAD, at=OPENED_AT)
    await opened(keeping(desk.pool), account=SOLD, description="Jane Doe gave me a wrong price.")
    await desk.list(new())
    every = set(await desk.members(new()))
    for who, kept_out in (("h-1", {STOPPED, SOLD}), ("h-2", set[str]())):
        rows = await get_cohort(seen_by(desk.pool, who), new().reference)
        assert {row.account for row in rows} == every - kept_out


async def test_lines_of_an_incident_whose_key_another_line_had_are_shown_in_their_order(desk: Desk) -> None:
    incident = new()
    await bad_minute(desk.pool)
    await desk.open(incident)
    keys = ["pause:2", "pause:2~0123456789ab", "kept:pause:3", "pause:10"]
    for key in reversed(keys):
        await desk.pool.execute(
            "insert into casefile.incident_timeline (reference, key, at, kind, actor, text, data)"
            " values ($1, $2, $3, 'pause', 'handler:h-1', 'x', '{}')",
            incident.reference,
            key,
            AS_OF,
        )
    told = [one.key for one in (await get_incident(desk.pool, incident.reference)).timeline]
    assert sorted(told[:2]) == keys[:2]
    assert told[2:] == keys[2:]


async def test_a_complainant_and_a_customer_who_said_nothing_get_the_same_sum(desk: Desk) -> None:
    await bad_minute(desk.pool)
    await desk.list(new())
    execution = Check.EXECUTION
    for account, more in ((STOPPED, (Check.TRIGGER,)), (LIQUIDATED, ()), (SOLD, ())):
        checks = (execution, *more)
        request = InvestigationRequest(checks=checks, account=account, trades=(f"O-{account}",), as_of=AS_OF)
        found = (await desk.investigating.investigate(request)).findings
        listed = (await desk.members(new()))[account].findings
        assert [finding.hash for finding in found] == [finding.hash for finding in listed]


async def test_what_an_account_gained_by_the_same_fault_is_told_and_charged_to_nobody(desk: Desk) -> None:
    await bad_minute(desk.pool)
    await desk.list(new())
    bought = (await desk.members(new()))[BOUGHT]
    assert ([str(each) for each in bought.gained], bought.harm) == (["USD 1,643.00"], None)


async def test_the_same_log_gives_the_same_hash_and_another_log_another(desk: Desk) -> None:
    await bad_minute(desk.pool)
    first = await desk.list(new())
    assert (await desk.list(new(), 2)).hash == first.hash
    await bad_minute_again(desk.pool)
    assert (await desk.list(new(), 3)).hash != first.hash
    assert (await desk.list(new(), 1)) == first  # what was listed stays as it was


async def bad_minute_again(pool: Pool) -> None:
    from tests.checks.rows import store

    await store(pool, *trade("70010008", "1920.96"))


@pytest.mark.parametrize("error", ["select 1 / $1::integer", None])
async def test_an_account_that_a_check_breaks_on_is_unclear_and_holds_up_no_other(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: str | None
) -> None:
    await bad_minute(desk.pool)
    await desk.list(new())
    whole = await desk.members(new())
    gather = investigating.gather

    async def broken(asked: Asked) -> list[Finding]:
        if asked.account == SOLD:
            if error:
                assert isinstance(asked.log, EvidenceSnapshot)
                await asked.log._connection.fetch(error, 0)
            raise ValueError
        return await gather(asked)

    monkeypatch.setattr(investigating, "gather", broken)
    await desk.list(new(), number=2)
    members = await desk.members(new())
    assert members[SOLD].state is MemberState.UNCLEAR
    assert {account: row for account, row in members.items() if account != SOLD} == {
        account: row for account, row in whole.items() if account != SOLD
    }


async def test_an_attempt_that_broke_off_is_gone_on_with(desk: Desk) -> None:
    await bad_minute(desk.pool)
    whole = await desk.list(new())
    other = new(fault=FAULT.model_copy(update={"until": after(31)}))
    await desk.open(other)
    await desk.pool.execute("alter table casefile.cohort_members drop constraint sealed_for")
    await desk.pool.execute(
        "insert into casefile.cohort_members select $1, number, account, state, amount, currency, doubtful, hash,"
        " trades, findings, settled from casefile.cohort_members where account < $2",
        other.reference,
        SOLD,
    )
    assert (await desk.list(other)).hash == whole.hash


@pytest.mark.parametrize(
    ("changes", "accounts"),
    [
        ({"source": "LP-B"}, {ELSEWHERE}),
        ({"price_to": Decimal("1921")}, {STOPPED, LIQUIDATED, SOLD}),
        ({"price_from": Decimal("1921"), "price_to": Decimal("1922")}, {BOUGHT}),
        ({"since": after(3000), "until": after(4000)}, {LATER}),
    ],
)
async def test_the_rule_narrows_whose_orders_are_looked_at(
    desk: Desk, changes: dict[str, Any], accounts: set[str]
) -> None:
    await bad_minute(desk.pool)
    narrowed = new(fault=Fault.model_validate(FAULT.model_dump() | changes))
    await desk.list(narrowed)
    assert set(await desk.members(narrowed)) == accounts


async def test_attempts_in_an_outage_are_listed_by_account(desk: Desk) -> None:
    from tests.checks.rows import store

    await store(
        desk.pool,
        happened(Happened.FAILED, 0, account=SOLD, event="e1", order=None),
        happened(Happened.FAILED, 5, account=BOUGHT, event="e2", order="O-9"),
        happened(Happened.FILLED, 5, account=ELSEWHERE, event="e3"),
    )
    outage = new(fault=Fault(kind=FaultKind.OUTAGE, since=after(-30), until=after(30)))
    cohort = await desk.list(outage)
    assert set(await desk.members(outage)) == {SOLD, BOUGHT}
    assert cohort.accounts == 2


async def test_an_account_is_compensated_once_however_often_it_is_asked_for(desk: Desk) -> None:
    await bad_minute(desk.pool)
    await desk.list(new())
    first = await desk.compensate(new(), SOLD)
    assert str(first) == "USD 1,643.00"
    assert await desk.compensate(new(), SOLD) == first
    entries = await desk.pool.fetch("select account, amount from casefile.ledger_entries order by amount")
    assert [tuple(row) for row in entries] == [
        (f"liability:customer:{new().reference}:{SOLD}", Decimal("-1643.00")),
        ("expense:redress", Decimal("1643.00")),
    ]


async def test_what_another_incident_made_good_is_not_made_good_again(desk: Desk) -> None:
    await bad_minute(desk.pool)
    await desk.list(new())
    overlapping = new(fault=FAULT.model_copy(update={"until": after(31)}))
    await desk.list(overlapping)  # before anything was paid: it lists the same harm
    await desk.compensate(new(), SOLD)
    assert await desk.compensate(overlapping, SOLD) is None
    later = new(fault=FAULT.model_copy(update={"until": after(32)}))
    cohort = await desk.list(later)  # after it: the harm is not listed any more
    listed = (await desk.members(later))[SOLD]
    assert (listed.harm, listed.state) == (None, MemberState.UNHARMED)
    assert "promised or made good before" in listed.findings[0].reason.en
    assert cohort.harmed == 2
    assert recomputed(list((await desk.members(later)).values())) == []
    assert await desk.pool.fetchval("select sum(amount) from casefile.postings") == Decimal("1643.00")


async def test_only_the_losses_that_are_left_are_paid(desk: Desk) -> None:
    await bad_minute(desk.pool, *trade(f"{SOLD}-b", "1920.96"))
    from tests.checks.rows import fill, order, store

    await store(desk.pool, order(order="O-2nd", account=SOLD))
    await store(desk.pool, fill("1920.96", fill="F-2nd", order="O-2nd", account=SOLD, volume=Decimal("0.5")))
    narrow = new(fault=FAULT.model_copy(update={"until": AT, "since": after(-1)}))
    await desk.list(narrow)
    member = (await desk.members(narrow))[SOLD]
    assert str(member.harm) == "USD 2,464.50"
    assert [loss.key for loss in losses(member.findings)] == ["price/F-2nd", f"price/F-{SOLD}"]


async def test_harmed_accounts_are_handed_out_in_order_and_only_they(desk: Desk) -> None:
    await bad_minute(desk.pool)
    await desk.list(new())
    ask = NextMembers(reference=new().reference, number=1, after=None, limit=2)
    first = await desk.activities.next_members(ask)
    assert first.accounts == (STOPPED, LIQUIDATED)
    rest = await desk.activities.next_members(ask.model_copy(update={"after": LIQUIDATED}))
    assert rest.accounts == (SOLD,)


async def test_a_list_is_computed_again_to_the_same_hash_or_shows_what_changed(desk: Desk) -> None:
    await bad_minute(desk.pool)
    await desk.list(new())
    rows = list((await desk.members(new())).values())
    assert recomputed(rows) == []
    finding = rows[2].findings[0]
    forged = finding.model_copy(update={"numbers": finding.numbers | {"harm": "1"}})
    (changed, digest) = recomputed([rows[2].model_copy(update={"findings": (forged,)})])
    assert (changed.account, changed.field, changed.stored) == (SOLD, f"O-{SOLD}: numbers.harm", "1")
    assert digest.field == "hash"


@pytest.mark.parametrize(
    ("by", "said", "match"),
    [
        (None, {}, "no approval of the list"),
        ("executive:e-1", {"cohort": "0123456789ab"}, "no approval of the list"),
        ("executive:e-1", {"decision": "relist"}, "no approval of the list"),
        ("executive:{opener}", {}, "by who opened the incident"),
        ("team_lead:t-1", {}, "role team_lead may not approve"),
    ],
)
async def test_no_account_is_made_good_by_a_list_that_nobody_may_have_approved(
    desk: Desk, by: str | None, said: dict[str, Any], match: str
) -> None:
    await bad_minute(desk.pool)
    await desk.list(new())
    if by:
        await desk.approve(new(), by=by.format(opener=new().opened_by.id.upper()), **said)
    request = CompensateMember(reference=new().reference, number=1, account=SOLD)
    with pytest.raises(ApplicationError, match=match) as refused:
        await desk.activities.compensate_member(request)
    assert (refused.value.type, refused.value.non_retryable) == ("ListNotApproved", True)
    assert await desk.pool.fetchval("select count(*) from casefile.postings") == 0


async def test_a_complete_list_takes_no_further_account(desk: Desk) -> None:
    await bad_minute(desk.pool)
    await desk.list(new())
    with pytest.raises(asyncpg.RestrictViolationError, match=r"list 1 .* is complete"):
        await desk.pool.execute(
            "insert into casefile.cohort_members (reference, number, account, state, doubtful, hash, trades, findings)"
            " values ($1, 1, '79999999', 'unharmed', false, 'x', '{}', '[]')",
            new().reference,
        )


async def test_the_check_of_the_ledger_names_what_was_paid_by_a_list_that_nobody_approved(desk: Desk) -> None:
    await bad_minute(desk.pool)
    await desk.list(new())
    await desk.compensate(new(), SOLD)
    assert (await check_ledger(desk.pool)).balanced
    await desk.list(new(), 2)
    await without_guards(desk.pool, "update casefile.postings set number = 2")
    (fault,) = (await check_ledger(desk.pool)).faults
    assert fault.reference == new().reference
    assert "rests on nothing" in fault.problem


DAMAGES: Final = (
    "update casefile.postings set incident = null",
    "update casefile.postings set number = -1",
    "update casefile.postings set account = 'somebody else'",
    "update casefile.postings set amount = 'NaN'",
    "update casefile.postings set currency = 'dollars'",
    "update casefile.postings set decision = null",
    "update casefile.postings set kind = 'gift'",
    "update casefile.postings set reference = 'RD-none', incident = null",
    "update casefile.cohort_members set amount = null",
    "update casefile.incident_timeline set actor = 'nobody'",
    "update casefile.incident_timeline set data = '[]'",
    "update casefile.policy_packs set content = '{}'",
    "delete from casefile.ledger_entries",
)


async def test_the_check_of_the_ledger_reads_every_posting_whatever_somebody_did_to_it(desk: Desk) -> None:
    await bad_minute(desk.pool)
    await desk.list(new())
    await desk.compensate(new(), SOLD)
    damaged = {damage.split()[1 if damage.startswith("update") else 2] for damage in DAMAGES}
    for row in await desk.pool.fetch(
        "select conrelid::regclass::text as of, conname from pg_constraint where contype = 'c'"
        " and conrelid = any('{casefile.postings,casefile.cohort_members}'::regclass[])"
    ):
        await desk.pool.execute(f'alter table {row["of"]} drop constraint "{row["conname"]}"')
    for table in damaged:
        await desk.pool.execute(f"create table {table}_kept as table {table}")
    for damage in DAMAGES:
        await without_guards(desk.pool, damage)
        report = await check_ledger(desk.pool)
        assert not report.balanced, damage
        told = " ".join(fault.problem for fault in report.faults)
        assert f"{new().reference}:compensation:{SOLD}" in told, damage
        for table in damaged:
            back = f"delete from {table}; insert into {table} overriding system value table {table}_kept"  # noqa: S608
            await without_guards(desk.pool, back)
        assert (await check_ledger(desk.pool)).balanced, damage


async def without_guards(pool: "asyncpg.Pool[asyncpg.Record]", statement: str) -> None:
    """Carry out *statement* where neither triggers nor foreign keys look."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("set local session_replication_role = replica")
        await connection.execute(statement)
