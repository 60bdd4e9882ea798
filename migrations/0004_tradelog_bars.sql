-- What brokers' files tell beyond 0002: bars, the state and stops of orders, what was booked with a fill or a position,
-- and the later version of a row that was recorded unfinished. See docs/decisions/0008.

-- The bids of a source over a period. Prices within it are ordered by nothing, so a bar is no quote.
create table tradelog.bars (
    symbol text        not null,
    source text        not null,
    period integer     not null check (period between 1 and 2678400),
    at     timestamptz not null,
    open   numeric     not null,
    high   numeric     not null check (high >= greatest(open, close, low)),
    low    numeric     not null check (low > 0 and low <= least(open, close)),
    close  numeric     not null,
    spread integer check (spread >= 0),
    ticks  integer check (ticks >= 0),
    primary key (symbol, source, period, at)
);

alter table tradelog.orders
    add column stop     numeric check (stop > 0),
    add column target   numeric check (target > 0),
    add column state    text check (state in ('working', 'filled', 'cancelled', 'expired', 'rejected')),
    add column ended_at timestamptz,
    add column comment  text;

alter table tradelog.fills
    add column "position" text,
    add column effect     text check (effect in ('open', 'close', 'reverse')),
    add column commission numeric,
    add column swap       numeric,
    add column profit     numeric,
    add column comment    text;

alter table tradelog.positions
    add column stop       numeric check (stop > 0),
    add column target     numeric check (target > 0),
    add column commission numeric,
    add column taxes      numeric,
    add column profit     numeric,
    add column comment    text;

-- A working order, an open position, a pending entry: recorded once as it stood, and once more, in full, as it ended.
-- `recorded_at` is when this service learnt of the end.
create table tradelog.order_completions (like tradelog.orders including constraints);
create table tradelog.position_completions (like tradelog.positions including constraints including defaults);
create table tradelog.account_entry_completions (like tradelog.account_entries including constraints);
alter table tradelog.order_completions
    add column recorded_at timestamptz not null default clock_timestamp(),
    add primary key ("order"), add foreign key ("order") references tradelog.orders;
alter table tradelog.position_completions
    add column recorded_at timestamptz not null default clock_timestamp(),
    add primary key ("position"), add foreign key ("position") references tradelog.positions;
alter table tradelog.account_entry_completions
    add column recorded_at timestamptz not null default clock_timestamp(),
    add primary key (entry), add foreign key (entry) references tradelog.account_entries;
create index order_completions_account on tradelog.order_completions (account);
create index order_completions_position on tradelog.order_completions ("position") where "position" is not null;
create index position_completions_account on tradelog.position_completions (account);
create index account_entry_completions_account on tradelog.account_entry_completions (account);

-- An end is the end of what was recorded: it agrees in everything that could not change, and the row was unfinished.
-- Arguments: table and key of the row, mark and its value while unfinished ('' for null), the columns left open.
create function tradelog.check_completion()
returns trigger
language plpgsql
as $$
declare
    recorded jsonb;
    ending   jsonb := to_jsonb(new) - 'recorded_at';
begin
    execute format('select to_jsonb(kept) from tradelog.%I as kept where %I = $1', tg_argv[0], tg_argv[1])
        into recorded using ending ->> tg_argv[1];
    if coalesce(recorded ->> tg_argv[2], '') <> tg_argv[3]
        or coalesce(ending ->> tg_argv[2], '') = tg_argv[3]
        or recorded - string_to_array(tg_argv[4], ',') <> ending - string_to_array(tg_argv[4], ',')
    then
        raise exception 'tradelog.%: no completion of the row recorded', tg_table_name
            using errcode = 'check_violation',
                  hint = 'Only what was unfinished is completed, once, and only in the columns that were open.';
    end if;
    return new;
end
$$;

create trigger check_completion before insert on tradelog.order_completions
    for each row execute function tradelog.check_completion(
        'orders', 'order', 'state', 'working', 'state,ended_at,price,stop,target,comment');
create trigger check_completion before insert on tradelog.position_completions
    for each row execute function tradelog.check_completion(
        'positions', 'position', 'closed_at', '',
        'volume,close_price,closed_at,close_reason,margin_level,stop_out_level,swap,stop,target,commission,taxes,profit,comment');
create trigger check_completion before insert on tradelog.account_entry_completions
    for each row execute function tradelog.check_completion(
        'account_entries', 'entry', 'booked_at', '', 'booked_at');

do $$
declare
    record_table text;
begin
    foreach record_table in array
        array['bars', 'order_completions', 'position_completions', 'account_entry_completions']
    loop
        execute format(
            'create trigger refuse_change before update or delete or truncate on tradelog.%I '
            'for each statement execute function tradelog.refuse_change()', record_table);
    end loop;
end
$$;

-- What is known now of each order, position and entry: its end if there is one, else what was recorded.
create view tradelog.known_orders as
    select kept.* from tradelog.orders as kept
    where not exists (select from tradelog.order_completions as ended where ended."order" = kept."order")
    union all
    select "order", account, symbol, side, type, volume, price, "position", sent_at, received_at,
        stop, target, state, ended_at, comment
    from tradelog.order_completions;

create view tradelog.known_positions as
    select kept.* from tradelog.positions as kept
    where not exists (select from tradelog.position_completions as ended where ended."position" = kept."position")
    union all
    select "position", account, symbol, side, volume, open_price, opened_at, close_price, closed_at, close_reason,
        margin_level, stop_out_level, swap, stop, target, commission, taxes, profit, comment
    from tradelog.position_completions;

create view tradelog.known_account_entries as
    select kept.* from tradelog.account_entries as kept
    where not exists (select from tradelog.account_entry_completions as ended where ended.entry = kept.entry)
    union all
    select entry, account, kind, amount, currency, requested_at, booked_at, note
    from tradelog.account_entry_completions;

-- Imported ids are source:account:ticket. Customers and handlers know the ticket; it is looked up within an account.
create function tradelog.ticket(id text) returns text
language sql immutable strict parallel safe
return regexp_replace(id, '^.*:', '');

create index orders_ticket on tradelog.orders (account, tradelog.ticket("order"));
create index fills_ticket on tradelog.fills (account, tradelog.ticket(fill));
create index fills_order_ticket on tradelog.fills (account, tradelog.ticket("order"));
create index positions_ticket on tradelog.positions (account, tradelog.ticket("position"));
create index account_entries_ticket on tradelog.account_entries (account, tradelog.ticket(entry));
