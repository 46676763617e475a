-- projection: conflicts
-- version: 1
-- title: As shown
-- key: object_id, field
/* Where an open wish and are.na disagree, one row for each property: `mine` is wished, `theirs` is what are.na
   shows now and `seen_at` when that was recorded, `base` is what are.na had shown when it was wished, `tx` the
   transaction. Nothing is in conflict where no wish is open, but for duplicates. The field is one of:

   A field of a block or channel (`metadata.key` for metadata) whose newest open wish is an edit: what are.na
   shows differs from it, and is neither the base nor what a wish of this archive that are.na accepted made of
   the field. Texts are compared without the space around them and with line ends in one form; no text is the
   empty text.

   `position`: a connection that is to be moved, was moved by another reading of the channel's leading device
   since, and does not stand where it was wished. `mine` and `base` are places: top, bottom, or the connection
   it goes right below.

   `presence`: what a wish is about is gone from are.na: the block or channel; the connection, its channel or
   its item. What was wished away may be gone.

   `duplicate`: are.na has two of what was wished once, known by the mark of the intent, or found by looking for
   it. The row is about the later one, which is `mine`; `theirs` is the earliest. */
WITH open AS MATERIALIZED (
    SELECT * FROM open_wishes
),
named AS (
    SELECT event_id, 'title' AS field, '$.title' AS top, '$.title' AS inside FROM open
    UNION ALL
    SELECT event_id, 'description' AS field, '$.description' AS top, '$.description' AS inside FROM open
    UNION ALL
    SELECT event_id, 'content' AS field, '$.content' AS top, '$.content' AS inside FROM open
    UNION ALL
    SELECT event_id, 'visibility' AS field, '$.visibility' AS top, '$.visibility' AS inside FROM open
    UNION ALL
    SELECT event_id, 'alt_text' AS field, '$.image' AS top, '$.image.alt_text' AS inside FROM open
    UNION ALL
    SELECT event_id, 'metadata.' || name AS field, '$.metadata' AS top, '$.metadata.' || name AS inside
    FROM (SELECT event_id, unnest(json_keys(payload, '$.metadata')) AS name FROM open)
    WHERE regexp_full_match(name, '[A-Za-z0-9_]+')
),
edits AS (
    SELECT
        open.object_id,
        named.field,
        named.top,
        named.inside,
        open.tx,
        json_extract(open.payload, '$.' || named.field) AS mine,
        json_extract(open.payload, '$.base.' || named.field) AS base,
        row_number() OVER (
            PARTITION BY open.object_id, named.field
            ORDER BY open.hlc DESC, open.device DESC, open.seq DESC, open.event_id, named.top, named.inside
        ) AS nth
    FROM open
    JOIN named ON named.event_id = open.event_id
    WHERE
        open.kind IN ('block.edited', 'channel.edited')
        AND json_extract(open.payload, '$.' || named.field) IS NOT NULL
),
edited AS MATERIALIZED (
    SELECT * FROM edits WHERE nth = 1
),
edited_objects AS (
    SELECT DISTINCT object_id FROM edited
    WHERE NOT EXISTS (SELECT 1 FROM gone WHERE gone.object_id = edited.object_id)
),
observed AS (
    SELECT events.object_id, events.recorded_at, events.hlc, events.device, events.seq, events.payload
    FROM events
    JOIN edited_objects ON edited_objects.object_id = events.object_id
    WHERE events.kind IN ('block.observed', 'channel.observed')
),
sayings AS MATERIALIZED (
    SELECT
        edited.object_id,
        edited.field,
        json_extract(observed.payload, edited.inside) AS theirs,
        observed.recorded_at AS seen_at,
        row_number() OVER (
            PARTITION BY edited.object_id, edited.field
            ORDER BY observed.hlc DESC, observed.device DESC, observed.seq DESC, observed.recorded_at
        ) AS nth
    FROM edited
    JOIN observed ON observed.object_id = edited.object_id
    WHERE json_extract(observed.payload, edited.top) IS NOT NULL
),
accepted AS (
    SELECT COALESCE(bindings.remote, intents.object_id) AS object_id, intents.payload
    FROM intents
    JOIN wishes ON wishes.intent = intents.intent AND wishes.tx = intents.tx
    LEFT JOIN bindings ON bindings.object_id = intents.object_id
    WHERE
        wishes.state IN ('accepted', 'settled')
        AND intents.kind IN ('block.drafted', 'block.edited', 'channel.drafted', 'channel.edited')
),
said AS (
    SELECT object_id, field, 'mine' AS whose, mine AS value FROM edited
    UNION ALL
    SELECT object_id, field, 'base' AS whose, base AS value FROM edited
    UNION ALL
    SELECT object_id, field, 'theirs' AS whose, theirs AS value FROM sayings WHERE nth = 1
    UNION ALL
    SELECT
        edited.object_id,
        edited.field,
        'accepted' AS whose,
        json_extract(accepted.payload, '$.' || edited.field) AS value
    FROM edited
    JOIN accepted ON accepted.object_id = edited.object_id
    WHERE json_extract(accepted.payload, '$.' || edited.field) IS NOT NULL
),
texts AS MATERIALIZED (
    SELECT
        object_id,
        field,
        whose,
        text,
        trim(
            replace(replace(COALESCE(text, ''), chr(13) || chr(10), chr(10)), chr(13), chr(10)),
            ' ' || chr(9) || chr(10)
        ) AS bare
    FROM (
        SELECT
            object_id,
            field,
            whose,
            CASE json_type(value) WHEN 'OBJECT' THEN value ->> '$.markdown' ELSE value ->> '$' END AS text
        FROM said
    )
),
agreed AS (
    SELECT theirs.object_id, theirs.field
    FROM texts AS theirs
    JOIN texts AS ours
        ON ours.object_id = theirs.object_id AND ours.field = theirs.field AND ours.bare = theirs.bare
    WHERE theirs.whose = 'theirs' AND ours.whose <> 'theirs'
),
fields AS (
    SELECT
        edited.object_id,
        edited.field,
        mine.text AS mine,
        theirs.text AS theirs,
        base.text AS base,
        edited.tx,
        sayings.seen_at
    FROM edited
    JOIN sayings ON sayings.object_id = edited.object_id AND sayings.field = edited.field
    JOIN texts AS mine ON mine.object_id = edited.object_id AND mine.field = edited.field
    JOIN texts AS theirs ON theirs.object_id = edited.object_id AND theirs.field = edited.field
    JOIN texts AS base ON base.object_id = edited.object_id AND base.field = edited.field
    WHERE
        sayings.nth = 1
        AND mine.whose = 'mine'
        AND theirs.whose = 'theirs'
        AND base.whose = 'base'
        AND NOT EXISTS (
            SELECT 1 FROM agreed WHERE agreed.object_id = edited.object_id AND agreed.field = edited.field
        )
),
places AS (
    SELECT
        open.*,
        row_number() OVER (PARTITION BY object_id ORDER BY hlc DESC, device DESC, seq DESC, event_id) AS nth
    FROM open
    WHERE kind IN ('connection.made', 'connection.moved')
),
moves AS MATERIALIZED (
    SELECT
        places.object_id,
        places.channel,
        places.tx,
        COALESCE(bindings.remote, places.payload ->> '$.place') AS mine,
        places.payload ->> '$.base.place' AS base,
        {'h': places.hlc, 'd': places.device, 's': places.seq} AS wished
    FROM places
    LEFT JOIN bindings ON bindings.object_id = places.payload ->> '$.place'
    WHERE places.nth = 1 AND places.kind = 'connection.moved'
),
leaders AS (
    SELECT channel, max({'complete': complete, 'hlc': hlc, 'device': device, 'seq': seq}) AS reading
    FROM readings
    GROUP BY channel
),
moved_since AS (
    SELECT moves.object_id, max(events.recorded_at) AS seen_at
    FROM events
    JOIN moves ON moves.object_id = events.object_id
    JOIN leaders
        ON leaders.channel = moves.channel AND struct_extract(leaders.reading, 'device') = events.device
    WHERE
        events.kind = 'connection.ranked'
        AND {'h': events.hlc, 'd': events.device, 's': events.seq} > moves.wished
    GROUP BY moves.object_id
),
standing AS MATERIALIZED (
    SELECT object_id, channel, position, count(*) OVER (PARTITION BY channel) AS length FROM connections_v2
),
positions AS (
    SELECT
        moves.object_id,
        'position' AS field,
        moves.mine,
        'position ' || standing.position || ' of ' || standing.length AS theirs,
        moves.base,
        moves.tx,
        moved_since.seen_at
    FROM moves
    JOIN moved_since ON moved_since.object_id = moves.object_id
    JOIN standing ON standing.object_id = moves.object_id
    LEFT JOIN standing AS above ON above.object_id = moves.mine AND above.channel = standing.channel
    WHERE
        NOT CASE moves.mine
            WHEN 'top' THEN standing.position = standing.length
            WHEN 'bottom' THEN standing.position = 1
            ELSE COALESCE(above.position = standing.position + 1, FALSE)
        END
),
unwanted AS (
    SELECT object_id FROM open WHERE kind IN ('channel.deleted', 'connection.unmade')
),
subjects AS (
    SELECT object_id, object_id AS hangs_on, kind, tx, hlc, device, seq, event_id
    FROM open
    WHERE
        kind IN (
            'block.drafted', 'block.edited', 'channel.drafted', 'channel.edited', 'connection.made',
            'connection.moved'
        )
    UNION ALL
    SELECT object_id, channel AS hangs_on, kind, tx, hlc, device, seq, event_id
    FROM open
    WHERE kind IN ('connection.made', 'connection.moved')
    UNION ALL
    SELECT object_id, item AS hangs_on, kind, tx, hlc, device, seq, event_id
    FROM open
    WHERE kind = 'connection.made'
),
away AS (
    SELECT object_id, gone_at FROM gone
    UNION ALL
    SELECT object_id, newest_at AS gone_at FROM connection_states WHERE newest = 'connection.vanished'
),
presences AS (
    SELECT
        subjects.object_id,
        'presence' AS field,
        'here' AS mine,
        'gone' AS theirs,
        max(
            CASE WHEN subjects.kind IN ('block.edited', 'channel.edited', 'connection.moved') THEN 'here' END
        ) AS base,
        arg_max(
            subjects.tx,
            {
                'h': subjects.hlc,
                'd': subjects.device,
                's': subjects.seq,
                'e': subjects.event_id,
                't': subjects.tx
            }
        ) AS tx,
        max(away.gone_at) AS seen_at
    FROM subjects
    JOIN away ON away.object_id = subjects.hangs_on
    WHERE
        NOT EXISTS (
            SELECT 1 FROM unwanted WHERE unwanted.object_id IN (subjects.object_id, subjects.hangs_on)
        )
    GROUP BY subjects.object_id
),
marked AS (
    SELECT object_id, remote_id, what, metadata ->> '$.vfdir_tx' AS intent
    FROM (
        SELECT object_id, remote_id, 'block' AS what, metadata FROM blocks_v2
        UNION ALL
        SELECT object_id, remote_id, 'channel' AS what, metadata FROM channel_states
        UNION ALL
        SELECT object_id, remote_id, channel || ' ' || item AS what, metadata FROM connections_v2
    )
    WHERE contains(metadata, '"vfdir_tx"') AND remote_id IS NOT NULL
),
same_marks AS MATERIALIZED (
    SELECT object_id, intent, split_part(object_id, ':', 1) || ':' || first_id AS theirs
    FROM (
        SELECT object_id, remote_id, intent, min(remote_id) OVER (PARTITION BY what, intent) AS first_id FROM marked
    )
    WHERE remote_id > first_id
),
marks_seen AS (
    SELECT events.object_id, min(events.recorded_at) AS seen_at
    FROM events
    JOIN same_marks ON same_marks.object_id = events.object_id
    WHERE events.kind IN ('block.observed', 'channel.observed', 'connection.observed')
    GROUP BY events.object_id
),
candidates AS (
    SELECT DISTINCT
        open.intent,
        open.tx,
        answers.state_at,
        unnest(json_extract_string(answers.found, '$[*]')) AS one
    FROM open
    JOIN answers ON answers.object_id = open.tx AND answers.intent = open.intent
    WHERE open.state = 'unknown'
),
found AS (
    SELECT
        intent,
        tx,
        state_at,
        one,
        first_value(one) OVER (
            PARTITION BY intent ORDER BY TRY_CAST(split_part(one, ':', 2) AS BIGINT) NULLS LAST, one
        ) AS earliest
    FROM candidates
),
twins AS (
    SELECT same_marks.object_id, same_marks.theirs, wishes.tx, marks_seen.seen_at, 0 AS source
    FROM same_marks
    JOIN marks_seen ON marks_seen.object_id = same_marks.object_id
    LEFT JOIN wishes ON wishes.intent = same_marks.intent
    UNION ALL
    SELECT one AS object_id, earliest AS theirs, tx, state_at AS seen_at, 1 AS source
    FROM found
    WHERE one <> earliest
),
duplicates AS (
    SELECT
        object_id,
        'duplicate' AS field,
        object_id AS mine,
        theirs,
        NULL AS base,
        tx,
        seen_at,
        row_number() OVER (PARTITION BY object_id ORDER BY source, theirs, tx, seen_at) AS nth
    FROM twins
)
SELECT object_id, field, mine, theirs, base, tx, seen_at FROM fields
UNION ALL
SELECT object_id, field, mine, theirs, base, tx, seen_at FROM positions
UNION ALL
SELECT object_id, field, mine, theirs, base, tx, seen_at FROM presences
UNION ALL
SELECT object_id, field, mine, theirs, base, tx, seen_at FROM duplicates WHERE nth = 1
