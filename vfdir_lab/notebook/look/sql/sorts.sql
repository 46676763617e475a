-- How many items of each sort are there, and how many are mine, or gone.
SELECT sort, count(*) AS items FROM items WHERE NOT is_gone GROUP BY sort
UNION ALL
SELECT '?mine', count(*) FROM items WHERE is_mine
UNION ALL
SELECT '?gone', count(*) FROM items WHERE is_gone
ORDER BY sort
