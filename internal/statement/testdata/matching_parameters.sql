WITH backfill_matching AS MATERIALIZED (SELECT k1 FROM (SELECT "id" AS k1, (seen >= $4::timestamptz - interval '1 day') AS matches FROM "public"."users"
WHERE "id" > $2::bigint AND "id" <= $3::bigint) AS backfill_probe
WHERE matches ORDER BY k1 LIMIT $1::bigint),
backfill_full AS MATERIALIZED (SELECT count(*) >= $1::bigint AS cut FROM backfill_matching)
SELECT ARRAY[EXISTS (SELECT FROM backfill_matching WHERE k1 <= $5::bigint AND k1 > $6::bigint)
  OR (SELECT cut FROM backfill_full) AND NOT EXISTS (SELECT FROM backfill_matching WHERE k1 > $5::bigint)];
-- ['Ǵ' "10" "20" "2024-01-01" "20" "10"]
