-- What are.na said of one object, oldest first.
SELECT kind, payload
FROM events
WHERE object_id = $object AND (ends_with(kind, '.observed') OR ends_with(kind, '.vanished'))
ORDER BY hlc, device, seq
