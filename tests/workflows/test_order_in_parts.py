"""An order that was filled in parts: every place where its loss stands has the same cents, from finding to ledger."""

from decimal import Decimal
from typing import Any, Final

from domain.checks.recompute import recompute
from domain.ground.words import Outcome, Stage
from domain.log.trade_log import Side
from starter.evidence.reading import read_facts
from starter.evidence.redaction import Reader
from starter.reading.ledger import check_ledger
from tests.checks.rows import after, fill, order, position, quote, steady, store
from tests.evidence.support import pack, texts
from tests.workflows.house import ACCOUNT, APPROVER, CUSTOMER, HANDLER, House

# Sold at what LP-A alone quoted; LP-B and LP-C stood at 1937.385 in the middle.
PRICE: Final = "1920.96"
PARTS: Final = {"0.131": "215.1675", "0.111": "182.3175", "0.171": "280.8675"}
"""The lots of each, and (1937.385 − 1920.96) × 100 times as many."""
LOSS: Final = "678.35"
"""Rounded once; three rounded parts would come to a cent more."""


async def test_the_loss_of_an_order_in_parts_is_the_same_to_the_cent_wherever_it_stands(house: House) -> None:
    held: dict[str, Any] = {"account": ACCOUNT, "position": "P1"}
    lots = sum(map(Decimal, PARTS), Decimal(0))
    wrong = [quote("LP-A", second, PRICE if 0 <= second <= 2 else "1937.40") for second in range(-10, 11)]
    await store(
        house.pool,
        *steady("LP-B", "1937.36"),
        *steady("LP-C", "1937.41"),
        *wrong,
        position(account=ACCOUNT, volume=lots, side=Side.BUY, close_price=Decimal(PRICE), closed_at=after(2)),
        order(volume=lots, received_at=after(-0.1), price=Decimal("1937.40"), **held),
        *(
            fill(PRICE, fill=f"F{number}", volume=Decimal(part), at=after(number / 4), **held)
            for number, part in enumerate(PARTS)
        ),
    )
    reference = await house.submit(trades=["O1"], description="My order was executed at a wrong price.")
    await house.drafted(reference)
    await house.complaints.propose_draft(reference, by=HANDLER)
    assert (await house.complaints.status(reference)).proposal == f"upheld, USD {LOSS}"
    await house.complaints.approve(reference, by=APPROVER)
    await house.responded(reference)
    response = " ".join(house.mail()[-1].get_content().split())
    assert f"Over all its parts the loss is USD {LOSS}." in response
    assert f"Compensation: ${LOSS}" in response
    for part, amount in PARTS.items():
        assert f"× 100 × {part} = USD {amount}" in response  # whoever adds them up comes to the sum
    await house.complaints.reply(reference, by=CUSTOMER, intent="accept")
    await house.row(reference, lambda case: bool(case["stage"] == Stage.FOLLOWING_UP))

    facts = await read_facts(house.pool, reference)
    found = [stored.finding for stored in facts.findings]
    [harmed] = [each for each in found if each.parts]
    assert [str(part.amount) for part in harmed.parts] == list(PARTS.values())
    assert [str(each.harm) for each in found if each is not harmed] == ["USD 0.00"]  # off the market: counted once
    assert recompute(found, [stored.hash for stored in facts.findings]) == ()
    for reader in Reader:
        told = texts(pack(facts, reader, "en"))
        assert f"{' + '.join(PARTS.values())} = 678.3525 USD" in told
        assert told.count(f"USD {LOSS}") >= 4  # computed, found, awarded, posted
    ledger = await check_ledger(house.pool)
    assert ledger.balanced
    assert await house.fetchval("select sum(amount)::text from casefile.postings") == LOSS
    await house.complaints.record_cause(reference, "pricing/provider_quote", by=HANDLER)
    closed = await house.closed(reference)
    assert (closed.outcome, str(closed.compensation)) == (Outcome.UPHELD, f"USD {LOSS}")
