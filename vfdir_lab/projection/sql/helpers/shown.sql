-- helper: shown(change, path, first)
/* The text at a path of a field: from the newest change that has the field, as JSON, else what the first event
   says there. A change that clears the field counts: what is in JSON null is NULL. */
CASE WHEN (:change) IS NULL THEN (:first) ELSE (:change) ->> :path END
