-- The exported in the order they were asked for, and those in them.
SELECT *
FROM told
WHERE object_id IN (SELECT channel FROM exported) OR object_id IN (SELECT item FROM inside)
ORDER BY list_position($channels, object_id) NULLS LAST, remote_id, object_id
