-- Whoever writes to the record could copy what is sealed of a case into another column of it, or another row: the text
-- of one letter into another, what a customer wrote into what was found. A seal names its column and row, and is bound
-- to them; so the record takes none that names another place, and one whose name was changed opens nowhere.

-- Their bodies are read once, here: no path of who writes counts in them.
create function casefile.sealed_for(place text, named text, value text) returns boolean
language sql immutable parallel safe
return value is null or not starts_with(value, 'sealed:2:')
    or starts_with(value, 'sealed:2:' || place || ':' || length(named) || ':' || named || ':');
comment on function casefile.sealed_for(text, text, text) is 'Whether a value is not sealed, or sealed for that place, SCHEMA.TABLE.COLUMN, and the row of that name.';

create function casefile.sealed_for(place text, named text, value bytea) returns boolean
language sql immutable parallel safe
return value is null or substring(value for 9) <> 'sealed:2:'::bytea
    or substring(value for octet_length('sealed:2:' || place || ':' || length(named) || ':' || named || ':'))
        = convert_to('sealed:2:' || place || ':' || length(named) || ':' || named || ':', 'UTF8');

-- Of JSON the whole is sealed, or what is under `sealed` of an object, alone or in a list; nothing within the rest.
create function casefile.sealed_within(place text, named text, value jsonb) returns boolean
language sql immutable parallel safe
return casefile.sealed_for(place, named, case jsonb_typeof(value) when 'object' then value ->> 'sealed' end)
    and not jsonb_path_exists(
        case when jsonb_typeof(value) = 'object' and jsonb_typeof(value -> 'sealed') = 'string' then value - 'sealed'
            else value end,
        '$.** ? (@ starts with "sealed:2:")');

create function casefile.sealed_for(place text, named text, value jsonb) returns boolean
language sql immutable parallel safe
return case jsonb_typeof(value)
    when 'string' then casefile.sealed_for(place, named, value #>> '{}')
    when 'array' then not exists (
        select from jsonb_array_elements(value) as one (value)
        where not casefile.sealed_within(place, named, one.value))
    when 'object' then casefile.sealed_within(place, named, value)
    else true end;

create function casefile.sealed_part(value text) returns text
language sql immutable parallel safe
return case when value ~ '^sealed:2:[a-z_.]+:[0-9]{1,5}:' then substr(value,
    13 + length(split_part(value, ':', 3)) + length(split_part(value, ':', 4)) + split_part(value, ':', 4)::integer) end;
comment on function casefile.sealed_part(text) is 'Of what is sealed VERSION:ENVELOPE:SCOPE; null of anything else.';

do $$
declare
    one record;
begin
    for one in select * from (values
        ('casefile.accesses', 'coalesce(reference, '''')', 'purpose'),
        ('casefile.cases', 'reference', 'complaint'),
        ('casefile.checkpoints', 'reference || ''/'' || revision', 'state'),
        ('casefile.cohort_members', 'reference || ''/'' || number || ''/'' || account', 'findings'),
        ('casefile.contacts', 'key', 'name email phone'),
        ('casefile.customer_files', 'kind || ''/'' || subject', 'record'),
        ('casefile.customers', 'account', 'name email phone'),
        ('casefile.erasures', 'erasure || ''/'' || step', 'reason'),
        ('casefile.holds', 'subject', 'reason'),
        ('casefile.incident_letter_attempts', 'key', 'detail'),
        ('casefile.incident_letters', 'key', 'recipient subject body'),
        ('casefile.incident_timeline', 'reference || ''/'' || key', 'text data'),
        ('casefile.incidents', 'reference', 'opened'),
        ('casefile.letter_attempts', 'key', 'detail'),
        ('casefile.letters', 'key', 'recipient subject body'),
        ('casefile.rejected_messages', 'reference || ''/'' || key', 'reason payload'),
        ('casefile.restrictions', 'account || ''/'' || number || ''/'' || step', 'reasons'),
        ('casefile.reviews', 'reference || ''/'' || period', 'words'),
        ('casefile.signs', 'reference || ''/'' || key', 'sign reason'),
        ('casefile.timeline', 'reference || ''/'' || key', 'text data'),
        ('casefile.unopened', 'key', 'reason payload'),
        ('intake.decisions', 'key', 'reason'),
        ('intake.endings', 'key', 'reason'),
        ('intake.files', 'name', 'title content'),
        ('intake.received', 'key', 'envelope raw'),
        ('reporting.actions', 'action || ''/'' || number', 'data'),
        ('reporting.articles', 'article', 'said'),
        ('reporting.process_reviews', 'period', 'said'),
        ('web.codes', 'encode(id, ''hex'')', 'address'),
        ('web.drafts', 'encode(visitor, ''hex'') || ''/'' || place', 'content'),
        ('web.held_files', 'encode(visitor, ''hex'') || ''/'' || place || ''/'' || name', 'title content'),
        ('web.sessions', 'encode(id, ''hex'')', 'person'),
        ('web.subscriptions', 'id', 'secret secret_before')
    ) as sealed (place, named, columns)
    loop
        execute format('alter table %s add constraint sealed_for check (%s)', one.place, (
            select string_agg(
                format('casefile.sealed_for(%L, %s, %I)', one.place || '.' || replace(name, '_before', ''), one.named, name),
                ' and ')
            from unnest(string_to_array(one.columns, ' ')) as name));
    end loop;
end
$$;
