"""The assessment on real complaints: a sample of the US regulator's and Chinese ones, where they are at hand.

The regulator's product is a weak label: a text about a debt that spoils a credit report carries one of the two. The
word lists were written with the complaints of odd number in view; agreement is measured on those of even number.
"""

import csv
import os
import sys
from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import pytest

from domain.case.assessment import Assessment, assess
from domain.case.complaint import Complaint
from domain.ground.base import LONG_TEXT
from domain.ground.words import Category, Severity
from runtime.policies import find_pack

FOLDER = Path(os.environ.get("REDRESS_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
ENGLISH, CHINESE = FOLDER / "cfpb_sample.csv", FOLDER / "zh_complaints.csv"
PACK = find_pack("platform-default", date(2026, 3, 2))

PRODUCTS = {
    "Credit reporting": {Category.CREDIT_REPORT},
    "Debt collection": {Category.DEBT_COLLECTION},
    "Credit card": {Category.CARD},
    "Mortgage": {Category.LENDING},
    "Student loan": {Category.LENDING},
    "Vehicle loan": {Category.LENDING},
    "Payday loan": {Category.LENDING},
    "Consumer Loan": {Category.LENDING},
    "Checking or savings": {Category.ACCOUNT, Category.PAYMENT},
    "Bank account": {Category.ACCOUNT, Category.PAYMENT},
    "Money transfer": {Category.PAYMENT},
}
TRADING = {Category.EXECUTION, Category.WITHDRAWAL, Category.DEPOSIT}


def rows(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        pytest.skip(f"{path.name} is not in {FOLDER}: set REDRESS_SHARED_DATA to the folder of the real data")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@cache
def assessed(text: str, language: str) -> Assessment:
    complaint = Complaint.model_validate(
        {
            "source": "sample",
            "idempotency_key": "1",
            "received_at": datetime(2026, 3, 2, tzinfo=UTC),
            "channel": "web",
            "language": language,
            "complainant": {"name": "The complainant"},
            "description": text[:LONG_TEXT],
        }
    )
    return assess(complaint, PACK, earlier=())


def told(capsys: pytest.CaptureFixture[str], text: str) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\n{text}\n")


def test_the_categories_agree_with_the_regulators_products(capsys: pytest.CaptureFixture[str]) -> None:
    agreed: dict[bool, dict[str, list[bool]]] = {looked_at: defaultdict(list) for looked_at in (True, False)}
    for row in rows(ENGLISH):
        product = next(name for name in PRODUCTS if row["Product"].startswith(name))
        category = assessed(row["Consumer complaint narrative"], "en").category
        agreed[int(row["Complaint ID"]) % 2 == 1][product].append(category in PRODUCTS[product])
    overall = {}
    for looked_at, by_product in agreed.items():
        every = [agrees for product in by_product.values() for agrees in product]
        overall[looked_at] = sum(every) / len(every)
        commonest = max(map(len, by_product.values())) / len(every)
        parts = ", ".join(f"{name} {sum(each)}/{len(each)}" for name, each in by_product.items())
        told(
            capsys,
            f"category agrees with the regulator's product in {overall[looked_at]:.1%} of {len(every)} complaints "
            f"{'in view' if looked_at else 'not in view'} when the lists were written "
            f"(naming the commonest always: {commonest:.1%}): {parts}",
        )
        assert overall[looked_at] > commonest
    assert overall[False] >= 0.70
    for product, least in {"Credit reporting": 0.75, "Debt": 0.5, "Credit card": 0.5, "Mortgage": 0.75}.items():
        name = next(name for name in PRODUCTS if name.startswith(product))
        assert sum(agreed[False][name]) / len(agreed[False][name]) >= least, name


def test_every_real_complaint_is_assessed_with_its_grounds(capsys: pytest.CaptureFixture[str]) -> None:
    for path, column, language in ((ENGLISH, "Consumer complaint narrative", "en"), (CHINESE, "text", "zh-CN")):
        assessments = [assessed(row[column], language) for row in rows(path) if row[column].strip()]
        severities = Counter(one.severity for one in assessments)
        told(capsys, f"{path.name}: " + ", ".join(f"{severity} {severities[severity]}" for severity in Severity))
        assert all(one.grounds and one.team for one in assessments)
        # An assessment that calls everything severe helps nobody.
        assert severities[Severity.CRITICAL] <= 0.02 * len(assessments)
        assert severities[Severity.HIGH] <= 0.30 * len(assessments)
        # None of these says that it is about another firm than the one it was sent to.
        assert all(one.in_scope for one in assessments)


def test_chinese_comments_about_banks_are_about_cards_loans_accounts_or_service(
    capsys: pytest.CaptureFixture[str],
) -> None:
    categories = Counter(
        assessed(row["text"], "zh-CN").category for row in rows(CHINESE) if row["source"] == "bdci2021_bank"
    )
    told(capsys, "bank comments: " + ", ".join(f"{name} {count}" for name, count in categories.most_common()))
    decided = categories.total() - categories[Category.OTHER]
    assert decided >= 0.4 * categories.total()
    assert categories[Category.CARD] == max(categories[one] for one in Category if one is not Category.OTHER)


def test_chinese_consumer_loan_complaints_are_about_fees() -> None:
    assert [assessed(row["text"], "zh-CN").category for row in rows(CHINESE) if row["source"] == "heimao_sample"] == [
        Category.FEE,
        Category.FEE,
    ]


def test_complaints_to_a_mayor_are_hardly_ever_taken_for_trading(capsys: pytest.CaptureFixture[str]) -> None:
    categories = Counter(
        assessed(row["text"], "zh-CN").category for row in rows(CHINESE) if row["source"] == "tipdm2020C_att4"
    )
    told(capsys, "civic complaints: " + ", ".join(f"{name} {count}" for name, count in categories.most_common()))
    assert sum(categories[one] for one in TRADING) <= 0.02 * categories.total()
    assert categories[Category.OTHER] >= 0.6 * categories.total()
