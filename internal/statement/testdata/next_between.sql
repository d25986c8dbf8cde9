WITH backfill_full AS MATERIALIZED (SELECT "id", $2::bigint AS backfill_n FROM "public"."users" WHERE "id" > $1::bigint ORDER BY "id" LIMIT 1 OFFSET $2::bigint - 1)
SELECT ARRAY["id"::text], backfill_n, ("id" = $4::bigint)::int, ("id" = $5::bigint)::int FROM backfill_full WHERE "id" <= $3::bigint
UNION ALL (SELECT ARRAY["id"::text], backfill_n, ("id" = $4::bigint)::int, ("id" = $5::bigint)::int FROM (SELECT "id", row_number() OVER (ORDER BY "id") AS backfill_n FROM "public"."users" WHERE "id" > $1::bigint ORDER BY "id" LIMIT $2::bigint) AS backfill_counted
WHERE "id" <= $3::bigint AND NOT EXISTS (SELECT FROM backfill_full WHERE "id" <= $3::bigint) ORDER BY backfill_n DESC LIMIT 1);
-- ["10" 'Ǵ' "20" "10" "20"]
