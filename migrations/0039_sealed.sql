-- What was still in the clear is sealed by whoever writes it; what it was compared or found by is keyed instead.

alter table casefile.customers add column fingerprint text;
comment on column casefile.customers.fingerprint is 'Keyed hash of the row as it was told: the same again is known, though what is sealed never looks the same twice.';
