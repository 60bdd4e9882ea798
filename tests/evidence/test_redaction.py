"""Who sees what: nothing that a reader may not see is anywhere in the page or in the PDF."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from domain.checks.findings import Check, EvidenceRow
from domain.ground.timeline import Entry
from domain.log.trade_log import Quote
from starter.evidence.html import to_html
from starter.evidence.pdf import to_pdf
from starter.evidence.reading import CaseFacts
from starter.evidence.redaction import Reader, masked
from tests.checks.rows import AT, after, fill, order, quote, steady
from tests.evidence.support import case, found, off_market, pack, texts

# "zq" is in no word of ours, so a name that is found was not left out.
NAME = st.from_regex(r"zq[a-z]{3,8}[0-9]{0,3}", fullmatch=True)
QUICK = (Phase.explicit, Phase.reuse, Phase.generate)
"""Smaller names would tell no more, and each page takes a while."""
NUMBER = st.from_regex(r"8[0-9]{7,9}", fullmatch=True)


def pdf_text(content: bytes) -> str:
    """All that a PDF without compression writes with a Latin font, line after line."""
    shown = re.findall(rb"\(((?:\\.|[^()\\])*)\)\s*Tj", content, flags=re.DOTALL)
    return b"\n".join(re.sub(rb"\\(.)", rb"\1", text) for text in shown).decode("latin-1")


def secretive(*, account: str, other: str, sources: list[str], staff: list[str], note: str) -> CaseFacts:
    """A case in which every kind of name occurs in every place where it may."""
    own, first, second = sources
    comment = f"{note} {staff[0]} {other}"
    quotes: list[Quote] = [*steady(first, "1937.36"), *steady(second, "1937.42"), quote(own, 0, "1920.96")]
    finding = found(
        Check.OFF_MARKET,
        f"MT4:{account}:1",
        orders=(order(order=f"MT4:{account}:1", account=account, price=Decimal(1937), comment=comment),),
        fills=(fill("1920.96", order=f"MT4:{account}:1", account=account, source=own, comment=comment),),
        quotes=quotes,
    )
    foreign = EvidenceRow.of("orders", f"MT4:{other}:9", order(order=f"{other}-9", account=other))
    finding = finding.model_copy(update={"evidence": (*finding.evidence, foreign)})

    def entry(kind: str, actor: str, text: str, **data: object) -> Entry:
        return Entry(key=f"{kind}:{len(text)}", at=AT + timedelta(days=1), kind=kind, actor=actor, text=text, data=data)

    return case(
        finding,
        quotes=quotes,
        entries=[
            entry("assign", f"team_lead:{staff[0]}", f"assigned to {staff[1]}", handler=staff[1]),
            entry("add_evidence", f"handler:{staff[1]}", "evidence", note=f"{note} as {staff[2]} says of {other}"),
            entry(
                "propose_resolution",
                f"handler:{staff[1]}",
                "upheld",
                outcome="upheld",
                reasons=f"{own} was wrong, as {staff[1]} has seen.",
            ),
            entry("decide_resolution", f"approver:{staff[2]}", "approved", reasons=f"{note} {staff[0]}"),
        ],
        told={
            "account": account,
            "complainant": {"name": f"Customer {account}"},
            "description": f"My account {account} was robbed.",
            "trades": [f"MT4:{account}:1"],
        },
        handler=staff[1],
        stage="responded",
        outcome="upheld",
    )


@settings(max_examples=6, phases=QUICK)
@given(
    account=NUMBER,
    other=NUMBER,
    sources=st.lists(NAME, min_size=3, max_size=3, unique=True),
    staff=st.lists(NAME, min_size=3, max_size=3, unique=True),
    note=NAME,
)
def test_a_customer_finds_no_name_of_staff_or_source_no_note_and_no_account_in_full(
    account: str, other: str, sources: list[str], staff: list[str], note: str
) -> None:
    assume(len({*sources, *staff, note}) == 7)
    assume(account[-4:] != other[-4:])
    facts = secretive(account=account, other=other, sources=sources, staff=staff, note=note)
    made = pack(facts, Reader.CUSTOMER)
    html, pdf = to_html(made), to_pdf(made, compress=False)
    everywhere = "\n".join([*texts(made), html, pdf_text(pdf), pdf.decode("latin-1")])
    for secret in (account, other, *sources, *staff, note):
        assert secret not in everywhere, secret
    assert "<svg" in html
    assert masked(other) not in html  # the row is left out, not masked
    assert masked(account) in html
    assert masked(account)[-4:] == account[-4:]
    for told in ("source A", "source B", "source C", "报价源 A"):
        assert told in html
    assert "source A" in pdf_text(pdf)


@settings(max_examples=3, phases=QUICK)
@given(staff=st.lists(NAME, min_size=3, max_size=3, unique=True), other=NUMBER)
def test_an_ombudsman_finds_all_but_staff_by_name_and_others_accounts(staff: list[str], other: str) -> None:
    facts = secretive(account="70012345", other=other, sources=["LP-A", "LP-B", "LP-C"], staff=staff, note="a-note")
    made = pack(facts, Reader.OMBUDSMAN)
    html, pdf = to_html(made), to_pdf(made, compress=False)
    for secret in (other, *staff):
        assert secret not in "\n".join([*texts(made), html, pdf_text(pdf)]), secret
    for told in ("70012345", "LP-A", "a-note", "approver", masked(other)):
        assert told in html, told


def test_a_handler_finds_everything_which_shows_that_the_names_would_be_found() -> None:
    names = {"sources": ["zqa1", "zqb2", "zqc3"], "staff": ["zqd4", "zqe5", "zqf6"]}
    facts = secretive(account="80012345", other="80054321", note="zqg7", **names)
    made = pack(facts, Reader.HANDLER)
    html, pdf = to_html(made), pdf_text(to_pdf(made, compress=False))
    for name in ("80012345", "80054321", "zqg7", *names["sources"], *names["staff"]):
        assert name in html, name
        assert name in pdf, name


def test_the_customer_is_told_what_is_left_out_and_keeps_the_tolerance_that_decided() -> None:
    customer, handler = (texts(pack(case(off_market()), reader, "en")) for reader in (Reader.CUSTOMER, Reader.HANDLER))
    assert any(text.startswith("What is left out of this copy: This copy is for the customer.") for text in customer)
    assert not any(text.startswith("What is left out") for text in handler)
    assert "Tolerance" in customer
    assert "What the check went by" in handler
    assert "What the check went by" not in customer


@pytest.mark.parametrize(("stage", "shown"), [("deciding", False), ("responded", True), ("closed", True)])
def test_the_customer_sees_reasons_and_outcome_only_once_told_of_them(stage: str, *, shown: bool) -> None:
    proposal = Entry(
        key="p:1",
        at=after(86_400),
        kind="propose_resolution",
        actor="handler:h-17",
        text="upheld",
        data={"outcome": "upheld", "reasons": "The quote was wrong."},
    )
    facts = case(off_market(), entries=[proposal], stage=stage, outcome="upheld")
    customer = texts(pack(facts, Reader.CUSTOMER, "en"))
    assert ("The quote was wrong." in customer) is shown
    assert ("upheld" in customer) is shown
    assert "The quote was wrong." in texts(pack(facts, Reader.HANDLER, "en"))


@pytest.mark.parametrize(
    ("account", "shown"),
    [("70012345", "••••2345"), ("7001234567", "••••4567"), ("70012", "••••12"), ("7001", "••••"), ("A", "••••")],
)
def test_of_an_account_number_only_the_end_is_shown(account: str, shown: str) -> None:
    assert masked(account) == shown


def test_what_the_firm_wrote_freely_on_a_row_is_not_for_the_customer_and_the_findings_own_reason_is() -> None:
    finding = off_market()
    rows = [
        EvidenceRow(table=table, key=key, values={"account": "70012345", name: f"zq {name} of {table}"})
        for table, key, name in (
            ("account_entries", "E1", "note"),
            ("cancellations", "C1", "reason"),
            ("order_events", "V1", "reason"),
        )
    ]
    facts = case(finding.model_copy(update={"evidence": (*finding.evidence, *rows)}))
    for reader, shown in ((Reader.CUSTOMER, 0), (Reader.OMBUDSMAN, 3), (Reader.HANDLER, 3)):
        told = "\n".join(texts(pack(facts, reader, "en")))
        assert len(set(re.findall(r"zq \w+ of \w+", told))) == shown, reader
        assert finding.reason.en.replace("LP-A", "source A" if reader is Reader.CUSTOMER else "LP-A")[:40] in told


@pytest.mark.parametrize("server", ["ICMarkets", "Provider-live.02/a"])
def test_ids_are_shown_by_their_ticket_to_the_customer_who_is_not_told_the_provider(server: str) -> None:
    order_id, fill_id = f"{server}:70012345:46780803", f"{server}:70012345:46780804:close"
    finding = found(
        Check.OFF_MARKET,
        order_id,
        orders=(order(order=order_id, price=Decimal(1937)), order(order=f"{server}:46780805")),
        fills=(fill("1920.96", order=order_id, fill=fill_id, source="LP-A"),),
        quotes=(*steady("LP-B", "1937.36"), *steady("LP-C", "1937.42"), quote("LP-A", 0, "1920.96")),
    )
    assert finding.parts
    facts = case(finding, told={"trades": [order_id]})
    made = pack(facts, Reader.CUSTOMER)
    everywhere = "\n".join([*texts(made), to_html(made), pdf_text(to_pdf(made, compress=False))])
    assert server not in everywhere
    for ticket in ("46780803", "46780804:close", "46780805"):
        assert ticket in texts(made), ticket
    assert "23:30:00" in everywhere  # times have colons too
    for reader in (Reader.HANDLER, Reader.OMBUDSMAN):
        assert order_id in "\n".join(texts(pack(facts, reader)))


@pytest.mark.parametrize("reader", [Reader.CUSTOMER, Reader.OMBUDSMAN])
def test_an_account_typed_by_mistake_counts_as_another_customers(reader: Reader) -> None:
    wrong, right = "70054321", "70012345"
    corrected = Entry(
        key="e:1",
        at=after(86_400),
        kind="add_evidence",
        actor="handler:h-17",
        text="evidence added",
        data={"note": "The account is another one.", "account": right},
    )
    foreign = EvidenceRow.of("orders", "O9", order(order="O9", account=wrong, comment=None))
    finding = off_market()
    finding = finding.model_copy(update={"evidence": (*finding.evidence, foreign)})
    facts = case(finding, entries=[corrected], told={"account": wrong, "description": f"It was {wrong}."})
    told = texts(pack(facts, reader, "en"))
    assert not any(wrong in text for text in told)
    assert f"It was {masked(wrong)}." in told
    assert ("O9" in told) is (reader is Reader.OMBUDSMAN)
    assert (right in told) is (reader is Reader.OMBUDSMAN)


def test_an_account_that_looks_like_a_number_hides_no_figure() -> None:
    facts = case(off_market(account="1920.96"), told={"account": "1920.96"})
    rows = "\n".join(texts(pack(facts, Reader.CUSTOMER, "en")))
    assert "(1920.96 − 1937.39)" in rows
    assert masked("1920.96") in rows
