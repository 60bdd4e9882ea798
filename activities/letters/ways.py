"""The ways by which a letter can go to whom it is for, in the order in which they are tried, and what came of each."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo

import asyncpg

from activities.people.notices import addresses, own_address
from domain.case.requests import SendLetter
from domain.ground.people import Phone
from domain.ground.words import ContactForm, Role
from domain.keys.personal import ours
from domain.letters.kinds import LETTERS
from domain.people.customers import Preferences
from domain.people.matching import Identity
from domain.people.restrictions import Restriction
from domain.rules.policy import PolicyPack
from record.customers import read_on_file
from runtime.letter_hook import LetterHook
from runtime.letters.way_names import NO_ADDRESS, way_of_contact, way_on_file
from runtime.mail import Channel, Mailer, Outbox
from runtime.settings import Settings

if TYPE_CHECKING:
    from runtime.database import Connection

CASE_FILE: Final = "case_file"
"""The channel of a staff notice nobody has an address for: its timeline entry is the notice."""
PRINT_SHOP: Final = "print shop"
BY_MESSAGE: Final = "message"
LONGEST: Final = timedelta(days=1)
"""So long a channel that fails is tried, before the next one is."""
SHORTEST: Final = timedelta(minutes=10)
"""So long it is tried however little time the letter has left."""


@dataclass(frozen=True)
class Way:
    """A channel (``None``: the case file itself), the address or number, and whose it is.

    *whose* is in words without personal data, and names the way among those of the case.
    """

    channel: Channel | LetterHook | None
    recipient: str | None
    whose: str

    @property
    def name(self) -> str:
        return self.channel.name if self.channel else CASE_FILE

    @property
    def disturbs(self) -> bool:
        """Whether something sounds where the letter arrives."""
        return isinstance(self.channel, Mailer) or self.whose == BY_MESSAGE


@dataclass(frozen=True)
class Customer:
    """Who complains. Of wishes and restrictions nothing is known before it is known that they are the customer."""

    identity: Identity
    wishes: Preferences
    restrictions: Sequence[Restriction]
    account: str | None = None

    @property
    def by_post(self) -> bool:
        """Whether letters go by post: by the customer's wish, or by a restriction that is in force."""
        return self.wishes.by_post or any(one.form is ContactForm.BY_POST for one in self.restrictions)


@dataclass(frozen=True)
class Tried:
    """What came of the attempts for one letter so far."""

    closed: frozenset[str] = frozenset()
    """The ways that did not take it for good, or gave it back."""
    failing: dict[str, datetime] = field(default_factory=dict)
    """The ways that failed and may not the next time, each with when it first did."""
    taken: str | None = None
    """The way that took it over, or the copy of it, last."""
    in_doubt: bool = False

    @classmethod
    def of(cls, attempts: Iterable[asyncpg.Record]) -> "Tried":
        """From the rows of *attempts*, in order."""
        closed, failing, taken, in_doubt = set[str](), dict[str, datetime](), None, False
        for row in attempts:
            way = row["way"] or ""
            in_doubt = in_doubt or bool(row["in_doubt"])
            match row["outcome"]:
                case "refused" | "returned":
                    closed.add(way)
                case "failed":
                    failing.setdefault(way, row["at"])
                case _:
                    taken = way
        return cls(frozenset(closed), failing, taken, in_doubt)

    def left(self, ways: Sequence[Way], now: datetime, due: datetime | None) -> Iterator[Way]:
        """Those of *ways* that are to be tried, the last one however often it failed.

        One that fails is tried for a day, or half of the time there was until *due*: another needs the rest of it.
        """
        still = [way for way in ways if way.whose not in self.closed]
        for way in still:
            since = self.failing.get(way.whose)
            if since is None or way is still[-1] or now - since < patience(since, due):
                yield way

    def may_have_arrived(self, by: Way) -> bool:
        """Whether the letter may have reached the customer by another way than *by*."""
        return self.taken is not None or any(whose != by.whose for whose in self.failing)


def patience(since: datetime, due: datetime | None) -> timedelta:
    """How long a way that fails *since* then is tried, where the letter is due at *due*."""
    return min(LONGEST, max(SHORTEST, (due - since) / 2)) if due else LONGEST


class Ways:
    """Finds the ways, as the case file and the settings have them at that moment."""

    def __init__(self, mailer: Mailer | None, outbox: Outbox, hook: LetterHook | None, settings: Settings) -> None:
        self._mailer, self._outbox, self._hook, self._settings = mailer, outbox, hook, settings

    async def to_staff(self, connection: "Connection", request: SendLetter, to: str | None, now: datetime) -> list[Way]:
        """The ways of a notice, which is for *to*; the last is the case file itself."""
        channel = self._mailer or self._outbox
        reference, role, team = request.update.reference, request.facts.audience, request.update.summary.team
        whose: Iterable[str | None] = (role, team)
        ways = []
        if to:
            whose = await addresses(connection, reference, to, role=role or Role.HANDLER, team=team, at=now)
            if address := await own_address(connection, to):
                ways.append(Way(channel, address, f"address of {to}"))
        for name in whose:
            if name and (address := self._settings.staff_addresses.get(name)):
                ways.append(Way(channel, address, f"address of {name}"))
        return [*ways, Way(None, None, NO_ADDRESS)]

    async def to_customer(self, connection: "Connection", case: asyncpg.Record, customer: Customer) -> list[Way]:
        """The ways to whoever complains, the first by their own choice; the last is the outbox, to be posted.

        The *case* is as `activities.letters.case_of_letter` reads it.

        Of addresses on file those count that were verified, of who is known to be the customer. An address that is in
        doubt is none, until it is corrected.
        """
        emails = [] if customer.by_post else await self._emails(connection, case, customer)
        by_mail = [way for way in emails if way.whose not in case["in_doubt"]]
        posted = Way(self._outbox, None, NO_ADDRESS)
        hook = self._hooked(ours(case["phone"], case["reference"]), customer)
        if customer.wishes.by_message and hook and hook.recipient:
            return [hook, *by_mail, posted]
        return [*by_mail, *([hook] if hook else ()), posted]

    async def _emails(self, connection: "Connection", case: asyncpg.Record, customer: Customer) -> list[Way]:
        channel = self._mailer or self._outbox
        own = ours(case["email"], case["reference"])
        ways = [Way(channel, own, way_of_contact(case["contact"]))] if own else []
        if self._mailer is None or customer.account is None:
            return ways
        on_file = await read_on_file(connection, customer.account)
        known = {own.casefold()} if own else set()
        for address in on_file.addresses if on_file else ():
            if address.email and address.verified and address.email.casefold() not in known:
                known.add(address.email.casefold())
                ways.append(Way(channel, address.email, await way_on_file(case["reference"], address.email)))
        return ways

    def _hooked(self, phone: Phone | None, customer: Customer) -> Way | None:
        """The firm's own system, where it can bring the letter: a message needs a number, a print shop knows whom."""
        if self._hook is None:
            return None
        if self._hook.brings == "post":
            return Way(self._hook, None, PRINT_SHOP)
        return Way(self._hook, phone, BY_MESSAGE) if phone and not customer.by_post else None


def clocks_kept(pack: PolicyPack, request: SendLetter) -> list[str]:
    """The clocks of *pack* that the acceptance of the letter satisfies, or extends."""
    announced = set(request.announces)
    kept = [clock.name for clock in pack.clocks if announced & set(clock.satisfied_by)]
    return [*kept, request.facts.clock] if request.facts.clock else kept


class Due(NamedTuple):
    """When the first of the clocks ends that a letter satisfies, and whether one of them is statutory."""

    at: datetime | None
    statutory: bool


async def due_of(connection: "Connection", reference: str, clocks: Sequence[str]) -> Due:
    """Of those *clocks* as far as they still run in a case."""
    row = await connection.fetchrow(_DUE, reference, clocks)
    return Due(row["at"], bool(row["statutory"])) if row else Due(None, statutory=False)


def waits_until(  # noqa: PLR0917 (what decides it)
    request: SendLetter, ways: Sequence[Way], wishes: Preferences, pack: PolicyPack, due: Due, now: datetime
) -> datetime | None:
    """Until when the letter waits for the end of quiet hours; ``None`` where it goes at once.

    At once goes what satisfies a statutory clock, what answers the customer, what makes no noise (post), and what
    would come after a date that it keeps or names.
    """
    row, quiet = LETTERS[request.kind], wishes.quiet_hours or pack.quiet_hours
    if quiet is None or row.to_staff or row.answers or request.facts.asked_for or due.statutory:
        return None
    if not ways[0].disturbs:
        return None
    ends = quiet.until(now, ZoneInfo(wishes.zone) if wishes.zone else pack.calendar.zone)
    if ends is None or (due.at and due.at < ends):
        return None
    named = (request.facts.reply_by, request.facts.expected_by)
    return None if any(date and now <= date < ends for date in named) else ends


_DUE: Final = """
    select min(clock_due) as at, bool_or(statutory) as statutory from casefile.deadlines d
    where reference = $1 and clock = any($2) and not exists (
        select from casefile.satisfactions s where (s.reference, s.clock, s.number) = (d.reference, d.clock, d.number)
    )
"""
