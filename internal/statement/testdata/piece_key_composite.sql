SELECT ARRAY[k1::text, k2::text, k3::text] FROM (SELECT n, k1::uuid AS k1, k2::timestamp with time zone AS k2, k3::bigint AS k3 FROM backfill.undo AS backfill_undo, unnest(NULL::bigint[], backfill_undo.keys[0 * backfill_undo.rows + 1:1 * backfill_undo.rows], backfill_undo.keys[1 * backfill_undo.rows + 1:2 * backfill_undo.rows], backfill_undo.keys[2 * backfill_undo.rows + 1:3 * backfill_undo.rows]) WITH ORDINALITY AS e (step, k1, k2, k3, n)
WHERE run = $1 AND chunk = $2 AND seq = $3 AND part = $4) AS listed WHERE n = $5::bigint + 1;
-- ["run-1" '\a' '\x03' '\x01' '\x02']
