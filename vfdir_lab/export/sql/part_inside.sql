-- What is in them.
inside AS MATERIALIZED (SELECT * FROM connections WHERE channel IN (SELECT channel FROM exported))
