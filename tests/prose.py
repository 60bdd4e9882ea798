"""The documentation has no hard wraps: `python -m tests.prose` puts each paragraph on one line, a test says where not.

Items of lists are paragraphs too; tables, code, headings and HTML stay as they are.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
_ITEM: Final = re.compile(r" *([-*+]|\d+\.) ")
_NO_PROSE: Final = re.compile(r" *(\||#|<|>|```|\[[^\]]+\]: )")


def pages() -> list[Path]:
    """The Markdown that is under version control."""
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def unwrapped(text: str) -> str:
    """*text* with each of its paragraphs on one line. Only white space differs."""
    done: list[str] = []
    code = goes_on = False
    for line in text.split("\n"):
        code ^= (fence := line.lstrip().startswith("```"))
        prose = not (code or fence) and bool(line.strip()) and not _NO_PROSE.match(line)
        if prose and goes_on and not _ITEM.match(line):
            done[-1] = f"{done[-1]} {line.strip()}"
        else:
            prose = prose and (goes_on or bool(_ITEM.match(line)) or not line.startswith("    "))
            done.append(line)
        goes_on = prose and not done[-1].endswith(("  ", "\\"))
    return "\n".join(done)


def main() -> None:
    for page in pages():
        text = page.read_text(encoding="utf-8")
        if (joined := unwrapped(text)) != text:
            page.write_text(joined, encoding="utf-8")
            sys.stdout.write(f"{page.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
