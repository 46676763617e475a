-- helper: newest(value)
/* The newest value among the rows of a group that is not NULL, in the total order of events. For folds of
   several fields: take each payload apart once, in a subquery with
   json_extract(payload, ['$.title', '$.type']) AS said, and fold newest(said[1]), newest(said[2]). An absent
   field is NULL there and passed over; a cleared one is JSON null, a value, and wins. */
arg_max(
    :value,
    lpad(CAST(hlc AS VARCHAR), 19, '0') || ' ' || device || ' ' || lpad(CAST(seq AS VARCHAR), 19, '0')
) FILTER (WHERE (:value) IS NOT NULL)
