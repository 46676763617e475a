-- Which of these ids the log says anything about.
SELECT DISTINCT object_id FROM events WHERE object_id IN (SELECT unnest($objects)) ORDER BY object_id
