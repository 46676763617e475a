/* The newest value of four fields, in SQLite: one row for each field said, numbered from the newest, the first
   of each turned into a column. A cleared field is a row with a null, so it stays cleared. */
SELECT
    object_id,
    max(CASE WHEN field = 'title' THEN value END) AS title,
    max(CASE WHEN field = 'type' THEN value END) AS type,
    max(CASE WHEN field = 'description' THEN json_extract(value, '$.markdown') END) AS description,
    max(CASE WHEN field = 'updated_at' THEN value END) AS updated_at
FROM (
    SELECT
        events.object_id,
        said.key AS field,
        said.value,
        row_number() OVER (PARTITION BY events.object_id, said.key ORDER BY events.hlc DESC) AS nth
    FROM events, json_each(events.payload) AS said
    WHERE said.key IN ('title', 'type', 'description', 'updated_at')
)
WHERE nth = 1
GROUP BY object_id
