"""What the checks ask of the trade log and of the firm's records beside executions, withdrawals and quotes."""

from collections.abc import Collection, Iterable
from datetime import datetime

from activities.checks.quote_queries import QuoteSnapshot
from domain.log.firm_records import (
    AccountEvent,
    AccountTerms,
    Appropriateness,
    AssessmentsKept,
    Balance,
    BinaryOption,
    Cancellation,
    ChargeSchedule,
    Disclosure,
    MarginRate,
    OrderEvent,
    Outage,
    RequoteShares,
    SlippageShares,
)
from domain.log.trade_log import AccountEntry, AccountMessage, Fill, Instrument, Order, OrderType, Position, Side
from domain.money.interest import BaseRate
from domain.money.parts import Rate


class EvidenceSnapshot(QuoteSnapshot):
    """What a :class:`~domain.checks.gathering.log.Log` answers: ``log.snapshot(EvidenceSnapshot)``.

    Every method may raise :class:`~activities.log.trade_log.UnreadableRow`.
    """

    async def knows(self, account: str) -> bool:
        return await super().knows(account) or bool(await self._connection.fetchval(_KNOWS_MORE, account))

    async def can_replay(self, account: str) -> bool:
        """Whether the log has what the margin of *account* is reckoned from: terms and a balance."""
        return bool(await self._connection.fetchval(_CAN_REPLAY, account))

    async def slippage_shares(self, symbol: str, kind: OrderType, start: datetime, end: datetime) -> SlippageShares:
        return (await self._rows("fills", SlippageShares, SLIPPAGE_SHARES, symbol, kind.value, start, end))[0]

    async def requote_shares(self, symbol: str, start: datetime, end: datetime) -> list[RequoteShares]:
        return await self._rows("order_events", RequoteShares, REQUOTE_SHARES, symbol, start, end)

    async def events_of(
        self, account: str, orders: Collection[str], positions: Collection[str] = ()
    ) -> list[OrderEvent]:
        return await self._rows("order_events", OrderEvent, _EVENTS_OF, account, list(orders), list(positions))

    async def refused_between(self, account: str, start: datetime, end: datetime, *, limit: int) -> list[OrderEvent]:
        return await self._rows("order_events", OrderEvent, _REFUSED, account, start, end, limit)

    async def fills_between(self, account: str, symbol: str, side: Side, start: datetime, end: datetime) -> list[Fill]:
        return await self._rows("fills", Fill, _FIRST_FILL, account, symbol, side.value, start, end)

    async def margin_rates(self, account: str, symbols: Iterable[str], at: datetime) -> list[MarginRate]:
        return await self._rows("margin_rates", MarginRate, _MARGIN_RATES, account, sorted(set(symbols)), at)

    async def instruments(self, symbols: Iterable[str], at: datetime) -> list[Instrument]:
        found = await self._specifications([(symbol, at) for symbol in sorted(set(symbols))])
        return list(found.values())

    async def orders(self, account: str, positions: Collection[str]) -> list[Order]:
        return await self._rows("orders", Order, _ORDERS_OF_POSITIONS, account, list(positions))

    async def fills_of(self, account: str, positions: Collection[str]) -> list[Fill]:
        return await self._rows("fills", Fill, _FILLS_OF_POSITIONS, account, list(positions))

    async def positions(self, account: str, ids: Collection[str], *, limit: int) -> list[Position]:
        return await self._rows("positions", Position, _POSITIONS_MEANT, account, list(ids), limit)

    async def positions_between(self, account: str, start: datetime, end: datetime, *, limit: int) -> list[Position]:
        return await self._rows("positions", Position, _POSITIONS_BETWEEN, account, start, end, limit)

    async def terms(self, account: str, at: datetime) -> list[AccountTerms]:
        return await self._rows("account_terms", AccountTerms, _TERMS, account, at)

    async def balance(self, account: str, at: datetime) -> list[Balance]:
        return await self._rows("balances", Balance, _BALANCE, account, at)

    async def entries(self, account: str, start: datetime, end: datetime, *, limit: int) -> list[AccountEntry]:
        return await self._rows("account_entries", AccountEntry, _ENTRIES, account, start, end, limit)

    async def fees(self, account: str, ids: Collection[str], *, limit: int) -> list[AccountEntry]:
        return await self._rows("account_entries", AccountEntry, _FEES, account, list(ids), limit)

    async def schedules(self, symbol: str, start: datetime, end: datetime) -> list[ChargeSchedule]:
        return await self._rows("charge_schedules", ChargeSchedule, _SCHEDULES, symbol, start, end)

    async def rates(self, bases: Collection[str], quote: str, at: datetime) -> list[Rate]:
        return await self._rows("rates", Rate, _RATES, sorted(set(bases) - {quote}), quote, at)

    async def base_rates(self, name: str) -> list[BaseRate]:
        return await self._rows("base_rates", BaseRate, _BASE_RATES, name)

    async def outages(self, start: datetime, end: datetime, *, limit: int) -> list[Outage]:
        return await self._rows("outages", Outage, _OUTAGES, start, end, limit)

    async def options(
        self, account: str, ids: Collection[str], start: datetime | None, end: datetime | None, *, limit: int
    ) -> list[BinaryOption]:
        return await self._rows("binary_options", BinaryOption, _OPTIONS, account, list(ids), start, end, limit)

    async def cancellations(
        self, account: str, ids: Collection[str], start: datetime | None, end: datetime | None, *, limit: int
    ) -> list[Cancellation]:
        return await self._rows("cancellations", Cancellation, _CANCELLATIONS, account, list(ids), start, end, limit)

    async def disclosures(self, account: str) -> list[Disclosure]:
        return await self._rows("disclosures", Disclosure, _DISCLOSURES, account)

    async def appropriateness(self, account: str, symbols: Collection[str]) -> list[Appropriateness]:
        return await self._rows("appropriateness", Appropriateness, _APPROPRIATENESS, account, sorted(set(symbols)))

    async def assessments_kept(self, since: datetime, until: datetime) -> AssessmentsKept:
        return (await self._rows("appropriateness", AssessmentsKept, _ASSESSMENTS_KEPT, since, until))[0]

    async def freezes(
        self, account: str, start: datetime | None, end: datetime | None, as_of: datetime, *, limit: int
    ) -> list[AccountEvent]:
        return await self._rows("account_log", AccountEvent, _FREEZES, account, start, end, as_of, limit)

    async def lifted(self, account: str, after: datetime, as_of: datetime) -> list[AccountEvent]:
        return await self._rows("account_log", AccountEvent, _LIFTED, account, after, as_of)

    async def log_ins(self, account: str, until: datetime, *, limit: int) -> list[AccountEvent]:
        return await self._rows("account_log", AccountEvent, _LOG_INS, account, until, limit)

    async def verifications(self, account: str, until: datetime, *, limit: int) -> list[AccountEvent]:
        return await self._rows("account_log", AccountEvent, _VERIFICATIONS, account, until, limit)

    async def messages_to(self, account: str, until: datetime, *, limit: int) -> list[AccountMessage]:
        return await self._rows("messages", AccountMessage, _MESSAGES_TO, account, until, limit)


_KNOWS_MORE = """
    select exists (select from tradelog.order_events where account = $1)
        or exists (select from tradelog.account_terms where account = $1)
        or exists (select from tradelog.balances where account = $1)
        or exists (select from tradelog.binary_options where account = $1)
        or exists (select from tradelog.cancellations where account = $1)
        or exists (select from tradelog.account_log where account = $1)
        or exists (select from casefile.customers where account = $1)
"""

_CAN_REPLAY = """
    select exists (select from tradelog.account_terms where account = $1)
        and exists (select from tradelog.balances where account = $1)
"""

# Of orders in several parts the mean price by volume counts. Found through fills (symbol, at); `limit 1` keeps the
# planner to one look-up a fill, where it would rather read every order there is.
SLIPPAGE_SHARES = """
    select $1::text as symbol, $2::text as type, $3::timestamptz as since, $4::timestamptz as until,
        count(*) filter (where slipped < 0) as better,
        count(*) filter (where slipped = 0) as same,
        count(*) filter (where slipped > 0) as worse,
        round(avg(-slipped) filter (where slipped < 0), 8) as mean_better,
        round(avg(slipped) filter (where slipped > 0), 8) as mean_worse
    from (
        select sum((case fills.side when 'buy' then 1 else -1 end) * (fills.price - placed.price) * fills.volume)
            / sum(fills.volume) as slipped
        from tradelog.fills
        cross join lateral (
            select type, price from tradelog.known_orders as placed
            where placed."order" = fills."order" and placed.account = fills.account limit 1
        ) as placed
        where fills.symbol = $1 and fills.at between $3 and $4 and placed.type = $2 and placed.price is not null
        group by fills.account, fills."order"
    ) as each_order
"""

REQUOTE_SHARES = """
    select event.symbol, event.side, $2::timestamptz as since, $3::timestamptz as until,
        count(distinct event."order") filter (where event.kind = 'received') as received,
        count(distinct event."order") filter (
            where event.kind = 'requoted'
                and (case event.side when 'buy' then 1 else -1 end) * (event.price - asked.price) < 0
        ) as requoted_better,
        count(distinct event."order") filter (
            where event.kind = 'requoted'
                and (case event.side when 'buy' then 1 else -1 end) * (event.price - asked.price) > 0
        ) as requoted_worse,
        count(distinct event."order") filter (where event.kind = 'rejected') as rejected
    from tradelog.order_events as event
    left join lateral (
        select price from tradelog.order_events as receipt
        where receipt."order" = event."order" and receipt.kind = 'received' and receipt.account = event.account
        order by at limit 1
    ) as asked on event.kind = 'requoted'
    where event.symbol = $1 and event.at between $2 and $3
    group by event.symbol, event.side
    order by event.side
"""

_EVENTS_OF = """
    select * from tradelog.order_events
    where account = $1 and ("order" = any($2) or "position" = any($3)) order by at, event
"""

_REFUSED = """
    select * from tradelog.order_events
    where account = $1 and at between $2 and $3 and kind in ('requoted', 'rejected', 'failed')
    order by at, event limit $4
"""

_FIRST_FILL = """
    select * from tradelog.fills
    where account = $1 and symbol = $2 and side = $3 and at between $4 and $5
    order by at, fill limit 1
"""

_ORDERS_OF_POSITIONS = """
    select * from tradelog.known_orders where account = $1 and "position" = any($2) order by "order"
"""

_FILLS_OF_POSITIONS = """
    select * from tradelog.fills
    where account = $1 and "position" = any($2)
    union
    select fills.*
    from tradelog.known_orders as placed
    join tradelog.fills on fills."order" = placed."order" and fills.account = placed.account
    where placed.account = $1 and placed."position" = any($2)
    order by at, fill
"""


_POSITIONS_MEANT = """
    with asked as (select id, tradelog.ticket(id) as ticket from unnest($2::text[]) as id)
    select * from tradelog.known_positions where account = $1 and "position" in (
        select held."position" from asked join tradelog.positions as held
            on held.account = $1 and tradelog.ticket(held."position") = asked.ticket
            and (held."position" = asked.id or right(held."position", length(asked.id) + 1) = ':' || asked.id)
        union
        select placed."position" from asked join tradelog.orders as placed
            on placed.account = $1 and tradelog.ticket(placed."order") = asked.ticket
            and (placed."order" = asked.id or right(placed."order", length(asked.id) + 1) = ':' || asked.id)
        union
        select coalesce(filled."position", placed."position") from asked join tradelog.fills as filled
            on filled.account = $1 and tradelog.ticket(filled.fill) = asked.ticket
            and (filled.fill = asked.id or right(filled.fill, length(asked.id) + 1) = ':' || asked.id)
        left join tradelog.orders as placed on placed."order" = filled."order" and placed.account = $1
    )
    order by opened_at, "position" limit $3
"""

_POSITIONS_BETWEEN = """
    select * from tradelog.known_positions
    where account = $1 and opened_at <= $3 and coalesce(closed_at, 'infinity') >= $2
    order by opened_at, "position" limit $4
"""

_TERMS = """
    select * from tradelog.account_terms where account = $1 and effective_from <= $2
    order by effective_from desc, terms desc limit 1
"""

_MARGIN_RATES = """
    select * from tradelog.margin_rates as rate
    where symbol = any($2) and (account is null or account = $1)
        and effective_from = (
            select max(effective_from) from tradelog.margin_rates as known
            where known.symbol = rate.symbol and known.account is not distinct from rate.account
                and known.effective_from <= $3
        )
    order by margin
"""

_BALANCE = """
    select * from tradelog.balances where account = $1 and at <= $2 order by at desc, balance desc limit 1
"""

_ENTRIES = """
    select * from tradelog.known_account_entries
    where account = $1 and booked_at > $2 and booked_at <= $3
    order by booked_at, entry limit $4
"""

_FEES = """
    select * from tradelog.known_account_entries
    where account = $1 and kind = 'fee'
        and (cardinality($2::text[]) = 0 or entry = any($2) or tradelog.ticket(entry) = any($2))
    order by booked_at, entry limit $3
"""

_SCHEDULES = """
    select * from tradelog.charge_schedules
    where symbol = $1 and effective_from <= $3 and effective_from >= coalesce(
        (select max(effective_from) from tradelog.charge_schedules where symbol = $1 and effective_from <= $2), $2
    )
    order by effective_from, schedule
"""

_RATES = """
    select distinct on (base, quote) * from tradelog.rates
    where ((base = any($1) and quote = $2) or (base = $2 and quote = any($1))) and at <= $3
    order by base, quote, at desc, source desc
"""

_BASE_RATES = """select * from tradelog.base_rates where name = $1 order by effective_from"""

_OUTAGES = """
    select * from tradelog.known_outages
    where since <= $2 and coalesce(until, 'infinity') >= $1
    order by since, outage limit $3
"""

_OPTIONS = """
    select * from tradelog.known_binary_options
    where account = $1
        and (option = any($2) or (cardinality($2::text[]) = 0
            and expires_at between coalesce($3, '-infinity'::timestamptz) and coalesce($4, 'infinity'::timestamptz)))
    order by expires_at, option limit $5
"""

_CANCELLATIONS = """
    select * from tradelog.cancellations
    where account = $1
        and (cancellation = any($2) or "order" = any($2) or "position" = any($2) or (cardinality($2::text[]) = 0
            and at between coalesce($3, '-infinity'::timestamptz) and coalesce($4, 'infinity'::timestamptz)))
    order by at, cancellation limit $5
"""

_DISCLOSURES = """select * from tradelog.known_disclosures where account = $1 order by at, disclosure limit 200"""

_APPROPRIATENESS = """
    select * from tradelog.appropriateness where account = $1 and symbol = any($2) order by at, assessment limit 200
"""

_ASSESSMENTS_KEPT = """
    select $1::timestamptz as since, $2::timestamptz as until,
        exists (select from tradelog.appropriateness where at between $1 and $2) as kept
"""

_FREEZES = """
    select * from tradelog.account_log as began
    where account = $1 and kind = 'frozen' and at <= least($4, coalesce($3, 'infinity'::timestamptz))
        and not exists (
            select from tradelog.account_log as lifted
            where lifted.account = $1 and lifted.kind = 'unfrozen' and lifted.at > began.at and lifted.at < $2
        )
    order by at desc, event limit $5
"""

_LIFTED = """
    select * from tradelog.account_log where account = $1 and kind = 'unfrozen' and at > $2 and at <= $3
    order by at, event limit 1
"""

_LOG_INS = """
    select * from tradelog.account_log
    where account = $1 and kind in ('logged_in', 'log_in_failed') and at <= $2
    order by at desc, event limit $3
"""

_VERIFICATIONS = """
    select * from tradelog.account_log
    where account = $1 and kind in ('verification_asked', 'verified', 'verification_refused') and at <= $2
    order by at desc, event limit $3
"""

_MESSAGES_TO = """
    select * from (
        select * from tradelog.messages where account = $1 and direction = 'to_customer' and at <= $2
        order by at desc, message limit $3
    ) as latest
    order by at, message
"""
