"""The words of the field, each with one meaning everywhere: stages, roles, categories, outcomes, events."""

from enum import StrEnum


class Stage(StrEnum):
    """Where a complaint is in its life (ISO 10002)."""

    RECEIVED = "received"
    ACKNOWLEDGED = "acknowledged"
    INVESTIGATING = "investigating"
    DECIDING = "deciding"
    RESPONDED = "responded"
    SETTLING = "settling"
    FOLLOWING_UP = "following_up"
    CLOSED = "closed"


class Outcome(StrEnum):
    """How a complaint ended."""

    UPHELD = "upheld"
    PARTLY_UPHELD = "partly_upheld"
    NOT_UPHELD = "not_upheld"
    WITHDRAWN = "withdrawn"
    REFERRED = "referred"


class Role(StrEnum):
    """What somebody does here. Asserted by the tool that sends the message, kept for the record."""

    CUSTOMER = "customer"
    SERVICE = "service"
    HANDLER = "handler"
    TEAM_LEAD = "team_lead"
    APPROVER = "approver"
    COMPLIANCE_OFFICER = "compliance_officer"
    EXECUTIVE = "executive"
    SYSTEM = "system"

    @property
    def is_staff(self) -> bool:
        return self in {Role.HANDLER, Role.TEAM_LEAD, Role.APPROVER, Role.COMPLIANCE_OFFICER, Role.EXECUTIVE}


class Scope(StrEnum):
    """What somebody may do for a customer."""

    COMPLAIN = "complain"
    """Complain, be written to about it, and answer."""
    SETTLE = "settle"
    """Accept or dispute a decision."""


class Category(StrEnum):
    """What a complaint is about."""

    EXECUTION = "execution"
    WITHDRAWAL = "withdrawal"
    DEPOSIT = "deposit"
    FEE = "fee"
    PLATFORM = "platform"
    ACCOUNT = "account"
    CONDUCT = "conduct"
    LENDING = "lending"
    CARD = "card"
    PAYMENT = "payment"
    DEBT_COLLECTION = "debt_collection"
    HARDSHIP = "hardship"
    """A customer in financial hardship asks for relief, or a default notice is disputed."""
    CREDIT_REPORT = "credit_report"
    PRIVACY = "privacy"
    SERVICE = "service"
    OTHER = "other"


class Severity(StrEnum):
    """How much harm the complaint tells of."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Priority(StrEnum):
    """How soon it is to be taken up; ``p1`` first."""

    P1 = "p1"
    P2 = "p2"
    P3 = "p3"
    P4 = "p4"


class Complexity(StrEnum):
    """How hard a complaint is to resolve; some rules allow more time for complex ones."""

    SIMPLE = "simple"
    COMPLEX = "complex"


class ClientClass(StrEnum):
    """What sort of client somebody is under MiFID."""

    RETAIL = "retail"
    PROFESSIONAL = "professional"
    ELIGIBLE_COUNTERPARTY = "eligible_counterparty"


class Matter(StrEnum):
    """A matter that some rules treat by itself, in complaints of any category."""

    DEFAULT_NOTICE = "default_notice"
    """A notice that the customer has failed to pay is disputed."""
    ENFORCEMENT = "enforcement"
    """The customer asks that the enforcement of a debt be postponed."""


class Circumstance(StrEnum):
    """Why a complaint takes longer than its rule gives: the sort of reason that a rule takes for an exception."""

    BEYOND_CONTROL = "beyond_control"
    """The reasons lie beyond the firm's control."""
    ESPECIALLY_COMPLEX = "especially_complex"


class RouteKind(StrEnum):
    """What sort of way to go further a route is."""

    REVIEW = "review"
    MEDIATION = "mediation"
    ARBITRATION = "arbitration"
    OMBUDSMAN = "ombudsman"
    LITIGATION = "litigation"
    REGULATOR = "regulator"


class ReferralStep(StrEnum):
    """What an outside body, or the customer before it, does."""

    FILE_REQUESTED = "file_requested"
    FILE_HANDED_OVER = "file_handed_over"
    DECIDED = "decided"
    AGREED = "agreed"
    """Both sides have agreed there on how the matter is settled."""
    ACCEPTED = "accepted"
    """The customer accepts what was decided, and so it binds the firm."""
    REFUSED = "refused"
    ENDED = "ended"
    """It ends without a decision: withdrawn there, not taken up, discontinued."""


class Element(StrEnum):
    """What a letter may be bound to name. Those that are kinds of routes: at least one such route, with its contact."""

    TIMETABLE = "timetable"
    EXPECTED_DATE = "expected_date"
    REASONS = "reasons"
    REVIEW = "review"
    MEDIATION = "mediation"
    ARBITRATION = "arbitration"
    OMBUDSMAN = "ombudsman"
    LITIGATION = "litigation"
    REGULATOR = "regulator"


class Remedy(StrEnum):
    """What puts things right, or what the customer asks for."""

    REFUND = "refund"
    COMPENSATION = "compensation"
    RELEASE = "release"
    """A withdrawal is released."""
    UNFREEZE = "unfreeze"
    """An account, or a part of what is on it, can be used again."""
    CORRECTION = "correction"
    """What the firm has recorded of the account or the customer is put right."""
    EARLY_REDEMPTION = "early_redemption"
    """A product is paid back before its term."""
    APOLOGY = "apology"
    EXPLANATION = "explanation"
    SERVICE = "service"
    OTHER = "other"


class ContactForm(StrEnum):
    """What a restriction limits contact to."""

    IN_WRITING = "in_writing"
    """Nobody calls, nor is called: but where a life is in danger."""
    BY_POST = "by_post"
    """Letters go by post."""
    ONE_PERSON = "one_person"
    """One named person deals with the customer."""


class TaskKind(StrEnum):
    """What somebody may have to do beside handling the case."""

    VERIFY = "verify_complainant"
    CONSULT = "consult"
    """Have an expert or the legal department say something."""
    CALL_BACK = "call_back"
    CONFIRM_REMEDY = "confirm_remedy"
    REVIEW = "review"
    RESTRICTION = "review_restriction"
    """Say whether contact with the customer stays restricted."""
    DECIDE = "decide"
    """Look at what no rule could decide."""
    ANSWER = "answer_customer"
    """Read what the customer wrote, from which nothing follows by itself, and answer."""
    ADDRESS = "correct_address"
    """Find out where the customer is reached: a letter did not arrive."""


class ReviewTheme(StrEnum):
    """What a question of a review is about, and what training follows from its findings."""

    LISTENING = "listening"
    EVIDENCE = "evidence"
    REASONS = "reasons"
    REDRESS = "redress"
    DEADLINES = "deadlines"
    LETTERS = "letters"
    VULNERABILITY = "vulnerability"
    RECORDS = "records"


class CaseEvent(StrEnum):
    """What can start a clock or satisfy one."""

    RECEIVED = "received"
    ACKNOWLEDGED = "acknowledged"
    CONTACTED = "contacted"
    """Any letter to the customer was accepted by a channel."""
    INFORMATION_REQUESTED = "information_requested"
    CUSTOMER_REPLIED = "customer_replied"
    WAIT_ENDED = "wait_ended"
    """The customer's answer is waited for no longer."""
    OVERDUE_NOTED = "overdue_noted"
    """The response deadline has passed and a new expected date is given."""
    RESPONDED = "responded"
    HELD = "held"
    """A holding letter was accepted by a channel."""
    ANSWERED = "answered"
    """The customer accepted or disputed the final response."""
    DISPUTED = "disputed"
    """The customer disputed the final response and so asks for its review (核查)."""
    REFERRED = "referred"
    """The customer turned to an ombudsman or another outside body."""
    FILE_REQUESTED = "file_requested"
    """The outside body wants the file."""
    FILE_HANDED_OVER = "file_handed_over"
    DECIDED_OUTSIDE = "decided_outside"
    """What was decided or agreed there binds the firm from now on."""
    REFERRAL_ENDED = "referral_ended"
    """Nothing is before the outside body any more, and what it decided is carried out."""
    PAYMENT_DUE = "payment_due"
    """A payment rail is to pay what was awarded, or to pay again what came back."""
    PAYMENT_RETURNED = "payment_returned"
    """What had been paid came back. Ends the clocks that the settlement started."""
    REMEDY_OWED = "remedy_owed"
    """A remedy that is no award of money is owed from now on."""
    REMEDY_CONFIRMED = "remedy_confirmed"
    """It was carried out, or is owed no longer."""
    RELIEF_GRANTED = "relief_granted"
    """Temporary relief was granted while the case is looked into, until a set time."""
    RELIEF_ENDED = "relief_ended"
    TASK_GIVEN = "task_given"
    """Somebody has something to do beside handling the case."""
    TASK_OVERDUE = "task_overdue"
    """It was not done when it should have been."""
    TASK_ENDED = "task_ended"
    """It is done, or of no use any more."""
    SETTLED = "settled"
    FEEDBACK_GIVEN = "feedback_given"
    REOPENED = "reopened"
    EXTENDED = "extended"
    """The customer was told of an approved extension of a clock."""
    RECLASSIFIED = "reclassified"
    REPLANNED = "replanned"
    """A calendar was extended: what had been counted beyond its verified days is counted again."""
    CLOSED = "closed"


class Action(StrEnum):
    """What happens when a rung of a clock comes due."""

    WARN = "warn"
    """Tell the handler's team that the deadline is near."""
    BREACH = "breach"
    """Record that the deadline was missed. Stays for ever."""
    ESCALATE = "escalate"
    """Raise the case to the rung's level and tell that level."""
    PROGRESS_LETTER = "progress_letter"
    OVERDUE_LETTER = "overdue_letter"
    HOLDING_LETTER = "holding_letter"
    """Tell the customer, in the words of the rung's letter, that more time is needed, and what the rule gives them."""
    REMINDER_LETTER = "reminder_letter"
    STOP_WAITING = "stop_waiting"
    """Go on without what the customer was asked for."""
    END_RELIEF = "end_relief"
    """End temporary relief, and have it lifted or granted again."""
    REMIND_OWNER = "remind_owner"
    """Remind whoever has the task."""
    TASK_OVERDUE = "task_overdue"
    """Say that the task is overdue."""
    RAISE_TASK = "raise_task"
    """Give the task to somebody one level up."""
    ACCEPT_SILENCE = "accept_silence"
    """Take the customer's silence as no objection to the final response."""
    ASK_FEEDBACK = "ask_feedback"
    CLOSE = "close"


class LetterKind(StrEnum):
    """A letter to the customer, or a notice to staff."""

    ACKNOWLEDGEMENT = "acknowledgement"
    INFORMATION_REQUEST = "information_request"
    REMINDER = "reminder"
    PROGRESS = "progress"
    OVERDUE = "overdue"
    HOLDING = "holding"
    EXTENSION = "extension"
    SUMMARY_RESOLUTION = "summary_resolution"
    """In place of a final response where the customer regarded the complaint as settled early."""
    FINAL_RESPONSE = "final_response"
    OUTSIDE_DECISION = "outside_decision"
    """What an outside body decided, and that it is carried out."""
    WITHDRAWAL = "withdrawal"
    REFERRAL = "referral"
    PAYMENT_DECLINED = "payment_declined"
    PAYMENT_PARTIAL = "payment_partial"
    PAYMENT_REVERSED = "payment_reversed"
    FEEDBACK_REQUEST = "feedback_request"
    STAFF_NOTICE = "staff_notice"


class PaymentState(StrEnum):
    """Where a payment stands."""

    ORDERED = "ordered"
    """In hand: a rail has it, or may have it."""
    PAID = "paid"
    PARTIAL = "partial"
    DECLINED = "declined"
    REVERSED = "reversed"


class PaymentReason(StrEnum):
    """Why nothing was paid, or why it came back. The customer is told, so nothing secret may be among them."""

    NO_PAYEE = "no_payee"
    """We do not know where to pay to."""
    ACCOUNT_UNKNOWN = "account_unknown"
    ACCOUNT_CLOSED = "account_closed"
    NAME_MISMATCH = "name_mismatch"
    NOT_POSSIBLE = "not_possible"
    """The account does not take such payments: its currency, its kind, a limit."""
    INVALID = "invalid"
    """The rail could make nothing of the order."""
    OTHER = "other"


class IncidentStage(StrEnum):
    """Where an incident stands."""

    LISTING = "listing"
    """The accounts it touched are being looked for."""
    APPROVAL = "approval"
    """The list waits for a second person."""
    COMPENSATING = "compensating"
    CLOSED = "closed"
    DISMISSED = "dismissed"

    @property
    def ended(self) -> bool:
        return self in {IncidentStage.CLOSED, IncidentStage.DISMISSED}

    @property
    def approved(self) -> bool:
        """Whether its list was approved: what it says of an account holds."""
        return self in {IncidentStage.COMPENSATING, IncidentStage.CLOSED}


class MemberState(StrEnum):
    """What the fault did to an account."""

    HARMED = "harmed"
    UNHARMED = "unharmed"
    """The market, the customer's own action, or a fault that cost nothing."""
    UNCLEAR = "unclear"
    """The records do not answer. A person decides; nobody is paid by a guess."""


class SearchAttribute(StrEnum):
    """The names under which Temporal's lists know a case."""

    STAGE = "ComplaintStage"
    CATEGORY = "ComplaintCategory"
    SEVERITY = "ComplaintSeverity"
    PRIORITY = "ComplaintPriority"
    TEAM = "ComplaintTeam"
    HANDLER = "ComplaintHandler"
    POLICY = "ComplaintPolicy"
    OUTCOME = "ComplaintOutcome"
    ESCALATION_LEVEL = "ComplaintEscalationLevel"
    PAYMENT = "ComplaintPayment"
    BREACHED = "ComplaintBreached"
    NEXT_DEADLINE = "ComplaintNextDeadline"
    NEXT_TASK = "ComplaintNextTask"
    """The kind of the task that is due first, and who has it: their id, or the role it is for."""
    TASK_DUE = "ComplaintTaskDue"
    INCIDENT = "ComplaintIncident"
    """The incident that the complaint is about; an incident has its own reference there."""


WORKFLOW = "Complaint"
"""The workflow type of a case. Its id is the complaint's reference."""


class Store(StrEnum):
    """What was brought back from a backup: the case file with its ledger, or the workflows."""

    POSTGRESQL = "postgresql"
    TEMPORAL = "temporal"


class Confidence(StrEnum):
    """How far the evidence carries the verdict."""

    CERTAIN = "certain"
    """The firm's own records state it."""
    WELL_SUPPORTED = "well_supported"
    """At least two independent sources, or a number of cases that chance does not explain."""
    DOUBTFUL = "doubtful"
    """One source, few cases, or records that leave room for another reading."""


class SignKind(StrEnum):
    """What somebody should know."""

    DANGER_TO_LIFE = "danger_to_life"
    VULNERABILITY = "vulnerability"
    HIGH_EMOTION = "high_emotion"
    FRAUD = "fraud"
    """The customer was defrauded, or something in the complaint is not what it seems."""
    IMPERSONATION = "impersonation"
    """Who complains may not be who they say."""
    MALICE = "malice"
    MEDIA = "media"
    LEGAL = "legal"
    REGULATOR = "regulator"


class Driver(StrEnum):
    """What makes a customer vulnerable (FCA FG21/1)."""

    HEALTH = "health"
    LIFE_EVENT = "life_event"
    RESILIENCE = "resilience"
    """Little means to withstand a loss."""
    CAPABILITY = "capability"
    """Little knowledge of money, or language, or of the medium."""


class SignStep(StrEnum):
    """What becomes of a sign."""

    RAISED = "raised"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"
