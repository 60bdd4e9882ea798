"""Take mail in: it is committed before whoever brings it is told that it was accepted."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from domain.case.complaint import EARLIEST
from domain.intake.received import Door, Kind
from domain.mail.parts import essence
from starter.intake.receiving import Received, receive

if TYPE_CHECKING:
    from runtime.database import Pool


async def take_in(pool: "Pool", raw: bytes, envelope: Mapping[str, Any], came_at: datetime | None = None) -> Received:
    """Commit the message *raw* with how it came. Brought again, by whatever way, it counts once.

    Our own server may have had it since *came_at*, and then it was received; what its writer says of the time is
    nothing to go by. Raises what the database raises; then the message is not accepted.
    """
    now = datetime.now(UTC)
    at = came_at if came_at and EARLIEST <= came_at <= now else now
    return await receive(
        pool, Door.MAIL, Kind.MAIL, raw, at=at, reference=None, envelope=envelope, essence=essence(raw)
    )
