"""Who complains, compared with the customer on file when a case is opened."""

from typing import TYPE_CHECKING

from domain.case.identity import claimed_by
from domain.case.requests import OpenCase
from domain.people.matching import Identity, identify
from domain.rules.policy import PolicyPack
from record.customers import read_on_file

if TYPE_CHECKING:
    from runtime.database import Connection


async def identify_complainant(connection: "Connection", request: OpenCase, pack: PolicyPack) -> Identity:
    """Who complains in a case that is being opened under that *pack*."""
    complaint = request.complaint
    on_file = await read_on_file(connection, complaint.account)
    found = identify(claimed_by(complaint), on_file, complaint.received_at.date(), pack.spokespersons)
    return found.model_copy(update={"at": request.at})
