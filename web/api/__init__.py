"""The API for other programs, ``/api/v1``: see docs/api.md."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from web.api import complaints, files, incidents, messages, reports, subscriptions, webhooks
from web.api.frame import API, ROOT
from web.api.openapi import document
from web.api.problems import Problem, answer
from web.permissions import ANYBODY, declare

__all__ = [
    "API",
    "ROOT",
    "Problem",
    "answer",
    "complaints",
    "files",
    "incidents",
    "messages",
    "reports",
    "subscriptions",
    "webhooks",
]


async def _document(_request: Request) -> Response:
    return JSONResponse(document())


API.routes.append(Route(f"{ROOT}/openapi.json", declare(_document, ANYBODY), methods=["GET"], name="openapi"))
