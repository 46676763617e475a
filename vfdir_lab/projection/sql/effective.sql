/* The facts as they were so, not as we learnt them: what had become true before `$moment`, ordered by when it
   became true. `hlc` is renumbered in that order, so every projection folds these rows as it folds the log.

   An object exists from are.na's `created_at` (a connection from `connected_at`), and its first known values
   reach back to that moment: they are `assumed`. Where are.na says no such time (people), or one that no
   calendar holds, they reach back for ever. Later values count from `origin_at`, else from when we recorded
   them; vanishing from its observation. Scans are about our reading, not about are.na, and always count: the
   order of a channel hangs on them. */
WITH sightings AS (
    SELECT
        *,
        kind LIKE '%.observed'
        AND row_number() OVER (
            PARTITION BY object_id, kind LIKE '%.observed' ORDER BY hlc, device, seq
        ) = 1 AS assumed
    FROM facts
),
dated AS (
    SELECT
        *,
        CASE
            WHEN kind LIKE 'scan.%' THEN TIMESTAMPTZ '1970-01-01 00:00:00+00'
            WHEN assumed
                THEN COALESCE(
                    instant(payload ->> '$.connected_at'),
                    instant(payload ->> '$.created_at'),
                    TIMESTAMPTZ '1970-01-01 00:00:00+00'
                )
            ELSE COALESCE(origin_at, recorded_at)
        END AS valid_from
    FROM sightings
)
SELECT
    event_id,
    device,
    seq,
    row_number() OVER (ORDER BY valid_from, hlc, device, seq) AS hlc,
    recorded_at,
    origin,
    origin_at,
    kind,
    kind_version,
    object_id,
    cause,
    payload,
    valid_from,
    assumed
FROM dated
WHERE valid_from < CAST($moment AS TIMESTAMPTZ)
