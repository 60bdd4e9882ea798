"""What the firm records beside the platform's log: terms, schedules, outages, decisions, disclosures, customers.

One table of the schema ``tradelog`` for each model, with its field names; for customers, one of ``casefile``. The first
field is the key, where nothing else is said. Instants are UTC.
"""

from datetime import time
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import EmailStr, Field, StringConstraints, model_validator

from domain.ground.base import Country, Identifier, Instant, Line, Record
from domain.ground.people import Language, Phone
from domain.log.trade_log import Lots, OrderType, Price, Side
from domain.money.amounts import Amount, Currency

Zone = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$", max_length=60)]
Percent = Annotated[Decimal, Field(allow_inf_nan=False, max_digits=14, decimal_places=8)]


class Happened(StrEnum):
    """What befell an order on its way."""

    SENT = "sent"
    """By the customer's terminal, at its own clock."""
    RECEIVED = "received"
    FORWARDED = "forwarded"
    """To the liquidity provider."""
    ANSWERED = "answered"
    """By the liquidity provider."""
    FILLED = "filled"
    REQUOTED = "requoted"
    REJECTED = "rejected"
    FAILED = "failed"
    """The attempt reached no order book: no connection, no answer, an error."""


class OrderEvent(Record):
    """A step of an order, or of the attempt to place one, in which case ``order`` is ``None``.

    ``price`` is what the customer asked for (sent, received, failed) or was offered (requoted).
    """

    event: Identifier
    account: Identifier
    symbol: Identifier
    side: Side
    kind: Happened
    at: Instant
    order: Identifier | None = None
    position: Identifier | None = None
    type: OrderType | None = None
    volume: Lots | None = None
    price: Price | None = None
    source: Identifier | None = None
    reason: Line | None = None


class AccountTerms(Record):
    """What holds for an account from ``effective_from`` on.

    A position needs ``units * lots * opening price / leverage`` of margin, unless a :class:`MarginRate` says otherwise.
    ``stop_out_level`` is equity / used margin in percent: at or below it positions are liquidated. ``hedged`` tells
    what long and short positions of one instrument need together: the margin of ``both``, of the ``larger`` side, or of
    the ``net`` volume at the mean price of the larger side.
    """

    terms: Identifier
    account: Identifier
    effective_from: Instant
    currency: Currency
    leverage: Annotated[Decimal, Field(gt=0, allow_inf_nan=False)]
    stop_out_level: Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]
    client_class: Literal["retail", "professional", "eligible_counterparty"] | None = None
    hedged: Literal["both", "larger", "net"] = "both"


class MarginRate(Record):
    """What a lot of an instrument needs of margin from ``effective_from`` on, for one account or for all.

    It holds for the lots of one side above ``above_lots``, up to the next tier of the same date: either ``percent`` of
    the opening value, or ``per_lot`` in ``currency``. The newest date counts, an account's own before everybody's.
    """

    margin: Identifier
    symbol: Identifier
    effective_from: Instant
    account: Identifier | None = None
    above_lots: Annotated[Decimal, Field(ge=0, allow_inf_nan=False)] = Decimal(0)
    percent: Annotated[Decimal, Field(ge=0, allow_inf_nan=False)] | None = None
    per_lot: Annotated[Amount, Field(ge=0)] | None = None
    currency: Currency | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.percent is None) is (self.per_lot is None):
            raise ValueError("percent, per_lot: give one of them")
        if (self.per_lot is None) is not (self.currency is None):
            raise ValueError("currency: of the fixed sum per_lot, and of nothing else")
        return self


class Balance(Record):
    """The balance of an account at ``at``, with its credit, as the platform stated it."""

    balance: Identifier
    account: Identifier
    at: Instant
    amount: Amount
    currency: Currency
    credit: Amount = Decimal(0)


class ChargeSchedule(Record):
    """The published charges of an instrument from ``effective_from`` on.

    A night is held at ``rollover`` in ``zone``; the one that begins on ``triple_day`` (1 = Monday) counts three. Rates
    are as platforms show them: below zero is charged. ``percent_360`` is a yearly percentage of the opening value over
    360 days, ``points`` of the instrument's last digit a lot, ``money`` an amount a lot in the instrument's currency.
    ``commission`` is an amount in ``currency`` for each lot and fill, zero or more.
    """

    schedule: Identifier
    symbol: Identifier
    effective_from: Instant
    swap_long: Percent
    swap_short: Percent
    swap_unit: Literal["percent_360", "points", "money"]
    triple_day: Annotated[int, Field(ge=1, le=7)]
    rollover: time = time(17)
    zone: Zone = "America/New_York"
    commission: Annotated[Amount, Field(ge=0)] = Decimal(0)
    currency: Currency


class Outage(Record):
    """A time in which ``service`` did not work, for all instruments or for one. Still going on without ``until``."""

    outage: Identifier
    service: Identifier
    since: Instant
    until: Instant | None = None
    symbol: Identifier | None = None
    cause: Line | None = None

    @model_validator(mode="after")
    def _ends_after_its_beginning(self) -> Self:
        if self.until is not None and self.until < self.since:
            raise ValueError("until is before since")
        return self


class BinaryOption(Record):
    """A bet that the price of ``source`` at ``expires_at`` is above (up) or below (down) the one at ``struck_at``.

    Won, it pays the stake and ``payout_percent`` of it; lost, nothing; at the same price the stake. ``paid`` is what
    was paid, ``strike`` and ``settled_price`` what it was reckoned by.
    """

    option: Identifier
    account: Identifier
    symbol: Identifier
    source: Identifier
    direction: Literal["up", "down"]
    stake: Annotated[Amount, Field(gt=0)]
    currency: Currency
    payout_percent: Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]
    strike: Price
    struck_at: Instant
    expires_at: Instant
    settled_price: Price | None = None
    settled_at: Instant | None = None
    paid: Annotated[Amount, Field(ge=0)] | None = None


class Cancellation(Record):
    """Trades that the firm undid, and why.

    ``amount`` is what was taken from the customer by it, zero or more. ``clause`` is the term relied on, ``evidence``
    what showed that it applied, ``decided_by`` the role or person that used the discretion, ``recorded_at`` when the
    reasons were written down.
    """

    cancellation: Identifier
    account: Identifier
    at: Instant
    amount: Annotated[Amount, Field(ge=0)]
    currency: Currency
    order: Identifier | None = None
    position: Identifier | None = None
    clause: Line | None = None
    evidence: Line | None = None
    decided_by: Identifier | None = None
    reason: Line | None = None
    recorded_at: Instant | None = None


class Disclosure(Record):
    """That the customer was told of something: a fee (``about`` as the entry's note begins) or a document.

    Of a fee, ``sum`` in ``currency`` is what was told for each ``unit``: a charge, a month, a lot, or per cent of what
    is traded or moved. ``fee`` is its name in the price list, which the entry's note may begin with as well.
    """

    disclosure: Identifier
    account: Identifier
    kind: Literal["fee", "product"]
    about: Line
    at: Instant
    document: Line | None = None
    acknowledged_at: Instant | None = None
    fee: Line | None = None
    unit: Literal["charge", "month", "lot", "percent"] | None = None
    sum: Annotated[Amount, Field(ge=0)] | None = None
    currency: Currency | None = None

    @model_validator(mode="after")
    def _tells_a_whole_price(self) -> Self:
        if (self.sum is None) is not (self.unit is None):
            raise ValueError("unit: give the sum and what it is for (charge, month, lot, percent), or neither")
        if (self.currency is not None) is not (self.sum is not None and self.unit != "percent"):
            raise ValueError("currency: of a sum in money, and of nothing else")
        if self.sum is not None and self.kind != "fee":
            raise ValueError("sum: of a fee, and of nothing else")
        return self


class Appropriateness(Record):
    """What was found when the firm asked whether a product (an instrument) is right for the customer."""

    assessment: Identifier
    account: Identifier
    symbol: Identifier
    at: Instant
    result: Literal["appropriate", "not_appropriate", "not_answered"]
    warned_at: Instant | None = None


class AssessmentsKept(Record):
    """Whether the firm has an assessment of any customer on record from ``since`` to ``until``. No row of anybody."""

    since: Instant
    until: Instant
    kept: bool


class AccountHappened(StrEnum):
    """What befell an account."""

    FROZEN = "frozen"
    UNFROZEN = "unfrozen"
    LOGGED_IN = "logged_in"
    LOG_IN_FAILED = "log_in_failed"
    VERIFICATION_ASKED = "verification_asked"
    VERIFIED = "verified"
    VERIFICATION_REFUSED = "verification_refused"


class AccountEvent(Record):
    """A line of the account log.

    ``reason`` is the firm's own, and not told to the customer by rule; ``told_at`` is when the customer was told of the
    event. ``country`` is where a log-in came from.
    """

    event: Identifier
    account: Identifier
    at: Instant
    kind: AccountHappened
    reason: Line | None = None
    told_at: Instant | None = None
    country: Country | None = None


class Customer(Record):
    """Who holds an account, and how and in which language to reach them. Personal data.

    The newest row of an account counts; those before it stay. Without an e-mail address letters are posted.
    """

    account: Identifier
    name: Line
    email: EmailStr | None = None
    phone: Phone | None = None
    language: Language


class SlippageShares(Record):
    """How all customers' orders of one kind were filled from ``since`` to ``until``: counted by the database.

    ``better``, ``same`` and ``worse`` are orders against the price asked for; the means are in the instrument's price
    units, both above zero. No row of anybody is in it.
    """

    symbol: Identifier
    type: OrderType
    since: Instant
    until: Instant
    better: int
    same: int
    worse: int
    mean_better: Decimal | None = None
    mean_worse: Decimal | None = None


class RequoteShares(Record):
    """How all customers' orders of one instrument and side were answered from ``since`` to ``until``.

    Requotes are ``better`` or ``worse`` for the customer than the price asked for.
    """

    symbol: Identifier
    side: Side
    since: Instant
    until: Instant
    received: int
    requoted_better: int
    requoted_worse: int
    rejected: int
