"""Signing on to the desk: through the firm's OpenID provider, or on one machine as anybody in the directory."""

import secrets
from typing import Final

import structlog
from starlette.responses import Response

from domain.ground.words import Role
from domain.people.directory import Person
from record.directory import read_directory
from web import drafts
from web.desk.frame import DESK, shown
from web.pages import NotFound
from web.permissions import ANYBODY, staff
from web.provider import NotSignedOn, provider_of
from web.security import is_here, is_loopback
from web.visit import Visit, local
from web.visits import Staff, sign_in, sign_out

INBOX: Final = "/desk/inbox"
_PLACE: Final = "sign-on"


@DESK.get("/sign-on", ANYBODY)
async def sign_on(visit: Visit) -> Response:
    """How to sign on here."""
    gone_to = local(visit.request.query_params.get("next", ""), INBOX)
    if visit.doors.settings.desk_sign_on == "directory":
        return shown(visit, "sign_on.html", people=await _at_this_machine(visit), gone_to=gone_to, provider=False)
    return shown(visit, "sign_on.html", people=(), gone_to=gone_to, provider=provider_of(visit.doors) is not None)


@DESK.post("/sign-on", ANYBODY)
async def sign_on_as(visit: Visit) -> Response:
    """Sign on as somebody of the directory, or go to the provider."""
    gone_to = local(visit.text("next"), INBOX)
    if visit.doors.settings.desk_sign_on == "directory":
        chosen = visit.text("person")
        for one in await _at_this_machine(visit):
            if one.id == chosen:
                await sign_in(visit.session, Staff(id=one.id, name=one.id, roles=tuple(one.roles)), visit.doors)
                return visit.redirect(gone_to)
        raise NotFound
    provider = provider_of(visit.doors)
    if provider is None:
        raise NotFound
    begun = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
    await drafts.keep(visit.doors, visit.session, _PLACE, {**begun, "next": gone_to})
    try:
        # A page that goes on: where our headers let no form lead to another site, browsers follow no redirect there
        # either, and nobody here knows which sites a provider leads through.
        return shown(visit, "going.html", address=await provider.address(**begun))
    except NotSignedOn as error:
        return _refused(visit, error)


@DESK.get("/sign-on/back", ANYBODY)
async def come_back(visit: Visit) -> Response:
    """The provider sends the browser back here. It counts once, and only for the browser that was sent there."""
    provider = provider_of(visit.doors)
    if provider is None:
        raise NotFound
    begun = await drafts.draft(visit.doors, visit.session, _PLACE)
    await drafts.drop(visit.doors, visit.session, _PLACE)
    said = visit.request.query_params
    try:
        if not begun or not secrets.compare_digest(said.get("state", "").encode(), str(begun["state"]).encode()):
            raise NotSignedOn("not_begun", "no sign-on was begun by this browser")
        if not (code := said.get("code")):
            raise NotSignedOn("refused", "the provider signed nobody on")
        person = await provider.person(code=code, nonce=begun["nonce"], verifier=begun["verifier"])
    except NotSignedOn as error:
        return _refused(visit, error)
    await sign_in(visit.session, person, visit.doors)
    return visit.redirect(begun["next"])


@DESK.post("/sign-off", staff())
async def sign_off(visit: Visit) -> Response:
    """Sign off."""
    await sign_out(visit.session, visit.doors)
    return visit.redirect("/desk/sign-on")


async def _at_this_machine(visit: Visit) -> list[Person]:
    """Everybody in the directory, the highest role last. Raises `NotFound` to whoever is not at this machine."""
    host = visit.doors.settings.web_address.rpartition(":")[0].strip("[]")
    if not (is_loopback(host) and is_here(visit.request)):
        raise NotFound
    async with visit.doors.pool.acquire() as connection:
        people = (await read_directory(connection)).people
    return sorted(people, key=lambda one: (list(Role).index(one.roles[0]), one.person))


def _refused(visit: Visit, error: NotSignedOn) -> Response:
    structlog.get_logger("web").warning("not signed on", reason=error.reason, detail=str(error))
    title, body = (visit.t(f"desk.refused.{error.reason}.{part}") for part in ("title", "body"))
    return visit.page("desk/refused.html", status=403, title=title, body=body)
