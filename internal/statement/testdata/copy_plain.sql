SELECT (id) AS backfill_n1, (lower(email)) AS backfill_n2, (plan) AS backfill_n3 FROM "public"."users"
WHERE "id" > $1::bigint AND "id" <= $2::bigint
  AND CASE WHEN seen < $3::timestamptz THEN true END
ORDER BY "id" FOR NO KEY UPDATE;
-- ["10" "20" "2024-01-01"]
