-- All that was ever observed of the given objects.
SELECT * EXCLUDE (event_id)
FROM events
WHERE object_id IN (SELECT unnest($objects))
ORDER BY hlc, device, seq
