SELECT backfill_k1::text, backfill_in::text, backfill_x::text, backfill_t::text, CASE WHEN backfill_in THEN backfill_r1 END, CASE WHEN backfill_in THEN backfill_r2::text END FROM (SELECT "id" AS backfill_k1, "email" AS backfill_r1, "seen" AS backfill_r2, CASE WHEN "id" <= $1::bigint THEN CASE WHEN seen >= $2::timestamptz THEN true ELSE false END END AS backfill_in, xmin AS backfill_x, ctid AS backfill_t FROM "public"."users" ORDER BY "users"."id" LIMIT $3::bigint) AS backfill_walked
WHERE backfill_in IS NOT NULL ORDER BY backfill_walked.backfill_k1;
-- ["20" "2024-01-01" 'Ǵ']
