"""The pages on one machine: the address they take, the secret that they keep, and the process that serves them."""

import asyncio
import hashlib
import hmac
import json
import os
import secrets
import sys
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from runtime.child import Child
from runtime.paths import ROOT
from runtime.ports import Claim, claim_one, is_free
from runtime.running import RunningProcess
from runtime.settings import Settings

PAGES: Final = (sys.executable, "-m", "web")
_IP: Final = "127.0.0.1"
_USUAL_PORT: Final = 8000
CODEC_PATH: Final = "/codec"


def with_pages(settings: Settings, folder: Path) -> Settings:
    """*settings* with an address on this machine and a secret for the pages, kept in *folder* from start to start.

    The address is the one of last time if it is free, else port 8000, else any. What *settings* say goes before.
    """
    news: dict[str, object] = {}
    if "web_address" not in settings.model_fields_set:
        news["web_address"] = f"{_IP}:{_port(folder / 'web.json')}"
    if settings.web_secret is None:
        news["web_secret"] = SecretStr(_secret(folder / "web.secret"))
    if settings.web_url is None:
        news["web_url"] = f"http://{news.get('web_address', settings.web_address)}"
    if settings.oidc_issuer is None and "desk_sign_on" not in settings.model_fields_set:
        news["desk_sign_on"] = "directory"
    return settings.model_copy(update=news)


def codec_key(secret: bytes) -> str:
    """What stands in the address of the codec server on a stack of one machine: made of the secret of the pages."""
    return hmac.digest(secret, b"codec server", hashlib.sha256).hex()[:32]


def codec_endpoint(settings: Settings) -> str | None:
    """Where Temporal's UI on this machine has payloads opened; ``None`` unless the pages are served here alone."""
    host = settings.web_address.rpartition(":")[0]
    if settings.desk_sign_on != "directory" or host != _IP or settings.web_secret is None:
        return None
    key = codec_key(settings.web_secret.get_secret_value().encode())
    return f"http://{settings.web_address}{CODEC_PATH}/{key}"


def _port(remembered: Path) -> int:
    try:
        before = int(json.loads(remembered.read_bytes())["port"])
    except (OSError, ValueError, KeyError, TypeError):
        before = _USUAL_PORT
    # Pages that were served from this process and are no more leave their port to the next.
    ours = (port for port in (before, _USUAL_PORT) if port in _CLAIMS and is_free(port))
    port = next(ours, None)
    if port is None:
        claimed = claim_one((before, _USUAL_PORT))
        _CLAIMS[port := claimed.port] = claimed
    remembered.write_text(json.dumps({"port": port}))
    return port


_CLAIMS: Final[dict[int, Claim]] = {}
"""The ports that this process has claimed for pages, until it ends."""


def _secret(kept: Path) -> str:
    try:
        with os.fdopen(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    return kept.read_text()


def pages_process(
    settings: Settings,
    environment: Mapping[str, str],
    *,
    log: Path,
    on_start: Callable[[RunningProcess], None],
    say: Callable[[str], None],
) -> Child:
    """The process that serves the pages at the address of *settings*."""
    host, _, port = settings.web_address.rpartition(":")

    def serves() -> bool:
        connection = HTTPConnection(host, int(port), timeout=2)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    async def ready(_child: Child) -> bool:
        return await asyncio.to_thread(serves)

    return Child(
        name="The pages", command=PAGES, log=log, environment=environment, ready=ready, on_start=on_start, say=say,
        folder=ROOT,
    )  # fmt: skip
