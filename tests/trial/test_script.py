"""The script of the trial: the same seed is the same script."""

import re

from trial.driver import message_of
from trial.script import write_script


def test_the_same_seed_writes_the_same_script_and_another_seed_another() -> None:
    script = write_script(5, cases=50, seconds=60)
    assert script == write_script(5, cases=50, seconds=60)
    assert script != write_script(6, cases=50, seconds=60)


def test_every_step_has_a_token_of_its_own_that_the_checker_can_find() -> None:
    steps = write_script(5, cases=200, seconds=60).steps
    assert len({step.token for step in steps}) == len(steps)
    assert all(re.fullmatch(r"t\d+x\d+x\d+e", step.token) for step in steps)


def test_every_kind_of_message_is_in_a_script_of_hundreds_and_each_fits_its_model() -> None:
    steps = write_script(5, cases=300, seconds=60).steps
    for step in steps:
        if step.act in {"signal", "update"} or (step.act == "receive" and step.actor):
            assert step.token in message_of(step).model_dump_json()
    acts = {"submit", "receive", "start", "signal", "raw", "update", "flood", "incident"}
    assert {step.act for step in steps} == acts
    assert {
        "withdraw",
        "reopen",
        "open",
        "approve",
        "pause",
        "resume",
        "propose_resolution",
        "decide_resolution",
        "correct_contact",
        "relist",
    } <= {step.name for step in steps}
