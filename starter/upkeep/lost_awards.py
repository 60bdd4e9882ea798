"""Awards that closed workflows tell of and the ledger does not have, as after a restore of the database."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from temporalio.service import RPCError

from domain.case.answers import Closed
from domain.ground.words import WORKFLOW
from runtime.connection import TemporalUnavailable
from starter.client.complaints import Complaints
from starter.reading.ledger import LedgerFault

if TYPE_CHECKING:
    from runtime.database import Pool

_BATCH: Final = 1_000


async def find_lost_awards(pool: "Pool", complaints: Complaints) -> list[LedgerFault]:
    """The cases that a workflow of this task queue has closed and whose file knows nothing of that, with their awards.

    Only of those is the result asked for, so that it costs a list of the closed workflows. Raises
    ``TemporalUnavailable``, also where the server cannot list workflows.
    """
    query = f"WorkflowType = '{WORKFLOW}' AND ExecutionStatus = 'Completed' AND TaskQueue = '{complaints.task_queue}'"
    faults: list[LedgerFault] = []
    references: list[str] = []
    try:
        async for execution in complaints.client.list_workflows(query):
            references.append(execution.id)
            if len(references) == _BATCH:
                faults += await _lost(pool, complaints, references)
                references = []
        faults += await _lost(pool, complaints, references)
    except RPCError as error:
        raise TemporalUnavailable(f"Temporal: {error.message}") from None
    return faults


async def _lost(pool: "Pool", complaints: Complaints, references: Sequence[str]) -> list[LedgerFault]:
    faults = []
    for row in await pool.fetch(_NOT_CLOSED, list(references)):
        closed: Closed = await complaints.result(row["reference"])
        award, posted = closed.compensation, row["posted"]
        if award is not None and (award.amount, award.currency) != (posted, row["currency"]):
            has = f"{row['currency']} {posted}" if posted else "nothing"
            problem = f"its workflow closed it with {award} awarded, but the ledger has {has}: redress reconcile"
            faults.append(LedgerFault(reference=row["reference"], problem=problem))
    return faults


_NOT_CLOSED: Final = """
    select reference, sum(amount) as posted, max(currency) as currency
    from unnest($1::text[]) as reference
    left join casefile.postings using (reference)
    where not exists (
        select from casefile.cases where cases.reference = reference.reference and closed_at is not null
    ) and (kind is null or kind = 'award') and not casefile.hidden(reference)
    group by reference order by reference
"""
