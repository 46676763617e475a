-- projection: open_wishes
-- version: 1
-- title: By current name
-- key: event_id
/* The events of wishes without a final answer, by the names that things have now: `object_id`, and `channel` and
   `item` where the wish names such, are are.na's ids as soon as those are known; `wished_as` is the id as
   recorded. What a wish makes is known by a binding, or, while the answer to its request is missing, by the mark
   that are.na shows in the metadata of what was made: the intent. Of several with one mark the oldest counts.
   Of a drafted block and its connections only the block bears it (`is_of_draft` is 1 for all of them).
   `is_there` says, of a draft, whether are.na shows the object now. `patch` is what all open wishes together say
   of the object's metadata, in JSON: of each key the newest wish in the total order of events, null where it was
   wished away, to be merged into what are.na shows. Names that are.na does not allow for keys are left out.

   How it costs little: events are asked for marks only while a wish was sent and has no answer. Then the
   needle to look for comes out of a join, so that without such a wish no payload is looked at. */
WITH open AS MATERIALIZED (
    SELECT
        intents.event_id,
        intents.object_id AS wished_as,
        intents.intent,
        intents.tx,
        intents.kind,
        wishes.state,
        wishes.attempts,
        intents.payload ->> '$.channel' AS channel,
        intents.payload ->> '$.item' AS item,
        max(CASE intents.kind WHEN 'block.drafted' THEN 1 ELSE 0 END)
            OVER (PARTITION BY intents.intent) AS is_of_draft,
        intents.recorded_at,
        intents.hlc,
        intents.device,
        intents.seq,
        intents.payload
    FROM intents
    JOIN wishes ON wishes.intent = intents.intent AND wishes.tx = intents.tx
    WHERE wishes.is_open
),
sent AS (
    SELECT wished_as, intent, split_part(wished_as, ':', 1) AS space
    FROM open
    WHERE
        (kind IN ('block.drafted', 'channel.drafted') OR (kind = 'connection.made' AND is_of_draft = 0))
        AND attempts > 0
        AND NOT EXISTS (SELECT 1 FROM bindings WHERE bindings.object_id = open.wished_as)
),
needles AS (
    SELECT DISTINCT space || '.observed' AS kind, '"vfdir_tx"' AS needle FROM sent
),
marks AS (
    SELECT events.object_id, events.payload ->> '$.metadata.vfdir_tx' AS mark
    FROM events
    JOIN needles ON needles.kind = events.kind AND contains(events.payload, needles.needle)
),
marked AS (
    SELECT
        sent.wished_as,
        sent.space || ':' || min(TRY_CAST(split_part(marks.object_id, ':', 2) AS BIGINT)) AS remote
    FROM marks
    JOIN sent ON sent.intent = marks.mark AND sent.space = split_part(marks.object_id, ':', 1)
    GROUP BY sent.wished_as, sent.space
),
names AS (
    SELECT object_id AS local, remote FROM bindings
    UNION ALL
    SELECT wished_as AS local, remote FROM marked
),
renamed AS MATERIALIZED (
    SELECT
        open.*,
        COALESCE(objects.remote, open.wished_as) AS object_id,
        COALESCE(channels.remote, open.channel) AS new_channel,
        COALESCE(items.remote, open.item) AS new_item
    FROM open
    LEFT JOIN names AS objects ON objects.local = open.wished_as
    LEFT JOIN names AS channels ON channels.local = open.channel
    LEFT JOIN names AS items ON items.local = open.item
),
drafts AS (
    SELECT DISTINCT object_id FROM renamed WHERE kind IN ('block.drafted', 'channel.drafted')
),
sightings AS (
    SELECT
        events.object_id,
        arg_max(events.kind, {'h': events.hlc, 'd': events.device, 's': events.seq}) AS newest
    FROM events
    JOIN drafts ON drafts.object_id = events.object_id
    WHERE events.kind IN ('block.observed', 'block.vanished', 'channel.observed', 'channel.vanished')
    GROUP BY events.object_id
),
keys AS (
    SELECT object_id, hlc, device, seq, payload, unnest(json_keys(payload, '$.metadata')) AS name
    FROM renamed
    WHERE json_type(payload, '$.metadata') = 'OBJECT'
),
patches AS (
    SELECT object_id, '{' || string_agg('"' || name || '":' || value, ',' ORDER BY name) || '}' AS patch
    FROM (
        SELECT object_id, name, newest(json_extract(payload, '$.metadata.' || name)) AS value
        FROM keys
        WHERE regexp_full_match(name, '[A-Za-z0-9_]+')
        GROUP BY object_id, name
    )
    GROUP BY object_id
)
SELECT
    renamed.event_id,
    renamed.object_id,
    renamed.wished_as,
    renamed.intent,
    renamed.tx,
    renamed.kind,
    renamed.state,
    renamed.new_channel AS channel,
    renamed.new_item AS item,
    renamed.is_of_draft,
    COALESCE(sightings.newest IN ('block.observed', 'channel.observed'), FALSE) AS is_there,
    patches.patch,
    renamed.recorded_at,
    renamed.hlc,
    renamed.device,
    renamed.seq,
    renamed.payload
FROM renamed
LEFT JOIN patches ON patches.object_id = renamed.object_id
LEFT JOIN sightings ON sightings.object_id = renamed.object_id
