"""The one HTTP endpoint of a worker: /healthz, /readyz and /metrics.

It is served by a thread of its own, so that it can tell that the event loop does not turn any more.
"""

import threading
import time
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

BEAT_LIMIT: Final = 10.0
"""Seconds without a beat after which the event loop counts as stuck."""
PROBE_LIMIT: Final = 20.0
"""Seconds after which what a probe found is too old to be believed."""


class State:
    """What the endpoint tells: written by the event loop, read by the thread."""

    def __init__(self) -> None:
        """Alive, and not ready before the first probe."""
        self._beat = time.monotonic()
        self._probed = float("-inf")
        self._problems: tuple[str, ...] = ()

    def beat(self) -> None:
        """The event loop turns."""
        self._beat = time.monotonic()

    def probed(self, problems: tuple[str, ...]) -> None:
        """What a probe found wrong just now; nothing if all is well."""
        self._problems, self._probed = problems, time.monotonic()

    def alive(self) -> tuple[bool, str]:
        """Whether the process does anything at all."""
        silent = time.monotonic() - self._beat
        if silent > BEAT_LIMIT:
            return False, f"the event loop has not turned for {silent:.0f} s"
        return True, "ok"

    def ready(self) -> tuple[bool, str]:
        """Whether the worker can work now, or what it lacks."""
        old = time.monotonic() - self._probed
        if old > PROBE_LIMIT:
            return False, "not probed yet" if self._probed < 0 else f"the last probe was {old:.0f} s ago"
        return not self._problems, "; ".join(self._problems) or "ok"


class Endpoint:
    """Serves until closed. ``metrics`` gives the text for Prometheus, or raises ``OSError``."""

    def __init__(self, host: str, port: int, state: State, metrics: Callable[[], str]) -> None:
        """Bind now; raises ``OSError`` if the address cannot be had. Port 0 takes any."""
        self._server = ThreadingHTTPServer((host, port), _handler(state, metrics))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="watch endpoint", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def fetch(port: int) -> str:
    """The text of the SDK's own exporter at *port* of this machine."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        return str(answer.read().decode())


def _handler(state: State, metrics: Callable[[], str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5  # seconds for a request to arrive

        def do_GET(self) -> None:
            match self.path.partition("?")[0]:
                case "/healthz":
                    well, text = state.alive()
                    self._answer(200 if well else 503, text)
                case "/readyz":
                    well, text = state.ready()
                    self._answer(200 if well else 503, text)
                case "/metrics":
                    try:
                        self._answer(200, metrics(), "text/plain; version=0.0.4; charset=utf-8")
                    except OSError:
                        self._answer(503, "the exporter does not answer")
                case _:
                    self._answer(404, "there are /healthz, /readyz and /metrics")

        def _answer(self, status: int, text: str, kind: str = "text/plain; charset=utf-8") -> None:
            body = text.encode() if text.endswith("\n") else f"{text}\n".encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: a probe comes every few seconds."""

    return Handler
