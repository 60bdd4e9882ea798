-- Who holds an account and how to reach them, as the firm's own records have it: a letter may have to go to customers who
-- never complained. Loaded by `redress import`.

CREATE TABLE casefile.customers (
    account     text NOT NULL,
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    name        text NOT NULL,
    email       text,
    phone       text,
    language    text NOT NULL
);
COMMENT ON TABLE casefile.customers IS 'Customers by account: the newest row of an account counts, the older ones are its history. Personal data.';
COMMENT ON COLUMN casefile.customers.recorded_at IS 'When this service learnt of it.';
COMMENT ON COLUMN casefile.customers.language IS 'Of letters to them: en or zh-CN.';
CREATE INDEX customers_by_account ON casefile.customers (account, id DESC);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON casefile.customers
    FOR EACH STATEMENT EXECUTE FUNCTION casefile.refuse_change();
