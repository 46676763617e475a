-- Every type of statement that DuckDB has, one a line; SEGMENT is a file of the log.
ALTER VIEW blocks RENAME TO b
ANALYZE
ATTACH 'c.duckdb' AS c
ATTACH ':memory:' AS c
BEGIN
COMMIT
ROLLBACK
CALL pragma_version()
CALL enable_logging(storage := 'file')
CHECKPOINT
FORCE CHECKPOINT
COMMENT ON VIEW blocks IS 'x'
COPY events TO 'new.csv'
COPY events TO 'SEGMENT'
COPY (SELECT 1) TO 'SEGMENT' (FORMAT parquet)
COPY (SELECT 1) TO 'd' (PARTITION_BY (x))
COPY blocks FROM 'c.csv'
COPY (SELECT 1) TO '/dev/stdout'
COPY FROM DATABASE memory TO temp
COPY FROM DATABASE memory TO temp (SCHEMA)
CREATE TABLE t AS SELECT 1
CREATE TEMP TABLE blocks AS SELECT 1 AS x
CREATE OR REPLACE VIEW events AS SELECT 1
CREATE OR REPLACE VIEW blocks AS FROM 'c.csv'
CREATE OR REPLACE TEMP VIEW log_segments AS SELECT 1
CREATE SCHEMA s
CREATE SEQUENCE q
CREATE MACRO lower(x) AS 'wrong'
CREATE TYPE t AS ENUM ('x')
CREATE INDEX i ON events (seq)
CREATE SECRET s (TYPE s3)
CREATE PERSISTENT SECRET s (TYPE s3)
DROP SECRET s
DEALLOCATE p
DELETE FROM blocks
DELETE FROM events
DETACH memory
DROP VIEW blocks
DROP VIEW events
DROP VIEW log_segments
EXECUTE p
EXPORT DATABASE 'd'
IMPORT DATABASE '.'
FORCE INSTALL httpfs
INSTALL httpfs
LOAD httpfs
LOAD 'c.duckdb'
UPDATE EXTENSIONS
INSERT INTO blocks VALUES (1)
INSERT INTO events SELECT * FROM events
TRUNCATE events
MERGE INTO blocks USING events ON true WHEN MATCHED THEN DELETE
UPDATE blocks SET title = 'x'
PRAGMA database_list
PRAGMA enable_profiling
PRAGMA import_database('.')
PRAGMA disable_optimizer
PREPARE p AS SELECT 1
RESET enable_external_access
RESET GLOBAL lock_configuration
SET enable_external_access = true
SET lock_configuration = false
SET threads = 1
SET GLOBAL TimeZone = 'Asia/Tokyo'
SET SESSION search_path = 'temp'
SET VARIABLE x = 1
SET allowed_directories = ['/']
SET temp_directory = '.'
SET schema = 'temp'
SET VARIABLE blocks = 1
SET log_query_path = 'new.log'
SET profiling_output = 'new.json'
SET home_directory = '/'
USE temp
USE memory
VACUUM
VACUUM ANALYZE
VALUES (1)
SHOW TABLES
DESCRIBE events
SELECT * FROM 'c.csv'
FROM 'c.parquet'
FROM 'c.duckdb'
FROM 'file:c.json'
SELECT * FROM c
FROM 'http://127.0.0.1:1/c.csv'
FROM 's3://bucket/c.parquet'
FROM read_csv('/dev/stdin')
