-- helper: is_own(field)
/* 1 when the newest event of a group that has this top-level field is the person's own, a draft or an edit; 0
   when it is an observation; NULL where no row has the field. */
arg_max(
    CASE WHEN kind LIKE '%.drafted' OR kind LIKE '%.edited' THEN 1 ELSE 0 END,
    lpad(CAST(hlc AS VARCHAR), 19, '0') || ' ' || device || ' ' || lpad(CAST(seq AS VARCHAR), 19, '0')
) FILTER (WHERE json_extract(payload, '$.' || :field) IS NOT NULL)
