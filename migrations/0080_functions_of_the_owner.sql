-- A function with a path of its own takes nothing from who calls it, types included: PostgreSQL looks for tables and
-- types among the temporary ones first, unless they are named last. A temporary `text` would else run what its maker
-- likes as the owner.

alter function casefile.stored(jsonb, text[]) set search_path = pg_catalog, pg_temp;
alter function casefile.link(text, text, text, text) set search_path = pg_catalog, pg_temp;
alter function casefile.lock_chain(text) set search_path = pg_catalog, pg_temp;
alter function casefile.chain_rows() set search_path = pg_catalog, pg_temp;
alter function casefile.rows_of(text) set search_path = pg_catalog, pg_temp;
alter function reporting.settled() set search_path = pg_catalog, pg_temp;

-- Else a table of one's own could be chained, and add to the chain of any case.
revoke execute on function casefile.chain_rows() from public;
-- It locks the facts: whoever only reads reports would keep those who write them waiting.
revoke execute on function reporting.settled() from public;
