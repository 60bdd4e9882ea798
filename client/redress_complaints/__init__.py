"""Start complaints, open incidents, and talk to their cases."""

from domain.case.answers import Closed, Status
from domain.case.complaint import Channel, Complainant, Complaint
from domain.ground.people import Actor
from domain.ground.timeline import Entry
from domain.ground.words import Category, Outcome, Remedy, Role, Severity, Stage
from domain.incidents.incident import Fault, NewIncident
from domain.incidents.progress import Progress
from domain.money.amounts import Money, PositiveMoney
from runtime.connection import TemporalUnavailable
from starter.client.complaints import CaseClosed, CaseNotFound, Complaints, InvalidComplaint, Listed, Submitted
from starter.client.conversation import NotAnswered, Refused
from starter.client.incidents import IncidentNotFound, Incidents, Opened

__all__ = [
    "Actor",
    "CaseClosed",
    "CaseNotFound",
    "Category",
    "Channel",
    "Closed",
    "Complainant",
    "Complaint",
    "Complaints",
    "Entry",
    "Fault",
    "IncidentNotFound",
    "Incidents",
    "InvalidComplaint",
    "Listed",
    "Money",
    "NewIncident",
    "NotAnswered",
    "Opened",
    "Outcome",
    "PositiveMoney",
    "Progress",
    "Refused",
    "Remedy",
    "Role",
    "Severity",
    "Stage",
    "Status",
    "Submitted",
    "TemporalUnavailable",
]
