-- Every transaction as it was committed, and every wish that was cancelled, in the total order.
SELECT * EXCLUDE (event_id)
FROM events
WHERE kind IN ('tx.committed', 'tx.cancelled')
ORDER BY hlc, device, seq
