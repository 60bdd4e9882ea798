"""Policy packs made for a test: the default's procedure with clocks of one's own."""

from typing import Any

from domain.rules.policy import PolicyPack
from runtime.policies import find_pack
from tests.workflows.house import House

OMBUDSMAN = {
    "name": "ombudsman",
    "kind": "ombudsman",
    "title": {"en": "Example Ombudsman", "zh": "示例监察员"},
    "contact": {"en": "1 Example Street", "zh": "示例街1号"},
    "within": {"months": 6},
    "after_silence": {"weeks": 8},
    "source": "Made for the test",
    "confirmed": True,
}
HOLDING = {
    "name": "holding",
    "kind": "holding",
    "text": {"en": "The rules allow us more time.", "zh": "规则允许我们延长时间。"},
    "must_name": ["ombudsman", "expected_date"],
    "source": "Made for the test",
    "confirmed": True,
}
SPECIAL = {
    "name": "special",
    "by": {"days": 30},
    "approval": ["executive"],
    "ground": {"en": "The rules allow 30 days more.", "zh": "规则允许再延长30日。"},
    "source": "Made for the test",
    "confirmed": True,
}


def statutory(name: str, days: int, **more: Any) -> dict[str, Any]:
    clock = {
        "name": name,
        "kind": "statutory",
        "trigger": "received",
        "length": {"days": days},
        "satisfied_by": ["responded"],
        "source": "Made for the test",
        "confirmed": True,
        "rungs": [{"name": "due", "actions": ["breach", "escalate"], "level": 2}],
    }
    return {**clock, **more}


def own(house: House, *clocks: dict[str, Any], name: str = "own", **more: Any) -> str:
    """Have a pack of that name: the default's, with *clocks* in place of its response clock."""
    default = find_pack("platform-default", house.today).model_dump()
    kept = [clock for clock in default["clocks"] if clock["name"] not in {clock["name"] for clock in clocks}]
    pack = PolicyPack.model_validate({**default, "id": name, "clocks": [*clocks, *kept], **more})
    house.packs[name] = [pack]
    return name
