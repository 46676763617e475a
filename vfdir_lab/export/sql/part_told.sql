-- Every channel; of a private one that does not leave itself, no more is told than that there is one.
seen AS MATERIALIZED (
    SELECT *, visibility = 'private' AND object_id NOT IN (SELECT channel FROM exported) AS hidden
    FROM channels
),
told AS (
    SELECT * EXCLUDE (hidden) FROM seen WHERE hidden IS NOT TRUE
    UNION ALL BY NAME
    SELECT object_id, visibility, pending FROM seen WHERE hidden
)
