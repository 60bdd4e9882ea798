"""Stacks that start side by side on one machine do not choose the same address for their pages."""

import subprocess
import sys
from pathlib import Path

from runtime.paths import ROOT

CHOOSES = """
import sys
from pathlib import Path
from runtime.embedded_web import with_pages
from runtime.settings import load_settings
print(with_pages(load_settings(), Path(sys.argv[1])).web_address, flush=True)
sys.stdin.read()
"""


def test_two_that_have_chosen_before_either_listens_have_chosen_apart(tmp_path: Path) -> None:
    chosen = []
    stacks = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        command = [sys.executable, "-c", CHOOSES, str(tmp_path / name)]
        stack = subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        stacks.append(stack)
        assert stack.stdout
        chosen.append(stack.stdout.readline())
    for stack in stacks:
        stack.communicate()
    assert len(set(chosen)) == 2
