SELECT ARRAY[k1::text] FROM (SELECT n, coalesce((sum(step) OVER (ORDER BY n))::text, k1)::bigint AS k1 FROM backfill.undo AS backfill_undo, unnest(backfill_undo.steps, backfill_undo.keys[0 * backfill_undo.rows + 1:1 * backfill_undo.rows]) WITH ORDINALITY AS e (step, k1, n)
WHERE run = $1 AND chunk = $2 AND seq = $3 AND part = $4) AS listed WHERE n = $5::bigint + 1;
-- ["run-1" '\a' '\x03' '\x01' '\x02']
