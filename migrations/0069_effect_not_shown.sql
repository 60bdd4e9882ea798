-- An action whose counts may be chance is said to have no effect shown yet, and is not reopened.

alter table reporting.actions drop constraint actions_step_check;
alter table reporting.actions add constraint actions_step_check
    check (step in ('opened', 'overdue', 'done', 'effective', 'not_shown', 'reopened', 'dropped'));
comment on column reporting.actions.data is 'By step: the action; the new due date; the effect with the rates before and after and their ratio.';
