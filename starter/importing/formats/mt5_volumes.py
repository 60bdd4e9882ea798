"""The volumes of orders in an MT5 report: in lots, or in units where the terminal shows those, and shortened in both.

``0.4 / 0.4`` is what an order asked for and what was filled of it. Large volumes are shortened: ``10K``, ``1.5M``. Only
the deals tell whether that is lots or units: they name their order, and their volumes are checked by their profits.
"""

import re
from decimal import Decimal
from typing import Final

from domain.log.trade_log import Instrument
from starter.importing.formats.source import number
from starter.importing.formats.trade_log_csv import BadRow

_SHORT: Final = re.compile(r"(.+?)\s*([KM])", re.IGNORECASE).fullmatch
_TIMES: Final = {"K": 3, "M": 6}


def is_short(stated: str) -> bool:
    """Whether a volume is written in thousands or millions."""
    return _SHORT(stated.strip()) is not None


def volume_of(stated: str) -> Decimal:
    """A volume as written, ``10K`` being 10,000. Raises :class:`BadRow`."""
    if shape := _SHORT(stated.strip()):
        return number(shape[1], "volume").scaleb(_TIMES[shape[2].upper()])
    return number(stated, "volume")


def _means(stated: str, volume: Decimal) -> bool:
    """Whether *stated* may be *volume*: a shortened one is rounded at its last digit."""
    value = volume_of(stated)
    if not is_short(stated):
        return value == volume
    return abs(value - volume) < Decimal(1).scaleb(int(value.as_tuple().exponent))


class Volumes:
    """What the orders and deals of a report tell of its volumes: complete when the report was read once."""

    def __init__(self) -> None:
        self._deals: dict[str, dict[str, Decimal]] = {}
        self._filled: dict[str, tuple[str, Decimal]] = {}
        self._units: frozenset[bool] = frozenset()

    def dealt(self, order: str, deal: str, lots: Decimal) -> None:
        """A deal of an order. The second reading of it says nothing new."""
        self._deals.setdefault(order, {})[deal] = lots

    def of_order(self, order: str, stated: str, instrument: Instrument) -> Decimal:
        """The volume in lots of an order of which the report states this. Raises :class:`BadRow`."""
        asked, _, filled = (each.strip() for each in stated.partition("/"))
        size, dealt = instrument.contract_size, self._dealt(order)
        volume, _ = volume_of(asked), volume_of(filled or asked)
        self._filled.setdefault(order, (filled or asked, size))
        if is_short(asked) and asked == filled and dealt:
            if _means(asked, dealt) or _means(asked, dealt * size):
                return dealt
            raise BadRow("volume", f"{stated!r} is neither the lots nor the units of its deals, which are {dealt:f}")
        if is_short(asked) and size != 1 and len(self._units) != 1:
            raise BadRow("volume", f"{stated!r} may be lots or units, and no order with deals tells: save it in lots")
        return volume / size if self._units == {True} else volume

    def ended(self) -> None:
        """The report was read: whether orders that were filled are in units."""
        self._units = frozenset(
            _means(filled, dealt * size)
            for order, (filled, size) in self._filled.items()
            if size != 1 and (dealt := self._dealt(order)) and _means(filled, dealt) is not _means(filled, dealt * size)
        )

    def _dealt(self, order: str) -> Decimal:
        return sum(self._deals.get(order, {}).values(), Decimal(0))
