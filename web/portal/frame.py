"""What every page of the site offers: the language, and the way out."""

from datetime import timedelta
from typing import Final

from starlette.responses import PlainTextResponse, Response

from runtime.advice import load_advice
from starter.client.articles import offered_for, published
from web.pages import BACK, Pages
from web.permissions import ANYBODY
from web.portal.incidents import known_incidents
from web.promises import promise
from web.visit import LANGUAGE_COOKIE, Visit, local
from web.visits import sign_out
from web.words import LANGUAGES

PORTAL: Final = Pages()
_REMEMBERED: Final = timedelta(days=365)


@PORTAL.get("/", ANYBODY)
async def home(visit: Visit) -> Response:
    """Where a customer begins."""
    return visit.page("portal/home.html")


@PORTAL.get("/healthz", ANYBODY)
async def healthz(_visit: Visit) -> Response:
    """Whether this process serves; it says nothing of the database."""
    return PlainTextResponse("well")


@PORTAL.get("/how", ANYBODY)
async def how(visit: Visit) -> Response:
    """How complaints are handled, in which time, and where else to turn."""
    told = promise(visit.doors.settings, visit.now)
    faq = [
        {"question": visit.t(f"faq.{each}_q"), "answer": visit.t(f"faq.{each}_a")}
        for each in ("cost", "long", "add", "agree")
    ]
    learned = await published(visit.doors.pool, visit.language, visit.now)
    incidents = await known_incidents(visit.doors.pool, visit.now)
    return visit.page(
        "portal/how.html", told=told, faq=[*faq, *learned], incidents=incidents, notes=load_advice().notes
    )


@PORTAL.post("/answers", ANYBODY)
async def answers(visit: Visit) -> Response:
    """Questions and answers about what is being typed. It is posted, so that no log has it, and kept nowhere."""
    found = await offered_for(visit.doors.pool, visit.text("description"), visit.language, visit.now)
    return visit.page("portal/answers.html", offered=found)


@PORTAL.post("/language", ANYBODY)
async def choose_language(visit: Visit) -> Response:
    """Show the pages in the language chosen from now on."""
    answer = visit.redirect(local(visit.text(BACK)))
    if (chosen := visit.text("language")) in LANGUAGES:
        answer.set_cookie(
            LANGUAGE_COOKIE,
            chosen,
            max_age=int(_REMEMBERED.total_seconds()),
            secure=visit.doors.secure,
            httponly=True,
            samesite="lax",
        )
    return answer


@PORTAL.post("/sign-out", ANYBODY)
async def leave(visit: Visit) -> Response:
    """Sign out."""
    await sign_out(visit.session, visit.doors)
    return visit.redirect("/")
