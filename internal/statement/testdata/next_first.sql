WITH backfill_full AS MATERIALIZED (SELECT "id", $1::bigint AS backfill_n FROM "public"."users" ORDER BY "id" LIMIT 1 OFFSET $1::bigint - 1)
SELECT ARRAY["id"::text], backfill_n, 0, ("id" = $3::bigint)::int FROM backfill_full WHERE "id" <= $2::bigint
UNION ALL (SELECT ARRAY["id"::text], backfill_n, 0, ("id" = $3::bigint)::int FROM (SELECT "id", row_number() OVER (ORDER BY "id") AS backfill_n FROM "public"."users" ORDER BY "id" LIMIT $1::bigint) AS backfill_counted
WHERE "id" <= $2::bigint AND NOT EXISTS (SELECT FROM backfill_full WHERE "id" <= $2::bigint) ORDER BY backfill_n DESC LIMIT 1);
-- ['Ǵ' "20" "20"]
