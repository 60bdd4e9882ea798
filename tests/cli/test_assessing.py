"""``redress assess``: what a text would be assessed as, and why a case was."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(*arguments: str, model: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "starter.cli", "assess", *arguments]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "100", "REDRESS_ASSESSMENT_MODEL": model},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_tells_the_category_the_words_and_what_is_not_counted() -> None:
    told = json.loads(run("--json", "I pressed 1980 and got 1983. I am not suicidal.").stdout)
    assert told["assessment"]["category"] == "execution"
    assert told["assessment"]["severity"] == "low"
    assert {"rule": "not counted: denied", "words": ["suicidal"]} in told["assessment"]["grounds"]
    assert told["proposal"] is None


def test_where_no_words_decide_the_model_proposes_and_decides_nothing() -> None:
    text = "Somebody should tell me why the plastic never came, only its PIN."
    told = json.loads(run("--json", text).stdout)
    assert told["assessment"]["category"] == "other"
    assert told["assessment"]["proposal"] == told["proposal"]
    assert told["proposal"]["category"] == "card"
    assert told["opinion"]["model"] == told["proposal"]["model"]
    assert 0.3 <= told["proposal"]["confidence"] <= 1


def test_the_model_abstains_where_it_is_not_sure_and_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    assert "not sure enough" in run("zzz").stdout
    (tmp_path / "own.gz").write_bytes(b"nothing")
    told = run("zzz", model=str(tmp_path / "own.gz"))
    assert "REDRESS_ASSESSMENT_MODEL" in told.stderr
    assert "own.gz" in told.stderr.replace("\n", "")


def test_training_asks_for_a_file() -> None:
    assert "name the FILE" in run("train").stderr


def test_an_empty_text_and_a_reference_that_is_none_are_refused() -> None:
    assert "TEXT is empty" in run(" ").stderr
    assert "is not a reference" in run("explain", "nonsense").stderr
