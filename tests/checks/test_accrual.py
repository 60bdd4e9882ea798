"""Interest runs on from day to day, and what is found at the end is what was promised at the beginning."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from domain.checks.accrual import accruals, growth, run_on
from domain.checks.losses import losses
from domain.checks.tolerances import Tolerances
from domain.checks.withdrawal_delay.finding import check_withdrawal_delay
from domain.log.trade_log import AccountEntry, EntryKind

ASKED = datetime(2026, 2, 2, 9, tzinfo=UTC)


@given(
    st.decimals("0.01", "9999999", places=2),
    st.timedeltas(timedelta(hours=49), timedelta(days=400)),
    st.timedeltas(timedelta(0), timedelta(days=400)),
)
def test_what_was_found_and_what_ran_on_is_what_the_same_check_finds_at_the_release(
    amount: Decimal, looked_after: timedelta, released_after: timedelta
) -> None:
    entry = AccountEntry(
        entry="w-1",
        account="70012345",
        kind=EntryKind.WITHDRAWAL,
        amount=-amount,
        currency="USD",
        requested_at=ASKED,
    )
    looked = ASKED + looked_after
    released = looked + released_after
    tolerances = Tolerances()
    before = check_withdrawal_delay(entry, as_of=looked, tolerances=tolerances)
    booked = entry.model_copy(update={"booked_at": released})
    after = check_withdrawal_delay(booked, as_of=released, tolerances=tolerances)
    assert before.harm is not None
    lost = losses([before])
    running = accruals([before])
    grown = run_on(running, lost, {one.key: released for one in running})
    assert before.harm + growth(lost, grown, "USD") == after.harm
    assert not accruals([after]), "nothing runs on once it was released"
