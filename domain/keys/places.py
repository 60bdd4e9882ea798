"""Where personal data is, column by column: what is sealed, and under whose key. Whatever else holds text is named too.

Erasure and what a customer is given of themselves go by this map; a column without a place in it fails the tests.
"""

from collections.abc import Mapping
from itertools import chain
from typing import Final

SEALED: Final[Mapping[str, str]] = {
    "casefile.accesses": "purpose",
    "casefile.cases": "complaint",
    "casefile.checkpoints": "state",
    "casefile.cohort_members": "findings",
    "casefile.contacts": "name email phone",
    "casefile.customer_files": "record",
    "casefile.customers": "name email phone",
    "casefile.erasures": "reason",
    "casefile.holds": "reason",
    "casefile.incident_letter_attempts": "detail",
    "casefile.incident_letters": "recipient subject body",
    "casefile.incident_timeline": "text data",
    "casefile.incidents": "opened",
    "casefile.letter_attempts": "detail",
    "casefile.letters": "recipient subject body",
    "casefile.rejected_messages": "reason payload",
    "casefile.restrictions": "reasons",
    "casefile.reviews": "words",
    "casefile.signs": "sign reason",
    "casefile.timeline": "text data",
    "casefile.unopened": "reason payload",
    "intake.decisions": "reason",
    "intake.endings": "reason",
    "intake.files": "title content",
    "intake.received": "envelope raw",
    "reporting.actions": "data",
    "reporting.articles": "said",
    "reporting.process_reviews": "said",
    "web.codes": "address",
    "web.drafts": "content",
    "web.held_files": "title content",
    "web.sessions": "person",
    "web.subscriptions": "secret secret_before",
}
"""Columns by table that are sealed: under the key of the case or incident; of what is on file of a customer, of what
was found of the accounts on an incident's list, and of letters to them, the customer's; of what came in, the message's;
of what visitors type, that of the month; of what those who work here write of causes and of the process, that of the
installation."""

KEYED: Final[Mapping[str, str]] = {
    "casefile.customers": "fingerprint",
    "casefile.lookups": "token",
    "casefile.search_terms": "terms",
    "intake.mails": "sender",
    "intake.received": "sender proof",
    "web.api_keys": "digest",
    "web.attempts": "bucket",
    "web.codes": "id visitor code",
    "web.drafts": "visitor",
    "web.held_files": "visitor",
    "web.sessions": "id",
}
"""Columns by table that are hashes, keyed with a secret or of something random: nobody reads back what they are of."""

READABLE: Final[Mapping[str, str]] = {
    "casefile.accesses": "who means what reference",
    "casefile.assignments": "reference cause person role team by need",
    "casefile.calendars": "hash id content added_by",
    "casefile.case_topics": "reference topic",
    "casefile.cases": "reference source idempotency_key language channel account policy_hash stage "
    "category severity priority team handler outcome compensation_currency run",
    "casefile.chain": "reference place key content previous digest",
    "casefile.chain_checkpoints": "previous token",
    "casefile.checkpoints": "reference run",
    "casefile.cohort_members": "reference account state currency hash trades settled gained",
    "casefile.cohorts": "reference hash summary",
    "casefile.contacts": "reference key",
    "casefile.customer_files": "kind subject accounts recorded_by message_id token",
    "casefile.customers": "account language",
    "casefile.deadlines": "reference clock rung actions how",
    "casefile.directory": "kind id record recorded_by message_id token",
    "casefile.erasures": "erasure step by token data",
    "casefile.events": "reference event particulars",
    "casefile.firings": "reference clock rung",
    "casefile.holds": "subject by message_id token",
    "casefile.incident_cases": "reference incident",
    "casefile.incident_letter_attempts": "key channel outcome way",
    "casefile.incident_letters": "key reference account language message_id",
    "casefile.incident_results": "reference account posting_key",
    "casefile.incident_timeline": "reference key kind actor token",
    "casefile.incident_warnings": "topic complaints last",
    "casefile.incidents": "reference opened_by kind symbol policy_hash stage progress token",
    "casefile.ledger_entries": "posting_key account currency",
    "casefile.letter_attempts": "key channel outcome way",
    "casefile.letters": "key reference kind language message_id addressee",
    "casefile.lookups": "purpose scope",
    "casefile.pack_marks": "hash mark",
    "casefile.people_changes": "reference",
    "casefile.policy_packs": "hash id version content",
    "casefile.postings": "key reference currency kind rail incident account decision",
    "casefile.promises": "reference account losses",
    "casefile.recusals": "reference person why about",
    "casefile.redressed": "account part posting_key currency",
    "casefile.rejected_messages": "reference key name",
    "casefile.repairs": "reference by written",
    "casefile.restrictions": "account step by form contact reference message_id token",
    "casefile.restores": "store reason declared_by message_id token",
    "casefile.reviews": "reference period step by reviewer data message_id token",
    "casefile.satisfactions": "reference clock by_event",
    "casefile.signs": "reference key step by",
    "casefile.search_terms": "reference",
    "casefile.tasks": "reference kind role owner given_by ended_by how",
    "casefile.timeline": "reference key kind actor token",
    "casefile.unopened": "key workflow_id run_id state name",
    "casefile.worklist": "reference policy_hash stage category priority team handler proposer",
    "intake.decisions": "key actor reference message_id token",
    "intake.endings": "key ending reference",
    "intake.files": "name key reference media_type sha256",
    "intake.mailboxes": "mailbox",
    "intake.mails": "key kind why reference",
    "intake.received": "key door kind reference",
    "intake.waiting": "key",
    "payments.exchanges": "key asked answer detail",
    "payments.orders": "key reference payee currency rail",
    "payments.outcomes": "key outcome rail_reference reason said_by",
    "payments.reversals": "key bank_reference reason said_by",
    "reporting.actions": "action step by token",
    "reporting.articles": "article by message_id token",
    "reporting.facts": "reference kind key data",
    "reporting.process_reviews": "period step by message_id token",
    "reporting.issued": "report period scope hash by record token",
    "web.api_keys": "id service scopes made_by revoked_by",
    "web.deliveries": "subscription key event reference clock",
    "web.drafts": "place",
    "web.held_files": "place name media_type sha256",
    "web.subscriptions": "id service url events made_by failing ended_by",
}
"""Columns by table that hold no personal data, for a reason that `WHY_READABLE` names."""

TRADE_LOG: Final = "tradelog"
"""The schema of the platform's own log, imported as it is. It names accounts, and has what was said on the platform
(``messages.text``) and noted there (``orders.comment``, ``positions.comment``): the one plain place in PostgreSQL."""

COLUMNS: Final = frozenset(
    name for columns in chain(SEALED.values(), KEYED.values(), READABLE.values()) for name in columns.split()
)
"""The names of all these columns."""

TAKEN_OVER: Final[Mapping[str, str]] = {"secret_before": "secret"}
"""What a column holds that was sealed for another of its row."""

WHY_READABLE: Final[Mapping[str, str]] = {
    "it names a case, an account, a trade, a row or a version": (
        "account accounts about article cohort erasure id idempotency_key incident key message_id name number payee "
        "policy_hash posting_key rail_reference bank_reference reference run run_id scope subject subscription trades "
        "url version way workflow_id"
    ),
    # Of the directory this is also why a conflict was declared: the database looks at it, to hide cases.
    "it names somebody who works here, a role, a mailbox or a service": (
        "actor added_by assigned by contact declared_by ended_by given_by handler made_by mailbox opened_by owner "
        "person proposer recorded_by reviewer revoked_by role said_by service team who token record"
    ),
    "it is a word of ours, from a list or of a rule": (
        "action actions addressee answer asked category cause channel clock compensation_currency currency door "
        "ending event events failing form how kind language means media_type need outcome part period place priority "
        "purpose rail report rung scopes severity source stage state step store symbol topic what why"
    ),
    # The reason is a word of a list, but of a restore, whose declaration is verified without keys.
    "it is counted, computed or found in the trade log": (
        "by_event complaints data decision detail gained last losses particulars progress reason "
        "settled summary written"
    ),
    "it is a hash of what is sealed, of a file or of rows": "digest hash mark previous sha256",
    "it is what the firm publishes or rules by, or the record as written, sealed where it is personal": "content",
}
"""Why a column is readable: the names of columns by reason."""
