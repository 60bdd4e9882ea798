"""Where checkpoints go when they leave: a file that the database's administrators cannot write, and the auditor."""

import asyncio
import base64
import json
import os
from collections.abc import Sequence
from email.message import EmailMessage
from typing import Final

import structlog

from runtime.mail import Mailer, MailError, Outbox
from runtime.settings import Settings

FILE: Final = "checkpoints.jws"

log = structlog.get_logger(__name__)


class Outside:
    """A file with one signed checkpoint a line, only ever added to; and once a day the last one by mail."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._path = settings.checkpoint_dir / FILE
        self._mail = Mailer(settings) if settings.smtp_host else Outbox(settings.outbox_dir)
        self._known: set[str] | None = None
        self._mailed: str | None = None

    async def deliver(self, checkpoints: Sequence[tuple[int, str]]) -> None:
        """Add those that the file has not, in order. Raises ``OSError`` where it cannot be written."""
        await asyncio.to_thread(self._add, [token for _, token in checkpoints])
        if self._settings.auditor:
            number, token = checkpoints[-1]
            await self._tell(self._settings.auditor, number, token)

    def _add(self, tokens: Sequence[str]) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._known is None:
            self._known = set(self._path.read_text("ascii").split()) if self._path.exists() else set()
        new = [token for token in tokens if token not in self._known]
        if not new:
            return
        with self._path.open("a+b") as file:
            # What was broken off before its end takes nothing with it: it is written once more, on a line of its own.
            begun = file.tell() and (file.seek(-1, os.SEEK_END), file.read())[1] != b"\n"
            file.write("".join(f"{token}\n" for token in ["", *new][not begun :]).encode("ascii"))
            file.flush()
            os.fsync(file.fileno())
        self._known.update(new)

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


def _day(token: str) -> str:
    payload = token.split(".")[1]
    said = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return str(said["at"])[:10]
