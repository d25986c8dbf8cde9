WITH backfill_matching AS MATERIALIZED (SELECT k1 FROM (SELECT "id" AS k1, (email IS NOT NULL) AS matches FROM "public"."users"
WHERE "id" <= $2::bigint) AS backfill_probe
WHERE matches ORDER BY k1 LIMIT $1::bigint),
backfill_full AS MATERIALIZED (SELECT count(*) >= $1::bigint AS cut FROM backfill_matching)
SELECT ARRAY[EXISTS (SELECT FROM backfill_matching WHERE k1 <= $3::bigint)
  OR (SELECT cut FROM backfill_full) AND NOT EXISTS (SELECT FROM backfill_matching WHERE k1 > $3::bigint),
EXISTS (SELECT FROM backfill_matching WHERE k1 <= $4::bigint AND k1 > $5::bigint)
  OR (SELECT cut FROM backfill_full) AND NOT EXISTS (SELECT FROM backfill_matching WHERE k1 > $4::bigint)];
-- ['Ǵ' "20" "10" "20" "10"]
