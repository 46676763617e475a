/* What differs between the items then and now, a row an item: `what` is added, gone, or kept. An item is the
   same where its id is, or the id that are.na gave it since (`bound`); the second time it is in the channel is
   told from the first. Kept ones come in the order they had then, with their place in the order of now. */
WITH of_then AS (
    SELECT
        COALESCE(bound.remote, items_then.item) AS item,
        row_number() OVER (PARTITION BY COALESCE(bound.remote, items_then.item) ORDER BY nth) AS time,
        nth,
        title
    FROM items_then
    LEFT JOIN bound ON bound.object_id = items_then.item
    WHERE NOT is_gone
),
of_now AS (
    SELECT item, row_number() OVER (PARTITION BY item ORDER BY nth) AS time, nth, title
    FROM items_now
    WHERE NOT is_gone
)
SELECT
    CASE WHEN of_then.item IS NULL THEN 'added' WHEN of_now.item IS NULL THEN 'gone' ELSE 'kept' END AS what,
    item,
    of_then.title AS before,
    of_now.title AS after,
    of_now.nth AS place,
    what = 'kept' AND before IS DISTINCT FROM after AS is_renamed
FROM of_then
FULL JOIN of_now USING (item, time)
ORDER BY of_then.nth NULLS LAST, of_now.nth
