"""What final responses promise, in the record: each loss by one case, whoever comes first."""

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.money.compensation import Compensation
from activities.money.promises import Promises
from activities.money.redressed import lock_account
from domain.case.requests import AwardPromised, LookElsewhere, PromiseAward
from domain.ground.timeline import Entry
from domain.ground.words import Stage
from domain.money.parts import Loss
from starter.client.directory import People
from tests.case.support import OPENED_AT, after, awarding, decided, entry, keeping, opened, summary, update, usd
from tests.patience import eventually
from tests.people.support import LEAD, directory, person
from tests.signing import signed

if TYPE_CHECKING:
    from runtime.database import Pool

ACCOUNT = "70012345"


def loss(key: str = "price/F-1", amount: str = "1643") -> Loss:
    return Loss(key=key, amount=Decimal(amount), currency="USD")


def promising(
    reference: str, *losses: Loss, revision: int = 2, left_out: tuple[str, ...] = (), **changes: Any
) -> PromiseAward:
    responded = update(
        reference, revision, summary=summary(revision, stage=Stage.RESPONDED), entries=(entry("responded"),)
    )
    fields = {"account": ACCOUNT, "update": update(reference), **changes}
    return PromiseAward(reference=reference, round=1, losses=losses, left_out=left_out, then=responded, **fields)


async def test_of_many_cases_that_promise_a_loss_at_once_one_does_and_says_so_again(pool: "Pool") -> None:
    case_file = keeping(pool)
    promises = Promises(pool, case_file, lambda: OPENED_AT)
    cases = [await opened(case_file, str(number)) for number in range(9)]
    answers = dict(
        zip(
            cases, await asyncio.gather(*(promises.promise_award(promising(one, loss())) for one in cases)), strict=True
        )
    )
    (first,) = [reference for reference, answer in answers.items() if answer.promised]
    assert all(answer.elsewhere[0].reference == first for case, answer in answers.items() if case != first)
    assert (await promises.promise_award(promising(first, loss()))).promised
    assert await pool.fetchval("select stage from casefile.cases where reference = $1", first) == "responded"


async def test_a_promise_that_waited_for_another_is_made_when_it_was_its_turn(pool: "Pool") -> None:
    """What is said while it waits is said before the response can be read, and is no answer to it."""
    case_file, now = keeping(pool), [OPENED_AT]
    reference = await opened(case_file)
    async with pool.acquire() as other:
        async with other.transaction():
            await lock_account(other, ACCOUNT)
            promises = Promises(pool, case_file, lambda: now[0])
            promising_it = asyncio.create_task(promises.promise_award(promising(reference, loss())))
            await eventually(lambda: pool.fetchval("select exists (select from pg_locks where not granted)"))
            now[0] = after(5)
        assert (await promising_it).at == after(5)


async def test_what_is_part_of_others_without_a_sum_of_its_own_is_promised_in_both(pool: "Pool") -> None:
    case_file = keeping(pool)
    promises = Promises(pool, case_file, lambda: OPENED_AT)
    first, second = [await opened(case_file, key) for key in "12"]
    contained = loss("swap/P-1", "0")
    assert (await promises.promise_award(promising(first, loss(), contained))).promised
    assert (await promises.promise_award(promising(second, loss("price/F-2"), contained))).promised


@pytest.mark.parametrize("account", [ACCOUNT, None])
async def test_an_award_is_promised_only_where_it_rests_on_the_record_as_it_does_when_it_is_posted(
    pool: "Pool", account: str | None
) -> None:
    case_file = keeping(pool)
    promises = Promises(pool, case_file, lambda: OPENED_AT)

    async def asked(key: str, award: str, *, approved: bool = True) -> AwardPromised:
        reference = await opened(case_file, key)
        entries = decided(1, usd("300")) if approved else decided(1, usd("300"))[:1]
        said = update(reference, 1, entries=entries)
        return await promises.promise_award(promising(reference, update=said, award=usd(award), account=account))

    assert (await asked("1", "300")).promised
    refused = await asked("2", "301")
    assert not refused.promised
    assert "USD 300.00 was approved, not USD 301.00" in str(refused.refused)
    assert not (await asked("3", "300", approved=False)).promised
    assert await pool.fetchval("select count(*) from casefile.promises") == 1
    assert await pool.fetchval("select count(*) from casefile.cases where stage = 'responded'") == 1


async def test_a_case_that_somebody_else_is_kept_out_of_is_not_named(pool: "Pool") -> None:
    case_file = keeping(pool)
    promises = Promises(pool, case_file, lambda: OPENED_AT)
    first, second = [await opened(case_file, key) for key in "12"]
    await promises.promise_award(promising(first, loss()))
    asked = LookElsewhere(reference=second, account=ACCOUNT, losses=(loss(),))

    async def keep_out(case: str, why: str) -> None:
        await pool.execute(
            "insert into casefile.recusals (reference, person, why, about, at) values ($1, 'h-9', $2, 'x', now())",
            case,
            why,
        )

    async def named() -> str | None:
        (found,) = (await promises.look_elsewhere(asked)).elsewhere
        return found.reference

    await keep_out(first, "decided")
    assert await named() == first
    await keep_out(first, "named")
    assert await named() is None
    await keep_out(second, "named")
    assert await named() == first


@pytest.mark.parametrize("effect", ["promised", "posted"])
async def test_whom_the_words_that_go_along_name_has_no_part_in_what_is_judged_with_them(
    pool: "Pool", effect: str
) -> None:
    await People(pool, signed).replace(directory(person("h-17"), person("e-1", "executive")), by=LEAD)
    case_file = keeping(pool)
    reference = await opened(case_file)
    words = Entry(
        key="customer_reply:9",
        at=after(1),
        kind="customer_reply",
        actor="customer:c-1",
        text="information",
        data={"text": "It was h-17 of yours who entered the order."},
    )
    along = update(reference, 1, entries=(words, *decided(1, usd("300"))))
    if effect == "promised":
        asked = promising(reference, update=along, award=usd("300"))
        promised = await Promises(pool, case_file, lambda: OPENED_AT).promise_award(asked)
        assert "kept out" in str(promised.refused)
    else:
        with pytest.raises(ApplicationError, match="kept out"):
            await Compensation(pool, case_file, lambda: OPENED_AT).record_compensation(
                awarding(reference, usd("300"), number=1, update=along)
            )
    assert await pool.fetchval("select count(*) from casefile.promises") == 0
    assert await pool.fetchval("select count(*) from casefile.postings") == 0
