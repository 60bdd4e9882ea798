-- The case file: what a regulator reads years later. Only casefile.cases changes, and of it only the summary;
-- everything else is added once and never touched again.

CREATE SCHEMA casefile;
COMMENT ON SCHEMA casefile IS 'Complaints: cases, timeline, deadline ledger, letters, compensation ledger. Append-only but for the summaries in cases.';

-- Cases ---------------------------------------------------------------------------------------------------------------

CREATE TABLE casefile.policy_packs (
    hash      text PRIMARY KEY,
    id        text NOT NULL,
    version   text NOT NULL,
    content   jsonb NOT NULL,
    pinned_at timestamptz NOT NULL
);
COMMENT ON TABLE casefile.policy_packs IS 'Every policy pack that a case was opened under, as it then was; the file may have changed since.';
COMMENT ON COLUMN casefile.policy_packs.hash IS 'SHA-256 of the content; what cases.policy_hash points to.';

CREATE TABLE casefile.cases (
    reference             text PRIMARY KEY,
    source                text NOT NULL,
    idempotency_key       text NOT NULL,
    received_at           timestamptz NOT NULL,
    opened_at             timestamptz NOT NULL,
    language              text NOT NULL,
    channel               text NOT NULL,
    account               text,
    complaint             jsonb NOT NULL,
    policy_hash           text NOT NULL REFERENCES casefile.policy_packs,
    revision              integer NOT NULL,
    stage                 text NOT NULL,
    stage_since           timestamptz NOT NULL,
    category              text,
    severity              text,
    priority              text,
    in_scope              boolean NOT NULL,
    repeat                boolean NOT NULL,
    team                  text,
    handler               text,
    escalation_level      integer NOT NULL,
    outcome               text,
    compensation_amount   numeric,
    compensation_currency text,
    next_deadline         timestamptz,
    breached              boolean NOT NULL,
    closed_at             timestamptz,
    updated_at            timestamptz NOT NULL DEFAULT now(),
    UNIQUE (source, idempotency_key),
    CHECK ((compensation_amount IS NULL) = (compensation_currency IS NULL))
);
COMMENT ON TABLE casefile.cases IS 'One row a complaint: what was received (never changed) and a summary of where the case stands.';
COMMENT ON COLUMN casefile.cases.source IS 'The system that sent the complaint; with idempotency_key it names the complaint.';
COMMENT ON COLUMN casefile.cases.account IS 'The account as the complaint gave it; one that was found out later is in the timeline.';
COMMENT ON COLUMN casefile.cases.complaint IS 'The complaint as it was received, whole. Holds personal data.';
COMMENT ON COLUMN casefile.cases.policy_hash IS 'The pinned pack: the rules in force at receipt stay with the case.';
COMMENT ON COLUMN casefile.cases.revision IS 'Grows with every change of the summary; an older one never replaces a newer one.';
COMMENT ON COLUMN casefile.cases.compensation_amount IS 'What was awarded in all. The ledger has the postings.';
COMMENT ON COLUMN casefile.cases.breached IS 'Whether a deadline was missed. Once true, true for ever.';

CREATE INDEX cases_newest ON casefile.cases (received_at DESC, reference);
CREATE INDEX cases_open ON casefile.cases (received_at DESC, reference) WHERE closed_at IS NULL;
CREATE INDEX cases_by_stage ON casefile.cases (stage, received_at DESC);
CREATE INDEX cases_by_category ON casefile.cases (category, received_at DESC);
CREATE INDEX cases_by_handler ON casefile.cases (handler, received_at DESC) WHERE handler IS NOT NULL;
CREATE INDEX cases_by_team ON casefile.cases (team, received_at DESC);
CREATE INDEX cases_by_account ON casefile.cases (account, received_at) WHERE account IS NOT NULL;

CREATE TABLE casefile.contacts (
    reference text NOT NULL REFERENCES casefile.cases,
    id        bigint GENERATED ALWAYS AS IDENTITY,
    at        timestamptz NOT NULL,
    key       text NOT NULL UNIQUE,
    name      text NOT NULL,
    email     text,
    phone     text,
    PRIMARY KEY (reference, id)
);
COMMENT ON TABLE casefile.contacts IS 'Where letters go: the newest row of a case counts, the older ones are its history. Personal data.';
CREATE INDEX contacts_by_email ON casefile.contacts (lower(email)) WHERE email IS NOT NULL;

CREATE TABLE casefile.timeline (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reference text NOT NULL REFERENCES casefile.cases,
    key       text NOT NULL,
    at        timestamptz NOT NULL,
    kind      text NOT NULL,
    actor     text NOT NULL,
    text      text NOT NULL,
    data      jsonb NOT NULL DEFAULT '{}',
    UNIQUE (reference, key)
);
COMMENT ON TABLE casefile.timeline IS 'What happened, in order: stages, messages, decisions, findings.';
COMMENT ON COLUMN casefile.timeline.key IS 'Unique within the case, so that an entry written twice is there once.';
COMMENT ON COLUMN casefile.timeline.at IS 'When it happened; rows may be written later and in another order.';
COMMENT ON COLUMN casefile.timeline.actor IS 'Who did it, as role:id.';
COMMENT ON COLUMN casefile.timeline.data IS 'The particulars, by kind; an entry "assessed" has the assessment and its grounds, "finding" the findings.';
CREATE INDEX timeline_in_order ON casefile.timeline (reference, at, id);

CREATE TABLE casefile.rejected_messages (
    reference text NOT NULL REFERENCES casefile.cases,
    key       text NOT NULL,
    at        timestamptz NOT NULL,
    name      text NOT NULL,
    reason    text NOT NULL,
    payload   text NOT NULL,
    PRIMARY KEY (reference, key)
);
COMMENT ON TABLE casefile.rejected_messages IS 'Messages that did not fit, kept with the reason: nothing that arrives is lost. May hold personal data.';

-- Deadline ledger -----------------------------------------------------------------------------------------------------

CREATE TABLE casefile.events (
    reference text NOT NULL REFERENCES casefile.cases,
    number    integer NOT NULL,
    event     text NOT NULL,
    at        timestamptz NOT NULL,
    PRIMARY KEY (reference, number, event)
);
COMMENT ON TABLE casefile.events IS 'What starts clocks and satisfies them.';
COMMENT ON COLUMN casefile.events.number IS 'Orders the events of a case by cause: a letter''s events have the number it was asked under, however late it was accepted.';

CREATE TABLE casefile.deadlines (
    reference  text NOT NULL REFERENCES casefile.cases,
    clock      text NOT NULL,
    number     integer NOT NULL,
    rung       text NOT NULL,
    statutory  boolean NOT NULL,
    started_at timestamptz NOT NULL,
    due        timestamptz NOT NULL,
    clock_due  timestamptz NOT NULL,
    actions    text[] NOT NULL,
    level      integer,
    how        text NOT NULL,
    PRIMARY KEY (reference, clock, number, rung)
);
COMMENT ON TABLE casefile.deadlines IS 'Every rung of every clock, planned once when the clock started.';
COMMENT ON COLUMN casefile.deadlines.number IS 'The number of the event that started the clock; with the clock''s name it names the round.';
COMMENT ON COLUMN casefile.deadlines.due IS 'When the rung acts.';
COMMENT ON COLUMN casefile.deadlines.clock_due IS 'When the clock itself ends.';
COMMENT ON COLUMN casefile.deadlines.how IS 'In words, how the instants were found.';
CREATE INDEX deadlines_by_start ON casefile.deadlines (reference, number);

CREATE TABLE casefile.satisfactions (
    reference text NOT NULL REFERENCES casefile.cases,
    clock     text NOT NULL,
    number    integer NOT NULL,
    by_event  text NOT NULL,
    by_number integer NOT NULL,
    at        timestamptz NOT NULL,
    PRIMARY KEY (reference, clock, number),
    FOREIGN KEY (reference, by_number, by_event) REFERENCES casefile.events
);
COMMENT ON TABLE casefile.satisfactions IS 'The clocks that have done their duty, and the event by which.';

CREATE TABLE casefile.firings (
    reference text NOT NULL,
    clock     text NOT NULL,
    number    integer NOT NULL,
    rung      text NOT NULL,
    due       timestamptz NOT NULL,
    fired_at  timestamptz NOT NULL,
    breach    boolean NOT NULL,
    lateness  interval NOT NULL GENERATED ALWAYS AS (fired_at - due) STORED,
    PRIMARY KEY (reference, clock, number, rung),
    FOREIGN KEY (reference, clock, number, rung) REFERENCES casefile.deadlines
);
COMMENT ON TABLE casefile.firings IS 'The rungs that came due and acted: at most once each.';
COMMENT ON COLUMN casefile.firings.lateness IS 'How long after its due instant the rung acted.';

CREATE VIEW casefile.deadline_ledger AS
SELECT d.reference, d.clock, d.number, d.rung, d.statutory, d.started_at, d.due, d.clock_due, d.actions, d.level, d.how,
       f.fired_at, f.lateness, coalesce(f.breach, false) AS breach,
       s.at AS satisfied_at, s.by_event AS satisfied_by
FROM casefile.deadlines d
LEFT JOIN casefile.firings f USING (reference, clock, number, rung)
LEFT JOIN casefile.satisfactions s USING (reference, clock, number);
COMMENT ON VIEW casefile.deadline_ledger IS 'One row a planned rung: when it was due, whether and when it acted, whether that was a breach, and what satisfied its clock.';

-- Letters -------------------------------------------------------------------------------------------------------------

CREATE TABLE casefile.letters (
    key         text PRIMARY KEY,
    reference   text NOT NULL REFERENCES casefile.cases,
    number      integer NOT NULL,
    kind        text NOT NULL,
    language    text NOT NULL,
    recipient   text,
    subject     text NOT NULL,
    body        text NOT NULL,
    message_id  text NOT NULL UNIQUE,
    rendered_at timestamptz NOT NULL
);
COMMENT ON TABLE casefile.letters IS 'Letters as they were written, once each, before the first attempt to send them. Personal data.';
COMMENT ON COLUMN casefile.letters.number IS 'The number of the events that the letter''s acceptance means.';
COMMENT ON COLUMN casefile.letters.recipient IS 'The address at the time of writing; empty where there was none.';
COMMENT ON COLUMN casefile.letters.message_id IS 'The Message-ID of every attempt, by which mail servers know a repeat.';
CREATE INDEX letters_in_order ON casefile.letters (reference, number, key);

CREATE TABLE casefile.letter_attempts (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key     text NOT NULL REFERENCES casefile.letters,
    at      timestamptz NOT NULL,
    channel text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('accepted', 'refused', 'failed')),
    detail  text NOT NULL DEFAULT ''
);
COMMENT ON TABLE casefile.letter_attempts IS 'Every attempt to deliver a letter and how it ended.';
COMMENT ON COLUMN casefile.letter_attempts.outcome IS 'accepted: the channel has taken the letter over; refused: it will not; failed: it may another time.';
CREATE INDEX letter_attempts_in_order ON casefile.letter_attempts (key, id);
CREATE UNIQUE INDEX letter_accepted_once ON casefile.letter_attempts (key) WHERE outcome = 'accepted';

-- Compensation ledger -------------------------------------------------------------------------------------------------

CREATE TABLE casefile.postings (
    key       text PRIMARY KEY,
    reference text NOT NULL REFERENCES casefile.cases,
    number    integer NOT NULL,
    amount    numeric NOT NULL CHECK (amount > 0 AND amount < 'Infinity'),
    currency  text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    posted_at timestamptz NOT NULL,
    UNIQUE (reference, number)
);
COMMENT ON TABLE casefile.postings IS 'Awards to customers, each posted once.';
COMMENT ON COLUMN casefile.postings.number IS 'The number of the events that the posting means; one award a number.';

CREATE TABLE casefile.ledger_entries (
    posting_key text NOT NULL REFERENCES casefile.postings,
    account     text NOT NULL,
    amount      numeric NOT NULL CHECK (amount <> 0 AND abs(amount) < 'Infinity'),
    currency    text NOT NULL,
    PRIMARY KEY (posting_key, account)
);
COMMENT ON TABLE casefile.ledger_entries IS 'Double entry: the amounts of a posting sum to zero.';
COMMENT ON COLUMN casefile.ledger_entries.account IS 'expense:redress, or liability:customer:<reference>: what the firm owes the customer of that case.';
COMMENT ON COLUMN casefile.ledger_entries.amount IS 'Debit positive, credit negative.';

CREATE FUNCTION casefile.check_posting() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked text := to_jsonb(NEW) ->> TG_ARGV[0];
    balanced boolean;
BEGIN
    SELECT coalesce(sum(e.amount) FILTER (WHERE e.amount > 0) = p.amount
                AND sum(e.amount) FILTER (WHERE e.amount < 0) = -p.amount
                AND bool_and(e.currency = p.currency), false)
    INTO balanced
    FROM casefile.postings p LEFT JOIN casefile.ledger_entries e ON e.posting_key = p.key
    WHERE p.key = checked
    GROUP BY p.key;
    IF NOT balanced THEN
        RAISE EXCEPTION 'posting % does not balance: its debits and its credits must each be its amount, in its currency', checked
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION casefile.check_posting() IS 'At commit: debits = credits = the posting''s amount. Its argument is the column with the posting''s key.';

CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON casefile.postings
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION casefile.check_posting('key');
CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON casefile.ledger_entries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION casefile.check_posting('posting_key');

-- What is written stays -----------------------------------------------------------------------------------------------

CREATE FUNCTION casefile.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on %.% is refused: what is in the case file stays there', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', HINT = 'Add a row that corrects the earlier one.';
END
$$;
COMMENT ON FUNCTION casefile.refuse_change() IS 'Keeps tables append-only.';

DO $$
DECLARE
    append_only text;
BEGIN
    FOREACH append_only IN ARRAY ARRAY[
        'policy_packs', 'contacts', 'timeline', 'rejected_messages', 'events', 'deadlines', 'satisfactions', 'firings',
        'letters', 'letter_attempts', 'postings', 'ledger_entries'
    ] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON casefile.%I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION casefile.refuse_change()', append_only);
    END LOOP;
END
$$;

CREATE TRIGGER kept BEFORE DELETE OR TRUNCATE ON casefile.cases
    FOR EACH STATEMENT EXECUTE FUNCTION casefile.refuse_change();

CREATE FUNCTION casefile.keep_case() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.reference, NEW.source, NEW.idempotency_key, NEW.received_at, NEW.opened_at, NEW.language, NEW.channel,
        NEW.account, NEW.complaint, NEW.policy_hash)
       IS DISTINCT FROM
       (OLD.reference, OLD.source, OLD.idempotency_key, OLD.received_at, OLD.opened_at, OLD.language, OLD.channel,
        OLD.account, OLD.complaint, OLD.policy_hash) THEN
        RAISE EXCEPTION 'case %: what was received, and the pinned policy pack, are never changed', OLD.reference
            USING ERRCODE = 'restrict_violation', HINT = 'Only the summary of a case changes.';
    END IF;
    IF OLD.breached AND NOT NEW.breached THEN
        RAISE EXCEPTION 'case %: a breach, once it happened, stays', OLD.reference USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.revision <= OLD.revision THEN
        RAISE EXCEPTION 'case %: summary % is not newer than %', OLD.reference, NEW.revision, OLD.revision
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION casefile.keep_case() IS 'Lets only the summary of a case change, and only to a newer one.';
CREATE TRIGGER kept_as_received BEFORE UPDATE ON casefile.cases
    FOR EACH ROW EXECUTE FUNCTION casefile.keep_case();
