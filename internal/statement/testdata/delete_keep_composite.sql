backfill_changed AS (DELETE FROM "Sales Dept"."Order ""Items"""
WHERE "tenant Id" = $1::uuid AND "created_at" = $2::timestamp with time zone AND "ID" > $3::bigint
  AND CASE WHEN n < 0 THEN true END
RETURNING "tenant Id" AS k1, "created_at" AS k2, "ID" AS k3, "n" AS o1, "note" AS o2),
backfill_image AS (INSERT INTO backfill.undo AS u (run, chunk, seq, part, rows, steps, keys, olds, marks)
SELECT $4::text, $5::bigint, $6::bigint, $7::integer, count(*), NULL::bigint[], array_agg(k1::text) || array_agg(k2::text) || array_agg(k3::text), CASE WHEN count(*) FILTER (WHERE num_nonnulls(o1, o2) > 0) > 0 THEN array_agg(o1::text) || array_agg(o2::text) END,
  ''::bytea
FROM backfill_changed WHERE backfill.whole($8::text, $9::text[]) HAVING count(*) > 0
RETURNING coalesce(pg_column_size(u.keys), 0) + coalesce(pg_column_size(u.olds), 0) AS bytes);
-- ["00000000-0000-0000-0000-000000000001" "2024-01-01 00:00:00+00" "5" "run-1" '\a' '\x03' '\x00' "\"Sales Dept\".\"Order \"\"Items\"\"\"" ["tenant Id" "created_at" "ID" "n" "note"]]
backfill_changed AS (DELETE FROM "Sales Dept"."Order ""Items"""
WHERE "tenant Id" = $1::uuid AND "created_at" > $2::timestamp with time zone AND "created_at" < $3::timestamp with time zone
  AND CASE WHEN n < 0 THEN true END
RETURNING "tenant Id" AS k1, "created_at" AS k2, "ID" AS k3, "n" AS o1, "note" AS o2),
backfill_image AS (INSERT INTO backfill.undo AS u (run, chunk, seq, part, rows, steps, keys, olds, marks)
SELECT $4::text, $5::bigint, $6::bigint, $7::integer, count(*), NULL::bigint[], array_agg(k1::text) || array_agg(k2::text) || array_agg(k3::text), CASE WHEN count(*) FILTER (WHERE num_nonnulls(o1, o2) > 0) > 0 THEN array_agg(o1::text) || array_agg(o2::text) END,
  ''::bytea
FROM backfill_changed WHERE backfill.whole($8::text, $9::text[]) HAVING count(*) > 0
RETURNING coalesce(pg_column_size(u.keys), 0) + coalesce(pg_column_size(u.olds), 0) AS bytes);
-- ["00000000-0000-0000-0000-000000000001" "2024-01-01 00:00:00+00" "2024-02-01 00:00:00+00" "run-1" '\a' '\x03' '\x01' "\"Sales Dept\".\"Order \"\"Items\"\"\"" ["tenant Id" "created_at" "ID" "n" "note"]]
backfill_changed AS (DELETE FROM "Sales Dept"."Order ""Items"""
WHERE "tenant Id" = $1::uuid AND "created_at" = $2::timestamp with time zone AND "ID" <= $3::bigint
  AND CASE WHEN n < 0 THEN true END
RETURNING "tenant Id" AS k1, "created_at" AS k2, "ID" AS k3, "n" AS o1, "note" AS o2),
backfill_image AS (INSERT INTO backfill.undo AS u (run, chunk, seq, part, rows, steps, keys, olds, marks)
SELECT $4::text, $5::bigint, $6::bigint, $7::integer, count(*), NULL::bigint[], array_agg(k1::text) || array_agg(k2::text) || array_agg(k3::text), CASE WHEN count(*) FILTER (WHERE num_nonnulls(o1, o2) > 0) > 0 THEN array_agg(o1::text) || array_agg(o2::text) END,
  ''::bytea
FROM backfill_changed WHERE backfill.whole($8::text, $9::text[]) HAVING count(*) > 0
RETURNING coalesce(pg_column_size(u.keys), 0) + coalesce(pg_column_size(u.olds), 0) AS bytes);
-- ["00000000-0000-0000-0000-000000000001" "2024-02-01 00:00:00+00" "7" "run-1" '\a' '\x03' '\x02' "\"Sales Dept\".\"Order \"\"Items\"\"\"" ["tenant Id" "created_at" "ID" "n" "note"]]
