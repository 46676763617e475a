/* The differing rows: key, owner, what; the whole row where only one side has it; and for each column compared
   d (whether it differs), l and r (both values as text, where it does). Names and conditions are put in by code. */
CREATE TEMP TABLE differing AS
SELECT *
FROM (
    SELECT
        CASE WHEN l."is there" IS NULL THEN $right_key ELSE $left_key END AS key,
        CASE WHEN l."is there" IS NULL THEN $right_owner ELSE $left_owner END AS owner,
        CASE
            WHEN r."is there" IS NULL THEN 'only here'
            WHEN l."is there" IS NULL THEN 'only there'
            ELSE 'changed'
        END AS what,
        CASE WHEN r."is there" IS NULL THEN CAST($left_row AS VARCHAR) END AS left_row,
        CASE WHEN l."is there" IS NULL THEN CAST($right_row AS VARCHAR) END AS right_row
        $cells
    FROM (SELECT *, TRUE AS "is there" FROM left_rows) AS l
    FULL JOIN (SELECT *, TRUE AS "is there" FROM right_rows) AS r ON $on
)
WHERE what <> 'changed' OR $any
