-- A letter about an incident that a mail server gives back goes by the next way, as those of a case do.

alter table casefile.incident_letter_attempts add column way text;
alter table casefile.incident_letter_attempts drop constraint incident_letter_attempts_outcome_check;
alter table casefile.incident_letter_attempts add constraint incident_letter_attempts_outcome_check
    check (outcome in ('accepted', 'refused', 'failed', 'returned', 'sent_again'));
comment on column casefile.incident_letter_attempts.way is 'Whose address it was or what took it, in words without personal data; null where it was written before there were others.';
create unique index incident_letter_returned_once on casefile.incident_letter_attempts (key, way)
    where outcome = 'returned';
create unique index incident_letter_sent_again_once on casefile.incident_letter_attempts (key, way)
    where outcome = 'sent_again';
