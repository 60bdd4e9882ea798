"""Default notices and the enforcement of debts: matters of their own, in a complaint of any category."""

from datetime import UTC, datetime

import pytest

from domain.case.assessment import assess
from domain.case.complaint import Complaint
from domain.case.matters import matters_of
from domain.ground.words import Category, Matter
from runtime.policies import find_pack

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)


def complaint(description: str, subject: str | None = None) -> Complaint:
    return Complaint.model_validate(
        {
            "source": "web",
            "idempotency_key": "1",
            "received_at": AT,
            "channel": "web",
            "language": "en",
            "complainant": {"name": "Somebody"},
            "subject": subject,
            "description": description,
        }
    )


@pytest.mark.parametrize(
    ("text", "matters"),
    [
        ("You sent me a default notice that is wrong.", "default_notice"),
        ("The NOTICE OF DEFAULT came after I had paid.", "default_notice"),
        ("我已还清，却收到违约通知书。", "default_notice"),
        ("我已還清，卻收到違約通知。", "default_notice"),
        ("Please postpone enforcement proceedings until I have found work.", "enforcement"),
        ("They want to repossess my car next week.", "enforcement"),
        ("请求暂缓执行，我正在筹款。", "enforcement"),
        ("I dispute the default notice, and ask you to delay the enforcement.", "default_notice enforcement"),
        ("By default your platform shows no notice of fees.", ""),
        ("我的仓位被强制平仓。", ""),
        ("The order was executed late.", ""),
    ],
)
def test_the_words_of_a_complaint_name_its_matters(text: str, matters: str) -> None:
    assert " ".join(matters_of(complaint(text))) == matters
    assert " ".join(matters_of(complaint("As above.", subject=text))) == matters


def test_in_australia_such_a_complaint_has_twenty_one_days_whatever_its_category() -> None:
    pack = find_pack("au-asic", AT)
    for text, days in (
        ("A default notice came for a loan of mine.", 21),
        ("A fee came for a loan of mine.", 30),
    ):
        made = complaint(text)
        facts = assess(made, pack, earlier=()).facts(made)
        for category in set(Category) - {Category.HARDSHIP}:
            alike = facts.model_copy(update={"category": category})
            assert pack.clock("idr-response").length_for(alike).days == days
        assert facts.matters == ((Matter.DEFAULT_NOTICE,) if days == 21 else ())
