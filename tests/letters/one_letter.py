"""A worker that sends one letter, read from standard input; it is killed by the test that starts it."""

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from activities.case.case_file import CaseFile
from activities.letters.letters import Letters
from domain.case.requests import SendLetter
from runtime.database import open_pool
from runtime.keys.here import hold_keys
from runtime.mail import Mailer, Outbox
from runtime.settings import Settings, load_settings


async def main() -> None:
    settings = Settings(
        smtp_host="127.0.0.1",
        smtp_port=int(os.environ["SMTP_PORT"]),
        smtp_tls="none",
        firm_name="Example Bullion",
        mail_from="complaints@example.com",
    )
    request = SendLetter.model_validate_json(sys.stdin.read())
    hold_keys(load_settings())
    pool = await open_pool(os.environ["DATABASE_URL"])
    letters = Letters(
        pool,
        CaseFile(pool, default_policy="platform-default"),
        Mailer(settings),
        Outbox(Path("unused")),
        settings,
        lambda: datetime.now(UTC),
    )
    await letters.send_letter(request)


asyncio.run(main())
