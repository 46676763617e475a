-- projection: connection_states
-- version: 1
-- title: As seen
-- key: object_id
-- refresh by: object_id
/* Every connection that was ever observed, with what was last said of it. `newest` is the kind of its newest
   event and `newest_at` when that was recorded: a connection whose newest event is `connection.vanished` was
   found gone then. Where it stands in its channel is for `connections` to say. */
WITH states AS (
    SELECT
        object_id,
        arg_max(kind, {'h': hlc, 'd': device, 's': seq}) AS newest,
        arg_max(recorded_at, {'h': hlc, 'd': device, 's': seq}) AS newest_at,
        latest('channel') ->> '$' AS channel,
        latest('item') ->> '$' AS item,
        latest('pinned') AS pinned,
        latest('connected_at') AS connected_at,
        latest('connected_by') AS connected_by,
        latest('metadata') AS metadata
    FROM events
    WHERE kind IN ('connection.observed', 'connection.vanished')
    GROUP BY object_id
    HAVING count(CASE kind WHEN 'connection.observed' THEN 1 END) > 0
)
SELECT
    object_id,
    newest,
    newest_at,
    TRY_CAST(split_part(object_id, ':', 2) AS BIGINT) AS remote_id,
    channel,
    item,
    TRY_CAST(pinned ->> '$' AS BOOLEAN) AS pinned,
    moment(connected_at) AS connected_at,
    agent(connected_by) AS connected_by,
    CASE json_type(metadata) WHEN 'OBJECT' THEN CAST(metadata AS VARCHAR) END AS metadata
FROM states
