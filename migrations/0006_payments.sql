-- Payments through a rail: what was ordered, every word that was exchanged about it, how it ended, what came back.

-- In the ledger an award makes a debt to the customer; a payment pays it, a reversal brings it back.
ALTER TABLE casefile.postings
    ADD COLUMN kind text NOT NULL DEFAULT 'award' CHECK (kind IN ('award', 'payment', 'reversal')),
    ADD COLUMN rail text,
    ADD CONSTRAINT paid_by_something CHECK (kind = 'award' OR rail IS NOT NULL);
COMMENT ON TABLE casefile.postings IS 'Awards to customers, payments of them, and payments that came back, each posted once.';
COMMENT ON COLUMN casefile.postings.rail IS 'The payment rail that is to pay an award, or that paid; "hand" for what people paid outside. Null for an award where the ledger alone is kept.';
COMMENT ON COLUMN casefile.ledger_entries.account IS 'expense:redress; liability:customer:<reference>, what the firm owes the customer of that case; cash:<rail>, what left the firm through that rail.';

CREATE SCHEMA payments;
COMMENT ON SCHEMA payments IS 'Payments, of cases and incidents alike. Append-only.';

CREATE TABLE payments.orders (
    key        text PRIMARY KEY,
    reference  text NOT NULL,
    payee      text,
    amount     numeric NOT NULL CHECK (amount > 0 AND amount < 'Infinity'),
    currency   text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    rail       text NOT NULL,
    ordered_at timestamptz NOT NULL
);
COMMENT ON TABLE payments.orders IS 'Payments that were meant to be made, each written before the rail first hears of it.';
COMMENT ON COLUMN payments.orders.key IS 'The idempotency key: the rail pays once for it.';
COMMENT ON COLUMN payments.orders.reference IS 'What the payment is about: a case or an incident.';
COMMENT ON COLUMN payments.orders.payee IS 'The account paid to. Unknown only where people paid outside of Redress.';
CREATE INDEX orders_by_reference ON payments.orders (reference, ordered_at);

CREATE TABLE payments.exchanges (
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key    text NOT NULL REFERENCES payments.orders,
    at     timestamptz NOT NULL,
    asked  text NOT NULL CHECK (asked IN ('pay', 'ask')),
    answer text NOT NULL CHECK (answer IN ('paid', 'pending', 'partial', 'declined', 'reversed', 'unknown', 'conflict', 'failed')),
    detail text NOT NULL DEFAULT ''
);
COMMENT ON TABLE payments.exchanges IS 'Every time a rail was told to pay, or asked what became of a payment.';
COMMENT ON COLUMN payments.exchanges.answer IS 'What the rail said; unknown: it has never heard of the key; conflict: it knows the key for something else; failed: no answer that can be trusted, so the payment may have been made.';
CREATE INDEX exchanges_in_order ON payments.exchanges (key, id);

CREATE TABLE payments.outcomes (
    key            text PRIMARY KEY REFERENCES payments.orders,
    outcome        text NOT NULL CHECK (outcome IN ('paid', 'partial', 'declined', 'reversed')),
    paid           numeric NOT NULL CHECK (paid >= 0 AND (paid > 0) = (outcome IN ('paid', 'partial'))),
    rail_reference text,
    reason         text,
    said_by        text NOT NULL,
    at             timestamptz NOT NULL
);
COMMENT ON TABLE payments.outcomes IS 'How each payment ended: written once, by whoever knew first.';
COMMENT ON COLUMN payments.outcomes.outcome IS 'partial: the rest will not come under this key; reversed: it came back before we knew that it was paid.';
COMMENT ON COLUMN payments.outcomes.said_by IS 'rail:<name>, or the person who reported it, as role:id.';

CREATE TABLE payments.reversals (
    key            text PRIMARY KEY REFERENCES payments.outcomes,
    bank_reference text NOT NULL,
    reason         text,
    said_by        text NOT NULL,
    at             timestamptz NOT NULL
);
COMMENT ON TABLE payments.reversals IS 'Payments that were made and came back.';

DO $$
DECLARE
    append_only text;
BEGIN
    FOREACH append_only IN ARRAY ARRAY['orders', 'exchanges', 'outcomes', 'reversals'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payments.%I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION casefile.refuse_change()', append_only);
    END LOOP;
END
$$;

CREATE VIEW payments.standing AS
SELECT o.key, o.reference, o.payee, o.amount, o.currency, o.rail, o.ordered_at,
       CASE WHEN r.key IS NOT NULL THEN 'reversed' ELSE coalesce(e.outcome, 'ordered') END AS state,
       coalesce(e.paid, 0) AS paid, e.rail_reference, coalesce(r.reason, e.reason) AS reason,
       coalesce(r.said_by, e.said_by) AS said_by, coalesce(r.at, e.at) AS ended_at,
       x.asked, x.answer, x.detail, x.at AS last_exchange_at, coalesce(n.exchanges, 0) AS exchanges
FROM payments.orders o
LEFT JOIN payments.outcomes e USING (key)
LEFT JOIN payments.reversals r USING (key)
LEFT JOIN LATERAL (SELECT * FROM payments.exchanges x WHERE x.key = o.key ORDER BY id DESC LIMIT 1) x ON true
LEFT JOIN LATERAL (SELECT count(*) AS exchanges FROM payments.exchanges x WHERE x.key = o.key) n ON true;
COMMENT ON VIEW payments.standing IS 'One row a payment: what was ordered, where it stands, and the last word of its rail.';
