-- What is read every half minute for the metrics is found by its time, without looking at the years before.

CREATE INDEX cases_open_by_stage ON casefile.cases (stage, breached) WHERE closed_at IS NULL;
CREATE INDEX firings_by_time ON casefile.firings (fired_at);
CREATE INDEX satisfactions_by_time ON casefile.satisfactions (at);
CREATE INDEX rejected_messages_by_time ON casefile.rejected_messages (at);
