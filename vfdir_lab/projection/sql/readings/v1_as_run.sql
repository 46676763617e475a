-- projection: readings
-- version: 1
-- title: As run
-- key: object_id, channel
-- refresh by: object_id
/* What each scan contributes to the order of a channel: the device that read it and the stamp of the reading,
   which is the end of a complete scan (`complete` is 1), or else its beginning (0). A scan that ended without
   being complete counts by its beginning. The greatest (complete, hlc, device, seq) of a channel leads. */
SELECT
    object_id,
    channel,
    struct_extract(reading, 'complete') AS complete,
    struct_extract(reading, 'hlc') AS hlc,
    struct_extract(reading, 'device') AS device,
    struct_extract(reading, 'seq') AS seq
FROM (
    SELECT
        object_id,
        payload ->> '$.channel' AS channel,
        max({
            'complete': CASE kind WHEN 'scan.finished' THEN 1 ELSE 0 END,
            'hlc': hlc,
            'device': device,
            'seq': seq
        }) AS reading
    FROM events
    WHERE kind = 'scan.started' OR (kind = 'scan.finished' AND payload ->> '$.complete' = 'true')
    GROUP BY object_id, payload ->> '$.channel'
)
