"""The application: every area of the site, behind the same guards."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import structlog
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Lifespan

from starter.intake.dealer import Dealer
from web.api import API, ROOT, Problem, answer
from web.codec import CODEC
from web.desk import DESK
from web.doors import Doors
from web.pages import Pages, error_page
from web.permissions import ANYBODY, check_routes, declare
from web.portal import MINE, PORTAL, SIGN_IN
from web.rendering import STATIC
from web.security import Guard

AREAS: Final[Sequence[Pages]] = (SIGN_IN, MINE, PORTAL, DESK)


class _Site(FastAPI):
    """An application whose every answer is guarded, that to a fault of ours as well: no middleware is around that."""

    def __init__(self, *, secure: bool, lifespan: Lifespan[FastAPI]) -> None:
        super().__init__(title="Redress", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
        self._secure = secure

    def build_middleware_stack(self) -> ASGIApp:
        return Guard(super().build_middleware_stack(), secure=self._secure)


class _Static(StaticFiles):
    """Files whose address changes with their content, so that browsers may keep them."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response: Response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response


def create_app(doors: Doors, *, areas: Sequence[Pages] = AREAS) -> FastAPI:
    """The site over *doors*.

    Raises `web.permissions.UndeclaredRoute` if a route does not say who may use it.
    """

    @asynccontextmanager
    async def dealing(_app: FastAPI) -> AsyncIterator[None]:
        doors.dealer = Dealer(doors.pool, doors.temporal, task_queue=doors.settings.task_queue)
        async with doors.dealer.running():
            yield

    app = _Site(secure=doors.secure, lifespan=dealing)
    app.state.doors = doors
    for area in areas:
        app.router.routes.extend(area.routes)
    app.router.routes.extend(API.routes)
    app.router.routes.extend(CODEC)
    app.router.routes.append(Mount("/static", declare(_Static(directory=STATIC), ANYBODY)))
    check_routes(app.routes)
    app.add_exception_handler(HTTPException, _not_answered)
    app.add_exception_handler(Exception, _failed)
    return app


async def _not_answered(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if _by_a_program(request):
        return answer(Problem(_KINDS.get(status, "failed")))
    return await error_page(request, status)


async def _failed(request: Request, error: Exception) -> Response:
    route = getattr(request.state, "route", None)
    structlog.get_logger("web").error("page failed", route=route, error=type(error).__name__)
    return answer(Problem("failed")) if _by_a_program(request) else await error_page(request, 500)


_KINDS: Final = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}


def _by_a_program(request: Request) -> bool:
    return request.url.path.startswith(f"{ROOT}/")
