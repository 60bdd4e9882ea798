"""A letter in HTML says what its text says, in parts that a screen reader knows, and has nothing of anybody else's."""

import re
from email.message import EmailMessage
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ground.words import LetterKind, Outcome
from runtime.letters.drawing import Heading, Labelled, Listed, Paragraph, blocks_of, drawn, mail_page
from runtime.letters.samples import sample_letters
from runtime.letters.stationery import LANGUAGES
from runtime.settings import ConfigurationError, Settings, load_settings
from tests.letters.support import FIRM, FULL_PACK, NOW, PACK, full_facts, letter, route, with_rules, written
from tests.letters.test_mail import message
from tests.web.chromium import needs_chromium, started
from tests.web.test_files import picture

FETCHED = {"src", "background", "poster", "srcset", "data", "action", "formaction"}
LINE = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["OUR REASONS", "【理由】", "1. one", "2. two", "- a", "   more", "About: it", "1  bad", "", "<b>"]
    ),
)
BROKEN = """() => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), broken = [];
    for (let text; text = texts.nextNode();)
        for (const found of text.data.matchAll(text.parentElement.localName === "th" ? /\\w+/g : /RD-[A-Z0-9-]+/g)) {
            const word = new Range();
            word.setStart(text, found.index);
            word.setEnd(text, found.index + found[0].length);
            if (new Set([...word.getClientRects()].map(one => Math.round(one.top))).size > 1) broken.push(found[0]);
        }
    return [broken, document.documentElement.scrollWidth];
}"""
"""References, and words of labels, that do not stand on one line; and how wide the letter is."""


class Page(HTMLParser):
    """The elements of a page and what they are given."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


def said(html: str) -> str:
    return "".join(unescape(re.sub(r"<[^>]*>", "", html)).split())


@given(text=st.lists(LINE, max_size=12).map("\n".join))
def test_no_word_of_a_text_is_lost_and_none_becomes_markup(text: str) -> None:
    html = drawn(text)
    bare = re.sub(r"(?m)^- |^\d+\. |^【([^】]+)】$", r"\1", text)
    for word in re.findall(r"\w+", bare):
        assert word in said(html)
    ours = {"h2", "p", "br", "span", "ul", "ol", "li", "table", "tr", "th", "td"}
    assert {tag for tag, _ in Page(html).elements} <= ours


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_final_response_has_headings_points_and_routes_numbered_through(language: str) -> None:
    pack = with_rules(PACK, routes=tuple(route(one.kind, name=f"r{n}") for n, one in enumerate(PACK.routes * 3)))
    facts = full_facts(outcome=Outcome.UPHELD)
    blocks = blocks_of(
        written(letter(LetterKind.FINAL_RESPONSE, language=language, facts=facts, pack=pack), pack=pack)[1]
    )
    headings = [one.text for one in blocks if isinstance(one, Heading)]
    assert headings[:2] == {"en": ["OUR DECISION", "OUR REASONS"], "zh-CN": ["处理结果", "理由"]}[language]
    *_, routes = (one for one in blocks if isinstance(one, Listed))
    assert (routes.first, len(routes.points)) == (1, 3)
    assert isinstance(blocks[0], Paragraph)
    acknowledged = blocks_of(written(letter(LetterKind.ACKNOWLEDGEMENT, language=language))[1])
    [table] = (one for one in acknowledged if isinstance(one, Labelled))
    assert table.rows[0] == ({"en": "Reference", "zh-CN": "投诉编号"}[language], letter().update.reference)


def test_whoever_writes_gets_no_markup_and_no_link_into_a_letter() -> None:
    hostile = 'Ann <img src=x onerror=alert(1)> " https://evil.example/x https://ours.example/sign-in/link/a-1'
    page = mail_page(hostile, hostile, language="en", firm=f"A&B {hostile}", logo=None, ours="https://ours.example")
    found = Page(page).elements
    assert {attributes.get("href") for tag, attributes in found if tag == "a"} == {
        "https://ours.example/sign-in/link/a-1"
    }
    assert not [tag for tag, _ in found if tag in {"img", "script", "link", "style", "iframe"}]
    assert not [name for _, attributes in found for name in attributes if name in FETCHED or name.startswith("on")]
    assert "url(" not in page


@pytest.mark.parametrize(
    ("line", "whole"),
    [
        ("投诉编号RD-K7M4-9QXT-2VBHC。", ["RD-K7M4-9QXT-2VBHC"]),
        ("<RD-K7M4-9QXT-2VBHC> of AC-1001, 2026-10-01", ["RD-K7M4-9QXT-2VBHC", "AC-1001", "2026-10-01"]),
        ("your e-mail of T-1 about EUR-USD-2026-10-01-LIMIT", []),
        ("https://ours.example/cases/RD-K7M4-9QXT-2VBHC", []),
    ],
)
def test_references_numbers_and_dates_are_kept_whole_and_their_letters_as_they_are(line: str, whole: list[str]) -> None:
    html = drawn(line, ours="https://ours.example")
    assert re.findall(r"<span>([^<]*)</span>", html) == whole
    assert said(html) == "".join(line.split())


@needs_chromium
async def test_on_a_telephone_no_reference_and_no_label_is_broken() -> None:
    async with started() as browser:
        page = await browser.new_page(viewport={"width": 320, "height": 800})
        for one in sample_letters(FULL_PACK, firm=FIRM, at=NOW):
            assert one.letter.subject
            assert one.letter.body
            html = mail_page(one.letter.subject, one.letter.body, language=one.language, firm="A & B", logo=None)
            await page.set_content(html)
            assert await page.evaluate(BROKEN) == [[], 320], (one.kind, one.language)


def test_a_logo_goes_along_within_the_letter(tmp_path: Path) -> None:
    logo = tmp_path / "logo.png"
    logo.write_bytes(picture())
    mail = message()
    assert not [part for part in mail.walk() if part.get_content_maintype() == "image"]
    settings = load_settings(firm_logo=logo, firm_name="A & B")
    logo.unlink()  # what is read once is there
    mail = message(settings=settings)
    body = mail.get_body(("related",))
    assert isinstance(body, EmailMessage)
    html, image = body.iter_parts()
    [shown] = [attributes for tag, attributes in Page(html.get_content()).elements if tag == "img"]
    assert (shown["src"], shown["alt"]) == (f"cid:{image['Content-ID'][1:-1]}", "A & B")
    assert (image.get_content(), image.get_content_type(), image.get_content_disposition()) == (
        picture(),
        "image/png",
        "inline",
    )


@pytest.mark.parametrize(
    ("content", "why"), [(b"<svg/>", "neither PNG nor JPEG"), (b"\x89PNG\r\n\x1a\n" * 20_000, "larger than 100 kB")]
)
def test_a_logo_that_does_not_fit_is_refused_at_the_start(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "logo").write_bytes(content)
    with pytest.raises(ConfigurationError, match=why):
        load_settings(firm_logo=tmp_path / "logo")
    with pytest.raises(ConfigurationError, match="no such file"):
        load_settings(firm_logo=tmp_path / "nothing")
    assert Settings(firm_logo=None).firm_logo is None
