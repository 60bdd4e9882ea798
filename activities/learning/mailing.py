"""Reports that are mailed: to whom the settings name, or into the outbox folder where nobody is named."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

from temporalio import activity

from domain.learning.actions import MailReport, ReportMailed, ReportOrder
from domain.learning.periods import Period
from runtime.mail import Channel, compose, message_id
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
        self, key: str, subject: str, body: str, at: datetime, files: Mapping[str, bytes] | None = None
    ) -> None:
        """Mail it to everybody whom the settings name. Raises `MailRefused` or `MailFailed`."""
        settings = self._settings
        for number, recipient in enumerate(settings.report_recipients or (None,)):
            name = f"{key}:{number}"
            identity = message_id(name, settings.mail_from)
            message = compose(
                identity=identity,
                thread=message_id(key, settings.mail_from),
                sender_name=settings.firm_name,
                sender=settings.mail_from,
                recipient=recipient,
                subject=subject,
                body=body,
                at=at,
                headers={},
            )
            for file, content in (files or {}).items():
                main, sub = _TYPES[file.rpartition(".")[2]]
                message.add_attachment(content, maintype=main, subtype=sub, filename=file)
            await self._channel.deliver(name, message)
