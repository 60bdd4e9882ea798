"""A customer signs in: a code on its way to the address that letters go to. There are no passwords.

What is answered does not depend on whether the address is known, and no link does anything by itself.
"""

import asyncio
import hashlib
import secrets
from datetime import timedelta
from typing import Final
from urllib.parse import quote

import structlog
from starlette.responses import Response

from domain.case.complaint import Complainant
from domain.keys.personal import Row
from domain.keys.scopes import scope_of_visits
from runtime.mail import Mailer, MailError, Outbox, compose, message_id
from starter.reading.theirs import is_on_file
from web.doors import Doors
from web.pages import Pages
from web.permissions import ANYBODY
from web.portal.answers import fits, plain
from web.visit import FieldError, Visit, local
from web.visits import Customer, sign_in
from web.words import words

SIGN_IN: Final = Pages()

LIFE: Final = timedelta(minutes=15)
TRIES: Final = 5
"""Wrong codes after which another is needed."""
_WINDOW: Final = timedelta(hours=1)
_PER_ADDRESS: Final = 5
_PER_VISITOR: Final = 20
_PER_PLACE: Final = 200  # many customers may share one address of the network
_WITHIN: Final = timedelta(seconds=30)
_background: set[asyncio.Task[None]] = set()

_ONE_AT_A_TIME: Final = "select pg_advisory_xact_lock(hashtextextended($1, 15))"
_COUNT: Final = "select count(*) from web.attempts where bucket = $1 and at > $2"
_ATTEMPT: Final = "insert into web.attempts (bucket, at) values ($1, $2)"
_CLEAR: Final = "delete from web.attempts where at < $1"
_CODE: Final = """
    insert into web.codes (id, visitor, code, address, made_at, expires_at) values ($1, $2, $3, $4, $5, $6)
"""
_OLD_CODES: Final = "delete from web.codes where expires_at < $1"
_TRY: Final = """
    update web.codes set tries = tries + 1
    where id = (select id from web.codes where visitor = $1 and expires_at > $2 order by made_at desc limit 1)
        and tries < $3
    returning id, code, address
"""
_BY_LINK: Final = "delete from web.codes where id = $1 and expires_at > $2 and tries < $3 returning address"
_USED: Final = "delete from web.codes where id = $1 returning address"


@SIGN_IN.get("/sign-in", ANYBODY)
async def ask_address(visit: Visit) -> Response:
    """Which address letters go to."""
    return visit.page("portal/sign_in.html", next=_next(visit), email="")


@SIGN_IN.post("/sign-in", ANYBODY)
async def send_code(visit: Visit) -> Response:
    """Send a code, if letters go to the address; say the same if they do not."""
    email = plain(visit.text("email")).lower()
    if not fits(Complainant, {"name": "x", "email": email}):
        errors = [FieldError("email", "complain.you.email_wrong" if email else "complain.you.email_missing")]
        return visit.page("portal/sign_in.html", next=_next(visit), email=email, errors=errors)
    if await _too_often(visit, email):
        return visit.error(429)
    task = asyncio.create_task(_send(visit.doors, visit.session.row, email, visit.language))
    _background.add(task)
    task.add_done_callback(_background.discard)
    return visit.redirect(f"/sign-in/code?next={quote(_next(visit))}")


@SIGN_IN.get("/sign-in/code", ANYBODY)
async def ask_code(visit: Visit) -> Response:
    """The code that was sent."""
    return visit.page("portal/code.html", next=_next(visit))


@SIGN_IN.post("/sign-in/code", ANYBODY)
async def take_code(visit: Visit) -> Response:
    """Sign in by the code, in the browser that asked for it."""
    typed = "".join(letter for letter in plain(visit.text("code")) if letter.isalnum())
    row = await visit.doors.pool.fetchrow(_TRY, visit.session.row, visit.now, TRIES)
    if row is None or not secrets.compare_digest(_digest(visit.doors, row["id"], typed), bytes(row["code"])):
        errors = [FieldError("code", "sign_in.code.wrong" if typed else "sign_in.code.missing")]
        return visit.page("portal/code.html", next=_next(visit), errors=errors)
    return await _come_in(visit, row["id"], await visit.doors.pool.fetchval(_USED, row["id"]))


@SIGN_IN.get("/sign-in/link/{link}", ANYBODY)
async def ask_to_confirm(visit: Visit) -> Response:
    """What the link in the mail leads to: a button, for links are followed by scanners of mail."""
    return visit.page("portal/link.html")


@SIGN_IN.post("/sign-in/link/{link}", ANYBODY)
async def take_link(visit: Visit) -> Response:
    """Sign in by the link, in whatever browser it was opened."""
    found = hashlib.sha256(visit.path["link"].encode()).digest()
    address = await visit.doors.pool.fetchval(_BY_LINK, found, visit.now, TRIES)
    if address is None:
        errors = [FieldError("email", "sign_in.link_over")]
        return visit.page("portal/sign_in.html", next="/mine", email="", errors=errors)
    return await _come_in(visit, found, address)


async def _come_in(visit: Visit, code: bytes, address: bytes | None) -> Response:
    email = visit.doors.proven(_purpose(code), address.decode(errors="replace")) if address else None
    if email is None:  # used by another at the same moment
        return visit.redirect("/sign-in")
    await sign_in(visit.session, Customer(address=email), visit.doors)
    return visit.redirect(_next(visit))


def _next(visit: Visit) -> str:
    return local(visit.text("next") or visit.request.query_params.get("next", ""), "/mine")


async def _too_often(visit: Visit, email: str) -> bool:
    doors, now = visit.doors, visit.now
    buckets = {
        doors.keyed("attempt", f"address {email}"): _PER_ADDRESS,
        doors.keyed("attempt", f"visitor {visit.session.id}"): _PER_VISITOR,
    }
    # Behind a proxy that does not tell who asks, all customers are at one place, and nobody may lock them all out.
    if (client := visit.request.client) and (not doors.secure or doors.settings.proxies_of_pages):
        buckets[doors.keyed("attempt", f"place {client.host}")] = _PER_PLACE
    await doors.pool.execute(_CLEAR, now - _WINDOW)
    async with doors.pool.acquire() as connection, connection.transaction():
        for bucket in sorted(buckets):  # in one order, so that nobody waits for one who waits for them
            await connection.execute(_ONE_AT_A_TIME, bucket)
        for bucket, most in buckets.items():
            if await connection.fetchval(_COUNT, bucket, now - _WINDOW) >= most:
                return True
        await connection.executemany(_ATTEMPT, [(bucket, now) for bucket in buckets])
    return False


def _purpose(id_: bytes) -> str:
    """Each code is good for its own row, and for the address that it was sent to."""
    return f"code {id_.hex()}"


def _digest(doors: Doors, id_: bytes, code: str) -> bytes:
    return bytes.fromhex(doors.keyed(_purpose(id_), code.upper()))


async def _send(doors: Doors, visitor: bytes, email: str, language: str) -> None:
    """Make the code and send it; apart from the answer, so that its time tells nothing."""
    log = structlog.get_logger("web")
    try:
        async with asyncio.timeout(_WITHIN.total_seconds()):
            if await is_on_file(doors.pool, email, doors.keyed("sender", email)):
                await _deliver(doors, visitor, email, language)
    except MailError as error:
        log.warning("a code could not be sent", reason=str(error))
    except Exception as error:
        log.error("a code could not be made", error=type(error).__name__)  # noqa: TRY400 (it may quote)


async def _deliver(doors: Doors, visitor: bytes, email: str, language: str) -> None:
    link, code, now = secrets.token_urlsafe(32), f"{secrets.randbelow(10**8):08d}", doors.clock()
    await doors.pool.execute(_OLD_CODES, now)
    id_ = hashlib.sha256(link.encode()).digest()
    code_row = Row("web.codes", scope_of_visits(now), id_.hex())
    address = code_row("address", doors.vouched(_purpose(id_), email).encode())
    row = (id_, visitor, _digest(doors, id_, code), address, now, now + LIFE)
    await doors.pool.execute(_CODE, *row)
    settings = doors.settings
    identity = message_id(f"sign-in:{row[0].hex()}", settings.mail_from)
    firm = settings.firm.in_language(language)
    facts = {"firm": firm, "code": f"{code[:4]} {code[4:]}", "minutes": int(LIFE.total_seconds() // 60)}
    message = compose(
        settings,
        identity=identity,
        thread=identity,
        recipient=email,
        subject=words("sign_in.mail.subject", language, **facts),
        body=words("sign_in.mail.body", language, link=f"{settings.web_url or ''}/sign-in/link/{link}", **facts),
        language=language,
        at=now,
    )
    channel = Mailer(settings) if settings.smtp_host else Outbox(settings.outbox_dir)
    await channel.deliver(f"sign-in-{row[0].hex()[:32]}", message)
