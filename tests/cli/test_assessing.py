"""``redress assess``: what a text would be assessed as, and why a case was."""

from pathlib import Path

from tests.cli.command_line import CommandLine


async def test_it_tells_the_category_the_words_and_what_is_not_counted(redress: CommandLine) -> None:
    told = (await redress("assess", "--json", "I pressed 1980 and got 1983. I am not suicidal.")).data
    assert told["assessment"]["category"] == "execution"
    assert told["assessment"]["severity"] == "low"
    assert {"rule": "not counted: denied", "words": ["suicidal"]} in told["assessment"]["grounds"]
    assert told["proposal"] is None


async def test_where_no_words_decide_the_model_proposes_and_decides_nothing(redress: CommandLine) -> None:
    text = "Somebody should tell me why the plastic never came, only its PIN."
    told = (await redress("assess", "--json", text)).data
    assert told["assessment"]["category"] == "other"
    assert told["assessment"]["proposal"] == told["proposal"]
    assert told["proposal"]["category"] == "card"
    assert told["opinion"]["model"] == told["proposal"]["model"]
    assert 0.3 <= told["proposal"]["confidence"] <= 1


async def test_the_model_abstains_where_it_is_not_sure_and_a_file_that_is_none_is_named(
    redress: CommandLine, tmp_path: Path
) -> None:
    assert "not sure enough" in (await redress("assess", "zzz")).out
    (tmp_path / "own.gz").write_bytes(b"nothing")
    redress.set("REDRESS_ASSESSMENT_MODEL", str(tmp_path / "own.gz"))
    told = await redress("assess", "zzz")
    assert "REDRESS_ASSESSMENT_MODEL" in told.err
    assert "own.gz" in told.err.replace("\n", "")


async def test_training_asks_for_a_file(redress: CommandLine) -> None:
    assert "name the FILE" in (await redress("assess", "train")).err


async def test_an_empty_text_and_a_reference_that_is_none_are_refused(redress: CommandLine) -> None:
    assert "TEXT is empty" in (await redress("assess", " ")).err
    assert "is not a reference" in (await redress("assess", "explain", "nonsense")).err
