"""A score is read out of a reply to the letter that asks for one, and out of no other sentence."""

import pytest

from domain.case.feedback import score_in


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("4", (4, False)),
        (" 5.\n", (5, False)),
        ("4/5", (4, False)),
        ("3 out of 5", (3, False)),
        ("1  not at all satisfied", (1, False)),
        ("２分", (2, False)),
        ("5  很满意", (5, False)),
        ("2, far too slow", (2, True)),
        ("2，太慢了", (2, True)),
        ("4\n\nThank you. When is it paid?", (4, True)),
        ("Thank you", None),
        ("", None),
        ("6", None),
        ("45", None),
        ("2 weeks ago I asked where my money is.", None),
        ("3天了还没有到账", None),
        ("2,000 USD are missing", None),
        ("1.5", None),
        ("1\n2", None),
        ("1 not at all satisfied\n2 not satisfied", None),
        ("I waited\n3", None),
        ("1. Where is my money?\n2. Who decided that?", None),
    ],
)
def test_a_reply_gives_a_score_where_its_first_line_says_nothing_else(text: str, told: tuple[int, bool] | None) -> None:
    assert score_in(text) == told
