backfill_found AS MATERIALIZED (SELECT "tenant Id" AS backfill_k1, "created_at" AS backfill_k2, "ID" AS backfill_k3, "n" AS backfill_o1 FROM "Sales Dept"."Order ""Items"""
WHERE ("tenant Id", "created_at", "ID") IN (SELECT k1::uuid, k2::timestamp with time zone, k3::bigint FROM (SELECT s.* FROM backfill.stripes AS s WHERE s.run = $3::text AND s.chunk = $4::bigint AND s.part = $5::integer) AS s, unnest(s.keys[0 * s.rows + 1 + $1::bigint:0 * s.rows + $2::bigint], s.keys[1 * s.rows + 1 + $1::bigint:1 * s.rows + $2::bigint], s.keys[2 * s.rows + 1 + $1::bigint:2 * s.rows + $2::bigint]) AS e (k1, k2, k3))
  AND "n" IS DISTINCT FROM (n + 1)::integer
ORDER BY "tenant Id", "created_at", "ID" FOR NO KEY UPDATE),
backfill_changed AS (UPDATE "Sales Dept"."Order ""Items""" SET "n" = (n + 1) FROM backfill_found
WHERE "Order ""Items"""."tenant Id" = backfill_k1 AND "Order ""Items"""."created_at" = backfill_k2 AND "Order ""Items"""."ID" = backfill_k3
RETURNING backfill_k1 AS k1, backfill_k2 AS k2, backfill_k3 AS k3, backfill_o1 AS o1, "Order ""Items"""."n" AS n1);
-- ['\x02' '\a' "run-1" '\a' '\x03']
