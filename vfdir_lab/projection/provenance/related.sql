/* The events a row may hang on, in their total order: those of the asked objects, of what they name, of all
   that names one of these, and of what those name. For a connection: its channel and item, the channel's other
   connections and scans, and their items. Names are found in payloads and transactions, whatever the field. */
WITH names AS (
    SELECT DISTINCT
        object_id,
        unnest(
            list_append(
                regexp_extract_all(
                    payload, '"((?:block|channel|connection|user|group|comment|scan|tx):[^"\\]+)"', 1
                ),
                CASE WHEN cause LIKE 'tx:%' THEN cause END
            )
        ) AS named
    FROM events
),
near AS (
    SELECT object_id FROM asked
    UNION
    SELECT named FROM names JOIN asked USING (object_id)
),
around AS (
    SELECT object_id FROM near
    UNION
    SELECT names.object_id FROM names JOIN near ON near.object_id = names.named
),
related AS (
    SELECT object_id FROM around
    UNION
    SELECT named FROM names JOIN around USING (object_id)
)
SELECT events.*
FROM events
JOIN related USING (object_id)
ORDER BY hlc, device, seq
