/* A page of `items`: of one sort (or all, or mine, or gone), holding every word of `asked`, in an order. */
SELECT items.*, count(*) OVER () AS found
FROM items
WHERE
    CASE $sort
        WHEN '' THEN TRUE
        WHEN '?mine' THEN is_mine
        WHEN '?gone' THEN is_gone
        ELSE sort = $sort AND NOT is_gone
    END
    AND NOT EXISTS (
        SELECT 1
        FROM asked
        WHERE NOT contains(fold(concat_ws(' ', title, description, content, filename, source_title, source_url)), fold(word))
    )
ORDER BY
    CASE $order
        WHEN 'newest' THEN -COALESCE(epoch_us(since), 9000000000000000000)
        WHEN 'oldest' THEN COALESCE(epoch_us(since), 9000000000000000000)
    END,
    nth
LIMIT $size OFFSET $first
