/* The rows of a table by the object that a column of it names: one row for each such object, ordered as
   `table.sql` orders, with the places of its rows in the order they are shown. */
SELECT
    object_id,
    split_part(object_id, ':', 1) AS " space",
    CASE
        WHEN regexp_full_match(object_id, '[^:]*:(0|[1-9][0-9]{0,18})')
            THEN TRY_CAST(split_part(object_id, ':', 2) AS BIGINT)
    END AS " number",
    places
FROM (
    SELECT object_id, list(place ORDER BY shown NULLS LAST, place) AS places
    FROM members
    WHERE object_id IS NOT NULL
    GROUP BY object_id
)
ORDER BY " space", " number" NULLS LAST, object_id
