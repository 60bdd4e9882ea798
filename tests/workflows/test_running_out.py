"""What must not be kept any longer is looked for by a workflow of its own."""

from typing import Any

from domain.keys.erasure import RanOut, RunOut
from tests.workflows.house import House


async def test_what_runs_out_is_erased_until_nothing_more_has(house: House) -> None:
    found = [("RD-1", "RD-2"), ("RD-3",), ()]
    asked: list[int] = []

    async def run_out(request: RunOut, _carry: Any) -> RanOut:
        """Not the real one: at the time that tests skip to it would destroy keys that other tests share."""
        asked.append(request.after)
        return RanOut(erased=found[len(asked) - 1])

    house.effects["RunOut"] = run_out
    assert await house.client.execute_workflow("Retention", id="retention", task_queue=house.task_queue) == 3
    assert asked == [0, 2, 3]
