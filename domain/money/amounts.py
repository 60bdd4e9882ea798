"""Money: a decimal amount in a currency, rounded once, at the end, as the currency has it."""

from collections.abc import Iterable, Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from domain.ground.base import Record
from domain.money.currencies import DIGITS, NO_CURRENCY, OF_PARTS, is_of_parts


def _whole(code: Any) -> Any:
    if isinstance(code, str) and is_of_parts(code.strip()):
        raise ValueError(OF_PARTS.format(code=code.strip(), whole=code.strip().upper()))
    return code


def _known(code: str) -> str:
    if code not in DIGITS or code in NO_CURRENCY:
        raise ValueError("unknown currency: use an ISO 4217 code such as USD, EUR, CNY or HKD")
    return code


Currency = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_upper=True, pattern=r"^[A-Za-z]{3}$"),
    BeforeValidator(_whole),
    AfterValidator(_known),
]
"""An ISO 4217 currency code, upper case. ``usd`` is read as USD; ``GBp`` is refused, for it is a hundredth of GBP."""

Amount = Annotated[Decimal, Field(allow_inf_nan=False, max_digits=24, decimal_places=10)]


def minor_digits(currency: str) -> int:
    """Digits after the decimal point in *currency* (USD 2, JPY 0), from CLDR."""
    return DIGITS[currency]


class Money(Record):
    """An amount of one currency. Arithmetic keeps full precision; :meth:`rounded` is called once, at the end."""

    amount: Amount
    currency: Currency

    @classmethod
    def zero(cls, currency: str) -> Self:
        return cls(amount=Decimal(0), currency=currency)

    @staticmethod
    def of(amount: Decimal, currency: str) -> "Money":
        """*amount*, of any precision, to the currency's smallest unit, half away from zero."""
        unit = Decimal(1).scaleb(-minor_digits(currency))
        return Money(amount=amount.quantize(unit, ROUND_HALF_UP, Context(prec=60)), currency=currency)

    def rounded(self) -> "Money":
        """The amount to the currency's smallest unit, half away from zero."""
        return Money.of(self.amount, self.currency)

    def same_currency(self, other: "Money") -> None:
        """Raise ``ValueError`` if *other* is in another currency."""
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} cannot be combined without a recorded rate")

    def __add__(self, other: "Money") -> "Money":
        self.same_currency(other)
        return Money(amount=self.amount + other.amount, currency=self.currency)

    def __lt__(self, other: "Money") -> bool:
        self.same_currency(other)
        return self.amount < other.amount

    def __le__(self, other: "Money") -> bool:
        self.same_currency(other)
        return self.amount <= other.amount

    def __str__(self) -> str:
        """``USD 1,234.50``: the form of records, tables and summaries."""
        return f"{self.currency} {self.rounded().amount:,f}"


class PositiveMoney(Money):
    """Money above zero that can be paid, in no smaller units than the currency has: a claim, an award, a payment."""

    amount: Annotated[Decimal, Field(gt=0, allow_inf_nan=False, max_digits=24, decimal_places=10)]

    @model_validator(mode="after")
    def _is_payable(self) -> Self:
        if self.rounded().amount != self.amount:
            digits = minor_digits(self.currency)
            most = f"at most {digits} digits after the point" if digits else "a whole number"
            raise ValueError(f"{self.currency} has no units that small; give {most}")
        return self


def total(amounts: Iterable[Money]) -> Money | None:
    """The sum of *amounts*, or ``None`` when there are none. Raises ``ValueError`` on mixed currencies."""
    result: Money | None = None
    for amount in amounts:
        result = amount if result is None else result + amount
    return result


def shares(amounts: Sequence[Decimal], whole: Money) -> list[Money]:
    """*whole*, in its currency's smallest units, divided among *amounts*, none below zero, so that these add up to it.

    Each is rounded up or down, up where most is left over (the largest remainder; of equals the first). *whole* is what
    they come to, rounded up or down.
    """
    unit = Decimal(1).scaleb(-minor_digits(whole.currency))
    down = [amount.quantize(unit, ROUND_FLOOR, Context(prec=60)) for amount in amounts]
    up = int((whole.amount - sum(down, Decimal(0))) / unit)
    most = sorted(range(len(amounts)), key=lambda place: (down[place] - amounts[place], place))[:up]
    return [
        Money(amount=amount + unit if place in most else amount, currency=whole.currency)
        for place, amount in enumerate(down)
    ]
