"""The search attributes of a case: what lists and filters in the Temporal UI show. None is personal.

A Temporal server takes at most 10 keyword attributes and 3 of most other types; of these 10 are
keywords, and of every other type there are 2 or 1.
"""

from typing import Any

from temporalio.common import SearchAttributeKey

from domain.case import tasks
from domain.case.case import Case
from domain.case.payments import payment_standing
from domain.ground.words import SearchAttribute

STAGE = SearchAttributeKey.for_keyword(SearchAttribute.STAGE.value)
CATEGORY = SearchAttributeKey.for_keyword(SearchAttribute.CATEGORY.value)
SEVERITY = SearchAttributeKey.for_keyword(SearchAttribute.SEVERITY.value)
PRIORITY = SearchAttributeKey.for_keyword(SearchAttribute.PRIORITY.value)
TEAM = SearchAttributeKey.for_keyword(SearchAttribute.TEAM.value)
HANDLER = SearchAttributeKey.for_keyword(SearchAttribute.HANDLER.value)
POLICY = SearchAttributeKey.for_keyword(SearchAttribute.POLICY.value)
OUTCOME = SearchAttributeKey.for_keyword(SearchAttribute.OUTCOME.value)
ESCALATION_LEVEL = SearchAttributeKey.for_int(SearchAttribute.ESCALATION_LEVEL.value)
PAYMENT = SearchAttributeKey.for_keyword(SearchAttribute.PAYMENT.value)
BREACHED = SearchAttributeKey.for_bool(SearchAttribute.BREACHED.value)
NEXT_DEADLINE = SearchAttributeKey.for_datetime(SearchAttribute.NEXT_DEADLINE.value)
NEXT_TASK = SearchAttributeKey.for_keyword_list(SearchAttribute.NEXT_TASK.value)
TASK_DUE = SearchAttributeKey.for_datetime(SearchAttribute.TASK_DUE.value)
INCIDENT = SearchAttributeKey.for_keyword_list(SearchAttribute.INCIDENT.value)

KEYS: tuple[SearchAttributeKey[Any], ...] = (
    STAGE,
    CATEGORY,
    SEVERITY,
    PRIORITY,
    TEAM,
    HANDLER,
    POLICY,
    OUTCOME,
    PAYMENT,
    ESCALATION_LEVEL,
    BREACHED,
    NEXT_DEADLINE,
    NEXT_TASK,
    TASK_DUE,
    INCIDENT,
)


def attributes(case: Case) -> dict[SearchAttributeKey[Any], Any]:
    """What every key should say of *case* now; ``None`` where there is nothing to say."""
    assessment, task = case.assessment, tasks.due_first(case)
    return {
        STAGE: case.stage.value,
        CATEGORY: assessment and assessment.category.value,
        SEVERITY: assessment and assessment.severity.value,
        PRIORITY: assessment and assessment.priority.value,
        TEAM: assessment and assessment.team,
        HANDLER: case.handler,
        POLICY: case.policy and f"{case.policy.id}@{case.policy.version}",
        OUTCOME: case.outcome and case.outcome.value,
        ESCALATION_LEVEL: case.escalation_level,
        PAYMENT: payment_standing(case),
        BREACHED: case.breached,
        NEXT_DEADLINE: case.next_due,
        NEXT_TASK: [task.kind.value, task.owner or task.role.value] if task else None,
        TASK_DUE: task and task.due,
        INCIDENT: [case.incident.incident] if case.incident else None,
    }
