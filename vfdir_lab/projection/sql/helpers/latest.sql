-- helper: latest(field)
/* The newest value of a payload's top-level field among the rows of a group, as JSON; NULL where no row has
   the field, JSON null where the newest row that has it cleared it. Presence is tested, not nullness: a
   plain arg_max skips nulls and would bring a cleared value back. The key is the total order of events. */
struct_extract(
    arg_max(
        {'v': json_extract(payload, '$.' || :field)},
        {'h': hlc, 'd': device, 's': seq}
    ) FILTER (WHERE json_exists(payload, '$.' || :field)),
    'v'
)
