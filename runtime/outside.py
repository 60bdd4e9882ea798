"""Where checkpoints and proofs of erasures go when they leave: files that no restore brings back, and the auditor."""

import asyncio
import base64
import json
import os
from collections.abc import Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Final

import structlog

from runtime.mail import Mailer, MailError, Outbox
from runtime.settings import Settings

FILE: Final = "checkpoints.jws"
ERASURES: Final = "erasures.sealed"
"""One proof a line, which who holds the keys can read."""

log = structlog.get_logger(__name__)


def read_erasures(settings: Settings) -> list[str]:
    """The proofs of erasures that left; none where there is no such file. Raises ``OSError`` if it cannot be read."""
    path = settings.checkpoint_dir / ERASURES
    return path.read_text("ascii", errors="replace").split() if path.exists() else []


class Outside:
    """A file with one signed checkpoint a line, only ever added to; and once a day the last one by mail.

    Beside it one with the proofs of erasures.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._checkpoints = _Lines(settings.checkpoint_dir / FILE)
        self._erasures = _Lines(settings.checkpoint_dir / ERASURES)
        self._mail = Mailer(settings) if settings.smtp_host else Outbox(settings.outbox_dir)
        self._mailed: str | None = None

    async def deliver(self, checkpoints: Sequence[tuple[int, str]], erasures: Sequence[str] = ()) -> None:
        """Add those that the files have not, in order. Raises ``OSError`` where they cannot be written."""
        await asyncio.to_thread(self._erasures.add, erasures)
        await asyncio.to_thread(self._checkpoints.add, [token for _, token in checkpoints])
        if self._settings.auditor:
            number, token = checkpoints[-1]
            await self._tell(self._settings.auditor, number, token)

    async def _tell(self, auditor: str, number: int, token: str) -> None:
        day = _day(token)
        if day == self._mailed:
            return
        message = EmailMessage()
        message["From"], message["To"] = self._settings.mail_from, auditor
        message["Subject"] = f"Checkpoint {number} of the complaint record, {day}"
        message.set_content(
            f"Keep this line where nobody of the firm can change it; `redress audit verify` takes it.\n\n{token}\n"
        )
        try:
            await self._mail.deliver(f"checkpoint:{day}", message)
        except MailError as error:
            log.warning("a checkpoint could not be mailed; the next one will be", why=str(error))
            return
        self._mailed = day


class _Lines:
    """A file with one line each, only ever added to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: set[str] | None = None

    def add(self, lines: Sequence[str]) -> None:
        """Add those that it has not."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._known is None:
            self._known = set(self._path.read_text("ascii").split()) if self._path.exists() else set()
        new = [line for line in lines if line not in self._known]
        if not new:
            return
        with self._path.open("a+b") as file:
            # What was broken off before its end takes nothing with it: it is written once more, on a line of its own.
            begun = file.tell() and (file.seek(-1, os.SEEK_END), file.read())[1] != b"\n"
            file.write("".join(f"{line}\n" for line in ["", *new][not begun :]).encode("ascii"))
            file.flush()
            os.fsync(file.fileno())
        self._known.update(new)


def _day(token: str) -> str:
    payload = token.split(".")[1]
    said = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return str(said["at"])[:10]
