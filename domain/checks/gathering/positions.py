"""What the checks on positions share: which are meant, and the rows about one."""

from datetime import datetime

from domain.checks.facts import LogFacts
from domain.checks.findings import Finding
from domain.checks.gathering.asked import MOST_ROWS, Asked
from domain.checks.gathering.unanswered import no_position, nothing_named, too_many, unknown_trades
from domain.log.trade_log import Position


async def positions_meant(asked: Asked) -> tuple[list[Position], list[Finding]]:
    """The positions meant, by their ids or by the time, and what is to be said of the rest."""
    request, log = asked.request, asked.log
    findings = unknown_trades(asked, await log.tables_of(asked.account, request.trades))
    if request.trades:
        found = await log.positions(asked.account, request.trades, limit=MOST_ROWS + 1)
    elif span := asked.span():
        found = await log.positions_between(asked.account, *span, limit=MOST_ROWS + 1)
    else:
        return [], [nothing_named(asked)]
    if len(found) > MOST_ROWS:
        return [], [*findings, too_many(asked, f"{MOST_ROWS} positions", f"{MOST_ROWS} 个持仓")]
    if not found and not findings:
        findings = [no_position(asked)]
    return found, findings


async def held(asked: Asked, position: Position, *, terms_at: datetime) -> LogFacts:
    """*position* with its orders and fills, the account's terms at *terms_at*, and the rate at its end."""
    log, account, ids = asked.log, asked.account, [position.position]
    instruments = await log.instruments([position.symbol], position.opened_at)
    terms = await log.terms(account, terms_at)
    bases, at = [row.currency for row in instruments], position.closed_at or asked.as_of
    return LogFacts(
        positions=(position,),
        instruments=tuple(instruments),
        fills=tuple(await log.fills_of(account, ids)),
        orders=tuple(await log.orders(account, ids)),
        account_terms=tuple(terms),
        rates=tuple(await log.rates(bases, terms[0].currency, at)) if terms else (),
    )
