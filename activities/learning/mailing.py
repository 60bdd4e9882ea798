"""Reports that are mailed: to whom the settings name, or into the outbox folder where nobody is named."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import structlog
from temporalio import activity

from domain.learning.actions import MailReport, ReportMailed, ReportOrder
from domain.learning.periods import Period
from runtime.mail import Channel, MailRefused, compose, message_id
from runtime.settings import Settings

if TYPE_CHECKING:
    from runtime.database import Pool

MakeFiles = Callable[["Pool", Period, ReportOrder], Awaitable[tuple[str, Mapping[str, bytes]]]]
"""Makes a report on a period and writes down that it was issued: its name for people, and its files by name."""

_TYPES: Final = {
    "html": ("text", "html"),
    "pdf": ("application", "pdf"),
    "xlsx": ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "csv": ("text", "csv"),
}


class ReportMail:
    """Sends reports and what is to be known of actions. A repeated send has the same Message-ID."""

    def __init__(self, pool: "Pool", channel: Channel, settings: Settings, make: MakeFiles) -> None:
        self._pool = pool
        self._channel = channel
        self._settings = settings
        self._make = make

    @activity.defn(name="MailReport")
    async def mail_report(self, request: MailReport) -> ReportMailed:
        """Make the report on the period before the one of ``at``, and mail it."""
        order = request.order
        period = Period.of(order.length, request.at, order.zone).before()
        title, files = await self._make(self._pool, period, order)
        await self.send(request.key, title, f"{title}\n\nredress report month {period.name}\n", request.at, files)
        return ReportMailed(period=period.name)

    async def send(
        self,
        key: str,
        subject: str,
        body: str,
        at: datetime,
        files: Mapping[str, bytes] | None = None,
        *,
        also: Collection[str] = (),
    ) -> None:
        """Mail it to everybody whom the settings name, and *also* to those. Raises `MailRefused` or `MailFailed`.

        An address of the directory that is refused holds nothing back: it is logged.
        """
        settings = self._settings
        for recipient in tuple(dict.fromkeys((*settings.report_recipients, *also))) or (None,):
            # By the address: who else is told may have changed before a repetition.
            name = f"{key}:{sha256((recipient or '').encode()).hexdigest()[:12]}"
            identity = message_id(name, settings.mail_from)
            message = compose(
                settings,
                identity=identity,
                thread=message_id(key, settings.mail_from),
                recipient=recipient,
                subject=subject,
                body=body,
                language=settings.default_language,
                at=at,
            )
            for file, content in (files or {}).items():
                main, sub = _TYPES[file.rpartition(".")[2]]
                message.add_attachment(content, maintype=main, subtype=sub, filename=file)
            try:
                await self._channel.deliver(name, message)
            except MailRefused:
                if recipient not in also:
                    raise
                structlog.get_logger(__name__).warning("an address of the directory is refused", key=key)
