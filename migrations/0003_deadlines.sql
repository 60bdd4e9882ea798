-- Deadlines that can lawfully move: what an event says of itself, rounds that replace one another, provisional ends, and
-- the calendars that cases were planned anew on.

ALTER TABLE casefile.events ADD COLUMN particulars jsonb;
COMMENT ON COLUMN casefile.events.particulars IS 'What the event says of itself: the assessment (received, reclassified), the clock and extension (extended), the calendar (replanned).';

ALTER TABLE casefile.deadlines ADD COLUMN provisional boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN casefile.deadlines.provisional IS 'Whether the end lies beyond the days for which the calendar''s holidays are known.';
COMMENT ON TABLE casefile.deadlines IS 'Every rung of every round of a clock, planned once when the round began. What lawfully moves an end starts another round.';
COMMENT ON COLUMN casefile.deadlines.number IS 'The number of the event that made the clock run; with the clock''s name it names the round.';
COMMENT ON COLUMN casefile.deadlines.started_at IS 'When the clock began to count; rounds that replace one another share it.';
CREATE INDEX deadlines_by_due ON casefile.deadlines (due);

ALTER TABLE casefile.satisfactions ADD COLUMN replaced boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN casefile.satisfactions.replaced IS 'Whether another round took this one''s place, or will after a pause; otherwise the clock has done its duty.';
COMMENT ON TABLE casefile.satisfactions IS 'The rounds that have ended, and the event by which.';

CREATE TABLE casefile.calendars (
    hash      text PRIMARY KEY,
    id        text NOT NULL,
    content   jsonb NOT NULL,
    added_at  timestamptz NOT NULL,
    added_by  text NOT NULL
);
COMMENT ON TABLE casefile.calendars IS 'Calendars that cases were planned anew on after they were extended. Those of the first planning are in the policy packs.';
COMMENT ON COLUMN casefile.calendars.added_by IS 'Who had the cases planned anew, as role:id.';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON casefile.calendars
    FOR EACH STATEMENT EXECUTE FUNCTION casefile.refuse_change();

CREATE OR REPLACE VIEW casefile.deadline_ledger AS
SELECT d.reference, d.clock, d.number, d.rung, d.statutory, d.started_at, d.due, d.clock_due, d.actions, d.level, d.how,
       f.fired_at, f.lateness, coalesce(f.breach, false) AS breach,
       s.at AS satisfied_at, s.by_event AS satisfied_by, d.provisional, coalesce(s.replaced, false) AS replaced
FROM casefile.deadlines d
LEFT JOIN casefile.firings f USING (reference, clock, number, rung)
LEFT JOIN casefile.satisfactions s USING (reference, clock, number);
