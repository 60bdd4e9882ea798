"""``redress up`` as people run it: its own process, on a folder, until it is told to stop."""

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from domain.ground.words import Stage
from runtime.paths import ROOT
from runtime.ports import claim
from runtime.settings import load_settings
from runtime.temporal import connect
from starter.client.complaints import Complaints
from starter.client.conversation import NotAnswered
from tests.patience import PATIENCE, eventually
from tests.replaying import LIVES


async def launch(
    *arguments: str, folder: Path, stdin: int | None = None, as_a_script_does: bool = False
) -> asyncio.subprocess.Process:
    """Run ``redress``; *as_a_script_does* in the background, SIGINT is ignored before it begins."""
    environment = {name: value for name, value in os.environ.items() if name != "TEMPORAL_ADDRESS"}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "starter.cli", *arguments),
        cwd=ROOT,
        env=environment | {"REDRESS_STATE_DIR": str(folder)},
        stdin=stdin,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=(lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)) if as_a_script_does else None,
    )


async def ended(process: asyncio.subprocess.Process, stdin: bytes | None = None) -> tuple[int | None, str, str]:
    out, err = await asyncio.wait_for(process.communicate(stdin), PATIENCE)
    return process.returncode, out.decode(), err.decode()


async def document(process: asyncio.subprocess.Process) -> dict[str, Any]:
    """The document that a process prints while it goes on."""
    assert process.stdout
    text = ""
    while not text.endswith("\n}\n"):
        line = await asyncio.wait_for(process.stdout.readline(), PATIENCE)
        assert line, f"it ended: {await ended(process)}"
        text += line.decode()
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL's own user may pass: not one of pytest's, which it closes to all others."""
    with tempfile.TemporaryDirectory(prefix="redress-") as place:
        yield Path(place) / "home"


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_it_serves_until_told_to_stop_and_carries_on_where_it_was(folder: Path) -> None:
    # The usual ports are others' as well: whoever starts while it is stopped may have them.
    usual = [claimed for port in (7233, 8233) if (claimed := claim(port))]
    up = await launch("up", "--json", folder=folder)
    try:
        where = await document(up)
        for claimed in usual:
            claimed.release()
        assert where["state_dir"] == str(folder)
        assert where["ui"].startswith("http://127.0.0.1:")

        second = await ended(await launch("up", "--json", folder=folder))
        assert second[:2] == (1, "")
        assert "already runs" in json.loads(second[2])["error"]["message"]

        complaint = {
            "source": "tests",
            "idempotency_key": "up-1",
            "received_at": datetime.now(UTC).isoformat(),
            "channel": "chat",
            "language": "en",
            "complainant": {"name": "The Customer"},
            "description": "Your staff were rude to me.",
        }
        submit = await launch("submit", "-", "--json", folder=folder, stdin=asyncio.subprocess.PIPE)
        code, out, _ = await ended(submit, json.dumps(complaint).encode())
        assert code == 0
        reference = json.loads(out)["submitted"][0]["reference"]
        assert await stage(reference, folder) == "deciding"
        up.send_signal(signal.SIGTERM)
        code, _, err = await ended(up)
        assert (code, err) == (0, "")

        code, _, err = await ended(await launch("list", folder=folder))
        assert code == 4
        assert "redress up" in err

        up = await launch("up", folder=folder, as_a_script_does=True)
        assert up.stdout
        shown = b""
        while b"Ctrl-C stops it." not in shown:
            shown += await asyncio.wait_for(up.stdout.read(100), PATIENCE)
        assert where["ui"].encode() in shown
        assert await stage(reference, folder) == "deciding"
        await LIVES.gather(await connect(load_settings(state_dir=folder)))
        up.send_signal(signal.SIGINT)
        code, _, err = await ended(up)
        assert code == 0
        assert "Stopped. A new `redress up` carries on" in err
        assert "Traceback" not in err
    finally:
        if up.returncode is None:
            up.terminate()
            await up.wait()


async def stage(reference: str, folder: Path) -> str:
    """The stage of a case as ``redress show`` has it, once it stays there."""
    complaints = Complaints(await connect(load_settings(state_dir=folder)), task_queue="redress")

    async def decides() -> bool:
        with suppress(NotAnswered):
            return (await complaints.status(reference)).summary.stage is Stage.DECIDING
        return False

    await eventually(decides)
    code, out, _ = await ended(await launch("show", reference, "--json", folder=folder))
    assert code == 0
    return str(json.loads(out)["case"]["summary"]["stage"])


async def test_a_folder_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, _, err = await ended(await launch("up", "--json", folder=tmp_path / "file"))
    assert code == 1
    error = json.loads(err)["error"]
    assert error["kind"] == "failed"
    assert "cannot be used" in error["message"]
