"""Runs ``redress`` for the tests, and looks at what every run must keep to."""

import asyncio
import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

import pytest

from starter.cli import main


@dataclass(frozen=True)
class Ran:
    """How a command ended: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, str]:
        """The error of a command with ``--json``."""
        error: dict[str, str] = json.loads(self.err)["error"]
        assert set(error) == {"kind", "message"}
        return error


class CommandLine:
    """``redress`` within this process, in a thread of its own, as the environment says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def set(self, variable: str, value: str) -> None:
        self._monkeypatch.setenv(variable, value)

    async def __call__(self, *arguments: object, stdin: str | bytes = b"") -> Ran:
        return await asyncio.to_thread(self._run, [str(argument) for argument in arguments], stdin)

    def _run(self, arguments: list[str], stdin: str | bytes) -> Ran:
        given = io.TextIOWrapper(io.BytesIO(stdin.encode() if isinstance(stdin, str) else stdin), encoding="utf-8")
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
        with self._monkeypatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.setattr(sys, "stdin", given)
            code = main(arguments)
        for stream in (out, err):
            stream.flush()
            stream.seek(0)
        ran = Ran(code, out.read(), err.read())
        assert "Traceback" not in ran.out + ran.err
        assert (code == 0) == (not ran.err), ran
        return ran
