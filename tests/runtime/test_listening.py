"""Whoever gives an opinion on what a customer wrote: a model from a file, or an endpoint in its place."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from domain.ground.words import Category
from runtime.corpus import model
from runtime.listening import listener
from runtime.settings import load_settings

TEXT = "The plastic never came, only its PIN."


class Endpoint(BaseHTTPRequestHandler):
    answer = b""
    asked: tuple[object, ...] = ()

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        type(self).asked = (json.loads(self.rfile.read(length)),)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Endpoint)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/complaints"
    server.shutdown()
    thread.join()
    server.server_close()


async def test_an_endpoint_is_asked_in_place_of_the_model(url: str) -> None:
    Endpoint.answer = b'{"model": "theirs 7", "category": "fee", "confidence": 0.9, "danger": 0.5, "more": 1}'
    opinion = await listener(load_settings(assessment_endpoint=url))(TEXT)
    assert Endpoint.asked == ({"text": TEXT},)
    assert opinion.proposal is not None
    assert (opinion.model, opinion.proposal.category, opinion.alarm) == ("theirs 7", Category.FEE, True)
    Endpoint.answer = b'{"model": "theirs 7", "category": "other", "confidence": 1, "danger": 0.4}'
    opinion = await listener(load_settings(assessment_endpoint=url))(TEXT)
    assert (opinion.model, opinion.proposal, opinion.alarm) == ("theirs 7", None, False)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"[]",
        b'{"category": "fee"}',
        b'{"model": "m", "category": "weather"}',
        b'{"model": "m", "danger": 2}',
        b'{"model": "m", "danger": NaN}',
        b'{"model": "a line\\nof theirs"}',
        b" " * 20_000,
        b'{"model": "m", "danger": 1}' + b" " * 20_000,
    ],
)
async def test_an_endpoint_that_answers_otherwise_has_the_model_asked(url: str, answer: bytes) -> None:
    Endpoint.answer = answer
    assert await listener(load_settings(assessment_endpoint=url))(TEXT) == model().listen(TEXT)


async def test_an_endpoint_that_is_away_has_the_model_asked() -> None:
    listen = listener(load_settings(assessment_endpoint="http://127.0.0.1:9/complaints"))
    assert await listen(TEXT) == model().listen(TEXT)
