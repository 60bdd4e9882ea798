"""Every action of a clock has its row, and says in the documentation of the packs what it does."""

import pytest

from domain.clocks.actions import ACTIONS
from domain.clocks.clock import Rung
from domain.ground.words import Action
from runtime.paths import ROOT


def test_every_action_has_a_row_and_needs_a_field_that_a_rung_has() -> None:
    assert set(ACTIONS) == set(Action)
    assert {row.goes_with for row in ACTIONS.values() if row.goes_with} <= set(Rung.model_fields)


@pytest.mark.parametrize("action", Action)
def test_the_documentation_of_the_packs_says_what_it_does(action: Action) -> None:
    page = (ROOT / "docs" / "policy-packs.md").read_text(encoding="utf-8")
    assert f"| `{action.value}` | {ACTIONS[action].does} |" in page


@pytest.mark.parametrize("action", Action)
def test_a_field_goes_with_the_action_that_needs_it_and_with_no_other(action: Action) -> None:
    given = {"level": 1, "letter": "four-weeks"}
    own = ACTIONS[action].goes_with
    fitting: dict[str, object] = {own: given[own]} if own else {}
    assert Rung.model_validate({"name": "due", "actions": (action,), **fitting})
    for field, value in given.items():
        changed = {} if field == own else {**fitting, field: value}
        with pytest.raises(ValueError, match=f"goes with a {field}"):
            Rung.model_validate({"name": "due", "actions": (action,), **changed})
