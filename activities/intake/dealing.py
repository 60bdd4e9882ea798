"""Deal with what was received: once, whatever happens on the way, and with an end that has a name."""

import hmac
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from activities.intake.bringing import CUSTOMER, Bringing, Delivers, NoCaseYet, SendsAgain, SendsMemberAgain
from activities.intake.mail import Mails
from domain.case.messages.signals import CustomerReply
from domain.intake.received import Dealt, DealWith, Decision, Ending, Kind, Unreadable, complaint_in, message_in
from domain.keys.personal import Gone, Row
from domain.keys.scopes import scope_of_message
from domain.people.actors import Proofs
from runtime.connection import TemporalUnavailable
from runtime.database import OUTAGES
from runtime.keys.here import proof_of_receipt
from runtime.settings import Settings, load_settings

if TYPE_CHECKING:
    from runtime.database import Pool

TRIES: Final = 6
"""What fails as often in ways that nobody foresaw is set aside."""

log = structlog.get_logger(__name__)

# Everything else is the input's own.
_PASSING: Final = (TemporalUnavailable, RPCError, *OUTAGES)


class Dealing:
    """Deals with one thing at a time. ``clock`` gives the time as an aware datetime."""

    def __init__(
        self,
        pool: "Pool",
        delivery: Delivers,
        clock: Callable[[], datetime],
        settings: Settings | None = None,
        *,
        proofs: Proofs | None = None,
        letters: SendsAgain | None = None,
        incident_letters: SendsMemberAgain | None = None,
    ) -> None:
        """*settings* say which servers receive mail for us, and from where our letters come.

        By *proofs* it is known who decided what becomes of something; without, what is said is believed. By *letters*
        and *incident_letters* what came back is sent again.
        """
        self._pool = pool
        self._bringing = Bringing(pool, delivery)
        self._mails = Mails(
            pool, self._bringing, settings or load_settings(), clock, letters, incident_letters=incident_letters
        )
        self._clock = clock
        self._proofs = proofs

    @activity.defn(name="DealWith")
    async def deal_with(self, request: DealWith) -> Dealt:
        """Open a case or have one hear it, and write down what came of it. Repeated, it answers as the first time."""
        found = await self._pool.fetchrow(_RECEIVED, request.key)
        if found is None:
            raise ApplicationError("there is nothing under this key", type="NothingReceived", non_retryable=True)
        row = {**found, **await self._decided(request.key), "here": await _was_received_here(found)}
        if not row["waits"] and row["ending"] is not None:
            return Dealt(ending=Ending(row["ending"]), reference=row["ended_on"], reason=row["reason"])
        try:
            dealt = await self._deal(row)
        except (*_PASSING, NoCaseYet):
            raise
        except Unreadable as error:
            dealt = Dealt(ending=Ending.UNREADABLE, reason=str(error))
        except Exception as error:
            # The text of an error may quote the input.
            if not _is_answered_slowly(error) and activity.info().attempt >= TRIES:
                dealt = Dealt(ending=Ending.SET_ASIDE, reason=f"it failed {TRIES} times with {type(error).__name__}")
            else:
                raise ApplicationError(type(error).__name__, type="NotDealtWith") from None
        await self._end(request.key, dealt)
        return dealt

    async def _decided(self, key: str) -> dict[str, Any]:
        """What people are proven to have decided: on which case it is put, and whether somebody vouches for it."""
        decisions = [
            Decision(**{**row, "reason": None if isinstance(row["reason"], Gone) else row["reason"]})
            for row in await self._pool.fetch(_DECISIONS, key)
        ]
        founded = [one for one in decisions if one.is_founded(self._proofs)]
        return {
            "assigned": next((one.reference for one in reversed(founded) if one.reference), None),
            "vouched": any(one.vouched for one in founded),
        }

    async def _deal(self, row: Mapping[str, Any]) -> Dealt:
        assigned: str | None = row["assigned"]
        match Kind(row["kind"]):
            case Kind.MAIL:
                return await self._mails.deal(row)
            case Kind.MESSAGE:
                reference, message, proven = message_in(row["raw"])
                if (proven and row["here"]) or row["vouched"]:
                    return await self._bringing.send(assigned or reference, message, row["received_at"])
                return await self._bringing.keep_unproven(row["key"], assigned or reference, row["received_at"])
            case Kind.NOTE:
                return Dealt(ending=Ending.KEPT, reference=row["reference"])
            case Kind.COMPLAINT:
                complaint = complaint_in(row["raw"], row["received_at"])
                if not assigned:
                    return await self._bringing.open(row["key"], complaint)
                reply = CustomerReply(
                    message_id=row["key"], actor=CUSTOMER, text=complaint.description, trades=complaint.trades,
                    attachments=await self._bringing.files(row["key"]),
                )  # fmt: skip
                return await self._bringing.send(assigned, reply, row["received_at"])

    async def _end(self, key: str, dealt: Dealt) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            if await connection.fetchval(_NO_LONGER_WAITS, key):
                row = (key, self._clock(), dealt.ending, dealt.reference)
                reason = Row("intake.endings", scope_of_message(key), key)("reason", dealt.reason)
                await connection.execute(_END, *row, reason)
        if dealt.ending.needs_a_person:
            log.error("what was received waits for a person", key=key, ending=dealt.ending.value)


async def _was_received_here(row: Any) -> bool:
    """Whether a door of ours took it in. Else it was written into the database: nobody is proven to have said it."""
    how = row["door"], row["kind"], row["reference"]
    wanted = await proof_of_receipt(row["key"], row["raw"], row["received_at"], *how)
    return hmac.compare_digest(row["proof"] or b"", wanted)


def _is_answered_slowly(error: Exception) -> bool:
    """No worker answered in time: it says nothing about the input."""
    return type(error).__name__ == "NotAnswered"


_RECEIVED: Final = """
    select r.key, r.door, r.kind, r.received_at, r.raw, r.reference, r.proof,
        e.ending, e.reference as ended_on, e.reason,
        exists (select from intake.waiting w where w.key = r.key) as waits
    from intake.received r
    left join lateral (
        select ending, reference, reason from intake.endings where endings.key = r.key order by id desc limit 1
    ) e on true
    where r.key = $1
"""
_DECISIONS: Final = """
    select key, actor, reference, reason, vouched, message_id, token from intake.decisions where key = $1 order by id
"""
_NO_LONGER_WAITS: Final = "delete from intake.waiting where key = $1 returning key"
_END: Final = "insert into intake.endings (key, at, ending, reference, reason) values ($1, $2, $3, $4, $5)"
