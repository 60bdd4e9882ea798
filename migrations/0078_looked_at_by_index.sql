-- What pages across all cases look for is found by index: cases that nobody has, those that closed last, and whether
-- people answered them.

create index assignments_to_nobody on casefile.assignments (reference, number) where person is null;
create index cases_closed on casefile.cases (closed_at desc, reference) where closed_at is not null;
create index timeline_answered on casefile.timeline (reference)
    where actor not like 'system:%'
        and kind in ('propose_resolution', 'propose_draft', 'resolve_early', 'decide_resolution');
