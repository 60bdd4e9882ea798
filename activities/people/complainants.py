"""Who complains, compared with the customer on file when a case is opened."""

from domain.case.identity import claimed_by
from domain.case.requests import OpenCase
from domain.people.customers import OnFile
from domain.people.matching import Identity, identify
from domain.rules.policy import PolicyPack


def identify_complainant(request: OpenCase, pack: PolicyPack, on_file: OnFile | None) -> Identity:
    """Who complains in a case that is being opened under that *pack*, by what is *on file* of the account."""
    complaint = request.complaint
    found = identify(claimed_by(complaint), on_file, complaint.received_at.date(), pack.spokespersons)
    return found.model_copy(update={"at": request.at})
