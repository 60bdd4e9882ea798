"""The house keeps its shape: types, style, and who may know whom."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "--no-cache", "."],
        ["ruff", "format", "--no-cache", "--check", "."],
        ["mypy"],
        ["importlinter.cli", "lint", "--no-cache"],
    ],
    ids=["ruff check", "ruff format", "mypy", "rooms"],
)
@pytest.mark.timeout(240)
def test_it_is_clean(command: list[str]) -> None:
    module, *arguments = command
    run = [sys.executable, "-c", "from importlinter.cli import import_linter; import_linter()", *arguments]
    if module != "importlinter.cli":
        run = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_registry_host_and_no_path_of_a_machine_is_named() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    hosts = ["py" + "pi.org", "python" + "hosted.org", "registry." + "npmjs", "deb." + "debian", "/" + "root/"]
    for name in listed.stdout.splitlines():
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue
        assert not [host for host in hosts if host in text], name
