-- A report rests on one stream of facts, corrective actions too; and what was issued is signed.

create function reporting.note_action() returns trigger language plpgsql as $$
begin
    insert into reporting.facts (reference, kind, at, key, data)
    values (new.action, 'action', new.at, 'action:' || new.number, jsonb_build_object('step', new.number));
    return null;
end
$$;
create trigger noted after insert on reporting.actions
    for each row execute function reporting.note_action();
insert into reporting.facts (reference, kind, at, key, data)
select action, 'action', at, 'action:' || number, jsonb_build_object('step', number)
from reporting.actions order by at, action, number;

create function reporting.actions_at(instant timestamptz, cut_off bigint) returns table (
    action text, cause text, owner text, due date, step text, reopened integer
) language sql stable as $$
    select a.action,
        max(a.data ->> 'cause') filter (where a.step = 'opened'),
        max(a.data ->> 'owner') filter (where a.step = 'opened'),
        (array_agg(a.data ->> 'due' order by a.number desc) filter (where a.data ? 'due'))[1]::date,
        (array_agg(a.step order by a.number desc))[1],
        (count(*) filter (where a.step = 'reopened'))::integer
    from reporting.actions a join reporting.facts f on f.reference = a.action and f.key = 'action:' || a.number
    where a.at <= instant and f.number <= cut_off group by a.action
$$;
comment on function reporting.actions_at(timestamptz, bigint) is 'Each corrective action as it stood at that moment, of the facts up to that number.';

create function reporting.digest_at(cut_off bigint) returns text language sql stable as $$
    select encode(sha256(coalesce(string_agg(sha256(convert_to(jsonb_build_array(
        f.number, f.reference, f.kind, extract(epoch from f.at), f.key, f.data)::text, 'UTF8')), '' order by f.number),
        '')), 'hex')
    from reporting.facts f where f.number <= cut_off
$$;
comment on function reporting.digest_at(bigint) is 'SHA-256 over the facts up to that number: what a report names as its record, and is signed with it.';

alter table reporting.issued add column record text, add column token text;
comment on column reporting.issued.record is 'SHA-256 over the facts that it rests on.';
comment on column reporting.issued.token is 'A JWS over report, period, cut-off, record and hash, by the key of the checkpoints.';
