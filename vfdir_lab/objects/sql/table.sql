/* A table for reading by id: its rows ordered by the space of their ids, then by number, then by the rest.
   " number" is are.na's number in an id as are.na spells it, null where the id has none (`block:~dev.7`). */
SELECT
    *,
    split_part(object_id, ':', 1) AS " space",
    CASE
        WHEN regexp_full_match(object_id, '[^:]*:(0|[1-9][0-9]{0,18})')
            THEN TRY_CAST(split_part(object_id, ':', 2) AS BIGINT)
    END AS " number"
FROM the_table
WHERE object_id IS NOT NULL
ORDER BY " space", " number" NULLS LAST, object_id
