"""The kinds of rows that can be imported, with the model and the key of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.ground.base import Record
from domain.log.firm_records import (
    AccountEvent,
    AccountTerms,
    Appropriateness,
    Balance,
    BinaryOption,
    Cancellation,
    ChargeSchedule,
    Customer,
    Disclosure,
    MarginRate,
    OrderEvent,
    Outage,
)
from domain.log.trade_log import AccountEntry, AccountMessage, Bar, Fill, Instrument, Order, Position, Quote
from domain.money.interest import BaseRate
from domain.money.parts import Rate


class Kind(StrEnum):
    """A kind of rows; its name is also that of its table."""

    INSTRUMENTS = "instruments"
    QUOTES = "quotes"
    BARS = "bars"
    ORDERS = "orders"
    FILLS = "fills"
    POSITIONS = "positions"
    ACCOUNT_ENTRIES = "account_entries"
    MESSAGES = "messages"
    ORDER_EVENTS = "order_events"
    ACCOUNT_TERMS = "account_terms"
    BALANCES = "balances"
    MARGIN_RATES = "margin_rates"
    CHARGE_SCHEDULES = "charge_schedules"
    OUTAGES = "outages"
    BINARY_OPTIONS = "binary_options"
    CANCELLATIONS = "cancellations"
    DISCLOSURES = "disclosures"
    APPROPRIATENESS = "appropriateness"
    ACCOUNT_LOG = "account_log"
    RATES = "rates"
    BASE_RATES = "base_rates"
    CUSTOMERS = "customers"

    @property
    def schema(self) -> str:
        """The schema of its table: customers are no part of the trade log."""
        return "casefile" if self is Kind.CUSTOMERS else "tradelog"

    @property
    def model(self) -> type[Record]:
        return _MODELS[self]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.model.model_fields)

    @property
    def beside(self) -> tuple[str, ...]:
        """Columns that a file may have besides, by which its rows are compared; they are not kept."""
        return ("currency",) if self is Kind.POSITIONS else ()

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(name for name, field in self.model.model_fields.items() if field.is_required())

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that name a row: a second one is a duplicate, a completion or version of it, or a conflict."""
        return _KEYS.get(self, self.columns[:1])

    @property
    def completion(self) -> "Completion | None":
        """How a row that was recorded unfinished is completed later; ``None`` where every row is final."""
        return _COMPLETIONS.get(self)

    @property
    def told_apart(self) -> tuple[str, ...]:
        """Columns that one file may tell of a row and another not: absent in one of two rows, they agree."""
        apart = {Kind.ORDERS: ("position", "limit_price"), Kind.FILLS: ("position",)}
        return apart.get(self, ())

    @property
    def has_versions(self) -> bool:
        """Whether a row with a known key and other values is a newer version, which counts from then on."""
        return self is Kind.CUSTOMERS

    @property
    def names_instrument(self) -> bool:
        """Whether a row may belong to an instrument, which must be known."""
        return self is not Kind.INSTRUMENTS and "symbol" in self.columns


@dataclass(frozen=True, slots=True)
class Completion:
    """A row is unfinished while its column ``mark`` has the value ``while_``.

    A later row with the same key finishes it, once, if it agrees in every column but those ``open_``: what may still
    change, or is not known yet, while the row is unfinished. It stands in ``table``, in full.
    """

    table: str
    mark: str
    while_: str | None
    open_: tuple[str, ...]


_KEYS: Mapping[Kind, tuple[str, ...]] = {
    Kind.QUOTES: ("symbol", "source", "at"),
    Kind.BARS: ("symbol", "source", "period", "at"),
    Kind.RATES: ("base", "quote", "source", "at"),
    Kind.BASE_RATES: ("name", "effective_from"),
}

# The same columns stand in the migrations, where the database holds every writer to them.
_COMPLETIONS: Mapping[Kind, Completion] = {
    Kind.ORDERS: Completion(
        "order_completions",
        "state",
        "working",
        ("state", "ended_at", "price", "stop", "target", "comment", "limit_price"),
    ),
    Kind.POSITIONS: Completion(
        "position_completions",
        "closed_at",
        None,
        (
            *("volume", "close_price", "closed_at", "close_reason", "margin_level", "stop_out_level", "swap"),
            *("stop", "target", "commission", "taxes", "profit", "comment"),
        ),
    ),
    Kind.ACCOUNT_ENTRIES: Completion("account_entry_completions", "booked_at", None, ("booked_at",)),
    Kind.OUTAGES: Completion("outage_completions", "until", None, ("until", "cause")),
    Kind.BINARY_OPTIONS: Completion(
        "binary_option_completions", "settled_at", None, ("settled_price", "settled_at", "paid")
    ),
    Kind.DISCLOSURES: Completion("disclosure_completions", "acknowledged_at", None, ("acknowledged_at",)),
}

_MODELS: Mapping[Kind, type[Record]] = {
    Kind.INSTRUMENTS: Instrument,
    Kind.QUOTES: Quote,
    Kind.BARS: Bar,
    Kind.ORDERS: Order,
    Kind.FILLS: Fill,
    Kind.POSITIONS: Position,
    Kind.ACCOUNT_ENTRIES: AccountEntry,
    Kind.MESSAGES: AccountMessage,
    Kind.ORDER_EVENTS: OrderEvent,
    Kind.ACCOUNT_TERMS: AccountTerms,
    Kind.BALANCES: Balance,
    Kind.MARGIN_RATES: MarginRate,
    Kind.CHARGE_SCHEDULES: ChargeSchedule,
    Kind.OUTAGES: Outage,
    Kind.BINARY_OPTIONS: BinaryOption,
    Kind.CANCELLATIONS: Cancellation,
    Kind.DISCLOSURES: Disclosure,
    Kind.APPROPRIATENESS: Appropriateness,
    Kind.ACCOUNT_LOG: AccountEvent,
    Kind.RATES: Rate,
    Kind.BASE_RATES: BaseRate,
    Kind.CUSTOMERS: Customer,
}
