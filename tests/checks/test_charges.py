"""Swaps and commissions, on rows few enough to compute by hand."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from domain.checks.charges.finding import nights_held
from domain.checks.findings import Check, Finding, Verdict
from domain.ground.words import Confidence
from domain.log.firm_records import (
    ChargeSchedule,
)
from domain.log.trade_log import Position, Side
from tests.checks.checking import DAY, SCHEDULE, check
from tests.checks.rows import fill, position


class TestCharges:
    """One lot long from 1940.00 at -3.6 % a year: 1940 * 100 * 3.6 % / 360 = 19.40 a night."""

    WEDNESDAY = datetime(2026, 3, 4, 12, tzinfo=UTC)

    def held(self, until: datetime, swap: str, side: Side = Side.BUY, **more: Any) -> Position:
        values: dict[str, Any] = {
            "opened_at": self.WEDNESDAY,
            "closed_at": until,
            "close_price": Decimal(1950),
            "swap": Decimal(swap),
            "side": side,
        }
        return position(**(values | more))

    def charged(self, held: Position, *schedules: ChargeSchedule, **rows: Any) -> Finding:
        return check(Check.CHARGES, "P1", positions=(held,), charge_schedules=schedules or (SCHEDULE,), **rows)

    def test_nights_are_counted_at_new_yorks_five_in_the_afternoon_and_friday_counts_three(self) -> None:
        until = self.WEDNESDAY + 7 * DAY
        nights = nights_held(self.held(until, "0"), SCHEDULE, until)
        # New York changes to summer time on Sunday 8 March: 17:00 is 22:00 UTC before and 21:00 after
        assert [(f"{at:%a %H:%M}", days) for at, days in nights] == [
            ("Wed 22:00", 1),
            ("Thu 22:00", 1),
            ("Fri 22:00", 3),
            ("Mon 21:00", 1),
            ("Tue 21:00", 1),
        ]

    def test_what_the_schedule_says_is_no_fault(self) -> None:
        found = self.charged(self.held(self.WEDNESDAY + 3 * DAY, "-97.00"))  # 5 nights
        assert (found.verdict, found.confidence) == (Verdict.NO_FAULT, Confidence.CERTAIN)
        assert (found.numbers["nights"], found.numbers["swap_due"]) == ("5", "-97")

    def test_what_was_charged_beyond_it_is_given_back(self) -> None:
        found = self.charged(self.held(self.WEDNESDAY + 3 * DAY, "-116.40"))  # a sixth night
        assert (found.verdict, str(found.harm)) == (Verdict.FIRM_FAULT, "USD 19.40")
        assert found.parts[0].key == "swap/P1"

    def test_half_a_cent_a_night_is_rounding(self) -> None:
        until = self.WEDNESDAY + 3 * DAY  # three rollovers
        assert self.charged(self.held(until, "-97.01")).verdict is Verdict.NO_FAULT
        assert self.charged(self.held(until, "-97.02")).verdict is Verdict.FIRM_FAULT

    def test_what_was_charged_too_little_is_never_asked_for(self) -> None:
        found = self.charged(self.held(self.WEDNESDAY + 3 * DAY, "-50"))
        assert (found.verdict, str(found.harm)) == (Verdict.NO_FAULT, "USD 0.00")

    def test_a_credit_that_a_short_did_not_get_is_owed(self) -> None:
        found = self.charged(self.held(self.WEDNESDAY + DAY, "0", Side.SELL))
        assert str(found.harm) == "USD 9.70"

    def test_a_changed_schedule_counts_from_its_date(self) -> None:
        dearer = SCHEDULE.model_copy(
            update={"schedule": "S2", "effective_from": self.WEDNESDAY + DAY, "swap_long": Decimal("-7.2")}
        )
        found = self.charged(self.held(self.WEDNESDAY + 2 * DAY, "-58.20"), SCHEDULE, dearer)
        assert (found.verdict, found.numbers["swap_due"]) == (Verdict.NO_FAULT, "-58.2")  # 19.40 and 38.80

    def test_a_night_belongs_to_one_schedule_also_where_the_next_begins_with_its_rollover(self) -> None:
        rollover = datetime(2026, 3, 4, 22, tzinfo=UTC)
        dearer = SCHEDULE.model_copy(
            update={"schedule": "S2", "effective_from": rollover, "swap_long": Decimal("-7.2")}
        )
        for until in (rollover, rollover + DAY / 2):
            found = self.charged(self.held(until, "-38.80"), SCHEDULE, dearer)
            assert (found.verdict, found.numbers["nights"], found.numbers["swap_due"]) == (
                Verdict.NO_FAULT, "1", "-38.8",
            )  # fmt: skip

    def test_the_triple_day_is_that_of_the_schedule_in_force(self) -> None:
        until = self.WEDNESDAY + 7 * DAY  # Wed, Thu, Fri, Mon, Tue: 19.40 each
        due = {3: "-135.8", 5: "-135.8", 1: "-135.8", 7: "-97"}  # three on that day; none on a Sunday
        for day, swap in due.items():
            schedule = SCHEDULE.model_copy(update={"triple_day": day})
            found = self.charged(self.held(until, swap), schedule)
            assert (found.verdict, found.numbers["swap_due"]) == (Verdict.NO_FAULT, swap)
        moved = SCHEDULE.model_copy(
            update={"schedule": "S2", "effective_from": self.WEDNESDAY + 1 * DAY, "triple_day": 3}
        )  # Friday was the triple day on Wednesday, and Wednesday on Friday
        assert self.charged(self.held(until, "-97"), SCHEDULE, moved).numbers["nights"] == "5"

    def test_a_position_closed_in_parts_is_charged_for_what_was_open_at_each_rollover(self) -> None:
        fills = (
            fill("1940", Side.BUY, fill="F1", position="P1", at=self.WEDNESDAY),
            fill("1950", fill="F2", position="P1", at=self.WEDNESDAY + DAY, volume=Decimal("0.4")),
            fill("1950", fill="F3", position="P1", at=self.WEDNESDAY + 2 * DAY, volume=Decimal("0.6")),
        )
        found = self.charged(self.held(self.WEDNESDAY + 2 * DAY, "-31.04"), fills=fills)  # 19.40 and 0.6 of it
        assert (found.verdict, found.numbers["swap_due"]) == (Verdict.NO_FAULT, "-31.04")

    def test_points_and_money_are_units_too(self) -> None:
        points = SCHEDULE.model_copy(update={"swap_unit": "points", "swap_long": Decimal(-25)})
        assert self.charged(self.held(self.WEDNESDAY + DAY, "-25"), points).verdict is Verdict.NO_FAULT
        money = SCHEDULE.model_copy(update={"swap_unit": "money", "swap_long": Decimal(-7)})
        assert self.charged(self.held(self.WEDNESDAY + DAY, "-7"), money).verdict is Verdict.NO_FAULT

    def test_commission_beyond_the_schedule_is_given_back(self) -> None:
        fills = (
            fill("1940", Side.BUY, fill="F1", position="P1", commission=Decimal("-3.50")),
            fill("1950", fill="F2", position="P1", commission=Decimal("-5.00")),
        )
        found = self.charged(self.held(self.WEDNESDAY, "0"), fills=fills)
        assert (str(found.harm), found.parts[0].key) == ("USD 1.50", "fee/P1")

    def test_without_a_schedule_nothing_is_computed(self) -> None:
        late = SCHEDULE.model_copy(update={"effective_from": self.WEDNESDAY + DAY})
        assert self.charged(self.held(self.WEDNESDAY + DAY, "-1"), late).missing == (
            f"published schedule of XAUUSD on {self.WEDNESDAY.isoformat()}",
        )
