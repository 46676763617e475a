-- The channels an item is in.
SELECT object_id, title
FROM channels
WHERE object_id IN (SELECT channel FROM connections WHERE item = $item AND position IS NOT NULL)
ORDER BY title NULLS LAST, object_id
