backfill_found AS MATERIALIZED (SELECT "tenant Id" AS backfill_k1, "created_at" AS backfill_k2, "ID" AS backfill_k3, "n" AS backfill_o1 FROM "Sales Dept"."Order ""Items"""
WHERE "tenant Id" = $1::uuid AND "created_at" = $2::timestamp with time zone AND "ID" > $3::bigint AND "ID" <= $4::bigint
  AND "n" IS DISTINCT FROM (n + 1)::integer
ORDER BY "tenant Id", "created_at", "ID" FOR NO KEY UPDATE),
backfill_changed AS (UPDATE "Sales Dept"."Order ""Items""" SET "n" = (n + 1) FROM backfill_found
WHERE "Order ""Items"""."tenant Id" = backfill_k1 AND "Order ""Items"""."created_at" = backfill_k2 AND "Order ""Items"""."ID" = backfill_k3
RETURNING backfill_k1 AS k1, backfill_k2 AS k2, backfill_k3 AS k3, backfill_o1 AS o1, "Order ""Items"""."n" AS n1),
backfill_image AS (INSERT INTO backfill.undo AS u (run, chunk, seq, part, rows, steps, keys, olds, marks)
SELECT $5::text, $6::bigint, $7::bigint, $8::integer, count(*), NULL::bigint[], array_agg(k1::text) || array_agg(k2::text) || array_agg(k3::text), CASE WHEN count(*) FILTER (WHERE num_nonnulls(o1) > 0) > 0 THEN array_agg(o1::text) END,
  string_agg(substring(int8send(coalesce(hashtextextended((n1::text) COLLATE "C", 0), 0)) FROM 4), ''::bytea)
FROM backfill_changed HAVING count(*) > 0
RETURNING coalesce(pg_column_size(u.keys), 0) + coalesce(pg_column_size(u.olds), 0) AS bytes);
-- ["00000000-0000-0000-0000-000000000001" "2024-01-01 00:00:00+00" "5" "7" "run-1" '\a' '\x03' '\x00']
