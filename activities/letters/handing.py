"""A letter handed to a channel, and what became of it on record."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final

import asyncpg
import structlog

from activities.case.at_once import AtOnce
from activities.letters.ways import Customer, Tried, Way
from domain.ground.words import LetterKind
from domain.keys.personal import Row
from domain.keys.scopes import scope_of_workflow
from domain.letters.kinds import LETTERS
from runtime.database import still_holds, while_it_holds
from runtime.letter_hook import HandedOver, LetterHook
from runtime.letters.letter_text import as_a_copy
from runtime.mail import AddressRefused, MailError, MailRefused, compose, secret_message_id
from runtime.settings import Settings

if TYPE_CHECKING:
    from runtime.database import Connection

log = structlog.get_logger(__name__)


class Handing:
    """Hands letters to channels. *clock* gives the time as an aware datetime."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._clock = clock

    async def hand(
        self, connection: "Connection", letter: asyncpg.Record, way: Way, customer: Customer, *, copy: bool
    ) -> None:
        """Return when *way* has taken the letter over; a *copy* says so. Raises `MailError`.

        Broken off where *connection* is lost, which holds the lock on the letter: another then sends it.
        """
        if way.channel is None:
            return
        reference, language, body = letter["reference"], letter["language"], letter["body"]
        if copy:
            body = as_a_copy(body, reference, language)
        key = f"{letter['key']}:copy" if copy else letter["key"]
        if isinstance(way.channel, LetterHook):
            name = await connection.fetchval(_NAME, reference)
            handed = HandedOver(
                reference=reference,
                number=letter["number"],
                kind=letter["kind"],
                language=language,
                name=name,
                phone=way.recipient,
                account=customer.account,
                subject=letter["subject"],
                text=body,
                written_at=letter["rendered_at"].isoformat(),
                copy=copy,
            )
            await while_it_holds(connection, way.channel.hand_over(key, handed))
            return
        message = compose(
            self._settings,
            identity=letter["message_id"],
            thread=await secret_message_id(f"case:{reference}", self._settings.mail_from),
            recipient=way.recipient,
            subject=letter["subject"],
            body=body,
            language=language,
            at=letter["rendered_at"],
            headers={"X-Redress-Reference": reference},
        )
        await while_it_holds(connection, way.channel.deliver(key, message, partial(still_holds, connection)))

    async def note_failure(self, connection: "Connection", letter: asyncpg.Record, way: Way, error: MailError) -> None:
        outcome = "refused" if isinstance(error, MailRefused) else "failed"
        in_doubt = isinstance(error, AddressRefused) and not LETTERS[LetterKind(letter["kind"])].to_staff
        await record_attempt(
            connection, letter["key"], self._clock(), way, outcome, detail=str(error), in_doubt=in_doubt
        )
        told = {"reference": letter["reference"], "number": letter["number"], "kind": letter["kind"]}
        log.warning("letter not delivered", channel=way.name, outcome=outcome, why=str(error), **told)


async def tried_of(connection: "Connection", key: str) -> Tried:
    """What came of the attempts for the letter of *key*."""
    rows = await connection.fetch(
        "select at, way, outcome, in_doubt from casefile.letter_attempts where key = $1 order by id", key
    )
    return Tried.of(rows)


async def record_attempt(
    connection: "Connection",
    key: str,
    at: datetime,
    way: Way,
    outcome: str,
    *,
    channel: str | None = None,
    detail: str = "",
    in_doubt: bool = False,
) -> None:
    """Write down that *way* was tried, and how that ended."""
    writing = AtOnce()
    add_attempt(writing, key, at, way, outcome, channel=channel, detail=detail, in_doubt=in_doubt)
    await writing.run(connection)


def add_attempt(
    writing: AtOnce,
    key: str,
    at: datetime,
    way: Way,
    outcome: str,
    *,
    channel: str | None = None,
    detail: str = "",
    in_doubt: bool = False,
) -> None:
    """Add to what is written that *way* was tried, and how that ended."""
    row = Row("casefile.letter_attempts", scope_of_workflow(key), key)
    writing.add(
        "insert into casefile.letter_attempts (key, at, channel, outcome, detail, way, in_doubt)"
        " values ($1, $2, $3, $4, $5, $6, $7)",
        key,
        at,
        channel or way.name,
        outcome,
        row("detail", f"{way.whose}: {detail}" if detail else way.whose),
        way.whose,
        in_doubt or None,
    )


_NAME: Final = "select name from casefile.contacts where reference = $1 order by id desc limit 1"
