backfill_found AS MATERIALIZED (SELECT * FROM (SELECT ctid AS backfill_ctid, xmin AS backfill_xmin, "tenant Id" AS backfill_k1, "created_at" AS backfill_k2, "ID" AS backfill_k3, "n" AS backfill_o1, (n + 1) AS backfill_n1 FROM "Sales Dept"."Order ""Items"""
WHERE "tenant Id" = $1::uuid AND "created_at" = $2::timestamp with time zone AND "ID" = $3::bigint OFFSET 0) AS backfill_read
WHERE backfill_o1 IS DISTINCT FROM backfill_n1::integer),
backfill_changed AS (UPDATE "Sales Dept"."Order ""Items""" SET "n" = backfill_found.backfill_n1 FROM backfill_found
WHERE "Order ""Items""".ctid = backfill_ctid AND "Order ""Items""".xmin = backfill_xmin
RETURNING backfill_k1 AS k1, backfill_k2 AS k2, backfill_k3 AS k3, backfill_o1 AS o1, "Order ""Items"""."n" AS n1);
-- ["00000000-0000-0000-0000-000000000001" "2024-01-01 00:00:00+00" "5"]
