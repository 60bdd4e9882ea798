-- Who acted, decided or is named is kept out for good: no later row takes that back. Only a declared conflict has days.

alter table casefile.recusals add constraint only_conflicts_have_days
    check (why = 'declared' or (first is null and last is null));
