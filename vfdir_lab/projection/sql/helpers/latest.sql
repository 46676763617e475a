-- helper: latest(field)
/* The newest value of a payload's top-level field among the rows of a group, as JSON; NULL where no row has
   the field, JSON null where the newest row that has it cleared it: what is absent is NULL in SQL and passed
   over, what was cleared is a value and wins. The key is the total order of events, spelled so that its order
   as text is its order; one text is compared much quicker than a struct of three values. */
arg_max(
    json_extract(payload, '$.' || :field),
    lpad(CAST(hlc AS VARCHAR), 19, '0') || ' ' || device || ' ' || lpad(CAST(seq AS VARCHAR), 19, '0')
) FILTER (WHERE json_extract(payload, '$.' || :field) IS NOT NULL)
