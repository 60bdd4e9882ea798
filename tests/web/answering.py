"""Final responses of a case, as its file has them."""

from datetime import UTC, datetime

from activities.case.written_once import write_entries
from domain.ground.timeline import Entry
from runtime.database import Pool


async def answer_again(pool: Pool, reference: str, number: int, stage: str) -> None:
    """Have the case send its final response of that *number*, and go on to *stage*."""
    at = datetime.now(UTC)
    entered = Entry(
        key=f"stage:{number}", at=at, kind="stage", actor="redress", text="responded", data={"round": number}
    )
    async with pool.acquire() as connection:
        await write_entries(connection, reference, [entered])
    event = "insert into casefile.events (reference, number, event, at) values ($1, $2, 'responded', $3)"
    await pool.execute(event, reference, 100 + number, at)
    await pool.execute(
        "update casefile.cases set stage = $2, revision = revision + 1 where reference = $1", reference, stage
    )
