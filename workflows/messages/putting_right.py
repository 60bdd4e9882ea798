"""What people and the firm's systems say of remedies and of temporary relief."""

from temporalio import workflow

from domain.case.messages.putting_right import ConfirmRemedy, GrantRelief, ReassignRemedy
from domain.case.obligations import Proof
from domain.case.remedies import check_confirmation, check_relief, confirm, grant_relief, still_to_do
from domain.case.tasks import check_owner
from workflows.parts.casework import Casework


def grant(work: Casework, request: GrantRelief) -> str:
    """Temporary relief is to be put in place, and ends."""
    return grant_relief(work.case, request, workflow.now()).spoken


def must_end(work: Casework, request: GrantRelief) -> None:
    """Relief has an end to come."""
    check_relief(work.case, request, workflow.now())


def confirm_remedy(work: Casework, request: ConfirmRemedy) -> str:
    """A remedy was carried out, or is owed no longer."""
    proof = Proof(by=str(request.actor), at=workflow.now(), how=request.proof)
    return confirm(work.case, request.remedy, proof, lapsed=request.lapsed).spoken


def must_be_owed(work: Casework, request: ConfirmRemedy) -> None:
    """It is owed, and the actor may say so."""
    check_confirmation(work.case, request)


def reassign(work: Casework, request: ReassignRemedy) -> str:
    """Somebody else has it to carry out."""
    return f"remedy {work.remedies.reassign(request).spoken}, to {request.owner}"


def must_be_allowed_to_have_it(work: Casework, request: ReassignRemedy) -> None:
    """It is owed, and whoever gets it is not kept out."""
    still_to_do(work.case, request.remedy)
    check_owner(work.case, request.owner)
