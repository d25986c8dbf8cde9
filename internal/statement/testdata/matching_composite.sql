WITH backfill_matching AS MATERIALIZED (SELECT k1, k2, k3 FROM ((SELECT k1, k2, k3 FROM (SELECT "tenant Id" AS k1, "created_at" AS k2, "ID" AS k3, (n < 0 AND note IS NULL) AS matches FROM "Sales Dept"."Order ""Items"""
WHERE "tenant Id" = $2::uuid AND "created_at" = $3::timestamp with time zone AND "ID" > $4::bigint) AS backfill_probe
WHERE matches ORDER BY k1, k2, k3 LIMIT $1::bigint)
UNION ALL (
SELECT k1, k2, k3 FROM (SELECT "tenant Id" AS k1, "created_at" AS k2, "ID" AS k3, (n < 0 AND note IS NULL) AS matches FROM "Sales Dept"."Order ""Items"""
WHERE "tenant Id" = $5::uuid AND "created_at" > $6::timestamp with time zone) AS backfill_probe
WHERE matches ORDER BY k1, k2, k3 LIMIT $1::bigint)
UNION ALL (
SELECT k1, k2, k3 FROM (SELECT "tenant Id" AS k1, "created_at" AS k2, "ID" AS k3, (n < 0 AND note IS NULL) AS matches FROM "Sales Dept"."Order ""Items"""
WHERE "tenant Id" > $7::uuid AND "tenant Id" < $8::uuid) AS backfill_probe
WHERE matches ORDER BY k1, k2, k3 LIMIT $1::bigint)
UNION ALL (
SELECT k1, k2, k3 FROM (SELECT "tenant Id" AS k1, "created_at" AS k2, "ID" AS k3, (n < 0 AND note IS NULL) AS matches FROM "Sales Dept"."Order ""Items"""
WHERE "tenant Id" = $9::uuid AND "created_at" < $10::timestamp with time zone) AS backfill_probe
WHERE matches ORDER BY k1, k2, k3 LIMIT $1::bigint)
UNION ALL (
SELECT k1, k2, k3 FROM (SELECT "tenant Id" AS k1, "created_at" AS k2, "ID" AS k3, (n < 0 AND note IS NULL) AS matches FROM "Sales Dept"."Order ""Items"""
WHERE "tenant Id" = $11::uuid AND "created_at" = $12::timestamp with time zone AND "ID" <= $13::bigint) AS backfill_probe
WHERE matches ORDER BY k1, k2, k3 LIMIT $1::bigint)) AS parts ORDER BY k1, k2, k3 LIMIT $1::bigint),
backfill_full AS MATERIALIZED (SELECT count(*) >= $1::bigint AS cut FROM backfill_matching)
SELECT ARRAY[EXISTS (SELECT FROM backfill_matching WHERE (k1, k2, k3) <= ($14::uuid, $15::timestamp with time zone, $16::bigint) AND (k1, k2, k3) > ($17::uuid, $18::timestamp with time zone, $19::bigint))
  OR (SELECT cut FROM backfill_full) AND NOT EXISTS (SELECT FROM backfill_matching WHERE (k1, k2, k3) > ($14::uuid, $15::timestamp with time zone, $16::bigint))];
-- ['Ǵ' "00000000-0000-0000-0000-000000000001" "2024-01-01 00:00:00+00" "5" "00000000-0000-0000-0000-000000000001" "2024-01-01 00:00:00+00" "00000000-0000-0000-0000-000000000001" "00000000-0000-0000-0000-000000000002" "00000000-0000-0000-0000-000000000002" "2024-02-01 00:00:00+00" "00000000-0000-0000-0000-000000000002" "2024-02-01 00:00:00+00" "7" "00000000-0000-0000-0000-000000000002" "2024-02-01 00:00:00+00" "7" "00000000-0000-0000-0000-000000000001" "2024-01-01 00:00:00+00" "5"]
