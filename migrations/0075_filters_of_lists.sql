-- Lists of open cases that are asked for by stage, priority or breach are read by index, as by category.

create index worklist_by_stage on casefile.worklist (stage, first_time, next_duty, priority, reference);
create index worklist_by_priority on casefile.worklist (priority, first_time, next_duty, reference);
create index worklist_by_breach on casefile.worklist (breached, first_time, next_duty, priority, reference);
