"""What other services install: one import root, pydantic and temporalio, and the examples of the documentation."""

import ast
import asyncio
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path
from zipfile import ZipFile

import asyncpg
import pytest
from packaging.requirements import Requirement
from temporalio.testing import WorkflowEnvironment

from runtime.paths import ROOT
from starter.client import contracts
from tests.end_to_end.support import at_stage, variables_for, worker_process
from tests.patience import PATIENCE

CLIENT = ROOT / "client"
NEEDS = {"pydantic", "temporalio"}
OURS = sorted({path.stem for path in ROOT.glob("*.py")} | {path.parent.name for path in ROOT.glob("*/__init__.py")})


def build(project: Path, into: Path, target: str = "wheel") -> Path:
    """The *target* that hatchling makes of *project*."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(into)]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    [made] = into.iterdir()
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(CLIENT, tmp_path_factory.mktemp("wheel"))


def needed_by(names: set[str]) -> dict[str, Distribution]:
    """The installed distributions of these *names*, and all that they need."""
    found: dict[str, Distribution] = {}
    waiting = [Requirement(name) for name in names]
    while waiting:
        requirement = waiting.pop()
        one = found[requirement.name] = distribution(requirement.name)
        for more in map(Requirement, one.requires or ()):
            wanted = any(not more.marker or more.marker.evaluate({"extra": e}) for e in requirement.extras or {""})
            if wanted and more.name not in found:
                waiting.append(more)
    return found


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with nothing but the wheel and what it asks for, which pip sees to, offline."""
    place = tmp_path_factory.mktemp("service")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    [packages] = place.glob("lib/python*/site-packages")
    for one in needed_by({"pydantic[email]", "temporalio"}).values():
        for name in {Path(file.parts[0]) for file in one.files or () if file.parts[0] not in {"..", "__pycache__"}}:
            if not (packages / name).is_symlink():
                (packages / name).symlink_to(Path(str(one.locate_file(name))))
    program = place / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--isolated", "--python", str(program), "install", "--no-index", str(wheel)]
    installed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert installed.returncode == 0, installed.stderr
    return program


async def run(python: Path, code: str, **variables: str) -> str:
    """What *code* prints in that environment."""
    # The SDK's native threads let go of Python a moment after the last call (temporalio/sdk-python#300).
    process = await asyncio.create_subprocess_exec(
        python, "-I", "-c", f"{code}\nimport time; time.sleep(0.2)", cwd=python.parent, env=os.environ | variables,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE):
        output, error = await process.communicate()
    assert process.returncode == 0, error.decode()
    return output.decode()


def example(page: Path) -> str:
    [code] = re.findall(r"^```python\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return str(code)


def modules(wheel: Path) -> Iterator[ast.AST]:
    with ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.endswith(".py"):
                yield ast.parse(archive.read(name))


def test_the_wheel_has_one_import_root_types_and_licence(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = archive.namelist()
    roots = {name.partition("/")[0] for name in names}
    assert {root for root in roots if not root.endswith(".dist-info")} == {"redress_complaints"}
    assert "redress_complaints/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_nothing_in_it_imports_more_than_pydantic_and_temporalio(wheel: Path) -> None:
    imported = {
        name.partition(".")[0]
        for module in modules(wheel)
        for node in ast.walk(module)
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else []
        )
    }
    assert imported - set(sys.stdlib_module_names) == NEEDS | {"redress_complaints"}
    project = tomllib.loads((CLIENT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {Requirement(each).name for each in project["dependencies"]} == NEEDS


def test_it_asks_for_what_the_service_asks_for_and_has_its_version() -> None:
    service, client = (
        tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"] for folder in (ROOT, CLIENT)
    )
    assert set(client["dependencies"]) <= set(service["dependencies"])
    assert (client["version"], client["requires-python"]) == (service["version"], service["requires-python"])


async def test_no_other_name_of_ours_can_be_imported_where_it_is_installed(python: Path) -> None:
    code = f"import importlib.util as u; print([n for n in {['redress_complaints', *OURS]!r} if u.find_spec(n)])"
    assert {"domain", "runtime", "starter", "worker", "workflows"} <= set(OURS)
    assert (await run(python, code)).strip() == "['redress_complaints']"


async def test_the_contracts_are_those_of_the_service(python: Path, tmp_path: Path) -> None:
    code = f"from pathlib import Path; from redress_complaints.contracts import write; write(Path({str(tmp_path)!r}))"
    await run(python, code)
    assert contracts.stale(tmp_path) == []


@pytest.fixture
def variables(dev_server_env: WorkflowEnvironment, database_url: str, task_queue: str) -> dict[str, str]:
    return variables_for(dev_server_env, database_url, task_queue)


async def test_the_examples_of_the_documentation_start_a_case_and_give_it_to_a_handler(
    python: Path,
    variables: dict[str, str],
    pool: "asyncpg.Pool[asyncpg.Record]",
    tmp_path: Path,
) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # where `redress` is
    theirs = {name: value for name, value in variables.items() if name != "DATABASE_URL"} | {"PATH": path}
    code = example(ROOT / "README.md")
    reference = (await run(python, code, **theirs)).strip()
    assert (await run(python, code, **theirs)).strip() == reference  # sent again: the same case
    async with worker_process(tmp_path, **variables) as worker:
        await worker.ready()
        await at_stage(pool, reference, "deciding")
        code, changed = re.subn(r"RD-[\w-]{15}", reference, example(ROOT / "docs" / "contracts" / "README.md"))
        assert changed
        noted, told = (await run(python, code, **theirs)).splitlines()
        assert "h-17" in noted
        assert told.split()[1] == "h-17"


def test_the_page_of_the_package_shows_the_same_example() -> None:
    assert example(CLIENT / "README.md") == example(ROOT / "README.md")


def test_a_wheel_can_be_built_from_the_source_distribution(wheel: Path, tmp_path: Path) -> None:
    source = build(CLIENT, tmp_path / "sdist", "sdist")
    subprocess.run(["tar", "-xzf", source, "-C", tmp_path], check=True)
    again = build(tmp_path / source.name.removesuffix(".tar.gz"), tmp_path / "wheel")
    contents = []
    for path in (wheel, again):
        with ZipFile(path) as archive:
            contents.append({name: archive.read(name) for name in archive.namelist() if name.endswith(".py")})
    assert contents[0] == contents[1]


def test_the_service_itself_is_no_wheel() -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "pip install ./client" in done.stderr
