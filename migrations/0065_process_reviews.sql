-- The complaints process itself is looked at by people at fixed times: asked for, done, and told of while it is not.

create table reporting.process_reviews (
    id         bigint      generated always as identity primary key,
    period     text        not null,
    step       text        not null check (step in ('asked', 'done')),
    at         timestamptz not null,
    by         text        not null,
    due        timestamptz,
    said       jsonb       not null default '{}',
    message_id text        unique,
    token      text,
    check ((step = 'asked') = (due is not null))
);
comment on table reporting.process_reviews is 'Reviews of the complaints process: asked for once a period, and what was found and is to change. They name no customer.';
comment on column reporting.process_reviews.due is 'Of an asking: until when it is to be done.';
comment on column reporting.process_reviews.said is 'Of a review: what was found and what is to change.';
comment on column reporting.process_reviews.token is 'What proves who did it. A row without one does not stand where signatures count.';
create unique index process_reviews_asked_once on reporting.process_reviews (period) where step = 'asked';
create trigger append_only before update or delete or truncate on reporting.process_reviews
    for each statement execute function casefile.refuse_change();
