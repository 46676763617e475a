-- projection: connections
-- version: 1
-- title: Best prediction
-- key: object_id
-- refresh by: channel
/* What will be in which channel, and where, when are.na has answered: the mirror, as in version 2, with the
   open wishes over it. A connection that is wished is there at once; a connection that is to go is not there,
   nor is one whose channel is to be deleted, or whose channel or item is a draft that was refused or cancelled.
   `pending` is true where an open wish is about the connection.

   A wished connection that are.na shows already is that row, and there once: it is bound to it, or carries the
   mark of the intent, or, where it was wished together with a new block, holds that block in that channel.

   `position` is the rank in the channel, 1..n, top = n, over what shows. A connection stands where the newest
   open wish puts it, as long as the device whose reading gave that rank leads the channel's order, or none has
   read the channel; else where the mirror has it. What has no rank comes on top, wished ones above the rest. */
WITH open AS MATERIALIZED (
    SELECT * FROM open_wishes
),
drafts AS (
    SELECT DISTINCT object_id FROM open WHERE kind IN ('block.drafted', 'channel.drafted')
),
hidden AS (
    SELECT object_id FROM gone
    WHERE NOT EXISTS (SELECT 1 FROM drafts WHERE drafts.object_id = gone.object_id)
    UNION ALL
    SELECT object_id FROM open WHERE kind = 'channel.deleted'
),
mirror AS MATERIALIZED (
    SELECT *
    FROM connection_states
    WHERE
        newest = 'connection.observed'
        AND NOT EXISTS (
            SELECT 1 FROM hidden WHERE hidden.object_id IN (connection_states.channel, connection_states.item)
        )
),
held AS (
    SELECT made.object_id AS wished_as, 'connection:' || min(mirror.remote_id) AS object_id
    FROM open AS made
    JOIN mirror ON mirror.channel = made.channel AND mirror.item = made.item
    WHERE made.kind = 'connection.made' AND made.is_of_draft = 1 AND contains(made.object_id, '~')
    GROUP BY made.object_id
),
wished AS MATERIALIZED (
    SELECT
        COALESCE(held.object_id, open.object_id) AS object_id,
        max(CASE kind WHEN 'connection.unmade' THEN 1 ELSE 0 END) AS is_unmade,
        arg_max(
            {'channel': channel, 'item': item, 'hlc': hlc, 'device': device, 'seq': seq},
            {'h': hlc, 'd': device, 's': seq, 'e': event_id}
        ) FILTER (WHERE kind = 'connection.made') AS made,
        arg_max(
            {'rank': payload ->> '$.rank', 'leader': payload ->> '$.leader'},
            {'h': hlc, 'd': device, 's': seq, 'e': event_id}
        ) FILTER (WHERE kind <> 'connection.unmade') AS place,
        max(patch) AS patch
    FROM open
    LEFT JOIN held ON held.wished_as = open.object_id
    WHERE kind IN ('connection.made', 'connection.moved', 'connection.unmade')
    GROUP BY COALESCE(held.object_id, open.object_id)
),
made AS (
    SELECT
        object_id,
        struct_extract(made, 'channel') AS channel,
        struct_extract(made, 'item') AS item,
        struct_extract(made, 'hlc') AS hlc,
        struct_extract(made, 'device') AS device,
        struct_extract(made, 'seq') AS seq,
        place,
        patch
    FROM wished
    WHERE
        made IS NOT NULL
        AND is_unmade = 0
        AND NOT EXISTS (SELECT 1 FROM mirror WHERE mirror.object_id = wished.object_id)
),
states AS (
    SELECT
        mirror.object_id,
        mirror.remote_id,
        mirror.channel,
        mirror.item,
        mirror.pinned,
        mirror.connected_at,
        mirror.connected_by,
        CASE
            WHEN wished.patch IS NULL THEN mirror.metadata
            ELSE CAST(json_merge_patch(COALESCE(mirror.metadata, '{}'), wished.patch) AS VARCHAR)
        END AS metadata,
        wished.place,
        0 AS is_new,
        NULL AS hlc,
        NULL AS device,
        NULL AS seq,
        wished.object_id IS NOT NULL AS pending
    FROM mirror
    LEFT JOIN wished ON wished.object_id = mirror.object_id
    WHERE COALESCE(wished.is_unmade, 0) = 0
    UNION ALL
    SELECT
        made.object_id,
        TRY_CAST(split_part(made.object_id, ':', 2) AS BIGINT) AS remote_id,
        made.channel,
        made.item,
        FALSE AS pinned,
        NULL AS connected_at,
        NULL AS connected_by,
        CAST(json_merge_patch('{}', made.patch) AS VARCHAR) AS metadata,
        made.place,
        1 AS is_new,
        made.hlc,
        made.device,
        made.seq,
        TRUE AS pending
    FROM made
    LEFT JOIN drafts AS channels ON channels.object_id = made.channel
    LEFT JOIN drafts AS items ON items.object_id = made.item
    WHERE
        NOT EXISTS (SELECT 1 FROM hidden WHERE hidden.object_id IN (made.channel, made.item))
        AND (channels.object_id IS NOT NULL OR NOT contains(made.channel, '~'))
        AND (items.object_id IS NOT NULL OR NOT contains(made.item, '~'))
),
leaders AS (
    SELECT channel, max({'complete': complete, 'hlc': hlc, 'device': device, 'seq': seq}) AS reading
    FROM readings
    GROUP BY channel
),
ranked AS (
    SELECT
        states.*,
        COALESCE(
            CASE
                WHEN
                    leaders.channel IS NULL
                    OR struct_extract(leaders.reading, 'device') = struct_extract(place, 'leader')
                    THEN struct_extract(place, 'rank')
            END,
            ranks.rank
        ) AS rank
    FROM states
    LEFT JOIN leaders ON leaders.channel = states.channel
    LEFT JOIN connection_ranks AS ranks
        ON ranks.object_id = states.object_id AND ranks.device = struct_extract(leaders.reading, 'device')
)
SELECT
    object_id,
    remote_id,
    channel,
    item,
    row_number() OVER (
        PARTITION BY channel
        ORDER BY
            CASE WHEN rank IS NULL THEN 1 ELSE 0 END,
            rank,
            is_new,
            hlc NULLS FIRST,
            device NULLS FIRST,
            seq NULLS FIRST,
            connected_at NULLS FIRST,
            remote_id NULLS LAST,
            object_id
    ) AS position,
    pinned,
    connected_at,
    connected_by,
    metadata,
    pending
FROM ranked
