backfill_seen AS MATERIALIZED (SELECT count(backfill_deviates) AS fitting, count(*) FILTER (WHERE backfill_deviates) AS deviating,
  coalesce(sum(coalesce(hashtextextended((backfill_o1::text) COLLATE "C", hashtextextended((ROW(backfill_k1::text, backfill_k2::text, backfill_k3::text)::text) COLLATE "C", 0)), hashint8extended(hashtextextended((ROW(backfill_k1::text, backfill_k2::text, backfill_k3::text)::text) COLLATE "C", 0), 0))) FILTER (WHERE backfill_deviates IS NOT NULL), 0) AS digest, ARRAY[count(*) FILTER (WHERE backfill_o1 IS NULL)]::bigint[] AS nulls
FROM (SELECT "tenant Id" AS backfill_k1, "created_at" AS backfill_k2, "ID" AS backfill_k3, "n" AS backfill_o1, "n" IS DISTINCT FROM (n + 1)::integer AS backfill_deviates
FROM "Sales Dept"."Order ""Items"""
WHERE "tenant Id" = $1::uuid AND "created_at" = $2::timestamp with time zone AND "ID" > $3::bigint OFFSET 0) AS backfill_row),
backfill_found AS MATERIALIZED (SELECT "tenant Id" AS backfill_k1, "created_at" AS backfill_k2, "ID" AS backfill_k3, "n" AS backfill_o1 FROM "Sales Dept"."Order ""Items"""
WHERE "tenant Id" = $1::uuid AND "created_at" = $2::timestamp with time zone AND "ID" > $3::bigint
  AND (SELECT s.deviating > 0 FROM backfill_seen AS s)
  AND "n" IS DISTINCT FROM (n + 1)::integer
ORDER BY "tenant Id", "created_at", "ID" FOR NO KEY UPDATE),
backfill_changed AS (UPDATE "Sales Dept"."Order ""Items""" SET "n" = (n + 1) FROM backfill_found
WHERE "Order ""Items"""."tenant Id" = backfill_k1 AND "Order ""Items"""."created_at" = backfill_k2 AND "Order ""Items"""."ID" = backfill_k3
RETURNING backfill_k1 AS k1, backfill_k2 AS k2, backfill_k3 AS k3, backfill_o1 AS o1, "Order ""Items"""."n" AS n1),
backfill_after AS MATERIALIZED (SELECT coalesce(sum(coalesce(hashtextextended((n1::text) COLLATE "C", hashtextextended((ROW(k1::text, k2::text, k3::text)::text) COLLATE "C", 0)), hashint8extended(hashtextextended((ROW(k1::text, k2::text, k3::text)::text) COLLATE "C", 0), 0))), 0) - coalesce(sum(coalesce(hashtextextended((o1::text) COLLATE "C", hashtextextended((ROW(k1::text, k2::text, k3::text)::text) COLLATE "C", 0)), hashint8extended(hashtextextended((ROW(k1::text, k2::text, k3::text)::text) COLLATE "C", 0), 0))), 0) AS digest, ARRAY[count(*) FILTER (WHERE o1 IS NULL)]::bigint[] AS gone, ARRAY[count(*) FILTER (WHERE n1 IS NULL)]::bigint[] AS come FROM backfill_changed),
backfill_looked AS MATERIALIZED (SELECT s.fitting, s.deviating, s.digest + a.digest AS digest,
  (SELECT array_agg(s.nulls[n] - a.gone[n] + a.come[n] ORDER BY n) FROM generate_subscripts(s.nulls, 1) AS n) AS nulls FROM backfill_seen AS s, backfill_after AS a);
-- ["00000000-0000-0000-0000-000000000001" "2024-01-01 00:00:00+00" "5"]
backfill_seen AS MATERIALIZED (SELECT count(backfill_deviates) AS fitting, count(*) FILTER (WHERE backfill_deviates) AS deviating,
  coalesce(sum(coalesce(hashtextextended((backfill_o1::text) COLLATE "C", hashtextextended((ROW(backfill_k1::text, backfill_k2::text, backfill_k3::text)::text) COLLATE "C", 0)), hashint8extended(hashtextextended((ROW(backfill_k1::text, backfill_k2::text, backfill_k3::text)::text) COLLATE "C", 0), 0))) FILTER (WHERE backfill_deviates IS NOT NULL), 0) AS digest, ARRAY[count(*) FILTER (WHERE backfill_o1 IS NULL)]::bigint[] AS nulls
FROM (SELECT "tenant Id" AS backfill_k1, "created_at" AS backfill_k2, "ID" AS backfill_k3, "n" AS backfill_o1, "n" IS DISTINCT FROM (n + 1)::integer AS backfill_deviates
FROM "Sales Dept"."Order ""Items"""
WHERE "tenant Id" = $1::uuid AND "created_at" > $2::timestamp with time zone AND "created_at" < $3::timestamp with time zone OFFSET 0) AS backfill_row),
backfill_found AS MATERIALIZED (SELECT "tenant Id" AS backfill_k1, "created_at" AS backfill_k2, "ID" AS backfill_k3, "n" AS backfill_o1 FROM "Sales Dept"."Order ""Items"""
WHERE "tenant Id" = $1::uuid AND "created_at" > $2::timestamp with time zone AND "created_at" < $3::timestamp with time zone
  AND (SELECT s.deviating > 0 FROM backfill_seen AS s)
  AND "n" IS DISTINCT FROM (n + 1)::integer
ORDER BY "tenant Id", "created_at", "ID" FOR NO KEY UPDATE),
backfill_changed AS (UPDATE "Sales Dept"."Order ""Items""" SET "n" = (n + 1) FROM backfill_found
WHERE "Order ""Items"""."tenant Id" = backfill_k1 AND "Order ""Items"""."created_at" = backfill_k2 AND "Order ""Items"""."ID" = backfill_k3
RETURNING backfill_k1 AS k1, backfill_k2 AS k2, backfill_k3 AS k3, backfill_o1 AS o1, "Order ""Items"""."n" AS n1),
backfill_after AS MATERIALIZED (SELECT coalesce(sum(coalesce(hashtextextended((n1::text) COLLATE "C", hashtextextended((ROW(k1::text, k2::text, k3::text)::text) COLLATE "C", 0)), hashint8extended(hashtextextended((ROW(k1::text, k2::text, k3::text)::text) COLLATE "C", 0), 0))), 0) - coalesce(sum(coalesce(hashtextextended((o1::text) COLLATE "C", hashtextextended((ROW(k1::text, k2::text, k3::text)::text) COLLATE "C", 0)), hashint8extended(hashtextextended((ROW(k1::text, k2::text, k3::text)::text) COLLATE "C", 0), 0))), 0) AS digest, ARRAY[count(*) FILTER (WHERE o1 IS NULL)]::bigint[] AS gone, ARRAY[count(*) FILTER (WHERE n1 IS NULL)]::bigint[] AS come FROM backfill_changed),
backfill_looked AS MATERIALIZED (SELECT s.fitting, s.deviating, s.digest + a.digest AS digest,
  (SELECT array_agg(s.nulls[n] - a.gone[n] + a.come[n] ORDER BY n) FROM generate_subscripts(s.nulls, 1) AS n) AS nulls FROM backfill_seen AS s, backfill_after AS a);
-- ["00000000-0000-0000-0000-000000000001" "2024-01-01 00:00:00+00" "2024-02-01 00:00:00+00"]
backfill_seen AS MATERIALIZED (SELECT count(backfill_deviates) AS fitting, count(*) FILTER (WHERE backfill_deviates) AS deviating,
  coalesce(sum(coalesce(hashtextextended((backfill_o1::text) COLLATE "C", hashtextextended((ROW(backfill_k1::text, backfill_k2::text, backfill_k3::text)::text) COLLATE "C", 0)), hashint8extended(hashtextextended((ROW(backfill_k1::text, backfill_k2::text, backfill_k3::text)::text) COLLATE "C", 0), 0))) FILTER (WHERE backfill_deviates IS NOT NULL), 0) AS digest, ARRAY[count(*) FILTER (WHERE backfill_o1 IS NULL)]::bigint[] AS nulls
FROM (SELECT "tenant Id" AS backfill_k1, "created_at" AS backfill_k2, "ID" AS backfill_k3, "n" AS backfill_o1, "n" IS DISTINCT FROM (n + 1)::integer AS backfill_deviates
FROM "Sales Dept"."Order ""Items"""
WHERE "tenant Id" = $1::uuid AND "created_at" = $2::timestamp with time zone AND "ID" <= $3::bigint OFFSET 0) AS backfill_row),
backfill_found AS MATERIALIZED (SELECT "tenant Id" AS backfill_k1, "created_at" AS backfill_k2, "ID" AS backfill_k3, "n" AS backfill_o1 FROM "Sales Dept"."Order ""Items"""
WHERE "tenant Id" = $1::uuid AND "created_at" = $2::timestamp with time zone AND "ID" <= $3::bigint
  AND (SELECT s.deviating > 0 FROM backfill_seen AS s)
  AND "n" IS DISTINCT FROM (n + 1)::integer
ORDER BY "tenant Id", "created_at", "ID" FOR NO KEY UPDATE),
backfill_changed AS (UPDATE "Sales Dept"."Order ""Items""" SET "n" = (n + 1) FROM backfill_found
WHERE "Order ""Items"""."tenant Id" = backfill_k1 AND "Order ""Items"""."created_at" = backfill_k2 AND "Order ""Items"""."ID" = backfill_k3
RETURNING backfill_k1 AS k1, backfill_k2 AS k2, backfill_k3 AS k3, backfill_o1 AS o1, "Order ""Items"""."n" AS n1),
backfill_after AS MATERIALIZED (SELECT coalesce(sum(coalesce(hashtextextended((n1::text) COLLATE "C", hashtextextended((ROW(k1::text, k2::text, k3::text)::text) COLLATE "C", 0)), hashint8extended(hashtextextended((ROW(k1::text, k2::text, k3::text)::text) COLLATE "C", 0), 0))), 0) - coalesce(sum(coalesce(hashtextextended((o1::text) COLLATE "C", hashtextextended((ROW(k1::text, k2::text, k3::text)::text) COLLATE "C", 0)), hashint8extended(hashtextextended((ROW(k1::text, k2::text, k3::text)::text) COLLATE "C", 0), 0))), 0) AS digest, ARRAY[count(*) FILTER (WHERE o1 IS NULL)]::bigint[] AS gone, ARRAY[count(*) FILTER (WHERE n1 IS NULL)]::bigint[] AS come FROM backfill_changed),
backfill_looked AS MATERIALIZED (SELECT s.fitting, s.deviating, s.digest + a.digest AS digest,
  (SELECT array_agg(s.nulls[n] - a.gone[n] + a.come[n] ORDER BY n) FROM generate_subscripts(s.nulls, 1) AS n) AS nulls FROM backfill_seen AS s, backfill_after AS a);
-- ["00000000-0000-0000-0000-000000000001" "2024-02-01 00:00:00+00" "7"]
