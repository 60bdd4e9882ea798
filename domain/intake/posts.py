"""Complaints that were made in public, in the exports of social media: CSV with a heading, or JSON.

Exports differ by platform and tool. Columns are known by the words that they use, in English and Chinese, and none is
guessed: without an id, a time and a text there is no complaint.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from pydantic import ValidationError

from domain.case.complaint import Channel, Complainant, Complaint, explain
from domain.ground.base import LONG_TEXT, SHORT_TEXT, clean, clean_or_empty
from domain.intake.received import Unreadable, happened

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("id", "post id", "comment id", "tweet id", "message id", "编号", "微博id", "帖子id", "评论id"),
    "time": (
        *("created time", "created at", "time", "date", "timestamp", "published at", "posted at"),
        *("发布时间", "评论时间", "创建时间", "时间"),
    ),
    "author": (
        *("author", "from.name", "from", "user", "username", "user.name", "name", "screen name", "sender"),
        *("作者", "昵称", "用户昵称", "用户名", "用户"),
    ),
    "text": (
        *("text", "full text", "message", "content", "comment", "body", "caption"),
        *("内容", "正文", "评论内容", "微博正文", "文字"),
    ),
    "link": ("permalink", "permalink url", "url", "link", "链接", "网址"),
}
"""What a column holds, by its words; of several in a file the first here counts."""
NEEDED: Final = ("id", "time", "text")
_CHINESE: Final = re.compile(r"[\u4e00-\u9fff]")
_LONGEST_FIELD: Final = 1_000_000
_WEIBO_AND_X: Final = re.compile(r"\w{3} \w{3} \d\d? [\d:]{8} [+-]\d{4} \d{4}")
_IN_CHINESE: Final = re.compile(r"(\d{4})年(\d\d?)月(\d\d?)日(.*)")
_SECONDS: Final = re.compile(r"\d{10}(\d{3})?")


def complaints_in_posts(
    text: str, source: str, now: datetime, zone: tzinfo | None = None
) -> Iterator[Complaint | Unreadable]:
    """Each post of the export as a complaint, or what is wrong with it. Raises `Unreadable` where it is no such export.

    *source* names the platform: with the post's own id it makes that each counts once. Times without an offset are
    local time of *zone*; without one they cannot be read. A post with Chinese characters is answered in Chinese.
    """
    text = text.removeprefix("\ufeff")
    rows = _objects(text) if text.lstrip()[:1] in {"[", "{"} else _lines(text)
    for place, row in rows:
        known = {_plain(name): value for name, value in row.items()}
        told = {what: next((known[name] for name in names if known.get(name)), "") for what, names in COLUMNS.items()}
        yield _complaint(told, place, source, now, zone)


def _lines(text: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    csv.field_size_limit(_LONGEST_FIELD)
    rows = csv.DictReader(io.StringIO(text), strict=True)
    try:
        names = {_plain(name) for name in rows.fieldnames or ()}
        if missing := [what for what in NEEDED if names.isdisjoint(COLUMNS[what])]:
            raise Unreadable(f"it has no column for {', '.join(missing)}; such as {', '.join(_such_as(missing))}")
        for row in rows:
            yield f"line {rows.line_num}", {name: value or "" for name, value in row.items() if name}
    except csv.Error as error:
        raise Unreadable(f"line {rows.line_num}: {error}") from None


def _objects(text: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise Unreadable("it is no JSON") from None
    posts = found.get("data") if isinstance(found, dict) else found
    if not isinstance(posts, list) or not all(isinstance(each, dict) for each in posts):
        raise Unreadable("it is no list of posts, nor one under the name data")
    for number, post in enumerate(posts, start=1):
        yield f"post {number}", dict(_flat(post))


def _flat(post: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, str]]:
    for name, value in post.items():
        if isinstance(value, dict) and not within:
            yield from _flat(value, f"{name}.")
        elif isinstance(value, str | int) and not isinstance(value, bool):
            yield within + name, str(value)


def _plain(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").split())


def _such_as(missing: list[str]) -> list[str]:
    return [COLUMNS[what][0] for what in missing]


def _time(written: str, zone: tzinfo | None) -> datetime:
    """When a post was made: ISO 8601, as Weibo and X write it, or seconds or milliseconds since 1970.

    Raises ``ValueError``.
    """
    if known := _SECONDS.fullmatch(written):
        return datetime.fromtimestamp(int(written) / (1_000 if known[1] else 1), UTC)
    if _WEIBO_AND_X.fullmatch(written):
        return datetime.strptime(written, "%a %b %d %H:%M:%S %z %Y")
    if known := _IN_CHINESE.fullmatch(written):
        year, month, day, rest = known.groups()
        written = f"{year}-{month:0>2}-{day:0>2}{rest}"
    at = datetime.fromisoformat(re.sub(r"([+-]\d\d)(\d\d)$", r"\1:\2", written.replace("/", "-")))
    if at.tzinfo is None and zone is None:
        raise ValueError("it has no offset; give the zone of its times")
    return at if at.tzinfo else at.replace(tzinfo=zone)


def _complaint(
    told: Mapping[str, str], place: str, source: str, now: datetime, zone: tzinfo | None
) -> Complaint | Unreadable:
    try:
        received_at = _time(told["time"].strip(), zone)
    except (ValueError, OverflowError, OSError) as error:
        why = str(error) if "offset" in str(error) else "it is no moment such as 2026-03-02T09:30:00+08:00"
        return Unreadable(f"{place}: time: {why}")
    if not told["id"].strip():
        return Unreadable(f"{place}: id: it is empty")
    said = clean_or_empty(told["text"]).strip()[:LONG_TEXT]
    try:
        complaint = Complaint(
            source=source,
            idempotency_key=told["id"].strip(),
            received_at=received_at,
            channel=Channel.SOCIAL_MEDIA,
            language="zh-CN" if _CHINESE.search(said) else "en",
            complainant=Complainant(
                name=clean_or_empty(told["author"]).strip()[:SHORT_TEXT] or f"{source} {told['id']}"
            ),
            description="\n".join(filter(None, (said, clean(told["link"]).strip()))) if said else "",
        )
    except ValidationError as error:
        return Unreadable(f"{place}: {explain(error)}")
    return happened(complaint, place, "time", now)
