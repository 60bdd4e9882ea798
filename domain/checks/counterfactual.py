"""What would have become of a position that was closed and should not have been."""

from datetime import datetime, timedelta

from domain.checks.charges.finding import swap_of
from domain.checks.facts import Given, LogFacts, Report
from domain.checks.market import Board, valid_price
from domain.checks.profit import Reference, ReferenceRule, Standing, reference_of_exit
from domain.log.trade_log import Fill, Position
from domain.money.parts import Part, PartKind, plain


def reference_for(
    fill: Fill, position: Position | None, facts: LogFacts, given: Given, *, stopped_out_at: datetime | None = None
) -> Reference | None:
    """What closing by *fill* is measured by, as ``given.tolerances.reference`` declares.

    The path is the valid price at each instant at which anybody quoted, as far as the facts hold quotes. ``None``
    where it does not reach far enough, or where the position is to be put back.
    """
    instants = sorted({quote.at for quote in facts.quotes if quote.symbol == fill.symbol} | {fill.at})
    path, board = [], Board(facts.quotes)
    for at in instants:
        valid = valid_price(board, fill.symbol, fill.side, at, suspect=fill.source)
        if valid is not None:
            path.append(Standing(at, valid.price))
    side = position.side if position is not None else fill.side.opposite
    return reference_of_exit(
        given.tolerances.reference,
        side,
        path,
        at=fill.at,
        stop=position.stop if position else None,
        target=position.target if position else None,
        stopped_out_at=stopped_out_at,
        able_at=fill.at + timedelta(minutes=given.tolerances.act_minutes),
    )


def held_on(fill: Fill, position: Position | None, found: Reference, report: Report) -> list[Part]:
    """The swap that *position* would have been charged or credited from *fill* until the reference, as a part.

    It is set off against the loss on the price of the same fill. Without a published schedule nothing is set off, and
    the numbers say so.
    """
    instrument = report.facts.instrument(fill.symbol)
    if position is None or instrument is None or found.at <= fill.at:
        return []
    closed = position.model_copy(update={"volume": fill.volume})
    swap = swap_of(closed, instrument, report.facts.charge_schedules, fill.at, found.at)
    report.numbers[f"{fill.fill}.swap_until_reference"] = "not recorded" if swap is None else plain(swap)
    if not swap:
        return []
    return [
        Part(
            key=f"swap-until-reference/{fill.fill}",
            subject=fill.fill,
            kind=PartKind.SWAP,
            amount=swap,
            currency=instrument.currency,
        )
    ]


def missing_for(rule: ReferenceRule, symbol: str, at: datetime) -> str:
    """What is missing where :func:`reference_for` has no answer."""
    return {
        ReferenceRule.NEXT_STOP_OUT: f"quotes of {symbol} until valid prices would have liquidated the position",
        ReferenceRule.OWN_STOP_OR_TARGET: f"quotes of {symbol} until the stop-loss or take-profit was reached",
        ReferenceRule.WHEN_ABLE_TO_ACT: f"quotes of {symbol} when the customer could act",
    }.get(rule, f"quotes of {symbol} around {at.isoformat()}")
