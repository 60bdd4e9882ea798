"""Exports of social media: each post is taken in once, and what cannot be read is named."""

import json
from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from domain.case.complaint import Channel, Complaint
from domain.intake.posts import COLUMNS, complaints_in_posts
from domain.intake.received import Unreadable
from runtime.database import Pool
from starter.cli.intake import _take_in

AT = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
NOW = AT + timedelta(days=1)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def read(text: str) -> list[Complaint]:
    found = list(complaints_in_posts(text, "weibo", NOW, SHANGHAI))
    return [each for each in found if isinstance(each, Complaint)]


def test_a_column_is_known_by_every_word_of_it_however_it_is_written() -> None:
    for what, words in COLUMNS.items():
        for word, written in product(words, (str.title, str.upper, lambda name: name.replace(" ", "_"))):
            heading = {**{each: names[0] for each, names in COLUMNS.items()}, what: written(word)}
            row = {
                "id": "p-1",
                "time": "2026-03-02 09:30",
                "author": "老王",
                "text": "出金不到账",
                "link": "https://x/1",
            }
            csv = ",".join(heading[each] for each in COLUMNS) + "\n" + ",".join(row[each] for each in COLUMNS)
            [told] = read("\ufeff" + csv)
            assert (told.received_at, told.channel, told.language) == (AT, Channel.SOCIAL_MEDIA, "zh-CN")
            assert (told.complainant.name, told.description) == ("老王", "出金不到账\nhttps://x/1")


@pytest.mark.parametrize(
    "time",
    [
        *("2026-03-02T09:30:00+08:00", "2026-03-02T09:30:00+0800", "2026/03/02 09:30", 1772415000, "1772415000000"),
        *("Mon Mar 02 09:30:00 +0800 2026", "2026年03月02日 09:30", "2026年3月2日 09:30:00"),
    ],
)
@pytest.mark.parametrize("within", [True, False])
def test_posts_in_json_are_read_with_what_stands_within_another(time: str | int, *, within: bool) -> None:
    posts = [
        {"id": 17, "created_time": time, "from": {"name": "J"}, "message": "No payout.", "likes": [1], "hidden": True}
    ]
    [told] = read(json.dumps({"data": posts} if within else posts))
    assert (told.received_at, told.complainant.name, told.idempotency_key, told.language) == (AT, "J", "17", "en")


async def test_each_post_is_taken_in_once(pool: Pool) -> None:
    text = "id,time,text\n1,2026-03-02 09:30,No payout.\n2,2026-03-02 09:31,Nor here.\n"
    assert [await _take_in(pool, read(text)), await _take_in(pool, read(text))] == [2, 0]
    assert [row["door"] for row in await pool.fetch("select distinct door from intake.received")] == ["file"]


def test_what_cannot_be_read_is_named_by_its_place_and_quotes_nothing() -> None:
    text = "id,time,text\n1,soon,Words\n,2026-03-02 09:30,Words\n3,2026-03-02 09:30,\n4,2026-03-02 09:30,Words\n"
    told = [str(each) for each in complaints_in_posts(text, "weibo", NOW) if isinstance(each, Unreadable)]
    assert [one.partition(": ")[0] for one in told] == ["line 2", "line 3", "line 4", "line 5"]
    assert ["time: it is no moment" in told[0], "no offset" in told[3], "soon" in "".join(told)] == [True, True, False]
    for none in ("", "a,b\n1,2\n", "[1]", '{"data": 3}', "[" * 3000, 'id,time,text\n"never closed'):
        with pytest.raises(Unreadable):
            list(complaints_in_posts(none, "weibo", NOW, SHANGHAI))
