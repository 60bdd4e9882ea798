"""What is posted to forms by whoever means no good: the forms of a page, and values that nobody expects in them."""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from tests.web.test_files import picture

BOUNDARY: Final = "between-the-parts"
NASTY: Final = (
    *("", " ", "\0", "a\0b", "\ud800", "\x85", "\u202e", "{why}", "{0}", "%s", "<b>", "a: b, c; d", "../..", "²", "١"),
    *("x" * 300, "x" * 30_000, "字" * 21_000, "\n" * 500, "a\tb\r\nc"),
    *("0", "1", "-1", "1.5", "2147483648", "-9223372036854775809", "9" * 5_000, "1e999", "NaN", "yes", "null"),
    *("USD 0", "USD -5", "USD 1.005", "USD 99999999999999999999", "XXX 5", "JPY 1.5", "usd1", "USD " + "9" * 400),
    *("2026-02-30", "0001-01-01", "0001-01-01T00:00+14:00", "9999-12-31", "9999-12-31T23:59:59-14:00"),
    *("2026-03-02T09:30", "2026-03-02 09:30+25:00", "2099-01-01T00:00", "T", "2026-W10"),
    *("h-1", "handler:h-2", "a-3", "platform-default@1", "RD-K7M4-9QXT-2VBHC", "IN-K7M4-9QXT-2VBHC", "9"),
    *("a@example.com", "a@b", "李@例子.公司", "+86 138 0013 8000", "70012345", "T-1 T-2", "I/am|torn", "2", "zh-CN"),
)
"""Nothing that was typed holds three English words in a row: what is said of it in Chinese holds none either."""


@dataclass
class Form:
    """A form of a page: where it goes, and its fields, each with what it may be and what it is."""

    page: str
    action: str
    method: str
    multipart: bool = False
    fields: dict[str, list[str]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, str, tuple[str, ...]]:
        return self.method, self.action, tuple(self.fields)


class _Forms(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._page, self._open, self._select = page, False, ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        name = told.get("name", "")
        if self._open and "hx-post" in told:
            self.found.insert(0, replace(self.found[-1], action=told["hx-post"]))  # with the same fields
        if tag == "form":
            where = told.get("action") or urlsplit(self._page).path
            self.found.append(Form(self._page, where, told.get("method", "get"), "enctype" in told))
            self._open = True
        elif not self._open or not self.found:
            return
        elif tag == "input" and told.get("type") == "file":
            self.found[-1].files.append(name)
        elif tag == "select":
            self._select = name
            self.found[-1].fields.setdefault(name, [])
        elif tag == "option" and self._select:
            self.found[-1].fields[self._select].append(told.get("value", ""))
        elif tag in {"input", "textarea", "button"} and name:
            self.found[-1].fields.setdefault(name, []).append(told.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = False
        elif tag == "select":
            self._select = ""


def forms_of(page: str, text: str) -> list[Form]:
    """The forms of the *page* at that address, which is *text*."""
    parser = _Forms(page)
    parser.feed(text)
    return parser.found


class Fuzz:
    """Makes posts by chance, the same ones for the same *seed*; *known* are ids that are somebody's."""

    def __init__(self, seed: int, known: Sequence[str]) -> None:
        self._chance, self._known = random.Random(seed), known  # noqa: S311 (the same ones again is what is wanted)

    def pairs(self, form: Form, kept: Mapping[str, str]) -> list[tuple[str, str]]:
        """What is typed into *form*; *kept* are fields that stay as they are."""
        chance, pairs = self._chance, list(kept.items())
        rarely = chance.random() < 0.5  # one field that is wrong tells more than all of them
        for name, offered in form.fields.items():
            if name in kept:
                continue
            wrong = chance.random() < (0.15 if rarely else 0.6)
            for _ in range(chance.choice((0, 1, 1, 2)) if wrong else 1):
                pairs.append((name, self._wrong() if wrong else self._fitting(name, offered)))
        return pairs

    def files(self, form: Form) -> list[tuple[str, str, bytes]]:
        """Files that are chosen with it: field, title, content."""
        content = (b"", b"MZ\x90\0", b"%PDF-1.7 torn", picture(), "好".encode("gbk"), b"\xff\xfe\0", b"text")
        title = ("a.png", "", "x" * 300, "止损.pdf", "a\0b.txt", '"; name="send', "\u202egnp.exe")
        return [
            (name, self._chance.choice(title), self._chance.choice(content))
            for name in form.files
            for _ in range(self._chance.choice((0, 1, 1, 2)))
        ]

    def elsewhere(self, action: str) -> str:
        """Where *action* leads, or the same of something else that is somebody's or nobody's."""
        found = re.search(r"(RD|IN|FAQ)-[\w-]+", action)
        return action.replace(found[0], self._chance.choice((*self._known, "RD-K7M4-9QXT-2VBHC"))) if found else action

    def _wrong(self) -> str:
        return self._chance.choice((*NASTY, *self._known))

    def _fitting(self, name: str, offered: Sequence[str]) -> str:
        offered = [one for one in offered if one]
        if offered:
            return self._chance.choice(offered)
        return next((text for part, text in _FITTING.items() if part in name), "So.")

    def chosen(self, of: Sequence[Any]) -> Any:
        """One of these."""
        return self._chance.choice(of)


_FITTING: Final = {
    **dict.fromkeys(("_at", "since", "at", "occurred_from"), "2026-03-02T09:30"),
    **dict.fromkeys(("until", "due"), "2027-03-02"),
    **dict.fromkeys(("amount", "compensation", "award", "sum"), "USD 12.50"),
    **dict.fromkeys(("number", "level", "score", "day", "month", "task", "remedy", "referral", "per_minute"), "1"),
    **dict.fromkeys(("handler", "owner"), "h-2"),
    "year": "2026",
    "email": "a@example.com",
    "phone": "+86 138 0013 8000",
}
"""What fits a field, by what its name holds."""


def encoded(pairs: Sequence[tuple[str, str]], files: Sequence[tuple[str, str, bytes]] | None) -> tuple[str, bytes]:
    """The type and content of a post, as a browser sends it; with *files* in parts."""
    if files is None:
        return "application/x-www-form-urlencoded", urlencode(pairs, errors="surrogatepass").encode()
    return f"multipart/form-data; boundary={BOUNDARY}", b"".join(_parts(pairs, files))


def _parts(pairs: Sequence[tuple[str, str]], files: Sequence[tuple[str, str, bytes]]) -> Iterator[bytes]:
    for name, text in pairs:
        yield f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode()
        yield text.encode("utf-8", "surrogatepass") + b"\r\n"
    for name, title, content in files:
        told = title.replace('"', "%22")
        yield f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="{told}"\r\n\r\n'.encode()
        yield content + b"\r\n"
    yield f"--{BOUNDARY}--\r\n".encode()
