-- A letter that one channel does not bring goes by the next: which ways were tried, and which addresses are in doubt.

alter table casefile.letter_attempts add column way text;
alter table casefile.letter_attempts add column in_doubt boolean;
alter table casefile.letter_attempts drop constraint letter_attempts_outcome_check;
alter table casefile.letter_attempts add constraint letter_attempts_outcome_check
    check (outcome in ('accepted', 'refused', 'failed', 'returned', 'sent_again'));
comment on column casefile.letter_attempts.outcome is 'accepted: the channel has taken the letter over; refused: it will not; failed: it may another time; returned: it took it over and gave it back; sent_again: another one took a copy over after that.';
comment on column casefile.letter_attempts.way is 'Whose address it was or what took it, in words without personal data; names the way among those of the case.';
comment on column casefile.letter_attempts.in_doubt is 'Whether the address is in doubt since then.';
create unique index letter_returned_once on casefile.letter_attempts (key, way) where outcome = 'returned';
create unique index letter_sent_again_once on casefile.letter_attempts (key, way) where outcome = 'sent_again';
