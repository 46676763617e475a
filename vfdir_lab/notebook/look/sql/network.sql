/* What ties a channel to others, a row a tie: the items that are in more than one of the channels shown, and the
   channels that are in each other. Shown are the channel itself and those nearest to it, by how much they share. */
WITH held AS (
    SELECT DISTINCT channel, item FROM connections WHERE position IS NOT NULL
),
own AS (
    SELECT item FROM held WHERE channel = $channel
),
ties AS (
    SELECT channel, 1 AS shared, 0 AS inside FROM held WHERE item IN (SELECT item FROM own)
    UNION ALL
    SELECT channel, 0, 1 FROM held WHERE item = $channel
    UNION ALL
    SELECT item, 0, 1 FROM own WHERE starts_with(item, 'channel:')
),
near AS (
    SELECT
        channel,
        sum(shared) AS shared,
        row_number() OVER (ORDER BY sum(shared) + sum(inside) DESC, channel) AS nth,
        count(*) OVER () AS found
    FROM ties
    WHERE channel <> $channel
    GROUP BY channel
),
shown AS (
    SELECT $channel AS channel, 0 AS nth, 0 AS shared, 0 AS found
    UNION ALL
    SELECT channel, nth, shared, found FROM near WHERE nth <= $channels
),
among AS (
    SELECT
        held.item,
        held.item IN (SELECT channel FROM shown) AS is_shown,
        count(*) AS channels,
        bool_or(held.channel = $channel) AS is_own
    FROM held
    JOIN shown ON shown.channel = held.channel
    GROUP BY held.item
),
picked AS (
    SELECT item, is_shown, row_number() OVER (ORDER BY is_own DESC, channels DESC, item) AS nth, count(*) OVER () AS found
    FROM among
    WHERE channels > 1 AND NOT is_shown
    UNION ALL
    SELECT item, is_shown, 0, 0 FROM among WHERE is_shown
)
SELECT
    shown.nth,
    shown.channel,
    channels.title,
    channels.visibility,
    shown.shared,
    shown.found AS channels_found,
    picked.item,
    picked.is_shown,
    picked.found AS items_found,
    CASE WHEN starts_with(picked.item, 'channel:') THEN 'Channel' ELSE blocks.type END AS sort,
    COALESCE(blocks.title, inner_channels.title) AS item_title
FROM shown
LEFT JOIN channels ON channels.object_id = shown.channel
LEFT JOIN (held JOIN picked ON picked.item = held.item AND picked.nth <= $items) ON held.channel = shown.channel
LEFT JOIN blocks ON blocks.object_id = picked.item
LEFT JOIN channels AS inner_channels ON inner_channels.object_id = picked.item
ORDER BY shown.nth, picked.item
