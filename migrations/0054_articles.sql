-- Questions and answers for customers, learned from closed cases.

create table reporting.articles (
    article    text        not null,
    number     integer     not null,
    at         timestamptz not null,
    by         text        not null,
    said       jsonb       not null,
    message_id text        not null unique,
    token      text,
    primary key (article, number)
);
comment on table reporting.articles is 'Questions and answers for customers, a row a step: written, approved in a language by a second person, withdrawn. They name no customer.';
comment on column reporting.articles.said is 'What was said: the wordings, what they rest on and until when they hold; or what was decided about which version.';
comment on column reporting.articles.message_id is 'Of the message by which somebody said this: it counts once.';
comment on column reporting.articles.token is 'What proves who said it. A row without one does not stand where signatures count.';
create trigger append_only before update or delete or truncate on reporting.articles
    for each statement execute function casefile.refuse_change();
