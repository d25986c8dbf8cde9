backfill_undo AS MATERIALIZED (SELECT rows, steps, keys, olds, marks || ''::bytea AS marks
FROM backfill.undo WHERE run = $1::text AND chunk = $2::bigint AND seq = $3::bigint AND part = $4::integer),
backfill_image AS MATERIALIZED (SELECT *, substring((SELECT marks FROM backfill_undo) FROM (n::int - 1) * 5 + 1 FOR 5) AS mark
FROM (SELECT n, coalesce((sum(step) OVER (ORDER BY n))::text, k1)::bigint AS k1, o1, o2, o3, o4
  FROM backfill_undo, unnest(backfill_undo.steps, backfill_undo.keys[0 * backfill_undo.rows + 1:1 * backfill_undo.rows], backfill_undo.olds[0 * backfill_undo.rows + 1:1 * backfill_undo.rows], backfill_undo.olds[1 * backfill_undo.rows + 1:2 * backfill_undo.rows], backfill_undo.olds[2 * backfill_undo.rows + 1:3 * backfill_undo.rows], backfill_undo.olds[3 * backfill_undo.rows + 1:4 * backfill_undo.rows]) WITH ORDINALITY AS e (step, k1, o1, o2, o3, o4, n)) AS listed
WHERE n > $5::bigint AND n <= $6::bigint),
backfill_restored AS (SELECT FROM backfill_image WHERE false),
backfill_kept AS (INSERT INTO backfill.conflicts AS f (run, chunk, seq, key, was, why)
SELECT $1::text, $2::bigint, $3::bigint, ARRAY[k1::text], ARRAY[o1, o2, o3, o4]::text[], $7::text FROM backfill_image AS i
ON CONFLICT (run, chunk, key) DO UPDATE SET seq = excluded.seq, was = excluded.was, why = excluded.why, found_at = NULL RETURNING 1);
-- ["run-1" '\a' '\x03' '\x01' '\x02' '\a' "a foreign key"]
