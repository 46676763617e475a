-- The places of each block: before and after it stand the nearest items that are blocks and have a page.
steps AS (
    SELECT
        inside.channel,
        inside.item,
        inside.position,
        {
            'object_id': blocks.object_id, 'type': blocks.type, 'title': blocks.title,
            'content': left(blocks.content, 200), 'filename': blocks.filename
        } AS brief
    FROM inside JOIN blocks ON blocks.object_id = inside.item
),
neighbours AS (
    SELECT
        channel,
        item,
        position,
        lag(brief) OVER in_order AS before,
        lead(brief) OVER in_order AS after
    FROM steps
    WINDOW in_order AS (PARTITION BY channel ORDER BY position)
),
placed AS (
    SELECT
        item,
        list(
            {'channel': channel, 'before': before, 'after': after}
            ORDER BY list_position($channels, channel), position
        ) AS places
    FROM neighbours
    GROUP BY item
)
