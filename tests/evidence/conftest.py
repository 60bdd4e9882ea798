from pathlib import Path

import pytest

from tests.cli.command_line import CommandLine


@pytest.fixture
def redress(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str) -> CommandLine:
    """The command line with a database, and where no Temporal answers."""
    monkeypatch.setenv("REDRESS_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    return CommandLine(monkeypatch)
