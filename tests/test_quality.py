"""The house keeps its shape: types, style, and who may know whom."""

import ast
import dataclasses
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from domain.checks.row import CheckRow
from domain.clocks.actions import ActionRow
from domain.letters.kinds import LetterRow
from tests.prose import pages, unwrapped
from workflows.effects import Effect
from workflows.parts.hearing import Update
from workflows.parts.inbox import Signal

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "--no-cache", "."],
        ["ruff", "format", "--no-cache", "--check", "."],
        pytest.param(["mypy"], marks=pytest.mark.long),  # in a new clone, where nothing is known of the libraries
        ["importlinter.cli", "lint", "--no-cache"],
    ],
    ids=["ruff check", "ruff format", "mypy", "rooms"],
)
@pytest.mark.timeout(600)
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


LONGEST_FUNCTION = 60  # lines: what fits on a screen


def test_a_function_fits_on_a_screen() -> None:
    long = {
        (str(path.relative_to(ROOT)), node.name)
        for path in (*ROOT.glob("*.py"), *(path for room in (*ROOMS, "client") for path in (ROOT / room).rglob("*.py")))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno >= LONGEST_FUNCTION
    }
    assert long == set()


ROOMS = (
    *("domain", "record", "activities", "workflows", "starter", "runtime", "recovery", "web", "channels"),
    *("trial", "bench", "tests"),
)
ROLE = re.compile(r":(?:class|func|meth|data|mod|exc|attr):`~?([\w.]+)`")


def test_every_name_that_a_docstring_refers_to_is_there() -> None:
    named = [
        (path, name)
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        for name in ROLE.findall(path.read_text(encoding="utf-8"))
    ]
    assert named
    assert [f"{path.relative_to(ROOT)}: {name}" for path, name in named if not _is_there(path, name)] == []


def _is_there(path: Path, name: str) -> bool:
    """Whether *name* is one of the module at *path*, of a class of it, or of a package."""
    module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
    places = [module, *(each for each in vars(module).values() if isinstance(each, type))]
    return any(_reach(place, name.split(".")) for place in places) or _imports(name)


def _reach(place: object, names: list[str]) -> bool:
    for name in names:
        fields = getattr(place, "model_fields", {})
        if name not in fields and not hasattr(place, name):
            return False
        place = fields.get(name) or getattr(place, name)
    return True


def _imports(name: str) -> bool:
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            return _reach(import_module(".".join(parts[:length])), parts[length:])
        except ImportError:
            continue
    return False


def test_what_a_how_to_page_names_is_there() -> None:
    pages = sorted((ROOT / "docs" / "how-to").glob("*.md"))
    assert pages
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))
    wrong = []
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert "```diff\n" in text, f"{page.name} shows no diff"
        paths = re.findall(r"`((?:\w[\w-]*/)+[\w.-]*)`", text)
        wrong += [f"{page.name}: {path}" for path in paths if not (ROOT / path).exists()]
        tests = re.findall(r"`(test_\w+)`", text)
        wrong += [f"{page.name}: {test}" for test in tests if f"def {test}(" not in sources]
    assert wrong == []


def _hunks(page: str) -> Iterator[tuple[str, str]]:
    """For each hunk of the diffs on *page*: the file, and its lines before the change."""
    for diff in re.findall(r"```diff\n(.*?)```", page, re.DOTALL):
        for of_a_file in re.split(r"^--- ", diff, flags=re.MULTILINE)[1:]:
            name, *hunks = re.split(r"^@@$", of_a_file, flags=re.MULTILINE)
            for hunk in hunks:
                lines = (line or " " for line in hunk.strip("\n").splitlines())
                yield (
                    name.splitlines()[0].removeprefix("a/"),
                    "\n".join(line[1:] for line in lines if not line.startswith("+")),
                )


def test_the_diffs_of_a_how_to_page_can_be_applied() -> None:
    wrong = [
        f"{page.name}: {path}: {before}"
        for page in sorted((ROOT / "docs" / "how-to").glob("*.md"))
        for path, before in _hunks(page.read_text(encoding="utf-8"))
        if path != "/dev/null" and (ROOT / path).read_text(encoding="utf-8").count(before) != 1
    ]
    assert wrong == []


ROWS = {
    "add-a-check.md": (CheckRow,),
    "add-a-clock-action.md": (ActionRow,),
    "add-a-letter.md": (LetterRow,),
    "add-a-message.md": (Signal, Update),
    "add-an-effect.md": (Effect,),
}


@pytest.mark.parametrize("page", ROWS)
def test_a_how_to_page_names_every_field_of_its_row(page: str) -> None:
    assert {path.name for path in (ROOT / "docs" / "how-to").glob("*.md")} == set(ROWS)
    text = (ROOT / "docs" / "how-to" / page).read_text(encoding="utf-8")
    optional = [
        field.name
        for row in ROWS[page]
        for field in dataclasses.fields(row)
        if field.default is not dataclasses.MISSING
    ]
    assert [name for name in optional if not re.search(rf"`{name}`|\b{name}=", text)] == []


LAYERS = {
    contract["containers"][0]: contract["layers"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    if contract["type"] == "layers"
}


@pytest.mark.parametrize("place", ["domain", "activities", "starter", "workflows.parts"])
def test_the_drawing_has_the_floors_that_are_kept(place: str) -> None:
    """Those of the rooms as they are kept; of the parts, which stand closer together there, each one."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    room, _, part = place.partition(".")
    [drawn] = re.findall(rf"^{room}/ (.*?)^(?:$|```)", page, re.DOTALL | re.MULTILINE)
    drawn = drawn.partition(f" {part}/")[2] if part else drawn
    floors = [set(line[:48].split("  ")[0].split(" · ")) for line in map(str.strip, drawn.splitlines()) if line]
    kept = [set(layer.split(" | ")) for layer in LAYERS[place]]
    if part:
        assert set().union(*kept) <= set().union(*floors)
    else:
        assert floors == kept


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/architecture.md"])
def test_every_room_is_named(page: str) -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    text = (ROOT / page).read_text(encoding="utf-8")
    assert sorted(room for room in packages if f"{room}/" not in text) == []


def test_a_decision_has_a_number_of_its_own() -> None:
    numbers = [path.name[:4] for path in (ROOT / "docs" / "decisions").glob("*.md")]
    assert sorted({number for number in numbers if numbers.count(number) > 1}) == []


def test_the_documentation_has_no_hard_wraps() -> None:
    wrapped = [str(page.relative_to(ROOT)) for page in pages() if unwrapped(text := page.read_text("utf-8")) != text]
    assert wrapped == [], "put each paragraph on one line: python -m tests.prose"
