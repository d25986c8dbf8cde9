backfill_undo AS MATERIALIZED (SELECT rows, steps, keys, olds, marks || ''::bytea AS marks
FROM backfill.undo WHERE run = $1::text AND chunk = $2::bigint AND seq = $3::bigint AND part = $4::integer),
backfill_image AS MATERIALIZED (SELECT *, substring((SELECT marks FROM backfill_undo) FROM (n::int - 1) * 5 + 1 FOR 5) AS mark
FROM (SELECT n, k1::uuid AS k1, k2::bigint AS k2, o1
  FROM backfill_undo, unnest(NULL::bigint[], backfill_undo.keys[0 * backfill_undo.rows + 1:1 * backfill_undo.rows], backfill_undo.keys[1 * backfill_undo.rows + 1:2 * backfill_undo.rows], backfill_undo.olds[0 * backfill_undo.rows + 1:1 * backfill_undo.rows]) WITH ORDINALITY AS e (step, k1, k2, o1, n)) AS listed
WHERE n > $5::bigint AND n <= $6::bigint),
backfill_restored AS (UPDATE "archive"."Old ""Items""" SET "note" = backfill_image.o1::jsonb FROM backfill_image
WHERE "Old ""Items"""."tenant Id" = backfill_image.k1 AND "Old ""Items"""."ID" = backfill_image.k2
  AND substring(int8send(coalesce(hashtextextended(("Old ""Items"""."note"::text) COLLATE "C", 0), 0)) FROM 4) = backfill_image.mark
RETURNING backfill_image.n),
backfill_kept AS (INSERT INTO backfill.conflicts AS f (run, chunk, seq, key, was)
SELECT $1::text, $2::bigint, $3::bigint, ARRAY[k1::text, k2::text], ARRAY[o1]::text[] FROM backfill_image AS i FULL JOIN backfill_restored AS r ON r.n = i.n WHERE r.n IS NULL
ON CONFLICT (run, chunk, key) DO UPDATE SET seq = excluded.seq, was = excluded.was, found_at = NULL RETURNING 1);
-- ["run-1" '\a' '\x03' '\x01' '\x02' '\a']
