backfill_changed AS (DELETE FROM "public"."bare"
WHERE "id" <= $1::bigint
  AND CASE WHEN id > 7 THEN true END
RETURNING "id" AS k1),
backfill_image AS (INSERT INTO backfill.undo AS u (run, chunk, seq, part, rows, steps, keys, olds, marks)
SELECT $2::text, $3::bigint, $4::bigint, $5::integer, count(*), NULL::bigint[], array_agg(k1::text), NULL::text[],
  ''::bytea
FROM backfill_changed WHERE backfill.whole($6::text, $7::text[]) HAVING count(*) > 0
RETURNING coalesce(pg_column_size(u.keys), 0) + coalesce(pg_column_size(u.olds), 0) AS bytes);
-- ["20" "run-1" '\a' '\x03' '\x00' "\"public\".\"bare\"" ["id"]]
