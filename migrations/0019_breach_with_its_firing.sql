-- A missed duty is written into the case in the transaction of its firing, whether the summary is newer or not.

CREATE OR REPLACE FUNCTION casefile.keep_case() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    as_it_was casefile.cases;
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
    as_it_was := NEW;
    as_it_was.breached := OLD.breached;
    IF NEW.revision <= OLD.revision AND (as_it_was IS DISTINCT FROM OLD OR NEW.breached = OLD.breached) THEN
        RAISE EXCEPTION 'case %: summary % is not newer than %', OLD.reference, NEW.revision, OLD.revision
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION casefile.keep_case() IS
    'Lets only the summary of a case change, and only to a newer one; that a duty was missed stands there at once.';
