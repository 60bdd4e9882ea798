"""Customers on file, so that who complains is known: most tests are about something else."""

from typing import TYPE_CHECKING

from domain.case.complaint import Complaint
from starter.client.holders import Holder, add_holder

if TYPE_CHECKING:
    from runtime.database import Pool


async def put_on_file(pool: "Pool", complaint: Complaint) -> None:
    """Have whoever complains hold the account of *complaint*, unless somebody is on file for it."""
    who, known = complaint.complainant, "select from casefile.customers where account = $1"
    if complaint.account and not await pool.fetch(known, complaint.account):
        holder = Holder(complaint.account, who.name, who.email, who.phone, complaint.language)
        async with pool.acquire() as connection:
            await add_holder(connection, holder)
