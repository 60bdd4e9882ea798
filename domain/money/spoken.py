"""Money as letters say it."""

from babel import Locale
from babel.numbers import format_currency

from domain.money.amounts import Money


def localised(money: Money, language: str) -> str:
    """*money* in the form of letters, e.g. ``US$1,234.50`` in zh-CN and ``$1,234.50`` in en."""
    return format_currency(money.rounded().amount, money.currency, locale=Locale.parse(language, sep="-"))
