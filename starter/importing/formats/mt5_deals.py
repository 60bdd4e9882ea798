"""The deals of an MT5 report reckoned again: the balance from deal to deal, and the profit of each that closed."""

from decimal import Decimal
from typing import NamedTuple

from domain.log.trade_log import Instrument, Side
from starter.importing.formats.reckoning import Reckoning, profit


class Deal(NamedTuple):
    """A deal that traded: ``profit`` is what it states."""

    id: str
    order: str
    instrument: Instrument
    side: Side
    direction: str
    volume: Decimal
    price: Decimal
    profit: Decimal


_OPENED_BEFORE = "closed what was opened before the report begins"


class Deals:
    """Follows the deals of one report. ``sums`` are those of the trades' money: no deposit is profit."""

    def __init__(self, reckoning: Reckoning) -> None:
        self.sums = dict.fromkeys(("commission", "fee", "swap", "profit"), Decimal(0))
        self._reckoning = reckoning
        self._balance: Decimal | None = None
        self._whole: bool | None = None
        self._besides = dict.fromkeys(self.sums, Decimal(0))
        self._lent = Decimal(0)
        self._gains = self._losses = Decimal(0)
        self._count = 0
        self._open: dict[tuple[str, Side], list[tuple[Decimal, Decimal]]] = {}
        self._halves: dict[str, Deal] = {}

    def book(
        self, deal: str, money: dict[str, Decimal], balance: Decimal | None, *, trades: bool, credit: bool = False
    ) -> None:
        """Add a deal's *money*; *balance* is what the report says it is after it.

        *credit* is lent: equity has it, and the balance of most servers does not.
        """
        net = sum(money.values(), Decimal(0))
        if credit and balance == (self._balance or 0):
            self._lent += money["profit"]
            net = Decimal(0)
        for name, amount in money.items():
            (self.sums if trades else self._besides)[name] += amount
        if trades:
            self._count += 1
            self._gains += max(net, Decimal(0))
            self._losses += min(net, Decimal(0))
        if self._whole is None:  # the history of an account begins at nothing
            self._whole = balance is None or balance == net
        if balance is not None:
            if self._balance is not None:
                self._reckoning.total(f"balance after deal {deal}", balance, self._balance + net)
            self._balance = balance

    def stated(self, name: str, amount: Decimal) -> None:
        self._reckoning.states(name, self._reckoning.amount(amount) if name != "Total_Deals" else amount)

    def totals(self, stated: dict[str, Decimal]) -> None:
        """The sums that the report has below the deals: of the trades, or of all that was booked."""
        for name, amount in stated.items():
            given, trades = self._reckoning.amount(amount), self.sums[name]
            both = trades + self._besides[name]
            meant = (both, both - self._lent if name == "profit" else both)
            self._reckoning.total(f"sum of {name}", given, given if given in meant else trades)

    def ended(self) -> None:
        self._reckoning.follows(
            Total_Net_Profit=self._gains + self._losses,
            Gross_Profit=self._gains,
            Gross_Loss=self._losses,
            Total_Deals=Decimal(self._count),
        )

    def trade(self, deal: Deal) -> None:
        """Compare the profit that a deal states with what it closed. The report does not name that."""
        if deal.direction == "in":
            self._held(deal, deal.side).append((deal.volume, deal.price))
        elif deal.direction == "out by":
            self._close_by(deal)
        else:
            self._close(deal, turns=deal.direction == "in/out")

    def _held(self, deal: Deal, side: Side) -> list[tuple[Decimal, Decimal]]:
        return self._open.setdefault((deal.instrument.symbol, side), [])

    def _close_by(self, deal: Deal) -> None:
        """One position closed by its opposite gives two deals, each at the price the other was opened at.

        What both made stands on one of them.
        """
        held = self._held(deal, deal.side.opposite)
        self._take(held, deal.volume, next((opened for lots, opened in held if lots >= deal.volume), None))
        if (first := self._halves.pop(deal.order, None)) is None:
            self._halves[deal.order] = deal
        elif first.side is not deal.side and self._reckoning.checks(deal.instrument):
            made = profit(deal.side.opposite, deal.volume, first.price, deal.price, deal.instrument)
            pair = f"deals {first.id} and {deal.id}"
            self._reckoning.trade(pair, first.profit + deal.profit, made, deal.instrument)

    def _close(self, deal: Deal, *, turns: bool) -> None:
        """The profit must be that of an open deal of this volume or more, or that of the average price of all.

        A deal that *turns* a net position closes all of it and opens the rest on the other side.
        """
        held = self._held(deal, deal.side.opposite)
        lots = sum((each for each, _ in held), Decimal(0))
        closed = min(lots, deal.volume) if turns else deal.volume
        if turns and 0 < closed < deal.volume:
            self._open[deal.instrument.symbol, deal.side] = [(deal.volume - closed, deal.price)]
        if not 0 < closed <= lots:
            held.clear()
            if self._whole:
                closes = f"closes {deal.volume} lots, of which {lots} were opened in this report"
                self._reckoning.differs(f"deal {deal.id}: {closes}")
            else:
                self._reckoning.leaves_out(_OPENED_BEFORE)
        elif not self._reckoning.checks(deal.instrument):
            self._take(held, closed, None)
        elif turns or not self._is_of_one(deal, held):
            average = sum((each * opened for each, opened in held), Decimal(0)) / lots
            made = profit(deal.side.opposite, closed, average, deal.price, deal.instrument)
            if not self._whole and self._reckoning.rounded(made) != deal.profit:  # what was opened earlier, maybe
                self._take(held, closed, None)
                self._reckoning.leaves_out(_OPENED_BEFORE)
                return
            sure = len({opened for _, opened in held}) == 1
            held[:] = [(lots - closed, average)] if lots > closed else []
            self._reckoning.trade(f"deal {deal.id}", deal.profit, made, deal.instrument, sure=sure)

    def _is_of_one(self, deal: Deal, held: list[tuple[Decimal, Decimal]]) -> bool:
        """Whether the profit is that of one of the deals *held*, which is then taken out of them."""
        for lots, opened in held:
            made = profit(deal.side.opposite, deal.volume, opened, deal.price, deal.instrument)
            if lots >= deal.volume and self._reckoning.rounded(made) == deal.profit:
                self._take(held, deal.volume, opened)
                self._reckoning.trade(f"deal {deal.id}", deal.profit, made, deal.instrument)
                return True
        return False

    @staticmethod
    def _take(held: list[tuple[Decimal, Decimal]], volume: Decimal, opened: Decimal | None) -> None:
        """Take *volume* lots out of what is held: of the deal opened at *opened*, else from the first on."""
        for place, (lots, price) in enumerate(held):
            if price == opened and lots >= volume:
                held[place : place + 1] = [(lots - volume, price)] if lots > volume else []
                return
        while held and volume > 0:
            lots, price = held[0]
            held[:1] = [(lots - volume, price)] if lots > volume else []
            volume -= min(lots, volume)
