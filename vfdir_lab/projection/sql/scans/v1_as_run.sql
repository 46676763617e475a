-- projection: scans
-- version: 1
-- title: As run
-- key: scan
-- refresh by: object_id
/* One row for each reading of a channel. A scan without `finished_at` was interrupted or is still running.
   `complete` says that all pages were read and agreed with each other; a quick look at the newest items is
   finished and not complete. `items` counts the items read, `requests` the requests it took. */
SELECT
    object_id AS scan,
    latest('channel') ->> '$' AS channel,
    min(recorded_at) FILTER (WHERE kind = 'scan.started') AS started_at,
    max(recorded_at) FILTER (WHERE kind = 'scan.finished') AS finished_at,
    COALESCE(TRY_CAST(latest('complete') ->> '$' AS BOOLEAN), FALSE) AS complete,
    TRY_CAST(latest('items') ->> '$' AS BIGINT) AS items,
    TRY_CAST(latest('requests') ->> '$' AS BIGINT) AS requests,
    latest('mode') ->> '$' AS mode,
    latest('account') ->> '$' AS account
FROM events
WHERE kind IN ('scan.started', 'scan.finished')
GROUP BY object_id
