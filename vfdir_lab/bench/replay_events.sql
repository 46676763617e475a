/* Events numbered $first to $last of a long life with blocks, as the rows of a segment in the order of seq.

   Two in three are the first sight of a block, with all that are.na says of it (about 900 bytes); the third is
   about a block seen earlier and says only what changed: a title, a description given or cleared, a picture
   that was replaced, and now and then that the block is gone. Everything follows from the number, so a log of
   any length is made again alike. Payloads are canonical JSON. */
WITH numbers AS (
    SELECT n, n % 3 <> 0 AS is_first FROM range($first, $last + 1) AS numbered(n)
),
abouts AS (
    SELECT
        n,
        is_first,
        CASE
            WHEN is_first THEN n - n // 3
            ELSE 1 + CAST(hash(n) % (n - n // 3) AS BIGINT)
        END AS block,
        hash(n, 'sort') % 100 AS sort,
        array_to_string(list_transform(range(8 + CAST(hash(n, 'length') % 22 AS BIGINT)), lambda i: [
            'equinox', 'tide', 'the', 'harbour', 'of', 'a', 'slow', 'map', 'spring', 'and', 'moon', 'written',
            'paper', 'in', 'garden', 'colour', 'reading', 'room', 'with', 'window', 'over', 'archive', 'light',
            'to', 'stone', 'water', 'index', 'type', 'für', 'memory', 'field', 'notes'
        ][1 + CAST(hash(64 * n + i) % 32 AS BIGINT)]), ' ') AS prose,
        md5(CAST(n AS VARCHAR)) AS mark,
        strftime(TIMESTAMP '2020-01-01' + to_seconds(2 * n), '%Y-%m-%dT%H:%M:%SZ') AS moment
    FROM numbers
),
pieces AS (
    SELECT
        *,
        '{"html":"<p>' || prose || '</p>","markdown":"' || prose || '","plain":"' || prose || '"}' AS words,
        '{"alt_text":null,"aspect_ratio":1.333,"blurhash":"' || mark
        || '","content_type":"image/jpeg","file_size":' || n || ',"filename":"' || mark
        || '.jpg","height":1200,"src":"https://images.example/' || mark || '/original_' || mark
        || '.jpg","updated_at":"' || moment || '","width":1600}' AS picture,
        '{"provider":{"name":"example.org","url":"https://example.org"},"title":"' || left(prose, 60)
        || '","url":"https://example.org/' || mark || '/' || n || '"}' AS source,
        '{"content_type":"application/pdf","file_extension":"pdf","file_size":' || n || ',"filename":"'
        || mark || '.pdf","updated_at":"' || moment || '","url":"https://files.example/' || mark || '.pdf"}'
            AS attachment,
        '{"html":"<iframe src=\"https://video.example/' || mark || '\"></iframe>","type":"video","url":'
        || '"https://video.example/' || mark || '"}' AS embed
    FROM abouts
)
SELECT
    $device AS device,
    n AS seq,
    (1577836800000 + 2000 * n) << 16 AS hlc,
    TIMESTAMPTZ '2020-01-01 00:00:00+00' + to_seconds(2 * n) AS recorded_at,
    'arena' AS origin,
    TIMESTAMPTZ '2020-01-01 00:00:00+00' + to_seconds(2 * n) AS origin_at,
    CASE WHEN is_first OR sort > 0 THEN 'block.observed' ELSE 'block.vanished' END AS kind,
    CAST(1 AS SMALLINT) AS kind_version,
    'block:' || block AS object_id,
    'scan:' || n // 1000 AS cause,
    CASE
        WHEN is_first THEN
            '{' || CASE WHEN sort >= 95 THEN '"attachment":' || attachment || ',' ELSE '' END
            || '"base_type":"Block","comment_count":' || sort // 20
            || CASE WHEN sort < 40 THEN ',"content":' || words ELSE '' END
            || ',"created_at":"' || moment || '","description":'
            || CASE WHEN sort % 4 = 0 OR sort >= 40 THEN words ELSE 'null' END
            || CASE WHEN sort BETWEEN 93 AND 94 THEN ',"embed":' || embed ELSE '' END
            || ',"id":' || block
            || CASE WHEN sort >= 40 THEN ',"image":' || picture ELSE '' END
            || ',"metadata":' || CASE WHEN sort % 10 = 0 THEN '{"shelf":"' || left(mark, 4) || '"}' ELSE 'null' END
            || ',"source":' || CASE WHEN sort >= 70 THEN source ELSE 'null' END
            || ',"state":"available","title":"' || left(prose, 40) || '","type":"'
            || CASE
                WHEN sort < 40 THEN 'Text'
                WHEN sort < 70 THEN 'Image'
                WHEN sort < 93 THEN 'Link'
                WHEN sort < 95 THEN 'Embed'
                ELSE 'Attachment'
            END
            || '","updated_at":"' || moment || '","user":{"id":' || 5000 + n % 40
            || ',"type":"User"},"visibility":"public"}'
        WHEN sort = 0 THEN '{}'
        WHEN sort < 50 THEN '{"title":"' || left(prose, 40) || '","updated_at":"' || moment || '"}'
        WHEN sort < 80 THEN '{"description":' || words || ',"updated_at":"' || moment || '"}'
        WHEN sort < 90 THEN '{"description":null,"updated_at":"' || moment || '"}'
        ELSE '{"image":' || picture || ',"updated_at":"' || moment || '"}'
    END AS payload
FROM pieces
ORDER BY n
