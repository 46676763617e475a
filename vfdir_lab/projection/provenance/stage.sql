-- What a walk stands on: the events up to where it has come.
CREATE OR REPLACE TEMP VIEW log_segments AS
SELECT * EXCLUDE (turn)
FROM "walked events"
WHERE turn < (SELECT turn FROM "walked to");
