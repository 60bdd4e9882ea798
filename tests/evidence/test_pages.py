"""What a pack says: the claim, the finding, the sum with its numbers filled in, and whether it is the same again."""

import ast
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from string import Formatter
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.checks.facts import LogFacts
from domain.checks.findings import Check, EvidenceRow, Finding, Verdict
from domain.checks.tolerances import Tolerances
from domain.checks.withdrawal_delay.finding import check_withdrawal_delay
from domain.log.firm_records import Happened
from domain.log.trade_log import AccountEntry, EntryKind, OrderType, Side
from domain.money.parts import Rate
from starter.evidence import words as words_module
from starter.evidence.blocks import Figure, Grid, Working
from starter.evidence.formulas import priced, working
from starter.evidence.html import to_html
from starter.evidence.pdf import to_pdf
from starter.evidence.reading import CaseFacts, StoredFinding
from starter.evidence.redaction import Reader
from starter.evidence.scenes import facts_of, scenes_of
from starter.evidence.words import LANGUAGES, Words, words_of
from tests.checks.rows import after, balance, fill, happened, order, position, quote, steady, terms
from tests.evidence.support import BAD, VALID, case, found, off_market, pack, texts

VALID_AND_BAD = (*VALID, *BAD)


def sums(finding: Finding, language: str = "en") -> list[str]:
    return [step.equation for step in working(finding, facts_of(finding), words_of(language))]


class TestTheSum:
    def test_an_exit_of_a_long_position_is_filled_in(self) -> None:
        quotes = (*steady("LP-B", "1921.90"), *steady("LP-C", "1921.90"), quote("LP-A", 0, "1920.96"))
        finding = found(
            Check.OFF_MARKET,
            orders=(order(position="P1"),),
            fills=(fill("1920.96", volume=Decimal(14)),),
            positions=(position(volume=Decimal(14)),),
            quotes=quotes,
        )
        assert sums(finding) == ["+1 × (1921.90 − 1920.96) × 100 oz × 14 lots = 1,316.00 USD", "USD 1,316.00"]
        assert sums(finding, "zh-CN")[0] == "+1 × (1921.90 − 1920.96) × 100 盎司 × 14 手 = 1,316.00 USD"

    @given(
        side=st.sampled_from(Side),
        off=st.decimals("0.5", "60", places=2),
        lots=st.decimals("0.01", "50", places=2),
        closes=st.booleans(),
    )
    def test_what_is_shown_comes_to_the_part_whatever_the_side(
        self, side: Side, off: Decimal, lots: Decimal, closes: bool
    ) -> None:
        valid = Decimal("1937.69") if side is Side.BUY else Decimal("1937.39")
        finding = off_market(str(valid + side.sign * off), side, closes=closes, volume=lots)
        (one,) = priced(finding, facts_of(finding) or LogFacts())
        assert (one.computed, one.reference, one.closes) == (finding.parts[0].amount, valid, closes)
        assert one.sign == (-side.sign if closes else side.sign)
        shown = re.match(r"([+−]1) × \((.+) − (.+)\) × ([\d,]+) oz × (.+) lots? = (.+) USD", sums(finding)[0])
        assert shown
        sign, first, second, units, volume, amount = (
            Decimal(text.replace(",", "").replace("−", "-")) for text in shown.groups()
        )
        assert sign * (first - second) * units * volume == amount

    def test_the_interest_of_a_late_withdrawal(self) -> None:
        entry = AccountEntry(
            entry="w-1",
            account="70012345",
            kind=EntryKind.WITHDRAWAL,
            amount=Decimal(-12000),
            currency="USD",
            requested_at=after(0),
            booked_at=after(9 * 86_400),
        )
        finding = check_withdrawal_delay(entry, as_of=after(30 * 86_400), tolerances=Tolerances())
        assert sums(finding) == ["12,000 × 8 % × 7 days ÷ 365 = 18.4109589041 USD", "18.4109589041 USD ≈ USD 18.41"]

    def test_a_sum_in_another_currency_names_its_rate(self) -> None:
        rate = Rate(base="USD", quote="EUR", source="ECB", at=after(-60), rate=Decimal("0.92"))
        finding = found(
            Check.STOP_OUT,
            orders=(order(type=OrderType.STOP_OUT, position="P1"),),
            fills=(fill("1920.96"),),
            positions=(position(closed_at=after(0), close_price=Decimal("1920.96")),),
            quotes=(*steady("LP-B", "1937.36"), *steady("LP-C", "1937.42"), quote("LP-A", 0, "1920.96")),
            account_terms=(terms(currency="EUR"),),
            balances=(balance("1000", currency="EUR"),),
            rates=(rate,),
        )
        assert finding.harm is not None
        assert finding.harm.currency == "EUR"
        assert sums(finding) == [
            "+1 × (1937.39 − 1920.96) × 100 oz × 1 lot = 1,643.00 USD",
            "1,643.00 USD × 0.92 = 1,511.56 EUR",
            "EUR 1,511.56",
        ]

    @pytest.mark.parametrize("lots", ["0.4", "1"])
    def test_of_a_fill_of_which_a_part_counts_it_has_the_lots_that_count(self, lots: str) -> None:
        finding = found(
            Check.REQUOTE,
            order_events=(
                happened(Happened.RECEIVED, 0, price=Decimal("1937.40")),
                happened(Happened.REQUOTED, 1, price=Decimal("1936.00"), volume=Decimal(lots)),
            ),
            fills=(fill("1936.39", order="O2", at=after(5)),),
            quotes=(*steady("LP-B", "1937.36"), *steady("LP-C", "1937.42")),
        )
        shown = f"{lots} lot{'' if lots == '1' else 's'} = {Decimal(lots) * 100:.2f} USD"
        assert sums(finding)[0] == f"−1 × (1936.39 − 1937.39) × 100 oz × {shown}"

    def test_without_a_sum_the_page_says_so(self) -> None:
        finding = off_market("1937.36")
        assert finding.verdict is Verdict.MARKET
        assert any("No sum is due on this finding." in text for text in texts(pack(case(finding))))


class TestThePage:
    def test_it_says_what_was_claimed_found_and_reckoned_in_both_languages(self) -> None:
        made = pack(case(off_market()))
        assert [page.language for page in made.pages] == ["en", "zh-CN"]
        english, chinese = (texts(made.model_copy(update={"pages": (page,)})) for page in made.pages)
        for told in (
            "USD 1,200.00",
            "My order was filled at a price that gold never had.",
            "A price provider's or bank's fault, for which the firm answers",
            "Computed again: 1 of 1: the same hash and sum.",
            "Measured by: valid price at that instant",
            "Computed again from the stored evidence while this pack was made: same hash and sum.",
        ):
            assert told in english, told
        for told in ("报价提供方或银行的过错，由我司承担责任", "重新计算：1 项中 1 项：哈希值与金额一致。"):
            assert told in chinese, told
        assert off_market().reason.en in english
        assert off_market().reason.zh in chinese

    def test_a_finding_that_is_not_the_same_again_is_shown_with_both_values(self) -> None:
        finding = off_market()
        facts = case(finding)
        changed = finding.model_copy(update={"numbers": finding.numbers | {"harm": "99999"}})
        stored = StoredFinding(finding=changed, hash=finding.hash)
        made = pack(facts.model_copy(update={"findings": (stored,)}))
        assert {one.field for one in made.differences} == {"hash", "numbers.harm"}
        rows = [row for block in made.pages[0].blocks if isinstance(block, Grid) for row in block.rows]
        assert ("numbers.harm", "99999", "1643") in rows
        assert "Computed again: 2 difference(s), see the findings." in texts(made)
        assert not any("same hash and sum" in text for text in texts(made))

    def test_without_findings_there_is_a_pack_that_says_so(self) -> None:
        made = pack(case())
        assert any("There are no findings in the case file" in text for text in texts(made))
        assert not any(isinstance(block, Figure | Working) for page in made.pages for block in page.blocks)
        assert to_pdf(made).startswith(b"%PDF")

    def test_one_picture_is_not_drawn_twice(self) -> None:
        finding = off_market()
        made = pack(case(finding, finding.model_copy(update={"check": Check.OFF_MARKET})))
        figures = [block for block in made.pages[0].blocks if isinstance(block, Figure)]
        assert [figure.number for figure in figures] == [1]
        assert "The picture of this order is figure 1." in texts(made)

    def test_evidence_that_cannot_be_read_is_named_and_not_drawn(self) -> None:
        row = EvidenceRow(table="fills", key="F1", values={"price": "1920.96"})
        made = pack(case(off_market().model_copy(update={"evidence": (row,)})))
        assert any("cannot be read by this version" in text for text in texts(made))
        assert scenes_of(off_market().model_copy(update={"evidence": (row,)})) == ()

    def test_customers_words_that_no_latin_font_has_reach_the_page_whole_and_the_pdf_as_far_as_it_can(self) -> None:
        words = "价格 <b>&amp; 😡 \u202fцена\n\n" + "word " * 3900
        made = pack(case(off_market(), told={"description": words}))
        assert "价格 &lt;b&gt;&amp;amp; 😡" in to_html(made)
        assert to_pdf(made).startswith(b"%PDF")

    def test_every_number_of_a_finding_has_a_name_in_both_languages(self) -> None:
        for language in LANGUAGES:
            words = words_of(language)
            for name in off_market().numbers:
                assert words.label(name) != name.replace("_", " "), (language, name)
        assert words_of("en").label("F-1.valid_price") == "Valid price (F-1)"
        assert words_of("en").label("deviation.LP-B") == "Worse than: LP-B"

    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize("check", Check)
    def test_a_loss_that_is_counted_elsewhere_says_in_which_check(self, check: Check, language: str) -> None:
        finding = off_market()
        numbers = finding.numbers | {"counted_in.price/F-1": check.value}
        made = pack(case(finding.model_copy(update={"numbers": numbers})), Reader.HANDLER, language)
        assert words_of(language).check(check) in texts(made)


class TestTheHash:
    def test_the_same_data_give_the_same_hash_and_the_same_bytes(self) -> None:
        first, second = (case(off_market(), quotes=VALID_AND_BAD) for _ in range(2))
        assert first.content_hash == second.content_hash
        assert to_pdf(pack(first)) == to_pdf(pack(second))
        assert to_html(pack(first)) == to_html(pack(second))

    def test_reader_and_language_make_no_difference_to_it_and_other_data_do(self) -> None:
        facts = case(off_market())
        hashes = {pack(facts, reader, language).content_hash for reader in Reader for language in LANGUAGES}
        assert hashes == {facts.content_hash}
        others: list[CaseFacts] = [
            facts.model_copy(update={"revision": 8}),
            case(off_market("1920.97")),
            case(off_market(), told={"description": "Something else."}),
            case(off_market(), quotes=VALID_AND_BAD[:-1]),
        ]
        assert len({facts.content_hash, *(other.content_hash for other in others)}) == 5


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_both_languages_say_the_same_things() -> None:
    english, chinese = (words_of(language) for language in LANGUAGES)
    assert set(english.groups) == set(chinese.groups)
    for group in english.groups:
        assert set(english.names(group)) == set(chinese.names(group)), group
        for name in english.names(group):
            assert placeholders(english.raw(group, name)) == placeholders(chinese.raw(group, name)), (group, name)


def test_every_group_that_the_code_asks_for_is_there() -> None:
    """Asked for a group that is not there, the words fail, and with them the whole pack and the page of the case."""
    for file in Path(words_module.__file__).parent.glob("*.py"):
        asked = re.findall(r'\bwords(?:\.has|\.raw|\.names)?\("(\w+)"', file.read_text("utf-8"))
        assert set(asked) <= set(words_of("en").groups), file.name


@pytest.mark.parametrize(
    ("group", "words"),
    [("verdict", Verdict), ("short_verdict", Verdict)],
)
def test_every_word_of_the_field_is_spoken(group: str, words: type[Verdict]) -> None:
    spoken: Words = words_of("en")
    assert set(spoken.names(group)) >= {word.value for word in words}


def lacked() -> Iterator[str]:
    """What the checks say that the log lacks, with `{}` for each fact."""
    for path in Path("domain/checks").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), args=args) if name in NAMING:
                    whole = any(keyword.arg == "en" for keyword in node.keywords)
                    yield from (text for one in (args if whole else args[:1]) for text in templates(one))
                case (
                    ast.Assign(targets=[ast.Name(id="missing")], value=said)
                    | ast.AugAssign(target=ast.Name(id="missing"), value=said)
                ):
                    yield from templates(said)
                case ast.Call(func=ast.Attribute(value=ast.Name(id="missing"), attr="append"), args=[said]):
                    yield from templates(said)
                case ast.FunctionDef(name="missing_for"):
                    inside = [one for one in ast.walk(node) if isinstance(one, ast.JoinedStr)]
                    yield from (text for one in inside for text in templates(one))
                case ast.Call(func=ast.Name(id="unanswered"), args=[_, _, said, *_]):
                    yield from templates(said)


NAMING: Final = {"lacking", "_lack", "Unknown"}


def templates(said: ast.expr) -> Iterator[str]:
    match said:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr():
            yield "".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in said.values)
        case ast.IfExp():
            yield from (text for one in (said.body, said.orelse) for text in templates(one))
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            yield from (text for one in parts for text in templates(one))
        case ast.ListComp(elt=part) | ast.Starred(value=part):
            yield from templates(part)


def test_what_the_log_lacks_has_words_in_every_language() -> None:
    names = set(lacked())
    assert len(names) > 60
    for language in LANGUAGES:
        assert names == set(words_of(language).names("missing")), language
    facts = {name: name.replace("{}", "7001") for name in names}
    assert {name: words_of("en").missing(said) for name, said in facts.items()} == facts
    assert not [said for said in facts.values() if re.search("[a-z]", words_of("zh-CN").missing(said))]


def test_what_the_log_lacks_is_told_with_its_moment_in_utc() -> None:
    said = words_of("zh-CN").missing("quotes of XAUUSD around 2026-11-29T23:30:00.379000+00:00")
    assert said == "XAUUSD 在 2026-11-29 23:30:00.379 UTC 前后的报价"
