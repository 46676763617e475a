/* Version 2 of `object.access_lost` says whether are.na answered 401 or 403; version 1 said nothing. */
CASE WHEN payload = '{}' THEN '{"status":null}' ELSE payload END
