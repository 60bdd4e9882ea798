-- What befell an account beside its trades: freezes, log-ins, verification. One row for each `AccountEvent` of
-- domain/log/firm_records.py, with its field names.

create table tradelog.account_log (
    event   text        primary key,
    account text        not null,
    at      timestamptz not null,
    kind    text        not null check (kind in
        ('frozen', 'unfrozen', 'logged_in', 'log_in_failed', 'verification_asked', 'verified', 'verification_refused')),
    reason  text,
    told_at timestamptz,
    country text check (country ~ '^[A-Z]{2}$')
);
create index account_log_account on tradelog.account_log (account, at);

create trigger refuse_change before update or delete or truncate on tradelog.account_log
    for each statement execute function tradelog.refuse_change();
