-- A file is of the case that heard what it came with: cases are asked for by what became of messages.

create index endings_by_case on intake.endings (reference, key) where reference is not null;
