-- Every object the log says anything about.
SELECT DISTINCT object_id FROM events WHERE kind NOT IN ('scan.started', 'scan.finished')
