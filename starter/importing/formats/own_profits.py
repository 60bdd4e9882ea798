"""The profits of positions in the CSV of our own form, reckoned again where the file says their currency."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from domain.log.trade_log import Instrument, Side
from starter.importing.formats.cells import Cells
from starter.importing.formats.kinds import Kind
from starter.importing.formats.reckoning import Reckoning, profit
from starter.importing.formats.trade_log_csv import Layout, RowError


class OwnProfits:
    """Reckons the profits of closed positions, those of each currency by themselves."""

    def __init__(self, layout: Layout, known: Mapping[str, Instrument]) -> None:
        self._layout, self._known = layout, known
        self._by_currency: dict[str, Reckoning] = {}

    def see(self, rows: Iterable[tuple[int, Sequence[str]]]) -> None:
        """Compare the *rows*, each with its line; those that are bad, or say no currency, are left out."""
        for line, cells in rows:
            row = self._layout.parse(line, cells, self._known)
            if not isinstance(row, RowError) and (currency := self._layout.beside(cells).get("currency")):
                self._compare(row, self._by_currency.setdefault(currency, Reckoning(currency)))

    def _compare(self, row: Cells, reckoning: Reckoning) -> None:
        told = dict(zip(Kind.POSITIONS.columns, row, strict=True))
        volume, opened, closed, stated = (told[name] for name in ("volume", "open_price", "close_price", "profit"))
        instrument = self._known[told["symbol"] or ""]
        if not (told["closed_at"] and volume and opened and closed and stated) or not reckoning.checks(instrument):
            return
        computed = profit(Side(told["side"] or ""), Decimal(volume), Decimal(opened), Decimal(closed), instrument)
        reckoning.trade(f"position {told['position']}", Decimal(stated), computed, instrument)

    @property
    def misfits(self) -> list[str]:
        """Of each instrument whose lot has another size by the profits, what to do."""
        return [said for each in self._by_currency.values() for said in each.sizes.misfits()]

    def summary(self) -> list[str]:
        return [f"{currency}: {said}" for currency, each in self._by_currency.items() for said in each.summary()]

    @property
    def differences(self) -> list[str]:
        return [f"{said} ({currency})" for currency, each in self._by_currency.items() for said in each.differences]
