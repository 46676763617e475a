/* What a walk stands on: the events with their turns, how far it has come, and `log_segments` up to there. The
   two rows that are not chosen keep the planner from taking the range of `turn` for granted: the plan of a
   prepared statement stays while the chosen row moves. */
CREATE TEMP TABLE "walked events" AS FROM "events to walk";

CREATE TEMP TABLE "walked to" AS
SELECT * FROM (VALUES (-4611686018427387904, FALSE), (0, TRUE), (4611686018427387904, FALSE)) AS t(turn, is_chosen);

CREATE OR REPLACE TEMP VIEW log_segments AS
SELECT * EXCLUDE (turn)
FROM "walked events"
WHERE turn < (SELECT turn FROM "walked to" WHERE is_chosen);
