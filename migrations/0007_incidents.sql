-- Incidents: one fault, many accounts. The list of accounts is approved as a whole and compensated once for each.

CREATE TABLE casefile.incidents (
    reference   text PRIMARY KEY,
    opened_at   timestamptz NOT NULL,
    opened_by   text NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('quote', 'outage')),
    symbol      text,
    since       timestamptz NOT NULL,
    until       timestamptz NOT NULL CHECK (until > since),
    opened      jsonb NOT NULL,
    policy_hash text NOT NULL REFERENCES casefile.policy_packs,
    revision    integer NOT NULL DEFAULT 0,
    stage       text NOT NULL,
    progress    jsonb,
    updated_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE casefile.incidents IS 'Faults that may have hurt many accounts. Only revision, stage and progress change.';
COMMENT ON COLUMN casefile.incidents.opened IS 'The incident as it was opened: the fault, the titles customers are told, by whom and why.';
COMMENT ON COLUMN casefile.incidents.progress IS 'How far it is, as its workflow last said.';
CREATE INDEX incidents_window ON casefile.incidents (symbol, since);

CREATE TABLE casefile.incident_timeline (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reference text NOT NULL REFERENCES casefile.incidents,
    key       text NOT NULL,
    at        timestamptz NOT NULL,
    kind      text NOT NULL,
    actor     text NOT NULL,
    text      text NOT NULL,
    data      jsonb NOT NULL DEFAULT '{}',
    UNIQUE (reference, key)
);
COMMENT ON TABLE casefile.incident_timeline IS 'What happened with an incident, in order.';

CREATE TABLE casefile.cohort_members (
    reference text NOT NULL REFERENCES casefile.incidents,
    number    integer NOT NULL,
    account   text NOT NULL,
    state     text NOT NULL CHECK (state IN ('harmed', 'unharmed', 'unclear')),
    amount    numeric CHECK (amount > 0),
    currency  text CHECK (currency ~ '^[A-Z]{3}$'),
    doubtful  boolean NOT NULL,
    hash      text NOT NULL,
    trades    text[] NOT NULL,
    findings  jsonb NOT NULL,
    settled   text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (reference, number, account),
    CHECK ((amount IS NULL) = (currency IS NULL) AND (amount IS NOT NULL) = (state = 'harmed'))
);
COMMENT ON TABLE casefile.cohort_members IS 'The accounts of each list of an incident, with what was found. A list is never changed; another number is another list.';
COMMENT ON COLUMN casefile.cohort_members.settled IS 'Losses that a case or another incident had made good before the list was made.';
CREATE INDEX cohort_members_harmed ON casefile.cohort_members (reference, number, account COLLATE "C") WHERE state = 'harmed';
CREATE INDEX cohort_members_account ON casefile.cohort_members (account);

CREATE TABLE casefile.cohorts (
    reference text NOT NULL REFERENCES casefile.incidents,
    number    integer NOT NULL,
    hash      text NOT NULL,
    listed_at timestamptz NOT NULL,
    summary   jsonb NOT NULL,
    PRIMARY KEY (reference, number)
);
COMMENT ON TABLE casefile.cohorts IS 'The lists that are complete. The hash covers every member: it is what a second person approves.';

-- An award belongs to a case, or to an account of an incident.
ALTER TABLE casefile.postings
    ALTER COLUMN reference DROP NOT NULL,
    ADD COLUMN incident text REFERENCES casefile.incidents,
    ADD COLUMN account text,
    ADD CONSTRAINT of_a_case_or_an_incident CHECK (num_nonnulls(reference, incident) = 1 AND (incident IS NULL) = (account IS NULL));
CREATE UNIQUE INDEX postings_once_an_account ON casefile.postings (incident, account) WHERE kind = 'award' AND incident IS NOT NULL;
COMMENT ON COLUMN casefile.postings.reference IS 'The case; null for an award under an incident.';

CREATE TABLE casefile.redressed (
    account     text NOT NULL,
    part        text NOT NULL,
    posting_key text NOT NULL REFERENCES casefile.postings,
    amount      numeric NOT NULL,
    currency    text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    PRIMARY KEY (account, part)
);
COMMENT ON TABLE casefile.redressed IS 'Losses that were made good, by case or incident: each once, whoever finds it again.';
COMMENT ON COLUMN casefile.redressed.part IS 'What names the loss wherever it is found, such as price/<fill>.';
COMMENT ON COLUMN casefile.redressed.amount IS 'The loss as it was found, not rounded.';

CREATE TABLE casefile.incident_results (
    reference   text NOT NULL REFERENCES casefile.incidents,
    account     text NOT NULL,
    at          timestamptz NOT NULL,
    posting_key text REFERENCES casefile.postings,
    PRIMARY KEY (reference, account)
);
COMMENT ON TABLE casefile.incident_results IS 'What became of each account of the approved list; without a posting everything had been made good elsewhere.';

CREATE TABLE casefile.incident_letters (
    key         text PRIMARY KEY,
    reference   text NOT NULL REFERENCES casefile.incidents,
    account     text NOT NULL,
    language    text NOT NULL,
    recipient   text,
    subject     text NOT NULL,
    body        text NOT NULL,
    message_id  text NOT NULL UNIQUE,
    rendered_at timestamptz NOT NULL
);
COMMENT ON TABLE casefile.incident_letters IS 'Letters to customers of an incident. Personal data.';

CREATE TABLE casefile.incident_letter_attempts (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key     text NOT NULL REFERENCES casefile.incident_letters,
    at      timestamptz NOT NULL,
    channel text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('accepted', 'refused', 'failed')),
    detail  text NOT NULL
);
CREATE UNIQUE INDEX incident_letter_accepted_once ON casefile.incident_letter_attempts (key) WHERE outcome = 'accepted';

CREATE TABLE casefile.incident_cases (
    reference text NOT NULL REFERENCES casefile.cases,
    incident  text NOT NULL REFERENCES casefile.incidents,
    at        timestamptz NOT NULL,
    PRIMARY KEY (reference, incident)
);
COMMENT ON TABLE casefile.incident_cases IS 'Complaints that are about an incident.';
CREATE INDEX incident_cases_incident ON casefile.incident_cases (incident);

CREATE TABLE casefile.case_topics (
    reference   text NOT NULL REFERENCES casefile.cases,
    topic       text NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (reference, topic)
);
COMMENT ON TABLE casefile.case_topics IS 'What a complaint points to: symbol:<instrument>, or service:<category> where it names none.';
CREATE INDEX case_topics_topic ON casefile.case_topics (topic, received_at);

CREATE TABLE casefile.incident_warnings (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic      text NOT NULL,
    warned_at  timestamptz NOT NULL,
    complaints text[] NOT NULL,
    last       text NOT NULL UNIQUE REFERENCES casefile.cases
);
COMMENT ON TABLE casefile.incident_warnings IS 'Several complaints in a short time pointed to the same thing: an incident was proposed.';
COMMENT ON COLUMN casefile.incident_warnings.last IS 'The complaint with which there were enough.';
CREATE INDEX incident_warnings_topic ON casefile.incident_warnings (topic, warned_at);

DO $$
DECLARE
    append_only text;
BEGIN
    FOREACH append_only IN ARRAY ARRAY[
        'incident_timeline', 'cohort_members', 'cohorts', 'redressed', 'incident_results', 'incident_letters',
        'incident_letter_attempts', 'incident_cases', 'case_topics', 'incident_warnings'
    ] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON casefile.%I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION casefile.refuse_change()', append_only);
    END LOOP;
END
$$;

CREATE TRIGGER kept BEFORE DELETE OR TRUNCATE ON casefile.incidents
    FOR EACH STATEMENT EXECUTE FUNCTION casefile.refuse_change();

CREATE FUNCTION casefile.keep_incident() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.reference, NEW.opened_at, NEW.opened_by, NEW.kind, NEW.symbol, NEW.since, NEW.until, NEW.opened, NEW.policy_hash)
       IS DISTINCT FROM
       (OLD.reference, OLD.opened_at, OLD.opened_by, OLD.kind, OLD.symbol, OLD.since, OLD.until, OLD.opened, OLD.policy_hash) THEN
        RAISE EXCEPTION 'incident %: the fault as it was opened is never changed', OLD.reference
            USING ERRCODE = 'restrict_violation', HINT = 'Dismiss it and open another.';
    END IF;
    IF NEW.revision < OLD.revision THEN
        RETURN NULL;  -- an older view never replaces a newer one
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_incident BEFORE UPDATE ON casefile.incidents
    FOR EACH ROW EXECUTE FUNCTION casefile.keep_incident();
