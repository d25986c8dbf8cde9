SELECT count(*) FROM (SELECT FROM "public"."users" WHERE "users"."id" > $1::bigint AND "users"."id" <= $2::bigint
ORDER BY "users"."id" FOR NO KEY UPDATE) AS backfill_locked;
-- ["10" "20"]
