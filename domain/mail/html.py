"""HTML that strangers wrote, as the text that a reader sees; what a mail program quotes begins with `QUOTED`."""

import re
from html.parser import HTMLParser
from typing import Final

QUOTED: Final = "\ue000"
"""Stands alone on a line where a mail program marked that what follows is quoted."""

_LARGEST: Final = 1_000_000  # characters; what lies beyond is in the original
_BLOCKS: Final = frozenset({
    *("address", "article", "aside", "blockquote", "center", "dd", "div", "dl", "dt", "fieldset", "figure", "footer"),
    *("form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section"),
    *("table", "tr", "ul"),
})  # fmt: skip
_APART: Final = {"p", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table"}
_DROPPED: Final = {"script", "style", "title", "noscript", "template", "object", "iframe", "svg", "math"}
_MARKS: Final = re.compile(
    r"gmail_quote|gmail_attr|yahoo_quoted|moz-cite-prefix|protonmail_quote|divRplyFwdMsg|appendonsend|isReplyContent"
    r"|original-content|ntes_.*quote|foxmail_quote|mail_quote|qmbox_quote|zmail_extra|OLK_SRC_BODY_SECTION|quoted_message"
)


def text_of_html(html: str) -> str:
    """What a reader of *html* sees, without pictures and links; a line a block."""
    reader = _Reader()
    try:
        reader.feed(html[:_LARGEST])
        reader.close()
    except (AssertionError, ValueError):  # at some broken declarations; what came before them is read
        reader.pieces.append(re.sub(r"<[^<>]{0,500}>", " ", reader.rawdata))
    lines = [" ".join(line.split()) for line in "".join(reader.pieces).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unseen: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "body":
            self._unseen = None
        if self._unseen:
            return
        if tag in _DROPPED:
            self._unseen = tag
        said = {name: value or "" for name, value in attrs}
        cited = tag == "blockquote" and said.get("type", "").lower() == "cite"
        if tag == "includetail" or cited or _MARKS.search(f"{said.get('class', '')} {said.get('id', '')}"):
            self.pieces.append(f"\n{QUOTED}\n")
        elif tag == "br":
            self.pieces.append("\n")
        elif tag in _BLOCKS:
            self._break(tag)
        elif tag in {"td", "th"}:
            self.pieces.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._unseen:
            self._unseen = None
        elif tag in _BLOCKS and not self._unseen:
            self._break(tag)

    def _break(self, tag: str) -> None:
        """Begin a line; a paragraph also leaves one empty."""
        before = "".join(self.pieces[-2:])
        ended = len(before) - len(before.rstrip("\n"))
        self.pieces.append("\n" * max(0, (2 if tag in _APART else 1) - ended))

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.pieces.append(data.replace("\r", " ").replace("\n", " "))
