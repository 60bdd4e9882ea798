"""How a process that has much to do spares the processor."""

import subprocess
import sys

from runtime.processor import fast_loop


def test_garbage_is_looked_for_seldom_and_not_among_what_is_loaded() -> None:
    told = "import gc; from runtime.processor import look_for_garbage_seldom as seldom; seldom();"
    told += "print(gc.isenabled(), gc.get_freeze_count() > 1_000, gc.get_threshold()[0] > 700)"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True"] * 3


def test_the_loop_is_the_fast_one_where_there_is_one() -> None:
    loop = fast_loop()
    assert loop is None if sys.platform == "win32" else loop.__module__ == "uvloop"
